//! docs/SEMANTICS.md: what the tests show, written by them.
//!
//! `DOORWAY_BLESS=1` writes the file; without it the test fails where the file is another one.

use std::env;
use std::fmt::Write as _;
use std::path::{Path as FilePath, PathBuf};

use doorway::doc;
use doorway::store::filter::{by_id, eq, is_in, lt};
use doorway::store::memory::{MemoryStore, State};
use doorway::store::update::{inc, pull, push, set};
use doorway::store::{Command, Index, Operation, Projection, Sort, Value};

use crate::commands::{find, find_sorted, insert, on, update, upsert};
use crate::{bodies, differences, histories, list, process, sequences};

/// What one fact came to.
struct Shown {
    number: u32,
    body: &'static str,
    title: &'static str,
    source: &'static str,
    emulator: bool,
    server: bool,
}

/// Whether a body ends without a panic.
async fn holds(body: impl Future<Output = ()> + 'static) -> bool {
    let here = tokio::task::LocalSet::new();
    let ended = here.spawn_local(body);
    here.run_until(ended).await.is_ok()
}

/// Each body of a fact, on both.
macro_rules! on_both {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        async fn shown(server: &process::Server) -> Vec<Shown> {
            vec![$({
                let (memory, mongo) = (MemoryStore::new(), server.store("doorway_page").await);
                Shown {
                    number: $number,
                    body: stringify!($body),
                    title: $title,
                    source: $source,
                    emulator: holds(async move { bodies::$body(&memory).await }).await,
                    server: holds(async move { bodies::$body(&mongo).await }).await,
                }
            }),*]
        }
    };
}

list::for_each_fact!(on_both);

/// The facts that take another client between two steps: number, body, title, source.
macro_rules! interleavings {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        const INTERLEAVINGS: &[(u32, &str, &str, &str)] =
            &[$(($number, stringify!($body), $title, $source)),*];
    };
}

list::for_each_interleaving!(interleavings);

/// What the emulator refuses, since no test shows what a server does: with a command, on the one
/// document `{_id: 1, a: [1], b: [2], n: NaN, s: [[1]]}` with an index on `s` that covers strings only.
fn unsupported() -> Vec<(&'static str, Command)> {
    let by_both = [Sort::ascending("a"), Sort::ascending("b")].concat();
    let embedded = doc! {"x": 1};
    let path = |name: &str| Projection::Include(vec![name.into()]);
    let shown = |name| on("c", Operation::FindOne { filter: by_id(1), projection: path(name) });
    vec![
        ("a sort by two arrays", find_sorted(by_id(1), by_both, None)),
        ("a sort by an array in an array", find_sorted(by_id(1), Sort::ascending("s"), None)),
        ("a sort or a projection by a number in a path", shown("a.0")),
        ("null at a number in a path of a filter", find(eq("a.5", Value::Null))),
        ("a comparison (`$lt` and the like) with an array, MinKey or MaxKey", find(lt("a", [1]))),
        (
            "a filter that a server may simplify, in an upsert",
            upsert(is_in("k", [5]), set("_id", 5)),
        ),
        (
            "a filter with a path and one inside it, in an upsert",
            upsert(eq("k", embedded.clone()).and(eq("k.x", 1)), set("_id", 5)),
        ),
        ("an upsert of which a server would make the `_id`", upsert(eq("k", 5), set("m", 1))),
        ("`$inc` to NaN", update(by_id(1), inc("n", 1))),
        ("`$pull` of a document", update(by_id(1), pull("a", embedded))),
        ("a positional operator", update(by_id(1), push("a.$", 1))),
        ("a timestamp of zero", insert(doc! {"_id": 2, "at": Value::Timestamp(0)})),
        ("a name with a dot, a dollar or nothing in it", insert(doc! {"_id": 2, "a.b": 1})),
        ("another number of the same value as `_id`", update(by_id(1), set("_id", 1.0))),
    ]
}

/// The names of what is refused, each of which is.
fn refused() -> Vec<&'static str> {
    let nested = Value::Array(vec![Value::from([1])].into());
    let mut state = State::new();
    let one = doc! {"_id": 1, "a": [1], "b": [2], "n": f64::NAN, "s": nested};
    state.insert("c", one).unwrap();
    let refuses = |(what, command): (&'static str, Command)| {
        let error = state.execute_ref(&command).unwrap_err();
        assert!(error.is_unsupported(), "{what}: {error}");
        what
    };
    let mut what: Vec<_> = unsupported().into_iter().map(refuses).collect();
    let on_array = state.provision("c", &[Index::unique(["s"])]).unwrap_err();
    assert!(on_array.is_unsupported(), "{on_array}");
    what.push("an index on an array in an array");
    what
}

fn said(holds: bool) -> &'static str {
    if holds { "holds" } else { "**does not hold**" }
}

/// The whole page.
fn page(server: &str, facts: &[Shown]) -> String {
    let mut page = format!(
        "# What the emulator takes for true of MongoDB\n\n\
         Written by `tests/server/page.rs`, which runs what it tells of: do not edit. The server is \
         {server}.\nNo mongod has been seen yet: [tests/README.md](../tests/README.md) says how to \
         repeat all of it on one.\n\n\
         ## Facts\n\nOne test body for each, in `tests/facts/bodies.rs`, run on both.\n\n\
         | | fact | source | emulator | server | test |\n|---|---|---|---|---|---|\n"
    );
    for Shown { number, body, title, source, emulator, server } in facts {
        let (emulator, server) = (said(*emulator), said(*server));
        let _ =
            writeln!(page, "| {number} | {title} | {source} | {emulator} | {server} | `{body}` |");
    }
    page += "\n## What another client comes between\n\n\
             On the steps of the emulator alone, in `tests/facts/interleavings.rs`: on a server no client \
             chooses where another comes.\n\n| | fact | source | test |\n|---|---|---|---|\n";
    for (number, body, title, source) in INTERLEAVINGS {
        let _ = writeln!(page, "| {number} | {title} | {source} | `{body}` |");
    }
    let _ = write!(
        page,
        "\n## Random commands\n\n\
         `tests/server/sequences.rs` sends {} random commands to both, one after another, on collections \
         with random unique indexes, and compares every answer and the contents; each operation, \
         operator and condition is seen with each of its outcomes (`coverage.rs`).\n\
         `tests/server/histories.rs` runs {} histories of a few clients at once on the server, and looks \
         for an order of the emulator's steps in which each gets the same answers (`explain.rs`).\n\n\
         ## Where the server does otherwise\n\n\
         The emulator does as MongoDB does. On the server nothing else passes for one of these.\n\n\
         | what it does | what MongoDB does, and where that stands |\n|---|---|\n",
        sequences::COMMANDS,
        histories::HISTORIES,
    );
    for (what, source) in differences::all() {
        let _ = writeln!(page, "| {what} | {source} |");
    }
    page += "\n## What the emulator refuses\n\n\
             No test shows what a server does, so it answers `not supported`:\n\n";
    refused().iter().for_each(|what| page += &format!("- {what}\n"));
    page
}

fn file() -> PathBuf {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).join("docs/SEMANTICS.md")
}

#[tokio::test]
async fn the_page_is_what_the_tests_show() {
    let Some(server) = process::shared().await else { return };
    let facts = shown(server).await;
    for Shown { body, emulator, .. } in &facts {
        assert!(emulator, "{body} does not hold on the emulator");
    }
    if server.name != "SecantusDB" {
        let not: Vec<_> = facts.iter().filter(|fact| !fact.server).map(|fact| fact.body).collect();
        assert!(not.is_empty(), "{} does otherwise: {not:?}", server.described().await);
        return;
    }
    let page = page(&server.described().await, &facts);
    if env::var("DOORWAY_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(file(), &page).unwrap();
    }
    let there = std::fs::read_to_string(file()).unwrap_or_default();
    assert!(there == page, "docs/SEMANTICS.md is another page: write it with DOORWAY_BLESS=1");
}
