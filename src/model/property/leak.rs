//! No leak: a reservation does not outlive its tasks.

use crate::check::{End, Monitor, Step};
use crate::reservation::schema::RESERVATIONS;
use crate::store::Document;

/// `no-leak`: when all is done, no reservation is left.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLeak;

impl Monitor for NoLeak {
    fn name(&self) -> &str {
        "no-leak"
    }

    fn step(&self, _: &mut Document, _: &Step<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&self, _: &Document, end: &End<'_>) -> Result<(), String> {
        match end.world.store.documents(RESERVATIONS).next() {
            None => Ok(()),
            Some(reservation) => Err(format!("all is done, and {reservation} is left")),
        }
    }
}
