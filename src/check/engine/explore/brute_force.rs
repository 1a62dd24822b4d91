//! The explorer against brute force: every schedule of [`Run`], run from the start by itself.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::{ExploreOptions, explore};
use crate::check::run::{Outcome, Run};
use crate::check::system::System;
use crate::check::verdict::Verdict;
use crate::model::{Expect, Model, Sizes, SystemKind, property};
use crate::reservation::Design;

/// What every schedule comes to, and which properties some schedule breaks.
fn brute_force(system: &System) -> (BTreeSet<Outcome>, BTreeSet<&'static str>) {
    let (mut outcomes, mut fallen) = (BTreeSet::new(), BTreeSet::new());
    let mut schedules = vec![Vec::new()];
    while let Some(schedule) = schedules.pop() {
        let mut run = Run::new(system);
        schedule.iter().for_each(|process| drop(run.step(*process)));
        let enabled: Vec<usize> =
            (0..system.processes.len()).filter(|process| run.enables(*process)).collect();
        if enabled.is_empty() {
            let falls = system.properties.iter().zip(run.end());
            fallen.extend(falls.filter(|(_, fall)| fall.is_some()).map(|(p, _)| p.name()));
            outcomes.insert(Outcome { events: Vec::new(), ..run.outcome() });
        }
        schedules.extend(enabled.into_iter().map(|process| {
            let mut longer: Vec<usize> = schedule.clone();
            longer.push(process);
            longer
        }));
    }
    (outcomes, fallen)
}

fn system(design: Design, kind: SystemKind, numbers: [u32; 4]) -> System {
    let [managers, tasks, resources, workers] =
        numbers.map(|number| NonZeroU32::new(number).expect("not 0"));
    let all = property::all().into_iter();
    let model = Model {
        name: "test".into(),
        about: String::new(),
        design,
        system: kind,
        sizes: Sizes { managers, tasks, resources, workers },
        wants: Vec::new(),
        buries: Vec::new(),
        broken_store: None,
        expect: all.map(|property| (property.name.into(), Expect::Verified)).collect(),
        engines: Vec::new(),
    };
    model.system().expect("a sound model")
}

#[test]
fn outcomes_and_verdicts_are_those_of_every_schedule() {
    for (_, design) in Design::ALL {
        for numbers in [[2, 1, 1, 1], [2, 1, 1, 2], [2, 1, 2, 2]] {
            let system = system(design, SystemKind::Inline, numbers);
            let (outcomes, fallen) = brute_force(&system);
            let options = ExploreOptions { outcomes: true, ..ExploreOptions::default() };
            let report = explore(&system, &options).expect("explored");
            assert_eq!(report.outcomes, Some(outcomes), "{design:?} {numbers:?}");
            let violated = |finding: &&crate::check::Finding| finding.verdict == Verdict::Violated;
            let explored: BTreeSet<_> =
                report.findings.iter().filter(violated).map(|finding| finding.property).collect();
            assert_eq!(explored, fallen, "{design:?} {numbers:?}");
        }
    }
}
