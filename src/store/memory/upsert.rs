//! The document that an upsert inserts, and when its duplicate key is retried by the server itself.

use super::key::Key;
use super::operators::{Purpose, apply};
use super::table::Duplicate;
use crate::store::{
    Document, Filter, Operation, Path, Predicate, StoreError, Update, Value, update,
};

/// Refuses an upsert whose filter a server may first rewrite to another one, so that other fields
/// would be taken from it: one value in `$in`, one clause in `$or`, a condition given twice.
pub(super) fn check(filter: &Filter, upsert: bool) -> Result<(), StoreError> {
    if !upsert {
        return Ok(());
    }
    let rewritten = || {
        let text = format!("an upsert by {filter}, which a server may simplify first");
        Err(StoreError::unsupported(text))
    };
    for part in conjunction(filter) {
        let simplifiable = match part {
            Filter::Field(_, Predicate::In(values)) => distinct(values.iter().map(Key::new)) == 1,
            Filter::Or(clauses) => distinct(clauses.iter()) == 1,
            _ => false,
        };
        if simplifiable {
            return rewritten();
        }
    }
    let equalities = equalities(filter);
    if distinct(equalities.iter()) < equalities.len() {
        return rewritten();
    }
    Ok(())
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    items.collect::<std::collections::BTreeSet<T>>().len()
}

/// The document that an upsert inserts where nothing matches (manual,
/// *reference/method/db.collection.updateOne*, upsert).
///
/// # Errors
///
/// `is_invalid` where the filter or the update allows no such document, `is_unsupported` where it
/// would have no `_id`: a server would invent one at random.
pub(super) fn upserted(operation: &Operation) -> Result<Document, StoreError> {
    let document = match operation {
        Operation::UpdateOne { filter, update, .. }
        | Operation::FindOneAndUpdate { filter, update, .. } => built(filter, update)?,
        Operation::ReplaceOne { filter, replacement, .. } => with_id_of(filter, replacement)?,
        other => return Err(StoreError::invalid(format!("an upsert by {}", other.name()))),
    };
    if document.id().is_none() {
        return Err(StoreError::unsupported(
            "an upsert without an _id in the filter or the update: a server would invent one",
        ));
    }
    Ok(document)
}

/// The equalities of the filter as fields, then the update with its `$setOnInsert`.
fn built(filter: &Filter, update: &Update) -> Result<Document, StoreError> {
    let mut equalities = equalities(filter);
    each_path_once(&equalities)?;
    equalities.sort_by_key(|(path, _)| path.as_str());
    let mut seed = Document::new();
    for (path, value) in equalities {
        seed = apply(&update::set(path.clone(), value), &seed, Purpose::Insert)?;
    }
    let document = apply(update, &seed, Purpose::Insert)?;
    match seed.id() {
        Some(id) => super::write::same_id(id, document.id()).map(|()| document),
        None => Ok(document),
    }
}

fn with_id_of(filter: &Filter, replacement: &Document) -> Result<Document, StoreError> {
    let equalities = equalities(filter);
    let ids: Vec<_> = equalities.into_iter().filter(|(path, _)| path.root() == "_id").collect();
    each_path_once(&ids)?;
    match ids.first() {
        None => Ok(replacement.clone()),
        Some((_, id)) => super::write::with_id(replacement, id),
    }
}

/// Refuses a filter that fixes a path twice (error 54, *NotSingleValueField*, on a server that says
/// so), or a part of `_id` (manual, *reference/method/db.collection.update*, upsert with dotted `_id` query).
fn each_path_once(equalities: &[(&Path, &Value)]) -> Result<(), StoreError> {
    for (index, (path, _)) in equalities.iter().enumerate() {
        if path.root() == "_id" && path.as_str() != "_id" {
            return Err(StoreError::invalid(format!("an upsert by {path}")));
        }
        if let Some((other, _)) =
            equalities[..index].iter().find(|(other, _)| other.conflicts_with(path))
        {
            let text = format!("an upsert by a filter with both {other} and {path}");
            return Err(StoreError::unsupported(text));
        }
    }
    Ok(())
}

/// The conditions of which all have to hold.
fn conjunction(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(conjunction).collect(),
        other => vec![other],
    }
}

/// The paths that the filter fixes by equality, with their values.
fn equalities(filter: &Filter) -> Vec<(&Path, &Value)> {
    conjunction(filter).into_iter().filter_map(equality).collect()
}

fn equality(part: &Filter) -> Option<(&Path, &Value)> {
    match part {
        Filter::Field(path, Predicate::Eq(value)) => Some((path, value)),
        _ => None,
    }
}

/// Whether the server runs an upsert again by itself after this duplicate key: only if the filter is
/// nothing but equalities, on exactly the fields of the index, with the values of the offending key
/// (SERVER-37124, SERVER-47212; server source, `shouldRetryDuplicateKeyException`).
pub(super) fn is_retried(filter: &Filter, duplicate: &Duplicate) -> bool {
    let equalities = equalities(filter);
    if equalities.len() != conjunction(filter).len()
        || equalities.len() != duplicate.fields.len()
        || each_path_once(&equalities).is_err()
    {
        return false;
    }
    duplicate.fields.iter().zip(&duplicate.key).all(|(field, key)| {
        equalities.iter().any(|(path, value)| *path == field && Key::new(value) == *key)
    })
}
