//! The counters: where numbers come from.

use serde::Deserialize;

use super::schema::COUNTERS;
use super::settle::settled;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::filter::by_id;
use crate::store::update::inc;
use crate::store::{Returns, Store};

/// A counter, one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Of the tokens of bindings.
    Tokens,
    /// Of the processes that ever registered as workers.
    Incarnations,
}

/// Every counter.
pub const ALL: [Counter; 2] = [Counter::Tokens, Counter::Incarnations];

impl Counter {
    /// The identifier of its document.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Counter::Tokens => "tokens",
            Counter::Incarnations => "incarnations",
        }
    }
}

#[derive(Deserialize)]
struct Count {
    n: i64,
}

/// Draws a number higher than any that was drawn before. One command; a number may be left out,
/// none comes twice.
///
/// # Errors
///
/// [`ReservationError::NoCounter`] where the counter is not there.
pub async fn draw<H: Store + Env>(host: &H, counter: Counter) -> Result<i64, ReservationError> {
    let counters = host.collection::<Count>(COUNTERS);
    let drawn = settled(host, || {
        counters.find_one_and_update(by_id(counter.id()), inc("n", 1)).returns(Returns::After)
    });
    drawn.await?.map(|count| count.n).ok_or(ReservationError::NoCounter(counter.id()))
}

/// The last number that was drawn: every one that is drawn from now on is higher. One command.
///
/// # Errors
///
/// [`ReservationError::NoCounter`] where the counter is not there.
pub async fn last<H: Store + Env>(host: &H, counter: Counter) -> Result<i64, ReservationError> {
    let counters = host.collection::<Count>(COUNTERS);
    let read = settled(host, || counters.find_one(by_id(counter.id())));
    read.await?.map(|count| count.n).ok_or(ReservationError::NoCounter(counter.id()))
}
