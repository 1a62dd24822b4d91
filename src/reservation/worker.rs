//! A worker: runs the tasks of its own queue, one after another.

use std::future::Future;

use super::manager::Statuses;
use super::schema::{TaskState, statuses};
use super::{Design, ReservationError, Task};
use crate::env::{Host, forever};
use crate::store::filter::{by_id, eq};
use crate::store::update::set;
use crate::store::{Document, StoreError, Text};

/// The queue of a worker.
#[must_use]
pub fn queue_of(worker: &Text) -> String {
    format!("{worker}.queue")
}

/// The message that has a worker run a task.
#[must_use]
pub fn run_message(task: &Task) -> Document {
    task.message().with("do", "run")
}

/// The message that has a worker release a task's reservation.
#[must_use]
pub fn release_message(task: &Task) -> Document {
    task.message().with("do", "release")
}

/// Does what its queue says, one message after another, for ever; `run` runs a task.
///
/// A message is gone from the queue once it is taken: workers acknowledge early.
///
/// # Errors
///
/// The error of the design that a release ran into, or of a message that is not one of these.
pub async fn serve<H, F, R>(
    host: &H,
    worker: &Text,
    design: Design,
    statuses: Statuses,
    run: F,
) -> Result<(), ReservationError>
where
    H: Host,
    F: Fn(Task) -> R,
    R: Future<Output = ()>,
{
    forever(host, || async {
        let message = host.take(&queue_of(worker)).await;
        let task = Task::from_message(&message)?;
        match message.get("do").and_then(|kind| kind.as_str()) {
            Some("run") => run_task(host, worker, statuses, &task, &run).await?,
            Some("release") => design.release(host, &task).await?,
            _ => return Err(ReservationError::Message(message.to_string())),
        }
        Ok(())
    })
    .await
}

async fn run_task<H, F, R>(
    host: &H,
    worker: &Text,
    kept: Statuses,
    task: &Task,
    run: &F,
) -> Result<(), ReservationError>
where
    H: Host,
    F: Fn(Task) -> R,
    R: Future<Output = ()>,
{
    let keeps = kept == Statuses::Kept;
    if keeps && !moves(host, task, TaskState::Waiting, TaskState::Running).await? {
        return Ok(());
    }
    host.observe(task.event_on(Task::STARTED, worker));
    run(task.clone()).await;
    host.observe(task.event_on(Task::FINISHED, worker));
    if keeps {
        moves(host, task, TaskState::Running, TaskState::Finished).await?;
    }
    Ok(())
}

/// Moves the task from one state to another; `false` where it was not in the first.
async fn moves<H: Host>(
    host: &H,
    task: &Task,
    from: TaskState,
    to: TaskState,
) -> Result<bool, StoreError> {
    let in_state = by_id(&task.id).and(eq("state", from));
    Ok(statuses(host).update_one(in_state, set("state", to)).await?.matched == 1)
}
