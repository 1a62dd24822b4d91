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
/// The table is at most so full, in percent: below, a probe rarely leaves its cache line.
const FULL: usize = 75;

/// So much address space is reserved for a table, where there is as much.
const RESERVED: usize = 1 << 33;
/// A table of so many bytes is worth large pages.
const LARGE: usize = 1 << 23;

type Slot<const N: usize> = [AtomicU64; N];

/// The set of the states seen.
pub(super) struct Table<const N: usize> {
    slots: Vec<Slot<N>>,
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

impl<const N: usize> Table<N> {
    /// An empty table for so many states, with address space to grow into: to grow without
    /// moving costs nothing before the memory is used.
    pub(super) fn with_capacity(states: usize) -> Table<N> {
        let mut slots = Vec::new();
        let mut bytes = RESERVED;
        while bytes > LARGE && slots.try_reserve_exact(bytes / size_of::<Slot<N>>()).is_err() {
            bytes /= 2;
        }
        slots.resize_with(Self::slots_for(states), empty);
        Table { slots }
    }

    fn slots_for(states: usize) -> usize {
        (states * 100 / FULL).max(64) + 1
    }

    /// How many states may be in it.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len() * FULL / 100
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        Self::bytes_of(self.slots.len())
    }

    /// The bytes that a table for so many states takes.
    pub(super) fn bytes_for(states: usize) -> usize {
        Self::bytes_of(Self::slots_for(states))
    }

    /// A table for how many states takes so many bytes.
    pub(super) fn affordable(bytes: usize) -> usize {
        bytes / Self::bytes_for(1 << 20).div_ceil(1 << 20)
    }

    fn bytes_of(slots: usize) -> usize {
        slots * size_of::<Slot<N>>()
    }

    #[inline]
    pub(super) fn hash(key: &Packed<N>) -> Hash {
        let mixed = key.iter().fold(0x9E37_79B9_7F4A_7C15, |hash: u64, word| {
            let product = u128::from(hash ^ word) * 0xD6E8_FEB8_6659_FD93;
            ((product >> 64) ^ product) as u64
        });
        Hash(mixed)
    }

    /// Where the search for a key begins.
    #[inline]
    fn home(&self, hash: Hash) -> usize {
        ((u128::from(hash.0) * self.slots.len() as u128) >> 64) as usize
    }

    /// Has the processor fetch the slot where the search for a key begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: Hash) {
        if let Some(slot) = self.slots.get(self.home(hash)) {
            hint::prefetch(slot);
        }
    }

    /// Puts a key in; whether it is new. There has to be room.
    #[inline]
    pub(super) fn insert(&self, key: &Packed<N>, hash: Hash) -> bool {
        let mut place = self.home(hash);
        loop {
            let slot = &self.slots[place];
            let first = slot[0].load(Ordering::Acquire);
            if first == 0 {
                let claim = slot[0].compare_exchange(
                    0,
                    key[0] | TAKEN,
                    Ordering::AcqRel,
                    Ordering::Acquire,
                );
                match claim {
                    Ok(_) => {
                        for (word, value) in slot.iter().zip(key).skip(1) {
                            word.store(value | TAKEN, Ordering::Release);
                        }
                        return true;
                    }
                    Err(_) => continue,
                }
            }
            if first == key[0] | TAKEN
                && slot.iter().zip(key).skip(1).all(|(word, value)| written(word) == value | TAKEN)
            {
                return false;
            }
            place += 1;
            if place == self.slots.len() {
                place = 0;
            }
        }
    }

    /// Makes room for so many states, in place.
    pub(super) fn grow(&mut self, states: usize) {
        let (old, new) = (self.slots.len(), Self::slots_for(states));
        if new <= old {
            return;
        }
        self.slots.reserve_exact(new - old);
        if (Self::bytes_of(old)..Self::bytes_of(new)).contains(&LARGE) {
            hint::use_large_pages(&self.slots);
        }
        self.slots.resize_with(new, empty);
        // From the top down, each key moves upwards, in the order of the hashes. Those few near
        // the bottom that would not, for they stand far behind their home, are put aside.
        let mut kept = Vec::new();
        for place in (0..old).rev() {
            if let Some(key) = self.take(place)
                && !self.insert_above(&key, place)
            {
                kept.push(key);
            }
        }
        for key in kept {
            self.insert(&key, Self::hash(&key));
        }
    }

    /// Puts in a key at or above a place, if its home is there and there is room before the end.
    fn insert_above(&mut self, key: &Packed<N>, place: usize) -> bool {
        let home = self.home(Self::hash(key));
        let free = (home..self.slots.len()).find(|place| self.is_free(*place));
        match free.filter(|_| home >= place) {
            None => false,
            Some(free) => {
                self.set(free, key);
                true
            }
        }
    }

    /// Changes every key, in place: `change` has to keep different keys different.
    pub(super) fn rebuild(&mut self, change: impl Fn(&Packed<N>) -> Packed<N>) {
        let mut settled = vec![false; self.slots.len()];
        for place in 0..self.slots.len() {
            if settled[place] {
                continue;
            }
            let mut moving = self.take(place).map(|key| change(&key));
            while let Some(key) = moving {
                let mut place = self.home(Self::hash(&key));
                while settled[place] {
                    place = (place + 1) % self.slots.len();
                }
                moving = self.take(place).map(|key| change(&key));
                self.set(place, &key);
                settled[place] = true;
            }
        }
    }

    fn is_free(&self, place: usize) -> bool {
        self.slots[place][0].load(Ordering::Relaxed) == 0
    }

    fn get(&self, place: usize) -> Option<Packed<N>> {
        let slot = &self.slots[place];
        let key = std::array::from_fn(|word| slot[word].load(Ordering::Relaxed) & !TAKEN);
        (!self.is_free(place)).then_some(key)
    }

    fn take(&mut self, place: usize) -> Option<Packed<N>> {
        let key = self.get(place);
        self.slots[place] = empty();
        key
    }

    fn set(&mut self, place: usize, key: &Packed<N>) {
        self.slots[place] = std::array::from_fn(|word| AtomicU64::new(key[word] | TAKEN));
    }
}

fn empty<const N: usize>() -> Slot<N> {
    std::array::from_fn(|_| AtomicU64::new(0))
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
        let mut table = Table::with_capacity(10);
        assert_eq!(fill(&mut table, &keys), distinct.len());
        assert!(keys.iter().all(|key| !table.insert(key, Table::hash(key))));
        let flip = |key: &Packed<N>| key.map(|word| word ^ 0x5555);
        table.rebuild(flip);
        assert!(keys.iter().all(|key| !table.insert(&flip(key), Table::hash(&flip(key)))));
        assert_eq!((0..table.slots.len()).filter(|p| !table.is_free(*p)).count(), distinct.len());
    }

    #[test]
    fn what_was_put_in_is_there_once_through_growth_and_rebuilding() {
        check::<1>(100_000);
        check::<2>(30_000);
        check::<4>(10_000);
    }

    #[test]
    fn keys_that_differ_only_in_their_last_word_are_two() {
        let table = Table::<2>::with_capacity(10);
        assert!(table.insert(&[5, 1], Table::hash(&[5, 1])));
        assert!(table.insert(&[5, 2], Table::hash(&[5, 2])));
        assert!(!table.insert(&[5, 1], Table::hash(&[5, 1])));
    }

    #[test]
    fn two_threads_put_each_key_in_once() {
        let keys = keys::<2>(50_000);
        let distinct = keys.iter().collect::<HashSet<_>>().len();
        let table = Table::<2>::with_capacity(keys.len());
        let count = || keys.iter().filter(|key| table.insert(key, Table::hash(key))).count();
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(count), scope.spawn(count));
            (one.join().expect("no panic"), other.join().expect("no panic"))
        });
        assert_eq!(one + other, distinct);
    }
}
