//! A queue, and how to enter it.

use std::fmt;

use super::entry::Open;
use super::schema::{Entry, QueueDocument, queues};
use super::{Place, Turn};
use crate::env::{Env, distil};
use crate::reservation::doorway::registry::register;
use crate::reservation::doorway::settle::settled;
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq, ne};
use crate::store::update::push;
use crate::store::{ReadConcern, Store, StoreError, Text};

/// A queue of tasks that need resources for themselves alone, by its name.
pub struct Queue<'a, H> {
    pub(super) host: &'a H,
    pub(super) name: Text,
}

impl<H> fmt::Debug for Queue<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the queue {}", self.name)
    }
}

impl<H> Clone for Queue<'_, H> {
    fn clone(&self) -> Self {
        Queue { host: self.host, name: self.name.clone() }
    }
}

impl<'a, H: Store + Env> Queue<'a, H> {
    /// The queue of this name. No command: a queue is there once somebody enters it.
    pub fn new(host: &'a H, name: impl Into<Text>) -> Queue<'a, H> {
        Queue { host, name: name.into() }
    }

    /// Waits until it is the task's turn to use the resource: see [`Queue::reserve_all`].
    ///
    /// # Errors
    ///
    /// As [`Queue::reserve_all`].
    pub async fn reserve(
        &self,
        task: impl Into<Text>,
        resource: impl Into<Text>,
    ) -> Result<Turn<'a, H>, ReservationError> {
        self.reserve_all(task, [resource]).await
    }

    /// Waits until it is the task's turn to use all of these resources: [`Queue::enter`], then
    /// [`Place::turn`]. Without contention five commands, and two for the release.
    ///
    /// It waits as long as those before it take; see [`Place::turn_within`] for a limit. Dropping
    /// the future is safe: see [`Place`].
    ///
    /// # Errors
    ///
    /// As [`Queue::enter`] and [`Place::turn`].
    pub async fn reserve_all<R: Into<Text>>(
        &self,
        task: impl Into<Text>,
        resources: impl IntoIterator<Item = R>,
    ) -> Result<Turn<'a, H>, ReservationError> {
        self.enter(task, resources).await?.turn().await
    }

    /// The doorway: when this returns, the task is in the queue, behind every one whose entering had
    /// ended before this one began. Three commands.
    ///
    /// A task is in a queue once: to enter anew, as after a crash, ends an earlier place or turn
    /// of the same task in this queue, as if its owner had been declared dead.
    ///
    /// # Errors
    ///
    /// [`ReservationError::Superseded`] where the same task has entered anew meanwhile,
    /// [`ReservationError::NoCounter`] where the counters are not set up, and what the store
    /// refuses. Nobody waits for a task of which this was told: the sweep takes it off, if it is
    /// there.
    pub async fn enter<R: Into<Text>>(
        &self,
        task: impl Into<Text>,
        resources: impl IntoIterator<Item = R>,
    ) -> Result<Place<'a, H>, ReservationError> {
        let task_id = task.into();
        let name = self.owner_of(&task_id);
        let owner = distil(self.host, || register(self.host, &name)).await?;
        let resources = resources.into_iter().map(Into::into).collect();
        let entry = Entry { owner: owner.number, task_id, resources };
        let open = Open::new(self.clone(), owner, entry);
        while !distil(self.host, || self.append(&open.entry)).await? {}
        self.host.observe(open.entry.event(Task::QUEUED));
        Ok(Place::new(open))
    }

    /// The name under which the owner of a task registers.
    pub(super) fn owner_of(&self, task: &Text) -> Text {
        format!("{}/{task}", self.name).into()
    }

    /// Appends the entry, unless it is there; `false` where another made the queue meanwhile.
    async fn append(&self, entry: &Entry) -> Result<bool, ReservationError> {
        let document = crate::store::to_document(entry)?;
        let queues = queues::<H, QueueDocument>(self.host);
        let appended = settled(self.host, || {
            let absent = by_id(&self.name).and(ne("entries.owner", entry.owner));
            let update = push("entries", document.clone()).set_on_insert("token", 0);
            queues.update_one(absent, update).upsert(true)
        });
        match appended.await {
            Ok(_) => Ok(true),
            Err(error) if error.is_duplicate_key() => {
                let committed = queues.clone().read_concern(ReadConcern::Linearizable);
                let there = || {
                    let entered = by_id(&self.name).and(eq("entries.owner", entry.owner));
                    committed.find_one(entered)
                };
                Ok(settled(self.host, there).await?.is_some())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The queue as it is, if it is there.
    pub(super) async fn read(&self) -> Result<Option<QueueDocument>, StoreError> {
        let queues = queues::<H, QueueDocument>(self.host);
        settled(self.host, || queues.find_one(by_id(&self.name))).await
    }
}
