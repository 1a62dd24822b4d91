//! Who reserves what: for people, and for monitoring.

use serde::Serialize;

use super::schema::{Registration, Reservation, registrations, reservations, waiting};
use crate::store::filter::{all, exists};
use crate::store::{ReadConcern, Sort, Store, StoreError, Text};

/// Who reserves what at about one moment: the collections are read one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The reservations that have a task or a worker, those that come first before the others.
    pub reserved: Vec<Reserved>,
    /// The workers that are registered, by name.
    pub workers: Vec<Text>,
}

/// A resource for which there are tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reserved {
    /// The resource.
    pub resource: Text,
    /// The worker that it is bound to, if it is.
    pub worker: Option<Text>,
    /// Whether that worker is registered: if not, a sweep frees the resource.
    pub is_alive: bool,
    /// The tasks in their order; the first is the one that runs, or runs next.
    pub tasks: Vec<Text>,
    /// How many of those that wait for a worker come before it; 0 where it has one.
    pub before: usize,
}

/// Reads who reserves what. Two scans.
///
/// # Errors
///
/// What the store refuses; `is_data` where a reservation is of another form: see
/// [`migrate`](super::migrate).
pub async fn overview<S: Store>(store: &S) -> Result<Overview, StoreError> {
    let found = reservations::<S, Reservation>(store).read_concern(ReadConcern::Majority);
    let found =
        found.find(exists("worker_name").or(waiting())).sort(Sort::ascending("turn")).await?;
    let there: Vec<Registration> = registrations(store).find(all()).await?;
    let mut workers: Vec<Text> = there.into_iter().map(|worker| worker.name).collect();
    workers.sort();
    let mut waiting = 0..;
    let reserved = found.into_iter().map(|one| Reserved {
        is_alive: one.worker_name.as_ref().is_some_and(|worker| workers.contains(worker)),
        before: if one.worker_name.is_none() { waiting.next().unwrap_or(0) } else { 0 },
        resource: one.resource_id,
        worker: one.worker_name,
        tasks: one.task_ids,
    });
    Ok(Overview { reserved: reserved.collect(), workers })
}
