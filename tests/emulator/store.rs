//! The emulator behind the `Store` trait.

use std::sync::{Arc, Mutex};

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, missing};
use doorway::store::memory::{Access, Gate, MemoryStore, State};
use doorway::store::update::{inc, set};
use doorway::store::{Index, Provision, Reply, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::support::commands::{find, insert, on, update, upsert};

/// A gate that remembers who passed.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(String, Access)>>>);

impl Gate for Log {
    fn pass(&self, collection: &str, access: Access) {
        self.0.lock().unwrap().push((collection.into(), access));
    }
}

impl Log {
    fn take(&self) -> Vec<Access> {
        self.0.lock().unwrap().drain(..).map(|(_, access)| access).collect()
    }
}

#[tokio::test]
async fn each_step_passes_the_gate() {
    use Access::{Read, Write};
    let log = Log::default();
    let store = MemoryStore::with_gate(State::new(), log.clone());
    store.execute(insert(doc! {"_id": 1})).await.unwrap();
    store.execute(insert(doc! {"_id": 2})).await.unwrap();
    assert_eq!(log.take(), [Write, Write]);
    store.execute(find(all())).await.unwrap();
    assert_eq!(log.take(), [Read, Read]);
    store.execute(upsert(by_id(3), set("a", 1))).await.unwrap();
    assert_eq!(log.take(), [Write, Write]);
    store.execute(update(eq("a", 1), set("a", 2))).await.unwrap();
    assert_eq!(log.take(), [Read, Read, Read, Write]);
    store.provision("other", &[]).await.unwrap();
    assert_eq!(log.take(), []);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    _id: u32,
    turn: Option<i64>,
}

#[tokio::test]
async fn clients_share_one_database() {
    let store = MemoryStore::new();
    let other = store.clone();
    let jobs = store.collection::<Job>("jobs");
    jobs.insert_one(Job { _id: 1, turn: None }).await.unwrap();
    let snapshot = store.snapshot();
    let seen = other.collection::<Job>("jobs").find_one(by_id(1)).await.unwrap();
    assert_eq!(seen, Some(Job { _id: 1, turn: None }));
    other.collection::<Job>("jobs").delete_one(by_id(1)).await.unwrap();
    assert_eq!(jobs.find_one(by_id(1)).await.unwrap(), None);
    assert_eq!(snapshot.documents("jobs").count(), 1);
    assert_eq!(MemoryStore::with_state(snapshot).snapshot().documents("jobs").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_on_threads_lose_no_update() {
    let store = MemoryStore::new();
    store.provision("c", &[Index::unique(["turn"]).sparse()]).await.unwrap();
    store.execute(insert(doc! {"_id": 1, "n": 0})).await.unwrap();
    let add = |store: MemoryStore| async move {
        for _ in 0..500 {
            store.execute(update(by_id(1), inc("n", 1))).await?;
            store.execute(update(missing("x"), inc("n", 1))).await?;
        }
        Ok::<(), StoreError>(())
    };
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(add(store.clone()))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(store.snapshot().get("c", &1.into()).unwrap().get("n"), Some(&4000.into()));
}

#[tokio::test]
async fn an_error_of_a_command_reaches_the_client() {
    let store = MemoryStore::default();
    assert!(store.execute(insert(doc! {})).await.unwrap_err().is_invalid());
    let nothing = on("none", find(all()).operation);
    assert_eq!(store.execute(nothing).await, Ok(Reply::Documents(vec![])));
    assert_eq!(store.snapshot(), State::new());
}
