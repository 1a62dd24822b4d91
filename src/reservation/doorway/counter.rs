//! The counter: where every number comes from.

use serde::Deserialize;

use super::schema::COUNTERS;
use super::settle::settled;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::filter::by_id;
use crate::store::update::inc;
use crate::store::{Returns, Store};

/// The identifier of the one counter.
pub const ID: &str = "numbers";

#[derive(Deserialize)]
struct Drawn {
    n: i64,
}

/// Draws a number higher than any that was drawn before. One command; a number may be left out,
/// none comes twice.
///
/// # Errors
///
/// [`ReservationError::NoCounter`] where the counter is not there.
pub async fn draw<H: Store + Env>(host: &H) -> Result<i64, ReservationError> {
    let counters = host.collection::<Drawn>(COUNTERS);
    let drawn = settled(host, || {
        counters.find_one_and_update(by_id(ID), inc("n", 1)).returns(Returns::After)
    });
    drawn.await?.map(|drawn| drawn.n).ok_or(ReservationError::NoCounter)
}
