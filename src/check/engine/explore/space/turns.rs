//! The steps by scene: where properties are in play, and none looks at the queues, what a step makes of
//! the store and of all that is remembered is looked up as one.

use super::{
    BLOCKED, Edge, Global, Moved, NOT_KNOWN, Part, Place, Space, Successor, comes_by_itself,
    strand_of, target,
};
use crate::check::engine::explore::pack::{Layout, Packed};
use crate::check::engine::explore::scenes::{Scenes, Slot, Turn};
use crate::check::fault::{Choice, Kind};

/// Where a step leads that depends on the store and on a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Woken {
    scene: u32,
    /// The content of that queue then.
    queue: u32,
    spot: u32,
}

/// What came of looking a turn up.
enum Turned<const N: usize> {
    /// It cannot be.
    Blocked,
    /// It is not clear where the process stands.
    Unclear,
    /// Each strand of the process has a turn of its own.
    Beside,
    To(Packed<N>),
}

impl Space<'_> {
    /// Whether what happens is looked up by scene: it is where properties are in play, and none
    /// looks at the queues.
    #[inline]
    pub(super) fn has_turns(&self) -> bool {
        !self.judge.is_idle() && !self.judge.looks_at_queues()
    }

    /// [`Space::successors`] by scene.
    pub(super) fn turns<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        mut visit: impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let row = self.scenes.row(layout.scene.get(key));
        let mut goes_on = false;
        for process in 0..layout.locals.len() {
            let local = layout.locals[process].get(key);
            let (choice, place) = (Choice::step(process), self.places[process][local as usize]);
            match self.turn(layout, key, row, (choice, local), place)? {
                Turned::Blocked => continue,
                Turned::Unclear => {}
                Turned::To(next) => {
                    visit((choice.number(), self.canonical(layout, next)?));
                }
                Turned::Beside => {
                    let at = (process, local);
                    goes_on |= self.strand_turns(layout, key, row, at, &mut visit)?;
                    continue;
                }
            }
            goes_on = true;
        }
        if !self.faults.is_empty() {
            goes_on |= self.faulty_turns(layout, key, row, &mut visit)?;
        }
        Some(goes_on)
    }

    /// Asks for the memory of the steps of all processes ahead of time.
    #[inline]
    pub(super) fn prefetch_turns<const N: usize>(&self, layout: &Layout, key: &Packed<N>) {
        let row = self.scenes.row(layout.scene.get(key));
        for (field, places) in layout.locals.iter().zip(&self.places) {
            let Place { part, column } = places[field.get(key) as usize];
            if part == Part::Store {
                Scenes::prefetch_turn(row, Turn::step(column));
            }
        }
    }

    /// The same for what no process does; whether something is still to come that nobody can keep
    /// from coming. The row of a scene is large where much can go wrong: a few of its slots are asked for together.
    #[inline(never)]
    fn faulty_turns<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        const TOGETHER: usize = 16;
        let mut lands = false;
        for choices in self.faults[layout.faults.get(key) as usize].chunks(TOGETHER) {
            let mut turns = [None; TOGETHER];
            for (turn, choice) in turns.iter_mut().zip(choices) {
                *turn = self.fault_turn(layout, key, *choice)?;
                turn.iter().for_each(|turn| Scenes::prefetch_turn(row, *turn));
            }
            for (turn, choice) in turns.into_iter().zip(choices) {
                let Some(turn) = turn else { continue };
                let Some(next) = self.faulty(layout, key, row, (*choice, turn))? else { continue };
                lands |= comes_by_itself(choice.kind);
                visit((choice.number(), self.canonical(layout, next)?));
            }
        }
        Some(lands)
    }

    /// The same for the steps of a process that has guards beside what it does; whether one of its
    /// strands could go on.
    #[inline(never)]
    fn strand_turns<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        (process, local): (usize, u32),
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let mut goes_on = false;
        for (strand, place) in self.places_beside(self.places[process][local as usize]) {
            let choice = Choice::step_of(process, *strand);
            match self.turn(layout, key, row, (choice, local), *place)? {
                Turned::Blocked | Turned::Beside => continue,
                Turned::Unclear => {}
                Turned::To(next) => visit((choice.number(), self.canonical(layout, next)?)),
            }
            goes_on = true;
        }
        Some(goes_on)
    }

    /// What the step of a strand leads to, looked up in the row of the scene.
    #[inline(always)]
    fn turn<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        (choice, local): (Choice, u32),
        Place { part, column }: Place,
    ) -> Option<Turned<N>> {
        let field = layout.locals[choice.process];
        let mut next = *key;
        let edge = match part {
            Part::Over => return Some(Turned::Blocked),
            Part::Unclear => return Some(Turned::Unclear),
            Part::Beside => return Some(Turned::Beside),
            Part::Store => {
                let slot = Scenes::find(row, Turn::step(column))?;
                let Some(to) = slot.scene() else { return Some(Turned::Blocked) };
                layout.scene.put(&mut next, to);
                field.put(&mut next, self.spot_local(slot.spot)?);
                return Some(Turned::To(next));
            }
            Part::Neither => self.free_steps.find(0, column)?,
            Part::Queue(number) => {
                let queue = layout.queues[number as usize];
                let entry = self.queue_steps[number as usize].find(queue.get(key), column)?;
                if entry == BLOCKED {
                    return Some(Turned::Blocked);
                }
                queue.put(&mut next, target(entry));
                entry
            }
            Part::Both(number) => {
                let (scene, queue) = (layout.scene.get(key), layout.queues[number as usize]);
                let spot = self.firsts[choice.process][local as usize];
                let asked = (strand_of(choice, spot), scene, queue.get(key));
                let Some(woken) = *self.woken.get(&asked)? else { return Some(Turned::Blocked) };
                layout.scene.put(&mut next, woken.scene);
                queue.put(&mut next, woken.queue);
                field.put(&mut next, self.spot_local(woken.spot)?);
                return Some(Turned::To(next));
            }
        };
        let edge = edge as u32;
        let Edge { label, .. } = self.edge_list[edge as usize];
        field.put(&mut next, self.edge_local(edge)?);
        layout.scene.put(&mut next, Scenes::find(row, Turn::told(label))?.scene()?);
        Some(Turned::To(next))
    }

    /// The place of a spot, if that has its number in this pass.
    #[inline]
    fn spot_local(&self, spot: u32) -> Option<u32> {
        let local = self.spot_locals[spot as usize];
        (local != NOT_KNOWN).then_some(local)
    }

    /// The turn by which a fault is looked up; `Some(None)` where it cannot be, or it is not clear where its
    /// process stands.
    #[inline]
    fn fault_turn<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        choice: Choice,
    ) -> Option<Option<Turn>> {
        let local = layout.locals[choice.process].get(key);
        let spot = self.spot_hit(choice, local);
        if !self.can_be(choice, spot) || self.is_unclear(choice.process, local) {
            return Some(None);
        }
        let number = self.fault_numbers.get(&(choice.number(), spot, layout.faults.get(key)))?;
        Some(Some(Turn::fault(*number)))
    }

    /// The state to which a fault leads; `Some(None)` where it cannot be.
    #[inline]
    fn faulty<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        (choice, turn): (Choice, Turn),
    ) -> Option<Option<Packed<N>>> {
        let mut next = *key;
        if choice.kind.redelivers() {
            self.redelivered(layout, key, &mut next, choice.process)?;
        }
        if choice.kind == Kind::Redelivered && next == *key {
            return Some(None);
        }
        let slot = Scenes::find(row, turn)?;
        let Some(to) = slot.scene() else { return Some(None) };
        layout.scene.put(&mut next, to);
        layout.faults.put(&mut next, slot.faults);
        if !choice.kind.moves_nobody() {
            layout.locals[choice.process].put(&mut next, self.spot_local(slot.spot)?);
        }
        Some(Some(next))
    }

    /// Whether it is known by scene what a choice leads to. The state that it leads to may be too wide
    /// for the layout, so of what compares that with another nothing is known.
    pub(super) fn knows_turn<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        choice: Choice,
    ) -> bool {
        if choice.kind == Kind::Redelivered {
            return false;
        }
        let row = self.scenes.row(layout.scene.get(key));
        if choice.kind == Kind::Step {
            let local = layout.locals[choice.process].get(key);
            let place = self.place_of(choice, self.places[choice.process][local as usize]);
            return self.turn(layout, key, row, (choice, local), place).is_some();
        }
        match self.fault_turn(layout, key, choice) {
            None => false,
            Some(None) => true,
            Some(Some(turn)) => self.faulty(layout, key, row, (choice, turn)).is_some(),
        }
    }

    /// Gives a fault its number.
    pub(super) fn number_fault(&mut self, choice: Choice, spot: u32, faults: u32) {
        let next = self.fault_numbers.len() as u32;
        self.fault_numbers.entry((choice.number(), spot, faults)).or_insert(next);
    }

    /// Notes by its scene what a choice leads to.
    pub(super) fn note_turn(
        &mut self,
        choice: Choice,
        global: &Global,
        moved: Option<Moved>,
        to: Option<(u32, u32, u32)>,
    ) {
        let process = choice.process;
        let local = global.locals[process];
        let spot = self.spot_hit(choice, local);
        let scene = self.scene(global.store, global.memory);
        let Place { part, column } = self.place_of(choice, self.places[process][local as usize]);
        let label = |moved: Moved| self.edge_list[moved.edge as usize].label;
        let turn = match (choice.kind, part) {
            (Kind::Step, Part::Over | Part::Unclear | Part::Beside) => None,
            (Kind::Step, Part::Store) => Some(Turn::step(column)),
            (Kind::Step, Part::Neither | Part::Queue(_)) => moved.map(label).map(Turn::told),
            (Kind::Step, Part::Both(queue)) => {
                let woken = moved.and_then(|moved| moved.queue).zip(to);
                let woken =
                    woken.map(|((_, queue), (spot, scene, _))| Woken { scene, queue, spot });
                let spot = strand_of(choice, spot);
                let key = (spot, scene, global.queues[queue as usize]);
                self.woken.insert(key, woken);
                None
            }
            _ => {
                let key = (choice.number(), spot, global.faults);
                self.fault_numbers.get(&key).copied().map(Turn::fault)
            }
        };
        if let Some(turn) = turn {
            self.scenes.put(scene, turn, to);
        }
    }
}
