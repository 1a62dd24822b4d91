//! Story #898: one reservation for each resource, made by atomic operations and unique indexes.
//!
//! <https://pulp.plan.io/issues/898>. A reservation names a worker and lists the tasks that it is
//! for. `_id` is the resource, so a resource has one reservation; `worker_name` is unique, so a
//! worker has one at a time. Whoever loses a race is told so by the index, and tries the next.

use super::schema::{RESERVATIONS, ReservedResource, ReservedWorker, reservations, workers};
use super::{ReservationError, Task};
use crate::env::{Condition, Env, Wake, until};
use crate::store::filter::{all, by_id, eq, size};
use crate::store::update::{pull, push};
use crate::store::{Projection, Store, StoreError, Text, Updated};

/// Reserves the task's resource, and returns the worker that has to run the task.
///
/// Waits while every worker is reserved for other resources: there is no "no workers" error.
///
/// # Errors
///
/// [`ReservationError::Count`] where an update by `_id` reports neither 0 nor 1 documents.
pub async fn reserve<H: Store + Env>(host: &H, task: &Task) -> Result<Text, ReservationError> {
    reserve_with(host, task, one_or_none, insert).await
}

/// Whether an update by `_id` was for a document.
pub(super) type Counted = fn(&Task, &Updated) -> Result<bool, ReservationError>;

/// The reserve loop, given how the count of an update is read and a new reservation is written.
pub(super) async fn reserve_with<H, F>(
    host: &H,
    task: &Task,
    counted: Counted,
    create: F,
) -> Result<Text, ReservationError>
where
    H: Store + Env,
    F: AsyncFn(&H, ReservedResource) -> Result<bool, ReservationError>,
{
    until(host, || async {
        match join_existing(host, task, counted).await {
            Ok(Some(worker)) => return Ok(Ok(worker)),
            Ok(None) => {}
            Err(error) => return Ok(Err(error)),
        }
        match take_free_worker(host, task, &create).await {
            Ok(Taken::Worker(worker)) => Ok(Ok(worker)),
            Ok(Taken::None { tried }) => Err(resource_or_worker_freed(task, tried)),
            Err(error) => Ok(Err(error)),
        }
    })
    .await
}

/// Adds the task to the reservation that its resource has, if it has one.
async fn join_existing<H: Store + Env>(
    host: &H,
    task: &Task,
    counted: Counted,
) -> Result<Option<Text>, ReservationError> {
    if reserved_worker(host, task).await?.is_none() {
        return Ok(None);
    }
    let pushed =
        reservations(host).update_one(by_id(&task.resource), push("task_ids", &task.id)).await?;
    if !counted(task, &pushed)? {
        return Ok(None);
    }
    host.observe(task.event(Task::QUEUED));
    Ok(reserved_worker(host, task).await?)
}

/// The worker of the reservation that the task's resource has, if it has one. The other tasks are
/// not asked for: what is not read tells no two attempts apart.
async fn reserved_worker<H: Store>(host: &H, task: &Task) -> Result<Option<Text>, StoreError> {
    let worker = Projection::Include(vec!["worker_name".into()]);
    let reservations = host.collection::<ReservedWorker>(RESERVATIONS);
    let reservation = reservations.find_one(by_id(&task.resource)).projection(worker).await?;
    Ok(reservation.map(|reservation| reservation.worker_name))
}

/// What came of looking for a worker without a reservation.
enum Taken {
    Worker(Text),
    None { tried: Vec<Text> },
}

/// Makes a reservation with the first worker that has none; the unique index decides.
async fn take_free_worker<H, F>(
    host: &H,
    task: &Task,
    create: &F,
) -> Result<Taken, ReservationError>
where
    H: Store + Env,
    F: AsyncFn(&H, ReservedResource) -> Result<bool, ReservationError>,
{
    let mut tried = Vec::new();
    for worker in workers(host).find(all()).await? {
        let reservation = ReservedResource {
            resource_id: task.resource.clone(),
            worker_name: worker.name.clone(),
            task_ids: vec![task.id.clone()],
        };
        if create(host, reservation).await? {
            host.observe(task.event(Task::QUEUED));
            return Ok(Taken::Worker(worker.name));
        }
        tried.push(worker.name);
    }
    Ok(Taken::None { tried })
}

/// Inserts the reservation; `false` where a unique index refuses it.
pub(super) async fn insert<H: Store>(
    host: &H,
    reservation: ReservedResource,
) -> Result<bool, ReservationError> {
    match reservations(host).insert_one(reservation).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_duplicate_key() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Another attempt is useful once the resource has a reservation, or a worker has none.
fn resource_or_worker_freed(task: &Task, workers: Vec<Text>) -> Wake {
    let reserved = Condition::Some(RESERVATIONS.into(), by_id(&task.resource));
    let free = |worker| Condition::None(RESERVATIONS.into(), eq("worker_name", &worker));
    Wake::When(std::iter::once(reserved).chain(workers.into_iter().map(free)).collect())
}

/// Releases the task's reservation: takes the task off the list, and deletes the reservation if
/// the list is empty then. Each of the two is one atomic operation, and the second asks again.
///
/// # Errors
///
/// [`ReservationError::Count`] where an update by `_id` reports neither 0 nor 1 documents.
pub async fn release<H: Store + Env>(host: &H, task: &Task) -> Result<(), ReservationError> {
    let reservations = reservations(host);
    let pulled = reservations.update_one(by_id(&task.resource), pull("task_ids", &task.id)).await?;
    one_or_none(task, &pulled)?;
    host.observe(task.event(Task::RELEASED));
    reservations.delete_one(by_id(&task.resource).and(size("task_ids", 0))).await?;
    Ok(())
}

/// Whether an update by `_id` was for a document; loud where it was for more than one.
pub(super) fn one_or_none(task: &Task, updated: &Updated) -> Result<bool, ReservationError> {
    match updated.matched {
        0 => Ok(false),
        1 => Ok(true),
        matched => Err(ReservationError::Count { resource: task.resource.clone(), matched }),
    }
}
