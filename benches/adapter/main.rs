//! What the adapter costs over the driver, and what a reservation costs on a server.
//!
//! `cargo bench --bench adapter --features mongo -- [pairs=1000] [tasks=200]`. The server is the one
//! that the tests take: `MONGODB_URI`, else `mongod` on the path, else the one that
//! `.ci/test-server` installs. Without one it says so and ends; under `DOORWAY_REQUIRE_SERVER=1` it
//! fails.
//!
//! All of the client is on one thread, so that the processor time of that thread is all that a
//! command costs besides the server.
#![allow(clippy::unwrap_used)]

mod measure;
mod operations;
mod reservations;

#[allow(dead_code)]
#[path = "../../tests/server/process.rs"]
mod process;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(server) = process::shared().await else { return };
    println!("on {}", server.described().await);
    operations::compare(server, said("pairs", 1000)).await;
    reservations::count(said("tasks", 200)).await;
}

/// A number from the command line.
fn said(name: &str, otherwise: usize) -> usize {
    let mut words =
        std::env::args().filter_map(|word| word.strip_prefix(name)?.get(1..)?.parse().ok());
    words.next().unwrap_or(otherwise)
}
