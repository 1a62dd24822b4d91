//! What can be seen of a step by those who look at certain things only: steps and worlds that look
//! alike to them have one number.

use rustc_hash::FxHashMap;

use super::intern::Interner;
use crate::check::Messages;
use crate::check::looks::{Collections, Looks};
use crate::check::step::Stepped;
use crate::store::Text;
use crate::store::memory::{Content, State};

const UNKNOWN: u32 = u32::MAX;

/// A step as the properties see it: the number of the process, and what it did.
pub(super) type Label = (Option<u32>, Stepped);

/// A world, with the numbers of its parts.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) store: (u32, &'a State),
    pub(super) queues: (&'a [u32], &'a Messages),
}

/// The contents of collections, each under a number.
#[derive(Default)]
pub(super) struct Contents(FxHashMap<Text, Collection>);

#[derive(Default)]
struct Collection {
    contents: Interner<Content>,
    /// By the number of the store.
    of_store: Vec<u32>,
}

/// What is seen by those who look at these things.
pub(super) struct Lens {
    looks: Looks,
    steps: Interner<Label>,
    /// By the number of the label: that of what is seen of it.
    step_of: Vec<u32>,
    stores: Interner<Vec<u32>>,
    /// The same by the number of the store.
    store_of: Vec<u32>,
    /// The same with the queues, where they are looked at.
    worlds: FxHashMap<(u32, Box<[u32]>), u32>,
}

impl Contents {
    /// The number of the content that a collection has in a store.
    fn number(&mut self, collection: &Text, (store, state): (u32, &State)) -> u32 {
        let Collection { contents, of_store } = self.0.entry(collection.clone()).or_default();
        let number = slot(of_store, store);
        if *number == UNKNOWN {
            *number = contents.number(state.content(collection));
        }
        *number
    }

    /// About how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.values().map(|one| one.of_store.len() * 4 + one.contents.len() * 1024).sum()
    }
}

impl Lens {
    pub(super) fn new(looks: Looks) -> Lens {
        Lens {
            looks,
            steps: Interner::new(),
            step_of: Vec::new(),
            stores: Interner::new(),
            store_of: Vec::new(),
            worlds: FxHashMap::default(),
        }
    }

    pub(super) fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Whether anything is seen but the step itself.
    #[inline]
    pub(super) fn is_at_world(&self) -> bool {
        self.looks.messages || self.looks.is_at_store()
    }

    /// What is seen of a step, if it was shown before.
    #[inline]
    pub(super) fn step(&self, label: u32) -> Option<u32> {
        known(&self.step_of, label)
    }

    /// What is seen of a world, if it was shown before.
    #[inline]
    pub(super) fn world(&self, store: u32, queues: &[u32]) -> Option<u32> {
        let store = known(&self.store_of, store)?;
        if !self.looks.messages {
            return Some(store);
        }
        self.worlds.get(&(store, queues.into())).copied()
    }

    /// Shows a step and the world after it: what is seen of each.
    pub(super) fn show(
        &mut self,
        label: (u32, &Label),
        seen: Seen<'_>,
        contents: &mut Contents,
    ) -> (u32, u32) {
        let step = self.show_step(label);
        (step, if self.is_at_world() { self.show_world(seen, contents) } else { 0 })
    }

    fn show_step(&mut self, (number, label): (u32, &Label)) -> u32 {
        let seen = slot(&mut self.step_of, number);
        if *seen == UNKNOWN {
            *seen = self.steps.number(self.looks.aspects.of(label));
        }
        *seen
    }

    fn show_world(&mut self, seen: Seen<'_>, contents: &mut Contents) -> u32 {
        let store = self.show_store(seen.store, contents);
        if !self.looks.messages {
            return store;
        }
        let next = self.worlds.len() as u32;
        *self.worlds.entry((store, seen.queues.0.into())).or_insert(next)
    }

    fn show_store(&mut self, store: (u32, &State), contents: &mut Contents) -> u32 {
        let seen = slot(&mut self.store_of, store.0);
        if *seen == UNKNOWN {
            *seen = match &self.looks.collections {
                Collections::All => store.0,
                Collections::Some(names) => {
                    let all = names.iter().map(|name| contents.number(name, store)).collect();
                    self.stores.number(all)
                }
            };
        }
        *seen
    }

    /// About how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        let numbers = (self.step_of.len() + self.store_of.len()) * 4;
        numbers + self.steps.len() * 1024 + self.stores.len() * 120 + self.worlds.capacity() * 64
    }
}

/// What a table that grows as it is used has for a number, if anything.
#[inline]
fn known(table: &[u32], number: u32) -> Option<u32> {
    table.get(number as usize).copied().filter(|known| *known != UNKNOWN)
}

/// The place of a number in a table that grows as it is used; [`known`] says whether it was filled.
fn slot(table: &mut Vec<u32>, number: u32) -> &mut u32 {
    let number = number as usize;
    if table.len() <= number {
        table.resize(number + 1, UNKNOWN);
    }
    &mut table[number]
}
