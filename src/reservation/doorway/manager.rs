//! The resource manager of a system with a broker: hands each task through the doorway.

use super::submit;
use crate::env::{Host, forever};
use crate::reservation::manager::QUEUE;
use crate::reservation::{ReservationError, Task};

/// Submits one task after another, for ever. Any number of managers may do so at once.
///
/// A message is acknowledged only after its task is through the doorway: if the manager dies
/// before, another submits the task again.
///
/// # Errors
///
/// What the store refuses. The task stays unacknowledged.
pub async fn serve<H: Host>(host: &H) -> Result<(), ReservationError> {
    forever(host, || async {
        let message = host.receive(QUEUE).await;
        let task = Task::from_message(&message)?;
        host.observe(task.event(Task::RECEIVED));
        submit(host, &task).await?;
        host.acknowledge(QUEUE, &message).await;
        host.observe(task.event(Task::HANDLED));
        Ok(())
    })
    .await
}
