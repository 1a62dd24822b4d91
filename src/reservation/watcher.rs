//! The watcher: clears up after a worker that it takes for dead.
//!
//! After `_delete_worker` of Pulp 2: the worker's document goes, then its reservations, then its
//! tasks are cancelled. A worker that is slow looks the same as one that is dead, so this may
//! happen to a worker that goes on.

use super::schema::{RESERVATIONS, TaskState, statuses, workers};
use super::{ReservationError, Task};
use crate::env::Host;
use crate::store::filter::{Filter, by_id, eq, is_in};
use crate::store::update::set;
use crate::store::{Document, Text};

/// Clears up after a worker: deletes its document and its reservations, cancels its tasks.
///
/// # Errors
///
/// What the store refuses.
pub async fn bury<H: Host>(host: &H, worker: &Text) -> Result<(), ReservationError> {
    workers(host).delete_one(by_id(worker)).await?;
    let reservations = host.collection::<Document>(RESERVATIONS);
    let mark = host.mark();
    while reservations.delete_one(eq("worker_name", worker)).await? > 0 {
        host.again(mark);
    }
    let theirs = eq("worker_name", worker).and(incomplete());
    for status in statuses(host).find(theirs).await? {
        let task = Task::new(status.task_id, status.resource_id);
        let cancelled = by_id(&task.id).and(incomplete());
        let update = set("state", TaskState::Cancelled);
        if statuses(host).update_one(cancelled, update).await?.matched == 1 {
            host.observe(task.event_on(Task::CANCELLED, worker));
        }
    }
    Ok(())
}

fn incomplete() -> Filter {
    is_in("state", [TaskState::Waiting, TaskState::Running])
}
