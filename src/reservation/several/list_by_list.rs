//! A tempting wrong way to several resources: append to each list, then wait for all.
//!
//! Every task goes through the lists in the same order, as one takes locks. But between two of
//! its appends another may come, behind it in one list and before it in the next.

use std::collections::BTreeSet;

use super::list;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::{Store, Text};

/// Appends the task to the list of each resource, one after another.
///
/// # Errors
///
/// What the store refuses.
pub async fn enter<H: Store + Env>(
    host: &H,
    task: &Text,
    resources: &BTreeSet<Text>,
) -> Result<(), ReservationError> {
    for resource in resources {
        list::append(host, task, resource).await?;
    }
    Ok(())
}

/// Waits until the task is at the head of all.
///
/// # Errors
///
/// What the store refuses.
pub async fn turn<H: Store + Env>(
    host: &H,
    task: &Text,
    resources: &BTreeSet<Text>,
) -> Result<(), ReservationError> {
    Ok(list::wait(host, task, resources).await?)
}
