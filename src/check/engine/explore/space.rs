//! The state space: what a step leads to, found out once and then looked up.
//!
//! A step of a process depends on where the process stands and on one part of the world, the
//! store or a queue. So for each content of a part there is a row, with an entry for each spot where
//! a process can stand: which content the step leaves, and the edge that is taken. A miss asks
//! [`fault::take`], which every engine shares, and the automata.
//!
//! A spot is a node of an automaton; in a state there is its class. A pass that begins again classes
//! the nodes anew and calls the classes by new numbers, but what is known of spots stays true.

mod ordinals;
mod steps;
mod symmetry;
mod turns;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::automaton::{Automaton, Class, NodeId};
use super::error::CheckError;
use super::intern::Interner;
use super::judge::Judge;
use super::jumps::{Jump, Jumps};
use super::lens::{Label, Seen};
use super::pack::{Counts, Layout, Numbers, Packed};
use super::scales::has_ordinals;
use super::scenes::Scenes;
use super::walk;
use crate::check::Messages;
use crate::check::fault::{self, Budget, Choice, Kind};
use crate::check::mailbox::Told;
use crate::check::monitor::{End, Watched};
use crate::check::request::{Answer, Request};
use crate::check::step::{At, Stepped};
use crate::check::strand::Strand;
use crate::check::system::System;
use crate::check::verdict::Reductions;
use crate::check::world::{Pending, World};
use crate::store::Text;
use crate::store::memory::State;
use ordinals::{Ordinals, Outcome, Resumed};
use steps::{BLOCKED, Row, Steps, target};
use symmetry::{Learnt, Symmetry};
pub(super) use turns::Notes;
use turns::Woken;

/// The number of something that is not known yet.
const NOT_KNOWN: u32 = u32::MAX;
/// About so many edges of a process are learnt once more, at least.
const ASKED: usize = 512;

const _: () = assert!(Choice::OF_PROCESS <= u128::BITS as usize);

/// Where a process can stand, as far as states tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Local {
    class: Class,
    at: u32,
}

/// Where a process can stand, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Spot {
    process: u32,
    node: NodeId,
    /// How far what it asked for has come.
    at: u32,
}

/// Which part of the world decides what a step does, and is changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// None: the process does not go on.
    Over,
    /// None: time passes.
    Neither,
    Store,
    /// The queue of this number.
    Queue(u32),
    /// The store wakes a process that then asks this queue for something.
    Both(u32),
    /// The process has guards beside what it does: each strand has a place of its own.
    Beside,
    /// It is not known: nodes of its class turned out to differ, and which of them it was is not
    /// kept.
    Unclear,
}

/// Where to look up what the step from one place leads to.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: Part,
    /// The column in the table of that part; where the strands have places, the number of these.
    column: u32,
}

impl Place {
    const OVER: Place = Place { part: Part::Over, column: 0 };
}

/// An edge of an automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Edge {
    spot: u32,
    /// What the properties see of it; 0 where there are none.
    label: u32,
}

/// All that decides what a choice leads to.
#[derive(Clone, Copy, Debug)]
struct Asked {
    choice: Choice,
    spot: u32,
    store: u32,
    /// Which queue has which content, if the choice has to do with one.
    queue: Option<(u32, u32)>,
    faults: u32,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug)]
struct Moved {
    store: u32,
    /// Which queue has which content then, if the step had to do with one.
    queue: Option<(u32, u32)>,
    faults: u32,
    edge: u32,
}

/// A global state, by its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Global {
    pub(super) locals: Vec<u32>,
    pub(super) store: u32,
    pub(super) queues: Vec<u32>,
    /// What the properties remember.
    pub(super) memory: u32,
    pub(super) faults: u32,
}

/// Room for successors: so many are there.
struct Room<'a, const N: usize> {
    to: &'a mut [Packed<N>],
    count: usize,
}

impl<const N: usize> Room<'_, N> {
    fn put(&mut self, next: Packed<N>) {
        self.to[self.count] = next;
        self.count += 1;
    }
}

/// What comes of looking a step up.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The process cannot go on.
    Blocked,
    /// It is not clear where it stands.
    Unclear,
    /// There is this store then, by this edge.
    By(u32, u32),
}

/// A transition: the number of the choice, and the state after it.
pub(super) type Successor<const N: usize> = (u32, Packed<N>);

/// The state space of a system.
pub(super) struct Space<'s> {
    pub(super) system: &'s System,
    pub(super) automata: Vec<Automaton>,
    locals: Vec<Interner<Local>>,
    ats: Interner<At>,
    /// For each process, for each place where it can stand: the spot that stands for it, and where
    /// its steps are looked up.
    firsts: Vec<Vec<u32>>,
    places: Vec<Vec<Place>>,
    spots: Interner<Spot>,
    /// By spot: where its steps are looked up, if that was asked, and its place in this pass.
    spot_places: Vec<Option<Place>>,
    spot_locals: Vec<u32>,
    /// Where a process has several strands: where the steps of each are looked up.
    besides: Vec<Box<[(Strand, Place)]>>,
    /// How many strands each process was seen to have, counted up to the highest.
    strands: Vec<usize>,
    /// Whether there were fewer when it was listed what may go wrong.
    new_strand: bool,
    /// The steps that depend on nothing, on the store, and on each queue.
    free_steps: Steps,
    store_steps: Steps,
    queue_steps: Vec<Steps>,
    stores: Interner<State>,
    /// The queues by name: each is a component of its own.
    queue_names: Interner<Text>,
    queues: Vec<Interner<Messages>>,
    /// Whether a queue turned up that has no component yet.
    new_queue: bool,
    /// Whether nodes of one class turned out to differ, and whether they did since it was seen to what that
    /// means under other names.
    has_split: bool,
    new_split: bool,
    labels: Interner<Label>,
    edges: Interner<Edge>,
    edge_list: Vec<Edge>,
    /// By edge: the place that it leads to, in this pass.
    edge_locals: Vec<u32>,
    /// By spot with its strand, store and queue: where a step leads that depends on both.
    both: FxHashMap<(u32, u32, u32), Option<Moved>>,
    /// Where properties are in play: what happens to a store and to what they remember.
    scenes: Scenes,
    /// The same by scene.
    woken: FxHashMap<(u32, u32, u32), Option<Woken>>,
    /// By choice, spot and budget: the number of a fault.
    fault_numbers: FxHashMap<(u32, u32, u32), u32>,
    /// By spot: what can happen there in some store, a bit for each choice of its process.
    spot_faults: Vec<u128>,
    /// By process: the spot where it starts.
    starts: Vec<u32>,
    budgets: Interner<Budget>,
    /// For each budget: which faults there may still be, whichever process they happen to.
    faults: Vec<Vec<Choice>>,
    /// By choice, spot, store (if it matters) and budget: where a fault leads.
    faulty: FxHashMap<(u32, u32, u32, u32), Option<Moved>>,
    /// By process, queue and its content: the content once what the process held is delivered
    /// again.
    redelivered: Vec<Vec<Vec<u32>>>,
    reductions: Reductions,
    symmetry: Symmetry,
    ordinals: Ordinals,
    pub(super) judge: Judge<'s>,
    /// What properties are shown that do not look at the queues, and choices that have to do with none.
    no_messages: Messages,
}

impl<'s> Space<'s> {
    pub(super) fn new(system: &'s System) -> Result<Space<'s>, CheckError> {
        let automata = Automaton::all(system)?;
        Ok(Space {
            system,
            automata,
            locals: Vec::new(),
            ats: Interner::new(),
            firsts: Vec::new(),
            places: Vec::new(),
            spots: Interner::new(),
            spot_places: Vec::new(),
            spot_locals: Vec::new(),
            besides: Vec::new(),
            strands: vec![1; system.processes.len()],
            new_strand: false,
            free_steps: Steps::default(),
            store_steps: Steps::default(),
            queue_steps: Vec::new(),
            stores: Interner::new(),
            queue_names: Interner::new(),
            queues: Vec::new(),
            new_queue: false,
            has_split: false,
            new_split: false,
            labels: Interner::new(),
            edges: Interner::new(),
            edge_list: Vec::new(),
            edge_locals: Vec::new(),
            both: FxHashMap::default(),
            scenes: Scenes::default(),
            woken: FxHashMap::default(),
            fault_numbers: FxHashMap::default(),
            spot_faults: Vec::new(),
            starts: Vec::new(),
            budgets: Interner::new(),
            faults: Vec::new(),
            faulty: FxHashMap::default(),
            redelivered: Vec::new(),
            reductions: Reductions::default(),
            symmetry: Symmetry::default(),
            ordinals: Ordinals::new(system),
            judge: Judge::new(system),
            no_messages: Messages::default(),
        })
    }

    /// Of the reductions in use the one without which the states may have no end, and which leaves every
    /// run its length: for what does without the others.
    pub(super) fn exact(&self) -> Reductions {
        Reductions { ordinals: self.wants_ordinals(), ..Reductions::default() }
    }

    /// Begins again with these properties: what was found out stays, and what places are called
    /// does not.
    pub(super) fn reset(&mut self, in_play: &[usize], reductions: Reductions) {
        if self.reductions.immutable_reads != reductions.immutable_reads {
            self.forget_found();
        }
        self.reductions = reductions;
        let unchecked = self.begin_ordinals(reductions.ordinals);
        let anew = self.begin_symmetry(in_play, reductions.symmetry) || unchecked;
        let counters = self.ordinals.counters();
        let heeds_told = !in_play.is_empty();
        let renumbers = self.ordinals.are_at_work();
        for automaton in &mut self.automata {
            automaton.forget_classes(heeds_told, renumbers);
        }
        (self.has_split, self.new_split) = (false, false);
        self.locals = self.automata.iter().map(|_| Interner::new()).collect();
        self.firsts = self.automata.iter().map(|_| Vec::new()).collect();
        self.places = self.automata.iter().map(|_| Vec::new()).collect();
        self.spot_locals.fill(NOT_KNOWN);
        self.edge_locals.fill(NOT_KNOWN);
        self.join_queues();
        self.list_faults();
        self.judge.go_by_order(counters);
        if self.judge.reset(in_play, anew) {
            self.scenes = Scenes::default();
            self.woken.clear();
            self.symmetry.forget_memories();
        }
        self.judge.mark_falls(self.symmetry.work().is_some());
    }

    /// Gives each queue that has turned up its component.
    fn join_queues(&mut self) {
        let queues = self.queue_names.len();
        self.queue_steps.resize_with(queues, Steps::default);
        self.queues.resize_with(queues, Interner::new);
        self.redelivered.resize_with(self.automata.len(), Vec::new);
        self.redelivered.iter_mut().for_each(|rows| rows.resize_with(queues, Vec::new));
        self.new_queue = false;
    }

    /// Forgets where choices lead.
    fn forget_found(&mut self) {
        self.spots = Interner::new();
        self.spot_places.clear();
        self.besides.clear();
        self.spot_locals.clear();
        self.free_steps = Steps::default();
        self.store_steps = Steps::default();
        self.queue_steps.fill_with(Steps::default);
        self.redelivered.clear();
        self.edges = Interner::new();
        self.edge_list.clear();
        self.edge_locals.clear();
        self.both.clear();
        self.faulty.clear();
        self.fault_numbers.clear();
        self.spot_faults.clear();
        self.scenes = Scenes::default();
        self.woken.clear();
    }

    /// Forgets what was learnt, some of which was asked under names that are not interchangeable:
    /// so the states are those that there are without.
    fn learn_afresh(&mut self) -> Result<(), CheckError> {
        self.automata = Automaton::all(self.system)?;
        self.forget_found();
        self.walk(self.reductions.ordinals)
    }

    /// Walks at random, before anything else is asked. Where ordinals are numbered anew, what was learnt on the
    /// way is forgotten, as no state will have such numbers.
    pub(super) fn walk(&mut self, ordinals: bool) -> Result<(), CheckError> {
        walk::walk(self.system, &mut self.automata)?;
        if ordinals && self.note_ordinals() {
            self.automata = Automaton::all(self.system)?;
        }
        Ok(())
    }

    /// Whether what was found is to be forgotten, and there is more to be found out by going on:
    /// nodes of one class turned out to differ.
    pub(super) fn has_split(&self) -> bool {
        self.has_split
    }

    /// Whether going on is of no use: a property looked at what it had not looked at before, a queue
    /// or a strand turned up, or what looked like a symmetry is none.
    pub(super) fn is_askew(&self) -> bool {
        self.new_queue
            || self.new_strand
            || self.judge.regroups()
            || self.symmetry.is_refuted()
            || self.has_askew_ordinals()
    }

    /// Whether what was found is to be forgotten.
    pub(super) fn is_stale(&self) -> bool {
        self.has_split() || self.is_askew()
    }

    /// The state before the first step.
    pub(super) fn initial(&mut self) -> Result<Global, CheckError> {
        let World { store, messages } = self.system.initial_world();
        for queue in messages.queues() {
            self.queue_named(queue);
        }
        let queues = (0..self.queues.len() as u32)
            .map(|queue| {
                let content = messages.of_queue(self.queue_names.value(queue));
                self.queues[queue as usize].number(content)
            })
            .collect();
        let store = self.stores.number(store);
        let faults = self.budget(Budget::new(self.system));
        let mut global =
            Global { locals: Vec::new(), store, queues, memory: self.judge.start(), faults };
        self.starts.clear();
        let events = self.system.history.clone();
        self.tell_at_start((None, Stepped { events, ..Stepped::default() }), &mut global)?;
        for process in 0..self.automata.len() {
            let automaton = &self.automata[process];
            let node = automaton.start();
            let at = automaton.at(node);
            let mut started = Stepped { failure: at.failure().cloned(), ..Stepped::default() };
            started.tell(automaton.told_at_start());
            let label = (Some(process as u32), started);
            let class = self.automata[process].class(node)?;
            let at = self.at_number(at);
            let start = self.spot(Spot { process: process as u32, node, at });
            self.starts.push(start);
            global.locals.push(self.local(process, Local { class, at })?);
            self.tell_at_start(label, &mut global)?;
        }
        self.scene(global.store, global.memory);
        if self.ordinals.are_at_work() {
            global = self.renumber(None, global)?;
        }
        self.close_first(&global)?;
        Ok(global)
    }

    fn tell_at_start(&mut self, label: Label, global: &mut Global) -> Result<(), CheckError> {
        let number = self.label(label);
        global.memory = self.ask_judge(number, global.memory, global.store, &global.queues)?;
        Ok(())
    }

    /// The number of a scene: where no property is in play, that of the store.
    fn scene(&mut self, store: u32, memory: u32) -> u32 {
        if self.judge.is_idle() { store } else { self.scenes.number(store, memory) }
    }

    /// The store of a scene, and what is remembered there.
    fn parts(&self, scene: u32) -> (u32, u32) {
        if self.judge.is_idle() { (scene, 0) } else { self.scenes.parts(scene) }
    }

    /// What the properties remember in a scene.
    pub(super) fn memory(&self, scene: u32) -> u32 {
        self.parts(scene).1
    }

    fn scene_count(&self) -> usize {
        if self.judge.is_idle() { self.stores.len() } else { self.scenes.len() }
    }

    pub(super) fn pack<const N: usize>(&mut self, layout: &Layout, global: &Global) -> Packed<N> {
        let Global { locals, store, queues, memory, faults } = global.clone();
        layout.pack(&Numbers { locals, scene: self.scene(store, memory), queues, faults })
    }

    pub(super) fn unpack<const N: usize>(&self, layout: &Layout, key: &Packed<N>) -> Global {
        let Numbers { locals, scene, queues, faults } = layout.unpack(key);
        let (store, memory) = self.parts(scene);
        Global { locals, store, queues, memory, faults }
    }

    /// How many numbers each component has.
    pub(super) fn counts(&self) -> Counts {
        let or_none = |count: usize| if count == 1 { 0 } else { count };
        Counts {
            locals: self.locals.iter().map(Interner::len).collect(),
            scene: self.scene_count(),
            queues: self.queues.iter().map(|queue| or_none(queue.len())).collect(),
            faults: or_none(self.budgets.len()),
        }
    }

    /// How many successors a state can have at most.
    pub(super) fn branching(&self) -> usize {
        self.strands.iter().sum::<usize>() + self.faults.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Asks for the memory of what the successors of a state are looked up in ahead of time.
    #[inline]
    pub(super) fn prefetch<const N: usize>(&self, layout: &Layout, key: &Packed<N>) {
        if self.has_turns() {
            self.prefetch_turns(layout, key);
        }
    }

    /// The same for where that is, before.
    #[inline]
    pub(super) fn prefetch_row<const N: usize>(&self, layout: &Layout, key: &Packed<N>) {
        if self.has_turns() {
            self.scenes.prefetch_row(layout.scene.get(key));
        }
    }

    /// Calls `visit` with each successor of a state; `None` where one is not known yet.
    /// Else whether a process could go on.
    #[inline]
    pub(super) fn successors<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        notes: &mut Notes,
        visit: impl FnMut(Successor<N>),
    ) -> Option<bool> {
        if self.has_turns() {
            return self.turns(layout, key, notes, visit);
        }
        match self.store_steps.row(self.parts(layout.scene.get(key)).0) {
            Row::Full(row) => {
                self.successors_by(layout, key, |column| Row::Full(row).entry(column), visit)
            }
            Row::Sparse(row) => {
                self.successors_by(layout, key, |column| Row::Sparse(row).entry(column), visit)
            }
        }
    }

    /// The same by jumps, where the space is plain: puts the successors into `to`, in which there has to be
    /// room, and says how many there are. `None` also where a jump was not put together yet.
    #[inline(always)]
    pub(super) fn successors_by_jumps<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        jumps: &Jumps<N>,
        to: &mut [Packed<N>],
    ) -> Option<(bool, usize)> {
        let row = jumps.row(layout.scene.get(key));
        let (mut goes_on, mut count) = (false, 0);
        for (process, (field, places)) in layout.locals.iter().zip(&self.places).enumerate() {
            let local = field.get(key);
            let Place { part, column } = places[local as usize];
            if part == Part::Store {
                match Jumps::jump(row, column, key) {
                    Jump::To(next) => {
                        (goes_on, to[count]) = (true, next);
                        count += 1;
                    }
                    Jump::Blocked => {}
                    Jump::Unknown => return None,
                }
            } else if part != Part::Over {
                let mut room = Room { to, count };
                let visit = &mut |(_, next)| room.put(next);
                goes_on |= self.other_successors(layout, key, (process, local), visit)?;
                count = room.count;
            }
        }
        if !self.faults.is_empty() {
            let mut room = Room { to, count };
            goes_on |= self.faulty_successors(layout, key, &mut |(_, next)| room.put(next))?;
            count = room.count;
        }
        Some((goes_on, count))
    }

    /// Puts the jumps of a state together, as far as it is known where the steps lead; `false`: jumps are
    /// not worth their memory.
    pub(super) fn put_jumps<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        jumps: &mut Jumps<N>,
    ) -> bool {
        let store = layout.scene.get(key);
        for (field, places) in layout.locals.iter().zip(&self.places) {
            let Place { part, column } = places[field.get(key) as usize];
            if part != Part::Store {
                continue;
            }
            let next = match self.store_steps.find(store, column) {
                None => continue,
                Some(BLOCKED) => None,
                Some(entry) => {
                    let Some(local) = self.edge_local(entry as u32) else { continue };
                    let mut next = *key;
                    field.put(&mut next, local);
                    layout.scene.put(&mut next, target(entry));
                    Some(next)
                }
            };
            if !jumps.put((store, column), key, next.as_ref()) {
                return false;
            }
        }
        true
    }

    /// [`Space::successors`] with what looks up a step that depends on the store.
    #[inline(always)]
    fn successors_by<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        store_step: impl Fn(u32) -> Option<u64>,
        mut visit: impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let store = self.parts(layout.scene.get(key)).0;
        let plain = self.is_plain();
        let mut goes_on = false;
        for (process, (field, places)) in layout.locals.iter().zip(&self.places).enumerate() {
            let local = field.get(key);
            let place = places[local as usize];
            let mut next = *key;
            match place.part {
                Part::Store => {}
                Part::Over => continue,
                _ => {
                    goes_on |= self.other_successors(layout, key, (process, local), &mut visit)?;
                    continue;
                }
            }
            let entry = store_step(place.column)?;
            if entry == BLOCKED {
                continue;
            }
            goes_on = true;
            let edge = entry as u32;
            field.change(&mut next, local, self.edge_local(edge)?);
            if plain {
                layout.scene.change(&mut next, store, target(entry));
            } else {
                next = self.finish(layout, key, next, (target(entry), edge))?;
            }
            visit((Choice::step(process).number(), next));
        }
        if !self.faults.is_empty() {
            goes_on |= self.faulty_successors(layout, key, &mut visit)?;
        }
        Some(goes_on)
    }

    /// The same for the steps of a process that the store alone does not decide, or that has guards
    /// beside what it does; whether one of its strands could go on.
    #[inline(never)]
    fn other_successors<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        (process, local): (usize, u32),
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let (place, mut goes_on) = (self.places[process][local as usize], false);
        let alone = [(Strand::MAIN, place)];
        let strands = if place.part == Part::Beside { self.places_beside(place) } else { &alone };
        for (strand, place) in strands {
            let (choice, mut next) = (Choice::step_of(process, *strand), *key);
            let (to, edge) = match self.step(layout, &mut next, (choice, local), *place)? {
                Next::Blocked => continue,
                Next::Unclear => {
                    goes_on = true;
                    continue;
                }
                Next::By(store, edge) => (store, edge),
            };
            goes_on = true;
            visit((choice.number(), self.arrive(layout, key, next, choice, (to, edge))?));
        }
        Some(goes_on)
    }

    /// The state to which a process comes by an edge, with this store; what else it changes of the
    /// state was changed.
    fn arrive<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        mut next: Packed<N>,
        choice: Choice,
        (store, edge): (u32, u32),
    ) -> Option<Packed<N>> {
        if !choice.kind.moves_nobody() {
            layout.locals[choice.process].put(&mut next, self.edge_local(edge)?);
        }
        if self.is_plain() {
            layout.scene.put(&mut next, store);
            return Some(next);
        }
        self.finish(layout, key, next, (store, edge))
    }

    /// Where the strands of a process stand that has several.
    fn places_beside(&self, place: Place) -> &[(Strand, Place)] {
        match place {
            Place { part: Part::Beside, column } => &self.besides[column as usize],
            _ => &[],
        }
    }

    /// Where the strand stands that takes a step, by where its process does.
    #[inline]
    fn place_of(&self, choice: Choice, place: Place) -> Place {
        let is_whole = choice.strand == Strand::MAIN && place.part != Part::Beside;
        if is_whole { place } else { self.place_of_strand(choice.strand, place) }
    }

    #[inline(never)]
    fn place_of_strand(&self, strand: Strand, place: Place) -> Place {
        match self.places_beside(place).iter().find(|(known, _)| *known == strand) {
            Some((_, place)) => *place,
            None if place.part == Part::Unclear => place,
            None => Place::OVER,
        }
    }

    /// The parts that decide the next steps of the strands of a process.
    fn parts_of(&self, process: usize, local: u32) -> impl Iterator<Item = Part> {
        let whole = self.places[process][local as usize];
        let beside = self.places_beside(whole).iter().map(|(_, place)| place.part);
        std::iter::once(whole.part).chain(beside)
    }

    /// Looks up the step of a strand, and changes the queue that it has to do with.
    #[inline(never)]
    fn step<const N: usize>(
        &self,
        layout: &Layout,
        key: &mut Packed<N>,
        (choice, local): (Choice, u32),
        Place { part, column }: Place,
    ) -> Option<Next> {
        let store = self.parts(layout.scene.get(key)).0;
        match part {
            Part::Over | Part::Beside => Some(Next::Blocked),
            Part::Unclear => Some(Next::Unclear),
            Part::Neither => Some(Next::By(store, self.free_steps.find(0, column)? as u32)),
            Part::Store => Some(match self.store_steps.find(store, column)? {
                BLOCKED => Next::Blocked,
                entry => Next::By(target(entry), entry as u32),
            }),
            Part::Queue(number) => {
                let queue = layout.queues[number as usize];
                Some(match self.queue_steps[number as usize].find(queue.get(key), column)? {
                    BLOCKED => Next::Blocked,
                    entry => {
                        queue.put(key, target(entry));
                        Next::By(store, entry as u32)
                    }
                })
            }
            Part::Both(number) => {
                let queue = layout.queues[number as usize].get(key);
                let spot = self.firsts[choice.process][local as usize];
                let moved = self.both.get(&(strand_of(choice, spot), store, queue))?;
                Some(moved.map_or(Next::Blocked, |moved| {
                    moved.put(layout, key);
                    Next::By(moved.store, moved.edge)
                }))
            }
        }
    }

    /// The same for what no process does; whether something is still to come that nobody can keep
    /// from coming.
    #[inline(never)]
    fn faulty_successors<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let mut lands = false;
        let (store, faults) = (self.parts(layout.scene.get(key)).0, layout.faults.get(key));
        for choice in &self.faults[faults as usize] {
            let local = layout.locals[choice.process].get(key);
            if self.is_unclear(choice.process, local) {
                continue;
            }
            let spot = self.spot_hit(*choice, local);
            if !self.can_be(*choice, spot) {
                continue;
            }
            let known = fault_key(*choice, spot, store, faults);
            let Some(moved) = self.faulty.get(&known)? else { continue };
            let mut next = *key;
            if choice.kind.redelivers() {
                self.redelivered(layout, key, &mut next, choice.process)?;
            }
            if choice.kind == Kind::Redelivered && next == *key {
                continue;
            }
            let store = if reads_store(choice.kind) { moved.store } else { store };
            layout.faults.put(&mut next, moved.faults);
            lands |= comes_by_itself(choice.kind);
            let to = (store, moved.edge);
            visit((choice.number(), self.arrive(layout, key, next, *choice, to)?));
        }
        Some(lands)
    }

    /// Where an edge leads, if that has its number in this pass.
    #[inline]
    fn edge_local(&self, edge: u32) -> Option<u32> {
        let local = self.edge_locals[edge as usize];
        (local != NOT_KNOWN).then_some(local)
    }

    /// Whether no property remembers anything, and states keep their names and numbers.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.judge.is_idle() && self.symmetry.work().is_none() && !self.ordinals.are_at_work()
    }

    /// What else a step changes: what the properties remember, and the names.
    #[inline(never)]
    fn finish<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        mut next: Packed<N>,
        (store, edge): (u32, u32),
    ) -> Option<Packed<N>> {
        let scene = if self.judge.is_idle() {
            store
        } else {
            let label = self.edge_list[edge as usize].label;
            let queues = layout.queues.iter().map(|queue| queue.get(&next));
            let before = self.memory(layout.scene.get(key));
            let memory = self.judge.next(label, before, store, queues)?;
            self.scenes.known(store, memory)?
        };
        layout.scene.put(&mut next, scene);
        self.canonical(layout, next)
    }

    /// The state that is visited for this one.
    #[inline]
    fn canonical<const N: usize>(&self, layout: &Layout, state: Packed<N>) -> Option<Packed<N>> {
        match (self.symmetry.work(), self.ordinals.are_at_work()) {
            (None, false) => Some(state),
            (Some(action), false) => action.canonical(layout, state),
            (None, true) => self.renumbered(layout, state),
            (Some(action), true) => action.canonical(layout, self.renumbered(layout, state)?),
        }
    }

    /// Delivers again what a process holds of the queues.
    fn redelivered<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        next: &mut Packed<N>,
        process: usize,
    ) -> Option<()> {
        for (queue, again) in layout.queues.iter().zip(&self.redelivered[process]) {
            let content = *again.get(queue.get(key) as usize)?;
            queue.put(next, (content != NOT_KNOWN).then_some(content)?);
        }
        Some(())
    }

    /// What may happen in a state: the steps of the processes, and what may go wrong.
    fn choices<const N: usize>(&self, layout: &Layout, key: &Packed<N>) -> Vec<Choice> {
        let faults = self.faults.get(layout.faults.get(key) as usize).map_or(&[][..], |all| all);
        if self.besides.is_empty() {
            let steps = (0..self.automata.len()).map(Choice::step);
            return steps.chain(faults.iter().copied()).collect();
        }
        let mut choices = Vec::with_capacity(self.strands.len() + faults.len());
        for (process, (field, places)) in layout.locals.iter().zip(&self.places).enumerate() {
            match places[field.get(key) as usize] {
                Place { part: Part::Beside, column } => {
                    let strands = self.besides[column as usize].iter();
                    choices.extend(strands.map(|(strand, _)| Choice::step_of(process, *strand)));
                }
                _ => choices.push(Choice::step(process)),
            }
        }
        choices.extend_from_slice(faults);
        choices
    }

    /// The choices in a state of which it is not known what they lead to, as far as that is kept by
    /// scene; else all of them. What can be put together from what is known is noted, and not among them.
    pub(super) fn open_choices<const N: usize>(
        &mut self,
        layout: &Layout,
        key: &Packed<N>,
    ) -> Vec<Choice> {
        let mut choices = self.choices(layout, key);
        if self.has_turns() && !self.ordinals.are_at_work() {
            let mut notes = Notes::default();
            choices.retain(|choice| !self.knows_turn(layout, key, *choice, &mut notes));
            self.note_all(notes);
        }
        choices
    }

    /// Finds out which nodes the open choices in a state lead to, and does not yet say which of them are
    /// one: of many states that is said together.
    pub(super) fn discover<const N: usize>(
        &mut self,
        layout: &Layout,
        key: &Packed<N>,
    ) -> Result<(), CheckError> {
        let choices = self.open_choices(layout, key);
        if choices.is_empty() {
            return Ok(());
        }
        let global = self.unpack(layout, key);
        choices.into_iter().try_for_each(|choice| self.discover_one(choice, &global))
    }

    fn discover_one(&mut self, choice: Choice, global: &Global) -> Result<(), CheckError> {
        let local = global.locals[choice.process];
        if self.is_unclear(choice.process, local) || !self.may_be(choice, global) {
            return Ok(());
        }
        self.moved(self.asked(choice, global)).map(drop)
    }

    /// Whether a choice can be in any store; its fault has a number then to be looked up by.
    fn may_be(&mut self, choice: Choice, global: &Global) -> bool {
        if choice.kind == Kind::Step {
            return true;
        }
        let spot = self.spot_hit(choice, global.locals[choice.process]);
        let can_be = self.can_be(choice, spot);
        if can_be && self.has_turns() {
            self.number_fault(choice, spot, global.faults);
        }
        can_be
    }

    /// Finds out what [`Space::successors`] did not know of a state.
    pub(super) fn learn<const N: usize>(
        &mut self,
        layout: &Layout,
        key: &Packed<N>,
    ) -> Result<(), CheckError> {
        let choices = self.open_choices(layout, key);
        if !choices.is_empty() {
            let global = self.unpack(layout, key);
            choices.into_iter().try_for_each(|choice| self.learn_one(choice, &global))?;
        }
        // A step that was known by then may have come of an answer that was not.
        (0..self.automata.len()).try_for_each(|process| self.settle(process))?;
        self.close()
    }

    /// The same for one choice.
    pub(super) fn learn_one(&mut self, choice: Choice, global: &Global) -> Result<(), CheckError> {
        let local = global.locals[choice.process];
        if self.is_unclear(choice.process, local) {
            return Ok(());
        }
        if !self.may_be(choice, global) {
            return Ok(());
        }
        let moved = self.moved(self.asked(choice, global))?;
        self.settle(choice.process)?;
        if let Some(Moved { edge, .. }) = moved {
            self.edge_locals[edge as usize] = self.local_at(self.edge_list[edge as usize].spot)?;
        }
        if self.is_unclear(choice.process, local) {
            return Ok(());
        }
        let mut queues = Cow::from(&global.queues);
        if let Some((queue, content)) = moved.and_then(|moved| moved.queue) {
            queues.to_mut()[queue as usize] = content;
        }
        if choice.kind.redelivers() && moved.is_some() {
            for (queue, content) in queues.to_mut().iter_mut().enumerate() {
                *content = self.redeliver(choice.process, queue, *content);
            }
        }
        if choice.kind == Kind::Redelivered && *queues == global.queues {
            return Ok(());
        }
        let to = match moved {
            None => None,
            Some(Moved { store, faults, edge, .. }) => {
                let Edge { spot, label } = self.edge_list[edge as usize];
                let memory = self.ask_judge(label, global.memory, store, &queues)?;
                Some((spot, self.scene(store, memory), faults))
            }
        };
        if self.has_turns() {
            self.note_turn(choice, global, moved, to);
        }
        if let Some((spot, scene, faults)) = to.filter(|_| self.ordinals.are_at_work()) {
            let (store, memory) = self.parts(scene);
            let (mut locals, queues) = (global.locals.clone(), queues.into_owned());
            if !choice.kind.moves_nobody() {
                locals[choice.process] = self.local_at(spot)?;
            }
            self.renumber(Some(global), Global { locals, store, queues, memory, faults })?;
        }
        Ok(())
    }

    /// The content of a queue once what a process held is delivered again.
    fn redeliver(&mut self, process: usize, queue: usize, content: u32) -> u32 {
        let known = self.redelivered[process][queue].get(content as usize);
        if let Some(known) = known.copied().filter(|known| *known != NOT_KNOWN) {
            return known;
        }
        let mut messages = self.queues[queue].value(content).clone();
        messages.redeliver(&self.system.processes[process].name);
        let again = self.queues[queue].number(messages);
        let row = &mut self.redelivered[process][queue];
        if row.len() <= content as usize {
            row.resize(content as usize + 1, NOT_KNOWN);
        }
        row[content as usize] = again;
        let queue = queue as u32;
        self.symmetry.note(|| Learnt::Redelivered { process, queue, content });
        again
    }

    /// Learns every edge of every process once more, and compares; says why it stopped before, if so.
    ///
    /// A process of few edges is asked many times: chance may give the same answer now and then.
    pub(super) fn check_again(
        &mut self,
        stop: &dyn Fn() -> Option<Text>,
    ) -> Result<Option<Text>, CheckError> {
        for automaton in &mut self.automata {
            for _ in 0..(ASKED / automaton.edges_known().max(1)).max(1) {
                if let Some(why) = stop() {
                    return Ok(Some(why));
                }
                automaton.check_again()?;
            }
            if self.ordinals.are_at_work() {
                automaton.check_order()?;
            }
        }
        Ok(None)
    }

    fn ask_judge(
        &mut self,
        label: u32,
        memory: u32,
        store: u32,
        queues: &[u32],
    ) -> Result<u32, CheckError> {
        if self.judge.is_idle() {
            return Ok(memory);
        }
        let mut shown = None;
        if self.judge.looks_at_queues() {
            // To put the queues together takes longer than to see whether that is needed.
            let known = self.judge.next(label, memory, store, queues.iter().copied());
            if let Some(known) = known {
                return Ok(known);
            }
            shown = Some(self.messages(queues));
        }
        let messages = shown.as_ref().unwrap_or(&self.no_messages);
        let seen = Seen { store: (store, self.stores.value(store)), queues: (queues, messages) };
        let (next, is_new) = self.judge.learn((label, self.labels.value(label)), memory, seen)?;
        if is_new {
            self.symmetry.note(|| Learnt::Judged { label, memory, store, queues: queues.into() });
        }
        Ok(next)
    }

    /// What decides what a choice leads to.
    fn asked(&self, choice: Choice, global: &Global) -> Asked {
        let Global { store, faults, .. } = *global;
        let place = self.places[choice.process][global.locals[choice.process] as usize];
        let queue = match place.part {
            _ if choice.kind != Kind::Step => None,
            Part::Store => None,
            _ => match self.place_of(choice, place).part {
                Part::Queue(queue) | Part::Both(queue) => {
                    Some((queue, global.queues[queue as usize]))
                }
                _ => None,
            },
        };
        let spot = self.spot_hit(choice, global.locals[choice.process]);
        Asked { choice, spot, store, queue, faults }
    }

    /// The spot at which a choice is asked for: where its process stands, if that matters.
    #[inline]
    fn spot_hit(&self, choice: Choice, local: u32) -> u32 {
        match choice.kind.moves_nobody() {
            true => self.starts[choice.process],
            false => self.firsts[choice.process][local as usize],
        }
    }

    /// Whether a fault can be at a spot, in some store.
    #[inline]
    fn can_be(&self, choice: Choice, spot: u32) -> bool {
        self.spot_faults[spot as usize] >> choice.number_of_process() & 1 == 1
    }

    /// What can happen to a process that stands there: a bit for each of its choices.
    fn faults_at(&self, Spot { process, at, .. }: Spot) -> u128 {
        let of_process = (0..Choice::OF_PROCESS as u32)
            .map(|number| Choice::of_number(process * Choice::OF_PROCESS as u32 + number));
        let at = self.ats.value(at);
        let can_be = |choice: &Choice| fault::can_be(self.system, *choice, at);
        of_process.filter(can_be).fold(0, |all, choice| all | 1 << choice.number_of_process())
    }

    /// What a choice leads to, found out if need be; `None` where it cannot be. What a crash does to
    /// the queues comes on top.
    fn moved(&mut self, asked: Asked) -> Result<Option<Moved>, CheckError> {
        self.place(asked.spot)?;
        if let Some(known) = self.known(&asked) {
            return Ok(known);
        }
        let moved = self.try_out(asked)?;
        self.keep(&asked, moved);
        self.symmetry.note(|| Learnt::Moved(asked));
        Ok(moved)
    }

    /// The same, if it is known.
    fn known(&self, asked: &Asked) -> Option<Option<Moved>> {
        let Asked { choice, spot, store, queue, faults } = *asked;
        if choice.kind != Kind::Step {
            let moved = *self.faulty.get(&fault_key(choice, spot, store, faults))?;
            let here =
                |moved| if reads_store(choice.kind) { moved } else { Moved { store, ..moved } };
            return Some(moved.map(here));
        }
        let Place { part, column } = self.place_of(choice, self.spot_places[spot as usize]?);
        let entry = match part {
            Part::Over | Part::Unclear | Part::Beside => return Some(None),
            Part::Both(_) => {
                let moved = self.both.get(&(strand_of(choice, spot), store, queue?.1))?;
                return Some(moved.map(|moved| Moved { faults, ..moved }));
            }
            Part::Neither => self.free_steps.find(0, column)?,
            Part::Store => self.store_steps.find(store, column)?,
            Part::Queue(queue_of) => {
                self.queue_steps.get(queue_of as usize)?.find(queue?.1, column)?
            }
        };
        let moved = Moved { store, queue: None, faults, edge: entry as u32 };
        Some((entry != BLOCKED).then_some(match part {
            Part::Store => Moved { store: target(entry), ..moved },
            Part::Queue(queue) => Moved { queue: Some((queue, target(entry))), ..moved },
            _ => moved,
        }))
    }

    /// Notes what a choice leads to.
    fn keep(&mut self, asked: &Asked, moved: Option<Moved>) {
        let Asked { choice, spot, store, queue, faults } = *asked;
        if choice.kind != Kind::Step {
            self.faulty.insert(fault_key(choice, spot, store, faults), moved);
            return;
        }
        let Some(place) = self.spot_places[spot as usize] else { return };
        let Place { part, column } = self.place_of(choice, place);
        let content = queue.map_or(store, |(_, content)| content);
        let entry = moved.map_or(BLOCKED, |moved| {
            let to = moved.queue.map_or(moved.store, |(_, content)| content);
            u64::from(to) << 32 | u64::from(moved.edge)
        });
        match part {
            Part::Over | Part::Unclear | Part::Beside => {}
            Part::Both(_) => {
                self.both.insert((strand_of(choice, spot), store, content), moved);
            }
            Part::Neither => self.free_steps.put(0, column, entry),
            Part::Store => self.store_steps.put(store, column, entry),
            Part::Queue(queue) => self.queue_steps[queue as usize].put(content, column, entry),
        }
    }

    /// Makes a choice happen, as every engine does, in a world with no queue but the one that it
    /// has to do with.
    fn try_out(&mut self, asked: Asked) -> Result<Option<Moved>, CheckError> {
        let Asked { choice, spot, store: before, queue, .. } = asked;
        let Spot { process, node, at } = *self.spots.value(spot);
        let process = process as usize;
        let mut at = self.ats.value(at).clone();
        let content = |(queue, content): (u32, u32)| self.queues[queue as usize].value(content);
        let none = &self.no_messages;
        let messages = queue.map_or(none, content).clone();
        let mut world = World { store: self.stores.value(before).clone(), messages };
        let mut budget = self.budgets.value(asked.faults).clone();
        let automaton = RefCell::new(&mut self.automata[process]);
        let (notes, resumed) = (self.ordinals.are_at_work(), RefCell::new(Vec::new()));
        let note = |by: Option<(Strand, Answer)>, (at, told): &(At, Told)| {
            let (at, told) = (at.clone(), told.clone());
            resumed.borrow_mut().push(Resumed { by, at, told });
        };
        let node = Cell::new(node);
        let mut error = None;
        let mut restart = || {
            let automaton = automaton.borrow();
            node.set(automaton.start());
            let started = (automaton.at(node.get()), automaton.told_at_start());
            if notes {
                note(None, &started);
            }
            started
        };
        let mut resume = |strand: Strand, answer: Answer| {
            let mut automaton = automaton.borrow_mut();
            let by = notes.then(|| (strand, answer.clone()));
            match automaton.follow(node.get(), (strand, answer)) {
                Ok((to, told)) => {
                    node.set(to);
                    let came_to = (automaton.at(to), told);
                    if notes {
                        note(by, &came_to);
                    }
                    came_to
                }
                Err(found) => {
                    error = Some(found);
                    (At::Ended, Told::default())
                }
            }
        };
        let (system, world_, budget_) = (self.system, &mut world, &mut budget);
        let taken =
            fault::take(system, choice, world_, budget_, &mut at, &mut restart, &mut resume);
        if let Some(error) = error {
            return Err(error);
        }
        if notes {
            let stepped = taken.as_ref().map(|(stepped, _)| stepped);
            let came_to = Outcome { stepped, world: &world, budget: &budget, at: &at };
            self.check_step(&asked, &resumed.into_inner(), &came_to)?;
        }
        let Some((stepped, _)) = taken else { return Ok(None) };
        let mut node = node.get();
        if self.reductions.immutable_reads {
            self.read_immutable(process, &world.store, &mut at, &mut node)?;
        }
        let World { store, messages } = world;
        let unchanged = store.is_same(self.stores.value(before));
        let at = self.at_number(at);
        let spot = self.spot(Spot { process: process as u32, node, at });
        let label = self.label((choice.hits().map(|process| process as u32), stepped));
        let contents = |queue: u32| (queue, self.queues[queue as usize].number(messages));
        Ok(Some(Moved {
            store: if unchanged { before } else { self.stores.number(store) },
            queue: queue.map(|(queue, _)| queue).map(contents),
            faults: self.budget(budget),
            edge: self.edge(Edge { spot, label }),
        }))
    }

    /// Classes anew what is known of a process by now, even where it has come to no new place: an answer
    /// that was never given before may tell apart what was of one class.
    fn settle(&mut self, process: usize) -> Result<(), CheckError> {
        self.automata[process].settle()?;
        self.note_split(process);
        Ok(())
    }

    /// Notes where it is no longer clear where a process stands.
    fn note_split(&mut self, process: usize) {
        for class in self.automata[process].take_split() {
            (self.has_split, self.new_split) = (true, true);
            let numbered = self.locals[process].values().zip(&mut self.places[process]);
            let unclear = numbered.filter(|(local, _)| local.class == class);
            unclear.for_each(|(_, place)| place.part = Part::Unclear);
        }
    }

    fn is_unclear(&self, process: usize, local: u32) -> bool {
        self.places[process][local as usize].part == Part::Unclear
    }

    /// Does what a process asks next as long as it only reads what never changes, and tells
    /// nothing then.
    fn read_immutable(
        &mut self,
        process: usize,
        store: &State,
        at: &mut At,
        node: &mut NodeId,
    ) -> Result<(), CheckError> {
        // A process that does nothing else for ever gets a step of its own now and then.
        for _ in 0..16 {
            let At::Asks(Pending::Command(execution)) = &*at else { return Ok(()) };
            let command = execution.command();
            if command.operation.is_write() || !store.is_immutable(&command.collection) {
                return Ok(());
            }
            // What is numbered anew with the rest is not the same in each state.
            if self.ordinals.are_at_work() && has_ordinals(store) {
                return Ok(());
            }
            let (before, mut store, command) = (store, store.clone(), command.clone());
            let answer = Answer::Store(store.execute_ref(&command));
            if self.ordinals.are_at_work() {
                self.check_immutable(process, &command, (before, &answer))?;
            }
            let automaton = &mut self.automata[process];
            let (to, told) = automaton.follow(*node, (Strand::MAIN, answer))?;
            let next = automaton.at(to);
            // At its end nothing happens to a process any more: what could have, did before.
            let is_spared = matches!(next, At::Ended) && !self.system.faults.is_none();
            if !told.events.is_empty() || next.failure().is_some() || is_spared {
                return Ok(());
            }
            (*at, *node) = (next, to);
        }
        Ok(())
    }

    /// The number of a queue; a new one gets its component when the search begins again.
    fn queue_named(&mut self, name: &Text) -> u32 {
        let number = self.queue_names.number(name.clone());
        self.new_queue |= number as usize >= self.queues.len();
        number
    }

    /// The number of a budget.
    fn budget(&mut self, budget: Budget) -> u32 {
        let number = self.budgets.number(budget);
        if number as usize == self.faults.len() && !self.system.has_steps_only() {
            self.faults.push(self.faults_with(self.budgets.value(number)));
        }
        number
    }

    /// What may happen with a budget, whichever process it happens to.
    fn faults_with(&self, budget: &Budget) -> Vec<Choice> {
        let happens = |kind| Choice::of_kind(kind, &self.strands);
        let late: BTreeSet<(usize, Strand)> =
            budget.late.iter().map(|(process, strand, _)| (*process, *strand)).collect();
        let kind = Kind::Lands;
        let lands = late.into_iter().map(|(process, strand)| Choice { kind, process, strand });
        budget.kinds().flat_map(happens).chain(lands).collect()
    }

    /// Lists anew what may happen, with the strands that turned up since.
    fn list_faults(&mut self) {
        if std::mem::take(&mut self.new_strand) {
            self.faults = self.budgets.values().map(|budget| self.faults_with(budget)).collect();
        }
    }

    /// The number of a label; where there is no property, nobody looks at it.
    fn label(&mut self, label: Label) -> u32 {
        if self.system.properties.is_empty() { 0 } else { self.labels.number(label) }
    }

    fn edge(&mut self, edge: Edge) -> u32 {
        let number = self.edges.number(edge);
        if number as usize == self.edge_list.len() {
            self.edge_list.push(edge);
            self.edge_locals.push(NOT_KNOWN);
        }
        number
    }

    /// The number of a spot.
    fn spot(&mut self, spot: Spot) -> u32 {
        let number = self.spots.number(spot);
        if number as usize == self.spot_places.len() {
            self.spot_places.push(None);
            self.spot_locals.push(NOT_KNOWN);
            let faults = if self.system.has_steps_only() { 0 } else { self.faults_at(spot) };
            self.spot_faults.push(faults);
        }
        number
    }

    /// The number of the place of a spot.
    fn local_at(&mut self, spot: u32) -> Result<u32, CheckError> {
        let known = self.spot_locals[spot as usize];
        if known != NOT_KNOWN {
            return Ok(known);
        }
        let Spot { process, node, at } = *self.spots.value(spot);
        let process = process as usize;
        self.settle(process)?;
        let class = self.automata[process].class(node)?;
        let local = self.local(process, Local { class, at })?;
        self.spot_locals[spot as usize] = local;
        Ok(local)
    }

    /// The number of a place where a process can stand.
    fn local(&mut self, process: usize, local: Local) -> Result<u32, CheckError> {
        if let Some(known) = self.locals[process].known(&local) {
            return Ok(known);
        }
        let node = self.automata[process].representative(local.class);
        let first = self.spot(Spot { process: process as u32, node, at: local.at });
        let place = self.place(first)?;
        self.places[process].push(place);
        self.firsts[process].push(first);
        Ok(self.locals[process].number(local))
    }

    /// Where the steps from a spot are looked up. A queue that has just turned up has no rows yet.
    fn place(&mut self, spot: u32) -> Result<Place, CheckError> {
        if let Some(known) = self.spot_places[spot as usize] {
            return Ok(known);
        }
        let at = *self.spots.value(spot);
        let (place, is_known) = match self.ats.value(at.at) {
            At::Beside(_) => self.new_places(at)?,
            _ => self.new_place(at, Strand::MAIN)?,
        };
        if is_known {
            self.spot_places[spot as usize] = Some(place);
        }
        Ok(place)
    }

    /// The same for a strand; whether there are rows.
    fn new_place(&mut self, spot: Spot, strand: Strand) -> Result<(Place, bool), CheckError> {
        let part = self.part(spot, strand)?;
        let Some(steps) = self.steps(part) else { return Ok((Place { part, column: 0 }, false)) };
        Ok((Place { part, column: steps.next_column() }, true))
    }

    /// The same for all strands of a process.
    fn new_places(&mut self, spot: Spot) -> Result<(Place, bool), CheckError> {
        let strands: Vec<Strand> = self.ats.value(spot.at).strands().collect();
        let seen = &mut self.strands[spot.process as usize];
        let highest = strands.iter().map(|strand| strand.index() + 1).max().unwrap_or(1);
        if highest > *seen {
            *seen = highest;
            self.new_strand = !self.system.has_steps_only();
        }
        let (mut places, mut are_known) = (Vec::with_capacity(strands.len()), true);
        for strand in strands {
            let (place, is_known) = self.new_place(spot, strand)?;
            places.push((strand, place));
            are_known &= is_known;
        }
        self.besides.push(places.into());
        let column = self.besides.len() as u32 - 1;
        Ok((Place { part: Part::Beside, column }, are_known))
    }

    /// The steps that depend on a part.
    fn steps(&mut self, part: Part) -> Option<&mut Steps> {
        match part {
            Part::Queue(queue) | Part::Both(queue) if queue as usize >= self.queues.len() => None,
            Part::Queue(queue) => self.queue_steps.get_mut(queue as usize),
            Part::Store => Some(&mut self.store_steps),
            Part::Over | Part::Neither | Part::Both(_) | Part::Beside | Part::Unclear => {
                Some(&mut self.free_steps)
            }
        }
    }

    /// Which part of the world decides the next step of a strand.
    fn part(
        &mut self,
        Spot { process, node, at }: Spot,
        strand: Strand,
    ) -> Result<Part, CheckError> {
        let Some(pending) = self.ats.value(at).pending(strand) else { return Ok(Part::Over) };
        let Pending::Other(request) = pending else { return Ok(Part::Store) };
        if let Request::Pause(..) | Request::Idle(..) = request {
            let automaton = &mut self.automata[process as usize];
            let (awake, _) = automaton.follow(node, (strand, Answer::Done))?;
            let queue = automaton.stands(awake).asks(strand).and_then(queue_of).cloned();
            return Ok(queue.map_or(Part::Store, |queue| Part::Both(self.queue_named(&queue))));
        }
        if *request == Request::Rest {
            return Ok(Part::Over);
        }
        let queue = queue_of(request).cloned();
        Ok(queue.map_or(Part::Neither, |queue| Part::Queue(self.queue_named(&queue))))
    }

    /// Judges a state in which no process can go on: which properties it breaks.
    pub(super) fn end(
        &self,
        global: &Global,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<usize>, CheckError> {
        let name = |process: usize| self.system.processes[process].name.clone();
        let stuck: Vec<Text> = self.stuck(global).map(name).collect();
        let world = self.world(global);
        let end = End { stuck: &stuck, world: &Watched::new(&world) };
        let fallen = self.judge.end(global.memory, &end, &wanted)?;
        if self.ordinals.are_at_work() {
            self.check_end(global, &stuck, &fallen, &wanted)?;
        }
        Ok(fallen)
    }

    /// Whether a state in which no process can go on is a good end: nobody waits in it for what
    /// nobody will do.
    pub(super) fn is_good_end(&self, global: &Global) -> bool {
        self.stuck(global).next().is_none()
    }

    fn stuck(&self, global: &Global) -> impl Iterator<Item = usize> {
        (0..self.automata.len()).filter(|process| self.at(global, *process).is_stuck())
    }

    pub(super) fn at(&self, global: &Global, process: usize) -> &At {
        self.ats.value(self.locals[process].value(global.locals[process]).at)
    }

    pub(super) fn world(&self, global: &Global) -> World {
        World {
            store: self.stores.value(global.store).clone(),
            messages: self.messages(&global.queues),
        }
    }

    fn messages(&self, queues: &[u32]) -> Messages {
        let mut messages = self.no_messages.clone();
        for (queue, content) in self.queues.iter().zip(queues) {
            messages.join(queue.value(*content));
        }
        messages
    }

    /// About how many bytes the space takes, without the states.
    pub(super) fn bytes(&self) -> usize {
        let queue_steps: usize = self.queue_steps.iter().map(Steps::bytes).sum();
        let rows = self.store_steps.bytes() + queue_steps;
        let spots = self.spots.len() * 60 + self.edge_list.len() * 40;
        let queues: usize = self.queues.iter().map(Interner::len).sum();
        let contents = (self.stores.len() + queues) * 2048;
        rows + contents
            + spots
            + self.labels.len() * 1024
            + (self.both.capacity() + self.faulty.capacity() + self.woken.capacity()) * 40
            + self.fault_numbers.capacity() * 24
            + self.scenes.bytes()
            + self.judge.bytes()
            + self.symmetry.bytes()
            + self.ordinals.bytes()
    }
}

impl Moved {
    /// Changes the queue that the step has to do with.
    fn put<const N: usize>(&self, layout: &Layout, key: &mut Packed<N>) {
        if let Some((queue, content)) = self.queue {
            layout.queues[queue as usize].put(key, content);
        }
    }
}

/// The queue that a request is for.
fn queue_of(request: &Request) -> Option<&Text> {
    match request {
        Request::Send(queue, _)
        | Request::Receive(queue)
        | Request::Take(queue)
        | Request::Acknowledge(queue, _) => Some(queue),
        Request::Command(_)
        | Request::Pause(..)
        | Request::Idle(..)
        | Request::Step(_)
        | Request::Rest
        | Request::Enter(_)
        | Request::Leave(_) => None,
    }
}

/// Whether it is still to come where nobody goes on, and nobody can keep it from coming.
fn comes_by_itself(kind: Kind) -> bool {
    matches!(kind, Kind::Lands | Kind::Replicates)
}

/// Whether what a fault leads to depends on the store: so it does for a command that was not sent,
/// as the process may wait for something in the store before it sends it.
fn reads_store(kind: Kind) -> bool {
    !kind.redelivers() && kind != Kind::Rested
}

/// A number for a strand of a process that stands at a spot.
fn strand_of(choice: Choice, spot: u32) -> u32 {
    spot * Strand::MOST as u32 + choice.strand.index() as u32
}

fn fault_key(choice: Choice, spot: u32, store: u32, faults: u32) -> (u32, u32, u32, u32) {
    let store = if reads_store(choice.kind) { store } else { 0 };
    (choice.number(), spot, store, faults)
}
