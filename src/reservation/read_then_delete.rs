//! A tempting wrong variant of story #898: a release that looks whether the list is empty, and
//! then deletes.
//!
//! Between the look and the delete another manager may add a task to the list: its reservation is
//! deleted with it, and the next manager binds the resource to another worker.

use super::schema::reservations;
use super::story898::one_or_none;
use super::{ReservationError, Task};
use crate::env::Env;
use crate::store::Store;
use crate::store::filter::by_id;
use crate::store::update::pull;

/// As [`super::story898::release`], but the delete does not ask again whether the list is empty.
///
/// # Errors
///
/// As [`super::story898::release`].
pub async fn release<H: Store + Env>(host: &H, task: &Task) -> Result<(), ReservationError> {
    let reservations = reservations(host);
    let pulled = reservations.update_one(by_id(&task.resource), pull("task_ids", &task.id)).await?;
    one_or_none(task, &pulled)?;
    host.observe(task.event(Task::RELEASED));
    let reservation = reservations.find_one(by_id(&task.resource)).await?;
    if reservation.is_some_and(|reservation| reservation.task_ids.is_empty()) {
        reservations.delete_one(by_id(&task.resource)).await?;
    }
    Ok(())
}
