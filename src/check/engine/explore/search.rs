//! The search: every reachable state once, breadth first.
//!
//! The states of one depth are expanded in batches, each batch by as many threads as there are. A
//! state with an edge that is not known yet is put aside; at the end of the depth one thread finds
//! out what was missing, so that threads share what is known without a lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::error::CheckError;
use super::jumps::Jumps;
use super::limits::{Progress, Watch, out_of_memory, too_deep};
use super::pack::{Layout, Packed};
use super::space::{Global, Notes, Space};
use super::table::{Hash, Insert, Table};
use crate::store::Text;

/// So many states are expanded between two looks at the limits, at most.
const BATCH: usize = 1 << 15;
/// So many states are visited in no time.
const FEW: u64 = 1 << 9;
/// What is not known of so many states is found out between two looks at the limits.
const LEARNT: usize = 1 << 12;
/// So many states a thread takes at a time.
const CHUNK: usize = 512;
/// The successors of so many states are looked up together.
const TOGETHER: usize = 16;

/// A thread remembers so many of the latest states (a power of two): up to half of all successors are
/// among them, as two steps that commute lead to one state at about one time.
const RECENT: u32 = 14;

/// How far a search came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) states: u64,
    pub(super) transitions: u64,
    pub(super) depth: u64,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Every reachable state was visited.
    Exhausted,
    /// A limit was reached.
    Stopped(Text),
    /// What was learnt on the way makes it necessary to begin again.
    Again,
    /// A state takes more words.
    Wider,
}

/// Whoever is asked about each state in which no process can go on.
pub(super) type AtEnd<'a> = &'a mut dyn FnMut(&Space<'_>, &Global) -> Result<(), CheckError>;

/// A search with keys of so many words.
pub(super) struct Search<'a, 's, const N: usize> {
    space: &'a mut Space<'s>,
    watch: &'a mut Watch,
    threads: usize,
    layout: Layout,
    table: Table<N>,
    /// Where the space is plain, and they are worth their memory.
    jumps: Option<Jumps<N>>,
    /// The states of the depth under way, and those of the next one.
    frontier: Vec<Vec<Packed<N>>>,
    next: Vec<Vec<Packed<N>>>,
    /// One for each thread, while none has it.
    recent: Vec<Recent<N>>,
    tally: Tally,
    /// Since it is known that the search has to begin again: how many states it still visits
    /// before, to see what else it has to know then.
    until: Option<u64>,
}

/// States to be expanded, by one thread or several.
struct Work<'a, 's, const N: usize> {
    space: &'a Space<'s>,
    layout: &'a Layout,
    jumps: Option<&'a Jumps<N>>,
    batch: &'a [Packed<N>],
    /// So many of them were taken by a thread.
    taken: AtomicUsize,
}

/// The latest states that were found, by their hashes: each is in the table, or about to be.
struct Recent<const N: usize>(Box<[Packed<N>; 1 << RECENT]>);

/// What came of expanding some states.
struct Expanded<const N: usize> {
    next: Vec<Packed<N>>,
    /// The states with an edge that is not known yet.
    unknown: Vec<Packed<N>>,
    /// The states in which no process can go on.
    over: Vec<Packed<N>>,
    /// Those of which a jump was not put together yet, and all edges are known.
    jumpless: Vec<Packed<N>>,
    transitions: u64,
    /// Room for the successors of one state.
    successors: Vec<Packed<N>>,
    /// What else is known now.
    notes: Notes,
    recent: Recent<N>,
}

impl<'a, 's, const N: usize> Search<'a, 's, N> {
    /// Visits every reachable state.
    pub(super) fn run(
        space: &'a mut Space<'s>,
        watch: &'a mut Watch,
        threads: usize,
        at_end: AtEnd<'_>,
    ) -> Result<(Ended, Tally), CheckError> {
        let initial = space.initial()?;
        let Some(layout) = Layout::plan(&space.counts(), N) else {
            return Ok((Ended::Wider, Tally::default()));
        };
        let mut table = Table::with_capacity(1 << 12);
        let key = space.pack::<N>(&layout, &initial);
        table.insert(&key, Table::hash(&key));
        let frontier = vec![vec![key]];
        let tally = Tally { states: 1, ..Tally::default() };
        let next = Vec::new();
        let jumps = space.is_plain().then(Jumps::default);
        let mut search = Search {
            space,
            watch,
            threads,
            layout,
            table,
            jumps,
            frontier,
            next,
            recent: Vec::new(),
            tally,
            until: None,
        };
        let ended = search.levels(at_end)?;
        search.watch.tell(&search.progress(0));
        Ok((ended, search.tally))
    }

    fn levels(&mut self, at_end: AtEnd<'_>) -> Result<Ended, CheckError> {
        if self.space.is_askew() {
            return Ok(Ended::Again);
        }
        let deepest = self.watch.limits().depth;
        loop {
            if let Some(limit) = deepest.filter(|limit| self.tally.depth >= *limit) {
                // Some states within the limit may not have been gone on from.
                let again = self.space.has_split();
                return Ok(if again { Ended::Again } else { Ended::Stopped(too_deep(limit)) });
            }
            if let Some(ended) = self.level(at_end)? {
                return Ok(ended);
            }
            if self.next.is_empty() {
                let again = self.has_to_begin_again();
                return Ok(if again { Ended::Again } else { Ended::Exhausted });
            }
            self.tally.depth += 1;
            self.frontier = std::mem::take(&mut self.next);
        }
    }

    /// Expands the states of one depth; says how the search ended, if it did.
    ///
    /// What is not known is found out when all that is known was gone through, in the order of the
    /// states: so it does not depend on the threads which number anything has.
    fn level(&mut self, at_end: AtEnd<'_>) -> Result<Option<Ended>, CheckError> {
        let mut unknown = Vec::new();
        while let Some(states) = self.frontier.pop() {
            if let Some(ended) = self.expand_all(&states, &mut unknown, at_end)? {
                return Ok(Some(ended));
            }
        }
        if unknown.is_empty() {
            return Ok(None);
        }
        unknown.sort_unstable();
        if let Some(ended) = self.learn(&unknown)? {
            return Ok(Some(ended));
        }
        let layout = self.layout.clone();
        if !self.lay_out() {
            return Ok(Some(Ended::Wider));
        }
        unknown.iter_mut().for_each(|key| *key = moved(key, &layout, &self.layout));
        let mut rest = Vec::new();
        let ended = self.expand_all(&unknown, &mut rest, at_end)?;
        assert!(ended.is_some() || rest.is_empty(), "all of it was found out");
        Ok(ended)
    }

    /// Puts the jumps of these states together.
    fn put_jumps(&mut self, states: &[Packed<N>]) {
        let Search { space, layout, jumps, .. } = self;
        let put =
            |jumps: &mut Jumps<N>| states.iter().all(|key| space.put_jumps(layout, key, jumps));
        if jumps.as_mut().is_some_and(|jumps| !put(jumps)) {
            *jumps = None;
        }
    }

    /// Finds out what is not known of these states; says how the search ended, if it did.
    fn learn(&mut self, unknown: &[Packed<N>]) -> Result<Option<Ended>, CheckError> {
        // The nodes of all come first, so that they are classed together.
        for few in unknown.chunks(LEARNT) {
            for key in few {
                self.space.discover(&self.layout, key)?;
            }
            if let Some(why) = self.watch.look(&self.progress(unknown.len())) {
                return Ok(Some(Ended::Stopped(why)));
            }
        }
        for few in unknown.chunks(LEARNT) {
            for key in few {
                self.space.learn(&self.layout, key)?;
                if self.begins_again_now() {
                    return Ok(Some(Ended::Again));
                }
            }
            if let Some(why) = self.watch.look(&self.progress(unknown.len())) {
                return Ok(Some(Ended::Stopped(why)));
            }
        }
        Ok(None)
    }

    /// Expands states batch by batch, as far as all is known; says how the search ended, if it did.
    fn expand_all(
        &mut self,
        states: &[Packed<N>],
        unknown: &mut Vec<Packed<N>>,
        at_end: AtEnd<'_>,
    ) -> Result<Option<Ended>, CheckError> {
        let mut done = 0;
        while done < states.len() {
            let Some(room) = self.room() else {
                let limit = self.watch.limits().memory.unwrap_or_default();
                return Ok(Some(Ended::Stopped(out_of_memory(limit))));
            };
            let batch = done..(done + room).min(states.len());
            done = batch.end;
            unknown.extend(self.expand_known(&states[batch], at_end)?);
            let left = states.len() - done + unknown.len();
            if let Some(why) = self.watch.look(&self.progress(left)) {
                return Ok(Some(Ended::Stopped(why)));
            }
        }
        Ok(None)
    }

    /// Expands the states of which all edges are known; returns the others.
    fn expand_known(
        &mut self,
        batch: &[Packed<N>],
        at_end: AtEnd<'_>,
    ) -> Result<Vec<Packed<N>>, CheckError> {
        let Search { space, layout, table, jumps, threads, recent, .. } = self;
        recent.resize_with(*threads, Recent::default);
        let jumps = jumps.as_ref();
        let work = Work { space, layout, jumps, batch, taken: AtomicUsize::new(0) };
        let all = if *threads == 1 || batch.len() <= 2 * CHUNK {
            let recent = recent.drain(..1);
            recent.map(|recent| work.expand(table, recent)).collect()
        } else {
            let (work, table) = (&work, &*table);
            thread::scope(|scope| {
                let start = |recent| scope.spawn(move || work.expand(&mut &*table, recent));
                let others: Vec<_> = recent.drain(1..).map(start).collect();
                let mine = recent.drain(..).map(|recent| work.expand(&mut &*table, recent));
                let mut all: Vec<_> = mine.collect();
                all.extend(others.into_iter().map(|thread| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                }));
                all
            })
        };
        let mut unknown = Vec::new();
        for expanded in all {
            self.tally.states += expanded.next.len() as u64;
            self.tally.transitions += expanded.transitions;
            for key in &expanded.over {
                at_end(self.space, &self.space.unpack(&self.layout, key))?;
            }
            unknown.extend(expanded.unknown);
            self.space.note_all(expanded.notes);
            self.put_jumps(&expanded.jumpless);
            self.recent.push(expanded.recent);
            self.push(expanded.next);
        }
        Ok(unknown)
    }

    /// Adds states to the next depth: small heaps are put together.
    fn push(&mut self, mut states: Vec<Packed<N>>) {
        match self.next.last_mut() {
            Some(last) if last.len() + states.len() <= BATCH => last.append(&mut states),
            _ if states.is_empty() => {}
            _ => {
                states.shrink_to_fit();
                self.next.push(states);
            }
        }
    }

    fn has_to_begin_again(&self) -> bool {
        self.space.is_stale() || !self.space.judge.fallen().is_empty()
    }

    /// Whether the search has to begin again, and has nothing more to find out before: twice the
    /// states are worth it, so that all passes together visit not many more than the last.
    fn begins_again_now(&mut self) -> bool {
        if self.space.is_askew() {
            return true;
        }
        if !self.has_to_begin_again() {
            return false;
        }
        let states = self.tally.states;
        states >= *self.until.get_or_insert(2 * states.max(FEW))
    }

    /// How many states can be expanded with the room that the table has or can get; `None`: not
    /// even one.
    fn room(&mut self) -> Option<usize> {
        let states = self.tally.states as usize;
        let branching = self.space.branching();
        let wanted = (states / 256).clamp(64, BATCH);
        let enough = states + wanted * branching;
        if self.table.capacity() < enough {
            let larger = enough.max(states + states / 2);
            self.table.grow(self.affordable(larger));
        }
        let room = self.table.capacity().saturating_sub(states) / branching;
        let limit = self.watch.limits().states.map_or(usize::MAX, |limit| limit as usize);
        let wanted = (limit.saturating_sub(states) / branching).clamp(64, BATCH);
        (room > 0).then_some(room.min(wanted))
    }

    /// A table for so many states, or for as many as the memory allows.
    fn affordable(&self, states: usize) -> usize {
        let Some(limit) = self.watch.limits().memory else { return states };
        let left = limit.saturating_sub(self.bytes() - self.table.bytes());
        states.min(Table::<N>::affordable(left))
    }

    /// Sees to it that every number fits in its field; `false`: not in so many words.
    fn lay_out(&mut self) -> bool {
        let counts = self.space.counts();
        if self.layout.fits(&counts) {
            return true;
        }
        let Some(layout) = Layout::plan(&counts, N) else { return false };
        let old = std::mem::replace(&mut self.layout, layout);
        let (new, change) = (&self.layout, |key: &Packed<N>| moved(key, &old, &self.layout));
        debug_assert!(new.fits(&counts));
        self.table.rebuild(change);
        self.jumps.iter_mut().for_each(|jumps| jumps.rebuild(change));
        self.recent.clear();
        self.frontier.iter_mut().chain(&mut self.next).flatten().for_each(|key| *key = change(key));
        true
    }

    fn progress(&self, left: usize) -> Progress {
        let heaps = self.frontier.iter().chain(&self.next);
        Progress {
            states: self.tally.states,
            transitions: self.tally.transitions,
            depth: self.tally.depth,
            frontier: (left + heaps.map(Vec::len).sum::<usize>()) as u64,
            memory: self.bytes(),
            time: self.watch.elapsed(),
        }
    }

    /// The bytes that the tables and what is interned take.
    fn bytes(&self) -> usize {
        let heaps = self.frontier.iter().chain(&self.next).map(Vec::capacity).sum::<usize>();
        let jumps = self.jumps.as_ref().map_or(0, Jumps::bytes);
        self.table.bytes() + heaps * size_of::<Packed<N>>() + jumps + self.space.bytes()
    }
}

/// A key in another layout.
pub(super) fn moved<const N: usize>(key: &Packed<N>, from: &Layout, to: &Layout) -> Packed<N> {
    let mut moved = [0; N];
    from.fields().zip(to.fields()).for_each(|(from, to)| to.put(&mut moved, from.get(key)));
    moved
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Recent<N> {
        Recent(Box::new([[u64::MAX; N]; 1 << RECENT]))
    }
}

impl<const N: usize> Work<'_, '_, N> {
    /// Expands states until none is left to take.
    fn expand(&self, table: &mut impl Insert<N>, recent: Recent<N>) -> Expanded<N> {
        let mut expanded = Expanded::new(recent);
        let Work { batch, taken, .. } = self;
        loop {
            let from = taken.fetch_add(CHUNK, Ordering::Relaxed).min(batch.len());
            if from == batch.len() {
                return expanded;
            }
            let to = (from + CHUNK).min(batch.len());
            expanded.expand(self, table, &batch[from..to]);
        }
    }
}

impl<const N: usize> Expanded<N> {
    fn new(recent: Recent<N>) -> Expanded<N> {
        let (next, unknown, over) = (Vec::new(), Vec::new(), Vec::new());
        let (jumpless, successors, notes) = (Vec::new(), Vec::new(), Notes::default());
        Expanded { next, unknown, over, jumpless, transitions: 0, successors, notes, recent }
    }

    /// Looks up the successors of some states. Those of a few states are looked up in the table
    /// after those of the next few were found, so that the table's memory has come by then.
    fn expand(&mut self, work: &Work<'_, '_, N>, table: &mut impl Insert<N>, states: &[Packed<N>]) {
        let Work { space, layout, .. } = work;
        self.successors.resize(space.branching(), [0; N]);
        let most = TOGETHER * space.branching() + 1;
        let (mut found, mut before) = (Found::new(most), Found::new(most));
        for (few, number) in states.chunks(TOGETHER).zip(1..) {
            let coming = states.iter().skip(number * TOGETHER).take(TOGETHER);
            coming.for_each(|state| space.prefetch(layout, state));
            let later = states.iter().skip((number + 1) * TOGETHER).take(TOGETHER);
            later.for_each(|state| space.prefetch_row(layout, state));
            for state in few {
                self.expand_one(work, state, &mut found);
            }
            self.put(table, &before, found.all());
            std::mem::swap(&mut found, &mut before);
            found.count = 0;
        }
        self.put(table, &before, &[]);
    }

    #[inline]
    fn expand_one(
        &mut self,
        Work { space, layout, jumps, .. }: &Work<'_, '_, N>,
        state: &Packed<N>,
        found: &mut Found<N>,
    ) {
        let by_jumps = jumps.and_then(|jumps| {
            space.successors_by_jumps(layout, state, jumps, &mut self.successors)
        });
        let successors = by_jumps.or_else(|| {
            let (mut count, to) = (0, &mut self.successors);
            let visit = |(_, next)| {
                to[count] = next;
                count += 1;
            };
            let goes_on = space.successors(layout, state, &mut self.notes, visit)?;
            self.jumpless.extend(jumps.map(|_| *state));
            Some((goes_on, count))
        });
        let Some((goes_on, count)) = successors else { return self.unknown.push(*state) };
        if !goes_on {
            self.over.push(*state);
        }
        self.transitions += count as u64;
        let mut last = found.count;
        for key in &self.successors[..count] {
            let hash = Table::hash(key);
            // Half of them are new, and no processor guesses which: so there is no branch here.
            let place = &mut self.recent.0[hash.upper(RECENT)];
            found.keys[last] = (*key, hash);
            last += usize::from(place != key);
            *place = *key;
        }
        found.count = last;
    }

    /// Looks up successors, while the memory for those that come next is on its way.
    fn put(&mut self, table: &mut impl Insert<N>, found: &Found<N>, coming: &[(Packed<N>, Hash)]) {
        let mut coming = coming.iter();
        for (key, hash) in found.all() {
            coming.next().into_iter().for_each(|(_, hash)| table.prefetch(*hash));
            if table.insert(key, *hash) {
                self.next.push(*key);
            }
        }
        coming.for_each(|(_, hash)| table.prefetch(*hash));
    }
}

/// Successors that are to be looked up: the first so many of these.
struct Found<const N: usize> {
    keys: Vec<(Packed<N>, Hash)>,
    count: usize,
}

impl<const N: usize> Found<N> {
    fn new(most: usize) -> Found<N> {
        Found { keys: vec![([0; N], Hash::default()); most], count: 0 }
    }

    fn all(&self) -> &[(Packed<N>, Hash)] {
        &self.keys[..self.count]
    }
}
