//! Ordinals: of the states that are one but for the numbers of their ordinals, in the same order, one is
//! visited for all.
//!
//! Which ordinals are alive in each part of a state is noted once for each number that the part has, and
//! so is what the part becomes under new numbers (see `scales`). A state whose ordinals are numbered from
//! below already is left as it is; each other one becomes one that is. A process takes new numbers as it
//! takes an answer, see `automaton`.
//!
//! That code goes by the order alone is checked, on all that is found out: with the ordinals of one scale
//! further apart a step has to do the same and lead to the same, but for these numbers, and so has a process,
//! and what the properties say. So a monotone map of the ordinals of a state that keeps the distances
//! which count leads from each run to a run, and back. Who does otherwise is refused by name. A field
//! that turns out to be counted up makes the search begin again, and a counter that is set back below what
//! is alive above it makes its scale stay as it is from then on.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::{Asked, Global, Layout, Packed, Space, Spot, World};
use crate::check::engine::explore::error::CheckError;
use crate::check::engine::explore::intern::Interner;
use crate::check::engine::explore::judge::Changed;
use crate::check::engine::explore::scales::{Alive, Counters, Renumbering, Stretch, has_ordinals};
use crate::check::fault::{self, Budget};
use crate::check::mailbox::Told;
use crate::check::monitor::{End, Watched};
use crate::check::request::Answer;
use crate::check::step::{At, Stepped};
use crate::check::strand::Strand;
use crate::check::system::System;
use crate::check::world::Pending;
use crate::store::memory::{Execution, State};
use crate::store::{Command, Document, Operation, Operator, Path, Text, Value};

/// The number of a set of ordinals that is not known yet.
const NOT_KNOWN: u32 = u32::MAX;
/// The set of no ordinal, and the numbering that leaves all as it is.
const NONE: u32 = 0;

/// Which ordinals are alive where, and what becomes of it.
pub(super) struct Ordinals {
    /// Whether any were seen: before the first step, or on a walk.
    were_seen: bool,
    wanted: bool,
    at_work: bool,
    /// Whether the search has to begin again.
    askew: bool,
    /// Whether more is counted up than was known when steps were found out.
    recounts: bool,
    /// Whether any state was numbered anew.
    are_used: bool,
    counters: Counters,
    /// The scales of which some step has set the least counter back, or made one; and those of which in some
    /// state something was alive above that, or above the first without one. Where both are, the numbers do
    /// not tell any more how many steps it takes to count from one to the next. That it was in one state is
    /// not asked: what a step does is found out once for many.
    set_back: BTreeSet<(Text, bool)>,
    passed: BTreeSet<(Text, bool)>,
    /// The scales that are both: their ordinals are not numbered anew.
    held: BTreeSet<Text>,
    alive: Interner<Alive>,
    renumberings: Interner<Renumbering>,
    /// Of this pass: by part of a state and number, the set of those alive in it.
    sets: Vec<Vec<u32>>,
    /// Of two sets.
    unions: FxHashMap<(u32, u32), u32>,
    /// By set: how its ordinals are numbered anew.
    numberings: Vec<u32>,
    /// Of this pass: by part, number and numbering.
    images: FxHashMap<(u32, u32, u32), u32>,
}

/// How a process was resumed in a step.
pub(super) struct Resumed {
    pub(super) by: Option<(Strand, Answer)>,
    pub(super) at: At,
    pub(super) told: Told,
}

/// What a choice led to.
pub(super) struct Outcome<'a> {
    pub(super) stepped: Option<&'a Stepped>,
    pub(super) world: &'a World,
    pub(super) budget: &'a Budget,
    pub(super) at: &'a At,
}

impl Ordinals {
    pub(super) fn new(system: &System) -> Ordinals {
        let World { store, messages } = &system.world;
        let were_seen =
            has_ordinals(store) || has_ordinals(messages) || has_ordinals(&system.history);
        let (mut alive, mut renumberings) = (Interner::new(), Interner::new());
        alive.number(Alive::default());
        renumberings.number(Renumbering::default());
        Ordinals {
            were_seen,
            wanted: false,
            at_work: false,
            askew: false,
            recounts: false,
            are_used: false,
            counters: Counters::new(),
            set_back: BTreeSet::new(),
            passed: BTreeSet::new(),
            held: BTreeSet::new(),
            alive,
            renumberings,
            sets: Vec::new(),
            unions: FxHashMap::default(),
            numberings: Vec::new(),
            images: FxHashMap::default(),
        }
    }

    /// Whether states are numbered anew.
    #[inline]
    pub(super) fn are_at_work(&self) -> bool {
        self.at_work
    }

    /// What is counted up, where states are numbered anew.
    pub(super) fn counters(&self) -> Option<Counters> {
        self.at_work.then(|| self.counters.clone())
    }

    /// The set of a part, if it is known.
    #[inline]
    fn set(&self, part: usize, number: u32) -> Option<u32> {
        let set = *self.sets.get(part)?.get(number as usize)?;
        (set != NOT_KNOWN).then_some(set)
    }

    /// The set of what is in one or the other, if it is known.
    #[inline]
    fn known_union(&self, one: u32, other: u32) -> Option<u32> {
        if one == other || other == NONE {
            return Some(one);
        }
        if one == NONE { Some(other) } else { self.unions.get(&(one, other)).copied() }
    }

    fn union(&mut self, one: u32, other: u32) -> u32 {
        if let Some(known) = self.known_union(one, other) {
            return known;
        }
        let union = self.alive.value(one).clone().and(self.alive.value(other));
        let union = self.alive.number(union);
        self.unions.insert((one, other), union);
        union
    }

    /// How a set is numbered anew, if it is known.
    #[inline]
    fn known_numbering(&self, set: u32) -> Option<u32> {
        let numbering = *self.numberings.get(set as usize)?;
        (numbering != NOT_KNOWN).then_some(numbering)
    }

    fn numbering(&mut self, set: u32) -> u32 {
        if let Some(known) = self.known_numbering(set) {
            return known;
        }
        self.passed.extend(self.alive.value(set).passed());
        self.hold();
        let renumbering = self.alive.value(set).renumbered(&self.held);
        let is_identity = renumbering.is_identity();
        let number = if is_identity { NONE } else { self.renumberings.number(renumbering) };
        self.are_used |= !is_identity;
        *slot(&mut self.numberings, set) = number;
        number
    }

    /// Notes the scales that are left out from now on: the search begins again without them.
    fn hold(&mut self) {
        for (scale, _) in self.set_back.intersection(&self.passed) {
            self.askew |= self.held.insert(scale.clone());
        }
    }

    /// Notes the fields that are counted up by what a process has asked for; whether one of them is new.
    fn note_counters(&mut self, at: &At) -> bool {
        let before = self.counters.len();
        for strand in at.strands() {
            if let Some(Pending::Command(execution)) = at.pending(strand) {
                self.counters.extend(counted_by(execution.command()));
            }
        }
        self.counters.len() > before
    }

    pub(super) fn bytes(&self) -> usize {
        let sets = self.sets.iter().map(Vec::capacity).sum::<usize>() + self.numberings.capacity();
        sets * size_of::<u32>()
            + (self.images.capacity() + self.unions.capacity()) * 24
            + (self.alive.len() + self.renumberings.len()) * 512
    }
}

impl Space<'_> {
    /// Begins a pass; whether states are numbered anew that were not before, or the other way round: then
    /// what was found out was not checked for it.
    pub(super) fn begin_ordinals(&mut self, wanted: bool) -> bool {
        let at_work = wanted && self.note_ordinals();
        let ordinals = &mut self.ordinals;
        let changes = ordinals.at_work != at_work;
        let recounts = std::mem::take(&mut ordinals.recounts);
        (ordinals.wanted, ordinals.at_work, ordinals.askew) = (wanted, at_work, false);
        (ordinals.sets, ordinals.images) = (Vec::new(), FxHashMap::default());
        ordinals.numberings.clear();
        if changes || recounts {
            self.forget_found();
            self.symmetry.forget_numbers();
        }
        changes
    }

    /// Notes what is known of ordinals; whether there are any.
    pub(super) fn note_ordinals(&mut self) -> bool {
        self.ordinals.were_seen = self.has_ordinals();
        for at in self.automata.iter().flat_map(|automaton| automaton.ats()) {
            self.ordinals.note_counters(at);
        }
        self.ordinals.were_seen
    }

    /// Whether there are ordinals at all, as far as is known.
    fn has_ordinals(&self) -> bool {
        self.ordinals.were_seen || self.automata.iter().any(|automaton| automaton.has_ordinals)
    }

    /// Whether the search has to begin again since more is known of ordinals.
    pub(super) fn has_askew_ordinals(&self) -> bool {
        let Ordinals { askew, wanted, at_work, .. } = self.ordinals;
        askew || wanted && !at_work && self.has_ordinals()
    }

    /// Whether states are numbered anew where they have to be.
    pub(in super::super) fn wants_ordinals(&self) -> bool {
        self.ordinals.wanted
    }

    /// The scales of which a counter was set back: their ordinals are not numbered anew.
    pub(in super::super) fn scales_set_back(&self) -> impl Iterator<Item = &str> {
        self.ordinals.held.iter().map(|name| &**name)
    }

    /// Whether any state was.
    pub(in super::super) fn uses_ordinals(&self) -> bool {
        self.ordinals.are_used
    }

    /// The number of how far something has come.
    pub(super) fn at_number(&mut self, at: At) -> u32 {
        if self.ordinals.at_work && self.ordinals.note_counters(&at) {
            (self.ordinals.askew, self.ordinals.recounts) = (true, true);
        }
        self.ats.number(at)
    }

    /// The state that is visited for this one.
    #[inline(never)]
    pub(super) fn renumbered<const N: usize>(
        &self,
        layout: &Layout,
        key: Packed<N>,
    ) -> Option<Packed<N>> {
        let ordinals = &self.ordinals;
        if self.has_split && self.is_ambiguous(&self.unpack(layout, &key)) {
            return Some(key);
        }
        let mut union = NONE;
        for (part, field) in layout.fields().enumerate() {
            let set = ordinals.set(part, field.get(&key))?;
            union = ordinals.known_union(union, set)?;
        }
        let numbering = ordinals.known_numbering(union)?;
        if numbering == NONE {
            return Some(key);
        }
        let mut image = key;
        for (part, field) in layout.fields().enumerate() {
            let number = field.get(&key);
            if ordinals.set(part, number)? != NONE {
                field.put(&mut image, *ordinals.images.get(&(part as u32, number, numbering))?);
            }
        }
        Some(image)
    }

    /// The same, with all that [`Space::renumbered`] has to know; the state that it was reached from.
    pub(super) fn renumber(
        &mut self,
        before: Option<&Global>,
        state: Global,
    ) -> Result<Global, CheckError> {
        if let Some(before) = before.filter(|before| before.store != state.store) {
            self.note_set_back(before.store, state.store);
        }
        if self.has_split && self.is_ambiguous(&state) {
            return Ok(state);
        }
        let parts = self.parts_of_state(&state);
        let mut union = NONE;
        for (part, number) in parts.iter().enumerate() {
            let set = self.set(part, *number)?;
            union = self.ordinals.union(union, set);
        }
        let numbering = self.ordinals.numbering(union);
        if numbering == NONE {
            return Ok(state);
        }
        let mut images = Vec::with_capacity(parts.len());
        for (part, number) in parts.into_iter().enumerate() {
            images.push(match self.set(part, number)? {
                NONE => number,
                _ => self.image(part, number, numbering)?,
            });
        }
        let (store, memory) = self.parts(images[0]);
        let queues = images[2..][..state.queues.len()].to_vec();
        let locals = images[2 + queues.len()..].to_vec();
        Ok(Global { locals, store, queues, memory, faults: images[1] })
    }

    /// Whether a process stands in a place of a class that has split. Which of its nodes it is is not kept, and
    /// under new numbers they may differ: so such a state stays as it is, until the search begins again.
    fn is_ambiguous(&self, state: &Global) -> bool {
        let mut locals = state.locals.iter().enumerate();
        locals.any(|(process, local)| self.is_unclear(process, *local))
    }

    /// The numbers of a state, in the order of the fields of a layout.
    fn parts_of_state(&mut self, state: &Global) -> Vec<u32> {
        let shared = [self.scene(state.store, state.memory), state.faults];
        shared.into_iter().chain(state.queues.iter().chain(&state.locals).copied()).collect()
    }

    /// What a part of a state is, by its number among all.
    fn part_of_state(&self, part: usize) -> PartOfState {
        match part {
            0 => PartOfState::Scene,
            1 => PartOfState::Faults,
            _ if part - 2 < self.queues.len() => PartOfState::Queue(part - 2),
            _ => PartOfState::Local(part - 2 - self.queues.len()),
        }
    }

    /// The set of the ordinals that are alive in a part of a state.
    fn set(&mut self, part: usize, number: u32) -> Result<u32, CheckError> {
        if let Some(known) = self.ordinals.set(part, number) {
            return Ok(known);
        }
        let alive = match self.part_of_state(part) {
            PartOfState::Scene => {
                let (store, memory) = self.parts(number);
                let store = Alive::of_store(self.stores.value(store), &self.ordinals.counters);
                store.and(&self.judge.alive(memory))
            }
            PartOfState::Faults => alive_in(self.budgets.value(number)),
            PartOfState::Queue(queue) => Alive::of(self.queues[queue].value(number)),
            PartOfState::Local(process) => {
                let Spot { node, at, .. } =
                    *self.spots.value(self.firsts[process][number as usize]);
                Alive::of(self.ats.value(at)).and(self.automata[process].alive(node))
            }
        };
        let set = self.ordinals.alive.number(alive);
        let sets = &mut self.ordinals.sets;
        if sets.len() <= part {
            sets.resize_with(part + 1, Vec::new);
        }
        *slot(&mut sets[part], number) = set;
        Ok(set)
    }

    /// What a part of a state is with new numbers.
    fn image(&mut self, part: usize, number: u32, numbering: u32) -> Result<u32, CheckError> {
        let key = (part as u32, number, numbering);
        if let Some(known) = self.ordinals.images.get(&key) {
            return Ok(*known);
        }
        let renumbering = self.ordinals.renumberings.value(numbering).clone();
        let image = match self.part_of_state(part) {
            PartOfState::Scene => {
                let (store, memory) = self.parts(number);
                let store = renumbered_store(self.stores.value(store), &renumbering)?;
                let store = self.stores.number(store);
                let change = |document: &Document| renumbering.of(document);
                let memory = self.judge.changed(memory, &change, &mut Changed::default());
                self.scene(store, memory)
            }
            PartOfState::Faults => {
                let image = with_late(self.budgets.value(number), |one| renumbering.of(one));
                self.budget(image)
            }
            PartOfState::Queue(queue) => {
                let image = renumbering.of(self.queues[queue].value(number));
                self.queues[queue].number(image)
            }
            PartOfState::Local(process) => {
                let Spot { node, at, .. } =
                    *self.spots.value(self.firsts[process][number as usize]);
                let node = self.automata[process].renumbered(node, &renumbering)?;
                self.settle(process)?;
                let at = self.at_number(renumbering.of(self.ats.value(at)));
                let spot = self.spot(Spot { process: process as u32, node, at });
                self.local_at(spot)?
            }
        };
        self.ordinals.images.insert(key, image);
        Ok(image)
    }

    /// Notes the scales of which a step has set a counter back.
    fn note_set_back(&mut self, before: u32, after: u32) {
        let alive = |store| Alive::of_store(self.stores.value(store), &self.ordinals.counters);
        let back: Vec<_> = alive(after).set_back(&alive(before)).collect();
        self.ordinals.set_back.extend(back);
        self.ordinals.hold();
    }

    /// What is asked, by what is alive in it.
    fn alive_in_asked(&self, asked: &Asked) -> Alive {
        let Spot { at, .. } = *self.spots.value(asked.spot);
        let store = Alive::of_store(self.stores.value(asked.store), &self.ordinals.counters);
        let queue = asked
            .queue
            .map(|(queue, content)| Alive::of(self.queues[queue as usize].value(content)));
        store
            .and(&queue.unwrap_or_default())
            .and(&Alive::of(self.ats.value(at)))
            .and(&alive_in(self.budgets.value(asked.faults)))
    }

    /// Refuses a step that does something else where ordinals are further apart.
    pub(super) fn check_step(
        &self,
        asked: &Asked,
        resumed: &[Resumed],
        came_to: &Outcome<'_>,
    ) -> Result<(), CheckError> {
        for stretch in self.alive_in_asked(asked).stretches() {
            if let ControlFlow::Break(what) = self.stretched_step(asked, resumed, came_to, &stretch)
            {
                let process = &self.system.processes[asked.choice.process].name;
                return Err(CheckError::counts_in(process, what));
            }
        }
        Ok(())
    }

    fn stretched_step(
        &self,
        asked: &Asked,
        resumed: &[Resumed],
        came_to: &Outcome<'_>,
        stretch: &Stretch<'_>,
    ) -> ControlFlow<String> {
        let Spot { at, .. } = *self.spots.value(asked.spot);
        let mut at = stretch.of(self.ats.value(at));
        let queue = asked.queue.map(|(queue, content)| self.queues[queue as usize].value(content));
        let messages = queue.map(|queue| stretch.of(queue)).unwrap_or_default();
        let mut world = World { store: stretch.of(self.stores.value(asked.store)), messages };
        let mut budget = with_late(self.budgets.value(asked.faults), |one| stretch.of(one));
        let asks = at.to_string();
        let (mut resumed, mut other_answer) = (resumed.iter(), None);
        let mut go_on = |by: Option<(Strand, Answer)>| {
            let Some(once) = resumed.next() else { return (At::Ended, Told::default()) };
            let expected = once.by.as_ref().map(|(strand, answer)| (*strand, stretch.of(answer)));
            if by != expected {
                let shown = |by: &Option<(Strand, Answer)>| {
                    by.as_ref().map_or_else(|| "starts".into(), |(_, answer)| answer.to_string())
                };
                let (expected, by) = (shown(&expected), shown(&by));
                other_answer.get_or_insert(format!("`{expected}` is expected, and not `{by}`"));
            }
            (stretch.of(&once.at), stretch.of(&once.told))
        };
        let go_on = std::cell::RefCell::new(&mut go_on);
        let taken = fault::take(
            self.system,
            asked.choice,
            &mut world,
            &mut budget,
            &mut at,
            &mut || (go_on.borrow_mut())(None),
            &mut |strand, answer| (go_on.borrow_mut())(Some((strand, answer))),
        );
        if let Some(what) = other_answer {
            return ControlFlow::Break(format!("after `{asks}` {what}"));
        }
        let stepped = taken.map(|(stepped, _)| stepped);
        let expected = stretch.of(&came_to.world.store);
        if world.store != expected {
            let (expected, other) = first_difference(&expected, &world.store);
            let what = format!("`{asks}` leads to {other}, where {expected} is expected");
            return ControlFlow::Break(what);
        }
        let same = stepped == came_to.stepped.map(|stepped| stretch.of(stepped))
            && world.messages == stretch.of(&came_to.world.messages)
            && budget == with_late(came_to.budget, |one| stretch.of(one))
            && at == stretch.of(came_to.at);
        if same {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(format!("`{asks}` does something else"))
    }

    /// The same for a read of what never changes.
    pub(super) fn check_immutable(
        &self,
        process: usize,
        command: &Command,
        (store, answer): (&State, &Answer),
    ) -> Result<(), CheckError> {
        let alive = Alive::of_store(store, &self.ordinals.counters).and(&Alive::of(command));
        for stretch in alive.stretches() {
            let other = stretch.of(store).execute(stretch.of(command));
            let (expected, other) = (stretch.of(answer), Answer::Store(other));
            if other != expected {
                let what = format!("`{command}` is answered `{other}`, and not `{expected}`");
                return Err(CheckError::counts_in(&self.system.processes[process].name, what));
            }
        }
        Ok(())
    }

    /// Refuses a property that says something else of the end of a run where ordinals are further apart.
    pub(super) fn check_end(
        &self,
        state: &Global,
        stuck: &[Text],
        fallen: &[usize],
        wanted: &dyn Fn(usize) -> bool,
    ) -> Result<(), CheckError> {
        let world = self.world(state);
        let alive = Alive::of_store(&world.store, &self.ordinals.counters)
            .and(&Alive::of(&world.messages))
            .and(&self.judge.alive(state.memory));
        for stretch in alive.stretches() {
            let world =
                World { store: stretch.of(&world.store), messages: stretch.of(&world.messages) };
            let end = End { stuck, world: &Watched::new(&world) };
            let other = self.judge.end_of(state.memory, &end, wanted, &|one| stretch.of(one))?;
            let differs = |property: &&usize| fallen.contains(property) != other.contains(property);
            if let Some(property) = fallen.iter().chain(&other).find(differs) {
                let name = self.system.properties[*property].name();
                let what = "it says something else of the end of a run".into();
                return Err(CheckError::counts_in(name, what));
            }
        }
        Ok(())
    }
}

/// A part of a state.
enum PartOfState {
    Scene,
    Faults,
    Queue(usize),
    Local(usize),
}

/// The fields that a command counts up.
fn counted_by(command: &Command) -> impl Iterator<Item = (Text, Path)> {
    let update = match &command.operation {
        Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. } => {
            update.operators()
        }
        _ => &[],
    };
    let counted = update.iter().filter(|operator| matches!(operator, Operator::Inc(..)));
    counted.map(|operator| (command.collection.clone(), operator.path().clone()))
}

/// What is alive in writes that come late.
fn alive_in(budget: &Budget) -> Alive {
    let late = budget.late.iter();
    late.fold(Alive::default(), |all, (_, _, execution)| all.and(&Alive::of(execution)))
}

/// The same with other late writes.
fn with_late(budget: &Budget, change: impl Fn(&Execution) -> Execution) -> Budget {
    let mut budget = budget.clone();
    budget.late.iter_mut().for_each(|(_, _, execution)| *execution = change(execution));
    budget
}

/// A store with new numbers. Two documents may come to have one key where it is made of ordinals of two
/// scales, or of numbers too.
fn renumbered_store(store: &State, renumbering: &Renumbering) -> Result<State, CheckError> {
    let image = renumbering.of(store);
    if image.sizes().eq(store.sizes()) {
        return Ok(image);
    }
    Err(CheckError::malformed(
        "ordinals of two scales, or ordinals and numbers, are the keys of one unique index: which of \
         them are equal would depend on their numbers",
    ))
}

/// The first document in which two stores differ, as each has it.
fn first_difference(one: &State, other: &State) -> (String, String) {
    let (one, other) = (one.dump(), other.dump());
    let documents = |dump: &Document, collection: &str| {
        let all = dump.get(collection).and_then(Value::as_array).unwrap_or_default();
        all.iter().map(Value::to_string).chain(["no document".into()]).collect::<Vec<_>>()
    };
    for (collection, _) in one.iter().chain(other.iter()) {
        let (ours, theirs) = (documents(&one, collection), documents(&other, collection));
        let differs = |(ours, theirs): &(String, String)| ours != theirs;
        if let Some(found) = ours.into_iter().zip(theirs).find(differs) {
            return found;
        }
    }
    ("other data".into(), "data".into())
}

fn slot(table: &mut Vec<u32>, number: u32) -> &mut u32 {
    let number = number as usize;
    if table.len() <= number {
        table.resize(number + 1, NOT_KNOWN);
    }
    &mut table[number]
}
