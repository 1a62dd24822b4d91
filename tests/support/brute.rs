//! Every run of a small system, by nothing but `System::replay`.

use std::collections::{BTreeMap, BTreeSet};

use doorway::check::{Change, Outcome, Replay, StaleSchedule, System, TraceStep};
use doorway::env::Event;
use doorway::store::memory::State;
use doorway::store::{Command, Operation, Text};

/// How a run ended, as far as a replay tells: the store, what each process told, where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    store: State,
    told: BTreeMap<Text, Vec<Event>>,
    processes: Vec<String>,
}

/// The writes of a run, each with its process, and the steps that commute before each.
type Order = Vec<(BTreeMap<Text, usize>, Text)>;

/// What every run of a system came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) runs: u64,
    pub(crate) ends: BTreeSet<End>,
    /// The runs but for the order of steps that commute.
    pub(crate) orders: BTreeSet<Order>,
    /// For each property that fell, after how many steps at the earliest.
    pub(crate) shortest: BTreeMap<String, usize>,
}

pub(crate) fn search(system: &System) -> Found {
    let mut found = Found::default();
    go_on(system, &mut Vec::new(), &mut found);
    found
}

fn go_on(system: &System, schedule: &mut Vec<Text>, found: &mut Found) {
    let able = stands(system, schedule, "nobody").enabled;
    if able.is_empty() {
        let replay = system.replay(schedule).unwrap();
        found.runs += 1;
        for (property, steps, _) in &replay.fallen {
            let least = found.shortest.entry(property.to_string()).or_insert(*steps);
            *least = (*least).min(*steps);
        }
        found.ends.insert(End::of_replay(system, schedule, &replay));
        found.orders.insert(order(system, &replay));
    }
    for process in able {
        schedule.push(process);
        go_on(system, schedule, found);
        schedule.pop();
    }
}

fn order(system: &System, replay: &Replay) -> Order {
    let (mut order, mut reads) = (Order::new(), BTreeMap::new());
    for step in replay.steps.iter().filter(|step| !reads_what_never_changes(system, step)) {
        if commutes(step) {
            *reads.entry(step.process.clone()).or_default() += 1;
        } else {
            order.push((std::mem::take(&mut reads), step.process.clone()));
        }
    }
    order.push((reads, "end".into()));
    order
}

fn reads_what_never_changes(system: &System, step: &TraceStep) -> bool {
    let store = &system.world.store;
    step.request.starts_with("workers.find") && store.is_immutable("workers")
}

/// Whether a step only read, or changed nothing and told nothing.
fn commutes(step: &TraceStep) -> bool {
    let shows = !step.events.is_empty() || step.failure.is_some();
    step.request.contains(".find") || !shows && step.changes.is_empty()
}

/// Where a system stands after a schedule: what it answers to a step that cannot be.
fn stands(system: &System, schedule: &[Text], process: &str) -> StaleSchedule {
    let mut schedule = schedule.to_vec();
    schedule.push(process.into());
    system.replay(&schedule).unwrap_err()
}

impl End {
    fn of_replay(system: &System, schedule: &[Text], replay: &Replay) -> End {
        let mut store = system.world.store.clone();
        let mut told: BTreeMap<Text, Vec<Event>> = BTreeMap::new();
        if !system.history.is_empty() {
            told.insert("".into(), system.history.clone());
        }
        for step in &replay.steps {
            step.changes.iter().for_each(|change| apply(&mut store, change));
            if !step.events.is_empty() {
                told.entry(step.process.clone()).or_default().extend(step.events.iter().cloned());
            }
        }
        let names = system.processes.iter().map(|process| &process.name);
        let processes =
            names.map(|name| stands(system, schedule, name).waits_for.unwrap()).collect();
        End { store, told, processes }
    }

    pub(crate) fn of(outcome: &Outcome) -> End {
        let mut told: BTreeMap<Text, Vec<Event>> = BTreeMap::new();
        for (process, event) in &outcome.events {
            told.entry(process.clone()).or_default().push(event.clone());
        }
        End { store: outcome.store.clone(), told, processes: outcome.processes.clone() }
    }
}

fn apply(store: &mut State, change: &Change) {
    let execute = |store: &mut State, operation| {
        let (collection, concern) = (change.collection.clone(), Default::default());
        store.execute(Command { collection, operation, concern }).unwrap();
    };
    if let Some(before) = &change.before {
        let filter = doorway::store::filter::by_id(before.id().unwrap());
        execute(store, Operation::DeleteOne { filter });
    }
    if let Some(after) = &change.after {
        execute(store, Operation::InsertOne { document: after.clone() });
    }
}
