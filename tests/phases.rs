//! Operations of several phases: for each step before which others may come a system that is
//! violated only because of it. Where others come between whole commands alone, it holds.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/commands.rs"]
mod commands;

use std::collections::BTreeSet;
use std::sync::Arc;

use doorway::check::engine::explore::{ExploreOptions, explore};
use doorway::check::{
    Answer, Commands, Counterexample, Cx, Faults, Monitor, Process, Report, Step, System, Verdict,
    World,
};
use doorway::doc;
use doorway::store::filter::{by_id, eq, ne};
use doorway::store::memory::{Execution, State, StepKind};
use doorway::store::update::set;
use doorway::store::{Command, Document, Filter, Operation, Reply, Sort, Store, StoreError, Value};

use commands::{delete, find, find_and_update, find_one, insert, replace, state, update};

/// A form of an operation, and the kind of a step of it before which others may come.
type Later = (&'static str, StepKind);

/// Every operation by this filter, in all its forms.
fn forms(filter: &Filter) -> Vec<(&'static str, Command)> {
    let by = || filter.clone();
    let (see, new) = (|| set("seen", true), || doc! {"n": 1, "seen": true});
    let sorted = || Sort::ascending("n");
    vec![
        ("find_one", find_one(by())),
        ("find", find(by())),
        ("insert_one", insert(doc! {"_id": 1, "n": 1})),
        ("update_one", update(by(), see())),
        ("update_one, upsert", upserting(update(by(), see()))),
        ("find_one_and_update", find_and_update(by(), see(), vec![])),
        ("find_one_and_update, upsert", upserting(find_and_update(by(), see(), vec![]))),
        ("find_one_and_update, sorted", find_and_update(by(), see(), sorted())),
        ("find_one_and_update, sorted, upsert", upserting(find_and_update(by(), see(), sorted()))),
        ("replace_one", replace(by(), new())),
        ("replace_one, upsert", upserting(replace(by(), new()))),
        ("delete_one", delete(by())),
    ]
}

fn upserting(mut command: Command) -> Command {
    match &mut command.operation {
        Operation::UpdateOne { upsert, .. }
        | Operation::FindOneAndUpdate { upsert, .. }
        | Operation::ReplaceOne { upsert, .. } => *upsert = true,
        other => panic!("{} upserts nothing", other.name()),
    }
    command
}

/// By a field other than `_id`.
fn by_field() -> Filter {
    eq("n", 1)
}

/// By `_id` and more: the server does not try such an upsert again by itself.
fn by_id_and_more() -> Filter {
    by_id(1).and(ne("n", 0))
}

/// A command, what another process does meanwhile, and what holds as long as it comes between whole
/// commands alone.
struct Case {
    store: State,
    slow: Command,
    /// Each of one step.
    others: Vec<Command>,
    claim: Claim,
    faults: Faults,
}

/// What holds of each reply to a process, given how often its replies have changed by then.
#[derive(Clone, Copy)]
struct Claim {
    process: &'static str,
    holds: fn(&Replied, i64) -> bool,
}

type Replied = Result<Reply, StoreError>;

const SLOW: &str = "slow";
const OTHER: &str = "other";

/// The case that is to be broken before a step of that kind; none where others who come before such
/// a step come before the whole command.
fn case((form, kind): Later) -> Option<Case> {
    let by = |filter: Filter| {
        let found = forms(&filter).into_iter().find(|(name, _)| *name == form);
        found.map(|(_, command)| command).unwrap()
    };
    Some(match kind {
        StepKind::Refuse | StepKind::Insert | StepKind::Point | StepKind::Over => return None,
        StepKind::Read | StepKind::Seek | StepKind::Pick => one_always_matches(
            by(by_field()),
            vec![doc! {"_id": 1, "n": 0}, doc! {"_id": 2, "n": 1}],
            vec![update(by_id(1), set("n", 1)), update(by_id(2), set("n", 0))],
        ),
        StepKind::Write => one_always_matches(
            by(by_field()),
            vec![doc! {"_id": 2, "n": 1}],
            vec![insert(doc! {"_id": 1, "n": 1}), delete(by_id(2))],
        ),
        StepKind::Upsert => no_upsert_fails(by(by_id_and_more())),
        StepKind::Acknowledge => what_is_seen_stays(by(by_id(1))),
    })
}

/// At all times one document matches the command, so it finds one.
fn one_always_matches(slow: Command, documents: Vec<Document>, others: Vec<Command>) -> Case {
    let holds = |now: &Replied, _| match now {
        Ok(Reply::Document(found)) => found.is_some(),
        Ok(Reply::Documents(found)) => !found.is_empty(),
        Ok(Reply::Updated(updated)) => updated.matched == 1,
        Ok(Reply::Deleted(deleted)) => *deleted == 1,
        Ok(Reply::Inserted) | Err(_) => false,
    };
    let claim = Claim { process: SLOW, holds };
    Case { store: state(documents), slow, others, claim, faults: Faults::default() }
}

/// The document matches as soon as it is there, so an upsert finds it or puts it in.
fn no_upsert_fails(slow: Command) -> Case {
    let claim = Claim { process: SLOW, holds: |now, _| now.is_ok() };
    let others = vec![insert(doc! {"_id": 1, "n": 1})];
    Case { store: State::new(), slow, others, claim, faults: Faults::default() }
}

/// There is one write, so what another sees changes once, whatever member leads.
fn what_is_seen_stays(slow: Command) -> Case {
    let is_insert = matches!(slow.operation, Operation::InsertOne { .. });
    let store = state((!is_insert).then(|| doc! {"_id": 1, "n": 1}));
    let claim = Claim { process: OTHER, holds: |_, changes| changes <= 1 };
    let others = vec![find_one(by_id(1)); 3];
    Case { store, slow, others, claim, faults: Faults::default().failovers(1) }
}

impl Monitor for Claim {
    fn name(&self) -> &str {
        "claim"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let (Some(process), Some(Answer::Store(now))) = (step.process(), step.answer()) else {
            return Ok(());
        };
        if **process != *self.process {
            return Ok(());
        }
        let (last, mut changes) = (memory.get("last").cloned(), count(memory));
        let text = Value::from(format!("{now:?}"));
        changes += i64::from(last.is_some_and(|last| last != text));
        *memory = doc! {"changes": changes, "last": text};
        if (self.holds)(now, changes) { Ok(()) } else { Err(format!("{now:?}")) }
    }
}

fn count(memory: &Document) -> i64 {
    memory.get("changes").and_then(Value::as_int).unwrap_or_default()
}

impl Case {
    fn system(&self, commands: Commands) -> System {
        let process = |name: &str, commands: &[Command]| {
            let commands = commands.to_vec();
            Process::new(name).then(move |cx: Cx| {
                let commands = commands.clone();
                async move {
                    for command in commands {
                        // Whether it succeeds is for the claim to judge.
                        let _ = cx.execute(command).await;
                    }
                }
            })
        };
        let slow = process(SLOW, std::slice::from_ref(&self.slow));
        System {
            name: "phases".into(),
            world: World { store: self.store.clone(), ..World::default() },
            history: Vec::new(),
            processes: vec![slow, process(OTHER, &self.others)],
            properties: vec![Arc::new(self.claim)],
            broken_store: None,
            faults: self.faults.clone(),
            commands,
            guards: Default::default(),
        }
    }

    fn explored(&self, commands: Commands) -> Report {
        explore(&self.system(commands), &ExploreOptions::default()).unwrap()
    }

    /// The kinds of those steps of the slow command, but its first, right before which another came.
    fn broken_before(&self, found: &Counterexample) -> BTreeSet<StepKind> {
        if !self.faults.is_none() {
            let before = found.schedule.iter().take_while(|word| ***word != *"failover");
            let is_written = before.filter(|word| ***word == *SLOW).count() == 1;
            return is_written.then_some(StepKind::Acknowledge).into_iter().collect();
        }
        let mut state = self.store.clone();
        let (mut execution, mut others) = (Execution::begin(self.slow.clone()), self.others.iter());
        let (mut broken, mut another_came) = (BTreeSet::new(), false);
        for word in &found.schedule {
            if **word == *OTHER {
                let _ = state.execute(others.next().unwrap().clone());
                another_came = true;
                continue;
            }
            if another_came && is_later(&execution) {
                broken.insert(execution.kind());
            }
            execution.step(&mut state);
            another_came = false;
        }
        broken
    }
}

/// Whether others who come before the next step do not come before the whole command.
fn is_later(execution: &Execution) -> bool {
    *execution != Execution::begin(execution.command().clone())
}

/// Every step that is not the first of a command, nor the first again, in any form of any operation
/// whatever another does before it.
fn later_steps() -> BTreeSet<Later> {
    let mut later = BTreeSet::new();
    for filter in [by_id(1), by_field(), by_id_and_more()] {
        for (form, command) in forms(&filter) {
            for start in starts() {
                follow(form, &Execution::begin(command.clone()), &start, 5, &mut later);
            }
        }
    }
    // Only where a majority is told from the rest is there something to wait for.
    let writes = forms(&by_id(1)).into_iter().filter(|(_, command)| command.operation.is_write());
    later.extend(writes.map(|(form, _)| (form, StepKind::Acknowledge)));
    later
}

fn starts() -> Vec<State> {
    let (one, two) = (|n: i64| doc! {"_id": 1, "n": n}, |n: i64| doc! {"_id": 2, "n": n});
    vec![
        State::new(),
        state([one(1)]),
        state([one(0), two(1)]),
        state([one(1), two(1)]),
        state([one(0), two(0)]),
    ]
}

/// Goes on with a command in every way: with nothing or any write of another before each step.
fn follow(
    form: &'static str,
    execution: &Execution,
    state: &State,
    steps: u32,
    later: &mut BTreeSet<Later>,
) {
    if is_later(execution) {
        later.insert((form, execution.kind()));
    }
    let of_another = [
        None,
        Some(insert(doc! {"_id": 1, "n": 1})),
        Some(delete(by_id(1))),
        Some(update(by_id(1), set("n", 0))),
        Some(update(by_id(2), set("n", 1))),
    ];
    for command in of_another.into_iter().filter(|_| steps > 0) {
        let (mut execution, mut state) = (execution.clone(), state.clone());
        let _ = command.map(|command| state.execute(command));
        if execution.step(&mut state).is_none() {
            follow(form, &execution, &state, steps - 1, later);
        }
    }
}

/// Every operation has a form, so that a new one does not go untested.
#[test]
fn the_forms_are_of_every_operation() {
    let number = |operation: &Operation| match operation {
        Operation::FindOne { .. } => 0,
        Operation::Scan { .. } => 1,
        Operation::InsertOne { .. } => 2,
        Operation::UpdateOne { .. } => 3,
        Operation::FindOneAndUpdate { .. } => 4,
        Operation::ReplaceOne { .. } => 5,
        Operation::DeleteOne { .. } => 6,
    };
    let of_forms: BTreeSet<usize> =
        forms(&by_field()).iter().map(|(_, command)| number(&command.operation)).collect();
    assert_eq!(of_forms, (0..=6).collect());
}

#[test]
fn every_operation_of_several_phases_has_a_system_that_only_its_phases_break() {
    let later = later_steps();
    for (form, kind) in &later {
        let case = case((form, *kind)).unwrap_or_else(|| panic!("{form}: no case for {kind:?}"));
        let whole = case.explored(Commands::InOneStep);
        assert_eq!(whole.verdict(), Verdict::Verified, "{form}, {kind:?}: {whole:?}");
        let report = case.explored(Commands::AsTheServer);
        assert_eq!(report.verdict(), Verdict::Violated, "{form}, {kind:?}");
        let found = report.of("claim").unwrap().counterexample.as_ref().unwrap();
        assert_eq!(case.broken_before(found), [*kind].into(), "{form}: {found}");
    }
    println!("{} steps in the midst of a command, each with a system", later.len());
    let kinds: BTreeSet<StepKind> = later.iter().map(|(_, kind)| *kind).collect();
    let expected = [
        StepKind::Read,
        StepKind::Seek,
        StepKind::Pick,
        StepKind::Write,
        StepKind::Upsert,
        StepKind::Acknowledge,
    ];
    assert_eq!(kinds, expected.into());
}
