//! The facts about MongoDB on which this crate rests, each as a test.
//!
//! [`list`] names them once, with their sources; [`bodies`] shows each through the `Store` trait
//! alone, so that the same body runs on the emulator and on a server; [`interleavings`] shows on the
//! emulator's steps what no single client can show.
#![allow(clippy::unwrap_used)]

#[path = "../support/commands.rs"]
mod commands;

mod bodies;
mod interleavings;
mod list;

/// One fact, as a person reads it.
struct Fact {
    number: u32,
    title: &'static str,
    source: &'static str,
}

/// The list as a table, and a test of each body on the emulator.
macro_rules! on_the_emulator {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        const FACTS: &[Fact] =
            &[$(Fact { number: $number, title: $title, source: $source }),*];

        mod emulator {
            $(#[tokio::test]
            async fn $body() {
                crate::bodies::$body(&doorway::store::memory::MemoryStore::new()).await;
            })*
        }
    };
}

list::for_each_fact!(on_the_emulator);

/// The list of interleavings as a table, and each as a test.
macro_rules! step_by_step {
    ($($number:literal, $body:ident, $title:literal, $source:literal;)*) => {
        const INTERLEAVINGS: &[Fact] =
            &[$(Fact { number: $number, title: $title, source: $source }),*];

        mod step_by_step {
            $(#[test]
            fn $body() {
                crate::interleavings::$body();
            })*
        }
    };
}

list::for_each_interleaving!(step_by_step);

/// The page is written by the tests on a server; here it has to know of every fact.
#[test]
fn docs_semantics_has_every_fact() {
    let page = include_str!("../../docs/SEMANTICS.md");
    for Fact { title, source, .. } in FACTS.iter().chain(INTERLEAVINGS) {
        let row = format!("| {title} | {source} |");
        assert!(page.contains(&row), "docs/SEMANTICS.md has no {title:?}: see tests/README.md");
    }
}

#[test]
fn each_fact_has_a_title_and_a_source() {
    for Fact { number, title, source } in FACTS.iter().chain(INTERLEAVINGS) {
        assert!((1..=20).contains(number) && !title.is_empty() && !source.is_empty(), "{title}");
    }
    assert!(FACTS.is_sorted_by_key(|fact| fact.number));
    assert!(INTERLEAVINGS.is_sorted_by_key(|fact| fact.number));
}
