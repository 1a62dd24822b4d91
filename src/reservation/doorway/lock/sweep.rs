//! The sweep of a queue: takes the entries off whose owners are gone.

use super::Queue;
use super::schema::{QueueDocument, queues};
use crate::env::{Env, Wake, forever};
use crate::reservation::doorway::registry::{Incarnation, Standing, standing};
use crate::reservation::doorway::settle::settled;
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq};
use crate::store::update::pull_matching;
use crate::store::{Store, StoreError};

impl<H: Store + Env> Queue<'_, H> {
    /// Sweeps for ever. Any number may do so at once.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn sweep(&self) -> Result<(), ReservationError> {
        forever(self.host, || async {
            self.sweep_once().await?;
            self.host.idle(Wake::Changed).await;
            Ok(())
        })
        .await
    }

    /// Takes each entry off whose owner is not registered. One command, one for each entry, and one
    /// for each that is taken off.
    ///
    /// The queue is read first, then who is registered: an owner registers before it enters, so one
    /// that is missing then is gone.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn sweep_once(&self) -> Result<(), ReservationError> {
        let Some(queue) = self.read().await? else { return Ok(()) };
        for entry in queue.entries {
            let owner = Incarnation { name: self.owner_of(&entry.task_id), number: entry.owner };
            let gone = standing(self.host, &owner).await? != Standing::Current;
            if gone && self.take_off(entry.owner).await? {
                self.host.observe(entry.event(Task::FAILED));
            }
        }
        Ok(())
    }

    /// Takes the entry of an owner off; `false` where it is not there.
    pub(super) async fn take_off(&self, owner: i64) -> Result<bool, StoreError> {
        let taken = settled(self.host, || {
            let off = pull_matching("entries", eq("owner", owner));
            queues::<H, QueueDocument>(self.host).update_one(by_id(&self.name), off)
        });
        Ok(taken.await?.modified == 1)
    }
}
