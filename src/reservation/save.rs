//! A tempting wrong variant of story #898: `save()`, as mongoengine does it.
//!
//! The story's sketch creates a reservation with `ReservedResource(...).save()`. In mongoengine
//! that is, for a document whose primary key is set, a replacement by `_id` with upsert and not
//! an insert: of two managers the second silently overwrites the reservation of the first.

use super::schema::{ReservedResource, reservations};
use super::{ReservationError, Task, story898};
use crate::env::Env;
use crate::store::filter::by_id;
use crate::store::{Store, Text};

/// As [`story898::reserve`], but a new reservation is saved and not inserted.
///
/// # Errors
///
/// As [`story898::reserve`].
pub async fn reserve<H: Store + Env>(host: &H, task: &Task) -> Result<Text, ReservationError> {
    story898::reserve_with(host, task, story898::one_or_none, save).await
}

async fn save<H: Store>(host: &H, reservation: ReservedResource) -> Result<bool, ReservationError> {
    let id = by_id(&reservation.resource_id);
    match reservations(host).replace_one(id, reservation).upsert(true).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_duplicate_key() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
