//! The order of a sort.

use std::cmp::Ordering;

use super::key::Key;
use super::multikey::{Keys, at_most_one_array};
use crate::store::{Document, Path, Sort, StoreError};

/// What a document is sorted by: one key for each part of the sort.
pub(super) type SortKey = Vec<Key>;

/// The path of one part of a sort.
pub(super) fn path(part: &Sort) -> &Path {
    match part {
        Sort::Ascending(path) | Sort::Descending(path) => path,
    }
}

/// The sort key of a document: a missing field is null; of an array counts the least element where
/// the order goes up and the greatest where it goes down (manual,
/// *reference/bson-type-comparison-order*, arrays).
///
/// # Errors
///
/// `is_unsupported` where two parts lead to arrays: a server refuses that, but perhaps not where it
/// has only one document to sort.
pub(super) fn sort_key(sort: &[Sort], document: &Document) -> Result<SortKey, StoreError> {
    if sort.is_empty() {
        return Ok(SortKey::new());
    }
    let columns: Vec<Keys> =
        sort.iter().map(|part| Keys::of(document, path(part))).collect::<Result<_, _>>()?;
    at_most_one_array(sort.iter().map(path).zip(&columns))
        .map_err(|error| StoreError::unsupported(format!("a sort by two arrays: {error}")))?;
    let key = |(part, keys): (&Sort, Keys)| {
        let Keys { mut keys, .. } = keys;
        let key = match part {
            Sort::Ascending(_) => keys.pop_first(),
            Sort::Descending(_) => keys.pop_last(),
        };
        key.unwrap_or(Key::MISSING)
    };
    Ok(sort.iter().zip(columns).map(key).collect())
}

/// Compares two sort keys of one sort.
pub(super) fn compare(sort: &[Sort], a: &SortKey, b: &SortKey) -> Ordering {
    let part = |(part, (a, b)): (&Sort, (&Key, &Key))| match part {
        Sort::Ascending(_) => a.cmp(b),
        Sort::Descending(_) => b.cmp(a),
    };
    sort.iter().zip(a.iter().zip(b)).map(part).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// The documents in the order of a sort; those with equal keys stay as they are.
pub(super) fn sorted(sort: &[Sort], found: Vec<Document>) -> Result<Vec<Document>, StoreError> {
    if sort.is_empty() {
        return Ok(found);
    }
    let keyed = |document: Document| Ok((sort_key(sort, &document)?, document));
    let mut found: Vec<(SortKey, Document)> =
        found.into_iter().map(keyed).collect::<Result<_, StoreError>>()?;
    found.sort_by(|(a, _), (b, _)| compare(sort, a, b));
    Ok(found.into_iter().map(|(_, document)| document).collect())
}
