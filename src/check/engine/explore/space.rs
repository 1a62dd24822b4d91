//! The state space: what a step leads to, found out once and then looked up.
//!
//! A step of a process depends on where the process stands and on one part of the world, the
//! store or the queues. So each place where a process can stand has a row, with an entry for each
//! content of that part: which content the step leaves, and the edge of the automaton that is
//! taken. A miss asks [`step::take`], which every engine shares, and the automata.

use rustc_hash::FxHashMap;

use super::automaton::{Automaton, Class};
use super::error::CheckError;
use super::intern::Interner;
use super::judge::{Judge, Label, Seen};
use super::pack::{Counts, Global, Layout, Packed};
use crate::check::Messages;
use crate::check::monitor::End;
use crate::check::process::Stands;
use crate::check::request::{Answer, Request};
use crate::check::step::{self, At, Stepped};
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

/// What a step that depends on both parts of the world leads to.
#[derive(Clone, Copy, Debug)]
struct Moved {
    store: u32,
    queues: u32,
    edge: u32,
}

/// A transition: which process took the step, and the state after it.
pub(super) type Successor<const N: usize> = (u32, Packed<N>);

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
        let mut global =
            Global { locals: Vec::new(), store, queues, memory: self.judge.start(), faults: 0 };
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
            faults: 0,
        }
    }

    /// How many successors a state can have at most.
    pub(super) fn branching(&self) -> usize {
        self.automata.len()
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
            let number = match row.part {
                Part::Over => continue,
                Part::Neither => 0,
                Part::Store => store,
                Part::Queues => queues,
                Part::Both => {
                    let key = (process as u32, local, store, queues);
                    match self.both.get(&key)? {
                        None => continue,
                        Some(moved) => moved.edge,
                    }
                }
            };
            let mut next = *key;
            let (edge, store, queues) = if row.part == Part::Both {
                let moved = self.both.get(&(process as u32, local, store, queues))?.as_ref()?;
                layout.store.put(&mut next, moved.store);
                layout.queues.put(&mut next, moved.queues);
                (moved.edge, moved.store, moved.queues)
            } else {
                let entry = row.entries.get(number as usize).copied().unwrap_or(UNKNOWN);
                if entry == BLOCKED {
                    continue;
                }
                if entry == UNKNOWN {
                    return None;
                }
                let (target, edge) = ((entry >> 32) as u32, entry as u32);
                match row.part {
                    Part::Store => {
                        layout.store.put(&mut next, target);
                        (edge, target, queues)
                    }
                    Part::Queues => {
                        layout.queues.put(&mut next, target);
                        (edge, store, target)
                    }
                    _ => (edge, store, queues),
                }
            };
            goes_on = true;
            let edge = self.edge_list[edge as usize];
            field.put(&mut next, edge.local);
            if !self.judge.is_idle() {
                let memory = layout.memory.get(key);
                layout.memory.put(&mut next, self.judge.next(edge.label, memory, store, queues)?);
            }
            visit((process as u32, next));
        }
        Some(goes_on)
    }

    /// Finds out what [`Space::successors`] did not know of a state.
    pub(super) fn learn(&mut self, global: &Global) -> Result<(), CheckError> {
        (0..self.automata.len()).try_for_each(|process| self.learn_one(process, global))
    }

    /// The same for the step of one process.
    pub(super) fn learn_one(&mut self, process: usize, global: &Global) -> Result<(), CheckError> {
        let Some(moved) = self.moved(process, global.locals[process], global)? else {
            return Ok(());
        };
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
    fn moved(
        &mut self,
        process: usize,
        local: u32,
        global: &Global,
    ) -> Result<Option<Moved>, CheckError> {
        let (store, queues) = (global.store, global.queues);
        let row = &self.rows[process][local as usize];
        let number = match row.part {
            Part::Over => return Ok(None),
            Part::Neither => 0,
            Part::Store => store,
            Part::Queues => queues,
            Part::Both => {
                let key = (process as u32, local, store, queues);
                if let Some(known) = self.both.get(&key) {
                    return Ok(*known);
                }
                let moved = self.step(process, local, global)?;
                self.both.insert(key, moved);
                return Ok(moved);
            }
        };
        let part = row.part;
        let known = row.entries.get(number as usize).copied().unwrap_or(UNKNOWN);
        if known == BLOCKED {
            return Ok(None);
        }
        if known != UNKNOWN {
            let (target, edge) = ((known >> 32) as u32, known as u32);
            return Ok(Some(match part {
                Part::Store => Moved { store: target, queues, edge },
                Part::Queues => Moved { store, queues: target, edge },
                _ => Moved { store, queues, edge },
            }));
        }
        let moved = self.step(process, local, global)?;
        let entry = moved.map_or(BLOCKED, |moved| {
            let target = if part == Part::Queues { moved.queues } else { moved.store };
            u64::from(target) << 32 | u64::from(moved.edge)
        });
        let entries = &mut self.rows[process][local as usize].entries;
        if entries.len() <= number as usize {
            entries.resize(number as usize + 1, UNKNOWN);
        }
        entries[number as usize] = entry;
        Ok(moved)
    }

    /// Takes a step.
    fn step(
        &mut self,
        process: usize,
        local: u32,
        global: &Global,
    ) -> Result<Option<Moved>, CheckError> {
        let Local { class, mut at } = self.locals[process].value(local).clone();
        let mut world = self.world(global);
        let automaton = &mut self.automata[process];
        let mut node = automaton.representative(class);
        let mut error = None;
        let mut resume = |answer| match automaton.follow(node, answer) {
            Ok((to, events)) => {
                node = to;
                (At::from(automaton.stands(to).clone()), events)
            }
            Err(found) => {
                error = Some(found);
                (At::Ended, Vec::new())
            }
        };
        let System { processes, broken_store, .. } = self.system;
        let name = &processes[process].name;
        let stepped = step::take(&mut world, name, &mut at, *broken_store, &mut resume);
        if let Some(error) = error {
            return Err(error);
        }
        let Some((stepped, _)) = stepped else { return Ok(None) };
        let class = self.automata[process].class(node)?;
        let local = self.local(process, Local { class, at })?;
        let label = self.label((Some(process as u32), stepped));
        let edge = self.edge(Edge { local, label });
        let World { store, messages } = world;
        let (store, queues) = (self.stores.number(store), self.queues.number(messages));
        Ok(Some(Moved { store, queues, edge }))
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
            At::Ended | At::Failed(_) => Part::Over,
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
        rows + contents + self.labels.len() * 1024 + self.both.capacity() * 40 + self.judge.bytes()
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
