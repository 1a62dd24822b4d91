//! The command line.

mod args;
mod check;
#[cfg(all(unix, feature = "mongo"))]
mod database;
mod list;
mod models;
mod mutants;
mod output;
mod progress;
mod replay;
mod room;
mod save;
#[cfg(all(unix, feature = "mongo"))]
mod soak;
#[cfg(not(all(unix, feature = "mongo")))]
mod without;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Subcommand};
#[cfg(all(unix, feature = "mongo"))]
use database::{init, migrate, status};
use output::Failure;
#[cfg(all(unix, feature = "mongo"))]
use soak::{child as soak_child, run as soak};
#[cfg(not(all(unix, feature = "mongo")))]
use without::{init, migrate, soak, soak_child, status};

/// How the command ends: the largest of what it came to, but for `NotAsExpected`, which wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All as expected.
    AsExpected = 0,
    /// Something is not as expected.
    NotAsExpected = 1,
    /// The input or the usage is wrong.
    BadInput = 2,
    /// A search did not end, and nobody asked for that.
    Inconclusive = 3,
}

pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.subcommand {
        Subcommand::Check(check) => check::run(check),
        Subcommand::Models(list) => list::models(list),
        Subcommand::Mutants(args) => mutants::run(args),
        Subcommand::Properties => list::properties(),
        Subcommand::Replay(replay) => replay::run(replay),
        Subcommand::Init(args) => init(args),
        Subcommand::Status(args) => status(args),
        Subcommand::Migrate(args) => migrate(args),
        Subcommand::Soak(args) => soak(args),
        Subcommand::SoakChild(args) => soak_child(args),
    };
    let exit = ended.unwrap_or_else(|failure: Failure| {
        eprint!("{failure}");
        Exit::BadInput
    });
    ExitCode::from(exit as u8)
}
