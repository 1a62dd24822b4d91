//! No leak: a reservation does not outlive its tasks.

use crate::check::{End, Monitor, Step};
use crate::reservation::doorway::lock::schema::QUEUES;
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Value};

/// `no-leak`: when all is done, no reservation and no entry of a queue is left.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLeak;

impl Monitor for NoLeak {
    fn name(&self) -> &str {
        "no-leak"
    }

    fn step(&self, _: &mut Document, _: &Step<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&self, _: &Document, end: &End<'_>) -> Result<(), String> {
        let store = &end.world.store;
        let queued = |queue: &&Document| {
            queue.get("entries").and_then(Value::as_array).is_some_and(|some| !some.is_empty())
        };
        let reserved = |reservation: &&Document| {
            let is_done = |tasks: &[Value]| tasks.is_empty();
            let listed = reservation.get("task_ids").and_then(Value::as_array);
            reservation.get("worker_name").is_some() || !listed.is_some_and(is_done)
        };
        match store
            .documents(RESERVATIONS)
            .filter(reserved)
            .chain(store.documents(QUEUES).filter(queued))
            .next()
        {
            None => Ok(()),
            Some(left) => Err(format!("all is done, and {left} is left")),
        }
    }
}
