//! A command under way: what other clients can come between.

use std::fmt;
use std::sync::Arc;

use super::gate::Access;
use super::kind::StepKind;
use super::phase::Phase;
use super::state::State;
use crate::store::{Command, Reply, StoreError};

/// A command under way over a [`State`]: plain data, one step after another.
///
/// - An operation by `_id` finds its document and does its work in one step: a write to one document
///   is atomic (manual, *core/write-operations-atomicity*).
/// - Any other read looks at one document a step, in the order of their `_id`s; it is no snapshot
///   (manual, *core/read-isolation-consistency-recency*). A filter that fixes every field of another
///   unique index is no exception: a server reads an index entry, then its document, and may yield
///   between; to let others come between is the cautious choice.
/// - Any other write looks for a candidate in that way, then writes it in a step of its own, which
///   checks the filter again on the document as it is by then (server source,
///   `ensureStillMatches`). Where it no longer matches, the search goes on behind it; with a sort
///   there is one candidate only, kept even if its place in the order has changed (SERVER-86250).
/// - An upsert that finds nothing inserts in a step of its own (SERVER-14322); after a duplicate key
///   it begins again where the server does so by itself (SERVER-37124), else it fails.
/// - Where failovers are tracked, a majority write is acknowledged in a step of its own, once a majority
///   has it and all before it. A failover before that leaves its outcome unknown, or, where drivers retry
///   writes, it is sent again once; any other command under way begins again, as drivers do by themselves
///   (manual, *core/retryable-writes*). A write that the primary acknowledges alone is told as it is done.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Execution {
    command: Arc<Command>,
    phase: Phase,
    /// [`State::term`] when it last took a step.
    term: usize,
    /// Whether the driver has sent it a second time.
    is_retry: bool,
}

impl Execution {
    /// A command of which nothing is done yet. What is wrong with the command itself is answered at
    /// the first step.
    #[must_use]
    pub fn begin(command: impl Into<Arc<Command>>) -> Execution {
        let command = command.into();
        let phase = Phase::first(&command);
        Execution { command, phase, term: 0, is_retry: false }
    }

    /// The command.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Does the next step, alone. `None`: there are more to come.
    ///
    /// # Errors
    ///
    /// As [`Store::execute`](crate::store::Store::execute); after any error here nothing was changed.
    pub fn step(&mut self, state: &mut State) -> Option<Result<Reply, StoreError>> {
        if self.term != state.term()
            && let Some(answer) = self.after_a_stretch(state)
        {
            self.phase = Phase::Over;
            return Some(answer);
        }
        self.phase.step(&self.command, state)
    }

    /// What it means to the command that a stretch of the log has ended: an answer, or it goes on.
    fn after_a_stretch(&mut self, state: &State) -> Option<Result<Reply, StoreError>> {
        let is_applied = self.is_applied();
        let is_sent_again = !is_applied || self.is_sent_again(state);
        match &self.phase {
            Phase::Acknowledge(answer) if state.is_kept(self.term) => return Some(answer.clone()),
            Phase::Acknowledge(_) if !is_sent_again => {
                let why = "a failover came before a majority had it";
                return Some(Err(StoreError::outcome_unknown(why)));
            }
            _ => {}
        }
        if state.has_failed_over_since(self.term) {
            let first = Phase::first(&self.command);
            self.is_retry |= self.command.operation.is_write() && self.phase != first;
            self.phase = first;
        }
        self.term = state.term();
        None
    }

    /// Whether a failover has taken back what it did, and the driver sends it again.
    fn is_sent_again(&self, state: &State) -> bool {
        state.retries_writes()
            && !self.is_retry
            && state.has_failed_over_since(self.term)
            && !state.is_kept(self.term)
    }

    pub(super) fn parts_mut(&mut self) -> (&mut Command, &mut Phase) {
        (Arc::make_mut(&mut self.command), &mut self.phase)
    }

    /// Whether the write is done, and only the acknowledgement is to come.
    pub(crate) fn is_done(&self, state: &State) -> bool {
        self.is_applied() && !self.is_sent_again(state)
    }

    fn is_applied(&self) -> bool {
        matches!(self.phase, Phase::Acknowledge(_))
    }

    /// What the next step does to the collection.
    #[must_use]
    pub fn access(&self) -> Access {
        match &self.phase {
            Phase::Insert | Phase::Write { .. } | Phase::Upsert | Phase::Acknowledge(_) => {
                Access::Write
            }
            Phase::Point(_) if self.command.operation.is_write() => Access::Write,
            _ => Access::Read,
        }
    }

    /// What the next step does.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        self.phase.kind()
    }

    /// What the next step is, for a trace: `find: read after "repo-1"`.
    #[must_use]
    pub fn phase(&self) -> String {
        self.to_string()
    }
}

/// Does a command from its first step to its last.
pub(super) fn run(command: &Command, state: &mut State) -> Result<Reply, StoreError> {
    let mut phase = Phase::first(command);
    loop {
        if let Some(reply) = phase.step(command, state) {
            return reply;
        }
    }
}

impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = &self.command.operation;
        let name = operation.name();
        match &self.phase {
            Phase::Refused(error) => write!(f, "{name}: refuse, {error}"),
            Phase::Insert => write!(f, "{name}: insert"),
            Phase::Point(id) if operation.is_write() => write!(f, "{name}: write {id}"),
            Phase::Point(id) => write!(f, "{name}: read {id}"),
            Phase::Read { after: None, .. }
            | Phase::Seek { after: None }
            | Phase::Pick { after: None, .. } => write!(f, "{name}: read the first document"),
            Phase::Read { after: Some(id), .. }
            | Phase::Seek { after: Some(id) }
            | Phase::Pick { after: Some(id), .. } => write!(f, "{name}: read after {id}"),
            Phase::Write { id, .. } => write!(f, "{name}: check again and write {id}"),
            Phase::Upsert => write!(f, "upsert: insert"),
            Phase::Acknowledge(_) => write!(f, "{name}: wait for a majority"),
            Phase::Over => write!(f, "{name}: over"),
        }
    }
}
