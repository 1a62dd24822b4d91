//! Reserving a resource for a task: the designs, and the processes around them.
//!
//! A resource manager takes a task from the broker, *reserves* the resource that the task names,
//! which gives the worker that has to run it, and sends the task there, followed by a message to
//! *release* the reservation. Each design is one file; [`Design`] chooses between them. All of it
//! is generic over what it asks of the world, so that the very same functions run under every
//! engine and on MongoDB.

mod design;
pub mod doorway;
pub mod manager;
pub mod per_task;
pub mod quiet;
pub mod read_then_delete;
pub mod save;
pub mod schema;
pub mod several;
pub mod story898;
mod task;
pub mod watcher;
pub mod worker;

use std::fmt;

pub use design::Design;
pub use task::Task;

use crate::store::{StoreError, Text};

/// Why a reservation was neither made nor released: something is wrong, and loudly so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReservationError {
    /// An update by `_id` reported neither 0 nor 1 documents: the store does not do what unique
    /// identifiers promise, and nothing that was built on it holds.
    Count {
        /// What was updated.
        resource: Text,
        /// How many documents the store reported.
        matched: u64,
    },
    /// The store refused a command.
    Store(StoreError),
    /// A message that is not one of this system's.
    Message(String),
    /// The document of a counter from which the [`doorway`] draws its numbers is not there.
    NoCounter(&'static str),
    /// The owner of this task's place or turn in a [`lock`](doorway::lock) was declared dead, or the
    /// same task has entered the queue anew.
    Lost(Text),
    /// A later process serves under this worker's name.
    Superseded(Text),
}

impl fmt::Display for ReservationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReservationError::Count { resource, matched } => write!(
                f,
                "an update of the one reservation of {resource} reported {matched} documents: \
                 the unique index on _id does not hold"
            ),
            ReservationError::Store(error) => error.fmt(f),
            ReservationError::NoCounter(counter) => write!(
                f,
                "{} has no document {counter:?}: set the collections up first",
                doorway::schema::COUNTERS,
            ),
            ReservationError::Superseded(worker) => {
                write!(f, "another process has registered as {worker}: a name is for one process")
            }
            ReservationError::Lost(task) => write!(
                f,
                "{task} has lost its place: its owner was declared dead, or it has entered anew"
            ),
            ReservationError::Message(why) => write!(f, "not a message of a task: {why}"),
        }
    }
}

impl std::error::Error for ReservationError {}

impl From<StoreError> for ReservationError {
    fn from(error: StoreError) -> ReservationError {
        ReservationError::Store(error)
    }
}
