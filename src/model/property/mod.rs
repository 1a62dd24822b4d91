//! What has to hold of a reservation: each property one automaton, in a file of its name.

mod binding;
mod bounded_doorway;
mod bypass;
mod cost;
mod doorway;
mod eviction;
mod exclusivity;
mod false_failure;
mod fcfs;
mod fencing;
mod kept;
mod leak;
mod once;
mod queue;
pub(super) mod registry;
mod starvation;
mod status;
mod targeted;
mod tokens;

use std::sync::Arc;

pub use binding::{OneResourcePerWorker, OneWorkerPerResource};
pub use bounded_doorway::BoundedDoorway;
pub use bypass::Bypass;
pub use cost::Cost;
pub use eviction::NoEviction;
pub use exclusivity::Exclusivity;
pub use false_failure::NoFalseFailure;
pub use fcfs::Fcfs;
pub use fencing::Fencing;
pub use kept::Kept;
pub use leak::NoLeak;
pub use once::Once;
pub use queue::Queue;
pub use registry::Registry;
pub use starvation::NoStarvation;
pub use status::Status;
pub use targeted::Targeted;
pub use tokens::Tokens;

use crate::check::Documents;
use crate::check::engine::explore::{NO_LIVELOCK, PROGRESS};
use crate::check::{Loud, Monitor, NoDeadlock, NoFailure};
use crate::env::Event;
use crate::reservation::doorway::lock::schema::QUEUES;
use crate::store::{Document, Text, Value};

/// A property, with what it says.
#[derive(Clone)]
pub struct Property {
    /// What it says, in one sentence.
    pub says: &'static str,
    /// The automaton.
    pub monitor: Arc<dyn Monitor>,
}

impl Property {
    /// The name, as models and reports spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.monitor.name()
    }
}

/// Every property that a model can ask for.
#[must_use]
pub fn all() -> Vec<Property> {
    of_any_design().into_iter().chain(of_the_doorway()).collect()
}

fn property(says: &'static str, monitor: impl Monitor + 'static) -> Property {
    Property { says, monitor: Arc::new(monitor) }
}

/// The properties that have a meaning for every design.
#[must_use]
pub fn of_any_design() -> Vec<Property> {
    vec![
        property("no two workers run tasks of one resource at once", Exclusivity),
        property("a resource is bound to at most one worker", OneWorkerPerResource),
        property("a worker is bound to at most one resource", OneResourcePerWorker),
        property("first come, first served in the order of the broker's queue", Fcfs::R1),
        property("first come, first served in the order of the operations on the store", Fcfs::R2),
        property(
            "a task that was handled before another was received is served before it",
            Fcfs::R3,
        ),
        property("each task runs exactly once, or is cancelled", Once),
        property("a task that is queued stays in a reservation until it is released", Kept),
        property("when all is done, no reservation is left", NoLeak),
        property("an update by _id of more than one document stops the process", Loud),
        property("no process waits for ever", NoDeadlock),
        property("no process stops with an error", NoFailure),
    ]
}

/// The properties of the doorway's documents, tokens and turns: in other designs some of them fall
/// because there is no such thing.
#[must_use]
pub fn of_the_doorway() -> Vec<Property> {
    vec![
        property("a list grows at its tail and shrinks at its head, by a task that is done", Queue),
        property("a status goes from waiting to running to an end; who runs is the head", Status),
        property(
            "a binding keeps its worker and token, and a later one has a higher token",
            Tokens,
        ),
        property("a resource that heeds the tokens refuses no run that counts", Fencing),
        property("a task fails only if its worker was lost while it ran", NoFalseFailure),
        property("nobody ends the binding of a worker that is there", NoEviction),
        property(
            "nobody who was heard of since is declared dead, and a heartbeat is told the truth",
            Registry,
        ),
        property("no resource is bound over and over while another waits", Bypass),
        property("a submission takes a bounded number of commands", BoundedDoorway),
        property("without contention a task takes at most 11 commands", Cost),
        property(
            "an operation on one document asks for it by _id, and no scan sends two that wait",
            Targeted,
        ),
    ]
}

/// Every property that a model can ask for of runs without end. Only an engine that keeps the graph
/// can verify it.
#[must_use]
pub fn of_endless_runs() -> Vec<Property> {
    let says = "on every weakly fair run each task finishes some time, or is cancelled";
    vec![Property { says, monitor: Arc::new(NoStarvation) }]
}

/// The properties that are not of one run but of the graph of all states: their names, with what
/// each says. Only an engine that keeps the graph can tell.
pub const OF_GRAPHS: [(&str, &str); 2] = [
    (PROGRESS, "from every state some run comes to an end at which nobody waits"),
    (NO_LIVELOCK, "every weakly fair run comes to an end"),
];

/// Whether a property is one of [`OF_GRAPHS`] or of [`of_endless_runs`].
#[must_use]
pub fn is_of_graphs(name: &str) -> bool {
    OF_GRAPHS.iter().any(|(known, _)| *known == name)
        || of_endless_runs().iter().any(|property| property.name() == name)
}

/// The task, what it needs and the worker of an event of a task.
struct TaskEvent<'a> {
    name: &'a str,
    task: &'a str,
    /// Its resource, or an array of several.
    needs: &'a Value,
    worker: Option<&'a str>,
    /// The token with which it runs, where that is told.
    token: Option<&'a Value>,
    /// Which process of that name, where that is told.
    incarnation: Option<&'a Value>,
}

impl<'a> TaskEvent<'a> {
    fn of(event: &'a Event) -> Option<TaskEvent<'a>> {
        let (task, needs) = (event.text("task")?, event.fields.get("resource")?);
        let (worker, incarnation) = (event.text("worker"), event.fields.get("incarnation"));
        let token = event.fields.get("token");
        Some(TaskEvent { name: &event.name, task, needs, worker, token, incarnation })
    }
}

/// Whether the queue of a lock has an entry of the task.
fn is_queued(store: &Documents<'_>, task: &str) -> bool {
    let mut entries = store.documents(QUEUES).filter_map(|queue| queue.get("entries")?.as_array());
    let is_of =
        |entry: &Value| entry.as_document().is_some_and(|one| text(one, "task_id") == Some(task));
    entries.any(|entries| entries.iter().any(is_of))
}

/// The first resource that is in both of what two tasks need.
fn shared_resource<'a>(needs: &'a Value, others: &Value) -> Option<&'a str> {
    each(needs).find(|one| each(others).any(|other| other == *one))
}

/// The resources that a task needs.
fn each(needs: &Value) -> impl Iterator<Item = &str> {
    needs.as_array().unwrap_or(std::slice::from_ref(needs)).iter().filter_map(Value::as_str)
}

/// The document that a field of an automaton's memory holds, to change in place.
fn field<'a>(memory: &'a mut Document, name: &str) -> &'a mut Document {
    let value = memory.entry(name);
    if value.as_document().is_none() {
        *value = Document::new().into();
    }
    match value {
        Value::Document(document) => document,
        _ => unreachable!("it was made a document above"),
    }
}

/// A text that a document of an automaton's memory holds.
fn text<'a>(memory: &'a Document, name: &str) -> Option<&'a str> {
    memory.get(name)?.as_str()
}

fn shared(text: &str) -> Text {
    text.into()
}
