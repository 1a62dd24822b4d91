//! The lock: for those who want no worker, only their turn.
//!
//! A [`Queue`] is one document, `{_id, entries: [{owner, task_id, resources}], token}`. An entry waits
//! for those before it that share a resource with it, and for no other; so a task may need several
//! resources, which are its own at one moment and free again at one moment. To append an entry is
//! the doorway: one atomic operation places it among all others, whatever resources they need, and
//! that is what makes it first come, first served and free of deadlock. Two ways that seem to do as
//! well are in [`several`](crate::reservation::several), with what they break.
//!
//! | step | by | command |
//! |---|---|---|
//! | [`Queue::enter`] | the caller | draw a number; register under it; append the entry |
//! | [`Place::turn`] | | read the queue, until no entry before shares a resource; count the token up, if the entry is still there |
//! | [`Turn::release`] | | delete the registration; take the entry off |
//! | [`Queue::sweep`] | anyone, for ever | take an entry off whose owner is not registered any more |
//! | [`watch`](super::watch) | anyone, for ever | delete the registration of an owner whose heart has stopped |
//!
//! Only the caller can run its entry, so an entry carries its owner, and an owner that is gone must
//! not stop those behind it: whoever waits says meanwhile that it is alive, as does whoever holds a
//! turn within [`Turn::keep`], and of those who do not the watcher and the sweep clear the queue.
//! That is why these queues are apart from the reservations for which workers come.
//!
//! ```
//! # use std::time::Duration;
//! use doorway::env::live::Live;
//! use doorway::reservation::doorway::{lock::Queue, schema};
//! use doorway::store::memory::{MemoryStore, State};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), doorway::reservation::ReservationError> {
//! let mut state = State::new();
//! for counter in schema::counters() {
//!     state.insert(schema::COUNTERS, counter)?;
//! }
//! let host = Live::new(MemoryStore::with_state(state));
//!
//! let queue = Queue::new(&host, "printers");
//! let turn = queue.reserve("report-7", "laser").await?;
//! let pages = turn.keep(async { /* prints, with turn.token() */ 12 }).await?;
//! assert!(turn.release().await?, "nobody else has printed meanwhile");
//!
//! let both = queue.reserve_all("poster-1", ["laser", "plotter"]).await?;
//! let place = queue.enter("report-8", ["laser"]).await?;
//! let waited = place.turn_within(Duration::from_millis(10)).await?;
//! assert!(waited.is_none(), "the laser is the poster's, and the report has left the queue");
//! both.release().await?;
//! # assert_eq!(pages, 12);
//! # Ok(())
//! # }
//! ```
//!
//! # The token
//!
//! It is counted up after the entry's turn has come and while the entry is in the queue. So of two
//! tasks that need one resource the later has the higher one, and of all that is done with an older
//! token nothing is wanted any more: a *fencing token*. An owner that was declared dead and goes on
//! can be stopped by the resource only, if it refuses a token lower than one that it has seen.
//!
//! # What it does not give
//!
//! A task whose owner is lost is not run by another: that is what [workers](super::worker) are for. A
//! queue is one document, which every caller writes: resources that no task needs together are
//! better in queues of their own.

mod entry;
mod place;
mod queue;
pub mod schema;
mod sweep;
mod turn;

pub use entry::ABANDONED;
pub use place::Place;
pub use queue::Queue;
pub use turn::Turn;
