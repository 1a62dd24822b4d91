//! The `doorway` command: checks models, lists them, replays schedules.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
