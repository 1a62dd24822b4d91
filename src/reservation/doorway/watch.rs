//! The watcher: declares workers dead whose heart has stopped.
//!
//! A worker that is slow looks the same as one that is dead, so this may happen to a worker that
//! goes on. What it was about to do in the name of its binding then comes too late; what it does
//! elsewhere, only a resource that heeds the fencing token can refuse.

use std::time::Duration;

use super::schema::{Registration, registrations};
use super::settle::settled;
use crate::env::{Env, Event, forever};
use crate::reservation::ReservationError;
use crate::store::filter::{all, by_id, eq};
use crate::store::{Store, Text};

/// The event that a worker was declared dead.
pub const BURIED: &str = "buried";

/// Watches for ever: declares every worker dead that has not sent a heartbeat within a period.
///
/// No clock is read, and none of two machines compared: a worker is dead if its number of beats is
/// the same after the period as before. So `period` has to be several times that of the heartbeat.
/// One scan a period, and one command for each worker that is declared dead.
///
/// # Errors
///
/// What the store refuses.
pub async fn watch<H: Store + Env>(host: &H, period: Duration) -> Result<(), ReservationError> {
    forever(host, || async {
        let seen = settled(host, || registrations(host).find(all())).await?;
        host.rest(period).await;
        for registration in seen {
            bury(host, &registration).await?;
        }
        Ok(())
    })
    .await
}

/// Declares a worker dead, unless its heart has beaten since it was seen; says whether it did.
///
/// # Errors
///
/// What the store refuses.
pub async fn bury<H: Store + Env>(host: &H, seen: &Registration) -> Result<bool, ReservationError> {
    let buried = settled(host, || async {
        let unchanged =
            by_id(&seen.name).and(eq("incarnation", seen.incarnation)).and(eq("beats", seen.beats));
        registrations(host).delete_one(unchanged).await
    });
    let buried = buried.await? == 1;
    if buried {
        host.observe(Event::new(BURIED).with("worker", &seen.name));
    }
    Ok(buried)
}

/// The registration of a worker, if it is registered.
///
/// # Errors
///
/// What the store refuses.
pub async fn registration<H: Store + Env>(
    host: &H,
    worker: &Text,
) -> Result<Option<Registration>, ReservationError> {
    Ok(settled(host, || registrations(host).find_one(by_id(worker))).await?)
}
