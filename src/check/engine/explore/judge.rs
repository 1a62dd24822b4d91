//! The properties as part of the state: what they remember is one more component.
//!
//! What a property says of a step is asked once for each different thing that it looked at. Most
//! look at what was told, and not at the world; some only look at the store and remember nothing.
//! Each kind costs one look into an array for a step, and those that do both a hash.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::intern::Interner;
use crate::check::Messages;
use crate::check::monitor::{End, Step, Watched};
use crate::check::process::panic_text;
use crate::check::step::Stepped;
use crate::check::system::System;
use crate::store::Document;
use crate::store::memory::State;

const UNKNOWN: u32 = u32::MAX;

/// What a property looks at besides the step itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    /// Not at the world.
    Inwards,
    /// At the store, and it remembers nothing.
    AtStore,
    /// At the world, and it remembers something.
    Everywhere,
}

/// A step as the properties see it: the number of the process, and what it did.
pub(super) type Label = (Option<u32>, Stepped);

/// A world, with the numbers of its parts.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) store: (u32, &'a State),
    pub(super) queues: (&'a [u32], &'a Messages),
}

/// The properties that are tracked, and what they have said so far.
pub(super) struct Judge<'s> {
    system: &'s System,
    /// For each property of the system; found out while it is asked.
    looks: Vec<Looks>,
    in_play: Vec<usize>,
    /// What the properties in play remember, together.
    memories: Interner<Vec<Document>>,
    /// By memory and label: the next memory.
    inwards: Vec<Vec<u32>>,
    /// By store and label: whether the properties that look at it were asked.
    at_store: Vec<Vec<bool>>,
    everywhere: FxHashMap<(u32, u32, u32, Box<[u32]>), u32>,
    asks_store: bool,
    asks_everywhere: bool,
    /// Whether a property looked at something new: what was found is to be forgotten.
    regroup: bool,
    /// Which properties fell at a step, in this pass.
    fallen: Vec<usize>,
}

impl<'s> Judge<'s> {
    pub(super) fn new(system: &'s System) -> Judge<'s> {
        Judge {
            system,
            looks: vec![Looks::Inwards; system.properties.len()],
            in_play: Vec::new(),
            memories: Interner::new(),
            inwards: Vec::new(),
            at_store: Vec::new(),
            everywhere: FxHashMap::default(),
            asks_store: false,
            asks_everywhere: false,
            regroup: false,
            fallen: Vec::new(),
        }
    }

    /// Begins again with these properties.
    pub(super) fn reset(&mut self, in_play: &[usize]) {
        self.in_play = in_play.to_vec();
        self.memories = Interner::new();
        self.inwards.clear();
        self.at_store.clear();
        self.everywhere.clear();
        let any = |looks| in_play.iter().any(|property| self.looks[*property] == looks);
        self.asks_store = any(Looks::AtStore);
        self.asks_everywhere = any(Looks::Everywhere);
        self.regroup = false;
        self.fallen.clear();
    }

    /// What the properties remember before anything was told.
    pub(super) fn start(&mut self) -> u32 {
        let start = |property: &usize| self.system.properties[*property].start();
        let memories = self.in_play.iter().map(start).collect();
        self.memories.number(memories)
    }

    /// Whether the properties have to be shown the queues: to put them together takes time.
    pub(super) fn looks_at_queues(&self) -> bool {
        self.asks_everywhere
    }

    /// Whether no property is tracked.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.in_play.is_empty()
    }

    /// What the properties remember after a step, if they were asked before.
    #[inline]
    pub(super) fn next(
        &self,
        label: u32,
        memory: u32,
        store: u32,
        queues: impl Iterator<Item = u32>,
    ) -> Option<u32> {
        if self.asks_everywhere {
            return self.everywhere.get(&(label, memory, store, queues.collect())).copied();
        }
        if self.asks_store && !*self.at_store.get(store as usize)?.get(label as usize)? {
            return None;
        }
        let next = *self.inwards.get(memory as usize)?.get(label as usize)?;
        (next != UNKNOWN).then_some(next)
    }

    /// Asks the properties what they say of a step.
    pub(super) fn learn(
        &mut self,
        (number, label): (u32, &Label),
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<u32, CheckError> {
        let (store, queues) = (seen.store.0, seen.queues.0);
        if self.asks_everywhere {
            let next = self.ask_those(label, memory, seen, |_| true)?;
            self.everywhere.insert((number, memory, store, queues.into()), next);
            return Ok(next);
        }
        let known = slot(&mut self.inwards, memory, number, UNKNOWN);
        if *known == UNKNOWN {
            let next = self.ask_those(label, memory, seen, |looks| looks == Looks::Inwards)?;
            *slot(&mut self.inwards, memory, number, UNKNOWN) = next;
        }
        if self.asks_store && !*slot(&mut self.at_store, store, number, false) {
            self.ask_those(label, memory, seen, |looks| looks == Looks::AtStore)?;
            *slot(&mut self.at_store, store, number, false) = true;
        }
        Ok(*slot(&mut self.inwards, memory, number, UNKNOWN))
    }

    /// Asks the properties that look as wanted; returns the memory then.
    fn ask_those(
        &mut self,
        label: &Label,
        memory: u32,
        seen: Seen<'_>,
        wanted: impl Fn(Looks) -> bool,
    ) -> Result<u32, CheckError> {
        let mut memories = self.memories.value(memory).clone();
        for (position, memory) in memories.iter_mut().enumerate() {
            let property = self.in_play[position];
            if wanted(self.looks[property]) {
                self.ask(property, label, memory, seen)?;
            }
        }
        Ok(self.memories.number(memories))
    }

    /// Asks one property, and notes where it looked.
    fn ask(
        &mut self,
        number: usize,
        (process, stepped): &Label,
        memory: &mut Document,
        seen: Seen<'_>,
    ) -> Result<(), CheckError> {
        let property = &self.system.properties[number];
        let world = Watched::over(seen.store.1, seen.queues.1);
        let step = Step {
            process: process.map(|process| &self.system.processes[process as usize].name),
            request: stepped.request.as_ref(),
            answer: stepped.answer.as_ref(),
            events: &stepped.events,
            failure: stepped.failure.as_ref(),
            crashed: stepped.crashed,
            world: &world,
        };
        let before = memory.clone();
        let said = guard(property.name(), || property.step(memory, &step))?;
        let remembers = *memory != before || before != property.start();
        let (store, messages) = (world.store.was_looked_at(), world.messages.was_looked_at());
        if messages && !self.asks_everywhere {
            // It was shown no queues: what it said does not count.
            self.looks[number] = Looks::Everywhere;
            self.regroup = true;
            return Ok(());
        }
        if said.is_err() && !self.fallen.contains(&number) {
            self.fallen.push(number);
        }
        let looks = match (self.looks[number], store, messages) {
            (Looks::Everywhere, _, _) | (_, _, true) => Looks::Everywhere,
            (Looks::AtStore, _, _) | (_, true, _) if remembers => Looks::Everywhere,
            (Looks::AtStore, _, _) | (_, true, _) => Looks::AtStore,
            (Looks::Inwards, false, false) => Looks::Inwards,
        };
        self.regroup |= looks != self.looks[number];
        self.looks[number] = looks;
        Ok(())
    }

    /// Which properties the end of a run breaks, of those in play that `wanted` names.
    pub(super) fn end(
        &self,
        memory: u32,
        end: &End<'_>,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<usize>, CheckError> {
        let mut fallen = Vec::new();
        for (property, memory) in self.in_play.iter().zip(self.memories.value(memory)) {
            let monitor = &self.system.properties[*property];
            if wanted(*property) && guard(monitor.name(), || monitor.end(memory, end))?.is_err() {
                fallen.push(*property);
            }
        }
        Ok(fallen)
    }

    pub(super) fn fallen(&self) -> &[usize] {
        &self.fallen
    }

    pub(super) fn regroups(&self) -> bool {
        self.regroup
    }

    /// How many different memories there are.
    pub(super) fn memories(&self) -> usize {
        self.memories.len()
    }

    /// About how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        let documents: usize = self.memories.len() * self.in_play.len() * 200;
        let inwards: usize = self.inwards.iter().map(|row| row.capacity() * 4).sum();
        let at_store: usize = self.at_store.iter().map(Vec::capacity).sum();
        documents + inwards + at_store + self.everywhere.capacity() * 24
    }
}

/// An element of a table that grows as it is used.
fn slot<T: Clone>(rows: &mut Vec<Vec<T>>, row: u32, column: u32, missing: T) -> &mut T {
    let (row, column) = (row as usize, column as usize);
    if rows.len() <= row {
        rows.resize_with(row + 1, Vec::new);
    }
    let row = &mut rows[row];
    if row.len() <= column {
        row.resize(column + 1, missing);
    }
    &mut row[column]
}

/// A property is code of a user: one that panics is an error and no verdict.
fn guard<T>(property: &str, ask: impl FnOnce() -> T) -> Result<T, CheckError> {
    catch_unwind(AssertUnwindSafe(ask))
        .map_err(|panic| CheckError::property(property, panic_text(&*panic)))
}
