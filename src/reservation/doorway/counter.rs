//! The counter from which every process that registers gets its number.

use serde::Deserialize;

use super::schema::COUNTERS;
use super::settle::settled;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::filter::by_id;
use crate::store::update::inc;
use crate::store::{Returns, Store};

/// The identifier of its document.
pub const INCARNATIONS: &str = "incarnations";

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
pub async fn draw<H: Store + Env>(host: &H) -> Result<i64, ReservationError> {
    let counters = host.collection::<Count>(COUNTERS);
    let drawn = settled(host, || {
        counters.find_one_and_update(by_id(INCARNATIONS), inc("n", 1)).returns(Returns::After)
    });
    drawn.await?.map(|count| count.n).ok_or(ReservationError::NoCounter(INCARNATIONS))
}
