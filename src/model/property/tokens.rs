//! The tokens of bindings.

use super::{field, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::{RESERVATIONS, STATUSES};
use crate::store::{Document, Value};

/// `tokens`: a binding keeps its worker, and its token once it has one; and of two runs of a resource
/// the later has the higher token. Remembers the bindings, and of each resource the last run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

impl Monitor for Tokens {
    fn name(&self) -> &str {
        "tokens"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let mut bound = Document::new();
        for reservation in step.world.store.documents(RESERVATIONS) {
            let Some(resource) = reservation.id().and_then(Value::as_str) else { continue };
            if let Some(worker) = reservation.get("worker_name") {
                let binding = match reservation.get("token") {
                    Some(token) => doc! {"worker": worker, "token": token},
                    None => doc! {"worker": worker},
                };
                bound.set(shared(resource), binding);
            } else if reservation.get("token").is_some() {
                return Err(format!("{resource} has a token, and is bound to nobody"));
            }
        }
        for (resource, now) in bound.iter() {
            let before = field(memory, "bound").get(resource).cloned();
            // What a failover brings back, no operation has done.
            if before.as_ref() != Some(now) && step.request().is_some() {
                keeps(resource, before.as_ref(), now)?;
            }
        }
        memory.set("bound", bound);
        if step.process().is_none() {
            forget_lost_runs(memory, step);
        }
        step.world.store.documents(STATUSES).try_for_each(|status| rises(memory, status))
    }
}

/// A binding begins without a token, and all that becomes of it is that it gets one.
fn keeps(resource: &str, before: Option<&Value>, now: &Value) -> Result<(), String> {
    let worker = |binding: &Value| Some(text(binding.as_document()?, "worker")?.to_owned());
    match before {
        None if token(now).is_some() => {
            Err(format!("{resource} is bound together with a token that was drawn before"))
        }
        Some(before) if worker(before) != worker(now) || token(before).is_some() => {
            Err(format!("{resource} was bound by {before}, and that becomes {now}"))
        }
        _ => Ok(()),
    }
}

/// A run whose claim a failover has undone never was.
fn forget_lost_runs(memory: &mut Document, step: &Step<'_>) {
    let waits = |run: &Value| {
        let task = run.as_document().and_then(|run| run.get("task"));
        let status = task.and_then(|task| step.world.store.get(STATUSES, task));
        status.and_then(|status| text(status, "state")) == Some("waiting")
    };
    let last = field(memory, "last");
    let lost: Vec<_> =
        last.iter().filter(|(_, run)| waits(run)).map(|(id, _)| id.clone()).collect();
    for resource in lost {
        last.remove(&resource);
    }
}

/// A run has a higher token than the one before it.
fn rises(memory: &mut Document, status: &Document) -> Result<(), String> {
    let (task, resource) = (status.id(), status.get("resource_id").and_then(Value::as_str));
    let (Some(task), Some(resource)) = (task, resource) else { return Ok(()) };
    let runs = status.get("state").and_then(Value::as_str) == Some("running");
    let Some(token) = status.get("token").filter(|_| runs) else { return Ok(()) };
    let last = field(memory, "last");
    let run = doc! {"task": task, "token": token};
    match last.get(resource).and_then(Value::as_document) {
        Some(other) if *other != run && other.get("token") >= Some(token) => {
            Err(format!("{task} runs with token {token} on {resource}, and before it ran {other}"))
        }
        _ => {
            last.set(shared(resource), run);
            last.sort_fields();
            Ok(())
        }
    }
}

fn token(binding: &Value) -> Option<&Value> {
    binding.as_document()?.get("token")
}
