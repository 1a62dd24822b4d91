//! The doorway on tokio, on the emulator: the code that the engines check, as it really runs.
#![allow(clippy::unwrap_used)]

use doorway::reservation::doorway::schema::RESERVATIONS;
use doorway::store::Provision;
use doorway::store::memory::MemoryStore;

#[path = "support/busy.rs"]
mod busy;
#[path = "support/migrated.rs"]
mod migrated;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_managers_and_workers() {
    let size = busy::Size { managers: 8, workers: 8, resources: 5, tasks: 400 };
    busy::all_is_done(MemoryStore::new(), &size).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_resources_than_workers() {
    let size = busy::Size { managers: 3, workers: 2, resources: 40, tasks: 200 };
    busy::all_is_done(MemoryStore::new(), &size).await;
}

#[tokio::test]
async fn pulps_reservations_become_lists() {
    let store = MemoryStore::new();
    store.provision(RESERVATIONS, &[]).await.unwrap();
    migrated::leave(&store).await;
    migrated::migrates(store).await;
}
