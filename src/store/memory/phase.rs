//! The phases of a command, and what the step of each does.

use std::mem;

use super::key::Key;
use super::kind::StepKind;
use super::matching::matches;
use super::projection::project;
use super::sorting::{SortKey, compare, sort_key, sorted};
use super::state::State;
use super::table::{Refusal, Table};
use super::{upsert, validate, write};
use crate::store::{
    Command, Document, Operation, ReadConcern, Reply, Sort, StoreError, WriteConcern,
};

/// What the next step of a command is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Phase {
    /// The command is refused.
    Refused(StoreError),
    /// An insert.
    Insert,
    /// The whole operation on the document with this `_id`.
    Point(Key),
    /// A read looks at the document after this one, having found some.
    Read { after: Option<Key>, found: Vec<Document> },
    /// A write looks for a candidate after this document.
    Seek { after: Option<Key> },
    /// A write with a sort looks at the document after this one for a better candidate.
    Pick { after: Option<Key>, best: Option<(SortKey, Key)> },
    /// A write to its candidate.
    Write { id: Key, picked: bool },
    /// The insert of an upsert that found nothing.
    Upsert,
    /// The write was done on the primary, and a majority does not have it yet.
    Acknowledge(Result<Reply, StoreError>),
    /// The reply was given.
    Over,
}

/// What a step leads to.
enum Next {
    Go(Phase),
    Answer(Reply),
}

type Stepped = Result<Next, StoreError>;

impl Phase {
    /// Where a command begins.
    pub(super) fn first(command: &Command) -> Phase {
        match validate::command(command) {
            Ok(()) => Phase::start(&command.operation),
            Err(error) => Phase::Refused(error),
        }
    }

    fn start(operation: &Operation) -> Phase {
        let Some(filter) = operation.filter() else {
            return Phase::Insert;
        };
        match (filter.point(), operation) {
            (Some(id), _) => Phase::Point(Key::new(id)),
            (None, operation) if !operation.is_write() => {
                Phase::Read { after: None, found: Vec::new() }
            }
            (None, Operation::FindOneAndUpdate { sort, .. }) if !sort.is_empty() => {
                Phase::Pick { after: None, best: None }
            }
            (None, _) => Phase::Seek { after: None },
        }
    }

    pub(super) fn kind(&self) -> StepKind {
        match self {
            Phase::Refused(_) => StepKind::Refuse,
            Phase::Insert => StepKind::Insert,
            Phase::Point(_) => StepKind::Point,
            Phase::Read { .. } => StepKind::Read,
            Phase::Seek { .. } => StepKind::Seek,
            Phase::Pick { .. } => StepKind::Pick,
            Phase::Write { .. } => StepKind::Write,
            Phase::Upsert => StepKind::Upsert,
            Phase::Acknowledge(_) => StepKind::Acknowledge,
            Phase::Over => StepKind::Over,
        }
    }

    /// Does this phase and goes to the next one. `None`: there are more to come.
    pub(super) fn step(
        &mut self,
        command: &Command,
        state: &mut State,
    ) -> Option<Result<Reply, StoreError>> {
        let phase = mem::replace(self, Phase::Over);
        let waits = phase.waits_for_majority(command, state);
        let answer = match phase.next(command, state) {
            Ok(Next::Go(phase)) => {
                *self = phase;
                return None;
            }
            Ok(Next::Answer(reply)) => Ok(reply),
            Err(error) => Err(error),
        };
        if waits && state.is_ahead_of_majority() {
            *self = Phase::Acknowledge(answer);
            return None;
        }
        Some(answer)
    }

    /// Whether the reply of this phase is held back until a majority has all that there is.
    fn waits_for_majority(&self, command: &Command, state: &State) -> bool {
        state.majority().is_some()
            && command.operation.is_write()
            && command.concern.write == WriteConcern::Majority
            && !matches!(self, Phase::Refused(_) | Phase::Acknowledge(_) | Phase::Over)
    }

    fn next(self, command: &Command, state: &mut State) -> Stepped {
        let operation = &command.operation;
        if operation.is_write() && !matches!(self, Phase::Refused(_)) {
            state.refuse_immutable(&command.collection)?;
        }
        if command.concern.read == ReadConcern::Linearizable {
            state.replicate();
        }
        match self {
            Phase::Refused(error) => Err(error),
            Phase::Over => Err(StoreError::invalid("a step after the reply")),
            Phase::Acknowledge(answer) => {
                state.replicate();
                answer.map(Next::Answer)
            }
            Phase::Insert => insert(command, state),
            Phase::Upsert => insert_upserted(command, state),
            Phase::Point(id) => at_point(&id, command, state),
            Phase::Write { id, picked } => at_candidate(id, picked, command, state),
            Phase::Read { after, found } => read(after, found, operation, state.seen_by(command)),
            Phase::Seek { after } => seek(after, operation, state.table(&command.collection)),
            Phase::Pick { after, best } => {
                pick(after, best, operation, state.table(&command.collection))
            }
        }
    }
}

fn is_match(operation: &Operation, document: &Document) -> bool {
    operation.filter().is_some_and(|filter| matches(filter, document))
}

fn insert(command: &Command, state: &mut State) -> Stepped {
    let Operation::InsertOne { document } = &command.operation else {
        return Err(StoreError::invalid("an insert without a document"));
    };
    write::insert(state, &command.collection, document)
        .map(Next::Answer)
        .map_err(|refusal| refusal.into_error(&command.collection))
}

/// The insert phase of an upsert, which begins again where the server does so by itself.
fn insert_upserted(command: &Command, state: &mut State) -> Stepped {
    let Command { collection, operation, .. } = command;
    match write::insert_upserted(state, collection, operation) {
        Ok(reply) => Ok(Next::Answer(reply)),
        Err(Refusal::Duplicate(duplicate))
            if operation.filter().is_some_and(|f| upsert::is_retried(f, &duplicate)) =>
        {
            Ok(Next::Go(Phase::start(operation)))
        }
        Err(refusal) => Err(refusal.into_error(collection)),
    }
}

/// The whole operation on one document, atomically; only the insert of an upsert is left.
fn at_point(id: &Key, command: &Command, state: &mut State) -> Stepped {
    let operation = &command.operation;
    let document = state.seen_by(command).and_then(|table| table.get(id));
    let Some(document) = document.filter(|document| is_match(operation, document)) else {
        return Ok(not_found(operation));
    };
    sort_key(sort(operation), document)?;
    match operation {
        Operation::FindOne { projection, .. } => {
            Ok(Next::Answer(Reply::Document(Some(project(projection, document)))))
        }
        Operation::Scan { projection, .. } => {
            Ok(Next::Answer(Reply::Documents(vec![project(projection, document)])))
        }
        _ => {
            let document = document.clone();
            apply(id, &document, command, state)
        }
    }
}

fn apply(id: &Key, document: &Document, command: &Command, state: &mut State) -> Stepped {
    let Command { collection, operation, .. } = command;
    write::write(state, collection, operation, (id, document))
        .map(Next::Answer)
        .map_err(|refusal| refusal.into_error(collection))
}

/// The write to a candidate, if the document as it is by now still matches.
fn at_candidate(id: Key, picked: bool, command: &Command, state: &mut State) -> Stepped {
    let Command { collection, operation, .. } = command;
    let table = state.table(collection);
    let document = table.and_then(|table| table.get(&id));
    if let Some(document) = document.filter(|document| is_match(operation, document)) {
        let document = document.clone();
        return apply(&id, &document, command, state);
    }
    let more = table.is_some_and(|table| table.has_more(&id));
    Ok(match picked {
        false if more => Next::Go(Phase::Seek { after: Some(id) }),
        _ => not_found(operation),
    })
}

/// What an operation does that found no document.
fn not_found(operation: &Operation) -> Next {
    if operation.is_upsert() {
        Next::Go(Phase::Upsert)
    } else {
        Next::Answer(write::nothing_matched(operation))
    }
}

/// Looks at one document for a read, or at all of a collection that nobody writes to.
fn read(
    mut after: Option<Key>,
    mut found: Vec<Document>,
    operation: &Operation,
    table: Option<&Table>,
) -> Stepped {
    while let Some((id, document)) = table.and_then(|table| table.next(after.as_ref())) {
        if is_match(operation, document) {
            found.push(document.clone());
            if is_enough(operation, found.len()) {
                break;
            }
        }
        if table.is_some_and(|table| !table.immutable && table.has_more(id)) {
            return Ok(Next::Go(Phase::Read { after: Some(id.clone()), found }));
        }
        after = Some(id.clone());
    }
    answer(operation, found).map(Next::Answer)
}

/// Whether a read need not look further.
fn is_enough(operation: &Operation, found: usize) -> bool {
    match operation {
        Operation::Scan { sort, limit: Some(limit), .. } => {
            sort.is_empty() && found >= *limit as usize
        }
        Operation::Scan { .. } => false,
        _ => found == 1,
    }
}

/// The reply to a read.
fn answer(operation: &Operation, found: Vec<Document>) -> Result<Reply, StoreError> {
    match operation {
        Operation::Scan { sort, limit, projection, .. } => {
            let found = sorted(sort, found)?;
            let limit = limit.map_or(usize::MAX, |limit| limit as usize);
            let shown = found.iter().take(limit).map(|document| project(projection, document));
            Ok(Reply::Documents(shown.collect()))
        }
        Operation::FindOne { projection, .. } => {
            Ok(Reply::Document(found.first().map(|document| project(projection, document))))
        }
        other => Err(StoreError::invalid(format!("a read by {}", other.name()))),
    }
}

/// Looks at one document for a candidate of a write.
fn seek(after: Option<Key>, operation: &Operation, table: Option<&Table>) -> Stepped {
    let Some((table, (id, document))) = table.and_then(|t| Some((t, t.next(after.as_ref())?)))
    else {
        return Ok(not_found(operation));
    };
    Ok(if is_match(operation, document) {
        Next::Go(Phase::Write { id: id.clone(), picked: false })
    } else if table.has_more(id) {
        Next::Go(Phase::Seek { after: Some(id.clone()) })
    } else {
        not_found(operation)
    })
}

/// Looks at one document for a candidate of a write with a sort; after the last one the best is it.
fn pick(
    after: Option<Key>,
    mut best: Option<(SortKey, Key)>,
    operation: &Operation,
    table: Option<&Table>,
) -> Stepped {
    if let Some((table, (id, document))) = table.and_then(|t| Some((t, t.next(after.as_ref())?))) {
        if is_match(operation, document) {
            best = Some(better(best, sort(operation), (id, document))?);
        }
        if table.has_more(id) {
            return Ok(Next::Go(Phase::Pick { after: Some(id.clone()), best }));
        }
    }
    Ok(match best {
        Some((_, id)) => Next::Go(Phase::Write { id, picked: true }),
        None => not_found(operation),
    })
}

/// The sort of an operation. Keys are made of all that it sorts, if only of one document: it is an
/// error where they are parallel arrays.
fn sort(operation: &Operation) -> &[Sort] {
    match operation {
        Operation::Scan { sort, .. } | Operation::FindOneAndUpdate { sort, .. } => sort,
        _ => &[],
    }
}

/// The candidate that the sort puts first; of two equals the one that was seen first.
fn better(
    best: Option<(SortKey, Key)>,
    sort: &[Sort],
    (id, document): (&Key, &Document),
) -> Result<(SortKey, Key), StoreError> {
    let key = sort_key(sort, document)?;
    Ok(match best {
        Some((best, id)) if compare(sort, &best, &key).is_le() => (best, id),
        _ => (key, id.clone()),
    })
}
