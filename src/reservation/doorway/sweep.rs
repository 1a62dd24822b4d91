//! The sweep: frees the resources of workers that are gone.

use super::schema::{Bound, registrations, reservations};
use super::settle::settled;
use crate::env::{Env, Wake, forever};
use crate::reservation::ReservationError;
use crate::store::filter::{by_id, eq, exists};
use crate::store::update::{Update, unset};
use crate::store::{Projection, Store};

/// Sweeps for ever. Any number may do so at once.
///
/// # Errors
///
/// What the store refuses.
pub async fn sweep<H: Store + Env>(host: &H) -> Result<(), ReservationError> {
    forever(host, || async {
        pass(host).await?;
        host.idle(Wake::Changed).await;
        Ok(())
    })
    .await
}

/// Frees each resource whose worker is not registered. One scan, one command for each resource
/// that is bound, and one for each that is freed.
///
/// The reservation is read first, then the worker: a worker that is missing then was missing while
/// the binding was there, or has ended it itself.
///
/// # Errors
///
/// What the store refuses.
pub async fn pass<H: Store + Env>(host: &H) -> Result<(), ReservationError> {
    let bound = settled(host, || {
        let reservations = reservations::<H, Bound>(host);
        reservations.find(exists("worker_name")).projection(binding())
    });
    for bound in bound.await? {
        let worker = || registrations(host).find_one(by_id(&bound.worker_name));
        if settled(host, worker).await?.is_none() {
            free(host, &bound).await?;
        }
    }
    Ok(())
}

/// Takes the worker off the reservation, if this binding has not ended: the resource waits again.
///
/// # Errors
///
/// What the store refuses.
pub(super) async fn free<H: Store + Env>(host: &H, bound: &Bound) -> Result<(), ReservationError> {
    settled(host, || {
        let reservations = reservations::<H, Bound>(host);
        let still = by_id(&bound.resource_id).and(eq("token", bound.token));
        reservations.update_one(still, waits_since(unset("worker_name"), bound.token))
    })
    .await?;
    Ok(())
}

/// Ends a binding. The wait that begins is named after it: no other binding has its token, and the
/// resource comes before those that began to wait while it was bound.
pub(super) fn waits_since(update: Update, token: i64) -> Update {
    update.unset("token").set("turn", token)
}

/// Of a reservation what a binding is; the tasks are not asked for.
pub(super) fn binding() -> Projection {
    Projection::Include(["worker_name", "token"].map(Into::into).into())
}
