//! What Pulp 2.10 shipped in the place of story #898: one active resource manager, and hot spares.
//!
//! After `ResourceManagerLock` of Pulp 2.10. There is one lock document, and the manager whose name
//! it bears is active; the others wait until it is gone. So one manager at a time makes the
//! reservations, which are those of [`per_task`](super::per_task). The document is deleted by
//! whoever declares its manager dead; and the manager, which may be alive, is not asked.

use serde::{Deserialize, Serialize};

use super::manager::{self, Statuses};
use super::{Design, ReservationError};
use crate::env::{Env, Host, Wake};
use crate::store::filter::eq;
use crate::store::{Collection, Store, Text};

/// The collection of the lock.
pub const LOCKS: &str = "resource_manager_lock";

/// The lock: one document, since its `_id` is always the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerLock {
    /// Always [`ManagerLock::ID`].
    #[serde(rename = "_id")]
    pub id: Text,
    /// The manager that is active.
    pub manager: Text,
}

impl ManagerLock {
    /// The identifier of the one document.
    pub const ID: &str = "locked";
}

/// Waits to be the active manager, and then handles one task after another, for ever.
///
/// # Errors
///
/// As [`manager::serve`].
pub async fn serve<H: Host>(
    host: &H,
    name: &Text,
    statuses: Statuses,
) -> Result<(), ReservationError> {
    // What an earlier process of this name has left behind.
    depose(host, name).await?;
    become_active(host, name).await?;
    manager::serve(host, Design::HotSpare, statuses).await
}

/// A spare has nothing to get done while it waits.
async fn become_active<H: Store + Env>(host: &H, name: &Text) -> Result<(), ReservationError> {
    let lock = ManagerLock { id: ManagerLock::ID.into(), manager: name.clone() };
    let mark = host.mark();
    loop {
        match locks(host).insert_one(&lock).await {
            Err(error) if error.is_duplicate_key() => host.idle(Wake::Changed).await,
            done => return Ok(done?),
        }
        host.again(mark);
    }
}

/// Declares a manager dead: a spare becomes active.
///
/// # Errors
///
/// What the store refuses.
pub async fn depose<H: Store>(host: &H, manager: &Text) -> Result<(), ReservationError> {
    locks(host).delete_one(eq("manager", manager)).await?;
    Ok(())
}

fn locks<H: Store>(host: &H) -> Collection<'_, H, ManagerLock> {
    host.collection(LOCKS)
}
