//! Which processes look interchangeable: candidates, found by comparing what the processes ask.
//!
//! Two processes are candidates if their automata, as far as some random walks have learnt them,
//! are one automaton under an exchange of names, and that exchange maps each other process to
//! itself or to another one. So the names of tasks and resources are exchanged along with those
//! of the processes that speak of them. Nothing rests on a candidate: the search checks it on every
//! step that it finds out (see `space::symmetry`), and goes on without it where it is none.

use rustc_hash::FxHashSet;

use super::automaton::{Automaton, NodeId};
use super::error::CheckError;
use super::renaming::Renaming;
use super::walk;
use crate::check::system::System;
use crate::check::world::World;

/// So many places of two automata are compared; what differs later is found by the search.
const COMPARED: usize = 1000;
/// So many pairs of automata are compared in all: beyond, symmetries are left unfound.
const COMPARISONS: usize = 20_000;

/// An exchange of names that looks like a symmetry, with where it maps each process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) renaming: Renaming,
    pub(super) processes: Vec<usize>,
}

/// The candidates of a system.
pub(super) fn candidates(system: &System) -> Result<Vec<Candidate>, CheckError> {
    let automata = Automaton::all(system)?;
    let mut finder = Finder { system, automata, comparisons: 0 };
    walk::walk(system, &mut finder.automata)?;
    finder.find()
}

struct Finder<'s> {
    system: &'s System,
    /// Not those of the search: they are asked what may never be asked in a run.
    automata: Vec<Automaton>,
    comparisons: usize,
}

impl Finder<'_> {
    /// First exchanges of two processes alone, as few as generate all; then those that take others
    /// along.
    fn find(&mut self) -> Result<Vec<Candidate>, CheckError> {
        let processes = self.automata.len();
        let mut found = Vec::new();
        let mut alike: Vec<usize> = (0..processes).collect();
        for alone in [true, false] {
            for one in 0..processes {
                for other in one + 1..processes {
                    if alike[one] == alike[other] {
                        continue;
                    }
                    let Some(candidate) = self.exchange(one, other, alone)? else { continue };
                    for (from, to) in candidate.processes.iter().enumerate() {
                        let (from, to) = (alike[from], alike[*to]);
                        alike.iter_mut().filter(|a| **a == from).for_each(|a| *a = to);
                    }
                    found.push(candidate);
                }
            }
        }
        Ok(found)
    }

    fn exchange(
        &mut self,
        one: usize,
        other: usize,
        alone: bool,
    ) -> Result<Option<Candidate>, CheckError> {
        let mut assigned = vec![None; self.automata.len()];
        self.assign(Renaming::default(), &mut assigned, (one, other), alone)
    }

    /// Maps two processes to each other, and then each that is left to itself or to another one.
    fn assign(
        &mut self,
        mut renaming: Renaming,
        assigned: &mut Vec<Option<usize>>,
        (one, other): (usize, usize),
        alone: bool,
    ) -> Result<Option<Candidate>, CheckError> {
        let names = [one, other].map(|process| &self.system.processes[process].name);
        if !renaming.exchange(names[0], names[1]) || !self.compare(&mut renaming, one, other)? {
            return Ok(None);
        }
        (assigned[one], assigned[other]) = (Some(other), Some(one));
        let Some(next) = assigned.iter().position(Option::is_none) else {
            let processes = assigned.iter().flatten().copied().collect();
            let found = self.leaves_world(&renaming);
            return Ok(found.then_some(Candidate { renaming, processes }));
        };
        let last = if alone { next } else { assigned.len() - 1 };
        for with in next..=last {
            if assigned[with].is_none() {
                let found = self.assign(renaming.clone(), assigned, (next, with), alone)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        (assigned[one], assigned[other]) = (None, None);
        Ok(None)
    }

    /// Whether the world before the first step is one under other names.
    fn leaves_world(&self, renaming: &Renaming) -> bool {
        let World { store, messages } = &self.system.world;
        renaming.of(store) == *store && renaming.of(messages) == *messages
    }

    /// Extends a renaming so that it maps what is known of one automaton to the other; `false`
    /// where none does.
    fn compare(
        &mut self,
        renaming: &mut Renaming,
        one: usize,
        other: usize,
    ) -> Result<bool, CheckError> {
        self.comparisons += 1;
        if self.comparisons > COMPARISONS {
            return Ok(false);
        }
        loop {
            let known = renaming.len();
            if !self.compare_once(renaming, one, other)? {
                return Ok(false);
            }
            if renaming.len() == known {
                return Ok(true);
            }
        }
    }

    fn compare_once(
        &mut self,
        renaming: &mut Renaming,
        one: usize,
        other: usize,
    ) -> Result<bool, CheckError> {
        let start: (NodeId, NodeId) = (self.automata[one].start(), self.automata[other].start());
        let (mut open, mut seen) = (vec![start], FxHashSet::default());
        while let Some((a, b)) = open.pop() {
            if seen.len() == COMPARED || !seen.insert((a, b)) {
                continue;
            }
            if !renaming.unify(self.automata[one].stands(a), self.automata[other].stands(b)) {
                return Ok(false);
            }
            for answer in self.automata[one].answers_known(a) {
                let (to, told) = self.automata[one].follow(a, answer.clone())?;
                let renamed = (answer.0, renaming.of(&answer.1));
                let (other_to, other_told) = self.automata[other].follow(b, renamed)?;
                if !renaming.unify(&told, &other_told) {
                    return Ok(false);
                }
                open.push((to, other_to));
            }
        }
        Ok(true)
    }
}
