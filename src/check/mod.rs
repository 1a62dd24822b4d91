//! Checking a system: engines that decide which process takes the next step, and what they find.

mod atoms;
mod cx;
pub mod engine;
mod fault;
mod front;
mod looks;
mod mailbox;
mod messages;
mod monitor;
pub mod mutation;
mod process;
mod property;
mod request;
#[cfg_attr(
    not(any(feature = "loom", feature = "shuttle")),
    allow(dead_code, reason = "engines on threads use all of it")
)]
mod run;
mod step;
mod strand;
mod system;
pub mod told;
mod trace;
mod verdict;
mod world;

pub use cx::Cx;
pub use fault::Faults;
pub(crate) use fault::{DATABASE, Kind};
pub use front::{Check, Checked, Holds, NoVerdict, View};
pub use messages::Messages;
pub use monitor::{Documents, End, Look, Monitor, Step, Watched};
pub use process::{Body, Done, Process};
pub use property::{Loud, NoDeadlock, NoFailure};
pub use request::{Answer, Request};
pub use run::Outcome;
pub use system::{Commands, Guards, System};
pub use trace::{Asked, Change, Counterexample, Replay, StaleSchedule, TraceStep};
pub use verdict::{Coverage, Finding, Reductions, Report, Verdict};
pub use world::{BrokenStore, World};
