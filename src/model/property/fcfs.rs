//! First come, first served, in Lamport's sense.
//!
//! A submission has a bounded doorway. If the doorway of a ended before that of b began, and both
//! want one resource, then b does not start before a has finished or was cancelled (Lamport, *A
//! new solution of Dijkstra's concurrent programming problem*, CACM 17(8), 1974). What the doorway
//! is can be read in three ways.

use super::doorway::has_failed;
use super::{TaskEvent, each, field, shared, shared_resource};
use crate::check::Documents;
use crate::check::{Monitor, Request, Step};
use crate::reservation::Task;
use crate::reservation::doorway::lock::schema::QUEUES;
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Text, Value};

/// `fcfs-r1`, `fcfs-r2`, `fcfs-r3`: first come, first served, by what counts as coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fcfs {
    /// The doorway is the submitter's enqueue.
    R1,
    /// The doorway is the atomic operation on the store that puts the task in its place, whether
    /// who sent it is told so or not.
    R2,
    /// The doorway is a manager's whole handling of the message, from taking it off the broker to
    /// acknowledging it.
    R3,
}

impl Fcfs {
    /// The event with which the doorway begins and that with which it ends; none where it is read
    /// off the store.
    fn doorway(self) -> Option<(&'static str, &'static str)> {
        match self {
            Fcfs::R1 => Some((Task::ENQUEUED, Task::ENQUEUED)),
            Fcfs::R2 => None,
            Fcfs::R3 => Some((Task::RECEIVED, Task::HANDLED)),
        }
    }
}

impl Monitor for Fcfs {
    fn name(&self) -> &str {
        match self {
            Fcfs::R1 => "fcfs-r1",
            Fcfs::R2 => "fcfs-r2",
            Fcfs::R3 => "fcfs-r3",
        }
    }

    /// Remembers `passed`: the tasks that are through the doorway and not done, with their
    /// resources; `before`: for each task that has begun its doorway, those of them that were
    /// through then and are to be served first; `begun`: those whose doorway has begun and not ended,
    /// for a task that is delivered again does not come anew; `over`: the tasks that are done; and, for
    /// `fcfs-r2`, `told`: those that are through and of which somebody was told so.
    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if self == &Fcfs::R2 {
            if writes_reservation(step) {
                for (task, needs) in named(&step.world.store) {
                    begin(memory, &task, &needs);
                    pass(memory, &task, &needs);
                }
            } else if step.process().is_none() {
                take_back(memory, &step.world.store);
            }
        }
        for event in step.events().iter().filter_map(TaskEvent::of) {
            if let Some((begins, ends)) = self.doorway() {
                if event.name == begins {
                    begin(memory, event.task, event.needs);
                }
                if event.name == ends {
                    pass(memory, event.task, event.needs);
                }
            }
            match event.name {
                Task::QUEUED if self == &Fcfs::R2 => acknowledge(memory, event.task),
                Task::STARTED => {
                    forget_failed(memory, &step.world.store);
                    start(memory, &event)?;
                }
                Task::FINISHED | Task::FAILED | Task::CANCELLED => done(memory, event.task),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the step is one of a write to the reservations or a queue, told of or not.
fn writes_reservation(step: &Step<'_>) -> bool {
    let Some(Request::Command(command)) = step.request() else { return false };
    [RESERVATIONS, QUEUES].contains(&&*command.collection) && command.operation.is_write()
}

/// The tasks that reservations and queues name, in order, each with what it needs; in any schema.
fn named(store: &Documents<'_>) -> Vec<(Text, Value)> {
    let text = |value: &Value| value.as_str().map(shared);
    let mut named = Vec::new();
    for reservation in store.documents(RESERVATIONS) {
        let Some(id) = reservation.id() else { continue };
        match reservation.get("task_ids").and_then(Value::as_array) {
            Some(tasks) => {
                named.extend(tasks.iter().filter_map(text).map(|task| (task, id.clone())));
            }
            None => named.extend(text(id).zip(reservation.get("resource_id").cloned())),
        }
    }
    let entries = store.documents(QUEUES).filter_map(|queue| queue.get("entries")?.as_array());
    for entry in entries.flatten().filter_map(Value::as_document) {
        let needs = entry.get("resources").cloned();
        named.extend(entry.get("task_id").and_then(text).zip(needs));
    }
    named
}

/// The doorway of a task begins, unless it is through already.
fn begin(memory: &mut Document, task: &str, needs: &Value) {
    if is_known(memory, task) || field(memory, "begun").get(task).is_some() {
        return;
    }
    let begun = field(memory, "begun");
    begun.set(shared(task), true);
    begun.sort_fields();
    let passed = field(memory, "passed").clone();
    let first: Vec<Value> = (passed.iter())
        .filter(|(_, others)| shared_resource(needs, others).is_some())
        .map(|(name, _)| name.into())
        .collect();
    if !first.is_empty() {
        let before = field(memory, "before");
        before.set(shared(task), first);
        before.sort_fields();
    }
}

fn pass(memory: &mut Document, task: &str, needs: &Value) {
    field(memory, "begun").remove(task);
    if !is_known(memory, task) {
        let passed = field(memory, "passed");
        passed.set(shared(task), needs);
        passed.sort_fields();
    }
}

/// Whether a task is through the doorway, or done even. It may be handed through again, by someone
/// who does not know that.
fn is_known(memory: &mut Document, task: &str) -> bool {
    ["passed", "over"].iter().any(|which| field(memory, which).get(task).is_some())
}

/// Somebody was told that the task is in its place: what a failover takes back of it now was promised.
fn acknowledge(memory: &mut Document, task: &str) {
    if field(memory, "passed").get(task).is_some() {
        let told = field(memory, "told");
        told.set(shared(task), true);
        told.sort_fields();
    }
}

/// What a failover takes back, and nobody was told of, was never done: its task is not through.
fn take_back(memory: &mut Document, store: &Documents<'_>) {
    let stands = named(store);
    let passed = field(memory, "passed").clone();
    for (task, _) in passed.iter() {
        let is_told = field(memory, "told").get(task).is_some();
        if !is_told && !stands.iter().any(|(named, _)| named == task) {
            forget(memory, task);
        }
    }
}

/// A task that is recorded as failed is done, also where nobody could tell of it.
fn forget_failed(memory: &mut Document, store: &Documents<'_>) {
    let passed = field(memory, "passed").clone();
    for (task, _) in passed.iter().filter(|(task, _)| has_failed(store, &Value::from(*task))) {
        done(memory, task);
    }
}

fn start(memory: &mut Document, event: &TaskEvent<'_>) -> Result<(), String> {
    let before = field(memory, "before").get(event.task).and_then(Value::as_array);
    match before.and_then(|tasks| tasks.first()?.as_str()) {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} starts before {first} is done, which came first for {}",
            event.task,
            each(event.needs).collect::<Vec<_>>().join(", ")
        )),
    }
}

fn done(memory: &mut Document, task: &str) {
    let over = field(memory, "over");
    over.set(shared(task), true);
    over.sort_fields();
    forget(memory, task);
}

/// Nobody has to wait for a task any more.
fn forget(memory: &mut Document, task: &str) {
    ["passed", "told"].iter().for_each(|which| {
        field(memory, which).remove(task);
    });
    let before = field(memory, "before");
    before.remove(task);
    let waiting: Document = before
        .iter()
        .filter_map(|(name, first)| {
            let others = first.as_array()?.iter().filter(|other| other.as_str() != Some(task));
            let others: Vec<Value> = others.cloned().collect();
            (!others.is_empty()).then(|| (name.clone(), Value::from(others)))
        })
        .collect();
    *before = waiting;
}
