//! Who reserves what: for people, and for monitoring.

use serde::Serialize;

use super::counter::Counter;
use super::schema::{COUNTERS, Registration, Reservation, registrations, reservations};
use crate::store::filter::{all, by_id};
use crate::store::{Document, ReadConcern, Sort, Store, StoreError, Text};

/// Who reserves what at about one moment: the collections are read one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The reservations; first those that have waited longest.
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
    /// How many bindings there were of any resource since this one began to wait for a worker. No
    /// clock tells how long that is; it grows for as long as others are served before.
    pub waits: i64,
}

/// Reads who reserves what. Two scans and one more command.
///
/// # Errors
///
/// What the store refuses; `is_data` where a reservation is of another form: see
/// [`migrate`](super::migrate).
pub async fn overview<S: Store>(store: &S) -> Result<Overview, StoreError> {
    let counters = store.collection::<Document>(COUNTERS);
    let last = counters.find_one(by_id(Counter::Tokens.id())).await?;
    let last = last.and_then(|counter| counter.get("n")?.as_int()).unwrap_or_default();
    let found = reservations::<S, Reservation>(store).read_concern(ReadConcern::Majority);
    let found = found.find(all()).sort(Sort::ascending("turn")).await?;
    let there: Vec<Registration> = registrations(store).find(all()).await?;
    let mut workers: Vec<Text> = there.into_iter().map(|worker| worker.name).collect();
    workers.sort();
    let reserved = found.into_iter().map(|one| Reserved {
        is_alive: one.worker_name.as_ref().is_some_and(|worker| workers.contains(worker)),
        waits: (last - one.turn).max(0),
        resource: one.resource_id,
        worker: one.worker_name,
        tasks: one.task_ids,
    });
    Ok(Overview { reserved: reserved.collect(), workers })
}
