//! The lock: what it costs, and what its callers see where something goes wrong.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorway::env::live::{Live, Pace};
use doorway::reservation::ReservationError;
use doorway::reservation::doorway::lock::schema::QUEUES;
use doorway::reservation::doorway::lock::{ABANDONED, Queue};
use doorway::reservation::doorway::schema::{COUNTERS, WORKERS, counters};
use doorway::reservation::doorway::watch;
use doorway::store::memory::{MemoryStore, State};
use doorway::store::{Command, Document, Reply, Store, StoreError};

/// The in-memory store, and what was sent to it: each command by its collection and operation.
struct Recorded {
    memory: MemoryStore,
    commands: Mutex<Vec<String>>,
}

impl Store for Recorded {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let name = format!("{}.{}", command.collection, command.operation.name());
        self.commands.lock().unwrap().push(name);
        self.memory.execute(command).await
    }
}

/// A host where a second takes a millisecond, and the events that were told to it, as text.
fn host() -> (Live<Recorded>, Arc<Mutex<Vec<String>>>) {
    let mut state = State::new();
    for counter in counters() {
        state.insert(COUNTERS, counter).unwrap();
    }
    let memory = MemoryStore::with_state(state);
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&events);
    let pace = Pace { haste: 1000, ..Pace::default() };
    let host = Live::new(Recorded { memory, commands: Mutex::default() })
        .with_pace(pace)
        .listened_by(move |event| told.lock().unwrap().push(event.to_string()));
    (host, events)
}

fn abandoned(events: &Mutex<Vec<String>>) -> Vec<String> {
    let told = events.lock().unwrap();
    told.iter().filter(|event| event.starts_with(ABANDONED)).cloned().collect()
}

fn entries(host: &Live<Recorded>) -> Vec<Document> {
    let queue = host.store().memory.snapshot().documents(QUEUES).next().cloned().unwrap();
    let entries = queue.get("entries").and_then(|entries| entries.as_array()).unwrap().to_vec();
    entries.into_iter().map(|entry| entry.as_document().cloned().unwrap()).collect()
}

async fn bury(host: &Live<Recorded>, owner: &str) -> bool {
    let seen = watch::registration(host, &owner.into()).await.unwrap().unwrap();
    watch::bury(host, &seen).await.unwrap()
}

#[tokio::test]
async fn a_turn_costs_seven_commands_where_nobody_contends() {
    let (host, _) = host();
    let turn = Queue::new(&host, "q").reserve("t", "r").await.unwrap();
    assert!(turn.release().await.unwrap());
    let expected = [
        "counters.find_one_and_update",
        "workers.replace_one",
        "queues.update_one",
        "queues.find_one",
        "queues.find_one_and_update",
        "queues.update_one",
        "workers.delete_one",
    ];
    assert_eq!(*host.store().commands.lock().unwrap(), expected);
}

#[tokio::test]
async fn turns_come_in_order_with_tokens_that_go_up() {
    let (host, events) = host();
    let queue = Queue::new(&host, "q");
    let first = queue.reserve_all("t1", ["a", "b"]).await.unwrap();
    let second = queue.enter("t2", ["b", "c"]).await.unwrap();
    // It shares nothing with the first, and has to wait for the second.
    let third = queue.enter("t3", ["c"]).await.unwrap();
    assert!(third.turn_within(Duration::from_secs(40)).await.unwrap().is_none());
    let other = queue.reserve("t4", "d").await.unwrap();
    assert_eq!(entries(&host).len(), 3);
    let token = first.token();
    assert!(first.release().await.unwrap());
    let second = second.turn().await.unwrap();
    assert!(second.token() > token);
    assert!(second.release().await.unwrap() && other.release().await.unwrap());
    assert_eq!(entries(&host), []);
    assert_eq!(host.store().memory.snapshot().documents(WORKERS).count(), 0);
    assert_eq!(abandoned(&events), [] as [&str; 0]);
}

#[tokio::test]
async fn a_place_or_a_turn_that_is_dropped_is_warned_of_and_swept() {
    let (host, events) = host();
    let queue = Queue::new(&host, "q");
    drop(queue.reserve("t1", "r").await.unwrap());
    drop(queue.enter("t2", ["r"]).await.unwrap());
    assert_eq!(
        abandoned(&events),
        ["abandoned task=t1 resource=r", "abandoned task=t2 resource=r"]
    );
    queue.sweep_once().await.unwrap();
    assert_eq!(entries(&host).len(), 2, "their owners are registered still");
    for owner in ["q/t1", "q/t2"] {
        assert!(bury(&host, owner).await);
    }
    queue.sweep_once().await.unwrap();
    assert_eq!(entries(&host), []);
}

#[tokio::test]
async fn an_owner_that_was_declared_dead_is_told_so() {
    let (host, events) = host();
    let queue = Queue::new(&host, "q");
    let turn = queue.reserve("t1", "r").await.unwrap();
    let place = queue.enter("t2", ["r"]).await.unwrap();
    for owner in ["q/t1", "q/t2"] {
        assert!(bury(&host, owner).await);
    }
    queue.sweep_once().await.unwrap();
    let lost = place.turn().await.unwrap_err();
    assert_eq!(lost, ReservationError::Lost("t2".into()));
    assert!(!turn.release().await.unwrap(), "another may have had the resource");
    assert_eq!(abandoned(&events), [] as [&str; 0]);
}

#[tokio::test]
async fn work_is_kept_alive_and_stopped_where_the_turn_is_lost() {
    let (host, _) = host();
    let queue = Queue::new(&host, "q");
    let turn = queue.reserve("t", "r").await.unwrap();
    assert_eq!(turn.keep(async { 7 }).await.unwrap(), 7);
    let seen = watch::registration(&host, &"q/t".into()).await.unwrap().unwrap();
    turn.keep(tokio::time::sleep(Duration::from_millis(40))).await.unwrap();
    assert!(!watch::bury(&host, &seen).await.unwrap(), "the heart has beaten");
    assert!(bury(&host, "q/t").await);
    let stopped = turn.keep(std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(stopped, ReservationError::Lost("t".into()));
    assert!(!turn.release().await.unwrap());
}

#[tokio::test]
async fn a_task_that_enters_anew_ends_its_earlier_place() {
    let (host, _) = host();
    let queue = Queue::new(&host, "q");
    let earlier = queue.enter("t", ["r"]).await.unwrap();
    let later = queue.enter("t", ["r"]).await.unwrap();
    queue.sweep_once().await.unwrap();
    assert_eq!(earlier.turn().await.unwrap_err(), ReservationError::Lost("t".into()));
    assert!(later.turn().await.unwrap().release().await.unwrap());
}
