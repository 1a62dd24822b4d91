//! A property, as a small automaton that is fed every step of a run.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use super::looks::{Aspect, Aspects, Collections, Looks};
use super::messages::Messages;
use super::request::{Answer, Request};
use super::step::Stepped;
use super::world::World;
use crate::env::Event;
use crate::store::memory::State;
use crate::store::{Document, Text, Value};

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

/// What one step of a run was, and the world after it. Whoever asks for a part of it is noted as
/// having seen it, see [`Watched`].
#[derive(Debug)]
pub struct Step<'a> {
    process: Option<&'a Text>,
    stepped: &'a Stepped,
    looked: Cell<Aspects>,
    /// The world after the step.
    pub world: &'a Watched<'a>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(
        process: Option<&'a Text>,
        stepped: &'a Stepped,
        world: &'a Watched<'a>,
    ) -> Step<'a> {
        Step { process, stepped, looked: Cell::default(), world }
    }

    fn look(&self, at: Aspect) -> &'a Stepped {
        self.looked.set(self.looked.get().with(at));
        self.stepped
    }

    /// The process that did it, or to which it happened; `None` for what was so before the first
    /// step, and for what happens to the database.
    #[must_use]
    pub fn process(&self) -> Option<&'a Text> {
        self.look(Aspect::Process);
        self.process
    }

    /// What the process had asked.
    #[must_use]
    pub fn request(&self) -> Option<&'a Request> {
        self.look(Aspect::Request).request.as_ref()
    }

    /// What it was answered, if the step was the last of the request.
    #[must_use]
    pub fn answer(&self) -> Option<&'a Answer> {
        self.look(Aspect::Answer).answer.as_ref()
    }

    /// What it told then.
    #[must_use]
    pub fn events(&self) -> &'a [Event] {
        &self.look(Aspect::Events).events
    }

    /// The error with which it stopped then.
    #[must_use]
    pub fn failure(&self) -> Option<&'a Text> {
        self.look(Aspect::Failure).failure.as_ref()
    }

    /// The places ([`Env::within`](crate::env::Env::within)) that it was inside of and is not any more,
    /// since what it did there was stopped: a guard ended beside it.
    #[must_use]
    pub fn left(&self) -> &'a [Text] {
        &self.look(Aspect::Left).left
    }

    /// Whether a guard ended in it ([`Env::beside`](crate::env::Env::beside)): the work of the process
    /// was stopped where it was, and it goes on after that.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.look(Aspect::Stop);
        self.stepped.stopped
    }

    /// Whether it is no step that it asked for, but a crash: it has forgotten everything.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.look(Aspect::Crash).crashed
    }

    /// What was looked at so far.
    pub(crate) fn looks(&self) -> Looks {
        let Watched { store, messages } = self.world;
        let (collections, messages) = (store.looked.borrow().clone(), messages.looked.get());
        Looks { aspects: self.looked.get(), collections, messages }
    }
}

/// The world as a monitor sees it: an engine is told which parts it has looked at, so that what
/// it says need not be asked again for worlds that differ elsewhere.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The documents.
    pub store: Documents<'a>,
    /// The broker's queues.
    pub messages: Look<'a, Messages>,
}

/// The documents of a world, which know those of which collections were looked at.
#[derive(Debug)]
pub struct Documents<'a> {
    state: &'a State,
    looked: RefCell<Collections>,
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

    pub(crate) fn over(state: &'a State, messages: &'a Messages) -> Watched<'a> {
        let store = Documents { state, looked: RefCell::default() };
        Watched { store, messages: Look { part: messages, looked: Cell::new(false) } }
    }
}

impl<'a> Documents<'a> {
    /// The document of a collection with this `_id`.
    #[must_use]
    pub fn get(&self, collection: &str, id: &Value) -> Option<&'a Document> {
        self.looked.borrow_mut().add(collection);
        self.state.get(collection, id)
    }

    /// The documents of a collection, in the order of their `_id`s.
    pub fn documents(&self, collection: &str) -> impl Iterator<Item = &'a Document> + use<'a> {
        self.looked.borrow_mut().add(collection);
        self.state.documents(collection)
    }

    /// The whole store, for what the methods above do not say. Whoever looks at it is asked anew for
    /// each store that differs in anything.
    #[must_use]
    pub fn whole(&self) -> &'a State {
        *self.looked.borrow_mut() = Collections::All;
        self.state
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
#[derive(Debug)]
pub struct End<'a> {
    /// The processes that wait for what nobody will do: they pause, and what would wake them
    /// does not come.
    pub stuck: &'a [Text],
    /// The world at the end.
    pub world: &'a Watched<'a>,
}
