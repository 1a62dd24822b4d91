//! The graph of all states: each with what it leads to and how the search first came to it.
//!
//! States are expanded in batches. Where there are two threads, one expands a batch while the other
//! gives the states that the batch before it led to their numbers: what a state leads to does not
//! depend on numbers. These are given in the order of the states, so they do not depend on the threads.

use std::thread;

use super::error::CheckError;
use super::hint::{prefetch, use_large_pages};
use super::limits::{Progress, Watch};
use super::pack::{Layout, Packed};
use super::search::moved;
use super::shortest::way_to;
use super::space::{Notes, Space};
use super::table::Table;
use crate::check::fault::Choice;
use crate::store::Text;

/// Keys of 126 bits: the graph takes far more than its keys.
type Key = Packed<2>;

/// Why it is not known, since a limit was reached before.
pub(super) type Stopped = Text;

/// So many states are expanded between two looks at the limits.
const BATCH: usize = 1 << 12;
/// What is not known of so many states is found out between two looks at the limits.
const LEARNT: usize = 1 << 10;
/// So many states are looked up together.
const TOGETHER: usize = 64;
/// The steps of so many states are asked for ahead of time.
const AHEAD: usize = 16;

/// All states and transitions; states are numbered in the order of their depth.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) states: Vec<Key>,
    numbers: Numbers,
    /// For each state the one before it, and the number of the choice.
    pub(super) came_by: Vec<(u32, u32)>,
    /// The transitions of state n are those from `first[n]` to `first[n + 1]`.
    pub(super) first: Vec<u32>,
    /// Where each leads, and the number of the choice.
    pub(super) transitions: Vec<(u32, u32)>,
    pub(super) good_ends: Vec<u32>,
    /// What the properties in play remember in each state.
    pub(super) memories: Vec<u32>,
}

/// How the making of a graph ended.
pub(super) enum Built {
    Whole(Graph),
    Stopped(Stopped),
    /// What was learnt on the way makes it necessary to begin again.
    Again,
}

/// The numbers of the states by their keys. The keys are those of the states and not kept twice,
/// so a larger one is filled anew, without the one before it.
#[derive(Default)]
struct Numbers {
    /// A power of two of them, or none.
    slots: Vec<u32>,
}

/// A slot without a number.
const FREE: u32 = u32::MAX;

impl Numbers {
    /// Those of these states, with room for so many in all.
    fn of(states: &[Key], room: usize) -> Numbers {
        let count = (room * 2).next_power_of_two().max(64);
        let mut slots = Vec::with_capacity(count);
        use_large_pages(&slots);
        slots.resize(count, FREE);
        let mut numbers = Numbers { slots };
        for (state, number) in states.iter().zip(0..) {
            let place = numbers.place(state, states);
            numbers.slots[place] = number;
        }
        numbers
    }

    fn has_room_for(&self, states: usize) -> bool {
        states < self.slots.len() / 4 * 3
    }

    /// Where the search for a key begins.
    #[inline]
    fn home(&self, key: &Key) -> usize {
        Table::hash(key).upper(self.slots.len().ilog2())
    }

    /// Where the number of a key is, or would be.
    #[inline]
    fn place(&self, key: &Key, states: &[Key]) -> usize {
        let mut place = self.home(key);
        while self.slots[place] != FREE && states[self.slots[place] as usize] != *key {
            place = (place + 1) % self.slots.len();
        }
        place
    }

    /// Asks for the memory in which these are looked up ahead of time, so that the waits for it are few.
    fn prefetch(&self, found: &[Found], states: &[Key]) {
        let homes = || found.iter().map(|found| self.home(&found.key));
        homes().for_each(|home| prefetch(&self.slots[home]));
        let known = homes().filter_map(|home| states.get(self.slots[home] as usize));
        known.for_each(prefetch);
    }
}

/// A successor of a state of a batch.
#[derive(Clone, Copy)]
struct Found {
    /// The number of that state in the batch.
    from: u32,
    choice: u32,
    key: Key,
}

/// What came of expanding the states of a batch.
#[derive(Default)]
struct Expanded {
    found: Vec<Found>,
    /// By state: so many were found for it and those before it; `None` where not all is known.
    up_to: Vec<Option<u32>>,
    /// Which of them are good ends.
    good_ends: Vec<u32>,
    /// What else is known now.
    notes: Notes,
}

impl Expanded {
    fn of(space: &Space<'_>, layout: &Layout, batch: &[Key]) -> Expanded {
        let mut expanded = Expanded::default();
        for (number, key) in batch.iter().enumerate() {
            let coming = batch.get(number + AHEAD);
            coming.into_iter().for_each(|coming| space.prefetch(layout, coming));
            expanded.add(space, layout, key);
        }
        expanded
    }

    /// Adds what a state leads to; whether all of that is known.
    fn add(&mut self, space: &Space<'_>, layout: &Layout, key: &Key) {
        let (from, before) = (self.up_to.len() as u32, self.found.len());
        let visit = |(choice, key)| self.found.push(Found { from, choice, key });
        let goes_on = space.successors(layout, key, &mut self.notes, visit);
        match goes_on {
            None => self.found.truncate(before),
            Some(false) if space.is_good_end(&space.unpack(layout, key)) => {
                self.good_ends.push(from);
            }
            Some(_) => {}
        }
        self.up_to.push(goes_on.map(|_| self.found.len() as u32));
    }

    /// The states of which not all is known, by their number in the batch.
    fn unknown(&self) -> impl Iterator<Item = usize> {
        let all = self.up_to.iter().enumerate();
        all.filter(|(_, up_to)| up_to.is_none()).map(|(number, _)| number)
    }

    /// The same once all is known.
    fn completed(self, space: &Space<'_>, layout: &Layout, batch: &[Key]) -> Expanded {
        let mut completed = Expanded::default();
        let (mut from, mut good_ends) = (0, self.good_ends.into_iter().peekable());
        for ((key, up_to), number) in batch.iter().zip(self.up_to).zip(0..) {
            let Some(up_to) = up_to else {
                completed.add(space, layout, key);
                continue;
            };
            completed.good_ends.extend(good_ends.next_if_eq(&number));
            completed.found.extend_from_slice(&self.found[from..up_to as usize]);
            completed.up_to.push(Some(completed.found.len() as u32));
            from = up_to as usize;
        }
        completed
    }
}

/// A graph under way.
struct Build<'a, 's> {
    space: &'a mut Space<'s>,
    watch: &'a Watch,
    layout: Layout,
    graph: Graph,
    /// So many of its states are in a batch that was expanded.
    expanded: usize,
}

impl Graph {
    /// Visits every reachable state, with at most two threads.
    pub(super) fn build(
        space: &mut Space<'_>,
        watch: &Watch,
        threads: usize,
    ) -> Result<Built, CheckError> {
        let initial = space.initial()?;
        if space.is_stale() {
            return Ok(Built::Again);
        }
        let Some(layout) = Layout::plan(&space.counts(), 2) else {
            return Ok(Built::Stopped(too_wide()));
        };
        let mut graph = Graph::default();
        graph.make_room(1);
        graph.number(space.pack(&layout, &initial), (0, 0));
        Build { space, watch, layout, graph, expanded: 0 }.run(threads)
    }

    /// Gives the states to which those of a batch lead their numbers.
    fn put(&mut self, expanded: &Expanded) {
        let (state, transition) = (self.first.len() as u32, self.transitions.len() as u32);
        self.make_room(expanded.found.len());
        for few in expanded.found.chunks(TOGETHER) {
            self.numbers.prefetch(few, &self.states);
            for Found { from, choice, key } in few {
                let to = self.number(*key, (state + from, *choice));
                self.transitions.push((to, *choice));
            }
        }
        self.good_ends.extend(expanded.good_ends.iter().map(|number| state + number));
        let mut from = 0;
        for up_to in expanded.up_to.iter().flatten() {
            self.first.push(transition + from);
            from = *up_to;
        }
    }

    /// Makes room for the numbers of so many more states.
    fn make_room(&mut self, more: usize) {
        let room = self.states.len() + more;
        if !self.numbers.has_room_for(room) {
            self.numbers = Numbers::default();
            self.numbers = Numbers::of(&self.states, room);
        }
    }

    /// The number of a state, for which there is room.
    #[inline]
    fn number(&mut self, key: Key, came_by: (u32, u32)) -> u32 {
        let place = self.numbers.place(&key, &self.states);
        let number = &mut self.numbers.slots[place];
        if *number == FREE {
            *number = self.states.len() as u32;
            self.states.push(key);
            self.came_by.push(came_by);
        }
        *number
    }

    /// How far it is; its memory with what it takes to go through the graph once it is whole.
    pub(super) fn progress(&self, space: &Space<'_>, watch: &Watch) -> Progress {
        let state = size_of::<Key>() + size_of::<(u32, u32)>() + 2 * size_of::<u32>();
        let of_states = self.states.len() * (state + Graph::THROUGH_STATE);
        let transition = size_of::<(u32, u32)>() + Graph::THROUGH_TRANSITION;
        let of_numbers = self.numbers.slots.len() * size_of::<u32>();
        Progress {
            states: self.states.len() as u64,
            memory: of_states + of_numbers + self.transitions.len() * transition + space.bytes(),
            time: watch.elapsed(),
            ..Progress::default()
        }
    }

    /// So many bytes a state takes to go through the graph: four numbers for its component.
    const THROUGH_STATE: usize = 4 * size_of::<u32>();
    /// So many bytes a transition takes: one number for the way back.
    const THROUGH_TRANSITION: usize = size_of::<u32>();

    /// The transitions from a state.
    pub(super) fn from(&self, state: usize) -> &[(u32, u32)] {
        &self.transitions[self.first[state] as usize..self.first[state + 1] as usize]
    }

    /// The shortest way to a state.
    pub(super) fn way_to(&self, state: usize) -> Vec<Choice> {
        way_to(&self.came_by, state)
    }
}

impl Build<'_, '_> {
    fn run(mut self, threads: usize) -> Result<Built, CheckError> {
        let mut before = Expanded::default();
        loop {
            let batch = self.next_batch();
            let expanded = self.expand_beside(&batch, &before, threads);
            if batch.is_empty() && self.expanded == self.graph.states.len() {
                return Ok(Built::Whole(self.whole()));
            }
            before = match self.learn(batch, expanded)? {
                Ok(expanded) => expanded,
                Err(ended) => return Ok(ended),
            };
            if let Some(why) = self.stop() {
                return Ok(Built::Stopped(why));
            }
        }
    }

    /// The next states that were not expanded yet.
    fn next_batch(&mut self) -> Vec<Key> {
        let from = self.expanded;
        self.expanded = (from + BATCH).min(self.graph.states.len());
        self.graph.states[from..self.expanded].to_vec()
    }

    /// Expands a batch, while what the one before it led to is put into the graph.
    fn expand_beside(&mut self, batch: &[Key], before: &Expanded, threads: usize) -> Expanded {
        let Build { space, layout, graph, .. } = self;
        let expand = || Expanded::of(space, layout, batch);
        if threads == 1 || batch.len() < BATCH {
            graph.put(before);
            return expand();
        }
        thread::scope(|scope| {
            let expanding = scope.spawn(expand);
            graph.put(before);
            expanding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Finds out what is not known of the states of a batch, and expands these; says how the graph ended,
    /// if it did.
    fn learn(
        &mut self,
        mut batch: Vec<Key>,
        mut expanded: Expanded,
    ) -> Result<Result<Expanded, Built>, CheckError> {
        self.space.note_all(std::mem::take(&mut expanded.notes));
        let unknown: Vec<usize> = expanded.unknown().collect();
        if unknown.is_empty() {
            return Ok(Ok(expanded));
        }
        for few in unknown.chunks(LEARNT) {
            for state in few {
                self.space.learn(&self.layout, &batch[*state])?;
                if self.space.is_stale() {
                    return Ok(Err(Built::Again));
                }
            }
            if let Some(why) = self.stop() {
                return Ok(Err(Built::Stopped(why)));
            }
        }
        let found = expanded.found.iter_mut().map(|found| &mut found.key);
        if !self.lay_out(batch.iter_mut().chain(found)) {
            return Ok(Err(Built::Stopped(too_wide())));
        }
        let mut completed = expanded.completed(self.space, &self.layout, &batch);
        self.space.note_all(std::mem::take(&mut completed.notes));
        assert!(completed.unknown().next().is_none(), "all of it was found out");
        Ok(Ok(completed))
    }

    /// Sees to it that every number fits in its field, also in these keys; `false`: a state is too wide.
    fn lay_out<'k>(&mut self, keys: impl Iterator<Item = &'k mut Key>) -> bool {
        let counts = self.space.counts();
        if self.layout.fits(&counts) {
            return true;
        }
        let Some(wider) = Layout::plan(&counts, 2) else { return false };
        let change = |key: &mut Key| *key = moved(key, &self.layout, &wider);
        self.graph.states.iter_mut().for_each(change);
        keys.for_each(change);
        self.graph.numbers = Numbers::of(&self.graph.states, self.graph.states.len());
        self.layout = wider;
        true
    }

    fn stop(&self) -> Option<Stopped> {
        self.watch.stop(&self.graph.progress(self.space, self.watch))
    }

    /// The graph, of which all states were expanded.
    fn whole(self) -> Graph {
        let Build { space, layout, mut graph, .. } = self;
        graph.first.push(graph.transitions.len() as u32);
        graph.numbers = Numbers::default();
        let memory = |key| space.memory(layout.scene.get(key));
        graph.memories = graph.states.iter().map(memory).collect();
        graph
    }
}

/// Why there is no graph of states that take more bits than its keys have.
fn too_wide() -> Stopped {
    "a state takes more bits than are packed for liveness".into()
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;
    use crate::check::engine::explore::limits::Limits;
    use crate::check::engine::explore::whole::of_shipped;

    /// The graph without properties, as liveness has it.
    fn graph(name: &str, threads: usize) -> Graph {
        let system = of_shipped(name, |_| ());
        let mut space = Space::new(&system).expect("reproducible");
        let watch = Watch::new(Limits::default(), &Default::default(), None);
        loop {
            let reductions = space.exact();
            space.reset(&[], reductions);
            match Graph::build(&mut space, &watch, threads).expect("reproducible") {
                Built::Whole(graph) => return graph,
                Built::Again => {}
                Built::Stopped(why) => panic!("{why}"),
            }
        }
    }

    #[test]
    fn threads_make_the_same_graph() {
        for name in ["doorway-crash-unknown-zombie-one-task", "story-898-pair-crash"] {
            let (one, two) = (graph(name, 1), graph(name, 2));
            assert!(one.states.len() > 4 * BATCH, "{name}: {}", one.states.len());
            assert!(one.good_ends.len() > 1 && one.good_ends.is_sorted_by(|a, b| a < b), "{name}");
            let goes_on = |state: &u32| {
                let choices = one.from(*state as usize).iter();
                choices
                    .map(|(_, choice)| Choice::of_number(*choice))
                    .any(|choice| choice.kind.is_due())
            };
            assert!(!one.good_ends.iter().any(goes_on), "{name}");
            assert_eq!((&one.states, &one.came_by), (&two.states, &two.came_by), "{name}");
            assert_eq!((&one.first, &one.transitions), (&two.first, &two.transitions), "{name}");
            assert_eq!(one.good_ends, two.good_ends, "{name}");
        }
    }

    #[test]
    fn each_state_was_come_to_by_a_transition_of_one_before_it() {
        let graph = graph("doorway-worker-crash-one-task", 2);
        assert!(graph.states.len() > 1000);
        for (state, (before, choice)) in graph.came_by.iter().enumerate().skip(1) {
            assert!((*before as usize) < state);
            assert!(graph.from(*before as usize).contains(&(state as u32, *choice)));
        }
    }
}
