//! The collections of the doorway: their documents and unique indexes.
//!
//! Story #898's three fields keep their names and meaning: `_id` is the resource, `worker_name` the
//! one worker that it is bound to, `task_ids` the tasks in the order in which they came.

use serde::{Deserialize, Serialize};

use super::counter::INCARNATIONS;
use crate::doc;
pub use crate::reservation::schema::{RESERVATIONS, STATUSES, WORKERS};
use crate::store::filter::{exists, missing};
use crate::store::{Collection, Document, Filter, Index, Store, Text, Value};

/// The collection of the [`counter`](super::counter).
pub const COUNTERS: &str = "counters";

/// Of a reservation: whether a worker is bound to it. The tasks are not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The resource.
    #[serde(rename = "_id")]
    pub resource_id: Text,
    /// The worker, if one is bound to it.
    pub worker_name: Option<Text>,
    /// The token of the binding; where none is under way, of the last one.
    pub token: i64,
}

/// Of a reservation its turn alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The turn.
    pub turn: i64,
}

/// A reservation. It is made by the first task of its resource, and stays when its list is empty, since
/// its tokens only go up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The resource.
    #[serde(rename = "_id")]
    pub resource_id: Text,
    /// The tasks, in the order in which they came; the first is the one that runs.
    pub task_ids: Vec<Text>,
    /// How many bindings the resource has had: so it names a binding, and of two bindings of a resource
    /// the later has the higher one.
    pub token: i64,
    /// Tells which of two resources that wait comes first: the one with the lower.
    pub turn: i64,
    /// The worker, if one is bound to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_name: Option<Text>,
}

/// A worker that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The worker.
    #[serde(rename = "_id")]
    pub name: Text,
    /// Which of the processes that ever had this name: the later has the higher one.
    pub incarnation: i64,
    /// Goes up as long as the worker is alive.
    pub beats: i64,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Submitted.
    Waiting,
    /// A worker runs it.
    Running,
    /// It has run.
    Finished,
    /// It has run and said that it failed, or its worker was lost while it ran.
    Failed,
    /// It will not run.
    Cancelled,
}

impl State {
    /// Whether nothing more becomes of the task.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, State::Finished | State::Failed | State::Cancelled)
    }
}

impl From<State> for Value {
    fn from(state: State) -> Value {
        match state {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Finished => "finished",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
        .into()
    }
}

/// The status of a task. It outlives the reservation; when to delete it is up to its readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The task.
    #[serde(rename = "_id")]
    pub task_id: Text,
    /// The resource that it needs.
    pub resource_id: Text,
    /// How far it is.
    pub state: State,
    /// The worker that runs it, or that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_name: Option<Text>,
    /// The token with which it runs, or ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
}

/// The unique index of the reservations besides the one on `_id`: a worker has one at a time.
/// A reservation without a worker is not in it.
#[must_use]
pub fn one_reservation_per_worker() -> Index {
    Index::unique(["worker_name"]).partial(exists("worker_name"))
}

/// The documents that have to be there before the first command.
#[must_use]
pub fn counters() -> [Document; 1] {
    [doc! {"_id": INCARNATIONS, "n": 0}]
}

/// Of a reservation: a task waits there, and no worker is bound to it.
#[must_use]
pub fn waiting() -> Filter {
    missing("worker_name").and(exists("task_ids.0"))
}

/// The reservations, as documents of `T`.
pub fn reservations<S: Store, T>(store: &S) -> Collection<'_, S, T> {
    store.collection(RESERVATIONS)
}

/// The workers that are there.
pub fn registrations<S: Store>(store: &S) -> Collection<'_, S, Registration> {
    store.collection(WORKERS)
}

/// The states of the tasks.
pub fn statuses<S: Store>(store: &S) -> Collection<'_, S, Status> {
    store.collection(STATUSES)
}
