//! The steps by scene: where properties are in play, and none looks at the queues, what a step makes of
//! the store and of all that is remembered is looked up as one.

use super::{
    Asked, BLOCKED, Edge, Global, Moved, NOT_KNOWN, Part, Place, Space, Successor, comes_by_itself,
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

/// What is to be noted of one choice.
#[derive(Clone, Copy, Debug)]
enum Note {
    /// What a turn leads to in this scene.
    Turn(u32, Slot),
    /// What a process does that a change of the store wakes: by its spot, the scene and the queue.
    Woken((u32, u32, u32), Option<Woken>),
}

/// What was put together from what is known, while others look at the rows: it is noted afterwards.
#[derive(Debug, Default)]
pub(in super::super) struct Notes(Vec<Note>);

/// A state, with the row of its scene.
type Looked<'a, const N: usize> = (&'a Layout, &'a Packed<N>, &'a [Slot]);

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
        notes: &mut Notes,
        mut visit: impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let row = self.scenes.row(layout.scene.get(key));
        let mut goes_on = false;
        for process in 0..layout.locals.len() {
            let local = layout.locals[process].get(key);
            let (choice, place) = (Choice::step(process), self.places[process][local as usize]);
            match self.turn((layout, key, row), (choice, local), place, notes)? {
                Turned::Blocked => continue,
                Turned::Unclear => {}
                Turned::To(next) => {
                    visit((choice.number(), self.canonical(layout, next)?));
                }
                Turned::Beside => {
                    let at = (process, local);
                    goes_on |= self.strand_turns((layout, key, row), at, notes, &mut visit)?;
                    continue;
                }
            }
            goes_on = true;
        }
        if !self.faults.is_empty() {
            goes_on |= self.faulty_turns((layout, key, row), notes, &mut visit)?;
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
        (layout, key, row): Looked<'_, N>,
        notes: &mut Notes,
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
                let Some(next) = self.faulty((layout, key, row), (*choice, turn), notes)? else {
                    continue;
                };
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
        (layout, key, row): Looked<'_, N>,
        (process, local): (usize, u32),
        notes: &mut Notes,
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let mut goes_on = false;
        for (strand, place) in self.places_beside(self.places[process][local as usize]) {
            let choice = Choice::step_of(process, *strand);
            match self.turn((layout, key, row), (choice, local), *place, notes)? {
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
        looked: Looked<'_, N>,
        (choice, local): (Choice, u32),
        Place { part, column }: Place,
        notes: &mut Notes,
    ) -> Option<Turned<N>> {
        let (layout, key, _) = looked;
        let field = layout.locals[choice.process];
        let mut next = *key;
        let edge = match part {
            Part::Over => return Some(Turned::Blocked),
            Part::Unclear => return Some(Turned::Unclear),
            Part::Beside => return Some(Turned::Beside),
            Part::Store => {
                let slot = self.slot(looked, (choice, Turn::step(column)), notes)?;
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
                let Some(woken) = self.woken(looked, (choice, asked), notes)? else {
                    return Some(Turned::Blocked);
                };
                layout.scene.put(&mut next, woken.scene);
                queue.put(&mut next, woken.queue);
                field.put(&mut next, self.spot_local(woken.spot)?);
                return Some(Turned::To(next));
            }
        };
        let edge = edge as u32;
        let Edge { label, .. } = self.edge_list[edge as usize];
        field.put(&mut next, self.edge_local(edge)?);
        let slot = self.slot(looked, (choice, Turn::told(label)), notes)?;
        layout.scene.put(&mut next, slot.scene()?);
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
        looked: Looked<'_, N>,
        (choice, turn): (Choice, Turn),
        notes: &mut Notes,
    ) -> Option<Option<Packed<N>>> {
        let (layout, key, _) = looked;
        let mut next = *key;
        if choice.kind.redelivers() {
            self.redelivered(layout, key, &mut next, choice.process)?;
        }
        if choice.kind == Kind::Redelivered && next == *key {
            return Some(None);
        }
        let slot = self.slot(looked, (choice, turn), notes)?;
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
        notes: &mut Notes,
    ) -> bool {
        if choice.kind == Kind::Redelivered {
            return false;
        }
        let row = self.scenes.row(layout.scene.get(key));
        if choice.kind == Kind::Step {
            let local = layout.locals[choice.process].get(key);
            let place = self.place_of(choice, self.places[choice.process][local as usize]);
            return self.turn((layout, key, row), (choice, local), place, notes).is_some();
        }
        match self.fault_turn(layout, key, choice) {
            None => false,
            Some(None) => true,
            Some(Some(turn)) => self.faulty((layout, key, row), (choice, turn), notes).is_some(),
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
        let scene = self.scene(global.store, global.memory);
        let asked = self.asked(choice, global);
        let place = self.places[choice.process][global.locals[choice.process] as usize];
        let place = self.place_of(choice, place);
        let note = self.note_of(&asked, place, scene, moved, to);
        note.into_iter().for_each(|note| self.note(note));
    }

    /// Notes what successors were put together from.
    pub(in super::super) fn note_all(&mut self, notes: Notes) {
        for note in notes.0 {
            let is_known = match note {
                Note::Turn(scene, slot) => self.scenes.has(scene, &slot),
                Note::Woken(key, _) => self.woken.contains_key(&key),
            };
            if !is_known {
                self.note(note);
            }
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Turn(scene, slot) => self.scenes.put(scene, slot),
            Note::Woken(key, woken) => {
                self.woken.insert(key, woken);
            }
        }
    }

    /// What is noted of what was asked; nothing where that is not looked up by scene.
    fn note_of(
        &self,
        asked: &Asked,
        Place { part, column }: Place,
        scene: u32,
        moved: Option<Moved>,
        to: Option<(u32, u32, u32)>,
    ) -> Option<Note> {
        let Asked { choice, spot, queue, faults, .. } = *asked;
        let label = |moved: Moved| self.edge_list[moved.edge as usize].label;
        let turn = match (choice.kind, part) {
            (Kind::Step, Part::Over | Part::Unclear | Part::Beside) => return None,
            (Kind::Step, Part::Store) => Turn::step(column),
            (Kind::Step, Part::Neither | Part::Queue(_)) => Turn::told(moved.map(label)?),
            (Kind::Step, Part::Both(_)) => {
                let woken = moved.and_then(|moved| moved.queue).zip(to);
                let woken =
                    woken.map(|((_, queue), (spot, scene, _))| Woken { scene, queue, spot });
                return Some(Note::Woken((strand_of(choice, spot), scene, queue?.1), woken));
            }
            _ => Turn::fault(*self.fault_numbers.get(&(choice.number(), spot, faults))?),
        };
        Some(Note::Turn(scene, Slot::new(turn, to)))
    }

    /// What would be noted of a choice, where all is known of which that is made: what the step makes of
    /// the store, what the properties say of that, and the scene that both are.
    #[cold]
    fn put_together<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        choice: Choice,
        notes: &mut Notes,
    ) -> Option<Note> {
        if self.ordinals.are_at_work() {
            return None;
        }
        let scene = layout.scene.get(key);
        let ((store, memory), faults) = (self.parts(scene), layout.faults.get(key));
        let local = layout.locals[choice.process].get(key);
        let place = self.place_of(choice, self.places[choice.process][local as usize]);
        let queue = match place.part {
            Part::Queue(queue) | Part::Both(queue) if choice.kind == Kind::Step => {
                Some((queue, layout.queues[queue as usize].get(key)))
            }
            _ => None,
        };
        let asked = Asked { choice, spot: self.spot_hit(choice, local), store, queue, faults };
        let moved = self.known(&asked)?;
        let to = match moved {
            None => None,
            Some(Moved { store, faults, edge, .. }) => {
                let Edge { spot, label } = self.edge_list[edge as usize];
                let memory = self.judge.next(label, memory, store, std::iter::empty())?;
                Some((spot, self.scenes.known(store, memory)?, faults))
            }
        };
        let note = self.note_of(&asked, place, scene, moved, to)?;
        notes.0.push(note);
        Some(note)
    }

    /// What is noted in the row of a scene, or can be put together.
    #[inline]
    fn slot<const N: usize>(
        &self,
        (layout, key, row): Looked<'_, N>,
        (choice, turn): (Choice, Turn),
        notes: &mut Notes,
    ) -> Option<Slot> {
        if let Some(slot) = Scenes::find(row, turn) {
            return Some(*slot);
        }
        match self.put_together(layout, key, choice, notes)? {
            Note::Turn(_, slot) => Some(slot),
            Note::Woken(..) => None,
        }
    }

    /// What is noted of a process that a change of the store wakes, and that then asks a queue, or can be
    /// put together.
    fn woken<const N: usize>(
        &self,
        (layout, key, _): Looked<'_, N>,
        (choice, asked): (Choice, (u32, u32, u32)),
        notes: &mut Notes,
    ) -> Option<Option<Woken>> {
        if let Some(woken) = self.woken.get(&asked) {
            return Some(*woken);
        }
        match self.put_together(layout, key, choice, notes)? {
            Note::Woken(_, woken) => Some(woken),
            Note::Turn(..) => None,
        }
    }
}
