//! What holds on a server: the facts, the adapter, and that the emulator does as the server does.
//!
//! Without a server each test says so and passes; under `DOORWAY_REQUIRE_SERVER=1` it fails.
#![allow(clippy::unwrap_used)]

#[path = "../support/commands.rs"]
mod commands;

#[path = "../facts/bodies.rs"]
mod bodies;
#[path = "../facts/list.rs"]
mod list;

mod monitoring;
mod process;
mod setup;

/// Each body of a fact, on the server.
macro_rules! on_the_server {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        mod facts {
            $(#[tokio::test]
            async fn $body() {
                let Some(server) = crate::process::shared().await else { return };
                crate::bodies::$body(&server.store("doorway_facts").await).await;
            })*
        }
    };
}

list::for_each_fact!(on_the_server);
