//! Scenes: the store and what the properties remember, as one component of a state.
//!
//! What a property says of a step depends on what it remembers, on the step and on the store after it.
//! So what a step makes of a store and of all memories together is found out once for each scene; then
//! a step is one look-up, however many properties there are. The look-ups of one state lie together:
//! each scene has a small table of its own.

use super::intern::Interner;

/// What may happen in a scene: the step of a process from one place, something that is told while the
/// store stays as it is, or a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn(u32);

/// What it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    turn: Turn,
    /// Where the process stands then.
    pub(super) local: u32,
    scene: u32,
    pub(super) faults: u32,
}

/// A scene that is none: it cannot happen.
const BLOCKED: u32 = u32::MAX;

/// The turns of one scene that are known: a table with linear probing, of a power of two of slots.
type Row = Box<[Slot]>;

/// The scenes that were seen, and what is known to happen in them.
#[derive(Default)]
pub(super) struct Scenes {
    /// The number of the store, and that of what is remembered.
    parts: Interner<(u32, u32)>,
    rows: Vec<Row>,
    slots: usize,
}

impl Turn {
    const FREE: Turn = Turn(u32::MAX);

    /// The step of which this is the column.
    #[inline]
    pub(super) fn step(column: u32) -> Turn {
        Turn(column << 2)
    }

    /// What has this label, and leaves the store as it is.
    #[inline]
    pub(super) fn told(label: u32) -> Turn {
        Turn(label << 2 | 1)
    }

    /// The fault of this number.
    #[inline]
    pub(super) fn fault(number: u32) -> Turn {
        Turn(number << 2 | 2)
    }

    /// Where the search for it begins, in any table (Knuth, *The Art of Computer Programming* 3,
    /// multiplicative hashing).
    #[inline]
    fn home(self) -> usize {
        (self.0.wrapping_mul(0x9E37_79B1) >> 15) as usize
    }
}

impl Slot {
    const FREE: Slot = Slot { turn: Turn::FREE, local: 0, scene: BLOCKED, faults: 0 };

    /// The scene that it leads to; `None` where it cannot happen.
    #[inline]
    pub(super) fn scene(&self) -> Option<u32> {
        (self.scene != BLOCKED).then_some(self.scene)
    }
}

impl Scenes {
    /// The number of a scene, by those of the store and of what is remembered.
    pub(super) fn number(&mut self, store: u32, memory: u32) -> u32 {
        self.parts.number((store, memory))
    }

    /// The same, if it was seen before.
    #[inline]
    pub(super) fn known(&self, store: u32, memory: u32) -> Option<u32> {
        self.parts.known(&(store, memory))
    }

    /// The store, and what is remembered.
    #[inline]
    pub(super) fn parts(&self, scene: u32) -> (u32, u32) {
        *self.parts.value(scene)
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// What is known to happen in a scene.
    #[inline]
    pub(super) fn row(&self, scene: u32) -> &[Slot] {
        self.rows.get(scene as usize).map_or(&[], |row| row)
    }

    /// What a turn leads to, if that is known.
    #[inline]
    pub(super) fn find(row: &[Slot], turn: Turn) -> Option<&Slot> {
        let mask = row.len().wrapping_sub(1);
        let mut place = turn.home() & mask;
        loop {
            let slot = row.get(place)?;
            if slot.turn == turn {
                return Some(slot);
            }
            if slot.turn == Turn::FREE {
                return None;
            }
            place = (place + 1) & mask;
        }
    }

    /// Notes what a turn leads to: to where the process stands then, the scene and the faults that are
    /// left; `None` where it cannot happen.
    pub(super) fn put(&mut self, scene: u32, turn: Turn, to: Option<(u32, u32, u32)>) {
        let (local, to, faults) = to.unwrap_or((0, BLOCKED, 0));
        if self.rows.len() <= scene as usize {
            self.rows.resize_with(scene as usize + 1, Row::default);
        }
        let row = &mut self.rows[scene as usize];
        let free = row.iter().filter(|slot| slot.turn == Turn::FREE).count();
        if free * 4 <= row.len() {
            self.slots += grow(row);
        }
        place(row, Slot { turn, local, scene: to, faults });
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        const PART: usize = 2 * size_of::<(u32, u32)>() + size_of::<u32>();
        self.parts.len() * PART * 8 / 5
            + self.rows.capacity() * size_of::<Row>()
            + self.slots * size_of::<Slot>()
    }
}

/// Makes a row twice as large; by how many slots.
fn grow(row: &mut Row) -> usize {
    const LEAST: usize = 4;
    let larger = vec![Slot::FREE; (row.len() * 2).max(LEAST)].into_boxed_slice();
    let old = std::mem::replace(row, larger);
    old.iter().filter(|slot| slot.turn != Turn::FREE).for_each(|slot| place(row, *slot));
    row.len() - old.len()
}

/// Puts a slot into a row that has a free one.
fn place(row: &mut [Slot], slot: Slot) {
    let mask = row.len() - 1;
    let mut place = slot.turn.home() & mask;
    while row[place].turn != Turn::FREE && row[place].turn != slot.turn {
        place = (place + 1) & mask;
    }
    row[place] = slot;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_found_and_nothing_else() {
        let mut scenes = Scenes::default();
        let turns = |n: u32| [Turn::step(n), Turn::told(n), Turn::fault(n)];
        for n in 0..50 {
            let [step, told, fault] = turns(n);
            scenes.put(3, step, Some((n, n + 1, 7)));
            scenes.put(3, told, None);
            scenes.put(3, fault, Some((n, n + 2, 8)));
        }
        for n in 0..50 {
            let found = turns(n).map(|turn| *Scenes::find(scenes.row(3), turn).expect("noted"));
            assert_eq!(found.map(|slot| slot.scene()), [Some(n + 1), None, Some(n + 2)]);
            assert_eq!((found[0].local, found[2].faults), (n, 8));
        }
        assert!(turns(50).iter().all(|turn| Scenes::find(scenes.row(3), *turn).is_none()));
        assert!(Scenes::find(scenes.row(2), Turn::step(0)).is_none());
        assert!(Scenes::find(scenes.row(9), Turn::step(0)).is_none());
    }

    #[test]
    fn a_scene_is_a_store_with_a_memory() {
        let mut scenes = Scenes::default();
        let numbers = [(1, 2), (2, 1), (1, 2)].map(|(store, memory)| scenes.number(store, memory));
        assert_eq!(numbers, [0, 1, 0]);
        assert_eq!(
            (scenes.parts(1), scenes.known(2, 1), scenes.known(2, 2)),
            ((2, 1), Some(1), None)
        );
    }
}
