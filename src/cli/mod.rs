//! The command line.

mod args;
mod check;
mod list;
mod models;
mod mutants;
mod output;
mod progress;
mod replay;
mod save;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Subcommand};
use output::Failure;

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
    };
    let exit = ended.unwrap_or_else(|failure: Failure| {
        eprint!("{failure}");
        Exit::BadInput
    });
    ExitCode::from(exit as u8)
}
