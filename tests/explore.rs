//! The explorer against counts that independent tools agree on.
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::{NonZeroU32, NonZeroUsize};

use doorway::check::engine::explore::{ExploreOptions, explore};
use doorway::check::{Coverage, Report, Verdict};
use doorway::model::{Expect, Model, Sizes, SystemKind};
use doorway::reservation::Design;

fn sizes([managers, tasks, resources, workers]: [u32; 4]) -> Sizes {
    let size = |number| NonZeroU32::new(number).unwrap();
    Sizes {
        managers: size(managers),
        tasks: size(tasks),
        resources: size(resources),
        workers: size(workers),
    }
}

fn model(design: Design, system: SystemKind, numbers: [u32; 4], properties: &[&str]) -> Model {
    Model {
        name: "test".into(),
        about: String::new(),
        design,
        system,
        sizes: sizes(numbers),
        wants: Vec::new(),
        buries: Vec::new(),
        broken_store: None,
        expect: properties.iter().map(|name| ((*name).to_owned(), Expect::Verified)).collect(),
        engines: Vec::new(),
    }
}

fn run(model: &Model, threads: usize) -> Report {
    let threads = NonZeroUsize::new(threads).unwrap();
    explore(&model.system().unwrap(), &ExploreOptions { threads, ..ExploreOptions::default() })
        .unwrap()
}

fn counts(report: &Report) -> (u64, u64) {
    let Coverage::States { states, transitions, .. } = report.coverage else { panic!() };
    (states, transitions)
}

fn reference(numbers: [u32; 4], threads: usize) -> (u64, u64) {
    counts(&run(&model(Design::Story898, SystemKind::Inline, numbers, &[]), threads))
}

#[test]
fn the_reference_model_has_exactly_the_states_of_a_hand_written_one() {
    for (numbers, expected) in [
        ([2, 1, 1, 1], (57, 94)),
        ([2, 1, 1, 2], (67, 108)),
        ([2, 1, 2, 2], (50, 82)),
        ([2, 2, 1, 2], (360, 668)),
        ([3, 1, 1, 2], (893, 2_205)),
        ([3, 1, 2, 2], (621, 1_528)),
        ([4, 2, 2, 2], (246_293, 926_728)),
        ([5, 1, 2, 2], (98_669, 415_841)),
    ] {
        assert_eq!(reference(numbers, 1), expected, "{numbers:?}");
    }
}

#[test]
fn the_larger_reference_models_have_them_too() {
    assert_eq!(reference([6, 1, 2, 2], 1), (1_248_736, 6_392_988));
    assert_eq!(reference([5, 2, 2, 2], 2), (6_049_326, 28_605_221));
}

#[test]
fn counts_do_not_depend_on_the_number_of_threads() {
    for threads in [1, 2, 3] {
        assert_eq!(reference([4, 2, 2, 2], threads), (246_293, 926_728));
    }
}

const ALL: [&str; 11] = [
    "exclusivity",
    "one-worker-per-resource",
    "one-resource-per-worker",
    "fcfs-r1",
    "fcfs-r2",
    "fcfs-r3",
    "once",
    "no-leak",
    "loud",
    "no-deadlock",
    "no-failure",
];

/// Which properties of a system fall, each with a counterexample that replays.
fn fallen(model: &Model, threads: usize) -> Vec<&'static str> {
    let report = run(model, threads);
    let system = model.system().unwrap();
    assert_eq!(report.stopped, None);
    let violated = report.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
    violated
        .map(|finding| {
            let found = finding.counterexample.as_ref().expect("a counterexample");
            let replay = system.replay(&found.schedule).expect("it replays");
            let fell = replay.fallen.iter().find(|(name, ..)| **name == *finding.property);
            assert_eq!(fell.expect("it falls").1, found.schedule.len(), "{}", finding.property);
            finding.property
        })
        .collect()
}

#[test]
fn the_broken_designs_fall_and_the_story_stands() {
    let inline = |design, numbers| fallen(&model(design, SystemKind::Inline, numbers, &ALL), 1);
    assert_eq!(inline(Design::Story898, [2, 1, 1, 2]), ["fcfs-r1", "fcfs-r2"]);
    assert!(inline(Design::PerTask, [2, 1, 1, 2]).contains(&"exclusivity"));
    assert!(inline(Design::Save, [2, 1, 1, 2]).contains(&"exclusivity"));
    assert!(inline(Design::NoWorkerIndex, [2, 1, 2, 2]).contains(&"one-resource-per-worker"));
    assert!(inline(Design::ReadThenDelete, [3, 1, 1, 2]).contains(&"exclusivity"));
}

#[test]
fn a_full_system_is_exhausted_with_all_its_properties() {
    let full = model(Design::Story898, SystemKind::Full, [2, 2, 2, 2], &ALL);
    assert_eq!(fallen(&full, 1), [""; 0]);
    let one_resource = model(Design::Story898, SystemKind::Full, [2, 2, 3, 1], &ALL);
    assert_eq!(fallen(&one_resource, 2), [""; 0]);
    assert_eq!(counts(&run(&full, 1)), counts(&run(&full, 2)));
}
