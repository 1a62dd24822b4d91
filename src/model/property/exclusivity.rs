//! Exclusivity: no two workers run tasks of one resource at once.

use super::{TaskEvent, shared, shared_resource, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::Task;
use crate::store::{Document, Text, Value};

/// `exclusivity`: no two workers run tasks of one resource at once.
///
/// One worker is one thread of control: what it runs, it runs one after another. Two processes of one
/// name are two workers, where the run tells which it is of. A task runs until it has finished or gives
/// its reservation back, or its process crashes or is stopped, since it is not registered any more.
/// Remembers the tasks that run, each with its resource and worker, and the process that runs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exclusivity;

impl Monitor for Exclusivity {
    fn name(&self) -> &str {
        "exclusivity"
    }

    fn step(&self, running: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if step.crashed() || step.stopped() {
            stop(running, step);
        }
        for event in step.events().iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::STARTED => start(running, &event, step.process())?,
                Task::FINISHED | Task::RELEASED => {
                    running.remove(event.task);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where a process crashes or is stopped, what it runs has stopped.
fn stop(running: &mut Document, step: &Step<'_>) {
    let Some(process) = step.process() else { return };
    let by = |run: &Value| run.as_document().is_some_and(|run| text(run, "by") == Some(process));
    let stopped: Vec<Text> =
        running.iter().filter(|(_, run)| by(run)).map(|(task, _)| task.clone()).collect();
    stopped.iter().for_each(|task| {
        running.remove(task);
    });
}

fn start(
    running: &mut Document,
    event: &TaskEvent<'_>,
    process: Option<&Text>,
) -> Result<(), String> {
    let worker = event.worker.unwrap_or_default();
    for (task, run) in running.iter() {
        let Some(run) = run.as_document() else { continue };
        let other = text(run, "worker").unwrap_or_default();
        let is_other = other != worker || run.get("incarnation") != event.incarnation;
        let both = run.get("resource").and_then(|needs| shared_resource(event.needs, needs));
        if let Some(resource) = both.filter(|_| is_other) {
            return Err(format!(
                "{} runs on {worker} while {task} runs on {other}, both for {resource}",
                event.task,
            ));
        }
    }
    let by = process.map_or("", |process| process);
    let mut run = doc! {"resource": event.needs, "worker": worker, "by": by};
    if let Some(incarnation) = event.incarnation {
        run.set("incarnation", incarnation.clone());
    }
    running.set(shared(event.task), run);
    running.sort_fields();
    Ok(())
}
