//! Cancelling a task that waits.

use super::schema::{State, statuses};
use super::settle::settled;
use crate::env::Env;
use crate::reservation::{ReservationError, Task};
use crate::store::Store;
use crate::store::filter::{by_id, eq};
use crate::store::update::set;

/// Cancels a task, if it still waits; `false` where it runs already, or is done.
///
/// It stays in its list, and is taken off in its turn: so no place in a queue ever changes but at
/// its ends. One command.
///
/// # Errors
///
/// What the store refuses.
pub async fn cancel<H: Store + Env>(host: &H, task: &Task) -> Result<bool, ReservationError> {
    let cancelled = settled(host, || {
        let waiting = by_id(&task.id).and(eq("state", State::Waiting));
        statuses(host).update_one(waiting, set("state", State::Cancelled))
    });
    let cancelled = cancelled.await?.matched == 1;
    if cancelled {
        host.observe(task.event(Task::CANCELLED));
    }
    Ok(cancelled)
}
