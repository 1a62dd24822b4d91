//! Engines.

pub mod explore;
