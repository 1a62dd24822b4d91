//! The explorer against brute force: every schedule of [`Run`], run from the start by itself.

use std::collections::BTreeSet;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::{ExploreOptions, Limits, Reductions, explore};
use crate::check::fault::{Choice, Faults, Kind};
use crate::check::run::{Outcome, Run};
use crate::check::system::{Guards, System};
use crate::check::verdict::{Coverage, Verdict};
use crate::check::{Cx, Messages, Monitor, NoDeadlock, Process, Step, World};
use crate::doc;
use crate::env::{Condition, Env, Event, Queues, Wake, distil, forever, insist};
use crate::model::{Expect, Model, Sizes, SystemKind, property};
use crate::reservation::Design;
use crate::store::filter::{by_id, eq, missing};
use crate::store::memory::State;
use crate::store::update::{inc, set};
use crate::store::{Document, ReadConcern, Store, StoreError, Text, Value, WriteConcern};

/// What every schedule comes to, and which properties some schedule breaks.
fn brute_force(system: &System) -> (BTreeSet<Outcome>, BTreeSet<Text>) {
    let (mut outcomes, mut fallen) = (BTreeSet::new(), BTreeSet::new());
    let mut schedules = vec![Vec::new()];
    while let Some(schedule) = schedules.pop() {
        let mut run = Run::new(system);
        let could_be_taken = schedule.iter().all(|choice| run.take(*choice).is_some());
        if !could_be_taken {
            continue;
        }
        if !run.awaits_database() && all_processes(system).all(|process| !run.enables(process)) {
            run.end();
            fallen.extend(names_of_fallen(system, &run));
            outcomes.insert(Outcome { events: Vec::new(), ..run.outcome() });
        } else {
            fallen.extend(names_of_fallen(system, &run));
        }
        schedules.extend(choices(system).map(|choice| {
            let mut longer: Vec<Choice> = schedule.clone();
            longer.push(choice);
            longer
        }));
    }
    (outcomes, fallen)
}

fn names_of_fallen(system: &System, run: &Run<&System>) -> Vec<Text> {
    let falls = system.properties.iter().zip(run.falls());
    falls.filter(|(_, fall)| fall.is_some()).map(|(property, _)| property.name().into()).collect()
}

fn all_processes(system: &System) -> std::ops::Range<usize> {
    0..system.processes.len()
}

fn choices(system: &System) -> impl Iterator<Item = Choice> {
    let only_steps = system.has_steps_only();
    let strands = if system.guards.run() { 3 } else { 1 };
    let all: Vec<Choice> = Choice::all(&vec![strands; system.processes.len()]).collect();
    all.into_iter().filter(move |choice| !only_steps || choice.kind == Kind::Step)
}

fn system(design: Design, kind: SystemKind, numbers: [u32; 4]) -> System {
    let [managers, tasks, resources, workers] =
        numbers.map(|number| NonZeroU32::new(number).expect("not 0"));
    let all = property::of_any_design().into_iter();
    let model = Model {
        name: "test".into(),
        about: String::new(),
        design: design.into(),
        system: kind,
        sizes: Sizes { managers, tasks, resources, workers },
        wants: Vec::new(),
        needs: Vec::new(),
        deposes: Vec::new(),
        write: None,
        buries: Vec::new(),
        dead: Vec::new(),
        cancels: Vec::new(),
        streams: Vec::new(),
        twins: Vec::new(),
        hearts: Vec::new(),
        sweepers: None,
        guards: Default::default(),
        mutant: None,
        faults: Default::default(),
        broken_store: None,
        expect: all.map(|property| (property.name().into(), Expect::Verified)).collect(),
        engines: Vec::new(),
    };
    model.system().expect("a sound model")
}

fn compare(system: &System, what: &str) {
    compare_with(system, Reductions::default(), &brute_force(system), what);
}

fn compare_with(
    system: &System,
    reductions: Reductions,
    (outcomes, fallen): &(BTreeSet<Outcome>, BTreeSet<Text>),
    what: &str,
) -> Coverage {
    let options = ExploreOptions { outcomes: true, reductions, ..ExploreOptions::default() };
    let report = explore(system, &options).expect("explored");
    assert_eq!(report.outcomes.as_ref(), Some(outcomes), "{what}");
    let violated = report.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
    let explored: BTreeSet<_> = violated.map(|finding| finding.property.clone()).collect();
    assert_eq!(explored, *fallen, "{what}");
    report.coverage
}

#[test]
fn outcomes_and_verdicts_are_those_of_every_schedule() {
    for (name, design) in Design::ALL {
        for numbers in [[2, 1, 1, 1], [2, 1, 1, 2], [2, 1, 2, 2]] {
            compare(&system(design, SystemKind::Inline, numbers), &format!("{name} {numbers:?}"));
        }
    }
}

#[test]
fn they_are_with_faults_too() {
    for (faults, numbers) in [
        (Faults::default().crashes(1).without_restart().among(["manager-1"]), [2, 1, 1, 1]),
        (Faults::default().crashes(1), [1, 2, 1, 1]),
        (Faults::default().unknown_outcomes(2), [1, 2, 1, 2]),
        (Faults::default().unknown_outcomes(1).among(["manager-1"]), [2, 1, 2, 1]),
    ] {
        let mut system = system(Design::Story898, SystemKind::Inline, numbers);
        system.faults = faults.clone();
        compare(&system, &format!("{faults:?} {numbers:?}"));
    }
}

/// Two processes that wait for one message.
fn two_receivers() -> System {
    let mut messages = Messages::default();
    messages.send(&"queue".into(), doc! {"n": 1});
    let receiver = |name: &str| {
        Process::new(name).then(|cx: Cx| async move {
            let message = cx.receive("queue").await;
            cx.step("work").await;
            cx.acknowledge("queue", &message).await;
            Ok::<(), String>(())
        })
    };
    System {
        name: "two receivers".into(),
        world: World { messages, ..World::default() },
        history: Vec::new(),
        processes: vec![receiver("one"), receiver("other")],
        properties: vec![Arc::new(NoDeadlock)],
        broken_store: None,
        faults: Faults::default(),
        commands: Default::default(),
        guards: Default::default(),
    }
}

/// Two processes over a store with one document, and without any property.
fn two<F, A>(body: F) -> System
where
    F: Fn(Cx) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut store = State::new();
    store.insert("c", doc! {"_id": "seen", "n": 0}).expect("a new document");
    System {
        name: "two".into(),
        world: World { store, ..World::default() },
        history: Vec::new(),
        processes: ["one", "other"].map(|name| Process::new(name).then(body.clone())).into(),
        properties: vec![Arc::new(NoDeadlock)],
        broken_store: None,
        faults: Faults::default(),
        commands: Default::default(),
        guards: Default::default(),
    }
}

/// One writes with a concern; the other reads with another, and writes what it has seen.
fn write_and_look(write: WriteConcern, read: ReadConcern) -> System {
    two(move |cx| async move {
        let documents = cx.collection::<Document>("c");
        let quick = documents.clone().write_concern(write);
        if &**cx.process() == "one" {
            match quick.update_one(by_id("seen"), inc("n", 1)).await {
                Err(error) if error.is_outcome_unknown() => cx.step("shrug").await,
                done => drop(done?),
            }
            return Ok(());
        }
        let seen = documents.clone().read_concern(read).find_one(by_id("seen")).await?;
        let told = doc! {"_id": cx.process(), "saw": seen.unwrap_or_default()};
        match documents.insert_one(told).await {
            Err(error) if error.is_outcome_unknown() => Ok(()),
            done => done,
        }
    })
}

#[test]
fn they_are_where_a_failover_loses_writes() {
    for write in [WriteConcern::Primary, WriteConcern::Majority] {
        for read in [ReadConcern::Local, ReadConcern::Majority, ReadConcern::Linearizable] {
            let mut system = write_and_look(write, read);
            let failover = Faults::default().failovers(1);
            let retried = failover.clone().retryable_writes();
            for faults in [failover, retried.clone(), retried.stale_reads(1)] {
                system.faults = faults;
                compare(&system, &format!("{write:?} {read:?} {}", system.faults));
            }
        }
    }
}

#[test]
fn they_are_where_reads_are_stale() {
    for read in [ReadConcern::Local, ReadConcern::Linearizable] {
        let mut system = write_and_look(WriteConcern::Majority, read);
        system.faults = Faults::default().stale_reads(2).among(["one"]);
        compare(&system, &format!("{read:?}"));
    }
}

#[test]
fn they_are_where_a_write_wakes_a_process_and_its_outcome_is_unknown() {
    let mut system = two(|cx| async move {
        let documents = cx.collection::<Document>("c");
        let other = eq("n", 1);
        if &**cx.process() == "one" {
            cx.pause(Wake::When(vec![Condition::Some("c".into(), other)])).await;
        }
        match documents.update_one(by_id("seen"), inc("n", 1)).await {
            Err(error) if error.is_outcome_unknown() => cx.step("shrug").await,
            done => drop(done?),
        }
        Ok(())
    });
    system.faults = Faults::default().unknown_outcomes(2);
    compare(&system, "unknown outcomes");
    system.faults = Faults::default().unknown_outcomes(1).stale_reads(1).failovers(1);
    compare(&system, "all of it");
    system.faults = Faults::default().unknown_outcomes(1).failovers(2).retryable_writes();
    compare(&system, "retried");
}

#[test]
fn they_are_where_the_broker_takes_a_process_for_gone() {
    let mut system = two_receivers();
    system.faults = Faults::default().redeliveries(2);
    compare(&system, "redeliveries");
    system.faults = Faults::default().redeliveries(1).crashes(1).among(["one"]);
    compare(&system, "redeliveries and crashes");
}

#[test]
fn they_are_where_a_message_is_delivered_again() {
    let mut system = two_receivers();
    system.faults = Faults::default().crashes(1).without_restart();
    compare(&system, "gone for good");
    system.faults = Faults::default().crashes(2);
    compare(&system, "with restart");
}

/// A worker that counts up in a document as long as it is registered; its guard says so again and again, and
/// ends once it is not. Another process ends the registration, and looks whether it was in time.
fn guarded_by_a_heart() -> System {
    let mut system = two(|cx| async move {
        let documents = cx.collection::<Document>("c");
        if &**cx.process() == "other" {
            documents.update_one(by_id("seen"), inc("gone", 1)).await?;
            return Ok(());
        }
        let beat = forever(&cx, || async {
            cx.rest(Duration::from_secs(1)).await;
            let alive = by_id("seen").and(missing("gone"));
            match documents.update_one(alive, set("beat", true)).await {
                Ok(updated) if updated.matched == 0 => Err(()),
                _ => Ok(()),
            }
        });
        let guard = async {
            let _: Result<(), ()> = beat.await;
        };
        let work = async {
            for _ in 0..2 {
                let done = documents.update_one(by_id("seen"), inc("n", 1)).await;
                cx.observe(Event::new("counted").with("done", done.is_ok()));
            }
            7
        };
        let done = cx.beside(guard, work).await;
        documents.update_one(by_id("seen"), set("done", done.unwrap_or(0))).await.map(|_| ())
    });
    system.guards = Guards::Run { rests: 2 };
    system
}

#[test]
fn they_are_where_a_guard_runs_beside_the_work() {
    compare(&guarded_by_a_heart(), "steps");
    let mut system = guarded_by_a_heart();
    system.guards = Guards::Run { rests: 1 };
    system.faults = Faults::default().crashes(1).among(["one"]);
    compare(&system, "crashes");
    system.faults = Faults::default().unknown_outcomes(1).among(["one"]);
    compare(&system, "unknown outcomes");
}

#[test]
fn they_are_where_guards_are_within_one_another() {
    let mut system = two(|cx| async move {
        let documents = cx.collection::<Document>("c");
        let add = |n: i64| documents.update_one(by_id("seen"), inc("n", n));
        if &**cx.process() == "other" {
            return Ok(());
        }
        let slow = cx.beside(async { drop(add(10).await) }, async { add(100).await });
        let limit = cx.rest(Duration::from_secs(1));
        let inner = cx.beside(limit, slow).await;
        let came = match inner {
            Some(Some(_)) => "both",
            Some(None) => "the inner guard",
            None => "the limit",
        };
        documents.insert_one(&doc! {"_id": came}).await
    });
    system.guards = Guards::Run { rests: 1 };
    compare(&system, "steps");
    system.faults = Faults::default().crashes(1).among(["one"]);
    compare(&system, "crashes");
}

/// One draws twice, asking again where an answer was lost, and writes down what of it is odd; the other has
/// a guard that draws. What was distilled is known again within what goes on, and after an error.
fn distillers() -> System {
    two(|cx| async move {
        let documents = cx.collection::<Document>("c");
        let add = || async {
            match documents.find_one_and_update(by_id("seen"), inc("n", 1)).await {
                Err(error) if error.is_outcome_unknown() => None,
                done => Some(done),
            }
        };
        let number = |found: Option<Document>| found.and_then(|found| found.get("n")?.as_int());
        let odd = || async { Ok(number(insist(&cx, add).await?).unwrap_or_default() % 2) };
        let nothing = distil(&cx, || async { Err::<i64, i64>(4) }).await.unwrap_or_else(|n| n);
        if &**cx.process() == "other" {
            let guard = async {
                let _: Result<i64, StoreError> = distil(&cx, odd).await;
            };
            let work = async { documents.insert_one(doc! {"_id": "began"}).await };
            return match cx.beside(guard, work).await {
                Some(Err(error)) if !error.is_outcome_unknown() => Err(error),
                _ => Ok(()),
            };
        }
        let first = distil(&cx, odd).await?;
        let both = distil(&cx, || async {
            let second = distil(&cx, odd).await?;
            if second == first { Err(StoreError::invalid("alike")) } else { Ok(second) }
        });
        let both = both.await.unwrap_or(nothing);
        match documents.insert_one(doc! {"_id": "one", "first": first, "both": both}).await {
            Err(error) if error.is_outcome_unknown() => Ok(()),
            done => done,
        }
    })
}

#[test]
fn they_are_where_processes_distil_what_they_learn() {
    let mut system = distillers();
    compare(&system, "steps");
    system.faults = Faults::default().unknown_outcomes(1).among(["one"]);
    compare(&system, "unknown outcomes");
    system.faults = Faults::default();
    system.guards = Guards::Run { rests: 0 };
    compare(&system, "with a guard");
    system.faults = Faults::default().crashes(1).among(["other"]);
    compare(&system, "crashes");
}

/// What a process read first decides what it does if it ever sees a flag, which is rare: one of two things
/// that it was seen to do before, so that it comes to no place where it had not been.
fn rare_flag(steps: usize) -> System {
    let mut system = two(move |cx| async move {
        let documents = cx.collection::<Document>("c");
        if &**cx.process() == "one" {
            for n in 1..=3 {
                documents.update_one(by_id("seen"), set("n", n)).await?;
            }
            documents.update_one(by_id("flag"), set("up", true)).await?;
            return documents.update_one(by_id("flag"), set("up", false)).await.map(drop);
        }
        for _ in 0..steps {
            cx.step("wait").await;
        }
        let seen = documents.find_one(by_id("seen")).await?.unwrap_or_default();
        let n = seen.get("n").and_then(Value::as_int).unwrap_or_default();
        let saw = doc! {"_id": "saw", "n": n};
        documents.insert_one(&saw).await?;
        let refused = documents.insert_one(&saw).await;
        let is_up = by_id("flag").and(eq("up", true));
        if n < 2 && documents.find_one(is_up).await?.is_none() {
            return Ok(());
        }
        if n % 2 == 1 { refused } else { Ok(()) }
    });
    system.world.store.insert("c", doc! {"_id": "flag"}).expect("a new document");
    system
}

#[test]
fn they_are_where_a_rare_answer_leads_to_nothing_new() {
    let exact = Reductions { immutable_reads: false, symmetry: false, ordinals: false };
    for steps in 0..4 {
        let system = rare_flag(steps);
        compare_with(&system, exact, &brute_force(&system), &format!("{steps} steps before"));
    }
}

/// Falls where the process fails that read 1.
struct SparesOne;

impl Monitor for SparesOne {
    fn name(&self) -> &str {
        "spares-one"
    }

    fn step(&self, _memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let saw = step.world.store.get("c", &"saw".into());
        let is_one = saw.is_some_and(|saw| saw.get("n") == Some(&Value::Int(1)));
        if is_one && step.failure().is_some() { Err("it fails".into()) } else { Ok(()) }
    }
}

#[test]
fn what_falls_within_a_depth_does_so_where_places_turn_out_to_differ_on_the_way() {
    for steps in 0..4 {
        let mut system = rare_flag(steps);
        system.properties = vec![Arc::new(SparesOne)];
        let length = |depth| {
            let limits = Limits { depth, ..Limits::default() };
            let options = ExploreOptions { limits, ..ExploreOptions::default() };
            let report = explore(&system, &options).expect("explored");
            report.findings[0].counterexample.as_ref().map(|found| found.schedule.len())
        };
        let shortest = length(None).expect("it fails");
        assert_eq!(length(Some(shortest as u64)), Some(shortest), "{steps} steps before");
    }
}

#[test]
fn they_are_with_each_reduction_and_without() {
    let mut system = two(|cx| async move {
        let documents = cx.collection::<Document>("c");
        let limits = cx.collection::<Document>("limits");
        let guard = async {
            cx.rest(Duration::from_secs(1)).await;
            let limit = limits.find_one(by_id("limit")).await;
            drop(limit);
        };
        let add = async { documents.update_one(by_id("seen"), inc("n", 1)).await };
        match cx.beside(guard, add).await {
            Some(added) => drop(added?),
            None => documents.insert_one(&doc! {"_id": cx.process()}).await?,
        }
        Ok(())
    });
    system.world.store.insert("limits", doc! {"_id": "limit"}).expect("a new document");
    system.world.store.declare_immutable("limits");
    system.guards = Guards::Run { rests: 1 };
    let forced = brute_force(&system);
    let states = [(false, false), (true, false), (false, true), (true, true)].map(
        |(immutable_reads, symmetry)| {
            let reductions = Reductions { immutable_reads, symmetry, ordinals: false };
            match compare_with(&system, reductions, &forced, &format!("{reductions:?}")) {
                Coverage::States { states, .. } => states,
                Coverage::Executions { .. } => 0,
            }
        },
    );
    assert!(states[2] < states[0], "one worker for both: {states:?}");
}
