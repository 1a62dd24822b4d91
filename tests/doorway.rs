//! The doorway: what it costs, and what it says where something is wrong.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use doorway::check::engine::explore::{ExploreOptions, explore};
use doorway::check::{Cx, Monitor, NoFailure, Process, System, TraceStep, Verdict};
use doorway::doc;
use doorway::model::shipped;
use doorway::reservation::doorway::{migrate, schema, worker};
use doorway::store::filter::by_id;
use doorway::store::memory::{MemoryStore, State};
use doorway::store::{Document, Store, Text, Value};

fn model(name: &str) -> doorway::model::Model {
    shipped().unwrap().into_iter().find(|model| model.name == name).unwrap()
}

/// Lets the processes go on by turns, each as long as it can, and returns the steps.
fn one_after_another(system: &System, turns: &[&str]) -> Vec<TraceStep> {
    let mut schedule: Vec<Text> = Vec::new();
    for process in turns {
        loop {
            schedule.push((*process).into());
            if system.replay(&schedule).is_err() {
                schedule.pop();
                break;
            }
        }
    }
    system.replay(&schedule).unwrap().steps
}

/// The commands of a process, each by its collection and operation.
fn commands<'a>(steps: &'a [TraceStep], process: &str) -> Vec<&'a str> {
    let of_store = [schema::RESERVATIONS, schema::STATUSES, schema::WORKERS, schema::COUNTERS];
    let done = steps.iter().filter(|step| &*step.process == process && step.answer.is_some());
    done.filter_map(|step| step.request.split_once('(').map(|(command, _)| command))
        .filter(|command| of_store.iter().any(|name| command.starts_with(&format!("{name}."))))
        .collect()
}

#[test]
fn a_task_costs_eight_commands_where_nobody_contends() {
    let mut model = model("doorway-submitters");
    for size in ["managers", "workers", "tasks", "resources"] {
        model.sizes.set(size, "1").unwrap();
    }
    let system = model.system().unwrap();
    let steps = one_after_another(&system, &["manager-1", "worker-1"]);
    let submit = ["task_status.insert_one", "reserved_resources.update_one"];
    assert_eq!(commands(&steps, "manager-1"), submit);
    let register = ["counters.find_one_and_update", "workers.replace_one"];
    let serve = [
        "reserved_resources.find",
        "reserved_resources.find_one_and_update",
        "task_status.update_one",
        "task_status.update_one",
        "reserved_resources.find",
        "reserved_resources.update_one",
    ];
    let look_again = ["reserved_resources.find"];
    assert_eq!(commands(&steps, "worker-1"), [&register[..], &serve, &look_again].concat());
}

/// What processes that serve under these names stop with, if one does.
fn failure(mut system: System, names: [&'static str; 2]) -> Option<String> {
    system.processes = names
        .into_iter()
        .zip(["first", "second"])
        .map(|(name, process)| {
            Process::new(process).then(move |cx: Cx| async move {
                let run = |_| async { Ok::<(), Text>(()) };
                worker::serve(&cx, &name.into(), run).await
            })
        })
        .collect();
    system.properties = vec![Arc::new(NoFailure) as Arc<dyn Monitor>];
    let report = explore(&system, &ExploreOptions::default()).unwrap();
    match report.verdict() {
        Verdict::Verified => None,
        _ => Some(report.findings[0].counterexample.as_ref().unwrap().why.clone()),
    }
}

#[test]
fn two_processes_of_one_name_are_told_so() {
    let empty = || {
        let mut system = model("doorway-submitters").system().unwrap();
        let reserved = doc! {"_id": "r", "task_ids": ["t"], "token": 0, "turn": 0};
        system.world.store.insert(schema::RESERVATIONS, reserved).unwrap();
        system
    };
    assert_eq!(failure(empty(), ["a", "b"]), None);
    let why = failure(empty(), ["a", "a"]).unwrap();
    assert!(why.contains("another process has registered as a"), "{why}");
}

#[test]
fn a_counter_that_is_not_there_is_named() {
    let mut system = model("doorway-submitters").system().unwrap();
    system.world.store = Default::default();
    let why = failure(system, ["a", "b"]).unwrap();
    assert!(why.contains("counters has no document \"incarnations\""), "{why}");
}

#[tokio::test]
async fn an_empty_reservation_of_before_makes_room_for_the_tasks_of_its_resource() {
    let mut state = State::new();
    let record = doc! {"_id": "a", "task_id": "t", "resource_id": "r", "worker_name": "w"};
    let empty = doc! {"_id": "r", "task_ids": Vec::<Value>::new()};
    for document in [record, empty] {
        state.insert(schema::RESERVATIONS, document).unwrap();
    }
    let store = MemoryStore::with_state(state);
    let plan = migrate::plan(&store).await.unwrap();
    migrate::carry_out(&store, &plan).await.unwrap();
    let documents = store.collection::<Document>(schema::RESERVATIONS);
    let migrated = documents.find_one(by_id("r")).await.unwrap().unwrap();
    let token = migrated.get("token").cloned();
    assert_eq!((token, migrated.get("turn").cloned()), (Some(0.into()), Some(0.into())));
    assert!(migrate::plan(&store).await.unwrap().steps.is_empty());
}
