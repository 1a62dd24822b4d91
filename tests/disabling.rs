//! Systems in which one process takes from another the step that it could have taken: every engine
//! that ends comes to what every run, made one by one, comes to.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/brute.rs"]
mod brute;
#[path = "support/systems.rs"]
mod systems;

use std::collections::BTreeSet;
use std::sync::Arc;

use doorway::check::engine::Options;
use doorway::check::engine::explore::{ExploreOptions, explore};
use doorway::check::{
    Commands, Cx, Faults, Messages, NoDeadlock, NoFailure, Outcome, Process, System, Verdict, World,
};
use doorway::doc;
use doorway::env::{Condition, Env, Event, Queues, Wake};
use doorway::store::filter::{all, by_id, eq};
use doorway::store::memory::State;
use doorway::store::update::{inc, set};
use doorway::store::{Collection, Document, Store, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;

use systems::{ALL, EXHAUSTIVE, executions};

/// What a process does next, on one of two documents or one of two queues.
#[derive(Clone, Copy, Debug)]
enum Act {
    Take(u8),
    Send(u8),
    AwaitDocument(u8),
    AwaitNoDocument(u8),
    AwaitChange(u8),
    Insert(u8),
    Delete(u8),
    Count(u8),
    CountUncounted,
    Look(u8),
    Scan,
}

fn queue(number: u8) -> String {
    format!("queue-{number}")
}

fn id(number: u8) -> String {
    format!("document-{number}")
}

async fn act(cx: &Cx, act: Act) -> Result<String, StoreError> {
    let documents: Collection<'_, Cx, Document> = cx.collection("documents");
    let named = |number: u8| by_id(id(number));
    let pause = |condition: Condition| cx.pause(Wake::When(vec![condition]));
    Ok(match act {
        Act::Take(number) => cx.take(&queue(number)).await.to_string(),
        Act::Send(number) => {
            cx.send(&queue(number), doc! {"from": cx.process()}).await;
            "sent".into()
        }
        Act::AwaitDocument(number) => {
            pause(Condition::Some("documents".into(), named(number))).await;
            "there".into()
        }
        Act::AwaitNoDocument(number) => {
            pause(Condition::None("documents".into(), named(number))).await;
            "gone".into()
        }
        Act::AwaitChange(number) => {
            let before = documents.find_one(named(number)).await?;
            cx.pause(Wake::Changed).await;
            format!("no longer {before:?}")
        }
        Act::Insert(number) => {
            let document = doc! {"_id": id(number), "by": cx.process(), "n": 0};
            documents.insert_one(&document).await.is_ok().to_string()
        }
        Act::Delete(number) => documents.delete_one(named(number)).await?.to_string(),
        Act::Count(number) => {
            documents.update_one(named(number), inc("n", 1)).await?.matched.to_string()
        }
        Act::CountUncounted => {
            documents.update_one(eq("n", 0), set("n", 1)).await?.matched.to_string()
        }
        Act::Look(number) => format!("{:?}", documents.find_one(named(number)).await?),
        Act::Scan => format!("{:?}", documents.find(all()).await?),
    })
}

/// A system of processes that each do this, with a document 0 and a message in queue 0.
fn system(programs: &[Vec<Act>]) -> System {
    let process = |(number, program): (usize, &Vec<Act>)| {
        let program = program.clone();
        Process::new(format!("process-{number}")).then(move |cx: Cx| {
            let program = program.clone();
            async move {
                for (line, next) in program.into_iter().enumerate() {
                    let came_to = act(&cx, next).await?;
                    cx.observe(Event::new(format!("{line}")).with("came to", came_to));
                }
                Ok::<_, StoreError>(())
            }
        })
    };
    let mut store = State::new();
    store.provision("documents", &[]).unwrap();
    store.insert("documents", doc! {"_id": id(0), "n": 0}).unwrap();
    let mut messages = Messages::default();
    messages.send(&queue(0).into(), doc! {"from": "the start"});
    System {
        name: "disabling".into(),
        world: World { store, messages },
        history: Vec::new(),
        processes: programs.iter().enumerate().map(process).collect(),
        properties: vec![Arc::new(NoDeadlock), Arc::new(NoFailure)],
        broken_store: None,
        faults: Faults::default(),
        commands: Commands::AsTheServer,
        guards: Default::default(),
    }
}

/// What an explorer tells of an outcome: not who told what.
fn without_events(outcome: &Outcome) -> (State, Vec<String>) {
    (outcome.store.clone(), outcome.processes.clone())
}

/// Holds every engine that ends against every run, made one by one; the number of runs.
fn compare(system: &System) -> u64 {
    let by_replay = brute::search(system);
    let with_outcomes = Options { outcomes: true, ..Options::default() };
    let violated = |property: &str| by_replay.shortest.contains_key(property);
    let mut whole = BTreeSet::new();
    for engine in EXHAUSTIVE {
        let report = engine(system, &with_outcomes);
        let outcomes = report.outcomes.as_ref().unwrap();
        let ends: BTreeSet<_> = outcomes.iter().map(brute::End::of).collect();
        let (found, all) = (ends.len(), by_replay.ends.len());
        assert!(ends == by_replay.ends, "{}: {found} ends of {all}", report.engine);
        for finding in &report.findings {
            let is_violated = finding.verdict == Verdict::Violated;
            assert_eq!(is_violated, violated(&finding.property), "{}", report.engine);
        }
        assert_eq!(report.stopped, None, "{}", report.engine);
        whole = outcomes.iter().map(without_events).collect();
    }
    let options = ExploreOptions { outcomes: true, ..ExploreOptions::default() };
    let report = explore(system, &options).unwrap();
    let explored: BTreeSet<_> = report.outcomes.unwrap().iter().map(without_events).collect();
    assert!(explored == whole, "explore: {} outcomes of {}", explored.len(), whole.len());
    for finding in &report.findings {
        assert_eq!(finding.verdict == Verdict::Violated, violated(&finding.property), "explore");
    }
    by_replay.runs
}

#[test]
fn two_take_the_one_message() {
    let takers = [vec![Act::Take(0)], vec![Act::Take(0)]];
    assert_eq!(compare(&system(&takers)), 2);
    let three = [vec![Act::Take(0)], vec![Act::Take(0)], vec![Act::Take(0), Act::Send(0)]];
    assert_eq!(compare(&system(&three)), 4);
}

#[test]
fn who_is_woken_may_find_itself_too_late() {
    let comes_and_goes = vec![Act::Insert(1), Act::Delete(1)];
    let waits = vec![Act::AwaitDocument(1), Act::Delete(1)];
    assert!(compare(&system(&[comes_and_goes.clone(), waits.clone()])) > 1);
    assert!(compare(&system(&[comes_and_goes, waits.clone(), waits])) > 1);
    let removes = vec![Act::Delete(0), Act::Insert(0)];
    let waits = vec![Act::AwaitNoDocument(0), Act::Insert(0)];
    assert!(compare(&system(&[removes, waits.clone(), waits])) > 1);
}

#[test]
fn what_was_sent_is_taken_by_another() {
    let sends = vec![Act::Send(1), Act::Take(1)];
    let takes = vec![Act::Take(1), Act::Send(0)];
    assert!(compare(&system(&[sends, takes.clone(), takes])) > 1);
}

fn any_act() -> impl Strategy<Value = Act> {
    let number = 0..2_u8;
    prop_oneof![
        3 => number.clone().prop_map(Act::Take),
        2 => number.clone().prop_map(Act::Send),
        2 => number.clone().prop_map(Act::AwaitDocument),
        2 => number.clone().prop_map(Act::AwaitNoDocument),
        1 => number.clone().prop_map(Act::AwaitChange),
        2 => number.clone().prop_map(Act::Insert),
        2 => number.clone().prop_map(Act::Delete),
        1 => number.clone().prop_map(Act::Count),
        1 => Just(Act::CountUncounted),
        1 => number.prop_map(Act::Look),
        1 => Just(Act::Scan),
    ]
}

/// Two processes of at most three acts each, or three of at most two.
fn any_programs() -> impl Strategy<Value = Vec<Vec<Act>>> {
    prop_oneof![vec(vec(any_act(), 0..=3), 2), vec(vec(any_act(), 1..=2), 3)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn engines_agree_where_steps_disable_each_other(programs in any_programs()) {
        compare(&system(&programs));
    }
}

#[test]
fn where_there_is_nothing_to_choose_there_is_one_run() {
    let cases = [
        (system(&[Vec::new(), Vec::new()]), Verdict::Verified),
        (system(&[vec![Act::Take(1)], vec![Act::AwaitDocument(1)]]), Verdict::Violated),
        (system(&[vec![Act::Send(0), Act::Scan]]), Verdict::Verified),
        (system(&[vec![Act::Take(1)], vec![Act::Send(1)]]), Verdict::Verified),
    ];
    for (system, verdict) in cases {
        assert_eq!(compare(&system), 1);
        for engine in ALL {
            let report = engine(&system, &Options::default());
            assert_eq!((executions(&report), report.verdict()), (1, verdict), "{}", report.engine);
            assert_eq!(report.stopped, None, "{}", report.engine);
        }
    }
}
