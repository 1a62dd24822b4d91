//! Exclusivity: no two workers run tasks of one resource at once.

use super::{TaskEvent, shared};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::Task;
use crate::store::Document;

/// `exclusivity`: no two workers run tasks of one resource at once.
///
/// One worker is one thread of control: what it runs, it runs one after another. A task runs until
/// it has finished or gives its reservation back. Remembers the tasks that run, each with its
/// resource and worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exclusivity;

impl Monitor for Exclusivity {
    fn name(&self) -> &str {
        "exclusivity"
    }

    fn step(&self, running: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events.iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::STARTED => start(running, &event)?,
                Task::FINISHED | Task::RELEASED => {
                    running.remove(event.task);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn start(running: &mut Document, event: &TaskEvent<'_>) -> Result<(), String> {
    let worker = event.worker.unwrap_or_default();
    for (task, run) in running.iter() {
        let Some(run) = run.as_document() else { continue };
        let (resource, other) = (super::text(run, "resource"), super::text(run, "worker"));
        if resource == Some(event.resource) && other != Some(worker) {
            return Err(format!(
                "{} runs on {worker} while {task} runs on {}, both for {}",
                event.task,
                other.unwrap_or_default(),
                event.resource,
            ));
        }
    }
    running.set(shared(event.task), doc! {"resource": event.resource, "worker": worker});
    running.sort_fields();
    Ok(())
}
