//! The set of the states seen: a flat table of packed states themselves and nothing else, probed
//! line by line, which threads fill at once by compare-and-swap (after Laarman, van de Pol and
//! Weber, *Boosting multi-core reachability performance with shared hash tables*, FMCAD 2010).
//!
//! No fingerprints: a state is in the table if and only if it was put there. The table grows in
//! place, so that there are never two of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hint;
use super::pack::{Packed, WORD};

/// Says that a word of a slot is written.
const TAKEN: u64 = 1 << WORD;
/// The table is at most so full, in percent: below, a probe rarely leaves its line.
const FULL: usize = 75;

/// So much address space is reserved for a table, where there is as much.
const RESERVED: usize = 1 << 33;
/// A table of so many bytes is worth large pages.
const LARGE: usize = 1 << 20;

/// So many keys are on their way to another line at a time.
const MOVING: usize = 16;

/// So many words come from memory at once.
const WORDS: usize = 8;

/// What comes from memory at once: some slots, of which the first few are taken. A probe looks at all
/// of them before it goes on to the next line, so it waits for memory once.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; WORDS]);

/// What a line held at some time.
type Words = [u64; WORDS];

/// The set of the states seen.
pub(super) struct Table<const N: usize> {
    lines: Vec<Line>,
}

/// The hash of a key: the place in a table is its upper part, so that a larger table has the
/// same order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hash(u64);

/// A thread that puts keys into a table, alone or beside others.
pub(super) trait Insert<const N: usize> {
    /// Has the processor fetch the line where the search for a key begins.
    fn prefetch(&self, hash: Hash);

    /// Puts a key in; whether it is new. There has to be room.
    fn insert(&mut self, key: &Packed<N>, hash: Hash) -> bool;
}

/// Where a key is in a line.
enum Found {
    Here,
    /// It is not there, and so many slots are taken.
    Not(usize),
    /// Another thread is about to write the rest of what may be this key.
    NotYet,
}

impl Hash {
    /// So many bits of the hash.
    #[inline]
    pub(super) fn upper(self, bits: u32) -> usize {
        (self.0 >> (u64::BITS - bits)) as usize
    }
}

impl Line {
    /// What it holds; as long as others write to it, no more than was there at some time.
    #[inline]
    fn words(&self) -> Words {
        std::array::from_fn(|word| self.0[word].load(Ordering::Acquire))
    }

    #[inline]
    fn slot_mut<const N: usize>(&mut self, slot: usize) -> Option<&mut [AtomicU64; N]> {
        self.0.as_chunks_mut().0.get_mut(slot)
    }

    /// Writes a key into a slot that was free a moment ago; whether no other thread came first.
    #[inline]
    fn claim<const N: usize>(&self, slot: usize, key: &Packed<N>) -> bool {
        let Some(slot) = self.0.as_chunks::<N>().0.get(slot) else { return false };
        let (free, first) = (0, key[0] | TAKEN);
        let claim = slot[0].compare_exchange(free, first, Ordering::AcqRel, Ordering::Acquire);
        if claim.is_ok() {
            let rest = slot.iter().zip(key).skip(1);
            rest.for_each(|(word, value)| word.store(value | TAKEN, Ordering::Release));
        }
        claim.is_ok()
    }
}

/// The slots of what a line held.
#[inline]
fn slots<const N: usize>(words: &Words) -> &[[u64; N]] {
    words.as_chunks().0
}

/// Looks for a key in what a line held. No processor guesses in which slot it is: so there is no
/// branch here.
#[inline]
fn find<const N: usize>(words: &Words, key: &Packed<N>) -> Found {
    let key = key.map(|word| word | TAKEN);
    let (mut here, mut taken, mut begun) = (false, 0, false);
    for slot in slots::<N>(words) {
        let words = || slot.iter().zip(&key);
        here |= words().fold(true, |same, (word, value)| same & (word == value));
        taken += usize::from(slot[0] != 0);
        if N > 1 {
            begun |= slot[0] == key[0] && slot.contains(&0);
        }
    }
    match (here, begun) {
        (true, _) => Found::Here,
        (false, false) => Found::Not(taken),
        (false, true) => Found::NotYet,
    }
}

/// Writes a key where nobody else does.
#[inline]
fn write<const N: usize>(slot: &mut [AtomicU64; N], key: &Packed<N>) {
    slot.iter_mut().zip(key).for_each(|(word, value)| *word.get_mut() = value | TAKEN);
}

impl<const N: usize> Insert<N> for &Table<N> {
    #[inline]
    fn prefetch(&self, hash: Hash) {
        if let Some(line) = self.lines.get(self.home(hash)) {
            hint::prefetch(line);
        }
    }

    #[inline]
    fn insert(&mut self, key: &Packed<N>, hash: Hash) -> bool {
        let mut place = self.home(hash);
        loop {
            let line = &self.lines[place];
            match find(&line.words(), key) {
                Found::Here => return false,
                Found::Not(taken) if taken < Table::<N>::SLOTS => {
                    if line.claim(taken, key) {
                        return true;
                    }
                }
                Found::Not(_) => place = self.after(place),
                Found::NotYet => std::hint::spin_loop(),
            }
        }
    }
}

/// Without others no slot has to be claimed before it is written.
impl<const N: usize> Insert<N> for Table<N> {
    #[inline]
    fn prefetch(&self, hash: Hash) {
        (&self).prefetch(hash);
    }

    #[inline]
    fn insert(&mut self, key: &Packed<N>, hash: Hash) -> bool {
        let mut place = self.home(hash);
        loop {
            let line = &mut self.lines[place];
            let words = line.0.each_mut().map(|word| *word.get_mut());
            let Found::Not(taken) = find(&words, key) else { return false };
            if let Some(slot) = line.slot_mut(taken) {
                write(slot, key);
                return true;
            }
            place = self.after(place);
        }
    }
}

impl<const N: usize> Table<N> {
    const SLOTS: usize = WORDS / N;

    /// An empty table for so many states, with address space to grow into: to grow without
    /// moving costs nothing before the memory is used.
    pub(super) fn with_capacity(states: usize) -> Table<N> {
        let mut lines = Vec::new();
        let mut bytes = RESERVED;
        while bytes > LARGE && lines.try_reserve_exact(bytes / size_of::<Line>()).is_err() {
            bytes /= 2;
        }
        lines.resize_with(Self::lines_for(states), Line::default);
        Table { lines }
    }

    fn lines_for(states: usize) -> usize {
        (states * 100 / FULL / Self::SLOTS).max(WORDS) + 1
    }

    /// How many states may be in it.
    pub(super) fn capacity(&self) -> usize {
        self.lines.len() * Self::SLOTS * FULL / 100
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        Self::bytes_of(self.lines.len())
    }

    /// The bytes that a table for so many states takes.
    pub(super) fn bytes_for(states: usize) -> usize {
        Self::bytes_of(Self::lines_for(states))
    }

    /// A table for how many states takes so many bytes.
    pub(super) fn affordable(bytes: usize) -> usize {
        bytes / Self::bytes_for(1 << 20).div_ceil(1 << 20)
    }

    fn bytes_of(lines: usize) -> usize {
        lines * size_of::<Line>()
    }

    #[inline]
    pub(super) fn hash(key: &Packed<N>) -> Hash {
        let mixed = key.iter().fold(0x9E37_79B9_7F4A_7C15, |hash: u64, word| {
            let product = u128::from(hash ^ word) * 0xD6E8_FEB8_6659_FD93;
            ((product >> 64) ^ product) as u64
        });
        Hash(mixed)
    }

    /// The line where the search for a key begins.
    #[inline]
    fn home(&self, hash: Hash) -> usize {
        ((u128::from(hash.0) * self.lines.len() as u128) >> 64) as usize
    }

    /// The line where it goes on.
    #[inline]
    fn after(&self, place: usize) -> usize {
        if place + 1 == self.lines.len() { 0 } else { place + 1 }
    }

    /// Makes room for so many states, in place.
    #[inline(never)]
    pub(super) fn grow(&mut self, states: usize) {
        let (old, new) = (self.lines.len(), Self::lines_for(states));
        if new <= old {
            return;
        }
        self.lines.reserve_exact(new - old);
        if (Self::bytes_of(old)..Self::bytes_of(new)).contains(&LARGE) {
            hint::use_large_pages(&self.lines);
        }
        self.lines.resize_with(new, Line::default);
        // From the top down, each key moves upwards, in the order of the hashes. Those few near
        // the bottom that would not, for they stand far behind their home, are put aside.
        let (mut kept, mut filled) = (Vec::new(), vec![0; new]);
        for place in (0..old).rev() {
            let words = std::mem::take(&mut self.lines[place]).words();
            for slot in slots::<N>(&words).iter().take_while(|slot| slot[0] != 0) {
                let key = slot.map(|word| word & !TAKEN);
                let home = self.home(Self::hash(&key));
                if home < place || !self.put_above(&key, home, &mut filled) {
                    kept.push(key);
                }
            }
        }
        for key in kept {
            self.insert(&key, Self::hash(&key));
        }
    }

    /// Puts a key in at or above its home, if there is room before the end. Of each line from there
    /// on, the first so many slots are filled.
    #[inline]
    fn put_above(&mut self, key: &Packed<N>, home: usize, filled: &mut [u8]) -> bool {
        let mut place = home;
        while let (Some(line), Some(filled)) = (self.lines.get_mut(place), filled.get_mut(place)) {
            if let Some(slot) = line.slot_mut((*filled).into()) {
                write(slot, key);
                *filled += 1;
                return true;
            }
            place += 1;
        }
        false
    }

    /// Changes every key, in place: `change` has to keep different keys different.
    pub(super) fn rebuild(&mut self, change: impl Fn(&Packed<N>) -> Packed<N>) {
        // Of each line the first so many slots have what they are to have.
        let mut settled = vec![0; self.lines.len()];
        // The memory where a key goes is fetched while those before it find their slots.
        let mut moving = VecDeque::with_capacity(MOVING + WORDS);
        let mut lines = 0..self.lines.len();
        loop {
            while moving.len() < MOVING
                && let Some(place) = lines.next()
            {
                for slot in settled[place].into()..Self::SLOTS {
                    moving.extend(self.take(place, slot).map(|key| self.send(change(&key))));
                }
            }
            let Some((key, hash)) = moving.pop_front() else { return };
            let displaced = self.settle(&key, hash, &mut settled);
            moving.extend(displaced.map(|key| self.send(change(&key))));
        }
    }

    /// Sends a key on its way.
    fn send(&self, key: Packed<N>) -> (Packed<N>, Hash) {
        let hash = Self::hash(&key);
        (&self).prefetch(hash);
        (key, hash)
    }

    /// Puts a key where it is to be; what was there has to move.
    fn settle(&mut self, key: &Packed<N>, hash: Hash, settled: &mut [u8]) -> Option<Packed<N>> {
        let mut place = self.home(hash);
        while usize::from(settled[place]) == Self::SLOTS {
            place = self.after(place);
        }
        let slot = settled[place].into();
        settled[place] += 1;
        let displaced = self.take(place, slot);
        self.lines[place].slot_mut(slot).into_iter().for_each(|slot| write(slot, key));
        displaced
    }

    fn take(&mut self, place: usize, slot: usize) -> Option<Packed<N>> {
        let slot = self.lines[place].slot_mut(slot)?;
        let key = slot.each_mut().map(|word| std::mem::take(word.get_mut()));
        (key[0] != 0).then_some(key.map(|word| word & !TAKEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Numbers that look random (Steele, Lea and Flood, SplitMix64), some of them twice.
    fn keys<const N: usize>(count: u64) -> Vec<Packed<N>> {
        let mix = |mut x: u64| {
            x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (x ^ x >> 27) >> 1
        };
        (0..count).map(|n| std::array::from_fn(|word| mix(n * 2 / 3 * 7 + word as u64))).collect()
    }

    fn fill<const N: usize>(table: &mut Table<N>, keys: &[Packed<N>]) -> usize {
        let mut count = 0;
        for key in keys {
            if count == table.capacity() {
                table.grow(count + count / 2);
            }
            count += usize::from(table.insert(key, Table::hash(key)));
        }
        count
    }

    fn check<const N: usize>(count: u64) {
        let keys = keys::<N>(count);
        let distinct: HashSet<_> = keys.iter().collect();
        let mut table = Table::with_capacity(10);
        assert_eq!(fill(&mut table, &keys), distinct.len());
        assert!(keys.iter().all(|key| !table.insert(key, Table::hash(key))));
        let flip = |key: &Packed<N>| key.map(|word| word ^ 0x5555);
        table.rebuild(flip);
        assert!(keys.iter().all(|key| !table.insert(&flip(key), Table::hash(&flip(key)))));
        let taken = |line: &Line| slots::<N>(&line.words()).iter().filter(|s| s[0] != 0).count();
        assert_eq!(table.lines.iter().map(taken).sum::<usize>(), distinct.len());
    }

    #[test]
    fn what_was_put_in_is_there_once_through_growth_and_rebuilding() {
        check::<1>(100_000);
        check::<2>(30_000);
        check::<4>(10_000);
    }

    #[test]
    fn keys_that_differ_only_in_their_last_word_are_two() {
        let mut table = Table::<2>::with_capacity(10);
        assert!(table.insert(&[5, 1], Table::hash(&[5, 1])));
        assert!(table.insert(&[5, 2], Table::hash(&[5, 2])));
        assert!(!table.insert(&[5, 1], Table::hash(&[5, 1])));
    }

    fn check_threads<const N: usize>() {
        let keys = keys::<N>(50_000);
        let distinct = keys.iter().collect::<HashSet<_>>().len();
        let table = Table::with_capacity(keys.len());
        let count = || {
            let is_new = |key: &&Packed<N>| (&table).insert(key, Table::hash(key));
            keys.iter().filter(is_new).count()
        };
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(count), scope.spawn(count));
            (one.join().expect("no panic"), other.join().expect("no panic"))
        });
        assert_eq!(one + other, distinct);
    }

    #[test]
    fn two_threads_put_each_key_in_once() {
        check_threads::<1>();
        check_threads::<2>();
        check_threads::<4>();
    }
}
