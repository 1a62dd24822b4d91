//! No starvation: nobody waits for ever.

use super::{TaskEvent, shared};
use crate::check::{End, Monitor, Step};
use crate::reservation::Task;
use crate::store::{Document, Text};

/// `no-starvation`: on every weakly fair run each task that was submitted finishes some time, or is
/// cancelled. Remembers the tasks that have not.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStarvation;

impl Monitor for NoStarvation {
    fn name(&self) -> &str {
        "no-starvation"
    }

    fn step(&self, open: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events().iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::ENQUEUED => {
                    open.set(shared(event.task), true);
                    open.sort_fields();
                }
                Task::FINISHED | Task::CANCELLED => {
                    open.remove(event.task);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&self, open: &Document, _: &End<'_>) -> Result<(), String> {
        match open.iter().next() {
            None => Ok(()),
            Some((task, _)) => Err(format!("{task} has neither finished nor been cancelled")),
        }
    }

    fn is_of_endless_runs(&self) -> bool {
        true
    }

    fn owes(&self, open: &Document) -> Vec<Text> {
        open.iter().map(|(task, _)| format!("the end of {task}").into()).collect()
    }
}
