//! First come, first served, in Lamport's sense.
//!
//! A submission has a bounded doorway. If the doorway of a ended before that of b began, and both
//! want one resource, then b does not start before a has finished or was cancelled (Lamport, *A
//! new solution of Dijkstra's concurrent programming problem*, CACM 17(8), 1974). What the doorway
//! is can be read in three ways.

use super::{TaskEvent, field, shared, text};
use crate::check::{Monitor, Step};
use crate::reservation::Task;
use crate::store::{Document, Value};

/// `fcfs-r1`, `fcfs-r2`, `fcfs-r3`: first come, first served, by what counts as coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fcfs {
    /// The doorway is the submitter's enqueue.
    R1,
    /// The doorway is the atomic operation on the store that puts the task in its place.
    R2,
    /// The doorway is a manager's whole handling of the message, from taking it off the broker to
    /// acknowledging it.
    R3,
}

impl Fcfs {
    /// The events with which the doorway begins and ends.
    fn doorway(self) -> (&'static str, &'static str) {
        match self {
            Fcfs::R1 => (Task::ENQUEUED, Task::ENQUEUED),
            Fcfs::R2 => (Task::QUEUED, Task::QUEUED),
            Fcfs::R3 => (Task::RECEIVED, Task::HANDLED),
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
    /// through then and are to be served first; and `early`: the tasks that were done before they
    /// were through.
    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let (begins, ends) = self.doorway();
        for event in step.events.iter().filter_map(TaskEvent::of) {
            if event.name == begins {
                begin(memory, &event);
            }
            if event.name == ends {
                pass(memory, &event);
            }
            match event.name {
                Task::STARTED => start(memory, &event)?,
                Task::FINISHED | Task::CANCELLED => {
                    done(memory, &event, self == &Fcfs::R3);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn begin(memory: &mut Document, event: &TaskEvent<'_>) {
    let passed = field(memory, "passed").clone();
    let same = |name: &str| text(&passed, name) == Some(event.resource) && name != event.task;
    let first: Vec<Value> =
        passed.iter().filter(|(name, _)| same(name)).map(|(name, _)| name.into()).collect();
    if !first.is_empty() {
        let before = field(memory, "before");
        before.set(shared(event.task), first);
        before.sort_fields();
    }
}

fn pass(memory: &mut Document, event: &TaskEvent<'_>) {
    if field(memory, "early").remove(event.task).is_none() {
        let passed = field(memory, "passed");
        passed.set(shared(event.task), event.resource);
        passed.sort_fields();
    }
}

fn start(memory: &mut Document, event: &TaskEvent<'_>) -> Result<(), String> {
    let before = field(memory, "before").get(event.task).and_then(Value::as_array);
    match before.and_then(|tasks| tasks.first()?.as_str()) {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} starts before {first} is done, which came first for {}",
            event.task, event.resource
        )),
    }
}

fn done(memory: &mut Document, event: &TaskEvent<'_>, may_be_early: bool) {
    let task = event.task;
    if field(memory, "passed").remove(task).is_none() && may_be_early {
        let early = field(memory, "early");
        early.set(shared(task), true);
        early.sort_fields();
    }
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
