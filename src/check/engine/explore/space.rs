//! The state space: what a step leads to, found out once and then looked up.
//!
//! A step of a process depends on where the process stands and on one part of the world, the
//! store or the queues. So each place where a process can stand has a row, with an entry for each
//! content of that part: which content the step leaves, and the edge of the automaton that is
//! taken. A miss asks [`fault::take`], which every engine shares, and the automata.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::automaton::{Automaton, Class};
use super::error::CheckError;
use super::intern::Interner;
use super::judge::{Judge, Label, Seen};
use super::pack::{Counts, Global, Layout, Packed};
use crate::check::Messages;
use crate::check::fault::{self, Budget, Choice, Kind};
use crate::check::monitor::End;
use crate::check::process::Stands;
use crate::check::request::{Answer, Request};
use crate::check::step::{At, Stepped};
use crate::check::system::System;
use crate::check::world::{Pending, World};
use crate::store::Text;
use crate::store::memory::State;

/// An entry that was not asked for yet.
const UNKNOWN: u64 = u64::MAX;
/// An entry that says that the process cannot go on.
const BLOCKED: u64 = u64::MAX - 1;

/// Where a process can stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Local {
    class: Class,
    at: At,
}

/// Which part of the world decides what a step does, and is changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// None: the process does not go on.
    Over,
    /// None: time passes.
    Neither,
    Store,
    Queues,
    /// The store wakes a process that then asks the queues for something.
    Both,
}

/// What the steps from one place lead to, by the number of the part that decides it.
#[derive(Clone, Debug)]
struct Row {
    part: Part,
    entries: Vec<u64>,
}

/// An edge of an automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Edge {
    local: u32,
    label: u32,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug)]
struct Moved {
    store: u32,
    queues: u32,
    faults: u32,
    edge: u32,
}

/// A transition: the number of the choice, and the state after it.
pub(super) type Successor<const N: usize> = (u32, Packed<N>);

impl Row {
    #[inline]
    fn get(&self, number: u32) -> Option<u64> {
        self.entries.get(number as usize).copied().filter(|entry| *entry != UNKNOWN)
    }

    fn put(&mut self, number: u32, entry: u64) {
        let number = number as usize;
        if self.entries.len() <= number {
            self.entries.resize(number + 1, UNKNOWN);
        }
        self.entries[number] = entry;
    }
}

/// The content of the part that a step leaves, by the entry of a row.
fn target(entry: u64) -> u32 {
    (entry >> 32) as u32
}

/// The state space of a system.
pub(super) struct Space<'s> {
    pub(super) system: &'s System,
    pub(super) automata: Vec<Automaton>,
    locals: Vec<Interner<Local>>,
    /// For each process, for each place where it can stand.
    rows: Vec<Vec<Row>>,
    stores: Interner<State>,
    queues: Interner<Messages>,
    labels: Interner<Label>,
    edges: Interner<Edge>,
    edge_list: Vec<Edge>,
    both: FxHashMap<(u32, u32, u32, u32), Option<Moved>>,
    budgets: Interner<Budget>,
    /// For each budget: which faults there may still be, whichever process they happen to.
    faults: Vec<Vec<Choice>>,
    /// By choice, local, store, queues and budget: where a fault leads.
    faulty: FxHashMap<(u32, u32, u32, u32, u32), Option<Moved>>,
    pub(super) judge: Judge<'s>,
}

impl<'s> Space<'s> {
    pub(super) fn new(system: &'s System) -> Result<Space<'s>, CheckError> {
        let automata = system.processes.iter().map(Automaton::new).collect::<Result<_, _>>()?;
        Ok(Space {
            system,
            automata,
            locals: Vec::new(),
            rows: Vec::new(),
            stores: Interner::new(),
            queues: Interner::new(),
            labels: Interner::new(),
            edges: Interner::new(),
            edge_list: Vec::new(),
            both: FxHashMap::default(),
            budgets: Interner::new(),
            faults: Vec::new(),
            faulty: FxHashMap::default(),
            judge: Judge::new(system),
        })
    }

    /// Forgets all but the automata, and begins again with these properties.
    pub(super) fn reset(&mut self, in_play: &[usize]) {
        let heeds_told = !in_play.is_empty();
        self.automata.iter_mut().for_each(|automaton| automaton.forget_classes(heeds_told));
        self.locals = self.automata.iter().map(|_| Interner::new()).collect();
        self.rows = self.automata.iter().map(|_| Vec::new()).collect();
        self.stores = Interner::new();
        self.queues = Interner::new();
        self.labels = Interner::new();
        self.edges = Interner::new();
        self.edge_list.clear();
        self.both.clear();
        self.budgets = Interner::new();
        self.faults.clear();
        self.faulty.clear();
        self.judge.reset(in_play);
    }

    /// Whether what was found is to be forgotten: nodes of one class turned out to differ, or a
    /// property looked at what it had not looked at before.
    pub(super) fn is_stale(&self) -> bool {
        self.judge.regroups() || self.automata.iter().any(Automaton::has_split)
    }

    /// The state before the first step.
    pub(super) fn initial(&mut self) -> Result<Global, CheckError> {
        let World { store, messages } = self.system.world.clone();
        let (store, queues) = (self.stores.number(store), self.queues.number(messages));
        let faults = self.budget(Budget::new(&self.system.faults));
        let mut global =
            Global { locals: Vec::new(), store, queues, memory: self.judge.start(), faults };
        let told = |events, failure| Stepped { request: None, answer: None, events, failure };
        self.tell_at_start((None, told(self.system.history.clone(), None)), &mut global)?;
        for process in 0..self.automata.len() {
            let automaton = &self.automata[process];
            let node = automaton.start();
            let (at, events) =
                (At::from(automaton.stands(node).clone()), automaton.told_at_start());
            let label = (Some(process as u32), told(events, at.failure().cloned()));
            let class = self.automata[process].class(node)?;
            global.locals.push(self.local(process, Local { class, at })?);
            self.tell_at_start(label, &mut global)?;
        }
        Ok(global)
    }

    fn tell_at_start(&mut self, label: Label, global: &mut Global) -> Result<(), CheckError> {
        let number = self.label(label);
        global.memory = self.ask_judge(number, global.memory, global.store, global.queues)?;
        Ok(())
    }

    /// How many numbers each component has.
    pub(super) fn counts(&self) -> Counts {
        let or_none = |count: usize| if count == 1 { 0 } else { count };
        Counts {
            locals: self.locals.iter().map(Interner::len).collect(),
            store: self.stores.len(),
            queues: or_none(self.queues.len()),
            memory: or_none(self.judge.memories()),
            faults: or_none(self.budgets.len()),
        }
    }

    /// How many successors a state can have at most.
    pub(super) fn branching(&self) -> usize {
        self.automata.len() + self.faults.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Calls `visit` with each successor of a state; `None` where one is not known yet.
    /// Else whether a process could go on.
    #[inline]
    pub(super) fn successors<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        mut visit: impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let (store, queues) = (layout.store.get(key), layout.queues.get(key));
        let mut goes_on = false;
        for (process, (field, rows)) in layout.locals.iter().zip(&self.rows).enumerate() {
            let local = field.get(key);
            let row = &rows[local as usize];
            let mut next = *key;
            let (moved_store, moved_queues, edge) = match row.part {
                Part::Over => continue,
                Part::Both => match self.both.get(&(process as u32, local, store, queues))? {
                    None => continue,
                    Some(moved) => {
                        layout.store.put(&mut next, moved.store);
                        layout.queues.put(&mut next, moved.queues);
                        (moved.store, moved.queues, moved.edge)
                    }
                },
                Part::Store => match row.get(store)? {
                    BLOCKED => continue,
                    entry => {
                        layout.store.put(&mut next, target(entry));
                        (target(entry), queues, entry as u32)
                    }
                },
                Part::Queues => match row.get(queues)? {
                    BLOCKED => continue,
                    entry => {
                        layout.queues.put(&mut next, target(entry));
                        (store, target(entry), entry as u32)
                    }
                },
                Part::Neither => (store, queues, row.get(0)? as u32),
            };
            goes_on = true;
            let edge = self.edge_list[edge as usize];
            field.put(&mut next, edge.local);
            if !self.judge.is_idle() {
                let memory = layout.memory.get(key);
                let memory = self.judge.next(edge.label, memory, moved_store, moved_queues)?;
                layout.memory.put(&mut next, memory);
            }
            visit((Choice::step(process).number(), next));
        }
        if !self.faults.is_empty() {
            goes_on |= self.faulty_successors(layout, key, &mut visit)?;
        }
        Some(goes_on)
    }

    /// The same for what goes wrong; whether a late write is still to land.
    fn faulty_successors<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        visit: &mut impl FnMut(Successor<N>),
    ) -> Option<bool> {
        let mut lands = false;
        let (store, queues) = (layout.store.get(key), layout.queues.get(key));
        let faults = layout.faults.get(key);
        for choice in &self.faults[faults as usize] {
            let field = layout.locals[choice.process];
            let known = (choice.number(), field.get(key), store, queues, faults);
            let Some(moved) = self.faulty.get(&known)? else { continue };
            let edge = self.edge_list[moved.edge as usize];
            let mut next = *key;
            layout.store.put(&mut next, moved.store);
            layout.queues.put(&mut next, moved.queues);
            layout.faults.put(&mut next, moved.faults);
            field.put(&mut next, edge.local);
            if !self.judge.is_idle() {
                let memory = layout.memory.get(key);
                let memory = self.judge.next(edge.label, memory, moved.store, moved.queues)?;
                layout.memory.put(&mut next, memory);
            }
            lands |= choice.kind == Kind::Lands;
            visit((choice.number(), next));
        }
        Some(lands)
    }

    /// What may happen in a state: the steps of the processes, and what may go wrong.
    pub(super) fn choices(&self, global: &Global) -> Vec<Choice> {
        let steps = (0..self.automata.len()).map(Choice::step);
        let faults = self.faults.get(global.faults as usize);
        steps.chain(faults.into_iter().flatten().copied()).collect()
    }

    /// Finds out what [`Space::successors`] did not know of a state.
    pub(super) fn learn(&mut self, global: &Global) -> Result<(), CheckError> {
        self.choices(global).into_iter().try_for_each(|choice| self.learn_one(choice, global))
    }

    /// The same for one choice.
    pub(super) fn learn_one(&mut self, choice: Choice, global: &Global) -> Result<(), CheckError> {
        let moved = match choice.kind {
            Kind::Step => self.moved(choice.process, global)?,
            _ => self.faulty(choice, global)?,
        };
        let Some(moved) = moved else { return Ok(()) };
        let label = self.edge_list[moved.edge as usize].label;
        self.ask_judge(label, global.memory, moved.store, moved.queues)?;
        Ok(())
    }

    /// Learns every edge of every process once more, and compares.
    pub(super) fn check_again(&mut self) -> Result<(), CheckError> {
        self.automata.iter_mut().try_for_each(Automaton::check_again)
    }

    fn ask_judge(
        &mut self,
        label: u32,
        memory: u32,
        store: u32,
        queues: u32,
    ) -> Result<u32, CheckError> {
        if self.judge.is_idle() {
            return Ok(memory);
        }
        let seen = Seen {
            store: (store, self.stores.value(store)),
            queues: (queues, self.queues.value(queues)),
        };
        self.judge.learn((label, self.labels.value(label)), memory, seen)
    }

    /// What the step of a process leads to, found out if need be; `None` where it cannot go on.
    fn moved(&mut self, process: usize, global: &Global) -> Result<Option<Moved>, CheckError> {
        let Global { store, queues, faults, .. } = *global;
        let local = global.locals[process];
        let row = &self.rows[process][local as usize];
        let (part, number) = match row.part {
            Part::Over => return Ok(None),
            Part::Both => {
                let key = (process as u32, local, store, queues);
                if let Some(known) = self.both.get(&key) {
                    return Ok(known.map(|moved| Moved { faults, ..moved }));
                }
                let moved = self.take(Choice::step(process), global)?;
                self.both.insert(key, moved);
                return Ok(moved);
            }
            Part::Neither => (row.part, 0),
            Part::Store => (row.part, store),
            Part::Queues => (row.part, queues),
        };
        if let Some(entry) = row.get(number) {
            let moved = Moved { store, queues, faults, edge: entry as u32 };
            return Ok((entry != BLOCKED).then_some(match part {
                Part::Store => Moved { store: target(entry), ..moved },
                Part::Queues => Moved { queues: target(entry), ..moved },
                _ => moved,
            }));
        }
        let moved = self.take(Choice::step(process), global)?;
        let entry = moved.map_or(BLOCKED, |moved| {
            let target = if part == Part::Queues { moved.queues } else { moved.store };
            u64::from(target) << 32 | u64::from(moved.edge)
        });
        self.rows[process][local as usize].put(number, entry);
        Ok(moved)
    }

    /// What a fault leads to, found out if need be; `None` where it cannot happen.
    fn faulty(&mut self, choice: Choice, global: &Global) -> Result<Option<Moved>, CheckError> {
        let Global { store, queues, faults, .. } = *global;
        let key = (choice.number(), global.locals[choice.process], store, queues, faults);
        if let Some(known) = self.faulty.get(&key) {
            return Ok(*known);
        }
        let moved = self.take(choice, global)?;
        self.faulty.insert(key, moved);
        Ok(moved)
    }

    /// Makes a choice happen, as every engine does.
    fn take(&mut self, choice: Choice, global: &Global) -> Result<Option<Moved>, CheckError> {
        let process = choice.process;
        let local = self.locals[process].value(global.locals[process]);
        let Local { class, mut at } = local.clone();
        let mut world = self.world(global);
        let mut budget = self.budgets.value(global.faults).clone();
        let automaton = RefCell::new(&mut self.automata[process]);
        let node = Cell::new(automaton.borrow().representative(class));
        let mut error = None;
        let mut restart = || {
            let automaton = automaton.borrow();
            node.set(automaton.start());
            (At::from(automaton.stands(node.get()).clone()), automaton.told_at_start())
        };
        let mut resume = |answer| {
            let mut automaton = automaton.borrow_mut();
            match automaton.follow(node.get(), answer) {
                Ok((to, events)) => {
                    node.set(to);
                    (At::from(automaton.stands(to).clone()), events)
                }
                Err(found) => {
                    error = Some(found);
                    (At::Ended, Vec::new())
                }
            }
        };
        let (system, world_, budget_) = (self.system, &mut world, &mut budget);
        let taken =
            fault::take(system, choice, world_, budget_, &mut at, &mut restart, &mut resume);
        if let Some(error) = error {
            return Err(error);
        }
        let Some((stepped, _)) = taken else { return Ok(None) };
        let class = self.automata[process].class(node.get())?;
        let local = self.local(process, Local { class, at })?;
        let label = self.label((Some(process as u32), stepped));
        let edge = self.edge(Edge { local, label });
        let World { store, messages } = world;
        let (store, queues) = (self.stores.number(store), self.queues.number(messages));
        let faults = self.budget(budget);
        Ok(Some(Moved { store, queues, faults, edge }))
    }

    /// The number of a budget.
    fn budget(&mut self, budget: Budget) -> u32 {
        let late: BTreeSet<usize> = budget.late.iter().map(|(process, _)| *process).collect();
        let number = self.budgets.number(budget);
        if number as usize == self.faults.len() && !self.system.faults.is_none() {
            let kinds = self.budgets.value(number).kinds();
            let happens = |kind| {
                let to = 0..self.system.processes.len();
                to.map(move |process| Choice { kind, process })
            };
            let lands = late.into_iter().map(|process| Choice { kind: Kind::Lands, process });
            self.faults.push(kinds.flat_map(happens).chain(lands).collect());
        }
        number
    }

    /// The number of a label; where no property is tracked, all steps are alike.
    fn label(&mut self, label: Label) -> u32 {
        if self.judge.is_idle() { 0 } else { self.labels.number(label) }
    }

    fn edge(&mut self, edge: Edge) -> u32 {
        let number = self.edges.number(edge);
        if number as usize == self.edge_list.len() {
            self.edge_list.push(edge);
        }
        number
    }

    /// The number of a place where a process can stand.
    fn local(&mut self, process: usize, local: Local) -> Result<u32, CheckError> {
        let part = self.part(process, &local)?;
        let number = self.locals[process].number(local);
        let rows = &mut self.rows[process];
        if number as usize == rows.len() {
            rows.push(Row { part, entries: Vec::new() });
        }
        Ok(number)
    }

    /// Which part of the world decides the next step.
    fn part(&mut self, process: usize, local: &Local) -> Result<Part, CheckError> {
        Ok(match &local.at {
            At::Ended | At::Failed(_) | At::Crashed => Part::Over,
            At::Asks(Pending::Command(_)) => Part::Store,
            At::Asks(Pending::Other(request)) => match request {
                Request::Pause(..) => {
                    let automaton = &mut self.automata[process];
                    let paused = automaton.representative(local.class);
                    let (awake, _) = automaton.follow(paused, Answer::Done)?;
                    match automaton.stands(awake) {
                        Stands::Asks(request) if is_for_queues(request) => Part::Both,
                        _ => Part::Store,
                    }
                }
                request if is_for_queues(request) => Part::Queues,
                _ => Part::Neither,
            },
        })
    }

    /// Judges a state in which no process can go on: which properties it breaks.
    pub(super) fn end(
        &self,
        global: &Global,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<usize>, CheckError> {
        let stuck: Vec<Text> = (0..self.automata.len())
            .filter(|process| self.at(global, *process).pauses())
            .map(|process| self.system.processes[process].name.clone())
            .collect();
        let end = End { stuck: &stuck, world: &self.world(global) };
        self.judge.end(global.memory, &end, wanted)
    }

    pub(super) fn at(&self, global: &Global, process: usize) -> &At {
        &self.locals[process].value(global.locals[process]).at
    }

    pub(super) fn world(&self, global: &Global) -> World {
        World {
            store: self.stores.value(global.store).clone(),
            messages: self.queues.value(global.queues).clone(),
        }
    }

    /// About how many bytes the space takes, without the states.
    pub(super) fn bytes(&self) -> usize {
        let row = |row: &Row| row.entries.capacity() * size_of::<u64>() + size_of::<Row>();
        let rows: usize = self.rows.iter().flatten().map(row).sum();
        let contents = (self.stores.len() + self.queues.len()) * 2048;
        rows + contents
            + self.labels.len() * 1024
            + (self.both.capacity() + self.faulty.capacity()) * 40
            + self.judge.bytes()
    }
}

fn is_for_queues(request: &Request) -> bool {
    match request {
        Request::Send(..) | Request::Receive(_) | Request::Take(_) | Request::Acknowledge(..) => {
            true
        }
        Request::Command(_) | Request::Pause(..) | Request::Step(_) => false,
    }
}
