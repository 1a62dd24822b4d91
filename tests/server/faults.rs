//! The doorway on a server while connections are cut, a server is no longer primary, and no majority
//! has a write: each of these for each command of the protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::bson::Document;

use crate::process;
use crate::proxy::{Action, FAULTS, Fault, Plan, Proxy};
use crate::shape::shape;
use crate::system::System;

/// Rounds in which every command has to have had every fault.
const ROUNDS: usize = 60;

/// The commands of the protocol, by their shapes.
const PROTOCOL: &[&str] = &[
    "delete workers {_id, beats, incarnation}",
    "find reserved_resources {$or: [{worker_name}, {task_ids.0: {$exists}, worker_name: {$exists}}]} {turn, worker_name}",
    "find reserved_resources {_id, task_ids}",
    "find reserved_resources {task_ids.0: {$exists}, worker_name: {$exists}} {turn}",
    "find reserved_resources {worker_name: {$exists}}",
    "find task_status {_id}",
    "find workers {_id}",
    "findAndModify counters {_id} {$inc: {n}}",
    "findAndModify reserved_resources {_id, token} {$inc: {token}, $set: {worker_name}}",
    "insert task_status",
    "update reserved_resources {_id, task_ids: {$ne}} {$push: {task_ids}, $setOnInsert: {token, turn}}",
    "update reserved_resources {_id, token, worker_name} {$pop: {task_ids}, $set: {turn}, $unset: {worker_name}}",
    "update reserved_resources {_id, token, worker_name} {$pop: {task_ids}, $unset: {worker_name}}",
    "update reserved_resources {_id, token} {$unset: {worker_name}}",
    "update task_status {_id, state} {$set: {state, token, worker_name}}",
    "update task_status {_id, state} {$set: {state}, $unset: {token}}",
    "update task_status {_id, state} {$set: {state}}",
    "update workers {_id, incarnation: {$lt}} {_id, beats, incarnation}",
    "update workers {_id, incarnation} {$inc: {beats}}",
];

/// How often each shape was seen, and which faults it had.
#[derive(Default)]
struct Had {
    seen: u64,
    faults: BTreeMap<Fault, u64>,
}

type Table = Arc<Mutex<BTreeMap<String, Had>>>;

/// The shape of the commands that are held back.
type Held = Arc<Mutex<Option<&'static str>>>;

/// With which a worker that is bound claims the task.
const CLAIM: &str = "update task_status {_id, state} {$set: {state, token, worker_name}}";
/// With which a worker whose task has ended begins its release.
const RELEASE: &str =
    "find reserved_resources {task_ids.0: {$exists}, worker_name: {$exists}} {turn}";

/// Fails every other command of a shape until it had every fault that it can have.
fn each_fault(table: &Table, held: &Held) -> Plan {
    let (table, held) = (Arc::clone(table), Arc::clone(held));
    Arc::new(move |command: &Document| {
        let Some(shape) = shape(command) else { return Action::Pass };
        if *held.lock().unwrap() == Some(shape.as_str()) {
            return Action::Hold;
        }
        let mut table = table.lock().unwrap();
        let had = table.entry(shape.clone()).or_default();
        had.seen += 1;
        let missing = possible(&shape).find(|fault| !had.faults.contains_key(fault));
        match missing {
            Some(fault) if had.seen % 2 == 1 => {
                *had.faults.entry(fault.clone()).or_default() += 1;
                Action::Fail(fault)
            }
            _ => Action::Pass,
        }
    })
}

/// The faults that a command can have: of a read no majority has to have anything.
fn possible(shape: &str) -> impl Iterator<Item = Fault> {
    let is_read = shape.starts_with("find ");
    FAULTS.into_iter().filter(move |fault| !(is_read && *fault == Fault::NoMajority))
}

fn missing(table: &Table) -> Vec<String> {
    let table = table.lock().unwrap();
    let mut missing = Vec::new();
    for shape in PROTOCOL.iter().map(|shape| (*shape).to_owned()).chain(table.keys().cloned()) {
        for fault in possible(&shape) {
            if !table.get(&shape).is_some_and(|had| had.faults.contains_key(&fault)) {
                missing.push(format!("{fault:?} of {shape}"));
            }
        }
    }
    missing
}

async fn each_command_with_each_fault(database: &str, options: &str) {
    let Some(server) = process::shared().await else { return };
    let table = Table::default();
    let held = Held::default();
    let proxy = Proxy::before(server.address(), each_fault(&table, &held)).await;
    let store = MongoStore::connect(&proxy.uri(options), database).await.unwrap();
    let mut system = System::start(store, server.store(database).await).await;
    let mut rounds = 0;
    while rounds < ROUNDS && (rounds < 4 || !missing(&table).is_empty()) {
        let (over, buried) = (rounds % 2 == 1, rounds % 4 < 2);
        let hold = |shape| *held.lock().unwrap() = shape;
        hold(Some(if over { RELEASE } else { CLAIM }));
        let cut_off = async |system: &mut System| system.cut_off(over, buried, || hold(None)).await;
        system.round(rounds, cut_off).await;
        rounds += 1;
    }
    println!("{} tasks in {rounds} rounds on {}", system.tasks, server.described().await);
    for (shape, had) in table.lock().unwrap().iter() {
        println!("  {shape}: {} times, {:?}", had.seen, had.faults);
    }
    let shapes: BTreeSet<String> = table.lock().unwrap().keys().cloned().collect();
    let known: BTreeSet<String> = PROTOCOL.iter().map(|shape| (*shape).to_owned()).collect();
    assert_eq!(shapes, known, "the commands of the protocol");
    assert_eq!(missing(&table), Vec::<String>::new());
}

/// The protocol sees each fault by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doorway_stands_each_fault_of_each_command() {
    each_command_with_each_fault("doorway_faults", "&retryWrites=false&retryReads=false").await;
}

/// The driver tries again by itself first, as it does unless it is told not to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doorway_stands_them_behind_retries_of_the_driver() {
    each_command_with_each_fault("doorway_retries", "").await;
}
