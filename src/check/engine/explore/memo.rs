//! What was found out about single choices, kept from one pass of the search to the next.
//!
//! A pass that begins again calls the places where processes stand by new numbers, since the nodes
//! of their automata are classed anew. But what a process does from a node, in a world of one
//! content, stays true: so here nodes are kept, and not classes.

use rustc_hash::FxHashMap;

use super::automaton::NodeId;

/// Stands for the number of something that a choice has nothing to do with.
pub(super) const NOTHING: u32 = u32::MAX;

/// All that decides what a choice leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) choice: u32,
    pub(super) node: NodeId,
    /// How far what the process asked for has come.
    pub(super) at: u32,
    pub(super) store: u32,
    pub(super) queue: u32,
    pub(super) faults: u32,
}

/// What it leads to; of what it has nothing to do with, what the world had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) node: NodeId,
    pub(super) at: u32,
    pub(super) store: u32,
    pub(super) queue: u32,
    pub(super) faults: u32,
    /// What the properties see of it; [`NOTHING`] where none was in play.
    pub(super) label: u32,
}

/// What was found out so far; `None` for a choice that cannot be.
#[derive(Default)]
pub(super) struct Memo(FxHashMap<Asked, Option<Found>>);

impl Memo {
    /// What a choice leads to, if it is known, and known with its label if that counts.
    pub(super) fn known(&self, asked: &Asked, with_label: bool) -> Option<Option<Found>> {
        let found = *self.0.get(asked)?;
        let lacks_label = |found: Found| with_label && found.label == NOTHING;
        (!found.is_some_and(lacks_label)).then_some(found)
    }

    pub(super) fn put(&mut self, asked: Asked, found: Option<Found>) {
        self.0.insert(asked, found);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * 8 / 7 * (size_of::<(Asked, Option<Found>)>() + 1)
    }
}
