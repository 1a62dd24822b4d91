//! Deterministic simulation and model checking for concurrent code on a document database.

pub mod check;
pub mod env;
pub mod model;
pub mod report;
pub mod reservation;
pub mod store;
