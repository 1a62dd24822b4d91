//! The set of the states seen: a flat table with linear probing, of packed states themselves and
//! nothing else, which threads fill at once by compare-and-swap (after Laarman, van de Pol and
//! Weber, *Boosting multi-core reachability performance with shared hash tables*, FMCAD 2010).
//!
//! No fingerprints: a state is in the table if and only if it was put there. The table grows in
//! place, so that there are never two of it.

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
const LARGE: usize = 1 << 21;

/// So many words come from memory at once.
const WORDS: usize = 8;

/// What comes from memory at once: some slots, of which the first are taken. A probe looks at all of
/// them before it goes on to the next line, so it waits for memory once.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; WORDS]);

/// The set of the states seen.
pub(super) struct Table<const N: usize> {
    lines: Vec<Line>,
    /// Whether one thread alone puts states in, and need not claim a slot before others do.
    alone: bool,
}

/// The hash of a key: the place in a table is its upper part, so that a larger table has the
/// same order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hash(u64);

impl Hash {
    /// So many bits of the hash.
    #[inline]
    pub(super) fn upper(self, bits: u32) -> usize {
        (self.0 >> (u64::BITS - bits)) as usize
    }
}

impl Line {
    #[inline]
    fn slots<const N: usize>(&self) -> impl Iterator<Item = &[AtomicU64; N]> {
        self.0.as_chunks::<N>().0.iter()
    }

    fn key_at<const N: usize>(slot: &[AtomicU64; N]) -> Option<Packed<N>> {
        let key = std::array::from_fn(|word| slot[word].load(Ordering::Relaxed) & !TAKEN);
        (slot[0].load(Ordering::Relaxed) != 0).then_some(key)
    }

    fn keys<const N: usize>(&self) -> impl Iterator<Item = Packed<N>> {
        self.slots().map_while(Line::key_at)
    }

    #[inline]
    fn slot<const N: usize>(&self, slot: usize) -> Option<&[AtomicU64; N]> {
        self.0.as_chunks::<N>().0.get(slot)
    }
}

impl<const N: usize> Table<N> {
    const SLOTS: usize = WORDS / N;

    /// An empty table for so many states, with address space to grow into: to grow without
    /// moving costs nothing before the memory is used.
    pub(super) fn with_capacity(states: usize, alone: bool) -> Table<N> {
        let mut lines = Vec::new();
        let mut bytes = RESERVED;
        while bytes > LARGE && lines.try_reserve_exact(bytes / size_of::<Line>()).is_err() {
            bytes /= 2;
        }
        lines.resize_with(Self::lines_for(states), Line::default);
        Table { lines, alone }
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
        self.lines.len() * size_of::<Line>()
    }

    /// The bytes that a table for so many states takes.
    pub(super) fn bytes_for(states: usize) -> usize {
        Self::lines_for(states) * size_of::<Line>()
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

    /// Has the processor fetch the line where the search for a key begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: Hash) {
        if let Some(line) = self.lines.get(self.home(hash)) {
            hint::prefetch(line);
        }
    }

    /// Puts a key in; whether it is new. There has to be room.
    #[inline(always)]
    pub(super) fn insert(&self, key: &Packed<N>, hash: Hash) -> bool {
        let mut place = self.home(hash);
        loop {
            for slot in self.lines[place].slots::<N>() {
                let mut first = slot[0].load(Ordering::Acquire);
                if first == 0 {
                    match self.claim(slot, key) {
                        None => return true,
                        Some(other) => first = other,
                    }
                }
                let rest = || slot.iter().zip(key).skip(1);
                if first == key[0] | TAKEN
                    && rest().all(|(word, value)| written(word) == value | TAKEN)
                {
                    return false;
                }
            }
            place += 1;
            if place == self.lines.len() {
                place = 0;
            }
        }
    }

    /// Writes a key into a slot that was free a moment ago; if another thread came first, says what
    /// it wrote.
    #[inline]
    fn claim(&self, slot: &[AtomicU64; N], key: &Packed<N>) -> Option<u64> {
        if self.alone {
            write(slot, key);
            return None;
        }
        let claim =
            slot[0].compare_exchange(0, key[0] | TAKEN, Ordering::AcqRel, Ordering::Acquire);
        if claim.is_ok() {
            slot.iter().zip(key).skip(1).for_each(|(word, value)| {
                word.store(value | TAKEN, Ordering::Release);
            });
        }
        claim.err()
    }

    /// Makes room for so many states, in place.
    pub(super) fn grow(&mut self, states: usize) {
        let (old, new) = (self.lines.len(), Self::lines_for(states));
        if new <= old {
            return;
        }
        self.lines.reserve_exact(new - old);
        let bytes = |lines| lines * size_of::<Line>();
        if (bytes(old)..bytes(new)).contains(&LARGE) {
            hint::use_large_pages(&self.lines);
        }
        self.lines.resize_with(new, Line::default);
        // From the top down, each key moves upwards, in the order of the hashes. Those few near
        // the bottom that would not, for they stand far behind their home, are put aside.
        let mut kept = Vec::new();
        let mut filled = vec![0; new];
        for place in (0..old).rev() {
            let line = std::mem::take(&mut self.lines[place]);
            for key in line.keys() {
                if !self.put_above(&key, place, &mut filled) {
                    kept.push(key);
                }
            }
        }
        for key in kept {
            self.insert(&key, Self::hash(&key));
        }
    }

    /// Puts a key in at or above a line, if its home is there and there is room before the end.
    /// Of each line from there on, the first so many slots are filled.
    #[inline]
    fn put_above(&self, key: &Packed<N>, place: usize, filled: &mut [u8]) -> bool {
        let home = self.home(Self::hash(key));
        if home < place {
            return false;
        }
        for (line, filled) in self.lines[home..].iter().zip(&mut filled[home..]) {
            if let Some(slot) = line.slot(*filled as usize) {
                write(slot, key);
                *filled += 1;
                return true;
            }
        }
        false
    }

    /// Changes every key, in place: `change` has to keep different keys different.
    pub(super) fn rebuild(&mut self, change: impl Fn(&Packed<N>) -> Packed<N>) {
        // Of each line the first so many slots have what they are to have.
        let mut settled = vec![0; self.lines.len()];
        for place in 0..self.lines.len() {
            for slot in 0..Self::SLOTS {
                let is_settled = slot < settled[place];
                let mut moving = if is_settled { None } else { self.take(place, slot) };
                while let Some(key) = moving.map(|key| change(&key)) {
                    let mut place = self.home(Self::hash(&key));
                    while settled[place] == Self::SLOTS {
                        place = (place + 1) % self.lines.len();
                    }
                    moving = self.take(place, settled[place]);
                    write(self.slot(place, settled[place]), &key);
                    settled[place] += 1;
                }
            }
        }
    }

    fn slot(&self, place: usize, slot: usize) -> &[AtomicU64; N] {
        self.lines[place].slot(slot).expect("a line has so many")
    }

    fn take(&mut self, place: usize, slot: usize) -> Option<Packed<N>> {
        let slot = self.slot(place, slot);
        let key = Line::key_at(slot);
        slot.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        key
    }
}

/// Writes a key where nobody else does.
#[inline]
fn write<const N: usize>(slot: &[AtomicU64; N], key: &Packed<N>) {
    slot.iter().zip(key).for_each(|(word, value)| word.store(value | TAKEN, Ordering::Relaxed));
}

/// A word of a slot that another thread has claimed: it is about to be written.
#[inline]
fn written(word: &AtomicU64) -> u64 {
    loop {
        let value = word.load(Ordering::Acquire);
        if value != 0 {
            return value;
        }
        std::hint::spin_loop();
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
        let mut table = Table::with_capacity(10, true);
        assert_eq!(fill(&mut table, &keys), distinct.len());
        assert!(keys.iter().all(|key| !table.insert(key, Table::hash(key))));
        let flip = |key: &Packed<N>| key.map(|word| word ^ 0x5555);
        table.rebuild(flip);
        assert!(keys.iter().all(|key| !table.insert(&flip(key), Table::hash(&flip(key)))));
        let kept = table.lines.iter().map(|line| line.keys::<N>().count()).sum::<usize>();
        assert_eq!(kept, distinct.len());
    }

    #[test]
    fn what_was_put_in_is_there_once_through_growth_and_rebuilding() {
        check::<1>(100_000);
        check::<2>(30_000);
        check::<4>(10_000);
    }

    #[test]
    fn keys_that_differ_only_in_their_last_word_are_two() {
        let table = Table::<2>::with_capacity(10, true);
        assert!(table.insert(&[5, 1], Table::hash(&[5, 1])));
        assert!(table.insert(&[5, 2], Table::hash(&[5, 2])));
        assert!(!table.insert(&[5, 1], Table::hash(&[5, 1])));
    }

    #[test]
    fn two_threads_put_each_key_in_once() {
        let keys = keys::<2>(50_000);
        let distinct = keys.iter().collect::<HashSet<_>>().len();
        let table = Table::<2>::with_capacity(keys.len(), false);
        let count = || keys.iter().filter(|key| table.insert(key, Table::hash(key))).count();
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(count), scope.spawn(count));
            (one.join().expect("no panic"), other.join().expect("no panic"))
        });
        assert_eq!(one + other, distinct);
    }
}
