//! A property, as a small automaton that is fed every step of a run.

use std::cell::Cell;
use std::ops::Deref;

use super::messages::Messages;
use super::request::{Answer, Request};
use super::world::World;
use crate::env::Event;
use crate::store::memory::State;
use crate::store::{Document, Text};

/// A property of runs: a small automaton, fed every step.
///
/// What it remembers is a document, so that an engine can compare and store it. An `Err` says
/// that the property fell, and why, for people to read.
///
/// Two steps of different processes that only read, or change nothing and tell nothing, may be
/// reported in either order, and an engine may leave one of the two orders out: a verdict must not
/// depend on which of two such steps came first.
pub trait Monitor: Send + Sync {
    /// The name, as models and reports spell it.
    fn name(&self) -> &str;

    /// What the monitor remembers before the first step.
    fn start(&self) -> Document {
        Document::new()
    }

    /// A step of a process.
    ///
    /// # Errors
    ///
    /// The property fell.
    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String>;

    /// The run is over: no process can go on.
    ///
    /// # Errors
    ///
    /// The property fell.
    fn end(&self, _memory: &Document, _end: &End<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Whether the property is also about runs without end: [`Monitor::owes`] is asked then. An
    /// explorer keeps the graph of all states for it, some 80 bytes a state; no other engine can
    /// tell.
    fn is_of_endless_runs(&self) -> bool {
        false
    }

    /// What is still to become so, each by a name. The property falls if on a weakly fair run
    /// without end one of these is owed for ever from some time on. Of a run that ends
    /// [`Monitor::end`] judges.
    fn owes(&self, _memory: &Document) -> Vec<Text> {
        Vec::new()
    }
}

/// What one step of a run was.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The process that did it, or to which it happened; `None` for what was so before the first
    /// step, and for what happens to the database.
    pub process: Option<&'a Text>,
    /// What it had asked.
    pub request: Option<&'a Request>,
    /// What it was answered, if the step was the last of the request.
    pub answer: Option<&'a Answer>,
    /// What it told then.
    pub events: &'a [Event],
    /// The error with which it stopped then.
    pub failure: Option<&'a Text>,
    /// Whether it is no step that it asked for, but a crash: it has forgotten everything.
    pub crashed: bool,
    /// The world after the step.
    pub world: &'a Watched<'a>,
}

/// The world as a monitor sees it: an engine is told which parts it has looked at, so that what
/// it says need not be asked again for worlds that differ elsewhere.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The documents and their indexes.
    pub store: Look<'a, State>,
    /// The broker's queues.
    pub messages: Look<'a, Messages>,
}

/// A part of the world that knows whether it was looked at.
#[derive(Debug)]
pub struct Look<'a, T> {
    part: &'a T,
    looked: Cell<bool>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(world: &'a World) -> Watched<'a> {
        Watched::over(&world.store, &world.messages)
    }

    pub(crate) fn over(store: &'a State, messages: &'a Messages) -> Watched<'a> {
        Watched { store: Look::new(store), messages: Look::new(messages) }
    }
}

impl<'a, T> Look<'a, T> {
    fn new(part: &'a T) -> Look<'a, T> {
        Look { part, looked: Cell::new(false) }
    }

    pub(crate) fn was_looked_at(&self) -> bool {
        self.looked.get()
    }
}

impl<T> Deref for Look<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.looked.set(true);
        self.part
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The processes that wait for what nobody will do: they pause, and what would wake them
    /// does not come.
    pub stuck: &'a [Text],
    /// The world at the end.
    pub world: &'a World,
}
