//! An entry of a queue, in the hands of its owner.

use std::fmt;

use super::Queue;
use super::schema::Entry;
use crate::env::{Env, Event};
use crate::reservation::doorway::registry::{Incarnation, deregister};
use crate::reservation::{ReservationError, Task};
use crate::store::Store;

/// The event that an owner has dropped a place or a turn and not given it up: those behind it wait
/// until the watcher finds that the owner's heart has stopped, and the sweep takes the entry off.
pub const ABANDONED: &str = "abandoned";

/// An entry that its owner has to take off the queue. If it is dropped first, it warns.
pub(super) struct Open<'a, H: Env> {
    pub(super) queue: Queue<'a, H>,
    pub(super) owner: Incarnation,
    pub(super) entry: Entry,
    is_open: bool,
}

impl<'a, H: Store + Env> Open<'a, H> {
    pub(super) fn new(queue: Queue<'a, H>, owner: Incarnation, entry: Entry) -> Open<'a, H> {
        Open { queue, owner, entry, is_open: true }
    }

    /// Takes the entry off the queue, then ends the registration; whether the owner was registered
    /// all the time, so that nobody has taken the entry off before.
    pub(super) async fn close(mut self) -> Result<bool, ReservationError> {
        self.queue.take_off(self.owner.number).await?;
        let registered = deregister(self.queue.host, &self.owner).await?;
        self.is_open = false;
        Ok(registered)
    }

    /// The owner was declared dead, or the same task has entered anew: the entry is not its own.
    pub(super) fn lost(mut self) -> ReservationError {
        self.is_open = false;
        ReservationError::Lost(self.entry.task_id.clone())
    }
}

impl Entry {
    /// An event of this entry's task.
    pub(super) fn event(&self, name: &str) -> Event {
        Task::event_of(name, &self.task_id, &self.resources)
    }

    /// The events that the task runs no more, and has given back what it had.
    pub(super) fn finished(&self) -> [Event; 2] {
        [Task::FINISHED, Task::RELEASED].map(|name| self.event(name))
    }
}

impl<H: Env> Drop for Open<'_, H> {
    fn drop(&mut self) {
        if self.is_open {
            self.queue.host.observe(self.entry.event(ABANDONED));
        }
    }
}

impl<H: Env> fmt::Debug for Open<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:?}", self.entry.task_id, self.queue)
    }
}
