//! What any merging of states could save at most, counted on whole graphs.
//!
//! Two states are one where the properties remember the same in both, where both are ends or neither is, and
//! where each next state of the one is one with a next state of the other: bisimulation (Milner, *Communication
//! and Concurrency*, 1989). How many are left of the coarsest such partition is counted, by Moore's refinement.

use rustc_hash::FxHashMap;

use super::space::Global;
use super::whole::{Graph, of_shipped};

impl Graph {
    /// How many states there are of which no two are one.
    fn quotient(&self) -> usize {
        let states = self.states.iter().zip(&self.choices);
        let first = |(state, choices): (&Global, &Vec<_>)| (state.memory, choices.is_empty());
        let (mut blocks, mut count) = numbered(states.map(first));
        loop {
            let refined = self.choices.iter().zip(&blocks).map(|(choices, block)| {
                let mut next: Vec<u32> =
                    choices.iter().map(|(_, _, to)| blocks[*to as usize]).collect();
                next.sort_unstable();
                next.dedup();
                (*block, next)
            });
            let (next, finer) = numbered(refined);
            if finer == count {
                return count;
            }
            (blocks, count) = (next, finer);
        }
    }
}

/// The same number for those that are equal, and how many numbers there are.
fn numbered<T: std::hash::Hash + Eq>(all: impl Iterator<Item = T>) -> (Vec<u32>, usize) {
    let mut numbers = FxHashMap::default();
    let all = all.map(|one| {
        let next = numbers.len() as u32;
        *numbers.entry(one).or_insert(next)
    });
    let all = all.collect();
    (all, numbers.len())
}

#[test]
fn states_are_one_that_lead_to_one() {
    let state =
        |number| Global { locals: vec![number], store: 0, queues: vec![], memory: 0, faults: 0 };
    let of = |choices: [&[u32]; 4]| {
        let choices = choices.map(|next| next.iter().map(|to| (0, 0, *to)).collect()).into();
        Graph { states: (0..4).map(state).collect(), choices }
    };
    assert_eq!(of([&[1, 2], &[3], &[3], &[]]).quotient(), 3, "two ways to the end");
    assert_eq!(of([&[1, 2], &[3], &[2], &[]]).quotient(), 4, "one of them has none");
    let mut remembered = of([&[1, 2], &[3], &[3], &[]]);
    remembered.states[1].memory = 1;
    assert_eq!(remembered.quotient(), 4, "a property tells them apart");
}

#[test]
fn what_is_left_to_merge() {
    for name in [
        "reference",
        "doorway-one-resource",
        "doorway-worker-crash-one-task",
        "doorway-crash-unknown-failover-one-task",
        "doorway-crash-unknown-stale-one-task",
        "doorway-crash-unknown-zombie-one-task",
    ] {
        let graph = Graph::of(&of_shipped(name, |_| ()));
        let (all, left) = (graph.states.len(), graph.quotient());
        let times = all as f64 / left as f64;
        println!("{name:<40} {all:>8} states, {left:>8} left, {times:.2} times fewer");
        assert!(left <= all && left > 1);
    }
}
