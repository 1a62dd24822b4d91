//! Submitting a task: the doorway.

use super::schema::{Reservation, State, Status, reservations, statuses};
use super::settle::settled;
use crate::env::{Env, distil};
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq, ne};
use crate::store::update::push;
use crate::store::{ReadConcern, Store};

/// Submits a task: when this returns, the task is in the queue of its resource, behind every task
/// whose submission had ended before this one began.
///
/// May be done again for the same task, by anyone and at any time, and has then no effect: a task
/// runs at most once. Two commands.
///
/// # Errors
///
/// What the store refuses. A task of which this was not told `Ok` may be submitted or not.
pub async fn submit<H: Store + Env>(host: &H, task: &Task) -> Result<(), ReservationError> {
    distil(host, || announce(host, task)).await?;
    while !distil(host, || append(host, task)).await? {}
    host.observe(task.event(Task::QUEUED));
    Ok(())
}

/// Writes the status first: whoever finds the task in a list finds its status too.
async fn announce<H: Store + Env>(host: &H, task: &Task) -> Result<(), ReservationError> {
    let status = Status {
        task_id: task.id.clone(),
        resource_id: task.resource.clone(),
        state: State::Waiting,
        worker_name: None,
        token: None,
        why: None,
    };
    let statuses = statuses(host);
    match settled(host, || statuses.insert_one(status.clone())).await {
        Err(error) if !error.is_duplicate_key() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The doorway itself, one atomic operation; `false` where another created the list meanwhile.
async fn append<H: Store + Env>(host: &H, task: &Task) -> Result<bool, ReservationError> {
    let reservations = reservations::<H, Reservation>(host);
    let appended = settled(host, || {
        let absent = by_id(&task.resource).and(ne("task_ids", &task.id));
        let made = push("task_ids", &task.id).set_on_insert("token", 0).set_on_insert("turn", 0);
        reservations.update_one(absent, made).upsert(true)
    });
    match appended.await {
        Ok(_) => Ok(true),
        Err(error) if error.is_duplicate_key() => {
            let committed = reservations.clone().read_concern(ReadConcern::Linearizable);
            let there = || {
                let listed = by_id(&task.resource).and(eq("task_ids", &task.id));
                committed.find_one(listed)
            };
            Ok(settled(host, there).await?.is_some())
        }
        Err(error) => Err(error.into()),
    }
}
