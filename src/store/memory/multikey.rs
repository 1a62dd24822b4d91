//! The keys of a document at a path, for an index and for a sort: of an array, each element.

use std::collections::BTreeSet;

use super::key::Key;
use crate::store::{Document, Path, StoreError, Value};

/// What a path leads to in one document.
pub(super) struct Keys {
    /// The keys, distinct and in order; at least one.
    pub(super) keys: BTreeSet<Key>,
    /// The array through which the path leads, if any, as the number of its parts before it.
    pub(super) array: Option<usize>,
    /// How many values were found, and how many were missing.
    pub(super) found: usize,
    pub(super) missing: usize,
}

impl Keys {
    /// The keys of a document at a path, as `BtreeKeyGenerator` makes them for an index
    /// (server source; manual, *core/indexes/index-types/index-multikey*).
    ///
    /// # Errors
    ///
    /// `is_unsupported` for an array in an array, and for an array in the middle of the path that
    /// is empty or holds something else than documents.
    pub(super) fn of(document: &Document, path: &Path) -> Result<Keys, StoreError> {
        let mut keys = Keys { keys: BTreeSet::new(), array: None, found: 0, missing: 0 };
        keys.collect(document, path.as_str(), 0)?;
        Ok(keys)
    }

    fn collect(&mut self, document: &Document, path: &str, depth: usize) -> Result<(), StoreError> {
        let (name, rest) = path.split_once('.').map_or((path, None), |(n, r)| (n, Some(r)));
        match (document.get(name), rest) {
            (Some(Value::Array(items)), None) => {
                self.through_array(depth)?;
                refuse_nested(items)?;
                self.found += 1;
                self.keys.extend(items.iter().map(Key::new));
                if items.is_empty() {
                    self.keys.insert(Key::Undefined);
                }
            }
            (Some(Value::Array(items)), Some(rest)) => {
                self.through_array(depth)?;
                self.each(items, rest, depth)?;
            }
            (Some(value), None) => {
                self.found += 1;
                self.keys.insert(Key::new(value));
            }
            (Some(Value::Document(inner)), Some(rest)) => self.collect(inner, rest, depth + 1)?,
            _ => {
                self.missing += 1;
                self.keys.insert(Key::MISSING);
            }
        }
        Ok(())
    }

    fn each(&mut self, items: &[Value], rest: &str, depth: usize) -> Result<(), StoreError> {
        if items.is_empty() {
            return Err(StoreError::unsupported(format!("a key {rest} of an empty array")));
        }
        for item in items {
            let inner = item.as_document().ok_or_else(|| {
                let kind = item.type_name();
                StoreError::unsupported(format!("a key {rest} of a {kind} in an array"))
            })?;
            self.collect(inner, rest, depth + 1)?;
        }
        Ok(())
    }

    fn through_array(&mut self, depth: usize) -> Result<(), StoreError> {
        match self.array.replace(depth) {
            Some(outer) if outer != depth => {
                Err(StoreError::unsupported("a key in an array that is in another array"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses an array as an element of an array: what its keys are is not shown.
fn refuse_nested(items: &[Value]) -> Result<(), StoreError> {
    if items.iter().any(|item| item.as_array().is_some()) {
        return Err(StoreError::unsupported("a key of an array in an array"));
    }
    Ok(())
}

/// Refuses keys of which two come from arrays: a server indexes and sorts by one array only
/// (error 171, *CannotIndexParallelArrays*).
///
/// # Errors
///
/// `is_invalid` for two arrays; `is_unsupported` where one of them is empty, and for two paths
/// through the same one.
pub(super) fn at_most_one_array<'a>(
    keys: impl Iterator<Item = (&'a Path, &'a Keys)>,
) -> Result<(), StoreError> {
    let mut first: Option<(Vec<&str>, &Path)> = None;
    let mut one_is_empty = false;
    for (path, keys) in keys {
        let Some(depth) = keys.array else { continue };
        one_is_empty |= keys.keys.contains(&Key::Undefined);
        let array: Vec<&str> = path.segments().take(depth + 1).collect();
        match first {
            None => first = Some((array, path)),
            Some((same, other)) if same == array => {
                let both = format!("{other} and {path} through one array");
                return Err(StoreError::unsupported(both));
            }
            Some((_, other)) if one_is_empty => {
                let both = format!("an empty array beside another one: {other} and {path}");
                return Err(StoreError::unsupported(both));
            }
            Some((_, other)) => {
                let both = format!("cannot index parallel arrays: {other} and {path}");
                return Err(StoreError::invalid(both));
            }
        }
    }
    Ok(())
}
