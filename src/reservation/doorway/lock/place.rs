//! A place in a queue: waiting for one's turn.

use std::fmt;
use std::time::Duration;

use super::Turn;
use super::entry::Open;
use super::schema::{Token, queues};
use crate::env::{Env, Wake, distil, until};
use crate::reservation::doorway::settle::settled;
use crate::reservation::doorway::worker::beat;
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq};
use crate::store::update::inc;
use crate::store::{Projection, Returns, Store};

/// A task's place in a queue.
///
/// To drop it, or the future of one of its methods, is safe, and slow for others: those behind wait
/// until the watcher has declared the owner dead, and the sweep has taken the entry off. It is told
/// as the event [`ABANDONED`](super::ABANDONED). [`Place::leave`] is at once.
#[must_use = "those behind wait for it: take the turn, or leave"]
pub struct Place<'a, H: Env> {
    open: Open<'a, H>,
}

/// Why waiting has ended without a turn.
enum Ended {
    Lost,
    Error(ReservationError),
}

impl<E: Into<ReservationError>> From<E> for Ended {
    fn from(error: E) -> Ended {
        Ended::Error(error.into())
    }
}

impl<H: Env> fmt::Debug for Place<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a place of {:?}", self.open)
    }
}

impl<'a, H: Store + Env> Place<'a, H> {
    pub(super) fn new(open: Open<'a, H>) -> Place<'a, H> {
        Place { open }
    }

    /// Waits for the turn, and says meanwhile that the owner is alive. One command whenever it looks,
    /// and one more when the turn has come.
    ///
    /// # Errors
    ///
    /// [`ReservationError::Lost`] where the owner was declared dead, or the same task has entered
    /// anew: enter again, at the end of the queue. Else what the store refuses; the place is
    /// abandoned then, for the sweep.
    pub async fn turn(self) -> Result<Turn<'a, H>, ReservationError> {
        let token = distil(self.open.queue.host, || self.wait()).await;
        self.began(token)
    }

    /// The same, but leaves the queue where the turn has not come within this time: `None`.
    ///
    /// # Errors
    ///
    /// As [`Place::turn`] and [`Place::leave`].
    pub async fn turn_within(
        self,
        limit: Duration,
    ) -> Result<Option<Turn<'a, H>>, ReservationError> {
        let host = self.open.queue.host;
        let waited = host.beside(host.rest(limit), self.wait()).await;
        match waited {
            Some(token) => self.began(token).map(Some),
            None => self.leave().await.map(|()| None),
        }
    }

    /// Gives the place up; those behind move up at once. Two commands.
    ///
    /// # Errors
    ///
    /// What the store refuses; the place is abandoned then, for the sweep.
    pub async fn leave(self) -> Result<(), ReservationError> {
        self.open.queue.host.observe(self.open.entry.event(Task::CANCELLED));
        self.open.close().await.map(|_| ())
    }

    fn began(self, token: Result<i64, Ended>) -> Result<Turn<'a, H>, ReservationError> {
        match token {
            Ok(token) => Ok(Turn::new(self.open, token)),
            Err(Ended::Lost) => Err(self.open.lost()),
            Err(Ended::Error(error)) => Err(error),
        }
    }

    async fn wait(&self) -> Result<i64, Ended> {
        let Open { queue, owner, .. } = &self.open;
        let turn = until(queue.host, || async {
            match self.look().await {
                Ok(Some(token)) => Ok(Ok(token)),
                Ok(None) => Err(Wake::Changed),
                Err(ended) => Ok(Err(ended)),
            }
        });
        queue.host.beside(beat(queue.host, owner), turn).await.unwrap_or(Err(Ended::Lost))
    }

    /// Looks whether the turn has come, and takes it; `None` where it has not.
    async fn look(&self) -> Result<Option<i64>, Ended> {
        let queue = self.open.queue.read().await?;
        match queue.and_then(|queue| queue.is_turn_of(self.open.owner.number)) {
            None => Err(Ended::Lost),
            Some(false) => Ok(None),
            Some(true) => self.take().await.map(Some),
        }
    }

    /// Draws the token of the turn, which has come, if the entry is still there. So it is higher than
    /// that of any entry that had to go before this one's turn came.
    async fn take(&self) -> Result<i64, Ended> {
        let Open { queue, owner, entry, .. } = &self.open;
        let drawn = settled(queue.host, || {
            let still = by_id(&queue.name).and(eq("entries.owner", owner.number));
            queues::<H, Token>(queue.host)
                .find_one_and_update(still, inc("token", 1))
                .returns(Returns::After)
                .projection(Projection::Include(vec!["token".into()]))
        });
        let Token { token } = drawn.await?.ok_or(Ended::Lost)?;
        let started = entry.event(Task::STARTED).with("worker", &owner.name);
        queue.host.observe(started.with("token", token));
        Ok(token)
    }
}
