//! The whole graph of a system, to count on it what a reduction could save.

use std::num::NonZeroUsize;

use rustc_hash::FxHashMap;

use super::pack::Layout;
use super::space::{Global, Notes, Space};
use super::walk;
use crate::check::Coverage;
use crate::check::engine::explore::{ExploreOptions, Reductions, explore};
use crate::check::fault::Choice;
use crate::check::system::System;
use crate::model::{Expect, Model, shipped};

/// All states, and what can happen in each: whose doing it is, which choice, and where it leads.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) states: Vec<Global>,
    pub(super) choices: Vec<Vec<(usize, u32, u32)>>,
}

impl Graph {
    pub(super) fn of(system: &System) -> Graph {
        let all: Vec<usize> = (0..system.properties.len()).collect();
        let mut space = Space::new(system).expect("reproducible");
        walk::walk(system, &mut space.automata).expect("reproducible");
        loop {
            space.reset(&all, Reductions::default());
            if let Some(graph) = Graph::search(&mut space) {
                return graph;
            }
        }
    }

    /// By the plainest search; `None` where it has to begin again.
    fn search(space: &mut Space<'_>) -> Option<Graph> {
        let mut graph = Graph::default();
        let mut numbers = FxHashMap::default();
        graph.states.push(space.initial().expect("reproducible"));
        if space.is_stale() {
            return None;
        }
        numbers.insert(graph.states[0].clone(), 0);
        let mut layout = Layout::plan(&space.counts(), 4).expect("narrow");
        while graph.choices.len() < graph.states.len() {
            let state = graph.states[graph.choices.len()].clone();
            let mut found = Vec::new();
            let key = space.pack::<4>(&layout, &state);
            let known =
                space.successors(&layout, &key, &mut Notes::default(), |next| found.push(next));
            if known.is_none() {
                space.learn(&layout, &key).expect("reproducible");
                assert!(space.judge.fallen().is_empty(), "the properties hold");
                if space.is_stale() {
                    return None;
                }
                layout = Layout::plan(&space.counts(), 4).expect("narrow");
                continue;
            }
            let choices = found.into_iter().map(|(choice, next)| {
                let next = space.unpack(&layout, &next);
                let number = *numbers.entry(next).or_insert_with_key(|next| {
                    graph.states.push(next.clone());
                    graph.states.len() as u32 - 1
                });
                (doer(choice, state.locals.len()), choice, number)
            });
            let choices = choices.collect();
            graph.choices.push(choices);
        }
        Some(graph)
    }
}

/// Whose doing a choice is: a process's, or nobody's.
fn doer(choice: u32, processes: usize) -> usize {
    Choice::of_number(choice).hits().unwrap_or(processes)
}

pub(super) fn of_shipped(name: &str, change: impl Fn(&mut Model)) -> System {
    let models = shipped().expect("they are sound");
    let mut model = models.into_iter().find(|model| model.name == name).expect("it is shipped");
    model.expect.retain(|(_, expect)| *expect == Expect::Verified);
    change(&mut model);
    model.system().expect("it can be set up")
}

/// Threads, jumps and what is put together on the way leave each state and each transition where the plainest
/// search finds it.
#[test]
fn the_search_visits_what_the_plainest_one_does() {
    for (name, with_properties) in [
        ("story-898-two-managers", false),
        ("story-898-two-managers", true),
        ("story-898-pair-worker-crash", false),
        ("doorway-worker-crash-one-task", false),
        ("doorway-worker-crash-one-task", true),
        ("doorway-crash-unknown-failover-one-task", true),
    ] {
        let system = of_shipped(name, |model| {
            if !with_properties {
                model.expect.clear();
            }
        });
        let graph = Graph::of(&system);
        let all: usize = graph.choices.iter().map(Vec::len).sum();
        for threads in [1, 2] {
            let threads = NonZeroUsize::new(threads).expect("there are some");
            let report = explore(&system, &ExploreOptions { threads, ..Default::default() });
            let Coverage::States { states, transitions, .. } = report.expect("explored").coverage
            else {
                panic!("states are counted")
            };
            let found = (states as usize, transitions as usize);
            assert_eq!(found, (graph.states.len(), all), "{name} {with_properties} {threads}");
        }
    }
}
