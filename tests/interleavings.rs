//! The checks that end only after many interleavings, and how many they were.
//!
//! A test target without the usual harness, so that plain `cargo test` shows the numbers.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/systems.rs"]
mod systems;

use std::process::ExitCode;
use std::time::Instant;

use doorway::check::engine::Options;
use doorway::check::{System, Verdict};
use doorway::report::{grouped, time};

use systems::{Engine, by_dfs, by_loom, executions, reference, shipped_system};

/// A system in which everything is to hold, and the engine that has to come to its end.
struct Check {
    name: String,
    system: System,
    engine: Engine,
}

fn check(name: &str, system: System, (by, engine): (&str, Engine)) -> Check {
    Check { name: format!("{name} by {by}"), system, engine }
}

fn checks() -> Vec<Check> {
    let (loom, dfs): ((&str, Engine), (&str, Engine)) =
        (("loom", by_loom), ("shuttle-dfs", by_dfs));
    let sized =
        |m, t, r, w, by| check(&format!("reference {m}x{t}x{r}x{w}"), reference(m, t, r, w), by);
    let named = |name, by| check(name, shipped_system(name), by);
    vec![
        sized(2, 1, 1, 1, dfs),
        sized(2, 1, 1, 2, dfs),
        sized(2, 1, 2, 2, dfs),
        named("per-task-one-manager", dfs),
        named("story-898-one-manager", dfs),
        sized(2, 1, 1, 1, loom),
        sized(2, 1, 1, 2, loom),
        sized(2, 1, 2, 2, loom),
        sized(2, 2, 1, 2, loom),
    ]
}

impl Check {
    /// Prints what came of it; whether it was verified, and how many interleavings ran.
    fn run(&self) -> (bool, u64) {
        let report = (self.engine)(&self.system, &Options::default());
        let (ran, verdict) = (executions(&report), report.verdict());
        println!("{}: {} executions, {verdict} in {}", self.name, grouped(ran), time(report.time));
        for finding in report.findings.iter().filter(|one| one.verdict != Verdict::Verified) {
            let why = finding.counterexample.as_ref().map(|found| found.why.as_str());
            let why = why.or(report.stopped.as_deref()).unwrap_or_default();
            println!("  {} {}: {why}", finding.verdict, finding.property);
        }
        (verdict == Verdict::Verified, ran)
    }
}

/// The checks whose names the command line asks for, as with any test.
fn chosen() -> Vec<Check> {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_chosen =
        |check: &Check| words.is_empty() || words.iter().any(|word| check.name.contains(word));
    checks().into_iter().filter(is_chosen).collect()
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--list") {
        chosen().iter().for_each(|check| println!("{}: test", check.name));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let results: Vec<(bool, u64)> = chosen().iter().map(Check::run).collect();
    let passed = results.iter().filter(|(verified, _)| *verified).count();
    let (failed, ran) = (results.len() - passed, results.iter().map(|(_, ran)| ran).sum());
    println!("interleavings run: {} in {}", grouped(ran), time(began.elapsed()));
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
