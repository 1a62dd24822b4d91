//! No false failure: no task fails whose worker was there all the time.

use super::doorway::{incarnation, is_final};
use super::{TaskEvent, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::Task;
use crate::store::{Document, Value};

/// `no-false-failure`: a task is recorded as failed only if, before that, its worker crashed, was
/// declared dead, or was superseded by a later process of its name. Remembers of each run the process,
/// the worker and its incarnation, or that it was lost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFalseFailure;

impl Monitor for NoFalseFailure {
    fn name(&self) -> &str {
        "no-false-failure"
    }

    fn step(&self, runs: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events.iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::STARTED => {
                    let by = step.process.map_or("", |process| process);
                    let worker = event.worker.unwrap_or_default();
                    let run = doc! {"worker": worker, "by": by, "as": event.incarnation};
                    runs.set(shared(event.task), run);
                    runs.sort_fields();
                }
                Task::FAILED => {
                    let run = runs.get(event.task).and_then(Value::as_document);
                    if let Some(worker) = run.and_then(|run| text(run, "worker")) {
                        let task = event.task;
                        return Err(format!("{task} fails, and {worker}, which runs it, is there"));
                    }
                }
                _ => {}
            }
        }
        let store = &step.world.store;
        let goes_on = runs.iter().filter(|(task, _)| !is_final(store, &Value::from(*task)));
        let lost = |run: &Value| run.as_document().is_some_and(|run| loses(run, step));
        let of_lost = |run: &Value| if lost(run) { Document::new().into() } else { run.clone() };
        *runs = goes_on.map(|(task, run)| (task.clone(), of_lost(run))).collect();
        Ok(())
    }
}

/// Whether a run is lost with this step.
fn loses(run: &Document, step: &Step<'_>) -> bool {
    let Some(worker) = text(run, "worker") else { return false };
    let crashed = step.crashed && step.process.map(|process| &**process) == text(run, "by");
    crashed || incarnation(&step.world.store, worker) != run.get("as")
}
