#![allow(missing_docs, clippy::unwrap_used)]
use doorway::doc;
use doorway::store::filter::{by_id, eq, ne};
use doorway::store::memory::{Execution, MemoryStore, State};
use doorway::store::update::push;
use doorway::store::{Command, Concern, Index, Operation, Provision, Store};

#[tokio::test]
async fn it_runs() {
    let store = MemoryStore::new();
    store.provision("r", &[Index::unique(["w"])]).await.unwrap();
    let r = store.collection::<serde_json::Value>("r");
    r.insert_one(serde_json::json!({"_id": "a", "w": 1, "t": []})).await.unwrap();
    let error = r.insert_one(serde_json::json!({"_id": "b", "w": 1.0})).await.unwrap_err();
    assert_eq!(error.duplicate_index(), Some("w_1"));
    let updated = r.update_one(by_id("a").and(ne("t", "x")), push("t", "x")).await.unwrap();
    assert_eq!((updated.matched, updated.modified), (1, 1));
    let updated = r.update_one(by_id("a").and(ne("t", "x")), push("t", "x")).await.unwrap();
    assert_eq!((updated.matched, updated.modified), (0, 0));
    let updated =
        r.update_one(by_id("z").and(eq("w", 9)), push("t", "x")).upsert(true).await.unwrap();
    assert_eq!(updated.upserted, Some("z".into()));
    println!("{}", store.snapshot().dump());
    let mut state = State::new();
    for id in 0..200 {
        state.insert("c", doc! {"_id": id}).unwrap();
    }
    let scan = Operation::Scan {
        filter: eq("x", 1),
        sort: vec![],
        limit: None,
        projection: Default::default(),
    };
    let mut execution = Execution::begin(Command {
        collection: "c".into(),
        operation: scan,
        concern: Concern::default(),
    });
    let mut steps = 1;
    while execution.step(&mut state).is_none() {
        steps += 1;
    }
    assert_eq!(steps, 200);
}
