//! The design that story #898 replaces: one reservation for each task, as in Pulp 2.5.
//!
//! After `_queue_reserved_task` and `_release_resource` in `server/pulp/server/async/tasks.py` of
//! Pulp 2.5. Only the task is unique, so nothing stops two managers from binding one resource to
//! two workers: each looks, sees no reservation, and writes one of its own.

use super::schema::{TaskReservation, Worker, task_reservations, workers};
use super::{ReservationError, Task};
use crate::env::{Env, Wake, until};
use crate::store::filter::{all, by_id, eq};
use crate::store::{Store, StoreError, Text};

/// Reserves the task's resource, and returns the worker that has to run the task.
///
/// # Errors
///
/// What the store refuses; a task that is reserved already among it.
pub async fn reserve<H: Store + Env>(host: &H, task: &Task) -> Result<Text, ReservationError> {
    let worker = until(host, || async {
        match find_worker(host, task).await {
            Ok(Some(worker)) => Ok(Ok(worker)),
            Ok(None) => Err(Wake::Changed),
            Err(error) => Ok(Err(error)),
        }
    })
    .await?;
    let reservation = TaskReservation {
        task_id: task.id.clone(),
        worker_name: worker.clone(),
        resource_id: task.resource.clone(),
    };
    task_reservations(host).insert_one(reservation).await?;
    host.observe(task.event(Task::QUEUED));
    Ok(worker)
}

/// The worker of a reservation of the same resource, else a worker that no reservation names.
async fn find_worker<H: Store>(host: &H, task: &Task) -> Result<Option<Text>, StoreError> {
    let reservations = task_reservations(host);
    if let Some(same) = reservations.find_one(eq("resource_id", &task.resource)).await? {
        return Ok(Some(same.worker_name));
    }
    let workers = workers(host).find(all()).await?;
    let reserved = reservations.find(all()).await?;
    let free = |worker: &Worker| reserved.iter().all(|one| one.worker_name != worker.name);
    Ok(workers.into_iter().find(free).map(|worker| worker.name))
}

/// Releases the task's reservation.
///
/// # Errors
///
/// What the store refuses.
pub async fn release<H: Store + Env>(host: &H, task: &Task) -> Result<(), ReservationError> {
    task_reservations(host).delete_one(by_id(&task.id)).await?;
    host.observe(task.event(Task::RELEASED));
    Ok(())
}
