//! What the two finds of the protocol cost among reservations that are idle, which stay for ever:
//! without the index that docs/OPERATING.md recommends, and with it.

use std::time::Instant;

use doorway::reservation::doorway::{schema, setup};
use doorway::store::filter::eq;
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::IndexModel;
use doorway::store::mongo::driver::bson::{Document as Bson, doc as bson};
use doorway::store::mongo::driver::options::IndexOptions;
use doorway::store::{Filter, Sort};

use crate::measure::middle;
use crate::process::fresh;

const IDLE: i64 = 10_000;
const WAITING: i64 = 50;
const FINDS: usize = 15;

/// Measures both finds, and prints a table.
pub(crate) async fn compare() {
    let Some(server) = fresh(&[]).await else { return };
    let store = server.store("doorway_bench").await;
    store.database().drop().await.unwrap();
    setup::set_up(&store).await.unwrap();
    let reservations = store.database().collection::<Bson>(schema::RESERVATIONS);
    reservations.insert_many((0..IDLE + WAITING).map(reservation)).await.unwrap();
    let without = both(&store).await;
    let sparse = IndexOptions::builder().sparse(true).build();
    let index = IndexModel::builder().keys(bson! {"task_ids.0": 1}).options(sparse).build();
    reservations.create_index(index).await.unwrap();
    let with = both(&store).await;
    println!("\n{IDLE} idle and {WAITING} waiting reservations, medians of {FINDS} finds in ms");
    println!("{:<24} {:>13} {:>22}", "", "without index", "with {task_ids.0: 1}");
    for (number, name) in ["a worker looks", "a release looks"].iter().enumerate() {
        println!("{name:<24} {:>13.1} {:>22.1}", without[number], with[number]);
    }
}

fn reservation(number: i64) -> Bson {
    let tasks: &[&str] = if number < IDLE { &[] } else { &["task-1", "task-2"] };
    bson! {"_id": format!("repo-{number:06}"), "task_ids": tasks, "token": 1_i64, "turn": number % 97}
}

async fn both(store: &MongoStore) -> [f64; 2] {
    let mine_first = [Sort::descending("worker_name"), Sort::ascending("turn")].concat();
    let mine_or_waiting = eq("worker_name", "me").or(schema::waiting());
    [
        time(store, mine_or_waiting, mine_first).await,
        time(store, schema::waiting(), Sort::descending("turn")).await,
    ]
}

async fn time(store: &MongoStore, filter: Filter, sort: Vec<Sort>) -> f64 {
    let turns = schema::reservations::<_, schema::Turn>(store);
    let mut times = Vec::new();
    for _ in 0..FINDS {
        let began = Instant::now();
        let found = turns.find(filter.clone()).sort(sort.clone()).limit(1_u32).await.unwrap();
        times.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(found.len(), 1);
    }
    middle(times)
}
