//! No eviction: no worker that is there loses its resource to another's doing.

use super::{field, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::{RESERVATIONS, WORKERS};
use crate::store::{Document, Text, Value};

/// `no-eviction`: a binding is ended by the process that made it, and by another only if its worker was lost
/// since: it had crashed, was declared dead, or superseded by a later process of its name. That an earlier
/// process of its name was lost is no reason. A failover is no reason either: nobody is told of a binding or
/// a registration that can be taken back. Remembers the bindings with the process that made each and the
/// incarnation that its worker was registered as last, which workers are there as what, as what each
/// was registered last, and as what it was lost last.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEviction;

impl Monitor for NoEviction {
    fn name(&self) -> &str {
        "no-eviction"
    }

    fn start(&self) -> Document {
        let empty = Document::new;
        doc! {"there": empty(), "last": empty(), "lost": empty(), "bound": empty()}
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
            let binding = known.cloned().unwrap_or_else(|| {
                let mut binding = doc! {"worker": worker};
                let last = worker.as_str().and_then(|worker| field(memory, "last").get(worker));
                last.into_iter().for_each(|incarnation| binding.set("as", incarnation));
                step.process().into_iter().for_each(|by| binding.set("by", by));
                binding.into()
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
                let lost = field(memory, "lost").get(worker);
                if is_anothers && (lost.is_none() || lost < old.get("as")) {
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

/// Notes as what each worker is registered, whose process crashes, and who is registered no more as it was.
fn note_lost(memory: &mut Document, step: &Step<'_>) {
    let now: Document = (step.world.store.documents(WORKERS))
        .filter_map(|worker| {
            Some((shared(worker.id()?.as_str()?), worker.get("incarnation")?.clone()))
        })
        .collect();
    for (worker, incarnation) in now.iter() {
        set_sorted(field(memory, "last"), worker, incarnation);
    }
    let before = std::mem::replace(field(memory, "there"), now.clone());
    if step.request().is_some() {
        let gone = before.iter().filter(|(worker, was)| now.get(worker) != Some(was));
        gone.for_each(|(worker, was)| lose(memory, worker, was));
    }
    if let Some(process) = step.process().filter(|_| step.crashed()) {
        let last = field(memory, "last").get(process).cloned();
        lose(memory, process, &last.unwrap_or(Value::Int(0)));
    }
}

/// Notes that a worker is lost as what it was registered as.
fn lose(memory: &mut Document, worker: &Text, was: &Value) {
    let lost = field(memory, "lost");
    if lost.get(worker) < Some(was) {
        set_sorted(lost, worker, was);
    }
}

fn set_sorted(document: &mut Document, name: &Text, value: &Value) {
    document.set(name.clone(), value);
    document.sort_fields();
}
