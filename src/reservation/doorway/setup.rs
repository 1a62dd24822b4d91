//! Setting up a database for the doorway.

use super::lock::schema::QUEUES;
use super::schema::{
    COUNTERS, RESERVATIONS, STATUSES, WORKERS, counters, one_reservation_per_worker,
};
use crate::store::{Document, Index, Provision, StoreError};

/// Each collection, with its unique indexes besides the one on `_id`.
#[must_use]
pub fn collections() -> [(&'static str, Vec<Index>); 5] {
    [
        (RESERVATIONS, vec![one_reservation_per_worker()]),
        (WORKERS, Vec::new()),
        (STATUSES, Vec::new()),
        (COUNTERS, Vec::new()),
        (QUEUES, Vec::new()),
    ]
}

/// Makes the collections, their indexes and the counters where they are not there yet. What is there
/// stays as it is, so that this may be done again, by several at once, and be interrupted.
///
/// # Errors
///
/// What [`Provision::provision`] and the store refuse.
pub async fn set_up<P: Provision>(store: &P) -> Result<(), StoreError> {
    for (collection, indexes) in collections() {
        store.provision(collection, &indexes).await?;
    }
    for counter in counters() {
        match store.collection::<Document>(COUNTERS).insert_one(counter).await {
            Err(error) if !error.is_duplicate_key() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
