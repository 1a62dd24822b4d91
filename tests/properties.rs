//! Each property of a reservation is broken by a model that is built in, and holds in another.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/systems.rs"]
mod systems;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use doorway::check::Report;
use doorway::check::engine::Options;
use doorway::model::{Expect, Model, property, shipped};

use systems::by_explorer;

/// The name of every property that a model can ask for.
fn names() -> BTreeSet<String> {
    let of_runs = property::all().into_iter().chain(property::of_endless_runs());
    let of_graphs = property::OF_GRAPHS.iter().map(|(name, _)| (*name).to_owned());
    of_runs.map(|property| property.name().to_owned()).chain(of_graphs).collect()
}

/// What the explorer says of a model.
fn explored(model: &Model) -> Report {
    let liveness = model.expect.iter().any(|(name, _)| property::is_of_graphs(name));
    by_explorer(&model.system().unwrap(), &Options { liveness, ..Options::default() })
}

/// How large a model is, as far as that can be told without a search.
fn size(model: &Model) -> (bool, bool, u32) {
    let takes_long = model.engines.iter().all(|choice| choice.thorough);
    let sizes = model.sizes;
    let all = [sizes.managers, sizes.workers, sizes.tasks, sizes.resources];
    (takes_long, !model.faults.is_none(), all.iter().map(|number| number.get()).product())
}

#[test]
fn each_property_is_violated_in_one_model_and_verified_in_another() {
    let mut models = shipped().unwrap();
    models.sort_by_key(size);
    let mut reports: BTreeMap<String, Report> = BTreeMap::new();
    for name in names() {
        for expected in [Expect::Violated, Expect::Verified] {
            let model = models.iter().find(|model| model.expected(&name) == Some(expected));
            let said = expected.name();
            let model = model.unwrap_or_else(|| panic!("no model has {name} {said}"));
            let report = reports.entry(model.name.clone()).or_insert_with(|| explored(model));
            let verdict = report.of(&name).unwrap().verdict;
            println!("{name} is {said} in {}", model.name);
            assert_eq!(verdict.to_string(), said, "{name} in {}", model.name);
        }
    }
}

#[test]
fn what_holds_through_a_failover_does_so_where_drivers_send_their_writes_again() {
    let mut held = 0;
    for mut model in shipped().unwrap() {
        let (takes_long, ..) = size(&model);
        if takes_long || !model.faults.fails_over() {
            continue;
        }
        model.faults = model.faults.retryable_writes();
        let report = explored(&model);
        for (name, _) in model.expect.iter().filter(|(_, one)| *one == Expect::Verified) {
            let verdict = report.of(name).unwrap().verdict.to_string();
            assert_eq!(verdict, "verified", "{name} in {}", model.name);
            held += 1;
        }
    }
    println!("{held} verdicts held");
    assert!(held > 0);
}

/// The names that the files of the properties give, one file for each idea.
fn names_in_files() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/property");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| names_given(&text)).collect()
}

/// What each `fn name` of a monitor can return.
fn names_given(text: &str) -> Vec<String> {
    let bodies = text.split("fn name(&self) -> &str {").skip(1);
    let words = bodies.flat_map(|body| {
        let body = body.split("\n    }").next().unwrap_or_default();
        body.split('"').skip(1).step_by(2)
    });
    words.map(str::to_owned).collect()
}

#[test]
fn a_property_that_is_written_can_be_asked_for() {
    let (written, known) = (names_in_files(), names());
    assert!(written.len() >= 10, "only {written:?}");
    assert!(written.is_subset(&known), "{:?}", written.difference(&known).collect::<Vec<_>>());
}
