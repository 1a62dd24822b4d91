//! The index that docs/OPERATING.md recommends: that it changes no answer, and stays. What it saves the
//! bench of the adapter measures.

use doorway::reservation::doorway::schema::{RESERVATIONS, one_reservation_per_worker, waiting};
use doorway::reservation::doorway::setup;
use doorway::store::filter::eq;
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::IndexModel;
use doorway::store::mongo::driver::bson::{Document as Bson, doc as bson};
use doorway::store::mongo::driver::options::IndexOptions;
use doorway::store::{Document, Filter, Sort, Store};

use crate::process;

const IDLE: i64 = 500;
const WAITING: i64 = 20;

/// The index, as docs/OPERATING.md has it.
fn recommended() -> IndexModel {
    let sparse = IndexOptions::builder().sparse(true).build();
    IndexModel::builder().keys(bson! {"task_ids.0": 1}).options(sparse).build()
}

/// Many resources that are idle, some that wait, and one that is bound.
async fn filled(store: &MongoStore) {
    store.database().drop().await.unwrap();
    setup::set_up(store).await.unwrap();
    let idle =
        |n| bson! {"_id": format!("idle-{n}"), "task_ids": [], "token": 1_i64, "turn": n % 7};
    let waits = |n| bson! {"_id": format!("waits-{n}"), "task_ids": ["t"], "token": 1_i64, "turn": WAITING - n};
    let bound = bson! {"_id": "bound", "task_ids": ["t"], "token": 1_i64, "turn": 99_i64, "worker_name": "w"};
    let all = (0..IDLE).map(idle).chain((0..WAITING).map(waits)).chain([bound]);
    store.database().collection::<Bson>(RESERVATIONS).insert_many(all).await.unwrap();
}

async fn first(store: &MongoStore, filter: Filter, sort: Vec<Sort>) -> Option<Document> {
    let reservations = store.collection::<Document>(RESERVATIONS);
    reservations.find(filter).sort(sort).limit(1_u32).await.unwrap().pop()
}

/// What a worker finds that is free, one that is bound, and one that releases.
async fn found(store: &MongoStore) -> [Option<Document>; 3] {
    let mine_first = || [Sort::descending("worker_name"), Sort::ascending("turn")].concat();
    let look = |name| first(store, eq("worker_name", name).or(waiting()), mine_first());
    [look("me").await, look("w").await, last(store).await]
}

async fn last(store: &MongoStore) -> Option<Document> {
    first(store, waiting(), Sort::descending("turn")).await
}

#[tokio::test]
async fn an_index_on_those_that_wait_changes_no_answer_and_stays() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_index").await;
    filled(&store).await;
    let before = found(&store).await;
    store.database().collection::<Bson>(RESERVATIONS).create_index(recommended()).await.unwrap();
    let after = found(&store).await;
    assert_eq!(before, after);
    let name = |found: &Option<Document>| found.as_ref()?.id()?.as_str().map(str::to_owned);
    let names = after.iter().map(|one| name(one).unwrap_or_default());
    assert_eq!(names.collect::<Vec<_>>(), ["waits-19", "bound", "waits-0"]);
    setup::set_up(&store).await.unwrap();
    store.verify(RESERVATIONS, &[one_reservation_per_worker()]).await.unwrap();
    let others = store.other_indexes(RESERVATIONS, &[one_reservation_per_worker()]).await.unwrap();
    assert_eq!(others.len(), 1, "it stays: {others:?}");
}
