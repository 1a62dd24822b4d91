//! The lock: what it costs, and what its callers see where something goes wrong.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/host.rs"]
mod host;

use std::time::Duration;

use doorway::reservation::ReservationError;
use doorway::reservation::doorway::lock::schema::QUEUES;
use doorway::reservation::doorway::lock::{ABANDONED, Queue};
use doorway::reservation::doorway::schema::WORKERS;
use doorway::reservation::doorway::watch;
use doorway::store::Document;
use host::Host;

/// Several heartbeats, in the time of the host.
const SHORT: Duration = Duration::from_millis(40);

fn entries(host: &Host) -> Vec<Document> {
    let queue = host.store.snapshot().documents(QUEUES).next().cloned().unwrap();
    let entries = queue.get("entries").and_then(|entries| entries.as_array()).unwrap().to_vec();
    entries.into_iter().map(|entry| entry.as_document().cloned().unwrap()).collect()
}

#[tokio::test]
async fn a_turn_costs_seven_commands_where_nobody_contends() {
    let host = Host::new();
    let turn = Queue::new(&host, "q").reserve("t", "r").await.unwrap();
    assert!(turn.release().await.unwrap());
    let expected = [
        "counters.find_one_and_update",
        "workers.update_one",
        "queues.update_one",
        "queues.find_one",
        "queues.find_one_and_update",
        "queues.update_one",
        "workers.delete_one",
    ];
    assert_eq!(host.commands(), expected);
}

#[tokio::test]
async fn turns_come_in_order_with_tokens_that_go_up() {
    let host = Host::new();
    let queue = Queue::new(&host, "q");
    let first = queue.reserve_all("t1", ["a", "b"]).await.unwrap();
    let second = queue.enter("t2", ["b", "c"]).await.unwrap();
    // It shares nothing with the first, and has to wait for the second.
    let third = queue.enter("t3", ["c"]).await.unwrap();
    assert!(third.turn_within(SHORT * 1000).await.unwrap().is_none());
    let other = queue.reserve("t4", "d").await.unwrap();
    assert_eq!(entries(&host).len(), 3);
    let token = first.token();
    assert!(first.release().await.unwrap());
    let second = second.turn().await.unwrap();
    assert!(second.token() > token);
    assert!(second.release().await.unwrap() && other.release().await.unwrap());
    assert_eq!(entries(&host), []);
    assert_eq!(host.store.snapshot().documents(WORKERS).count(), 0);
    assert!(host.events().iter().all(|event| &*event.name != ABANDONED));
}

#[tokio::test]
async fn a_place_or_a_turn_that_is_dropped_is_warned_of_and_swept() {
    let host = Host::new();
    let queue = Queue::new(&host, "q");
    drop(queue.reserve("t1", "r").await.unwrap());
    drop(queue.enter("t2", ["r"]).await.unwrap());
    let warned: Vec<String> = (host.events().iter())
        .filter(|event| &*event.name == ABANDONED)
        .map(|event| event.to_string())
        .collect();
    assert_eq!(warned, ["abandoned task=t1 resource=r", "abandoned task=t2 resource=r"]);
    queue.sweep_once().await.unwrap();
    assert_eq!(entries(&host).len(), 2, "their owners are registered still");
    for owner in ["q/t1", "q/t2"] {
        let seen = watch::registration(&host, &owner.into()).await.unwrap().unwrap();
        assert!(watch::bury(&host, &seen).await.unwrap());
    }
    queue.sweep_once().await.unwrap();
    assert_eq!(entries(&host), []);
}

#[tokio::test]
async fn an_owner_that_was_declared_dead_is_told_so() {
    let host = Host::new();
    let queue = Queue::new(&host, "q");
    let turn = queue.reserve("t1", "r").await.unwrap();
    let place = queue.enter("t2", ["r"]).await.unwrap();
    for owner in ["q/t1", "q/t2"] {
        let seen = watch::registration(&host, &owner.into()).await.unwrap().unwrap();
        assert!(watch::bury(&host, &seen).await.unwrap());
    }
    queue.sweep_once().await.unwrap();
    let lost = place.turn().await.unwrap_err();
    assert_eq!(lost, ReservationError::Lost("t2".into()));
    assert!(!turn.release().await.unwrap(), "another may have had the resource");
    assert!(host.events().iter().all(|event| &*event.name != ABANDONED));
}

#[tokio::test]
async fn work_is_kept_alive_and_stopped_where_the_turn_is_lost() {
    let host = Host::new();
    let queue = Queue::new(&host, "q");
    let turn = queue.reserve("t", "r").await.unwrap();
    assert_eq!(turn.keep(async { 7 }).await.unwrap(), 7);
    let seen = watch::registration(&host, &"q/t".into()).await.unwrap().unwrap();
    turn.keep(tokio::time::sleep(SHORT)).await.unwrap();
    assert!(!watch::bury(&host, &seen).await.unwrap(), "the heart has beaten");
    let seen = watch::registration(&host, &"q/t".into()).await.unwrap().unwrap();
    assert!(watch::bury(&host, &seen).await.unwrap());
    let stopped = turn.keep(std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(stopped, ReservationError::Lost("t".into()));
    assert!(!turn.release().await.unwrap());
}

#[tokio::test]
async fn a_task_that_enters_anew_ends_its_earlier_place() {
    let host = Host::new();
    let queue = Queue::new(&host, "q");
    let earlier = queue.enter("t", ["r"]).await.unwrap();
    let later = queue.enter("t", ["r"]).await.unwrap();
    queue.sweep_once().await.unwrap();
    assert_eq!(earlier.turn().await.unwrap_err(), ReservationError::Lost("t".into()));
    assert!(later.turn().await.unwrap().release().await.unwrap());
}
