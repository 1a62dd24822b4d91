//! What holds on a server: the facts, the adapter, and that the emulator does as the server does.
//!
//! Without a server each test says so and passes; under `DOORWAY_REQUIRE_SERVER=1` it fails.
#![allow(clippy::unwrap_used)]

use doorway::store::mongo::MongoStore;

#[path = "../support/commands.rs"]
mod commands;

#[path = "../support/generate.rs"]
mod generate;

#[path = "../facts/bodies.rs"]
mod bodies;
#[path = "../support/busy.rs"]
mod busy;
#[path = "../facts/list.rs"]
mod list;
#[path = "../support/migrated.rs"]
mod migrated;

mod agreement;
mod contended;
mod coverage;
mod crash;
mod differences;
mod explain;
mod faults;
mod histories;
mod index;
mod live;
mod migrate;
mod monitoring;
mod page;
mod process;
mod proxy;
mod random;
mod sequences;
mod setup;
mod shape;
mod system;

/// Shows a fact on the server, or that it is one of the known differences.
async fn show<F>(body: &str, shown: impl FnOnce(MongoStore) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_facts").await;
    let here = tokio::task::LocalSet::new();
    let body_ends = here.spawn_local(shown(store));
    let ended = here.run_until(body_ends).await;
    let known = differences::FACTS.iter().find(|(on, fact, _)| (*on, *fact) == (server.name, body));
    match (known, ended) {
        (None, Ok(())) => {}
        (None, Err(error)) => std::panic::resume_unwind(error.into_panic()),
        (Some((on, _, what)), Err(_)) => println!("known difference of {on}: {what}"),
        (Some((on, _, what)), Ok(())) => panic!("no longer a difference of {on}: {what}"),
    }
}

/// Each body of a fact, on the server.
macro_rules! on_the_server {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        mod facts {
            $(#[tokio::test]
            async fn $body() {
                let shown = |store| async move { crate::bodies::$body(&store).await };
                crate::show(stringify!($body), shown).await;
            })*
        }
    };
}

list::for_each_fact!(on_the_server);
