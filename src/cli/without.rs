//! The commands that need a server, in a binary that was built without the driver for one.

use super::Exit;
use super::args::{Database, Migrate, Soak, SoakChild, Status};
use super::output::Failure;

pub(crate) fn init(_: &Database) -> Result<Exit, Failure> {
    refuse("init")
}

pub(crate) fn status(_: &Status) -> Result<Exit, Failure> {
    refuse("status")
}

pub(crate) fn migrate(_: &Migrate) -> Result<Exit, Failure> {
    refuse("migrate")
}

pub(crate) fn soak(_: &Soak) -> Result<Exit, Failure> {
    refuse("soak")
}

pub(crate) fn soak_child(_: &SoakChild) -> Result<Exit, Failure> {
    refuse("soak-child")
}

fn refuse(command: &str) -> Result<Exit, Failure> {
    Err(Failure::Plain(format!(
        "`doorway {command}` needs MongoDB's driver, and this doorway was built without it: build it \
         on Unix with `--features mongo`"
    )))
}
