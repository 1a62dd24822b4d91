//! Mutations: the code under check with one command of it changed.
//!
//! A check is as good as the mistakes that it finds. So the commands that code sends are changed one
//! at a time on their way to the store, and some property has to fall (DeMillo, Lipton and Sayward,
//! *Hints on test data selection*, Computer 11(4), 1978). The mutations are not listed by hand: they
//! are made from the commands that the code was seen to send.

mod change;
mod edge;
mod shape;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use change::Change;
pub(crate) use edge::{Edge, Met};
pub use shape::Shape;

use super::System;
use crate::store::Text;
use crate::store::memory::State;

/// One thing that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutation {
    /// Every command of a shape.
    Command {
        /// Which, as [`Shape`] is written.
        command: Text,
        /// What is changed about it.
        change: Change,
    },
    /// A unique index is not there.
    NoIndex {
        /// The collection.
        collection: Text,
        /// The name of the index.
        index: Text,
    },
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mutation::Command { command, change } => write!(f, "{command}: {change}"),
            Mutation::NoIndex { collection, index } => {
                write!(f, "{collection}: without the index {index}")
            }
        }
    }
}

impl Mutation {
    /// Every change of the commands of these shapes.
    pub fn of<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> impl Iterator<Item = Mutation> {
        shapes.into_iter().flat_map(|shape| {
            let command: Text = shape.to_string().into();
            let changes = Change::of(shape.command()).into_iter();
            changes.map(move |change| Mutation::Command { command: command.clone(), change })
        })
    }

    /// Every index of a store not there.
    pub fn of_indexes(store: &State) -> impl Iterator<Item = Mutation> {
        store.indexes().map(|(collection, index)| Mutation::NoIndex {
            collection: collection.clone(),
            index: index.clone(),
        })
    }
}

/// The texts that belong to the code and not to a run: a state of a task, say, and not its name.
/// Two commands that differ in one of these have different shapes.
pub type Literals = Arc<BTreeSet<Text>>;

/// The shapes of the commands that were sent.
#[derive(Clone, Debug, Default)]
pub struct Shapes(Arc<Mutex<BTreeSet<Shape>>>);

impl Shapes {
    /// The shapes so far.
    #[must_use]
    pub fn seen(&self) -> BTreeSet<Shape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, shape: Shape) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shape);
    }
}

impl System {
    /// The same system, whose processes note the shape of each command that they send.
    #[must_use]
    pub fn recording(self, literals: &Literals, shapes: &Shapes) -> System {
        self.with_edge(&Edge::Recording(Arc::clone(literals), shapes.clone()))
    }

    /// The same system with one thing changed.
    #[must_use]
    pub fn mutated(mut self, literals: &Literals, mutation: Mutation) -> System {
        match mutation {
            Mutation::Command { command, change } => self.with_edge(&Edge::Mutated(
                Arc::clone(literals),
                command,
                change,
                Met::default(),
            )),
            Mutation::NoIndex { collection, index } => {
                self.world.store.drop_index(&collection, &index);
                self
            }
        }
    }

    /// The shape of the commands that a mutation is to change, if no process has sent one so far that it
    /// can change: once all runs were made, nothing was mutated.
    #[must_use]
    pub fn never_mutated(&self) -> Option<&Text> {
        self.processes.iter().find_map(|process| process.edge.unmet())
    }

    fn with_edge(mut self, edge: &Edge) -> System {
        for process in &mut self.processes {
            process.edge = edge.clone();
        }
        self
    }
}
