//! Jumps: what a step changes of a state, as a number of which the state and the next one are an
//! exclusive or.
//!
//! Where nothing but a process and the store takes part in a step, and states keep their names and
//! numbers, what it changes depends on the place of the process and on the store alone. So it is put
//! together once for each of these, in the layout of the states; then a step is one look-up.

use super::pack::Packed;

/// Rows may take so many entries, of which one in [`USED`] has to be known beyond.
const ENTRIES: usize = 1 << 21;
const USED: usize = 4;

/// The mark of a jump that is none. No key has this bit.
const MARK: u64 = 1 << 63;
/// It was not put together yet.
const UNKNOWN: u64 = MARK;
/// The process cannot go on.
const BLOCKED: u64 = MARK | 1;

/// The jumps of all steps that depend on the store, as far as they were put together: a row for each store.
pub(super) struct Jumps<const N: usize> {
    rows: Vec<Packed<N>>,
    /// So many entries a row has.
    width: usize,
    /// So many of all are known.
    known: usize,
}

/// Where a step leads.
pub(super) enum Jump<const N: usize> {
    Unknown,
    Blocked,
    To(Packed<N>),
}

impl<const N: usize> Default for Jumps<N> {
    fn default() -> Jumps<N> {
        Jumps { rows: Vec::new(), width: 0, known: 0 }
    }
}

impl<const N: usize> Jumps<N> {
    /// The jumps in a store.
    #[inline]
    pub(super) fn row(&self, store: u32) -> &[Packed<N>] {
        let from = store as usize * self.width;
        self.rows.get(from..from + self.width).unwrap_or_default()
    }

    /// Where a state leads by the jump of a column.
    #[inline]
    pub(super) fn jump(row: &[Packed<N>], column: u32, state: &Packed<N>) -> Jump<N> {
        let Some(jump) = row.get(column as usize) else { return Jump::Unknown };
        if jump[0] & MARK == 0 {
            return Jump::To(std::array::from_fn(|word| state[word] ^ jump[word]));
        }
        if jump[0] == BLOCKED { Jump::Blocked } else { Jump::Unknown }
    }

    /// Notes where a state leads by the step of a column in a store; `None`: the process cannot go on.
    /// `false`: so few would be known of so many that all of them are not worth their memory.
    pub(super) fn put(
        &mut self,
        (store, column): (u32, u32),
        state: &Packed<N>,
        next: Option<&Packed<N>>,
    ) -> bool {
        let (row, column) = (store as usize, column as usize);
        if column >= self.width {
            self.widen(column + 1);
        }
        let rows = (self.rows.len() / self.width).max(row + 1);
        if rows * self.width > ENTRIES.max(self.known * USED) {
            return false;
        }
        self.rows.resize(rows * self.width, [UNKNOWN; N]);
        let jump = &mut self.rows[row * self.width + column];
        self.known += usize::from(jump[0] == UNKNOWN);
        *jump = match next {
            Some(next) => std::array::from_fn(|word| state[word] ^ next[word]),
            None => [BLOCKED; N],
        };
        true
    }

    /// Puts each jump into another layout: what moves the fields of a state moves those of a jump.
    pub(super) fn rebuild(&mut self, change: impl Fn(&Packed<N>) -> Packed<N>) {
        let jumps = self.rows.iter_mut().filter(|jump| jump[0] & MARK == 0);
        jumps.for_each(|jump| *jump = change(jump));
    }

    /// Makes room for so many columns and some more.
    fn widen(&mut self, columns: usize) {
        let (old, width) = (self.width.max(1), (columns + columns / 4).next_multiple_of(8));
        let mut rows = vec![[UNKNOWN; N]; self.rows.len() / old * width];
        for (new, old) in rows.chunks_exact_mut(width).zip(self.rows.chunks_exact(old)) {
            new[..old.len()].copy_from_slice(old);
        }
        (self.rows, self.width) = (rows, width);
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Packed<N>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(jumps: &Jumps<2>, store: u32, column: u32, state: Packed<2>) -> Option<Packed<2>> {
        match Jumps::jump(jumps.row(store), column, &state) {
            Jump::To(next) => Some(next),
            Jump::Blocked => None,
            Jump::Unknown => panic!("it was put"),
        }
    }

    #[test]
    fn a_jump_leads_from_any_state_with_its_store_and_place() {
        let mut jumps = Jumps::default();
        jumps.put((1, 3), &[0b0101, 7], Some(&[0b0110, 7]));
        jumps.put((2, 3), &[0, 1], None);
        jumps.put((1, 40), &[5, 5], Some(&[5, 5]));
        assert_eq!(jump(&jumps, 1, 3, [0b1101, 9]), Some([0b1110, 9]));
        assert_eq!(jump(&jumps, 2, 3, [0, 1]), None);
        assert_eq!(jump(&jumps, 1, 40, [4, 4]), Some([4, 4]), "it changes nothing, and is a step");
        let unknown = |store, column| Jumps::jump(jumps.row(store), column, &[0, 0]);
        for (store, column) in [(0, 3), (1, 4), (1, 400), (7, 3)] {
            assert!(matches!(unknown(store, column), Jump::Unknown), "{store} {column}");
        }
    }

    #[test]
    fn a_jump_moves_as_states_do() {
        let mut jumps = Jumps::default();
        let moved = |key: &Packed<2>| [key[1] << 8, key[0]];
        jumps.put((0, 0), &[1, 2], Some(&[3, 0]));
        jumps.put((0, 1), &[1, 2], None);
        jumps.rebuild(moved);
        assert_eq!(jump(&jumps, 0, 0, moved(&[1, 2])), Some(moved(&[3, 0])));
        assert_eq!(jump(&jumps, 0, 1, moved(&[1, 2])), None);
    }

    #[test]
    fn few_jumps_of_many_are_not_worth_it() {
        let mut jumps = Jumps::<1>::default();
        assert!(jumps.put((0, 999), &[0], None), "there are few entries");
        assert!(!jumps.put((9999, 0), &[0], None));
        assert!(jumps.bytes() < 1 << 20, "nothing was made room for");
        assert!(jumps.put((9, 0), &[0], None));
    }
}
