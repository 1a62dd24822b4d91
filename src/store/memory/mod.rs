//! The in-memory emulator of MongoDB's single-document operations.
//!
//! [`State`] is the whole content of a database, persistent, so that a snapshot is a pointer copy.
//! [`Execution`] is a command under way over it: a small state machine whose steps are what other
//! clients can come between. [`MemoryStore`] puts both behind the [`Store`](super::Store) trait, with
//! a [`Gate`] in front of each step.
//!
//! What the emulator cannot answer as a server does it refuses with
//! [`StoreError::unsupported`](super::StoreError::unsupported): it never guesses.

mod atoms;
mod execution;
mod gate;
mod key;
mod kind;
mod map;
mod matching;
mod multikey;
mod operators;
mod phase;
mod projection;
mod replicas;
mod server;
mod sorting;
mod state;
mod table;
mod unique;
mod upsert;
mod validate;
mod write;

pub use execution::Execution;
pub use gate::{Access, Gate, Open};
pub use kind::StepKind;
pub use server::MemoryStore;
pub(crate) use state::Content;
pub use state::State;
