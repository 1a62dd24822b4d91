//! The resource manager: takes tasks from the broker and sends each to its worker.

use super::schema::{TaskState, TaskStatus, statuses};
use super::worker::{queue_of, release_message, run_message};
use super::{Design, ReservationError, Task};
use crate::env::{Host, forever};
use crate::store::Text;

/// The queue from which all managers take their tasks.
pub const QUEUE: &str = "resource_manager";

/// Whether the state of each task is kept in the store, so that it can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statuses {
    /// It is not kept: nobody cancels.
    Ignored,
    /// It is kept.
    Kept,
}

/// Handles one task after another, for ever.
///
/// # Errors
///
/// The error of the design that a task ran into. The task stays unacknowledged.
pub async fn serve<H: Host>(
    host: &H,
    design: Design,
    statuses: Statuses,
) -> Result<(), ReservationError> {
    forever(host, || async {
        let message = host.receive(QUEUE).await;
        let task = Task::from_message(&message)?;
        host.observe(task.event(Task::RECEIVED));
        let worker = design.reserve(host, &task).await?;
        dispatch(host, &task, &worker, statuses).await?;
        host.acknowledge(QUEUE, &message).await;
        host.observe(task.event(Task::HANDLED));
        Ok(())
    })
    .await
}

/// Sends the task to its worker, and the release of its reservation after it.
async fn dispatch<H: Host>(
    host: &H,
    task: &Task,
    worker: &Text,
    kept: Statuses,
) -> Result<(), ReservationError> {
    if kept == Statuses::Kept {
        let status = TaskStatus {
            task_id: task.id.clone(),
            resource_id: task.resource.clone(),
            worker_name: worker.clone(),
            state: TaskState::Waiting,
        };
        statuses(host).insert_one(status).await?;
    }
    host.send(&queue_of(worker), run_message(task)).await;
    host.send(&queue_of(worker), release_message(task)).await;
    Ok(())
}

/// Reserves and releases one task with its run in between, without a broker and workers.
///
/// The task counts as running on its worker as long as it holds the reservation. What keeps two
/// tasks on one worker apart, the worker's own queue, is left out.
///
/// # Errors
///
/// The error of the design that the task ran into.
pub async fn reserve_run_release<H: Host>(
    host: &H,
    design: Design,
    task: &Task,
) -> Result<(), ReservationError> {
    let worker = design.reserve(host, task).await?;
    host.observe(task.event_on(Task::STARTED, &worker));
    design.release(host, task).await?;
    host.observe(task.event_on(Task::FINISHED, &worker));
    Ok(())
}
