//! Whether what clients saw of a server has an explanation: an order of the emulator's steps in
//! which each gets the same answers, and the same content is left.

use std::collections::HashSet;

use doorway::store::memory::{Execution, State};
use doorway::store::{Command, Document, Operation, Reply, Value};

use crate::agreement::{Answer, agree, only, takes_any};

/// One command of a client, when it was sent and answered.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) command: Command,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) answer: Answer,
}

/// What clients did at once, and what was left.
pub(crate) struct History {
    pub(crate) start: State,
    /// The calls of each client, one after another.
    pub(crate) clients: Vec<Vec<Call>>,
    /// In the order of `_id`.
    pub(crate) left: Vec<Document>,
}

/// Whether an answer of the server is that of the emulator to this command.
pub(crate) type Same = fn(&Command, theirs: &Answer, ours: &Answer) -> bool;

/// What the search may do with a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// All of its steps at once.
    Commands,
    /// One step at a time.
    Steps,
}

/// How far the clients are.
type Progress = Vec<(usize, Option<Execution>)>;

struct Search<'a> {
    history: &'a History,
    grain: Grain,
    same: Same,
    /// Every `_id` that there can be.
    ids: Vec<Value>,
    seen: HashSet<(State, Progress)>,
    path: Vec<String>,
}

/// The phases of an order of steps that explains the history, if there is one of this grain.
pub(crate) fn explain(history: &History, grain: Grain, same: Same) -> Option<Vec<String>> {
    let (ids, seen, path) = (ids(history), HashSet::new(), Vec::new());
    let mut search = Search { history, grain, same, ids, seen, path };
    let nothing_done = vec![(0, None); history.clients.len()];
    search.from(&history.start, &nothing_done).then_some(search.path)
}

fn ids(history: &History) -> Vec<Value> {
    let there = history.start.documents("c").chain(&history.left);
    let inserted =
        history.clients.iter().flatten().filter_map(|call| match &call.command.operation {
            Operation::InsertOne { document } => document.id(),
            _ => None,
        });
    let upserted = history.clients.iter().flatten().filter_map(|call| match &call.answer {
        Ok(Reply::Updated(updated)) => updated.upserted.as_ref(),
        Ok(Reply::Document(Some(document))) => document.id(),
        _ => None,
    });
    let mut ids: Vec<Value> =
        there.filter_map(Document::id).chain(inserted).chain(upserted).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Search<'_> {
    /// Whether the clients can go on from here to the end; then the path says how.
    fn from(&mut self, state: &State, progress: &Progress) -> bool {
        let over =
            |(client, (done, _)): (usize, &(usize, _))| *done == self.history.clients[client].len();
        if progress.iter().enumerate().all(over) {
            return state.documents("c").eq(&self.history.left);
        }
        if !self.seen.insert((state.clone(), progress.clone())) {
            return false;
        }
        (0..progress.len()).any(|client| self.with_next_of(client, state, progress))
    }

    fn with_next_of(&mut self, client: usize, state: &State, progress: &Progress) -> bool {
        let (done, running) = &progress[client];
        if let Some(execution) = running {
            return self.with(client, execution.clone(), false, state, progress);
        }
        let Some(call) = self.history.clients[client].get(*done) else { return false };
        if !self.may_begin(call, progress) {
            return false;
        }
        self.beginnings(&call.command)
            .into_iter()
            .any(|(execution, narrowed)| self.with(client, execution, narrowed, state, progress))
    }

    /// Whether everything is done that was answered before this was sent.
    fn may_begin(&self, call: &Call, progress: &Progress) -> bool {
        self.history.clients.iter().zip(progress).all(|(calls, (done, _))| {
            calls.get(*done).is_none_or(|next| next.answered >= call.sent)
        })
    }

    /// The command, and where it may take any document that matches, the same on each one.
    fn beginnings(&self, command: &Command) -> Vec<(Execution, bool)> {
        let mut all = vec![(Execution::begin(command.clone()), false)];
        if takes_any(&command.operation).is_some() {
            let narrowed = |id| (Execution::begin(only(command, id)), true);
            all.extend(self.ids.iter().map(narrowed));
        }
        all
    }

    /// With the next step of a client, or with all that are left of its command.
    fn with(
        &mut self,
        client: usize,
        mut execution: Execution,
        narrowed: bool,
        state: &State,
        progress: &Progress,
    ) -> bool {
        let (mut state, mut progress, length) = (state.clone(), progress.clone(), self.path.len());
        let answer = loop {
            self.path.push(execution.phase());
            match execution.step(&mut state) {
                None if self.grain == Grain::Commands => {}
                answer => break answer,
            }
        };
        let fits = match answer {
            None => {
                progress[client].1 = Some(execution);
                true
            }
            Some(answer) => {
                let call = &self.history.clients[client][progress[client].0];
                progress[client] = (progress[client].0 + 1, None);
                !(narrowed && is_nothing(&answer))
                    && (self.same)(&call.command, &call.answer, &answer)
            }
        };
        if fits && self.from(&state, &progress) {
            return true;
        }
        self.path.truncate(length);
        false
    }
}

/// Whether two answers to a command are the same: without a sort the order does not count.
pub(crate) fn same(command: &Command, theirs: &Answer, ours: &Answer) -> bool {
    if is_unsorted(command) {
        agree(&in_one_order(ours.clone()), &in_one_order(theirs.clone()))
    } else {
        agree(ours, theirs)
    }
}

/// Whether a command on one document alone did not find it: no answer of one that takes any.
fn is_nothing(answer: &Answer) -> bool {
    match answer {
        Ok(Reply::Updated(updated)) => updated.matched == 0,
        Ok(Reply::Document(found)) => found.is_none(),
        Ok(Reply::Deleted(count)) => *count == 0,
        _ => false,
    }
}

fn is_unsorted(command: &Command) -> bool {
    matches!(&command.operation, Operation::Scan { sort, .. } if sort.is_empty())
}

fn in_one_order(answer: Answer) -> Answer {
    answer.map(|reply| match reply {
        Reply::Documents(mut documents) => {
            documents.sort();
            Reply::Documents(documents)
        }
        other => other,
    })
}
