//! Cancelling a task that waits.

use super::schema::{State, statuses};
use super::settle::settled;
use crate::env::Env;
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq};
use crate::store::update::set;
use crate::store::{ReadConcern, Store};

/// Cancels a task, if it still waits; whether it is cancelled, by this or by another: `false` where it runs
/// already, or has run.
///
/// It stays in its list, and is taken off in its turn: so no place in a queue ever changes but at
/// its ends. One command, and one more where the task does not wait.
///
/// # Errors
///
/// What the store refuses.
pub async fn cancel<H: Store + Env>(host: &H, task: &Task) -> Result<bool, ReservationError> {
    let cancelled = settled(host, || {
        let waiting = by_id(&task.id).and(eq("state", State::Waiting));
        statuses(host).update_one(waiting, set("state", State::Cancelled))
    });
    let is_cancelled = cancelled.await?.matched == 1 || was_cancelled(host, task).await?;
    if is_cancelled {
        host.observe(task.event(Task::CANCELLED));
    }
    Ok(is_cancelled)
}

/// Whether the task was cancelled before: it may have been by this, and the answer was lost.
async fn was_cancelled<H: Store + Env>(host: &H, task: &Task) -> Result<bool, ReservationError> {
    let committed = statuses(host).read_concern(ReadConcern::Linearizable);
    let status = settled(host, || committed.find_one(by_id(&task.id))).await?;
    Ok(status.is_some_and(|status| status.state == State::Cancelled))
}
