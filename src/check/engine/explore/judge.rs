//! The properties as part of the state: what they remember is one more component.
//!
//! What a property says of a step is asked once for each different thing that it sees through its
//! [`Lens`], for the whole search and all its passes. Those that look at the same documents are a group
//! and remember together, so that to ask all of them is a look-up or two for each group.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::intern::Interner;
use super::lens::{Contents, Label, Lens, Seen};
use super::renaming::Renaming;
use super::scales::{Alive, Counters};
use crate::check::looks::Looks;
use crate::check::monitor::{End, Monitor, Step, Watched};
use crate::check::process::panic_text;
use crate::check::step::Stepped;
use crate::check::system::System;
use crate::store::{Document, Text};

/// What one property has said.
struct Opinion {
    looks: Looks,
    /// The number of the lens for that.
    lens: usize,
    memories: Interner<Document>,
    /// By memory, step and world, as it sees them: what it remembers then, and whether it fell.
    said: FxHashMap<(u32, u32, u32), (u32, bool)>,
}

/// Properties that look at the same documents: none has to be asked again for what only one of another
/// group can see.
struct Group {
    /// The number of the lens for what any of them looks at.
    lens: usize,
    properties: Vec<usize>,
    /// What they remember together: for each the number of it.
    memories: Interner<Box<[u32]>>,
    /// By memory, step and world, as any of them sees these: what they remember then.
    next: FxHashMap<(u32, u32, u32), u32>,
}

/// The properties that are tracked, and what they have said so far.
pub(super) struct Judge<'s> {
    system: &'s System,
    opinions: Vec<Opinion>,
    lenses: Vec<Lens>,
    contents: Contents,
    /// The properties that are tracked.
    in_play: Vec<usize>,
    groups: Vec<Group>,
    /// What all groups remember, as one number.
    wholes: Interner<Box<[u32]>>,
    /// Whether a property looked at something new: what was found is to be forgotten.
    regroup: bool,
    /// Which properties fell at a step, in this pass.
    fallen: Vec<usize>,
    /// Whether one fell that is not among them any more.
    forgot: bool,
    /// Whether a memory shows that its property fell.
    marks_falls: bool,
    /// What is counted up, where a property has to go by the order of ordinals alone.
    counters: Option<Counters>,
}

/// What became of memories by one change, as far as that was asked: by the group or the property, and
/// the number of its memory. It holds until memories have new numbers.
#[derive(Default)]
pub(super) struct Changed {
    of_groups: FxHashMap<(usize, u32), u32>,
    of_properties: FxHashMap<(usize, u32), u32>,
}

impl Changed {
    pub(super) fn bytes(&self) -> usize {
        (self.of_groups.capacity() + self.of_properties.capacity()) * 28
    }
}

impl Group {
    fn bytes(&self) -> usize {
        let memory = 80 + 8 * self.properties.len();
        self.memories.len() * memory + self.next.capacity() * 18
    }
}

impl<'s> Judge<'s> {
    pub(super) fn new(system: &'s System) -> Judge<'s> {
        let opinion = |_| Opinion {
            looks: Looks::default(),
            lens: usize::MAX,
            memories: Interner::new(),
            said: FxHashMap::default(),
        };
        Judge {
            system,
            opinions: system.properties.iter().map(opinion).collect(),
            lenses: Vec::new(),
            contents: Contents::default(),
            in_play: Vec::new(),
            groups: Vec::new(),
            wholes: Interner::new(),
            regroup: false,
            fallen: Vec::new(),
            forgot: false,
            marks_falls: false,
            counters: None,
        }
    }

    /// From now on, whether a memory shows that its property fell: then memories that agree under
    /// other names agree about falls too.
    pub(super) fn mark_falls(&mut self, marks_falls: bool) {
        self.marks_falls = marks_falls;
    }

    /// Forgets the latest properties that fell, but for so many: until then what was said in this pass is not
    /// asked again, so that it would not be told once more.
    pub(super) fn forget_fallen(&mut self, kept: usize) {
        self.forgot |= self.fallen.len() > kept;
        self.fallen.truncate(kept);
    }

    /// From now on, whether a property has to go by the order of ordinals alone: what it said before
    /// was not checked for that.
    pub(super) fn go_by_order(&mut self, counters: Option<Counters>) {
        if self.counters.is_some() != counters.is_some() {
            self.opinions.iter_mut().for_each(|opinion| opinion.said.clear());
        }
        self.counters = counters;
    }

    /// The ordinals that are remembered.
    pub(super) fn alive(&self, whole: u32) -> Alive {
        if self.is_idle() {
            return Alive::default();
        }
        let memories = self.memories(whole).map(|(_, memory)| Alive::of(memory));
        memories.fold(Alive::default(), |all, memory| all.and(&memory))
    }

    /// What is remembered, under other names, of which some is known.
    pub(super) fn renamed(&mut self, whole: u32, renaming: &Renaming, known: &mut Changed) -> u32 {
        self.changed(whole, &|memory| renaming.of(memory), known)
    }

    /// What is remembered, with each memory changed, of which some is known.
    pub(super) fn changed(
        &mut self,
        whole: u32,
        change: &dyn Fn(&Document) -> Document,
        known: &mut Changed,
    ) -> u32 {
        if self.is_idle() {
            return whole;
        }
        let mut changed = self.wholes.value(whole).clone();
        for (number, memory) in changed.iter_mut().enumerate() {
            *memory = match known.of_groups.get(&(number, *memory)) {
                Some(known) => *known,
                None => {
                    let new = self.changed_of_group((number, *memory), change, known);
                    *known.of_groups.entry((number, *memory)).or_insert(new)
                }
            };
        }
        self.wholes.number(changed)
    }

    /// The same for what a group remembers.
    fn changed_of_group(
        &mut self,
        (number, memory): (usize, u32),
        change: &dyn Fn(&Document) -> Document,
        known: &mut Changed,
    ) -> u32 {
        let group = &mut self.groups[number];
        let mut all = group.memories.value(memory).clone();
        for (property, memory) in group.properties.iter().zip(&mut all) {
            let memories = &mut self.opinions[*property].memories;
            let known = known.of_properties.entry((*property, *memory));
            *memory = *known.or_insert_with(|| memories.number(change(memories.value(*memory))));
        }
        group.memories.number(all)
    }

    /// Begins again with these properties. What they said stays; what becomes of all that they remember
    /// does as well where they are the same, unless all that comes up is to be asked `anew`. Returns
    /// whether memories have new numbers.
    pub(super) fn reset(&mut self, in_play: &[usize], anew: bool) -> bool {
        let nothing_fell = self.fallen.is_empty() && !std::mem::take(&mut self.forgot);
        if self.in_play == in_play && !self.regroup && nothing_fell && !anew {
            return false;
        }
        self.in_play = in_play.to_vec();
        self.regroup = false;
        self.fallen.clear();
        self.wholes = Interner::new();
        in_play.iter().for_each(|property| self.see_through_lens(*property));
        self.groups.clear();
        for property in in_play {
            self.join_group(*property);
        }
        true
    }

    /// Gives a property the lens for what it looks at.
    fn see_through_lens(&mut self, property: usize) {
        let lens = self.lens(self.opinions[property].looks.clone());
        let opinion = &mut self.opinions[property];
        if opinion.lens != lens {
            (opinion.lens, opinion.said) = (lens, FxHashMap::default());
        }
    }

    /// Puts a property to those that look at the same documents.
    fn join_group(&mut self, property: usize) {
        let looks = self.opinions[property].looks.clone();
        let all = self.groups.iter().map(|group| self.lenses[group.lens].looks());
        let joined = all.enumerate().find_map(|(number, others)| {
            others.are_at_same(&looks).then(|| (number, others.clone().and(looks.clone())))
        });
        match joined {
            Some((number, looks)) => {
                self.groups[number].lens = self.lens(looks);
                self.groups[number].properties.push(property);
            }
            None => {
                let (lens, properties) = (self.lens(looks), vec![property]);
                let (memories, next) = (Interner::new(), FxHashMap::default());
                self.groups.push(Group { lens, properties, memories, next });
            }
        }
    }

    /// The number of the lens for what is looked at.
    fn lens(&mut self, looks: Looks) -> usize {
        let known = self.lenses.iter().position(|lens| *lens.looks() == looks);
        known.unwrap_or_else(|| {
            self.lenses.push(Lens::new(looks));
            self.lenses.len() - 1
        })
    }

    /// What the properties remember before anything was told.
    pub(super) fn start(&mut self) -> u32 {
        let Judge { system, opinions, groups, .. } = self;
        let mut start = |property: &usize| {
            opinions[*property].memories.number(system.properties[*property].start())
        };
        let of_group = |group: &mut Group| {
            let all = group.properties.iter().map(&mut start).collect();
            group.memories.number(all)
        };
        let whole = groups.iter_mut().map(of_group).collect();
        self.wholes.number(whole)
    }

    /// Whether the properties have to be shown the queues: to put them together takes time.
    pub(super) fn looks_at_queues(&self) -> bool {
        self.groups.iter().any(|group| self.lenses[group.lens].looks().messages)
    }

    /// Whether no property is tracked.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.groups.is_empty()
    }

    /// What the properties remember after a step, if they were asked before.
    pub(super) fn next(
        &self,
        label: u32,
        memory: u32,
        store: u32,
        queues: impl Iterator<Item = u32>,
    ) -> Option<u32> {
        let queues: Vec<u32> = if self.looks_at_queues() { queues.collect() } else { Vec::new() };
        let before = self.wholes.value(memory);
        let after = self.groups.iter().zip(before).map(|(group, before)| {
            let lens = &self.lenses[group.lens];
            let world = if lens.is_at_world() { lens.world(store, &queues)? } else { 0 };
            group.next.get(&(*before, lens.step(label)?, world)).copied()
        });
        let after = after.collect::<Option<Box<[u32]>>>()?;
        self.wholes.known(&*after)
    }

    /// Asks the properties what they say of a step: what they remember then, and whether any of them
    /// was not asked before.
    pub(super) fn learn(
        &mut self,
        label: (u32, &Label),
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<(u32, bool), CheckError> {
        let mut after = self.wholes.value(memory).clone();
        let mut is_new = false;
        for (group, remembered) in after.iter_mut().enumerate() {
            let (next, is_first) = self.learn_of_group(group, label, *remembered, seen)?;
            (*remembered, is_new) = (next, is_new | is_first);
        }
        let is_same = after == *self.wholes.value(memory);
        Ok((if is_same { memory } else { self.wholes.number(after) }, is_new))
    }

    /// The same for a group.
    fn learn_of_group(
        &mut self,
        number: usize,
        label: (u32, &Label),
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<(u32, bool), CheckError> {
        let group = &self.groups[number];
        let (step, world) = self.lenses[group.lens].show(label, seen, &mut self.contents);
        if let Some(known) = group.next.get(&(memory, step, world)) {
            return Ok((*known, false));
        }
        let mut after = group.memories.value(memory).clone();
        for (place, remembered) in after.iter_mut().enumerate() {
            let property = self.groups[number].properties[place];
            *remembered = self.ask(property, label, *remembered, seen)?;
        }
        let group = &mut self.groups[number];
        let next = group.memories.number(after);
        group.next.insert((memory, step, world), next);
        Ok((next, true))
    }

    /// What a property says, asked once for what it sees.
    fn ask(
        &mut self,
        number: usize,
        label: (u32, &Label),
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<u32, CheckError> {
        let lens = &mut self.lenses[self.opinions[number].lens];
        let (step, world) = lens.show(label, seen, &mut self.contents);
        let key = (memory, step, world);
        let (next, falls) = match self.opinions[number].said.get(&key) {
            Some(said) => *said,
            None => {
                let Some(said) = self.ask_anew(number, label.1, memory, seen)? else {
                    return Ok(memory);
                };
                self.opinions[number].said.insert(key, said);
                said
            }
        };
        if falls && !self.fallen.contains(&number) {
            self.fallen.push(number);
        }
        Ok(next)
    }

    /// Asks a property: what it remembers then, and whether it fell; `None` where it looked at what
    /// it had not looked at before, and maybe was not shown.
    fn ask_anew(
        &mut self,
        number: usize,
        (process, stepped): &Label,
        memory: u32,
        seen: Seen<'_>,
    ) -> Result<Option<(u32, bool)>, CheckError> {
        let property = &self.system.properties[number];
        let Opinion { looks, memories, .. } = &mut self.opinions[number];
        if has_fallen(memories.value(memory)) {
            return Ok(Some((memory, false)));
        }
        let world = Watched::over(seen.store.1, seen.queues.1);
        let name = process.map(|process| &self.system.processes[process as usize].name);
        let step = Step::new(name, stepped, &world);
        let before = memory;
        let mut memory = memories.value(memory).clone();
        let said = guard(property.name(), || property.step(&mut memory, &step))?;
        if looks.grow(&step.looks()) {
            self.regroup = true;
            return Ok(None);
        }
        if let Some(counters) = &self.counters {
            let before = self.opinions[number].memories.value(before);
            let label = (name, stepped);
            check_order(&**property, label, (before, &memory), seen, (&said, counters))?;
        }
        let memories = &mut self.opinions[number].memories;
        if said.is_err() && self.marks_falls {
            memory.set(FELL, true);
        }
        Ok(Some((memories.number(memory), said.is_err())))
    }

    /// Which properties the end of a run breaks, of those in play that `wanted` names.
    pub(super) fn end(
        &self,
        memory: u32,
        end: &End<'_>,
        wanted: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<usize>, CheckError> {
        self.end_of(memory, end, wanted, &Document::clone)
    }

    /// The same with each memory changed.
    pub(super) fn end_of(
        &self,
        memory: u32,
        end: &End<'_>,
        wanted: &dyn Fn(usize) -> bool,
        change: &dyn Fn(&Document) -> Document,
    ) -> Result<Vec<usize>, CheckError> {
        let mut fallen = Vec::new();
        for (property, memory) in self.memories(memory).filter(|(property, _)| wanted(*property)) {
            let monitor = &self.system.properties[property];
            if has_fallen(memory) {
                continue;
            }
            let memory = change(memory);
            if guard(monitor.name(), || monitor.end(&memory, end))?.is_err() {
                fallen.push(property);
            }
        }
        Ok(fallen)
    }

    /// What the one property in play is still owed.
    pub(super) fn owed(&self, memory: u32) -> Result<Vec<Text>, CheckError> {
        let Some((property, memory)) = self.memories(memory).next() else { return Ok(Vec::new()) };
        let monitor = &self.system.properties[property];
        let owed = guard(monitor.name(), || monitor.owes(memory))?;
        if self.counters.is_some() {
            for stretch in Alive::of(memory).stretches() {
                let other = guard(monitor.name(), || monitor.owes(&stretch.of(memory)))?;
                if other != owed {
                    let what =
                        format!("it is owed {}, and not {}", other.join(", "), owed.join(", "));
                    return Err(CheckError::counts_in(monitor.name(), what));
                }
            }
        }
        Ok(owed)
    }

    /// The properties in play, with what each remembers.
    fn memories(&self, whole: u32) -> impl Iterator<Item = (usize, &Document)> {
        let of_group = |(group, memory): (&Group, &u32)| {
            let memories = group.memories.value(*memory).iter().copied();
            group.properties.iter().copied().zip(memories).collect::<Vec<_>>()
        };
        let all = self.groups.iter().zip(self.wholes.value(whole)).flat_map(of_group);
        all.map(|(property, memory)| (property, self.opinions[property].memories.value(memory)))
    }

    pub(super) fn fallen(&self) -> &[usize] {
        &self.fallen
    }

    pub(super) fn regroups(&self) -> bool {
        self.regroup
    }

    /// How many different memories there are.
    pub(super) fn count(&self) -> usize {
        self.wholes.len()
    }

    /// About how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        let opinion = |one: &Opinion| one.memories.len() * 200 + one.said.capacity() * 24;
        let opinions: usize = self.opinions.iter().map(opinion).sum();
        let groups: usize = self.groups.iter().map(Group::bytes).sum();
        let lenses: usize = self.lenses.iter().map(Lens::bytes).sum();
        opinions + groups + lenses + self.contents.bytes() + self.wholes.len() * 100
    }
}

/// A field that no property remembers.
const FELL: &str = "\0fell";

fn has_fallen(memory: &Document) -> bool {
    memory.get(FELL).is_some()
}

/// Refuses a property that says or remembers something else where ordinals are further apart.
fn check_order(
    property: &dyn Monitor,
    (name, stepped): (Option<&Text>, &Stepped),
    (before, after): (&Document, &Document),
    seen: Seen<'_>,
    (said, counters): (&Result<(), String>, &Counters),
) -> Result<(), CheckError> {
    let (store, messages) = (seen.store.1, seen.queues.1);
    let alive = Alive::of_store(store, counters)
        .and(&Alive::of(messages))
        .and(&Alive::of(stepped))
        .and(&Alive::of(before));
    for stretch in alive.stretches() {
        let (store, messages) = (stretch.of(store), stretch.of(messages));
        let (stepped, mut memory) = (stretch.of(stepped), stretch.of(before));
        let world = Watched::over(&store, &messages);
        let step = Step::new(name, &stepped, &world);
        let other = guard(property.name(), || property.step(&mut memory, &step))?;
        let what = match (said, &other) {
            (Ok(()), Err(why)) => format!("it falls: {why}"),
            (Err(why), Ok(())) => format!("it does not fall: {why}"),
            _ if memory != stretch.of(after) => {
                format!("that it remembers {} is expected, and not {memory}", stretch.of(after))
            }
            _ => continue,
        };
        return Err(CheckError::counts_in(property.name(), what));
    }
    Ok(())
}

/// A property is code of a user: one that panics is an error and no verdict.
fn guard<T>(property: &str, ask: impl FnOnce() -> T) -> Result<T, CheckError> {
    catch_unwind(AssertUnwindSafe(ask))
        .map_err(|panic| CheckError::property(property, panic_text(&*panic)))
}
