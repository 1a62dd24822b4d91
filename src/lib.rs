//! Deterministic simulation and model checking for concurrent code on a document database.

pub mod store;
