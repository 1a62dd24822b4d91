//! The designs by name.

use super::schema::one_reservation_per_worker;
use super::{ReservationError, Task, per_task, quiet, read_then_delete, save, story898};
use crate::env::Env;
use crate::store::{Index, Store, Text};

/// A way to reserve and release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Design {
    /// One reservation for each task: see [`per_task`].
    PerTask,
    /// The same, by one active manager at a time: see [`hot_spare`](super::hot_spare).
    HotSpare,
    /// One reservation for each resource: see [`story898`].
    Story898,
    /// Story #898, but a reservation is saved and not inserted: see [`save`].
    Save,
    /// Story #898 without the unique index on `worker_name`.
    NoWorkerIndex,
    /// Story #898, but a release reads and then deletes: see [`read_then_delete`].
    ReadThenDelete,
    /// Story #898, but an update of two documents passes for one of one: see [`quiet`].
    Quiet,
}

impl Design {
    /// Every design, with the name that a model calls it by.
    pub const ALL: [(&str, Design); 7] = [
        ("per-task", Design::PerTask),
        ("hot-spare", Design::HotSpare),
        ("story-898", Design::Story898),
        ("story-898-save", Design::Save),
        ("story-898-no-worker-index", Design::NoWorkerIndex),
        ("story-898-read-then-delete", Design::ReadThenDelete),
        ("story-898-quiet", Design::Quiet),
    ];

    /// The name that a model calls the design by.
    #[must_use]
    pub fn name(self) -> &'static str {
        Design::ALL.iter().find(|(_, design)| *design == self).map_or("", |(name, _)| name)
    }

    /// The unique indexes of the collection of reservations, besides the one on `_id`.
    #[must_use]
    pub fn indexes(self) -> Vec<Index> {
        match self {
            Design::PerTask | Design::HotSpare | Design::NoWorkerIndex => Vec::new(),
            Design::Story898 | Design::Save | Design::ReadThenDelete | Design::Quiet => {
                vec![one_reservation_per_worker()]
            }
        }
    }

    /// Reserves the task's resource, and returns the worker that has to run the task.
    ///
    /// # Errors
    ///
    /// Those of the design.
    pub async fn reserve<H>(self, host: &H, task: &Task) -> Result<Text, ReservationError>
    where
        H: Store + Env,
    {
        match self {
            Design::PerTask | Design::HotSpare => per_task::reserve(host, task).await,
            Design::Save => save::reserve(host, task).await,
            Design::Quiet => quiet::reserve(host, task).await,
            Design::Story898 | Design::NoWorkerIndex | Design::ReadThenDelete => {
                story898::reserve(host, task).await
            }
        }
    }

    /// Releases the task's reservation.
    ///
    /// # Errors
    ///
    /// Those of the design.
    pub async fn release<H>(self, host: &H, task: &Task) -> Result<(), ReservationError>
    where
        H: Store + Env,
    {
        match self {
            Design::PerTask | Design::HotSpare => per_task::release(host, task).await,
            Design::ReadThenDelete => read_then_delete::release(host, task).await,
            Design::Story898 | Design::Save | Design::NoWorkerIndex | Design::Quiet => {
                story898::release(host, task).await
            }
        }
    }
}
