//! A task, the messages that carry it, and the events that tell how far it is.

use serde::{Deserialize, Serialize};

use crate::env::Event;
use crate::store::{Document, Text, Value};

use super::ReservationError;

/// A unit of work that needs a resource for itself alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// The identifier; each task has another one.
    pub id: Text,
    /// The resource that no other task may use meanwhile.
    pub resource: Text,
}

impl Task {
    /// A task of that identifier for that resource.
    #[must_use]
    pub fn new(id: impl Into<Text>, resource: impl Into<Text>) -> Task {
        Task { id: id.into(), resource: resource.into() }
    }

    /// The message that carries the task.
    #[must_use]
    pub fn message(&self) -> Document {
        Document::new().with("task_id", &self.id).with("resource_id", &self.resource)
    }

    /// The task that a message carries.
    ///
    /// # Errors
    ///
    /// [`ReservationError::Message`] where it carries none.
    pub fn from_message(message: &Document) -> Result<Task, ReservationError> {
        let text = |field: &str| match message.get(field) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(ReservationError::Message(format!("{message} has no {field}"))),
        };
        Ok(Task { id: text("task_id")?, resource: text("resource_id")? })
    }
}

/// The events of a task, by name. The properties of the reservation are said over these.
impl Task {
    /// A submitter handed the task to the broker.
    pub const ENQUEUED: &str = "enqueued";
    /// A manager has taken the task from the broker.
    pub const RECEIVED: &str = "received";
    /// One atomic operation on the store has put the task in its place.
    pub const QUEUED: &str = "queued";
    /// The manager has handled the task and acknowledged it to the broker.
    pub const HANDLED: &str = "handled";
    /// The task starts to run.
    pub const STARTED: &str = "started";
    /// The task has given its reservation back.
    pub const RELEASED: &str = "released";
    /// The task has run.
    pub const FINISHED: &str = "finished";
    /// The task failed: its worker was lost while it ran, or the run has said so.
    pub const FAILED: &str = "failed";
    /// The task will not run, or what it does no longer counts.
    pub const CANCELLED: &str = "cancelled";

    /// An event of this task.
    #[must_use]
    pub fn event(&self, name: &str) -> Event {
        Event::new(name).with("task", &self.id).with("resource", &self.resource)
    }

    /// An event of a task that needs these resources: an array of them where they are not one.
    #[must_use]
    pub fn event_of<'a>(
        name: &str,
        task: &Text,
        resources: impl IntoIterator<Item = &'a Text>,
    ) -> Event {
        let mut resources: Vec<Value> = resources.into_iter().map(Value::from).collect();
        let needs = match resources.len() {
            1 => resources.remove(0),
            _ => resources.into(),
        };
        Event::new(name).with("task", task).with("resource", needs)
    }

    /// An event of this task on a worker.
    #[must_use]
    pub fn event_on(&self, name: &str, worker: &Text) -> Event {
        self.event(name).with("worker", worker)
    }
}
