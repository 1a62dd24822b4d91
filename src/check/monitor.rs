//! A property, as a small automaton that is fed every step of a run.

use super::request::{Answer, Request};
use super::world::World;
use crate::env::Event;
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
    fn name(&self) -> &'static str;

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
}

/// What one step of a run was.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The process that did it; `None` for what was so before the first step.
    pub process: Option<&'a Text>,
    /// What it had asked.
    pub request: Option<&'a Request>,
    /// What it was answered, if the step was the last of the request.
    pub answer: Option<&'a Answer>,
    /// What it told then.
    pub events: &'a [Event],
    /// The error with which it stopped then.
    pub failure: Option<&'a Text>,
    /// The world after the step.
    pub world: &'a World,
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
