//! No false failure: no task fails whose worker was there all the time.

use super::doorway::{has_failed, incarnation, is_final, status};
use super::{TaskEvent, field, shared, text};
use crate::check::Documents;
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::Task;
use crate::reservation::doorway::worker::LOST;
use crate::reservation::schema::WORKERS;
use crate::store::{Document, Text, Value};

/// `no-false-failure`: a task is recorded as failed only if, before that, its worker crashed, was
/// declared dead, or was superseded by a later process of its name. Remembers of each run the process,
/// the worker and its incarnation, or that it was lost; which workers are there; and of those that
/// were lost the last incarnation, since a registration that comes late brings one back.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFalseFailure;

impl Monitor for NoFalseFailure {
    fn name(&self) -> &str {
        "no-false-failure"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        note_gone(memory, &step.world.store);
        let gone = field(memory, "gone").clone();
        let runs = field(memory, "runs");
        for event in step.events().iter().filter_map(TaskEvent::of) {
            match event.name {
                Task::STARTED => {
                    let by = step.process().map_or("", |process| process);
                    let worker = event.worker.unwrap_or_default();
                    let was_lost =
                        gone.get(worker) >= event.incarnation && gone.get(worker).is_some();
                    let run = match was_lost {
                        true => Document::new(),
                        false => doc! {"worker": worker, "by": by, "as": event.incarnation},
                    };
                    runs.set(shared(event.task), run);
                    runs.sort_fields();
                }
                Task::FAILED => {
                    let run = runs.get(event.task).and_then(Value::as_document);
                    falsely_failed(event.task, run)?;
                }
                _ => {}
            }
        }
        let store = &step.world.store;
        // Where the answer to its writing is lost nobody tells of the failure.
        for (task, run) in runs.iter().filter(|(task, _)| is_lost(store, &Value::from(*task))) {
            falsely_failed(task, run.as_document())?;
        }
        let goes_on = runs.iter().filter(|(task, _)| !is_final(store, &Value::from(*task)));
        let lost = |run: &Value| run.as_document().is_some_and(|run| loses(run, step));
        let of_lost = |run: &Value| if lost(run) { Document::new().into() } else { run.clone() };
        *runs = goes_on.map(|(task, run)| (task.clone(), of_lost(run))).collect();
        Ok(())
    }
}

/// A task fails: was its worker lost?
fn falsely_failed(task: &str, run: Option<&Document>) -> Result<(), String> {
    match run.and_then(|run| text(run, "worker")) {
        Some(worker) => Err(format!("{task} fails, and {worker}, which runs it, is there")),
        None => Ok(()),
    }
}

/// Whether a task is recorded as failed because its worker was lost.
fn is_lost(store: &Documents<'_>, task: &Value) -> bool {
    let why = status(store, task).and_then(|status| text(status, "why"));
    has_failed(store, task) && why == Some(LOST)
}

/// Remembers which workers are there, and of those that are no more which they were.
fn note_gone(memory: &mut Document, store: &Documents<'_>) {
    let now: Document = (store.documents(WORKERS))
        .filter_map(|worker| {
            Some((Text::from(worker.id()?.as_str()?), worker.get("incarnation")?.clone()))
        })
        .collect();
    let before = std::mem::replace(field(memory, "there"), now.clone());
    for (worker, incarnation) in before.iter().filter(|(worker, was)| now.get(worker) != Some(was))
    {
        let gone = field(memory, "gone");
        gone.set(worker.clone(), incarnation);
        gone.sort_fields();
    }
}

/// Whether a run is lost with this step.
fn loses(run: &Document, step: &Step<'_>) -> bool {
    let Some(worker) = text(run, "worker") else { return false };
    let crashed = step.crashed() && step.process().map(|process| &**process) == text(run, "by");
    crashed || incarnation(&step.world.store, worker) != run.get("as")
}
