//! What a partial-order reduction could save at most, counted on whole graphs.
//!
//! The simplest ample set is all that one process can do next (Clarke, Grumberg, Minea and Peled, *State
//! space reduction using partial order techniques*, STTT 2, 1999). It will do where no step of another
//! process, now or later, can tell whether it came first, where no property remembers it, and where not all
//! of it leads back. Which steps commute is read off the graph itself: a tool that had to know it before
//! could leave out no more.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use rustc_hash::{FxHashMap, FxHashSet};

use super::whole::{Graph, of_shipped};
use crate::check::system::System;
use crate::model::Sizes;

impl Graph {
    fn doers(&self) -> usize {
        self.states[0].locals.len() + 1
    }

    /// Where a doer stands.
    fn local(&self, state: u32, doer: usize) -> u32 {
        let state = &self.states[state as usize];
        state.locals.get(doer).copied().unwrap_or(state.faults)
    }

    /// What a doer can do in a state.
    fn of_doer(&self, state: u32, doer: usize) -> impl Iterator<Item = (u32, u32)> {
        let all = self.choices[state as usize].iter();
        all.filter(move |(whose, ..)| *whose == doer).map(|(_, choice, to)| (*choice, *to))
    }

    /// Whether all that two can do in a state comes to the same in both orders.
    fn commute(&self, state: u32, one: usize, other: usize) -> bool {
        let what = |state, doer| self.of_doer(state, doer).map(|(choice, _)| choice);
        let then = |state, doer, choice| {
            self.of_doer(state, doer).find(|(other, _)| *other == choice).map(|(_, to)| to)
        };
        self.of_doer(state, one).all(|(first, after_one)| {
            self.of_doer(state, other).all(|(second, after_other)| {
                what(after_other, one).eq(what(state, one))
                    && then(after_one, other, second) == then(after_other, one, first)
                    && then(after_one, other, second).is_some()
            })
        })
    }

    /// For each two doers: the pairs of places from which the first may do what it can before all that
    /// the second does from there on is not among them.
    fn conflicts(&self, one: usize, other: usize) -> FxHashSet<(u32, u32)> {
        let mut before: FxHashMap<u32, FxHashSet<u32>> = FxHashMap::default();
        let mut open = Vec::new();
        for state in 0..self.states.len() as u32 {
            let from = self.local(state, other);
            for (_, to) in self.of_doer(state, other) {
                before.entry(self.local(to, other)).or_default().insert(from);
            }
            if self.of_doer(state, one).next().is_some() && !self.commute(state, one, other) {
                open.push((self.local(state, one), from));
            }
        }
        let mut found = FxHashSet::default();
        while let Some((at, from)) = open.pop() {
            if found.insert((at, from)) {
                open.extend(before.get(&from).into_iter().flatten().map(|before| (at, *before)));
            }
        }
        found
    }

    /// Whether a property remembers what a doer does from somewhere: for each such place.
    fn visible(&self, doer: usize) -> FxHashSet<u32> {
        let states = 0..self.states.len() as u32;
        let memory = |state: u32| self.states[state as usize].memory;
        let seen =
            |state: &u32| self.of_doer(*state, doer).any(|(_, to)| memory(to) != memory(*state));
        states.filter(seen).map(|state| self.local(state, doer)).collect()
    }

    /// The states that are left.
    fn reduced(&self) -> FxHashSet<u32> {
        let doers = self.doers();
        let pairs = |one| (0..doers).map(move |other| (one, other));
        let conflicts: Vec<Vec<_>> = (0..doers)
            .map(|one| pairs(one).map(|(one, other)| self.conflicts(one, other)).collect())
            .collect();
        let visible: Vec<_> = (0..doers).map(|doer| self.visible(doer)).collect();
        let mut seen = FxHashSet::from_iter([0]);
        let mut open = VecDeque::from([0]);
        while let Some(state) = open.pop_front() {
            let will_do = |doer: &usize| {
                let at = self.local(state, *doer);
                let mut others = (0..doers).filter(|other| other != doer);
                let leads_on = self.of_doer(state, *doer).any(|(_, to)| !seen.contains(&to));
                leads_on
                    && !visible[*doer].contains(&at)
                    && !others.any(|other| {
                        conflicts[*doer][other].contains(&(at, self.local(state, other)))
                    })
            };
            let ample = (0..doers - 1).find(will_do);
            for (whose, _, to) in &self.choices[state as usize] {
                if ample.is_none_or(|ample| ample == *whose) && seen.insert(*to) {
                    open.push_back(*to);
                }
            }
        }
        seen
    }

    /// The states in which nothing can happen any more.
    fn ends(&self) -> impl Iterator<Item = u32> {
        (0..self.states.len() as u32).filter(|state| self.choices[*state as usize].is_empty())
    }
}

fn reference(numbers: [u32; 4]) -> System {
    let [managers, tasks, resources, workers] =
        numbers.map(|number| NonZeroU32::new(number).expect("not 0"));
    of_shipped("reference", |model| {
        model.sizes = Sizes { managers, tasks, resources, workers };
        model.expect.clear();
    })
}

#[test]
fn partial_order_reduction_leaves_out_few_states() {
    for system in [
        reference([3, 1, 2, 2]),
        reference([5, 1, 2, 2]),
        reference([4, 2, 2, 2]),
        of_shipped("story-898-two-managers", |_| ()),
        of_shipped("story-898-two-managers", |model| model.expect.clear()),
        of_shipped("doorway-one-resource", |_| ()),
        of_shipped("doorway-one-resource", |model| model.expect.clear()),
        of_shipped("doorway-worker-crash-one-task", |_| ()),
        of_shipped("lock", |_| ()),
    ] {
        let graph = Graph::of(&system);
        let reduced = graph.reduced();
        assert!(graph.ends().all(|end| reduced.contains(&end)), "{}: an end is lost", system.name);
        let (all, left) = (graph.states.len(), reduced.len());
        println!(
            "{:<32} {:>2} properties {all:>8} states, {left:>8} left, {:.2} times fewer",
            system.name,
            system.properties.len(),
            all as f64 / left as f64
        );
        assert!(system.properties.is_empty() || left * 3 > all * 2, "so it would pay");
    }
}
