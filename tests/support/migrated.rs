//! The migration, on any store whose reservations are as Pulp 2 has left them.

use doorway::doc;
use doorway::env::live::Live;
use doorway::reservation::doorway::migrate::{Plan, Step, carry_out, plan};
use doorway::reservation::doorway::overview::overview;
use doorway::reservation::doorway::schema::{RESERVATIONS, State, statuses};
use doorway::reservation::doorway::{setup, sweep};
use doorway::store::filter::{all, by_id, exists};
use doorway::store::{Document, Provision, Store};

/// Of each record: its `_id`, the task, the resource, the worker.
const OLD: [(&str, &str, &str); 6] = [
    ("t1", "a", "w1"),
    ("t2", "a", "w1"),
    ("t3", "b", "w2"),
    ("t4", "c", "w3"),
    ("t5", "c", "w4"),
    ("t6", "d", "w5"),
];

/// Writes what Pulp 2 has left.
pub(crate) async fn leave<S: Store>(store: &S) {
    let documents = store.collection::<Document>(RESERVATIONS);
    for (task, resource, worker) in OLD {
        let record = doc! {"_id": task, "worker_name": worker, "resource_id": resource, "_ns": "reserved_resources"};
        documents.insert_one(record).await.unwrap();
    }
    for resource in ["e", "f"] {
        let id = format!("object-{resource}");
        let record = doc! {"_id": id, "task_id": format!("t-{resource}"), "worker_name": "w6", "resource_id": resource};
        documents.insert_one(record).await.unwrap();
    }
    documents.insert_one(doc! {"_id": "odd", "x": 1}).await.unwrap();
    let of_story = doc! {"_id": "g", "worker_name": "w7", "task_ids": ["t7", "t8"]};
    documents.insert_one(of_story).await.unwrap();
    let empty: Vec<doorway::store::Value> = Vec::new();
    documents.insert_one(doc! {"_id": "h", "worker_name": "w8", "task_ids": empty}).await.unwrap();
    documents.insert_one(idle()).await.unwrap();
}

/// A reservation of the new form that nobody waits for: its tokens go on where they are.
fn idle() -> Document {
    let none: Vec<doorway::store::Value> = Vec::new();
    doc! {"_id": "i", "task_ids": none, "token": 3, "turn": 5}
}

fn left(plan: &Plan) -> Vec<&str> {
    plan.left.iter().map(|left| &*left.what).collect()
}

/// Migrates, interrupted after each number of steps; the end is the same.
pub(crate) async fn migrates<P: Provision + Clone + 'static>(store: P) {
    for (collection, _) in setup::collections() {
        store.provision(collection, &[]).await.unwrap();
    }
    let first = plan(&store).await.unwrap();
    assert_eq!(first.steps.len(), 6, "{first:?}");
    assert_eq!(left(&first), ["\"odd\"", "c", "e", "f"]);
    assert_eq!(plan(&store).await.unwrap(), first, "a plan changes nothing");
    // Interrupted after the list was written, and before the record was deleted.
    let of_t1 = |step: &&Step| matches!(step, Step::Move(record) if &*record.task == "t1");
    let steps = first.steps.iter().filter(of_t1).cloned().collect();
    let once = Plan { steps, left: Vec::new() };
    carry_out(&store, &once).await.unwrap();
    let documents = store.collection::<Document>(RESERVATIONS);
    let again =
        doc! {"_id": "t1", "worker_name": "w1", "resource_id": "a", "_ns": "reserved_resources"};
    documents.insert_one(again).await.unwrap();
    let second = plan(&store).await.unwrap();
    carry_out(&store, &second).await.unwrap();
    carry_out(&store, &second).await.unwrap();
    let last = plan(&store).await.unwrap();
    assert_eq!((last.steps.len(), left(&last)), (0, left(&first)));

    let a = documents.find_one(by_id("a")).await.unwrap().unwrap();
    let expected = doc! {"_id": "a", "_ns": "reserved_resources", "task_ids": ["t1", "t2"], "token": 0, "turn": 0, "worker_name": "w1"};
    assert_eq!(sorted(a), expected);
    let untouched = documents.find_one(by_id("t4")).await.unwrap().unwrap();
    let expected =
        doc! {"_id": "t4", "_ns": "reserved_resources", "resource_id": "c", "worker_name": "w3"};
    assert_eq!(sorted(untouched), expected);
    assert_eq!(documents.find_one(by_id("h")).await.unwrap(), None);
    assert_eq!(documents.find_one(by_id("i")).await.unwrap(), Some(idle()));
    let mut waiting: Vec<_> = statuses(&store).find(all()).await.unwrap();
    waiting.sort_by(|a, b| a.task_id.cmp(&b.task_id));
    let tasks: Vec<&str> = waiting.iter().map(|status| &*status.task_id).collect();
    assert_eq!(tasks, ["t1", "t2", "t3", "t6", "t7", "t8"]);
    assert!(waiting.iter().all(|status| status.state == State::Waiting));
    goes_on(&store).await;
}

fn sorted(mut document: Document) -> Document {
    document.sort_fields();
    document
}

/// Once somebody has decided what was left, the doorway takes the rest over.
async fn goes_on<P: Provision + Clone + 'static>(store: &P) {
    let documents = store.collection::<Document>(RESERVATIONS);
    assert!(overview(store).await.unwrap_err().is_data(), "what is left is of another form");
    for id in ["t4", "t5", "object-e", "object-f", "odd"] {
        assert_eq!(documents.delete_one(by_id(id)).await.unwrap(), 1);
    }
    setup::set_up(store).await.unwrap();
    let bound = overview(store).await.unwrap();
    assert_eq!(bound.reserved.len(), 4);
    assert!(bound.reserved.iter().all(|one| one.worker.is_some() && !one.is_alive), "{bound:?}");
    sweep::pass(&Live::new(store.clone())).await.unwrap();
    assert_eq!(documents.find_one(exists("worker_name")).await.unwrap(), None);
    let free = overview(store).await.unwrap();
    assert!(free.reserved.iter().all(|one| one.worker.is_none()), "{free:?}");
}
