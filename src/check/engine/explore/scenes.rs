//! Scenes: the store and what the properties remember, as one component of a state.
//!
//! What a property says of a step depends on what it remembers, on the step and on the store after it.
//! So what a step makes of a store and of all memories together is found out once for each scene; then
//! a step is one look-up, however many properties there are. The look-ups of one state lie together:
//! each scene has a small table of its own.

use super::intern::Interner;
use super::rows::{self, Rows};

/// What may happen in a scene: the step of a process from one place, something that is told while the
/// store stays as it is, or a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn(u32);

/// What it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    turn: Turn,
    /// The spot where the process stands then; of what is told that is not known by the turn.
    pub(super) spot: u32,
    scene: u32,
    pub(super) faults: u32,
}

/// A scene that is none: it cannot happen.
const BLOCKED: u32 = u32::MAX;

/// The scenes that were seen, and what is known to happen in them.
#[derive(Default)]
pub(super) struct Scenes {
    /// The number of the store, and that of what is remembered.
    parts: Interner<(u32, u32)>,
    rows: Rows<Slot>,
}

impl Turn {
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
}

impl rows::Slot for Slot {
    const FREE: Slot = Slot { turn: Turn(u32::MAX), spot: 0, scene: BLOCKED, faults: 0 };

    #[inline]
    fn key(&self) -> u32 {
        self.turn.0
    }
}

impl Slot {
    /// What a turn leads to: the spot where the process stands then, the scene and the faults that are
    /// left; `None` where it cannot happen.
    pub(super) fn new(turn: Turn, to: Option<(u32, u32, u32)>) -> Slot {
        let (spot, scene, faults) = to.unwrap_or((0, BLOCKED, 0));
        Slot { turn, spot, scene, faults }
    }

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
        self.rows.row(scene)
    }

    /// Asks for the memory of where a row is ahead of time.
    #[inline]
    pub(super) fn prefetch_row(&self, scene: u32) {
        self.rows.prefetch(scene);
    }

    /// What a turn leads to, if that is known.
    #[inline]
    pub(super) fn find(row: &[Slot], turn: Turn) -> Option<&Slot> {
        rows::find(row, turn.0)
    }

    /// Asks for the memory of a turn ahead of time.
    #[inline]
    pub(super) fn prefetch_turn(row: &[Slot], turn: Turn) {
        rows::prefetch_slot(row, turn.0);
    }

    /// Notes what a turn leads to.
    pub(super) fn put(&mut self, scene: u32, slot: Slot) {
        self.rows.put(scene, slot);
    }

    /// Whether it is noted already what that turn leads to.
    pub(super) fn has(&self, scene: u32, slot: &Slot) -> bool {
        Scenes::find(self.row(scene), slot.turn).is_some()
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        const PART: usize = 2 * size_of::<(u32, u32)>() + size_of::<u32>();
        self.parts.len() * PART * 8 / 5 + self.rows.bytes()
    }
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
            scenes.put(3, Slot::new(step, Some((n, n + 1, 7))));
            scenes.put(3, Slot::new(told, None));
            scenes.put(3, Slot::new(fault, Some((n, n + 2, 8))));
        }
        for n in 0..50 {
            let found = turns(n).map(|turn| *Scenes::find(scenes.row(3), turn).expect("noted"));
            assert_eq!(found.map(|slot| slot.scene()), [Some(n + 1), None, Some(n + 2)]);
            assert_eq!((found[0].spot, found[2].faults), (n, 8));
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
