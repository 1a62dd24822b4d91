//! A server that is killed, or that freezes, under load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use doorway::doc;
use doorway::store::filter::{all, by_id};
use doorway::store::mongo::MongoStore;
use doorway::store::update::inc;
use doorway::store::{Document, Store};

use crate::process::{self, Server};
use crate::system::System;

/// How often the server is killed.
const KILLS: usize = 3;
/// How many documents are acknowledged before it is.
const WRITES: usize = 150;

/// A store that gives up soon, on a database of the server.
async fn impatient(server: &Server, database: &str) -> MongoStore {
    let uri = format!("{}&serverSelectionTimeoutMS=1500&connectTimeoutMS=1500", server.uri());
    let store = MongoStore::connect(&uri, database).await.unwrap();
    store.with_timeout(Duration::from_millis(1500))
}

/// Inserts documents until it is told to stop; gives the numbers of those that were acknowledged.
async fn insert(store: MongoStore, writer: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("{writer}-{n}");
        match store.collection::<Document>("acknowledged").insert_one(doc! {"_id": &id}).await {
            Ok(()) => acknowledged.push(id),
            Err(error) => {
                assert!(error.is_outcome_unknown() || error.is_not_done(), "{error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_when_the_server_is_killed() {
    let Some(server) = process::own().await else { return };
    let mut expected = BTreeSet::new();
    for kill in 0..KILLS {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for writer in 0..4 {
            let store = impatient(&server, "doorway_killed").await;
            writers.push(tokio::spawn(insert(store, 10 * kill + writer, Arc::clone(&stop))));
        }
        let store = server.store("doorway_killed").await;
        let before = expected.len();
        while there(&store).await.len() < before + WRITES {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            expected.extend(writer.await.unwrap());
        }
        server.restart().await;
        let left = there(&server.store("doorway_killed").await).await;
        let lost: Vec<_> = expected.difference(&left).collect();
        assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
        expected = left;
    }
    println!("{KILLS} kills, {} documents on {}", expected.len(), server.described().await);
}

async fn there(store: &MongoStore) -> BTreeSet<String> {
    let found = store.collection::<Document>("acknowledged").find(all()).await.unwrap();
    let id = |document: &Document| document.id().unwrap().as_str().unwrap().to_owned();
    found.iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doorway_goes_on_when_the_server_is_killed() {
    let Some(server) = process::own().await else { return };
    let truth = server.store("doorway_system_killed").await;
    let mut system = System::start(impatient(&server, "doorway_system_killed").await, truth).await;
    for kill in 0..KILLS {
        let killed = async |_: &mut System| {
            tokio::time::sleep(Duration::from_millis(150)).await;
            server.signal("KILL");
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.restart().await;
        };
        system.round(kill, killed).await;
    }
    println!("{KILLS} kills, {} tasks on {}", system.tasks, server.described().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doorway_goes_on_when_the_server_was_frozen() {
    let Some(server) = process::own().await else { return };
    let truth = server.store("doorway_system_frozen").await;
    let mut system = System::start(impatient(&server, "doorway_system_frozen").await, truth).await;
    let frozen = async |_: &mut System| {
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.signal("STOP");
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.signal("CONT");
    };
    system.round(0, frozen).await;
    println!("frozen once, {} tasks on {}", system.tasks, server.described().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_an_error_in_time() {
    let Some(server) = process::own().await else { return };
    let store = impatient(&server, "doorway_frozen").await;
    let documents = store.collection::<Document>("c");
    documents.insert_one(doc! {"_id": 1, "n": 0}).await.unwrap();
    server.signal("STOP");
    let began = Instant::now();
    let read = documents.find_one(by_id(1)).await.unwrap_err();
    let write = documents.update_one(by_id(1), inc("n", 1)).await.unwrap_err();
    let took = began.elapsed();
    server.signal("CONT");
    assert!(read.is_not_done(), "{read}");
    assert!(write.is_outcome_unknown() || write.is_not_done(), "{write}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let found = server.store("doorway_frozen").await.collection::<Document>("c").find(all()).await;
    assert_eq!(found.unwrap().len(), 1);
}
