//! The collections: their names, documents and unique indexes.

use serde::{Deserialize, Serialize};

use crate::store::{Collection, Index, Store, Text};

/// The collection of reservations.
pub const RESERVATIONS: &str = "reserved_resources";
/// The collection of the workers that are there.
pub const WORKERS: &str = "workers";
/// The collection of the states of tasks.
pub const STATUSES: &str = "task_status";

/// A reservation, as story #898 wants it: one for each resource, and each for a worker of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedResource {
    /// The resource. Unique, so that a resource has one reservation across all workers.
    #[serde(rename = "_id")]
    pub resource_id: Text,
    /// The worker. Unique, so that a worker has one reservation at a time.
    pub worker_name: Text,
    /// The tasks that the reservation is for, in the order in which they were added.
    pub task_ids: Vec<Text>,
}

/// Of a [`ReservedResource`] the worker alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedWorker {
    /// The worker.
    pub worker_name: Text,
}

/// A reservation as Pulp 2.5 has it: one for each task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskReservation {
    /// The task. Unique; nothing else is.
    #[serde(rename = "_id")]
    pub task_id: Text,
    /// The worker that runs the task.
    pub worker_name: Text,
    /// The resource that the task needs.
    pub resource_id: Text,
}

/// A worker that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The name, which is that of its queue too.
    #[serde(rename = "_id")]
    pub name: Text,
}

/// How far a task is, for those who may cancel it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// The task.
    #[serde(rename = "_id")]
    pub task_id: Text,
    /// The resource that it needs.
    pub resource_id: Text,
    /// The worker to which it was sent.
    pub worker_name: Text,
    /// How far it is.
    pub state: TaskState,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Sent to a worker.
    Waiting,
    /// A worker runs it.
    Running,
    /// It has run.
    Finished,
    /// It does not run, or what it did does not count.
    Cancelled,
}

impl From<TaskState> for crate::store::Value {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Waiting => "waiting",
            TaskState::Running => "running",
            TaskState::Finished => "finished",
            TaskState::Cancelled => "cancelled",
        }
        .into()
    }
}

/// The unique index that story #898 adds to the one on `_id`.
#[must_use]
pub fn one_reservation_per_worker() -> Index {
    Index::unique(["worker_name"])
}

/// The reservations of story #898.
pub fn reservations<S: Store>(store: &S) -> Collection<'_, S, ReservedResource> {
    store.collection(RESERVATIONS)
}

/// The reservations of Pulp 2.5.
pub fn task_reservations<S: Store>(store: &S) -> Collection<'_, S, TaskReservation> {
    store.collection(RESERVATIONS)
}

/// The workers.
pub fn workers<S: Store>(store: &S) -> Collection<'_, S, Worker> {
    store.collection(WORKERS)
}

/// The states of the tasks.
pub fn statuses<S: Store>(store: &S) -> Collection<'_, S, TaskStatus> {
    store.collection(STATUSES)
}
