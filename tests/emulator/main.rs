//! The emulator: each point of its semantics, and random commands against a plain reference.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod indexes;
mod limits;
mod matching;
mod ordinals;
mod phases;
mod properties;
mod reads;
mod store;
mod updates;
mod upserts;
