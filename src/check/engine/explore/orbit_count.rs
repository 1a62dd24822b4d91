//! Symmetry against brute force: of each orbit exactly one state is visited.

use std::num::NonZeroU32;

use rustc_hash::FxHashSet;

use super::candidates::candidates;
use super::pack::Layout;
use super::space::{Global, Notes, Space};
use super::{ExploreOptions, explore, walk};
use crate::check::engine::explore::Reductions;
use crate::check::system::System;
use crate::check::verdict::Coverage;
use crate::model::{Model, Sizes, shipped};

/// The states that are visited with symmetry, each with how many states are one with it; and how
/// many elements the group has.
fn visited(system: &System) -> (Vec<usize>, usize) {
    let mut space = Space::new(system).expect("reproducible");
    walk::walk(system, &mut space.automata).expect("reproducible");
    space.consider(candidates(system).expect("reproducible"));
    loop {
        space.reset(&[], Reductions { symmetry: true, ..Reductions::default() });
        if let Some(states) = search(&mut space) {
            let orbits = states.iter().map(|state| space.orbit(state).len()).collect();
            return (orbits, space.symmetries());
        }
    }
}

/// All states by the plainest search; `None` where it has to begin again.
fn search(space: &mut Space<'_>) -> Option<FxHashSet<Global>> {
    let initial = space.initial().expect("reproducible");
    if space.is_stale() {
        return None;
    }
    let mut states = FxHashSet::from_iter([initial.clone()]);
    let mut open = vec![initial];
    while let Some(state) = open.pop() {
        let before = Layout::plan(&space.counts(), 4).expect("narrow");
        let key = space.pack::<4>(&before, &state);
        space.learn(&before, &key).expect("reproducible");
        if space.is_stale() {
            return None;
        }
        let layout = Layout::plan(&space.counts(), 4).expect("narrow");
        let key = space.pack::<4>(&layout, &state);
        let visit = |(_, next)| {
            let next = space.unpack(&layout, &next);
            if states.insert(next.clone()) {
                open.push(next);
            }
        };
        space
            .successors(&layout, &key, &mut Notes::default(), visit)
            .expect("all of it was found out");
    }
    Some(states)
}

fn count(system: &System) -> usize {
    let report = explore(system, &ExploreOptions::default()).expect("explored");
    let Coverage::States { states, .. } = report.coverage else { panic!("an explorer") };
    states as usize
}

fn reference(numbers: [u32; 4]) -> System {
    let [managers, tasks, resources, workers] =
        numbers.map(|number| NonZeroU32::new(number).expect("not 0"));
    let sizes = Sizes { managers, tasks, resources, workers };
    of_shipped("reference", |model| model.sizes = sizes)
}

fn of_shipped(name: &str, change: impl Fn(&mut Model)) -> System {
    let models = shipped().expect("they are sound");
    let mut model = models.into_iter().find(|model| model.name == name).expect("it is shipped");
    model.expect.clear();
    change(&mut model);
    model.system().expect("it can be set up")
}

#[test]
fn one_state_of_each_orbit_is_visited() {
    for (system, elements) in [
        (reference([2, 1, 1, 1]), 2),
        (reference([3, 1, 1, 2]), 6),
        (reference([3, 1, 2, 2]), 2),
        (reference([4, 1, 2, 2]), 8),
        (reference([2, 2, 1, 2]), 2),
        (reference([4, 2, 2, 2]), 8),
        (of_shipped("story-898-two-managers", |_| ()), 2),
    ] {
        let (orbits, order) = visited(&system);
        assert_eq!(order, elements, "{} {:?}", system.name, system.processes);
        let all: usize = orbits.iter().sum();
        assert_eq!(all, count(&system), "{} {:?}", system.name, system.processes);
    }
}
