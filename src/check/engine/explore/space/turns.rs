//! The steps by scene: where properties are in play, and none looks at the queues, what a step makes of
//! the store and of all that is remembered is looked up as one.

use super::{
    BLOCKED, Edge, Global, Moved, NOT_KNOWN, Part, Place, Space, Successor, comes_by_itself, target,
};
use crate::check::engine::explore::pack::{Layout, Packed};
use crate::check::engine::explore::scenes::{Scenes, Slot, Turn};
use crate::check::fault::{self, Choice, Kind};

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
            match self.turn(layout, key, row, process)? {
                Turned::Blocked => continue,
                Turned::Unclear => {}
                Turned::To(next) => {
                    visit((Choice::step(process).number(), self.canonical(layout, next)?));
                }
            }
            goes_on = true;
        }
        if !self.faults.is_empty() {
            for choice in &self.faults[layout.faults.get(key) as usize] {
                if let Turned::To(next) = self.faulty_turn(layout, key, row, *choice)? {
                    goes_on |= comes_by_itself(choice.kind);
                    visit((choice.number(), self.canonical(layout, next)?));
                }
            }
        }
        Some(goes_on)
    }

    /// What the step of a process leads to, looked up in the row of the scene.
    #[inline(always)]
    fn turn<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        process: usize,
    ) -> Option<Turned<N>> {
        let field = layout.locals[process];
        let local = field.get(key);
        let Place { part, column } = self.places[process][local as usize];
        let mut next = *key;
        let edge = match part {
            Part::Over => return Some(Turned::Blocked),
            Part::Unclear => return Some(Turned::Unclear),
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
                let spot = self.firsts[process][local as usize];
                let asked = (spot, scene, queue.get(key));
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

    /// The same for what no process does.
    fn faulty_turn<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        row: &[Slot],
        choice: Choice,
    ) -> Option<Turned<N>> {
        let field = layout.locals[choice.process];
        let local = field.get(key);
        if self.is_unclear(choice.process, local) {
            return Some(Turned::Unclear);
        }
        let spot = self.firsts[choice.process][local as usize];
        let asked = (choice.number(), spot, layout.faults.get(key));
        let Some(number) = *self.fault_numbers.get(&asked)? else {
            return Some(Turned::Blocked);
        };
        let mut next = *key;
        if choice.kind.redelivers() {
            self.redelivered(layout, key, &mut next, choice.process)?;
        }
        if choice.kind == Kind::Redelivered && next == *key {
            return Some(Turned::Blocked);
        }
        let slot = Scenes::find(row, Turn::fault(number))?;
        let Some(to) = slot.scene() else { return Some(Turned::Blocked) };
        layout.scene.put(&mut next, to);
        layout.faults.put(&mut next, slot.faults);
        field.put(&mut next, self.spot_local(slot.spot)?);
        Some(Turned::To(next))
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
        let turned = match choice.kind {
            Kind::Step => self.turn(layout, key, row, choice.process),
            _ => self.faulty_turn(layout, key, row, choice),
        };
        turned.is_some()
    }

    /// Gives a fault its number, if it can be in any store.
    pub(super) fn number_fault(&mut self, choice: Choice, spot: u32, faults: u32) -> Option<u32> {
        let next = self.fault_numbers.len() as u32;
        let at = self.ats.value(self.spots.value(spot).at);
        let (system, key) = (self.system, (choice.number(), spot, faults));
        let number = || fault::can_be(system, choice, at).then_some(next);
        *self.fault_numbers.entry(key).or_insert_with(number)
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
        let (local, spot) = (global.locals[process], self.first(process, global));
        let scene = self.scene(global.store, global.memory);
        let Place { part, column } = self.places[process][local as usize];
        let label = |moved: Moved| self.edge_list[moved.edge as usize].label;
        let turn = match (choice.kind, part) {
            (Kind::Step, Part::Over | Part::Unclear) => None,
            (Kind::Step, Part::Store) => Some(Turn::step(column)),
            (Kind::Step, Part::Neither | Part::Queue(_)) => moved.map(label).map(Turn::told),
            (Kind::Step, Part::Both(queue)) => {
                let woken = moved.and_then(|moved| moved.queue).zip(to);
                let woken =
                    woken.map(|((_, queue), (spot, scene, _))| Woken { scene, queue, spot });
                let key = (spot, scene, global.queues[queue as usize]);
                self.woken.insert(key, woken);
                None
            }
            _ => {
                let key = (choice.number(), spot, global.faults);
                self.fault_numbers.get(&key).copied().flatten().map(Turn::fault)
            }
        };
        if let Some(turn) = turn {
            self.scenes.put(scene, turn, to);
        }
    }
}
