//! The sweep: frees the resources of workers that are gone.

use super::registry::registered;
use super::schema::{Binding, RESERVATIONS};
use super::settle::settled;
use crate::env::{Env, Wake, forever};
use crate::reservation::ReservationError;
use crate::store::filter::{by_id, eq, exists};
use crate::store::update::unset;
use crate::store::{Collection, Projection, ReadConcern, Store};

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

/// Frees each resource whose worker is not registered. One scan, one linearizable read for each resource
/// that is bound, and one command for each that is freed.
///
/// The reservation is read first, then the worker: a worker that is missing then was missing while
/// the binding was there, or has ended it itself.
///
/// # Errors
///
/// What the store refuses.
pub async fn pass<H: Store + Env>(host: &H) -> Result<(), ReservationError> {
    let bound =
        settled(host, || bindings(host).find(exists("worker_name")).projection(of_binding()));
    for binding in bound.await? {
        let Some(worker) = &binding.worker_name else { continue };
        if registered(host, worker).await?.is_none() {
            free(host, &binding).await?;
        }
    }
    Ok(())
}

/// Takes the worker off the reservation, if this binding has not ended: the resource waits again.
///
/// # Errors
///
/// What the store refuses.
pub(super) async fn free<H: Store + Env>(
    host: &H,
    binding: &Binding,
) -> Result<(), ReservationError> {
    settled(host, || {
        let still = by_id(&binding.resource_id).and(eq("token", binding.token));
        bindings(host).update_one(still, unset("worker_name"))
    })
    .await?;
    Ok(())
}

/// The reservations, as far as they say who is bound to what. What is read was acknowledged by a majority:
/// the token of a binding that a failover takes back is given again.
pub(super) fn bindings<H: Store>(host: &H) -> Collection<'_, H, Binding> {
    host.collection(RESERVATIONS).read_concern(ReadConcern::Majority)
}

/// Of a reservation what a binding is; the tasks are not asked for.
pub(super) fn of_binding() -> Projection {
    Projection::Include(["worker_name", "token"].map(Into::into).into())
}
