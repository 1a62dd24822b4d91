//! Liveness: what has to become so, over the graph of all states.
//!
//! *Progress*: from every state some run comes to a good end, one at which no process can go on
//! and none waits for what nobody will do. That is reachability backwards from the good ends.
//! *No livelock*: every weakly fair run comes to an end. A run is weakly fair if no process could
//! go on for ever and never does (Lamport, *Proving the correctness of multiprocess programs*,
//! 1977). A fair run without end stays in one strongly connected component, so it is there if and
//! only if some component has, for each process, a step of it or a state where it cannot go on. So it
//! is with what the database does by itself: a late write lands, a majority catches up.
//! *What is owed for ever*: the same among the states in which it is owed.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::graph::{Built, Graph, Stopped};
use super::limits::Watch;
use super::space::Space;
use crate::check::fault::Choice;
#[cfg(test)]
use crate::check::fault::Kind;
use crate::store::Text;

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

/// Asked now and then on the way through a graph: why to stop, if so.
type Stop<'a> = &'a dyn Fn() -> Option<Stopped>;

/// So many states are gone through between two looks at the limits.
const LOOKS: usize = 1 << 16;

/// Checks liveness, as far as limits allow.
pub(super) fn check(
    space: &mut Space<'_>,
    watch: &Watch,
    threads: usize,
) -> Result<Result<Liveness, Stopped>, CheckError> {
    loop {
        let reductions = space.exact();
        space.reset(&[], reductions);
        match Graph::build(space, watch, threads)? {
            Built::Whole(graph) => {
                let stop = || watch.stop(&graph.progress(space, watch));
                return Ok(graph.without_progress(&stop).and_then(|without_progress| {
                    let livelock = graph.livelock(&stop)?;
                    Ok(Liveness { without_progress, livelock })
                }));
            }
            Built::Stopped(why) => return Ok(Err(why)),
            Built::Again => {}
        }
    }
}

/// A weakly fair run without end on which a property is owed something for ever; with what it is.
#[derive(Debug)]
pub(super) enum Endless {
    Owed(Text, Lasso),
    NeverOwed,
    Stopped(Stopped),
}

/// Looks for a run without end that breaks a property.
pub(super) fn endless(
    space: &mut Space<'_>,
    watch: &Watch,
    threads: usize,
    property: usize,
) -> Result<Endless, CheckError> {
    loop {
        let reductions = space.exact();
        space.reset(&[property], reductions);
        match Graph::build(space, watch, threads)? {
            Built::Whole(graph) => {
                let stop = || watch.stop(&graph.progress(space, watch));
                return graph.owed_for_ever(space, &stop);
            }
            Built::Stopped(why) => return Ok(Endless::Stopped(why)),
            Built::Again => {}
        }
    }
}

impl Graph {
    /// The shortest way to a state from which no run comes to a good end.
    fn without_progress(&self, stop: Stop<'_>) -> Result<Option<Lasso>, Stopped> {
        let (first, before) = self.backwards(stop)?;
        let mut comes_to_end = vec![false; self.states.len()];
        let mut open = self.good_ends.clone();
        let mut looks = Looks::new(stop);
        while let Some(state) = open.pop() {
            looks.now_and_then()?;
            let state = state as usize;
            if !std::mem::replace(&mut comes_to_end[state], true) {
                let before = &before[first[state] as usize..first[state + 1] as usize];
                open.extend(before.iter().filter(|before| !comes_to_end[**before as usize]));
            }
        }
        let lost = comes_to_end.iter().position(|comes| !comes);
        Ok(lost.map(|lost| Lasso { stem: self.way_to(lost), cycle: Vec::new() }))
    }

    /// The states before state n are those from `first[n]` to `first[n + 1]`.
    fn backwards(&self, stop: Stop<'_>) -> Result<(Vec<u32>, Vec<u32>), Stopped> {
        let states = self.states.len();
        let mut first = vec![0; states + 1];
        self.transitions.iter().for_each(|(to, _)| first[*to as usize] += 1);
        let mut sum = 0;
        for first in &mut first {
            sum += *first;
            *first = sum;
        }
        let mut before = vec![0; self.transitions.len()];
        let mut looks = Looks::new(stop);
        for state in 0..states {
            looks.now_and_then()?;
            for (to, _) in self.from(state) {
                let place = &mut first[*to as usize];
                *place -= 1;
                before[*place as usize] = state as u32;
            }
        }
        Ok((first, before))
    }

    /// A fair run without end on which one thing is owed for ever, if there is one: a component of
    /// the states in which it is owed. What cannot go on in the whole graph cannot go on there.
    fn owed_for_ever(&self, space: &Space<'_>, stop: Stop<'_>) -> Result<Endless, CheckError> {
        let mut owed_in: FxHashMap<u32, Vec<Text>> = FxHashMap::default();
        let mut all = BTreeSet::new();
        for memory in &self.memories {
            if !owed_in.contains_key(memory) {
                let owed = space.judge.owed(*memory)?;
                all.extend(owed.iter().cloned());
                owed_in.insert(*memory, owed);
            }
        }
        let mut found = Vec::new();
        for owed in all {
            let is_owed = |state: u32| owed_in[&self.memories[state as usize]].contains(&owed);
            match self.fair_run(&is_owed, stop) {
                Ok(lasso) => found.extend(lasso.map(|lasso| (owed, lasso))),
                Err(why) => return Ok(Endless::Stopped(why)),
            }
        }
        let of_length = |(_, lasso): &(Text, Lasso)| (lasso.stem.len(), lasso.cycle.len());
        let shortest = found.into_iter().min_by_key(of_length);
        Ok(shortest.map_or(Endless::NeverOwed, |(owed, lasso)| Endless::Owed(owed, lasso)))
    }

    /// A fair run without end, if there is one.
    fn livelock(&self, stop: Stop<'_>) -> Result<Option<Lasso>, Stopped> {
        self.fair_run(&|_| true, stop)
    }

    /// A fair run without end that stays among some states, if there is one.
    fn fair_run(
        &self,
        among: &impl Fn(u32) -> bool,
        stop: Stop<'_>,
    ) -> Result<Option<Lasso>, Stopped> {
        let due = self.due();
        let component = self.components(among, stop)?;
        // A state that no transition leads on from within its component is no part of a cycle.
        let goes_round = |state: &u32| {
            let within = |(to, _): &(u32, u32)| {
                among(*to) && component[*to as usize] == component[*state as usize]
            };
            among(*state) && self.from(*state as usize).iter().any(within)
        };
        let mut members: Vec<u32> = (0..self.states.len() as u32).filter(goes_round).collect();
        members.sort_unstable_by_key(|state| (component[*state as usize], *state));
        let (mut shortest, mut looks) = (None::<Lasso>, Looks::new(stop));
        let length = |lasso: &Lasso| (lasso.stem.len(), lasso.cycle.len());
        for members in members.chunk_by(|a, b| component[*a as usize] == component[*b as usize]) {
            looks.after(members.len())?;
            let Some(lasso) = self.fair_cycle(members, &component, &due) else { continue };
            let is_shorter = |one: &Lasso| (length(&lasso), &lasso.stem) < (length(one), &one.stem);
            if shortest.as_ref().is_none_or(is_shorter) {
                shortest = Some(lasso);
            }
        }
        Ok(shortest)
    }

    /// What has to happen some time if it always could: steps, and what the database does by itself.
    fn due(&self) -> Vec<Choice> {
        let all: BTreeSet<u32> = self.transitions.iter().map(|(_, choice)| *choice).collect();
        let all = all.into_iter().map(Choice::of_number);
        all.filter(|choice| choice.kind.is_due()).collect()
    }

    /// A cycle through a component that is fair to all that is due.
    fn fair_cycle(&self, members: &[u32], component: &[u32], due: &[Choice]) -> Option<Lasso> {
        let start = members[0];
        let inside = |to: u32| component[to as usize] == component[start as usize];
        let (mut here, mut cycle) = (start, Vec::new());
        for choice in due {
            let number = choice.number();
            let of_choice = |state: u32| {
                let all = self.from(state as usize).iter();
                all.filter(move |(_, other)| *other == number).map(|(to, _)| *to)
            };
            let step = members
                .iter()
                .find_map(|state| Some((*state, of_choice(*state).find(|to| inside(*to))?)));
            match step {
                Some((from, to)) => {
                    cycle.extend(self.way_within(here, from, &inside));
                    cycle.push(*choice);
                    here = to;
                }
                None => {
                    let idle = *members.iter().find(|state| of_choice(**state).next().is_none())?;
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
    ///
    /// Of the graph of some states only; each of the others is one by itself.
    fn components(
        &self,
        among: &impl Fn(u32) -> bool,
        stop: Stop<'_>,
    ) -> Result<Vec<u32>, Stopped> {
        const NEW: u32 = u32::MAX;
        let states = self.states.len();
        let (mut order, mut low) = (vec![NEW; states], vec![0; states]);
        let (mut component, mut on_stack) = (vec![NEW; states], Vec::new());
        let (mut visited, mut root) = (0, 0);
        let mut path: Vec<(u32, u32)> = Vec::new();
        let mut looks = Looks::new(stop);
        loop {
            looks.now_and_then()?;
            // Without some of the states the others need not be reachable from the first.
            if path.is_empty() {
                while root < states && order[root] != NEW {
                    root += 1;
                }
                if root == states {
                    break;
                }
                path.push((root as u32, self.first[root]));
            }
            let Some((state, next)) = path.last_mut() else { break };
            let at = *state as usize;
            if order[at] == NEW {
                (order[at], low[at]) = (visited, visited);
                visited += 1;
                on_stack.push(*state);
            }
            if *next < self.first[at + 1] {
                let to = self.transitions[*next as usize].0 as usize;
                *next += 1;
                if !among(at as u32) || !among(to as u32) {
                    continue;
                }
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
        Ok(component)
    }
}

/// Looks at the limits now and then.
struct Looks<'a> {
    stop: Stop<'a>,
    left: usize,
}

impl<'a> Looks<'a> {
    fn new(stop: Stop<'a>) -> Looks<'a> {
        Looks { stop, left: LOOKS }
    }

    fn now_and_then(&mut self) -> Result<(), Stopped> {
        self.after(1)
    }

    /// A look, if so many states more are enough for one.
    fn after(&mut self, states: usize) -> Result<(), Stopped> {
        if let Some(left) = self.left.checked_sub(states) {
            self.left = left;
            return Ok(());
        }
        self.left = LOOKS;
        (self.stop)().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A random graph of so many states, in which two processes have steps, and something else happens.
    fn random_graph(states: u32, random: &mut impl FnMut(u32) -> u32) -> Graph {
        let choices = [
            Choice::step(0),
            Choice::step(1),
            Choice { kind: Kind::Replicates, ..Choice::step(0) },
            Choice { kind: Kind::Lost, ..Choice::step(1) },
        ];
        let mut graph = Graph::default();
        for state in 0..states {
            graph.states.push([0; 2]);
            graph.came_by.push((0, 0));
            graph.first.push(graph.transitions.len() as u32);
            for choice in choices {
                // A fault costs one of its budget, or comes but once between two that do: it never leads back.
                let least = if choice.kind.is_due() { 0 } else { state + 1 };
                if random(2) == 0 && least < states {
                    let to = least + random(states - least);
                    graph.transitions.push((to, choice.number()));
                }
            }
        }
        graph.first.push(graph.transitions.len() as u32);
        graph
    }

    /// By all sets of states: whether one of them is strongly connected and fair.
    fn by_sets(graph: &Graph, among: u32) -> bool {
        let states = graph.states.len() as u32;
        let is_in = |set: u32, state: u32| set >> state & 1 == 1;
        (1..1 << states).filter(|set| set & among == *set).any(|set| {
            let members: Vec<u32> = (0..states).filter(|state| is_in(set, *state)).collect();
            let reaches = |from: u32| {
                let (mut seen, mut open) = (0, vec![from]);
                while let Some(state) = open.pop() {
                    for (to, _) in graph.from(state as usize) {
                        if is_in(set, *to) && !is_in(seen, *to) {
                            seen |= 1 << to;
                            open.push(*to);
                        }
                    }
                }
                seen
            };
            let fair = |choice: &Choice| {
                let steps = |state: &u32| {
                    let all = graph.from(*state as usize).iter();
                    all.filter(|(_, other)| *other == choice.number()).collect::<Vec<_>>()
                };
                members.iter().any(|state| {
                    let steps = steps(state);
                    steps.is_empty() || steps.iter().any(|(to, _)| is_in(set, *to))
                })
            };
            members.iter().all(|state| reaches(*state) == set) && graph.due().iter().all(fair)
        })
    }

    #[test]
    fn a_fair_run_is_found_if_and_only_if_there_is_one() {
        let mut seed = 1_u64;
        let mut random = |below: u32| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u32 % below
        };
        let mut found = [0; 2];
        for _ in 0..4000 {
            let states = 1 + random(5);
            let graph = random_graph(states, &mut random);
            let among = random(1 << states);
            let expected = by_sets(&graph, among);
            let lasso =
                graph.fair_run(&|state| among >> state & 1 == 1, &|| None).expect("no limit");
            assert_eq!(lasso.is_some(), expected, "{:?} {among:b}", graph.transitions);
            found[usize::from(expected)] += 1;
        }
        assert!(found.iter().all(|count| *count > 500), "{found:?}");
    }
}
