//! The engines: each decides, in its own way, which process takes the next step.
//!
//! They share what a step is, so they can be held against each other: on a system that two of
//! them exhaust, the sets of outcomes are equal.

pub mod explore;
#[cfg(feature = "loom")]
pub mod loom;
mod options;
#[cfg(feature = "shuttle")]
pub mod shuttle;
#[cfg(feature = "loom")]
mod sleep;
#[cfg(any(feature = "loom", feature = "shuttle"))]
mod tally;
#[cfg(any(feature = "loom", feature = "shuttle"))]
mod threads;

pub use options::{Cancel, Limits, Options, Progress, Sabotage};
