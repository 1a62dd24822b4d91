//! One write to one document: what it makes of the document, and what it answers.

use super::key::Key;
use super::operators::{Purpose, apply};
use super::projection::project;
use super::state::State;
use super::table::Refusal;
use super::{upsert, validate};
use crate::store::{Document, Operation, Reply, Returns, StoreError, Text, Updated, Value};

/// Applies a write to the document with this `_id`, which matches its filter.
pub(super) fn write(
    state: &mut State,
    collection: &Text,
    operation: &Operation,
    (id, before): (&Key, &Document),
) -> Result<Reply, Refusal> {
    let after = match operation {
        Operation::DeleteOne { .. } => {
            state.remove(collection, (id, before))?;
            return Ok(Reply::Deleted(1));
        }
        Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. } => {
            apply(update, before, Purpose::Change)?
        }
        Operation::ReplaceOne { replacement, .. } => {
            with_id(replacement, before.id().unwrap_or(&Value::Null))?
        }
        other => return Err(StoreError::invalid(format!("a write by {}", other.name())).into()),
    };
    same_id(before.id().unwrap_or(&Value::Null), after.id())?;
    let after = stored(after)?;
    let is_other = after != *before;
    // What differs in the scales of ordinals alone is the same to a server.
    let modified = is_other && !after.is_stored_as(before);
    if is_other {
        state.replace(collection, (id, before), after.clone())?;
    }
    Ok(match operation {
        Operation::FindOneAndUpdate { returns, projection, .. } => {
            let shown = match returns {
                Returns::Before => before,
                Returns::After => &after,
            };
            Reply::Document(Some(project(projection, shown)))
        }
        _ => Reply::Updated(Updated { matched: 1, modified: modified.into(), upserted: None }),
    })
}

/// Inserts the document of an `InsertOne`.
pub(super) fn insert(
    state: &mut State,
    collection: &Text,
    document: &Document,
) -> Result<Reply, Refusal> {
    state.put(collection, stored(document.clone())?)?;
    Ok(Reply::Inserted)
}

/// Inserts the document of an upsert.
pub(super) fn insert_upserted(
    state: &mut State,
    collection: &Text,
    operation: &Operation,
) -> Result<Reply, Refusal> {
    let document = stored(upsert::upserted(operation)?)?;
    let upserted = document.id().cloned();
    state.put(collection, document.clone())?;
    Ok(match operation {
        Operation::FindOneAndUpdate { returns: Returns::Before, .. } => Reply::Document(None),
        Operation::FindOneAndUpdate { projection, .. } => {
            Reply::Document(Some(project(projection, &document)))
        }
        _ => Reply::Updated(Updated { matched: 0, modified: 0, upserted }),
    })
}

/// What an operation answers that found no document and inserts none.
pub(super) fn nothing_matched(operation: &Operation) -> Reply {
    match operation {
        Operation::FindOne { .. } | Operation::FindOneAndUpdate { .. } => Reply::Document(None),
        Operation::Scan { .. } => Reply::Documents(Vec::new()),
        Operation::InsertOne { .. } => Reply::Inserted,
        Operation::UpdateOne { .. } | Operation::ReplaceOne { .. } => {
            Reply::Updated(Updated::default())
        }
        Operation::DeleteOne { .. } => Reply::Deleted(0),
    }
}

/// A document as it is stored: checked, its fields in order.
pub(super) fn stored(mut document: Document) -> Result<Document, StoreError> {
    validate::stored_document(&document)?;
    document.sort_fields();
    Ok(document)
}

/// A replacement with the `_id` of what it replaces.
pub(super) fn with_id(replacement: &Document, id: &Value) -> Result<Document, StoreError> {
    match replacement.id() {
        Some(own) => same_id(id, Some(own)).map(|()| replacement.clone()),
        None => Ok(replacement.clone().with("_id", id)),
    }
}

/// Refuses a write that changes `_id` (error 66, *ImmutableField*).
pub(super) fn same_id(id: &Value, after: Option<&Value>) -> Result<(), StoreError> {
    match after {
        Some(after) if after.is_stored_as(id) => Ok(()),
        Some(after) if after.compare(id).is_eq() => {
            Err(StoreError::unsupported(format!("another representation of the _id {id}: {after}")))
        }
        Some(after) => Err(StoreError::immutable_id(format!("from {id} to {after}"))),
        None => Err(StoreError::immutable_id(format!("{id} would be removed"))),
    }
}
