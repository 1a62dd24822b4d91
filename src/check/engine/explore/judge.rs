//! The properties as part of the state: what they remember is one more component.
//!
//! What a property says of a step is asked once for each different thing that it looks at. Most
//! look at what was told, and not at the world; some look at the store too. The two groups remember
//! apart, so that neither is asked again for what only the other can see; each costs a look or two
//! into an array for a step. Only those that look at the queues cost a hash of everything.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::intern::Interner;
use crate::check::Messages;
use crate::check::monitor::{End, Step, Watched};
use crate::check::process::panic_text;
use crate::check::step::Stepped;
use crate::check::system::System;
use crate::store::memory::State;
use crate::store::{Document, Text};

const UNKNOWN: u32 = u32::MAX;

/// What a property looks at besides the step itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Looks {
    /// Not at the world.
    Inwards,
    /// At the store.
    AtStore,
    /// At the queues, and maybe at the store.
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

/// Label, memory, store and queues: all that a property can look at.
type Everything = (u32, u32, u32, Box<[u32]>);

/// Properties that look at the same, and what they remember together.
struct Group {
    properties: Vec<usize>,
    memories: Interner<Vec<Document>>,
}

/// The properties that are tracked, and what they have said so far.
pub(super) struct Judge<'s> {
    system: &'s System,
    /// For each property of the system; found out while it is asked.
    looks: Vec<Looks>,
    /// Those that do not look at the world, and the others.
    inward: Group,
    outward: Group,
    /// What both groups remember. Without the second it is what the first remembers.
    wholes: Interner<(u32, u32)>,
    /// By memory and label: the next memory of the first group.
    inward_next: Vec<Vec<u32>>,
    /// By memory of the second group and store: a number for the two.
    sights: Vec<Vec<u32>>,
    sights_count: u32,
    /// By that number and label: the next memory of the second group.
    outward_next: Vec<Vec<u32>>,
    everywhere: FxHashMap<Everything, u32>,
    asks_everywhere: bool,
    /// Whether a property looked at something new: what was found is to be forgotten.
    regroup: bool,
    /// Which properties fell at a step, in this pass.
    fallen: Vec<usize>,
}

impl Group {
    fn new(properties: Vec<usize>) -> Group {
        Group { properties, memories: Interner::new() }
    }

    fn start(&mut self, system: &System) -> u32 {
        let start = |property: &usize| system.properties[*property].start();
        self.memories.number(self.properties.iter().map(start).collect())
    }

    fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }
}

impl<'s> Judge<'s> {
    pub(super) fn new(system: &'s System) -> Judge<'s> {
        Judge {
            system,
            looks: vec![Looks::Inwards; system.properties.len()],
            inward: Group::new(Vec::new()),
            outward: Group::new(Vec::new()),
            wholes: Interner::new(),
            inward_next: Vec::new(),
            sights: Vec::new(),
            sights_count: 0,
            outward_next: Vec::new(),
            everywhere: FxHashMap::default(),
            asks_everywhere: false,
            regroup: false,
            fallen: Vec::new(),
        }
    }

    /// Begins again with these properties.
    pub(super) fn reset(&mut self, in_play: &[usize]) {
        let looks_inwards = |property: &usize| self.looks[*property] == Looks::Inwards;
        let (inward, outward) = in_play.iter().copied().partition(looks_inwards);
        let everywhere = |property: &usize| self.looks[*property] == Looks::Everywhere;
        let asks_everywhere = in_play.iter().any(everywhere);
        let looks = std::mem::take(&mut self.looks);
        let (inward, outward) = (Group::new(inward), Group::new(outward));
        *self = Judge { looks, inward, outward, asks_everywhere, ..Judge::new(self.system) };
    }

    /// What the properties remember before anything was told.
    pub(super) fn start(&mut self) -> u32 {
        let (inward, outward) = (self.inward.start(self.system), self.outward.start(self.system));
        self.whole(inward, outward)
    }

    /// What both groups remember, as one number.
    fn whole(&mut self, inward: u32, outward: u32) -> u32 {
        if self.outward.is_empty() { inward } else { self.wholes.number((inward, outward)) }
    }

    /// What each group remembers.
    #[inline]
    fn parts(&self, whole: u32) -> (u32, u32) {
        if self.outward.is_empty() { (whole, 0) } else { *self.wholes.value(whole) }
    }

    /// Whether the properties have to be shown the queues: to put them together takes time.
    pub(super) fn looks_at_queues(&self) -> bool {
        self.asks_everywhere
    }

    /// Whether no property is tracked.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.inward.is_empty() && self.outward.is_empty()
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
        let (inward, outward) = self.parts(memory);
        let inward_next = look_up(&self.inward_next, inward, label)?;
        if self.outward.is_empty() {
            return Some(inward_next);
        }
        let sight = look_up(&self.sights, outward, store)?;
        let outward_next = look_up(&self.outward_next, sight, label)?;
        if (inward_next, outward_next) == (inward, outward) {
            return Some(memory);
        }
        self.wholes.known(&(inward_next, outward_next))
    }

    /// Asks the properties what they say of a step.
    pub(super) fn learn(
        &mut self,
        (number, label): (u32, &Label),
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<u32, CheckError> {
        let (store, queues) = (seen.store.0, seen.queues.0);
        let (inward, outward) = self.parts(memory);
        let inward_next = match look_up(&self.inward_next, inward, number) {
            Some(known) => known,
            None => {
                let next = self.ask_group(|judge| &mut judge.inward, label, inward, seen)?;
                *slot(&mut self.inward_next, inward, number) = next;
                next
            }
        };
        let outward_next = if self.outward.is_empty() {
            outward
        } else if self.asks_everywhere {
            self.ask_group(|judge| &mut judge.outward, label, outward, seen)?
        } else {
            let sight = self.sight(outward, store);
            match look_up(&self.outward_next, sight, number) {
                Some(known) => known,
                None => {
                    let next = self.ask_group(|judge| &mut judge.outward, label, outward, seen)?;
                    *slot(&mut self.outward_next, sight, number) = next;
                    next
                }
            }
        };
        let next = self.whole(inward_next, outward_next);
        if self.asks_everywhere {
            self.everywhere.insert((number, memory, store, queues.into()), next);
        }
        Ok(next)
    }

    /// The number of a memory of the second group with a store.
    fn sight(&mut self, memory: u32, store: u32) -> u32 {
        let sight = slot(&mut self.sights, memory, store);
        if *sight == UNKNOWN {
            *sight = self.sights_count;
            self.sights_count += 1;
        }
        *sight
    }

    /// Asks the properties of a group; returns what they remember then.
    fn ask_group(
        &mut self,
        group: impl Fn(&mut Self) -> &mut Group,
        label: &Label,
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<u32, CheckError> {
        let Group { properties, memories } = group(self);
        let (properties, mut asked) = (properties.clone(), memories.value(memory).clone());
        for (property, memory) in properties.into_iter().zip(&mut asked) {
            self.ask(property, label, memory, seen)?;
        }
        Ok(group(self).memories.number(asked))
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
        let said = guard(property.name(), || property.step(memory, &step))?;
        let (store, messages) = (world.store.was_looked_at(), world.messages.was_looked_at());
        let looks = match (store, messages) {
            (_, true) => Looks::Everywhere,
            (true, false) => Looks::AtStore,
            (false, false) => Looks::Inwards,
        };
        if looks > self.looks[number] {
            // It may have been shown no queues, so what it said does not count.
            self.looks[number] = looks;
            self.regroup = true;
        } else if said.is_err() && !self.fallen.contains(&number) {
            self.fallen.push(number);
        }
        Ok(())
    }

    /// Which properties the end of a run breaks, of those in play that `wanted` names.
    pub(super) fn end(
        &self,
        memory: u32,
        end: &End<'_>,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<usize>, CheckError> {
        let (inward, outward) = self.parts(memory);
        let mut fallen = Vec::new();
        for (group, memory) in [(&self.inward, inward), (&self.outward, outward)] {
            if group.is_empty() {
                continue;
            }
            for (property, memory) in group.properties.iter().zip(group.memories.value(memory)) {
                let monitor = &self.system.properties[*property];
                let falls =
                    || guard(monitor.name(), || monitor.end(memory, end)).map(|e| e.is_err());
                if wanted(*property) && falls()? {
                    fallen.push(*property);
                }
            }
        }
        Ok(fallen)
    }

    /// What the one property in play is still owed.
    pub(super) fn owed(&self, memory: u32) -> Result<Vec<Text>, CheckError> {
        let (inward, outward) = self.parts(memory);
        let groups = [(&self.inward, inward), (&self.outward, outward)];
        let Some((group, memory)) = groups.into_iter().find(|(group, _)| !group.is_empty()) else {
            return Ok(Vec::new());
        };
        let monitor = &self.system.properties[group.properties[0]];
        guard(monitor.name(), || monitor.owes(&group.memories.value(memory)[0]))
    }

    pub(super) fn fallen(&self) -> &[usize] {
        &self.fallen
    }

    pub(super) fn regroups(&self) -> bool {
        self.regroup
    }

    /// How many different memories there are.
    pub(super) fn memories(&self) -> usize {
        if self.outward.is_empty() { self.inward.memories.len() } else { self.wholes.len() }
    }

    /// About how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        let documents = |group: &Group| group.memories.len() * (group.properties.len() + 1) * 200;
        let tables = [&self.inward_next, &self.sights, &self.outward_next];
        let tables: usize = tables.into_iter().flatten().map(|row| row.capacity() * 4 + 24).sum();
        let rest = self.wholes.len() * 32 + self.everywhere.capacity() * 48;
        documents(&self.inward) + documents(&self.outward) + tables + rest
    }
}

#[inline]
fn look_up(rows: &[Vec<u32>], row: u32, column: u32) -> Option<u32> {
    let known = *rows.get(row as usize)?.get(column as usize)?;
    (known != UNKNOWN).then_some(known)
}

/// An element of a table that grows as it is used.
fn slot(rows: &mut Vec<Vec<u32>>, row: u32, column: u32) -> &mut u32 {
    let (row, column) = (row as usize, column as usize);
    if rows.len() <= row {
        rows.resize_with(row + 1, Vec::new);
    }
    let row = &mut rows[row];
    if row.len() <= column {
        row.resize(column + 1, UNKNOWN);
    }
    &mut row[column]
}

/// A property is code of a user: one that panics is an error and no verdict.
fn guard<T>(property: &str, ask: impl FnOnce() -> T) -> Result<T, CheckError> {
    catch_unwind(AssertUnwindSafe(ask))
        .map_err(|panic| CheckError::property(property, panic_text(&*panic)))
}
