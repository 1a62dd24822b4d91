//! What the adapter costs over the driver, and what a reservation costs on a server.
//!
//! `cargo bench --bench adapter --features mongo -- [pairs=1000] [tasks=200]`. The server is the one
//! that the tests take: `MONGODB_URI`, else `mongod` on the path, else the one that
//! `.ci/test-server` installs. Without one it says so and ends; under `DOORWAY_REQUIRE_SERVER=1` it
//! fails. Its database `doorway_bench` is dropped.
//!
//! All of the client is on one thread, so that the processor time of that thread is all that a
//! command costs besides the server.
#![allow(clippy::unwrap_used)]

use std::process::ExitCode;

mod idle;
mod measure;
mod operations;
mod reservations;

#[allow(dead_code)]
#[path = "../../tests/server/process.rs"]
mod process;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (pairs, tasks) = match (said("pairs", 1000), said("tasks", 200)) {
        (Ok(pairs), Ok(tasks)) => (pairs, tasks),
        (Err(wrong), _) | (_, Err(wrong)) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    let Some(server) = process::shared().await else { return ExitCode::SUCCESS };
    println!("on {}", server.described().await);
    operations::compare(server, pairs).await;
    reservations::count(tasks).await;
    idle::compare().await;
    ExitCode::SUCCESS
}

/// A number from the command line.
fn said(name: &str, otherwise: usize) -> Result<usize, String> {
    let word = std::env::args()
        .find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned()));
    let Some(word) = word else { return Ok(otherwise) };
    match word.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{name}={word}: give a number from 1, as in {name}={otherwise}")),
    }
}
