//! A tempting wrong variant of story #898: the number of updated documents is not looked at twice.
//!
//! The story asks for a loud exception where an update by `_id` reports neither 0 nor 1 documents.
//! Here anything but 0 is taken for 1, so a store that breaks its promise goes unnoticed.

use super::story898::{insert, reserve_with};
use super::{ReservationError, Task};
use crate::env::Env;
use crate::store::{Store, Text, Updated};

/// As [`super::story898::reserve`], but an update of two documents passes for one of one.
///
/// # Errors
///
/// What the store refuses.
pub async fn reserve<H: Store + Env>(host: &H, task: &Task) -> Result<Text, ReservationError> {
    reserve_with(host, task, any, insert).await
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a check that can fail should be")]
fn any(_: &Task, updated: &Updated) -> Result<bool, ReservationError> {
    Ok(updated.matched > 0)
}
