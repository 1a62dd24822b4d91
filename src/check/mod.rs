//! Checking a system: engines that decide which process takes the next step, and what they find.

mod cx;
pub mod engine;
mod messages;
mod monitor;
mod process;
mod property;
mod request;
mod run;
mod system;
mod trace;
mod verdict;
mod world;

pub use cx::Cx;
pub use messages::Messages;
pub use monitor::{End, Monitor, Step};
pub use process::{Body, Process};
pub use property::{Loud, NoDeadlock, NoFailure};
pub use request::{Answer, Request};
pub use run::Outcome;
pub use system::{Commands, System};
pub use trace::{Change, Counterexample, Replay, StaleSchedule, TraceStep};
pub use verdict::{Coverage, Finding, Report, Verdict};
pub use world::{BrokenStore, World};
