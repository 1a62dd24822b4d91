//! Kept: what is written into a reservation stays there until it is taken out.

use super::doorway::is_final;
use super::{TaskEvent, is_queued, shared};
use crate::check::Documents;
use crate::check::{Monitor, Step};
use crate::reservation::Task;
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Text, Value};

/// `kept`: from the operation that queued a task until the one that releases it, a reservation
/// names the task. Remembers of each task that was queued whether it is to be named still.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept;

impl Monitor for Kept {
    fn name(&self) -> &str {
        "kept"
    }

    fn step(&self, queued: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events().iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::QUEUED if queued.get(event.task).is_none() => {
                    queued.set(shared(event.task), true);
                    queued.sort_fields();
                }
                Task::RELEASED | Task::FAILED | Task::CANCELLED => {
                    queued.set(shared(event.task), false);
                    queued.sort_fields();
                }
                _ => {}
            }
        }
        let mut queued = queued.iter().filter(|(_, queued)| **queued == Value::from(true));
        let store = &step.world.store;
        // How one has ended is told of too, but late, or not at all, where the answer to its writing was lost.
        let is_lost = |task: &Text| {
            let task = Value::from(task);
            !is_named(store, &task) && !is_final(store, &task)
        };
        match queued.find(|(task, _)| is_lost(task)) {
            None => Ok(()),
            Some((task, _)) => Err(format!("{task} is queued, and no reservation names it")),
        }
    }
}

/// Whether a reservation or a queue names the task, in any schema.
fn is_named(store: &Documents<'_>, task: &Value) -> bool {
    task.as_str().is_some_and(|task| is_queued(store, task))
        || store.documents(RESERVATIONS).any(|reservation| {
            let listed = reservation.get("task_ids").and_then(Value::as_array);
            listed.is_some_and(|tasks| tasks.contains(task)) || reservation.id() == Some(task)
        })
}
