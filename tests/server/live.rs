//! The doorway on tokio, on the server.

use crate::busy::{self, Size};
use crate::process;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_managers_and_workers() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_live").await;
    store.database().drop().await.unwrap();
    let size = Size { managers: 6, workers: 6, resources: 4, tasks: 60 };
    busy::all_is_done(store, &size).await;
}
