//! A tempting wrong way to several resources: take one after another, in order.
//!
//! Every task takes its resources in the same order, so nobody waits in a circle. But while it waits
//! for the first it is in no list of the others, and who comes meanwhile is before it there. To
//! enter the first list is all that it can do without waiting: its doorway.

use std::collections::BTreeSet;

use super::list;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::{Store, Text};

/// Appends the task to the list of its first resource.
///
/// # Errors
///
/// What the store refuses.
pub async fn enter<H: Store + Env>(
    host: &H,
    task: &Text,
    resources: &BTreeSet<Text>,
) -> Result<(), ReservationError> {
    match resources.first() {
        Some(first) => Ok(list::append(host, task, first).await?),
        None => Ok(()),
    }
}

/// Waits until the task is at the head of a list, then goes on to the next.
///
/// # Errors
///
/// What the store refuses.
pub async fn turn<H: Store + Env>(
    host: &H,
    task: &Text,
    resources: &BTreeSet<Text>,
) -> Result<(), ReservationError> {
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            list::append(host, task, resource).await?;
        }
        list::wait(host, task, [resource]).await?;
    }
    Ok(())
}
