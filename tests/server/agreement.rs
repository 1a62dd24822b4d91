//! What the emulator allows a server to answer to one command, and whether it did.
//!
//! Where several documents match and no sort says which comes first, a server may take any of them:
//! there the emulator allows what it does with each.

use doorway::store::filter::by_id;
use doorway::store::memory::State;
use doorway::store::{Command, Document, Filter, Operation, Projection, Reply, StoreError, Value};

use crate::commands::{find, on};

/// What was answered to a command.
pub(crate) type Answer = Result<Reply, StoreError>;

/// What a server may do with a command.
pub(crate) enum Allowed {
    /// One of these answers, each with the state that it leaves.
    OneOf(Vec<(Answer, State)>),
    /// So many of these documents, in any order; the state stays as it is.
    Some { of: Vec<Document>, count: usize },
}

/// What a server may do with a command on the collection `c`; `None` where the emulator does not
/// support it.
pub(crate) fn allowed(state: &State, command: &Command) -> Option<Allowed> {
    let alternatives = alternatives(state, command);
    if alternatives.len() > 1 {
        let with = |command: &Command| outcome(state, command);
        return alternatives.iter().map(with).collect::<Option<_>>().map(Allowed::OneOf);
    }
    if let Operation::Scan { sort, limit, filter, projection } = &command.operation
        && sort.is_empty()
    {
        return some(state, filter, projection, *limit);
    }
    Some(Allowed::OneOf(vec![outcome(state, command)?]))
}

impl Allowed {
    /// The states in which a server may be after this answer; empty where it is not allowed.
    pub(crate) fn after(self, before: &State, answer: &Answer) -> Vec<State> {
        let mut states: Vec<State> = match self {
            Allowed::OneOf(outcomes) => outcomes
                .into_iter()
                .filter(|(allowed, _)| agree(allowed, answer))
                .map(|(_, state)| state)
                .collect(),
            Allowed::Some { of, count } => match answer {
                Ok(Reply::Documents(found)) if found.len() == count && are_among(found, of) => {
                    vec![before.clone()]
                }
                _ => Vec::new(),
            },
        };
        states.sort();
        states.dedup();
        states
    }

    /// Whether there are several outcomes, which not every answer tells apart.
    pub(crate) fn is_one_of_several(&self) -> bool {
        matches!(self, Allowed::OneOf(outcomes) if outcomes.len() > 1)
    }

    /// What is allowed, for a person.
    pub(crate) fn told(&self) -> String {
        match self {
            Allowed::OneOf(outcomes) => {
                outcomes.iter().map(|(answer, _)| told(answer)).collect::<Vec<_>>().join(" or ")
            }
            Allowed::Some { of, count } => format!("{count} of {}", Reply::Documents(of.clone())),
        }
    }
}

/// An answer, for a person.
pub(crate) fn told(answer: &Answer) -> String {
    match answer {
        Ok(reply) => reply.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Whether two answers say the same: of an error its kind and its index count.
pub(crate) fn agree(a: &Answer, b: &Answer) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a == b,
        (Err(a), Err(b)) => (a.kind(), a.duplicate_index()) == (b.kind(), b.duplicate_index()),
        _ => false,
    }
}

/// The filter of an operation that takes one document and may take any that matches.
pub(crate) fn takes_any(operation: &Operation) -> Option<&Filter> {
    match operation {
        Operation::FindOneAndUpdate { sort, .. } if !sort.is_empty() => None,
        Operation::FindOne { filter, .. }
        | Operation::UpdateOne { filter, .. }
        | Operation::FindOneAndUpdate { filter, .. }
        | Operation::ReplaceOne { filter, .. }
        | Operation::DeleteOne { filter } => Some(filter),
        Operation::Scan { .. } | Operation::InsertOne { .. } => None,
    }
}

/// The `_id`s of the documents that match; `None` where the filter is not supported.
pub(crate) fn matching(state: &State, filter: &Filter) -> Option<Vec<Value>> {
    match state.clone().execute(find(filter.clone())) {
        Ok(Reply::Documents(found)) => {
            Some(found.iter().filter_map(|document| document.id().cloned()).collect())
        }
        Ok(other) => panic!("{other}"),
        Err(error) => (!error.is_unsupported()).then(Vec::new),
    }
}

fn outcome(state: &State, command: &Command) -> Option<(Answer, State)> {
    let mut state = state.clone();
    let answer = state.execute_ref(command);
    let unsupported = answer.as_ref().is_err_and(StoreError::is_unsupported);
    (!unsupported).then_some((answer, state))
}

/// A command that takes one document and may take any that matches, on each of these; any other as
/// it is.
pub(crate) fn alternatives(state: &State, command: &Command) -> Vec<Command> {
    let candidates = takes_any(&command.operation).and_then(|filter| matching(state, filter));
    match candidates {
        Some(ids) if ids.len() > 1 => ids.iter().map(|id| only(command, id)).collect(),
        _ => vec![command.clone()],
    }
}

/// The same command on the document with this `_id` alone.
pub(crate) fn only(command: &Command, id: &Value) -> Command {
    let mut command = command.clone();
    match &mut command.operation {
        Operation::FindOne { filter, .. }
        | Operation::Scan { filter, .. }
        | Operation::DeleteOne { filter } => narrow(filter, id),
        Operation::UpdateOne { filter, upsert, .. }
        | Operation::FindOneAndUpdate { filter, upsert, .. }
        | Operation::ReplaceOne { filter, upsert, .. } => {
            *upsert = false;
            narrow(filter, id);
        }
        Operation::InsertOne { .. } => {}
    }
    command
}

fn narrow(filter: &mut Filter, id: &Value) {
    *filter = by_id(id).and(filter.clone());
}

fn some(
    state: &State,
    filter: &Filter,
    projection: &Projection,
    limit: Option<u32>,
) -> Option<Allowed> {
    let (filter, projection, sort) = (filter.clone(), projection.clone(), Vec::new());
    let whole = on("c", Operation::Scan { filter, sort, limit: None, projection });
    Some(match outcome(state, &whole)? {
        (Ok(Reply::Documents(of)), _) => {
            let limit = limit.map_or(usize::MAX, |limit| limit as usize);
            let count = of.len().min(limit);
            Allowed::Some { of, count }
        }
        refused => Allowed::OneOf(vec![refused]),
    })
}

/// Whether each document that was found is among the others, as often as it is found.
fn are_among(found: &[Document], mut others: Vec<Document>) -> bool {
    found.iter().all(|document| match others.iter().position(|other| other == document) {
        Some(position) => {
            others.swap_remove(position);
            true
        }
        None => false,
    })
}
