//! What the doorway's documents say, as its properties read them.

use crate::check::Documents;
use crate::reservation::schema::{RESERVATIONS, STATUSES, WORKERS};
use crate::store::{Command, Document, Operation, Text, Value};

/// Whether a command begins the submission of a task.
pub(super) fn announces(command: &Command) -> bool {
    matches!(command.operation, Operation::InsertOne { .. }) && &*command.collection == STATUSES
}

/// The list of each reservation, by resource.
pub(super) fn lists(store: &Documents<'_>) -> impl Iterator<Item = (Text, Value)> {
    store.documents(RESERVATIONS).filter_map(|reservation| {
        let resource = reservation.id()?.as_str()?.into();
        Some((resource, reservation.get("task_ids")?.clone()))
    })
}

/// The status of a task.
pub(super) fn status<'a>(store: &Documents<'a>, task: &Value) -> Option<&'a Document> {
    store.get(STATUSES, task)
}

/// How far a task is.
pub(super) fn state<'a>(store: &Documents<'a>, task: &Value) -> Option<&'a str> {
    status(store, task)?.get("state")?.as_str()
}

/// Whether nothing more becomes of a task.
pub(super) fn is_final(store: &Documents<'_>, task: &Value) -> bool {
    matches!(state(store, task), Some("finished" | "failed" | "cancelled"))
}

/// The token with which a task runs.
pub(super) fn runs_with<'a>(store: &Documents<'a>, task: &Value) -> Option<&'a Value> {
    let status = status(store, task)?;
    let runs = status.get("state").and_then(Value::as_str) == Some("running");
    status.get("token").filter(|_| runs)
}

/// The number of the process that is registered under a worker's name.
pub(super) fn incarnation<'a>(store: &Documents<'a>, worker: &str) -> Option<&'a Value> {
    store.get(WORKERS, &worker.into())?.get("incarnation")
}

/// Whether a task is recorded as failed.
pub(super) fn has_failed(store: &Documents<'_>, task: &Value) -> bool {
    state(store, task) == Some("failed")
}
