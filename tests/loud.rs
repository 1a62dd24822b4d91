//! A store that reports two documents for an update by `_id`: whoever is told so stops there, with an
//! error that says it, under every engine.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/systems.rs"]
mod systems;

use std::num::NonZeroU32;
use std::sync::Arc;

use doorway::check::engine::{Limits, Options};
use doorway::check::{Answer, BrokenStore, Monitor, Report, Step, System, Verdict};
use doorway::model::{Sizes, SystemKind};
use doorway::reservation::Design;
use doorway::store::{Document, Reply, Value};

use systems::{EVERY, Engine, by_dfs, by_explorer, by_loom, shipped_system, system};

/// Whether an update was said to be for two documents.
fn is_told_of_two(step: &Step<'_>) -> bool {
    matches!(step.answer(), Some(Answer::Store(Ok(Reply::Updated(updated)))) if updated.matched == 2)
}

/// `stops-there`: who is told of two documents stops with an error that says so, and takes no step
/// after that. Remembers who was told.
struct StopsThere;

impl Monitor for StopsThere {
    fn name(&self) -> &str {
        "stops-there"
    }

    fn step(&self, told: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(process) = step.process() else { return Ok(()) };
        if told.get(process).is_some() {
            return Err(format!("{process} goes on"));
        }
        if !is_told_of_two(step) {
            return Ok(());
        }
        told.set(process.clone(), Value::Null);
        told.sort_fields();
        match step.failure() {
            Some(why) if why.contains("reported 2 documents") && why.contains("resource-1") => {
                Ok(())
            }
            Some(why) => Err(format!("{process} says something else: {why}")),
            None => Err(format!("{process} says nothing")),
        }
    }
}

/// `one-each`: nobody is told of two documents. It falls where the store is broken, or nothing was
/// shown.
struct OneEach;

impl Monitor for OneEach {
    fn name(&self) -> &str {
        "one-each"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if is_told_of_two(step) { Err("an update of two documents".into()) } else { Ok(()) }
    }
}

fn watched(mut system: System) -> System {
    system.broken_store = Some(BrokenStore::CountsTwice);
    system.properties.extend([Arc::new(StopsThere) as Arc<dyn Monitor>, Arc::new(OneEach)]);
    system
}

/// A broker, two managers of which one adds to the reservation of the other, and a worker that
/// releases.
fn in_full(design: Design) -> System {
    let (one, two) = (NonZeroU32::MIN, NonZeroU32::new(2).unwrap());
    system(
        design,
        SystemKind::Full,
        Sizes { managers: two, workers: one, tasks: two, resources: one },
    )
}

fn verdict(report: &Report, property: &str) -> Verdict {
    report.of(property).unwrap_or_else(|| panic!("no {property}")).verdict
}

/// Runs an engine, and looks that somebody was told, and all who were stopped there; with what the
/// engine says of the last.
fn stop_there(engine: Engine, system: &System) -> (Report, Verdict) {
    // Some of these systems have more runs than can be made; the first ones will do.
    let limits = Limits { executions: Some(1_000), ..Limits::default() };
    let report = engine(system, &Options { limits, ..Options::default() });
    assert_eq!(verdict(&report, "one-each"), Verdict::Violated, "{}", report.engine);
    let stops = verdict(&report, "stops-there");
    (report, stops)
}

#[test]
fn whoever_is_told_of_two_documents_stops_there_under_every_engine() {
    let system = watched(shipped_system("story-898-broken-store"));
    for engine in EVERY {
        let (report, stops) = stop_there(engine, &system);
        let all = report.stopped.is_none();
        let expected = if all { Verdict::Verified } else { Verdict::Inconclusive };
        assert_eq!((stops, verdict(&report, "loud")), (expected, expected), "{}", report.engine);
        assert_eq!(verdict(&report, "no-failure"), Verdict::Violated, "{}", report.engine);
    }
    for engine in [by_explorer, by_loom, by_dfs] {
        assert_eq!(stop_there(engine, &system).1, Verdict::Verified, "it sees every run");
    }
}

#[test]
fn so_do_managers_and_workers_behind_a_broker() {
    let system = watched(in_full(Design::Story898));
    assert_eq!(stop_there(by_explorer, &system).1, Verdict::Verified);
    for engine in EVERY {
        assert_ne!(stop_there(engine, &system).1, Verdict::Violated);
    }
}

#[test]
fn whoever_does_not_look_goes_on_and_falls_under_every_engine() {
    let system = watched(shipped_system("story-898-quiet"));
    for engine in EVERY {
        let (report, stops) = stop_there(engine, &system);
        let fallen = (stops, verdict(&report, "loud"));
        assert_eq!(fallen, (Verdict::Violated, Verdict::Violated), "{}", report.engine);
    }
}
