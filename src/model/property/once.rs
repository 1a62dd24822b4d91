//! Once: no task is lost, none runs twice.

use super::doorway::has_failed;
use super::{TaskEvent, shared, text};
use crate::check::{End, Monitor, Step};
use crate::reservation::Task;
use crate::store::{Document, Value};

/// `once`: each task that was handed to the broker runs exactly once, or is cancelled and does not
/// finish, or has failed and is reported so. Remembers the last event of each task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Once;

impl Monitor for Once {
    fn name(&self) -> &str {
        "once"
    }

    fn step(&self, last: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events().iter().filter_map(TaskEvent::of) {
            let task = event.task;
            match (text(last, task), event.name) {
                (Some(Task::STARTED | Task::FINISHED), Task::STARTED) => {
                    return Err(format!("{task} runs a second time"));
                }
                (Some(Task::CANCELLED), Task::STARTED | Task::FINISHED) => {
                    return Err(format!("{task} was cancelled and {} all the same", event.name));
                }
                (Some(Task::FAILED), Task::STARTED) => {
                    return Err(format!("{task} has failed and starts all the same"));
                }
                // Nobody was told that it had finished; or it goes on, not knowing that it failed.
                (Some(Task::FINISHED), Task::FAILED)
                | (Some(Task::FAILED), Task::FINISHED | Task::FAILED) => {
                    last.set(shared(task), Task::FAILED);
                }
                (Some(_), Task::ENQUEUED) => {}
                (Some(Task::FINISHED), Task::CANCELLED) => {
                    return Err(format!("{task} has finished and is cancelled all the same"));
                }
                (
                    _,
                    Task::ENQUEUED
                    | Task::STARTED
                    | Task::FINISHED
                    | Task::FAILED
                    | Task::CANCELLED,
                ) => {
                    last.set(shared(task), event.name);
                    last.sort_fields();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&self, last: &Document, end: &End<'_>) -> Result<(), String> {
        let told = |state: &Value| {
            matches!(state.as_str(), Some(Task::FINISHED | Task::FAILED | Task::CANCELLED))
        };
        // Where the answer to its writing is lost a failure is recorded, and not told of.
        let lost = last.iter().find(|(task, state)| {
            !told(state) && !has_failed(&end.world.store, &Value::from(*task))
        });
        match lost {
            None => Ok(()),
            Some((task, state)) => Err(format!("{task} is lost: the last of it is {state}")),
        }
    }
}
