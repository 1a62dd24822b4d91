//! A turn: what a task has waited for.

use std::fmt;
use std::future::Future;

use super::entry::Open;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::reservation::doorway::worker::beat;
use crate::store::Store;

/// A task's turn to use its resources.
///
/// It is a lease: an owner that is not heard of for as long as the watcher's period is declared
/// dead, and the next one's turn comes. So work that may take longer belongs in [`Turn::keep`].
///
/// To drop it without [`Turn::release`] is safe, and slow for others, as with a
/// [`Place`](super::Place); it is told as the event [`ABANDONED`](super::ABANDONED).
#[must_use = "those behind wait until it is released"]
pub struct Turn<'a, H: Env> {
    open: Open<'a, H>,
    token: i64,
}

impl<H: Env> fmt::Debug for Turn<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the turn {} of {:?}", self.token, self.open)
    }
}

impl<'a, H: Store + Env> Turn<'a, H> {
    pub(super) fn new(open: Open<'a, H>, token: i64) -> Turn<'a, H> {
        Turn { open, token }
    }

    /// The fencing token: everything that the task does to its resources should carry it, and a
    /// resource should refuse one lower than it has seen. Higher than that of any task in this
    /// queue that had one of these resources before.
    #[must_use]
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Does some work, and says meanwhile that the owner is alive. One command each
    /// [`HEARTBEAT`](crate::reservation::doorway::worker::HEARTBEAT).
    ///
    /// # Errors
    ///
    /// [`ReservationError::Lost`] where the owner was declared dead, or the same task has entered
    /// anew. The work is stopped then where it is.
    pub async fn keep<T: Send>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, ReservationError> {
        let Open { queue, owner, entry, .. } = &self.open;
        let done = queue.host.beside(beat(queue.host, owner), work).await;
        done.ok_or_else(|| ReservationError::Lost(entry.task_id.clone()))
    }

    /// Gives the resources back, all at one moment. Two commands.
    ///
    /// `true`: no other task has had one of them before this. `false`: the owner was declared dead, and
    /// another may have, or an answer of the store was lost and it cannot be told. What was done
    /// then counts only where a resource has taken it with the token.
    ///
    /// # Errors
    ///
    /// What the store refuses; the turn is abandoned then, for the sweep.
    pub async fn release(self) -> Result<bool, ReservationError> {
        let Open { queue, entry, .. } = &self.open;
        entry.finished().into_iter().for_each(|event| queue.host.observe(event));
        self.open.close().await
    }
}
