//! No eviction: no worker that is there loses its resource to another's doing.

use super::{field, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::{RESERVATIONS, WORKERS};
use crate::store::{Document, Text, Value};

/// `no-eviction`: a binding is ended by the process that made it, and by another only if its worker was
/// lost before: it had crashed, was declared dead, or superseded by a later process of its name. A
/// failover is no reason: nobody is told of a binding or a registration that can be taken back. Remembers the
/// bindings with the process that made each, which workers are there, and which were lost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEviction;

impl Monitor for NoEviction {
    fn name(&self) -> &str {
        "no-eviction"
    }

    fn start(&self) -> Document {
        let empty = Document::new;
        doc! {"there": empty(), "lost": empty(), "bound": empty()}
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        note_lost(memory, step);
        let by = step.process().map_or("", |process| process);
        let before = std::mem::take(field(memory, "bound"));
        let mut bound = Document::new();
        for reservation in step.world.store.documents(RESERVATIONS) {
            let (Some(id), Some(worker)) = (reservation.id(), reservation.get("worker_name"))
            else {
                continue;
            };
            let Some(resource) = id.as_str() else { continue };
            let known = before.get(resource).filter(|known| of_worker(known) == worker.as_str());
            // Who made one that a failover brings back is not known.
            let binding = known.cloned().unwrap_or_else(|| match step.process() {
                Some(by) => doc! {"worker": worker, "by": by}.into(),
                None => doc! {"worker": worker}.into(),
            });
            bound.set(shared(resource), binding);
        }
        // What a failover takes back, no operation has done.
        if step.request().is_some() {
            let ended = before.iter().filter(|(resource, old)| bound.get(resource) != Some(old));
            for (resource, old) in ended {
                let Some(old) = old.as_document() else { continue };
                let worker = text(old, "worker").unwrap_or_default();
                let is_anothers = text(old, "by").is_some_and(|maker| maker != by);
                if is_anothers && field(memory, "lost").get(worker).is_none() {
                    return Err(format!("{by} ends the binding of {worker} to {resource}"));
                }
            }
        }
        memory.set("bound", bound);
        Ok(())
    }
}

fn of_worker(binding: &Value) -> Option<&str> {
    text(binding.as_document()?, "worker")
}

/// Remembers whose process crashes, and who is registered no more as it was.
fn note_lost(memory: &mut Document, step: &Step<'_>) {
    let now: Document = (step.world.store.documents(WORKERS))
        .filter_map(|worker| {
            Some((shared(worker.id()?.as_str()?), worker.get("incarnation")?.clone()))
        })
        .collect();
    let before = std::mem::replace(field(memory, "there"), now.clone());
    let gone = before.iter().filter(|(worker, was)| now.get(worker) != Some(was));
    let gone = gone.filter(|_| step.request().is_some());
    let mut lost: Vec<Text> = gone.map(|(worker, _)| worker.clone()).collect();
    lost.extend(step.process().filter(|_| step.crashed()).cloned());
    for worker in lost {
        let known = field(memory, "lost");
        known.set(worker, true);
        known.sort_fields();
    }
}
