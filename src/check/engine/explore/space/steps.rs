//! What steps lead to, by the content of the part of the world that they depend on.

use crate::check::engine::explore::rows::{Rows, Slot, find};

/// An entry that was not asked for yet.
const UNKNOWN: u64 = u64::MAX;
/// An entry that says that the process cannot go on.
pub(super) const BLOCKED: u64 = u64::MAX - 1;
/// Full rows may take so many entries, of which one in [`USED`] is known; beyond, rows are sparse.
const ENTRIES: usize = 1 << 21;
const USED: usize = 4;

/// What the steps from all spots lead to that depend on one part of the world: a row for each content
/// of it, so that all that is looked up for one state lies close together.
///
/// A row has an entry for each spot that was asked for. Where most of them stay unknown, since few
/// processes stand there when the part has that content, rows become sparse.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    full: Vec<u64>,
    /// So many entries a full row has room for.
    width: usize,
    columns: u32,
    known: usize,
    sparse: Option<Rows<Entry>>,
}

/// An entry of a sparse row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    column: u32,
    edge: u32,
    target: u32,
}

/// The entries for one content.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Full(&'a [u64]),
    Sparse(&'a [Entry]),
}

impl Slot for Entry {
    const FREE: Entry = Entry { column: u32::MAX, edge: 0, target: 0 };

    #[inline]
    fn key(&self) -> u32 {
        self.column
    }
}

impl Row<'_> {
    /// An entry, if it was asked for before.
    #[inline(always)]
    pub(super) fn entry(self, column: u32) -> Option<u64> {
        match self {
            Row::Full(row) => row.get(column as usize).copied().filter(|entry| *entry != UNKNOWN),
            Row::Sparse(row) => {
                let Entry { edge, target, .. } = find(row, column)?;
                Some(u64::from(*target) << 32 | u64::from(*edge))
            }
        }
    }
}

impl Steps {
    /// The column of one more spot.
    pub(super) fn next_column(&mut self) -> u32 {
        self.columns += 1;
        self.columns - 1
    }

    /// The entries for one content.
    #[inline]
    pub(super) fn row(&self, content: u32) -> Row<'_> {
        match &self.sparse {
            Some(rows) => Row::Sparse(rows.row(content)),
            None => {
                let from = content as usize * self.width;
                Row::Full(self.full.get(from..from + self.width).unwrap_or_default())
            }
        }
    }

    /// An entry, if it was asked for before.
    #[inline]
    pub(super) fn find(&self, content: u32, column: u32) -> Option<u64> {
        self.row(content).entry(column)
    }

    pub(super) fn put(&mut self, content: u32, column: u32, entry: u64) {
        self.known += 1;
        if let Some(rows) = &mut self.sparse {
            return rows.put(content, Entry::new(column, entry));
        }
        let (row, place) = (content as usize, column as usize);
        if place >= self.width {
            self.widen((self.columns as usize).max(place + 1));
        }
        let rows = (self.full.len() / self.width).max(row + 1);
        if rows * self.width > ENTRIES.max(self.known * USED) {
            self.thin_out();
            return self.put(content, column, entry);
        }
        self.full.resize(rows * self.width, UNKNOWN);
        self.full[row * self.width + place] = entry;
    }

    /// Makes room for so many columns and some more.
    fn widen(&mut self, columns: usize) {
        let width = (columns + columns / 4).next_multiple_of(8);
        let mut full = Vec::with_capacity(self.full.len() / self.width.max(1) * width);
        for row in self.full.chunks_exact(self.width.max(1)) {
            full.extend_from_slice(row);
            full.resize(full.len() + width - row.len(), UNKNOWN);
        }
        (self.full, self.width) = (full, width);
    }

    /// Makes the rows sparse.
    fn thin_out(&mut self) {
        let mut rows = Rows::default();
        for (content, row) in (0..).zip(self.full.chunks_exact(self.width.max(1))) {
            let known = (0..).zip(row).filter(|(_, entry)| **entry != UNKNOWN);
            known.for_each(|(column, entry)| rows.put(content, Entry::new(column, *entry)));
        }
        self.full = Vec::new();
        self.sparse = Some(rows);
    }

    pub(super) fn bytes(&self) -> usize {
        let sparse = self.sparse.as_ref().map_or(0, Rows::bytes);
        self.full.capacity() * size_of::<u64>() + sparse
    }
}

impl Entry {
    fn new(column: u32, entry: u64) -> Entry {
        Entry { column, edge: entry as u32, target: target(entry) }
    }
}

/// The content of the part that a step leaves, by the entry of a row.
pub(super) fn target(entry: u64) -> u32 {
    (entry >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_in_full_rows_and_in_sparse_ones() {
        let mut steps = Steps::default();
        let entry = |content: u32, column: u32| u64::from(content) << 32 | u64::from(column);
        let puts = |content: u32| (0..3).map(move |n| (content * 7 + n * 500) % 1500);
        for content in 0..3000 {
            for column in puts(content) {
                steps.put(content, column, entry(content, column));
            }
            if content % 2 == 1 {
                steps.put(content, 1500, BLOCKED);
            }
            assert!(steps.sparse.is_none() || content > 1000, "there are few entries yet");
        }
        assert!(steps.sparse.is_some(), "one entry in some 500 is known");
        for content in 0..3000 {
            for column in puts(content) {
                assert_eq!(steps.find(content, column), Some(entry(content, column)));
                let is_last = column + 1 == 1500;
                assert!(is_last || steps.find(content, column + 1).is_none());
            }
            assert_eq!(steps.find(content, 1500), (content % 2 == 1).then_some(BLOCKED));
        }
        assert_eq!(steps.find(3000, 0), None);
    }
}
