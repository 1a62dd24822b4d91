//! Several resources for one task: two ways that look right, and are not.
//!
//! Each resource has a list of the tasks that need it, in a document of its own, and a task runs when
//! it is at the head of all of its lists. Each list is first come, first served, but no one
//! operation places a task in all of its lists:
//!
//! - [`list_by_list`] appends it to one after another, and then waits: two tasks may stand in two
//!   lists in two orders, and each waits for the other for ever;
//! - [`one_by_one`] appends it to the next only at the head of the one before: then nobody waits in a
//!   circle, but whoever comes later is served before it.
//!
//! What does well is in [`lock`](super::doorway::lock): one list for all.

mod list;
pub mod list_by_list;
pub mod one_by_one;

use std::collections::BTreeSet;

use super::{ReservationError, Task};
use crate::env::Env;
use crate::store::{Store, Text};

/// One of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// See [`list_by_list`].
    ListByList,
    /// See [`one_by_one`].
    OneByOne,
}

impl Way {
    /// Both, with the names that a model calls them by.
    pub const ALL: [(&str, Way); 2] =
        [("several-list-by-list", Way::ListByList), ("several-one-by-one", Way::OneByOne)];

    /// The bounded first part of a reservation.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn enter<H: Store + Env>(
        self,
        host: &H,
        task: &Text,
        resources: &BTreeSet<Text>,
    ) -> Result<(), ReservationError> {
        match self {
            Way::ListByList => list_by_list::enter(host, task, resources).await,
            Way::OneByOne => one_by_one::enter(host, task, resources).await,
        }
    }

    /// Waits until the task has all that it needs.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn turn<H: Store + Env>(
        self,
        host: &H,
        task: &Text,
        resources: &BTreeSet<Text>,
    ) -> Result<(), ReservationError> {
        match self {
            Way::ListByList => list_by_list::turn(host, task, resources).await?,
            Way::OneByOne => one_by_one::turn(host, task, resources).await?,
        }
        host.observe(Task::event_of(Task::STARTED, task, resources).with("worker", task));
        Ok(())
    }

    /// Gives it all back, one after another.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn release<H: Store + Env>(
        self,
        host: &H,
        task: &Text,
        resources: &BTreeSet<Text>,
    ) -> Result<(), ReservationError> {
        host.observe(Task::event_of(Task::FINISHED, task, resources));
        host.observe(Task::event_of(Task::RELEASED, task, resources));
        for resource in resources {
            list::take_off(host, task, resource).await?;
        }
        Ok(())
    }
}
