//! Liveness: what has to become so, over the graph of all states.
//!
//! *Progress*: from every state some run comes to a good end, one at which no process can go on
//! and none waits for what nobody will do. That is reachability backwards from the good ends.
//! *No livelock*: every weakly fair run comes to an end. A run is weakly fair if no process could
//! go on for ever and never does (Lamport, *Proving the correctness of multiprocess programs*,
//! 1977). A fair run without end stays in one strongly connected component, so it is there if and
//! only if some component has, for each process, a step of it or a state where it cannot go on.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::limits::{Progress, Watch};
use super::pack::{Layout, Packed};
use super::search::moved;
use super::space::Space;
use crate::check::fault::{Choice, Kind};
use crate::check::verdict::Reductions;

/// The name of the property that from every state some run comes to a good end.
pub const PROGRESS: &str = "progress";
/// The name of the property that every weakly fair run comes to an end.
pub const NO_LIVELOCK: &str = "no-livelock";

/// A run that breaks a liveness property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lasso {
    pub(super) stem: Vec<Choice>,
    /// What repeats for ever after the stem; empty where there is nothing but the stem.
    pub(super) cycle: Vec<Choice>,
}

/// What the graph says: a run that breaks each property, if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Liveness {
    pub(super) without_progress: Option<Lasso>,
    pub(super) livelock: Option<Lasso>,
}

/// Keys of 126 bits: the graph takes far more than its keys.
type Key = Packed<2>;

/// All states and transitions; states are numbered in the order of their depth.
#[derive(Default)]
struct Graph {
    states: Vec<Key>,
    numbers: FxHashMap<Key, u32>,
    /// For each state the one before it, and the number of the choice.
    came_by: Vec<(u32, u32)>,
    /// The transitions of state n are those from `first[n]` to `first[n + 1]`.
    first: Vec<u32>,
    transitions: Vec<(u32, u32)>,
    good_ends: Vec<u32>,
}

/// Checks liveness; `None` where a limit is reached before.
pub(super) fn check(space: &mut Space<'_>, watch: &Watch) -> Result<Option<Liveness>, CheckError> {
    loop {
        space.reset(&[], Reductions::default());
        match Graph::build(space, watch)? {
            Built::Whole(graph) => {
                return Ok(Some(Liveness {
                    without_progress: graph.without_progress(),
                    livelock: graph.livelock(space.system.processes.len()),
                }));
            }
            Built::Stopped => return Ok(None),
            Built::Again => {}
        }
    }
}

enum Built {
    Whole(Graph),
    Stopped,
    Again,
}

impl Graph {
    fn build(space: &mut Space<'_>, watch: &Watch) -> Result<Built, CheckError> {
        let initial = space.initial()?;
        if space.is_stale() {
            return Ok(Built::Again);
        }
        let Some(mut layout) = Layout::plan(&space.counts(), 2) else { return Ok(Built::Stopped) };
        let mut graph = Graph::default();
        graph.number(layout.pack(&initial), (0, 0));
        let mut state = 0;
        while state < graph.states.len() {
            let mut found = Vec::new();
            let visit = |next| found.push(next);
            match space.successors(&layout, &graph.states[state], visit) {
                None => {
                    space.learn(&layout.unpack(&graph.states[state]))?;
                    if space.is_stale() {
                        return Ok(Built::Again);
                    }
                    if !graph.lay_out(space, &mut layout) {
                        return Ok(Built::Stopped);
                    }
                    continue;
                }
                Some(false) if space.is_good_end(&layout.unpack(&graph.states[state])) => {
                    graph.good_ends.push(state as u32);
                }
                Some(_) => {}
            }
            graph.first.push(graph.transitions.len() as u32);
            for (choice, key) in found {
                let to = graph.number(key, (state as u32, choice));
                graph.transitions.push((to, choice));
            }
            state += 1;
            if state.is_multiple_of(4096) && watch.stop(&graph.progress(space, watch)).is_some() {
                return Ok(Built::Stopped);
            }
        }
        graph.first.push(graph.transitions.len() as u32);
        Ok(Built::Whole(graph))
    }

    fn number(&mut self, key: Key, came_by: (u32, u32)) -> u32 {
        let next = self.states.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.states.push(key);
            self.came_by.push(came_by);
        }
        number
    }

    /// Sees to it that every number fits in its field; `false`: a state is too wide.
    fn lay_out(&mut self, space: &Space<'_>, layout: &mut Layout) -> bool {
        let counts = space.counts();
        if layout.fits(&counts) {
            return true;
        }
        let Some(wider) = Layout::plan(&counts, 2) else { return false };
        self.states.iter_mut().for_each(|key| *key = moved(key, layout, &wider));
        let numbered = self.states.iter().zip(0..);
        self.numbers = numbered.map(|(key, number)| (*key, number)).collect();
        *layout = wider;
        true
    }

    fn progress(&self, space: &Space<'_>, watch: &Watch) -> Progress {
        let state = size_of::<Key>() * 3 + size_of::<(u32, u32)>() * 2;
        let transition = size_of::<(u32, u32)>();
        let graph = self.states.len() * state + self.transitions.len() * transition;
        Progress {
            states: self.states.len() as u64,
            memory: graph + space.bytes(),
            time: watch.elapsed(),
            ..Progress::default()
        }
    }

    fn from(&self, state: usize) -> &[(u32, u32)] {
        &self.transitions[self.first[state] as usize..self.first[state + 1] as usize]
    }

    /// The shortest way to a state from which no run comes to a good end.
    fn without_progress(&self) -> Option<Lasso> {
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.states.len()];
        for state in 0..self.states.len() {
            self.from(state).iter().for_each(|(to, _)| before[*to as usize].push(state as u32));
        }
        let mut comes_to_end = vec![false; self.states.len()];
        let mut open = self.good_ends.clone();
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut comes_to_end[state as usize], true) {
                open.extend(&before[state as usize]);
            }
        }
        let lost = comes_to_end.iter().position(|comes| !comes)?;
        Some(Lasso { stem: self.way_to(lost), cycle: Vec::new() })
    }

    /// A fair run without end, if there is one.
    fn livelock(&self, processes: usize) -> Option<Lasso> {
        let component = self.components();
        let mut members: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (state, component) in component.iter().enumerate() {
            members.entry(*component).or_default().push(state as u32);
        }
        let mut fair: Vec<Lasso> = members
            .into_values()
            .filter_map(|members| self.fair_cycle(&members, &component, processes))
            .collect();
        fair.sort_by_key(|lasso| (lasso.stem.len(), lasso.cycle.len(), lasso.stem.clone()));
        fair.into_iter().next()
    }

    /// A cycle through a component that is fair to each process.
    fn fair_cycle(&self, members: &[u32], component: &[u32], processes: usize) -> Option<Lasso> {
        let start = members[0];
        let inside = |to: u32| component[to as usize] == component[start as usize];
        let steps = |state: u32| {
            self.from(state as usize).iter().filter(|(_, choice)| is_step(*choice)).copied()
        };
        let (mut here, mut cycle) = (start, Vec::new());
        for process in 0..processes {
            let own = Choice::step(process).number();
            let step = members.iter().find_map(|state| {
                let own = |(to, choice): &(u32, u32)| *choice == own && inside(*to);
                Some((*state, steps(*state).find(own)?.0))
            });
            let idle = || members.iter().find(|state| steps(**state).all(|(_, c)| c != own));
            match step {
                Some((from, to)) => {
                    cycle.extend(self.way_within(here, from, &inside));
                    cycle.push(Choice::step(process));
                    here = to;
                }
                None => {
                    let idle = *idle()?;
                    cycle.extend(self.way_within(here, idle, &inside));
                    here = idle;
                }
            }
        }
        cycle.extend(self.way_within(here, start, &inside));
        (!cycle.is_empty()).then(|| Lasso { stem: self.way_to(start as usize), cycle })
    }

    /// The shortest way from one state to another through states inside a component.
    fn way_within(&self, from: u32, to: u32, inside: &impl Fn(u32) -> bool) -> Vec<Choice> {
        let mut came_by: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
        let mut open = VecDeque::from([from]);
        while let Some(state) = open.pop_front() {
            if state == to {
                break;
            }
            for (next, choice) in self.from(state as usize) {
                if inside(*next) && *next != from && !came_by.contains_key(next) {
                    came_by.insert(*next, (state, *choice));
                    open.push_back(*next);
                }
            }
        }
        let (mut way, mut state) = (Vec::new(), to);
        while state != from {
            let Some((before, choice)) = came_by.get(&state) else { break };
            way.push(Choice::of_number(*choice));
            state = *before;
        }
        way.reverse();
        way
    }

    /// The strongly connected component of each state (Tarjan, *Depth-first search and linear
    /// graph algorithms*, 1972), without recursion.
    fn components(&self) -> Vec<u32> {
        const NEW: u32 = u32::MAX;
        let states = self.states.len();
        let (mut order, mut low) = (vec![NEW; states], vec![0; states]);
        let (mut component, mut on_stack) = (vec![NEW; states], Vec::new());
        let mut visited = 0;
        let mut path: Vec<(u32, u32)> = vec![(0, self.first[0])];
        while let Some((state, next)) = path.last_mut() {
            let at = *state as usize;
            if order[at] == NEW {
                (order[at], low[at]) = (visited, visited);
                visited += 1;
                on_stack.push(*state);
            }
            if *next < self.first[at + 1] {
                let to = self.transitions[*next as usize].0 as usize;
                *next += 1;
                if order[to] == NEW {
                    path.push((to as u32, self.first[to]));
                } else if component[to] == NEW {
                    low[at] = low[at].min(order[to]);
                }
                continue;
            }
            path.pop();
            if let Some((before, _)) = path.last() {
                low[*before as usize] = low[*before as usize].min(low[at]);
            }
            if low[at] == order[at] {
                while let Some(member) = on_stack.pop() {
                    component[member as usize] = at as u32;
                    if member as usize == at {
                        break;
                    }
                }
            }
        }
        component
    }

    fn way_to(&self, mut state: usize) -> Vec<Choice> {
        let mut way = Vec::new();
        while state != 0 {
            let (before, choice) = self.came_by[state];
            way.push(Choice::of_number(choice));
            state = before as usize;
        }
        way.reverse();
        way
    }
}

fn is_step(choice: u32) -> bool {
    Choice::of_number(choice).kind == Kind::Step
}
