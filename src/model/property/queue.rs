//! The list of a reservation of the doorway: a queue, and nothing else.

use super::doorway::{is_final, lists, status};
use crate::check::{Monitor, Step};
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Text, Value};

/// `queue`: a list of the doorway grows at its tail only and shrinks at its head only, names a task
/// once, is bound to nobody while it is empty, and lets a task go only when its status is final. Remembers the lists.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue;

impl Monitor for Queue {
    fn name(&self) -> &str {
        "queue"
    }

    fn step(&self, before: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let now: Document = lists(&step.world.store).collect();
        // What a failover takes back, no operation has done.
        if step.request().is_some() {
            let known: Vec<&Text> = before.iter().chain(now.iter()).map(|(name, _)| name).collect();
            for resource in known {
                let (old, new) = (list(before, resource), list(&now, resource));
                let popped = judge(resource, old, new)?;
                if let Some(task) = popped.filter(|task| !is_final(&step.world.store, task)) {
                    let state =
                        status(&step.world.store, task).and_then(|found| found.get("state"));
                    let state = state.map_or("not there".into(), Value::to_string);
                    return Err(format!(
                        "{task} is taken off the list of {resource}, and its status is {state}"
                    ));
                }
            }
            let bound = |reservation: &Document| reservation.get("worker_name").is_some();
            let of = |resource: &Text| step.world.store.get(RESERVATIONS, &resource.into());
            let idle = |(resource, tasks): &(&Text, &Value)| {
                is_empty(tasks) && of(resource).is_some_and(bound)
            };
            if let Some((resource, _)) = now.iter().find(idle) {
                return Err(format!(
                    "the list of {resource} is empty, and a worker is bound to it"
                ));
            }
        }
        *before = now;
        Ok(())
    }
}

/// Whether one list may become the other; the task that was taken off its head, if one was.
fn judge<'a>(
    resource: &Text,
    old: &'a [Value],
    new: &'a [Value],
) -> Result<Option<&'a Value>, String> {
    if let Some(twice) = new.iter().enumerate().find(|(at, task)| new[..*at].contains(task)) {
        return Err(format!("{} is in the list of {resource} twice", twice.1));
    }
    match old.split_first() {
        _ if old == new => Ok(None),
        _ if new.split_last().is_some_and(|(_, rest)| rest == old) => Ok(None),
        Some((head, rest)) if rest == new => Ok(Some(head)),
        _ => {
            let (old, new) = (Value::from(old.to_vec()), Value::from(new.to_vec()));
            Err(format!("the list of {resource} was {old} and becomes {new}"))
        }
    }
}

fn list<'a>(lists: &'a Document, resource: &Text) -> &'a [Value] {
    lists.get(resource).and_then(Value::as_array).unwrap_or_default()
}

fn is_empty(tasks: &Value) -> bool {
    tasks.as_array().is_some_and(|tasks| tasks.is_empty())
}
