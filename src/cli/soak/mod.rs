//! `doorway soak`: the concurrency driver of story #898.
//!
//! Managers and workers run as processes of their own over one database; the driver kills, freezes
//! and restarts them and the server. It is the broker and the resources, hears of everything in one
//! order (see [`fact`]), writes it down ([`journal`]) and holds it against the properties
//! ([`checker`]) all the time.

mod broker;
mod chaos;
mod checker;
mod child;
mod children;
mod clock;
mod desk;
mod dice;
mod driver;
mod fact;
mod journal;
mod link;
mod report;
mod server;
mod witness;

pub(crate) use child::run as child;

use super::Exit;
use super::args::{Soak, SoakDesign};
use super::output::{self, Failure};
use checker::{Keeps, PROPERTIES};
use driver::{Driver, End};
use journal::Journal;

pub(crate) fn run(args: &Soak) -> Result<Exit, Failure> {
    refuse_unknown(&args.only)?;
    let keeps = match args.design {
        SoakDesign::Doorway => Keeps::Statuses,
        SoakDesign::Old(_) => Keeps::Nothing,
    };
    let (journal, checker) = Journal::open(&args.folder, &params(args), keeps)?;
    let mut driver = Driver::start(args, journal, checker)?;
    let end = driver.run()?;
    output::print(report::report(args, &driver, &end));
    driver.close(&end)?;
    Ok(match end {
        End::Violated(_) => Exit::NotAsExpected,
        End::Stopped => Exit::Inconclusive,
        End::Done if report::lacks(args, driver.counts()).is_empty() => Exit::AsExpected,
        End::Done => Exit::Inconclusive,
    })
}

/// What has to be the same for a soak to go on.
fn params(args: &Soak) -> String {
    let Soak { managers, workers, resources, seed, .. } = args;
    format!(
        "design {}, {managers} managers, {workers} workers, {resources} resources, seed {seed}",
        args.design.name()
    )
}

fn refuse_unknown(only: &[String]) -> Result<(), Failure> {
    match only.iter().find(|name| !PROPERTIES.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Failure::Plain(format!(
            "--only {name}: no such property; there are {}",
            PROPERTIES.join(", ")
        ))),
    }
}

/// Whether the design promises the property, or it was asked for by name.
fn is_promised(args: &Soak, property: &str) -> bool {
    if !args.only.is_empty() {
        return args.only.iter().any(|name| name == property);
    }
    // Two managers that each hold a message append in either order, whatever stands behind them.
    args.design != SoakDesign::Doorway || property != "fcfs-r1"
}
