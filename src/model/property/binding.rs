//! The binding of resources to workers, as the reservations in the store say it.

use std::collections::BTreeMap;

use crate::check::Documents;
use crate::check::{Monitor, Step};
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Value};

/// `one-worker-per-resource`: no two reservations bind one resource to two workers.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneWorkerPerResource;

/// `one-resource-per-worker`: no two reservations bind one worker to two resources.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneResourcePerWorker;

impl Monitor for OneWorkerPerResource {
    fn name(&self) -> &str {
        "one-worker-per-resource"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        at_most_one(bindings(&step.world.store)).map_err(|(resource, one, other)| {
            format!("{resource} is bound to {one} and to {other}")
        })
    }
}

impl Monitor for OneResourcePerWorker {
    fn name(&self) -> &str {
        "one-resource-per-worker"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let by_worker = bindings(&step.world.store).map(|(resource, worker)| (worker, resource));
        at_most_one(by_worker)
            .map_err(|(worker, one, other)| format!("{worker} is bound to {one} and to {other}"))
    }
}

/// The resource and the worker of each reservation, in either schema.
fn bindings<'a>(store: &Documents<'a>) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    store.documents(RESERVATIONS).filter_map(|reservation| {
        let resource = reservation.get("resource_id").or_else(|| reservation.id())?;
        Some((resource, reservation.get("worker_name")?))
    })
}

/// Whether each first is with one second only; else the first, and two that it is with.
fn at_most_one<'a>(
    pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
) -> Result<(), (&'a Value, &'a Value, &'a Value)> {
    let mut seen = BTreeMap::new();
    for (first, second) in pairs {
        let known = *seen.entry(first).or_insert(second);
        if known != second {
            return Err((first, known, second));
        }
    }
    Ok(())
}
