//! Rows: for each number a small table of its own, so that what is looked up for one state lies together.

use super::hint::prefetch;

/// What is looked up in a row by a key; `u32::MAX` is the key of none.
pub(super) trait Slot: Copy {
    const FREE: Self;
    fn key(&self) -> u32;
}

/// A table with linear probing, of a power of two of slots.
type Row<S> = Box<[S]>;

/// The rows of the numbers from 0.
#[derive(Clone, Debug)]
pub(super) struct Rows<S> {
    rows: Vec<Row<S>>,
    slots: usize,
}

impl<S> Default for Rows<S> {
    fn default() -> Rows<S> {
        Rows { rows: Vec::new(), slots: 0 }
    }
}

impl<S: Slot> Rows<S> {
    /// The row of a number.
    #[inline]
    pub(super) fn row(&self, number: u32) -> &[S] {
        self.rows.get(number as usize).map_or(&[], |row| row)
    }

    /// Asks for the memory of where a row is ahead of time.
    #[inline]
    pub(super) fn prefetch(&self, number: u32) {
        self.rows.get(number as usize).into_iter().for_each(prefetch);
    }

    /// Puts a slot into the row of a number, in place of the one with its key.
    pub(super) fn put(&mut self, number: u32, slot: S) {
        if self.rows.len() <= number as usize {
            self.rows.resize_with(number as usize + 1, Row::default);
        }
        let row = &mut self.rows[number as usize];
        let free = row.iter().filter(|slot| is_free(*slot)).count();
        if free * 4 <= row.len() {
            self.slots += grow(row);
        }
        place(row, slot);
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row<S>>() + self.slots * size_of::<S>()
    }
}

/// Asks for the memory of the slot with a key ahead of time, as far as that can be foreseen.
#[inline]
pub(super) fn prefetch_slot<S: Slot>(row: &[S], key: u32) {
    if let Some(slot) = row.get(home(key) & row.len().wrapping_sub(1)) {
        prefetch(slot);
    }
}

/// The slot with a key in a row.
#[inline]
pub(super) fn find<S: Slot>(row: &[S], key: u32) -> Option<&S> {
    let mask = row.len().wrapping_sub(1);
    let mut place = home(key) & mask;
    loop {
        let slot = row.get(place)?;
        if slot.key() == key {
            return Some(slot);
        }
        if is_free(slot) {
            return None;
        }
        place = (place + 1) & mask;
    }
}

#[inline]
fn is_free<S: Slot>(slot: &S) -> bool {
    slot.key() == u32::MAX
}

/// Where the search for a key begins, in any table (Knuth, *The Art of Computer Programming* 3,
/// multiplicative hashing).
#[inline]
fn home(key: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> 15) as usize
}

/// Makes a row twice as large; by how many slots.
fn grow<S: Slot>(row: &mut Row<S>) -> usize {
    const LEAST: usize = 4;
    let larger = vec![S::FREE; (row.len() * 2).max(LEAST)].into_boxed_slice();
    let old = std::mem::replace(row, larger);
    old.iter().filter(|slot| !is_free(*slot)).for_each(|slot| place(row, *slot));
    row.len() - old.len()
}

/// Puts a slot into a row that has a free one.
fn place<S: Slot>(row: &mut [S], slot: S) {
    let mask = row.len() - 1;
    let mut place = home(slot.key()) & mask;
    while !is_free(&row[place]) && row[place].key() != slot.key() {
        place = (place + 1) & mask;
    }
    row[place] = slot;
}
