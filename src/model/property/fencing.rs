//! Fencing: what a resource that heeds the tokens makes of the runs of its tasks.

use super::doorway::runs_with;
use super::{TaskEvent, each, field, is_queued, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::Task;
use crate::store::{Document, Text, Value};

/// `fencing`: a resource that refuses every effect whose token is lower than the highest that it has
/// seen refuses no run that counts, and sees no token of two runs. So what it accepts is of one
/// run after another, also where a worker that was declared dead goes on beside the next.
///
/// A run has its effects at its start and at its end; it counts as long as the status says that it
/// runs with its token, or, of a lock, its entry is in the queue. Remembers the runs under way, and of each resource the highest token with its
/// task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fencing;

impl Monitor for Fencing {
    fn name(&self) -> &str {
        "fencing"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if step.crashed() || step.stopped() {
            drop_runs_of(memory, step.process());
        }
        for event in step.events().iter().filter_map(TaskEvent::of) {
            let current = runs_with(&step.world.store, &event.task.into());
            match event.name {
                Task::STARTED => {
                    let Some(token) = event.token.or(current).cloned() else {
                        return Err(format!("{} starts without a token", event.task));
                    };
                    let counts =
                        is_queued(&step.world.store, event.task) || current == Some(&token);
                    touch(memory, &event, &token, counts)?;
                    let by = step.process().map_or("", |process| process);
                    let runs = field(memory, "runs");
                    runs.set(shared(event.task), doc! {"token": token, "by": by});
                    runs.sort_fields();
                }
                Task::FINISHED => {
                    let Some(run) = field(memory, "runs").remove(event.task) else { continue };
                    let Some(token) = run.as_document().and_then(|run| run.get("token")) else {
                        continue;
                    };
                    let queued = is_queued(&step.world.store, event.task);
                    touch(memory, &event, token, queued || current == Some(token))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// An effect of a run on its resources; `counts` says whether the run counts.
fn touch(
    memory: &mut Document,
    event: &TaskEvent<'_>,
    token: &Value,
    counts: bool,
) -> Result<(), String> {
    each(event.needs)
        .try_for_each(|resource| touch_one(memory, event.task, resource, token, counts))
}

fn touch_one(
    memory: &mut Document,
    task: &str,
    resource: &str,
    token: &Value,
    counts: bool,
) -> Result<(), String> {
    let seen = field(memory, "seen");
    let last = seen.get(resource).and_then(Value::as_document);
    let highest = last.and_then(|last| last.get("token"));
    if highest.is_some_and(|highest| highest > token) {
        return match counts {
            true => Err(format!("{resource} refuses {task}, which runs with token {token}")),
            false => Ok(()),
        };
    }
    let other = last.and_then(|last| text(last, "task"));
    if highest == Some(token) && other != Some(task) {
        let other = other.unwrap_or_default();
        return Err(format!("{task} and {other} both come to {resource} with token {token}"));
    }
    seen.set(shared(resource), doc! {"task": task, "token": token});
    seen.sort_fields();
    Ok(())
}

/// Where a process crashes or is stopped, what it runs has no more effects.
fn drop_runs_of(memory: &mut Document, process: Option<&Text>) {
    let Some(process) = process else { return };
    let runs = field(memory, "runs");
    let by = |run: &Value| run.as_document().and_then(|run| text(run, "by")) == Some(process);
    *runs =
        runs.iter().filter(|(_, run)| !by(run)).map(|(t, run)| (t.clone(), run.clone())).collect();
}
