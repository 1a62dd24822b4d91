//! No reduction changes a verdict or an outcome, and where names are not interchangeable that is found
//! out.
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use doorway::check::engine::explore::{ExploreOptions, Limits, Reductions, explore};
use doorway::check::{
    Coverage, Cx, Faults, Finding, Messages, Monitor, NoDeadlock, NoFailure, Process, Report, Step,
    System, Verdict, World,
};
use doorway::doc;
use doorway::env::{Env, Event, Queues};
use doorway::model::{Expect, Model, Sizes, property, shipped};
use doorway::store::filter::{all, by_id};
use doorway::store::memory::State;
use doorway::store::update::{inc, pull, push};
use doorway::store::{Document, Store, Text, Value};

/// Models with more states than this are left out.
const LARGEST: u64 = 25_000;

const NONE: Reductions = Reductions { immutable_reads: false, symmetry: false, ordinals: false };
const SYMMETRY: Reductions = Reductions { symmetry: true, ..NONE };
const FUSED: Reductions = Reductions { immutable_reads: true, ..NONE };
const BOTH: Reductions = Reductions { immutable_reads: true, ..SYMMETRY };

fn run(system: &System, reductions: Reductions, limits: Limits) -> Report {
    let options = ExploreOptions { reductions, limits, outcomes: true, ..Default::default() };
    explore(system, &options).unwrap()
}

fn states(report: &Report) -> u64 {
    let Coverage::States { states, .. } = report.coverage else { panic!() };
    states
}

fn uses_symmetry(report: &Report) -> bool {
    let Coverage::States { reductions, .. } = report.coverage else { panic!() };
    reductions.symmetry
}

fn verdicts(report: &Report) -> Vec<(Text, Verdict, Option<usize>)> {
    let length =
        |finding: &Finding| finding.counterexample.as_ref().map(|found| found.schedule.len());
    let findings = report.findings.iter();
    findings.map(|one| (one.property.clone(), one.verdict, length(one))).collect()
}

/// The reductions that there may be: without a collection that never changes nothing is fused.
fn of_use(system: &System) -> &'static [Reductions] {
    let store = &system.world.store;
    let never_changes = store.collections().any(|collection| store.is_immutable(collection));
    if never_changes { &[SYMMETRY, FUSED, BOTH] } else { &[SYMMETRY] }
}

/// Explores without a reduction, with each, and with both; whether symmetry was of use. `None`: it is
/// too large.
fn compare_all(system: &System, limits: Limits) -> Option<bool> {
    let whole = run(system, NONE, limits);
    if whole.cut_short && whole.stopped.as_deref() != Some("every property fell") {
        return None;
    }
    let compared = |reductions: &Reductions| {
        let report = run(system, *reductions, Limits::default());
        assert_eq!(verdicts(&whole), verdicts(&report), "{} {reductions:?}", system.name);
        assert!(whole.outcomes == report.outcomes, "of {} {reductions:?}", system.name);
        report
    };
    let all: Vec<Report> = of_use(system).iter().map(compared).collect();
    let reduced = &all[0];
    if let [_, fused, both] = &all[..]
        && whole.stopped.is_none()
    {
        assert!(states(fused) <= states(&whole), "{}", system.name);
        assert!(states(both) <= states(fused), "{}", system.name);
    }
    if !uses_symmetry(reduced) && reduced.stopped.is_none() {
        assert_eq!(states(&whole), states(reduced), "{}", system.name);
    }
    Some(uses_symmetry(reduced))
}

fn compare(system: &System, limits: Limits) -> bool {
    compare_all(system, limits) == Some(true)
}

/// In this many states all that falls in a large model has fallen, but perhaps in these: of them it is only known
/// that `doorway check` says what they expect, with symmetry and without.
const FALLS_WITHIN: u64 = 150_000;
const FALL_LATE: [&str; 9] = [
    "story-898-pair-worker-gone",
    "doorway-failover-zombie",
    "doorway-unknown-zombie",
    "doorway-zombie-three-tasks",
    "doorway-unknown-two-resources",
    "doorway-zombie-two-resources",
    "doorway-redelivery-zombie",
    "doorway-manager-crash-zombie",
    "doorway-sweeps-any-binding",
];

/// What falls in a model falls with each reduction, as early. Nothing else is asked, so that the search
/// ends when all has fallen: so it is done for large models too. Whether it was.
fn compare_falls(mut model: Model) -> bool {
    model
        .expect
        .retain(|(name, expect)| *expect == Expect::Violated && !property::is_of_graphs(name));
    let system = model.system().unwrap();
    let limits = Limits { states: Some(FALLS_WITHIN), ..Limits::default() };
    let first = ExploreOptions { limits, ..Default::default() };
    let whole = explore(&system, &first).unwrap();
    if whole.stopped.as_ref().is_some_and(|why| **why != *"every property fell") {
        return false;
    }
    let whole = verdicts(&whole);
    let falls = |reductions| {
        verdicts(&explore(&system, &ExploreOptions { reductions, ..Default::default() }).unwrap())
    };
    for (property, verdict, length) in &whole {
        assert!(*verdict == Verdict::Violated && length.is_some(), "{property} of {}", model.name);
    }
    for reductions in of_use(&system) {
        assert_eq!(falls(*reductions), whole, "{} {reductions:?}", model.name);
    }
    true
}

#[test]
fn every_shipped_model_has_the_same_verdicts_and_outcomes_with_each_reduction() {
    let time = Some(Duration::from_secs(5));
    let limits = Limits { states: Some(LARGEST), time, ..Limits::default() };
    let (mut with_symmetry, mut late) = (Vec::new(), Vec::new());
    for mut model in shipped().unwrap() {
        model.expect.retain(|(name, _)| !property::is_of_graphs(name));
        let is_broken = model.expect.iter().any(|(_, expect)| *expect == Expect::Violated);
        match compare_all(&model.system().unwrap(), limits) {
            Some(true) => with_symmetry.push(model.name),
            Some(false) => {}
            None if is_broken && !compare_falls(model.clone()) => late.push(model.name),
            None => {}
        }
    }
    println!("{} models have symmetries: {}", with_symmetry.len(), with_symmetry.join(", "));
    assert!(with_symmetry.len() >= 10, "{with_symmetry:?}");
    assert!(late.iter().all(|name| FALL_LATE.contains(&name.as_str())), "{late:?}");
}

fn reference(numbers: [u32; 4]) -> System {
    let [managers, tasks, resources, workers] = numbers.map(|n| NonZeroU32::new(n).unwrap());
    let mut model = shipped().unwrap().into_iter().find(|one| one.name == "reference").unwrap();
    model.sizes = Sizes { managers, tasks, resources, workers };
    model.expect.clear();
    model.system().unwrap()
}

#[test]
fn the_reference_model_has_nearly_as_many_times_fewer_states_as_it_has_symmetries() {
    for (numbers, whole, reduced) in
        [([3, 1, 1, 2], 893, 177), ([4, 2, 2, 2], 246_293, 32_578), ([5, 1, 2, 2], 98_669, 10_469)]
    {
        let system = reference(numbers);
        let count = |reductions| {
            states(&explore(&system, &ExploreOptions { reductions, ..Default::default() }).unwrap())
        };
        assert_eq!((count(NONE), count(SYMMETRY)), (whole, reduced), "{numbers:?}");
    }
}

/// The search begins again without a property that fell, and what the others remember has other numbers then.
#[test]
fn a_property_that_falls_costs_no_symmetry() {
    let mut models = shipped().unwrap().into_iter();
    let system = models.find(|one| one.name == "doorway-two-managers").unwrap().system().unwrap();
    let report = |reductions| {
        explore(&system, &ExploreOptions { reductions, ..Default::default() }).unwrap()
    };
    let (none, symmetry) = (report(NONE), report(SYMMETRY));
    assert!(symmetry.findings.iter().any(|finding| finding.verdict == Verdict::Violated));
    let (all, left) = (states(&none), states(&symmetry));
    assert!(left * 3 < all, "two managers and two workers: {left} of {all}");
}

/// What a process does next, to the document of its resource or to one of its own.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Puts its name at the end of the list, or takes it off.
    Push,
    Pull,
    Count,
    /// Makes the document of its own name, or deletes it.
    Make,
    Delete,
    /// Stops with an error where it is the first of the list.
    FailIfFirst,
    /// Stops with an error where the document of its own name is the first of all: the order of names
    /// tells processes apart.
    FailIfLeast,
    /// The same where its name ends in 1.
    FailIfOne,
    Send,
    Take,
    /// Reads what never changes.
    Look,
    LookAtAll,
}

fn system(acts: Vec<Act>, processes: usize, faults: Faults) -> System {
    let mut store = State::new();
    for resource in ["x", "y"] {
        let document = doc! {"_id": resource, "n": 0, "list": Vec::<Value>::new()};
        store.insert("resources", document).unwrap();
    }
    for id in ["s", "t"] {
        store.insert("settings", doc! {"_id": id}).unwrap();
    }
    store.declare_immutable("settings");
    let process = |number: usize| {
        let resource = ["x", "y"][number % 2];
        let acts = acts.clone();
        Process::new(format!("process-{number}")).then(move |cx: Cx| {
            let acts = acts.clone();
            async move {
                for act in acts {
                    take(&cx, act, resource).await?;
                }
                Ok::<(), String>(())
            }
        })
    };
    System {
        name: format!("{acts:?} by {processes}").into(),
        world: World { store, messages: Messages::default() },
        history: Vec::new(),
        processes: (1..=processes).map(process).collect(),
        properties: vec![Arc::new(NoDeadlock), Arc::new(NoFailure)],
        broken_store: None,
        faults,
        commands: Default::default(),
        guards: Default::default(),
    }
}

async fn take(cx: &Cx, act: Act, resource: &str) -> Result<(), String> {
    let resources = cx.collection::<Document>("resources");
    let own = cx.collection::<Document>("own");
    let me = cx.process();
    let failed = |_| "failed".to_owned();
    match act {
        Act::Push => drop(resources.update_one(by_id(resource), push("list", me)).await),
        Act::Pull => drop(resources.update_one(by_id(resource), pull("list", me)).await),
        Act::Count => drop(resources.update_one(by_id(resource), inc("n", 1)).await),
        Act::Make => drop(own.insert_one(doc! {"_id": me}).await),
        Act::Delete => drop(own.delete_one(by_id(me)).await),
        Act::FailIfFirst => {
            let found = resources.find_one(by_id(resource)).await.map_err(failed)?;
            let list = found.as_ref().and_then(|found| found.get("list")?.as_array());
            if list.is_some_and(|list| list.first() == Some(&me.into())) {
                return Err("the first".into());
            }
        }
        Act::FailIfLeast => {
            let found = own.find(all()).await.map_err(failed)?;
            if found.first().is_some_and(|first| first.id() == Some(&me.into())) {
                return Err("the least".into());
            }
        }
        Act::FailIfOne if me.ends_with('1') => return Err("is one".into()),
        Act::FailIfOne => {}
        Act::Look => drop(cx.collection::<Document>("settings").find_one(by_id("s")).await),
        Act::LookAtAll => {
            let all = cx.collection::<Document>("settings").find(all()).await.map_err(failed)?;
            cx.observe(Event::new("looked").with("at", all.len() as i64));
        }
        Act::Send => cx.send("queue", doc! {"by": me}).await,
        Act::Take => drop(cx.take("queue").await),
    }
    Ok(())
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Push),
        2 => Just(Act::Pull),
        2 => Just(Act::Count),
        2 => Just(Act::Make),
        1 => Just(Act::Delete),
        2 => Just(Act::FailIfFirst),
        1 => Just(Act::FailIfLeast),
        1 => Just(Act::FailIfOne),
        2 => Just(Act::Send),
        1 => Just(Act::Take),
        2 => Just(Act::Look),
        1 => Just(Act::LookAtAll),
    ]
}

fn faults() -> impl Strategy<Value = Faults> {
    let none = Faults::default();
    prop_oneof![
        4 => Just(none.clone()),
        1 => Just(none.clone().crashes(1)),
        1 => Just(none.clone().unknown_outcomes(1)),
        1 => Just(none.clone().stale_reads(1)),
        1 => Just(none.clone().failovers(1)),
        1 => Just(none.clone().crashes(1).among(["process-1"])),
        1 => Just(none.redeliveries(1)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]
    #[test]
    fn random_models_have_the_same_verdicts_and_outcomes_with_each_reduction(
        acts in vec(act(), 1..5),
        processes in 2..4_usize,
        faults in faults(),
    ) {
        compare(&system(acts, processes, faults), Limits::default());
    }
}

#[test]
fn processes_are_interchangeable_where_only_their_names_differ() {
    use Act::{Count, FailIfFirst, FailIfLeast, FailIfOne, Make, Push, Send, Take};
    let none = Faults::default();
    for (acts, faults, expected) in [
        (vec![Push, FailIfFirst], none.clone(), true),
        (vec![Push, Make, Count], none.clone().crashes(1), true),
        (vec![Push, Push], none.clone().unknown_outcomes(1), true),
        (vec![Push, Make], none.clone().failovers(1), true),
        (vec![Send, Take], none.clone(), true),
        (vec![Push, FailIfOne], none.clone(), false),
        (vec![Make, FailIfLeast], none.clone(), false),
        (vec![Push, Make], none.crashes(1).among(["process-1"]), false),
    ] {
        let system = system(acts, 3, faults.clone());
        // One and three share a resource; two is alone with its own.
        assert_eq!(compare(&system, Limits::default()), expected, "{} {faults:?}", system.name);
    }
}

/// Falls where the process of this name, and no other, stops with an error.
struct Spares(&'static str);

impl Monitor for Spares {
    fn name(&self) -> &str {
        "spares"
    }

    fn step(&self, _memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let is_it = step.process().is_some_and(|name| **name == *self.0);
        if is_it && step.failure().is_some() { Err("it stops".into()) } else { Ok(()) }
    }
}

#[test]
fn a_property_that_tells_processes_apart_is_found_out() {
    for name in ["process-1", "process-3"] {
        let mut system = system(vec![Act::Push, Act::FailIfFirst], 3, Faults::default());
        system.properties.push(Arc::new(Spares(name)));
        compare(&system, Limits::default());
        // By itself: nothing else falls, so that all would be asked again.
        system.properties = vec![Arc::new(Spares(name))];
        compare(&system, Limits::default());
        let report = explore(&system, &ExploreOptions::default()).unwrap();
        assert_eq!(report.verdict(), Verdict::Violated, "{name}");
    }
}
