//! The tokens of bindings.

use super::{field, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::{RESERVATIONS, STATUSES};
use crate::store::{Document, Value};

/// `tokens`: a binding begins with a token higher than any before it, where nobody is bound, and keeps it
/// and its worker until it ends; no reservation goes, since its tokens would begin anew; and of two runs of a resource the later has the higher token. Remembers the
/// bindings, and of each resource the last run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

impl Monitor for Tokens {
    fn name(&self) -> &str {
        "tokens"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let bindings: Document = (step.world.store.documents(RESERVATIONS))
            .filter_map(|found| Some((shared(found.id()?.as_str()?), binding(found))))
            .collect();
        // What a failover takes back, no operation has done.
        if step.request().is_some() {
            let before = field(memory, "bindings");
            if let Some((gone, _)) = before.iter().find(|(one, _)| bindings.get(one).is_none()) {
                return Err(format!("the reservation of {gone} goes, and its tokens begin anew"));
            }
            bindings.iter().try_for_each(|(resource, now)| {
                let was = before.get(resource).unwrap_or(&NONE);
                if was == now { Ok(()) } else { follows(resource, was, now) }
            })?;
        }
        memory.set("bindings", bindings);
        if step.process().is_none() {
            forget_lost_runs(memory, step);
        }
        step.world.store.documents(STATUSES).try_for_each(|status| rises(memory, status))
    }
}

/// What is there before the first binding.
const NONE: Value = Value::Null;

/// The token of the last binding, and its worker if it is under way.
fn binding(reservation: &Document) -> Value {
    let fields = ["token", "worker_name"].map(|name| reservation.get(name).cloned());
    fields.into_iter().flatten().collect::<Vec<_>>().into()
}

/// A binding begins where none is under way, with a higher token; and all that becomes of it is that it ends.
fn follows(resource: &str, was: &Value, now: &Value) -> Result<(), String> {
    let parts = |binding: &Value| {
        let mut parts = binding.as_array().unwrap_or_default().iter();
        (parts.next().and_then(Value::as_int).unwrap_or(0), parts.next().cloned())
    };
    let ((old, bound), (new, binds)) = (parts(was), parts(now));
    match (bound, binds) {
        (None, Some(_)) if new > old => Ok(()),
        (Some(_), None) if new == old => Ok(()),
        (None, None) if new == old => Ok(()),
        _ => Err(format!("the binding of {resource} was {was}, and becomes {now}")),
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
