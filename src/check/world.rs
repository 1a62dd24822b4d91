//! The world that the processes share, and what one step of a request does to it.

use super::messages::Messages;
use super::request::{Answer, Request};
use super::system::{Commands, System};
use crate::env::{Condition, Wake};
use crate::store::filter::Filter;
use crate::store::memory::{Access, Execution, State};
use crate::store::{Command, Operation, Reply, StoreError, Text};

/// The world that the processes share: the store and the queues. A clone is a pointer copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    /// The documents and their indexes.
    pub store: State,
    /// The broker's queues.
    pub messages: Messages,
}

/// How a store lies, to show that code which relies on its replies checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BrokenStore {
    /// An update reports twice the number of documents that it matched.
    CountsTwice,
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pending {
    /// A command, which may have several phases.
    Command(Execution),
    /// Anything else: one step.
    Other(Request),
}

impl Pending {
    pub(crate) fn new(request: Request) -> Pending {
        match request {
            Request::Command(command) => Pending::Command(Execution::begin(command)),
            other => Pending::Other(other),
        }
    }

    /// Whether the next step only reads.
    pub(crate) fn access(&self, commands: Commands) -> Access {
        match (self, commands) {
            (Pending::Command(execution), Commands::AsTheServer) => execution.access(),
            (Pending::Command(execution), Commands::InOneStep) => {
                if execution.command().operation.is_write() { Access::Write } else { Access::Read }
            }
            (Pending::Other(_), _) => Access::Write,
        }
    }

    /// What was asked.
    pub(crate) fn request(&self) -> Request {
        match self {
            Pending::Command(execution) => Request::Command(execution.command().clone()),
            Pending::Other(request) => request.clone(),
        }
    }

    /// Whether the process waits until another attempt may be useful.
    pub(crate) fn is_pause(&self) -> bool {
        matches!(self, Pending::Other(Request::Pause(..) | Request::Idle(..)))
    }

    /// Whether it waits so with something left to be done.
    pub(crate) fn is_stuck(&self) -> bool {
        matches!(self, Pending::Other(Request::Pause(..)))
    }
}

impl World {
    /// Whether the next step of a request can be done now, or waits for another process.
    pub(crate) fn enables(&self, pending: &Pending) -> bool {
        match pending {
            Pending::Other(Request::Receive(queue) | Request::Take(queue)) => {
                !self.messages.is_empty(queue)
            }
            // That time has passed is a choice of its own.
            Pending::Other(Request::Rest) => false,
            Pending::Other(
                Request::Pause(Wake::When(any), _) | Request::Idle(Wake::When(any), _),
            ) => any.iter().any(|condition| self.satisfies(condition)),
            Pending::Other(
                Request::Pause(Wake::Changed, seen) | Request::Idle(Wake::Changed, seen),
            ) => seen.iter().any(|(command, reply)| self.would_answer(command) != *reply),
            _ => true,
        }
    }

    /// Does the next step of a request of a process; the answer comes with the last step.
    pub(crate) fn step(
        &mut self,
        process: &Text,
        pending: &mut Pending,
        system: &System,
    ) -> Option<Answer> {
        let request = match pending {
            Pending::Command(execution) => {
                let reply = self.execute(execution, system.commands)?;
                let distorted = system.broken_store.map(|how| how.distort(reply.clone()));
                return Some(Answer::Store(distorted.unwrap_or(reply)));
            }
            Pending::Other(request) => request,
        };
        match request {
            Request::Send(queue, message) => self.messages.send(queue, message.clone()),
            Request::Receive(queue) => {
                return self.messages.receive(queue, process).map(Answer::Message);
            }
            Request::Take(queue) => return self.messages.take(queue).map(Answer::Message),
            Request::Acknowledge(queue, message) => {
                self.messages.acknowledge(queue, process, message);
            }
            Request::Command(_)
            | Request::Pause(..)
            | Request::Idle(..)
            | Request::Step(_)
            | Request::Rest
            | Request::Enter(_)
            | Request::Leave(_) => {}
        }
        Some(Answer::Done)
    }

    /// Does the next phase of a command, or all of it; the reply comes with the last.
    pub(crate) fn execute(
        &mut self,
        execution: &mut Execution,
        commands: Commands,
    ) -> Option<Result<Reply, StoreError>> {
        match commands {
            Commands::AsTheServer => execution.step(&mut self.store),
            Commands::InOneStep => Some(self.store.execute_ref(execution.command())),
        }
    }

    fn satisfies(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Some(collection, filter) => self.has(collection, filter),
            Condition::None(collection, filter) => !self.has(collection, filter),
        }
    }

    fn has(&self, collection: &Text, filter: &Filter) -> bool {
        let operation =
            Operation::FindOne { filter: filter.clone(), projection: Default::default() };
        let command =
            Command { collection: collection.clone(), operation, concern: Default::default() };
        matches!(self.would_answer(&command), Ok(Reply::Document(Some(_))))
    }

    /// What the command would be answered now; nothing is changed.
    fn would_answer(&self, command: &Command) -> Result<Reply, StoreError> {
        self.store.clone().execute(command.clone())
    }
}

impl BrokenStore {
    fn distort(self, reply: Result<Reply, StoreError>) -> Result<Reply, StoreError> {
        reply.map(|reply| match (self, reply) {
            (BrokenStore::CountsTwice, Reply::Updated(mut updated)) => {
                updated.matched *= 2;
                Reply::Updated(updated)
            }
            (BrokenStore::CountsTwice, other) => other,
        })
    }
}
