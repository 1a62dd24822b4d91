//! A unique index over the documents of a collection.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::key::Key;
use super::map::Map;
use super::matching::matches;
use super::multikey::{Keys, at_most_one_array};
use crate::store::{Covers, Document, Filter, Index, Path, StoreError, Text};

/// The values of the indexed fields, in the order of the fields.
pub(super) type IndexKey = Vec<Key>;

/// A unique index: its definition, and which document holds each key.
///
/// Equality, order and hash see the definition only: the entries follow from the documents.
#[derive(Clone, Debug)]
pub(super) struct UniqueIndex {
    pub(super) definition: Arc<Index>,
    /// The outermost fields on which a document's keys depend.
    depends_on: Arc<[Text]>,
    entries: Map<IndexKey, Key>,
}

impl UniqueIndex {
    pub(super) fn new(definition: Index) -> UniqueIndex {
        let mut paths: Vec<&Path> = definition.fields.iter().collect();
        if let Covers::Partial(filter) = &definition.covers {
            paths_of(filter, &mut paths);
        }
        let depends_on = paths.into_iter().map(|path| path.root().into()).collect();
        UniqueIndex { definition: Arc::new(definition), depends_on, entries: Map::default() }
    }

    /// The same over no document.
    pub(super) fn without_entries(&self) -> UniqueIndex {
        let (definition, depends_on) = (Arc::clone(&self.definition), Arc::clone(&self.depends_on));
        UniqueIndex { definition, depends_on, entries: Map::default() }
    }

    /// Whether a document has the same keys before and after a write, seen without making them.
    pub(super) fn is_untouched(&self, old: &Document, new: &Document) -> bool {
        self.depends_on.iter().all(|field| old.get(field) == new.get(field))
    }

    /// The keys of a document in this index: none where the index does not cover it, several where
    /// a field is an array.
    pub(super) fn keys(&self, document: &Document) -> Result<BTreeSet<IndexKey>, StoreError> {
        let Index { fields, covers, .. } = &*self.definition;
        if let Covers::Partial(filter) = covers
            && !matches(filter, document)
        {
            return Ok(BTreeSet::new());
        }
        let columns: Vec<Keys> =
            fields.iter().map(|field| Keys::of(document, field)).collect::<Result<_, _>>()?;
        if *covers == Covers::Sparse && !is_in_sparse(&columns)? {
            return Ok(BTreeSet::new());
        }
        at_most_one_array(fields.iter().zip(&columns))?;
        Ok(product(&columns))
    }

    /// The first of these keys that another document than this one holds.
    pub(super) fn held_by_another<'a>(
        &self,
        keys: &'a BTreeSet<IndexKey>,
        id: &Key,
    ) -> Option<&'a IndexKey> {
        keys.iter().find(|key| self.entries.get(*key).is_some_and(|holder| holder != id))
    }

    /// Moves the document from its old keys to its new ones.
    pub(super) fn move_keys(
        &mut self,
        id: &Key,
        old: &BTreeSet<IndexKey>,
        new: BTreeSet<IndexKey>,
    ) {
        for key in old.difference(&new) {
            self.entries.remove(key);
        }
        for key in new {
            if !old.contains(&key) {
                self.entries.insert(key, id.clone());
            }
        }
    }
}

fn paths_of<'a>(filter: &'a Filter, paths: &mut Vec<&'a Path>) {
    match filter {
        Filter::Field(path, _) => paths.push(path),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().for_each(|part| paths_of(part, paths));
        }
    }
}

/// Whether a sparse index covers a document: it has one of the fields (manual,
/// *core/index-sparse*).
fn is_in_sparse(columns: &[Keys]) -> Result<bool, StoreError> {
    if columns.iter().any(|column| column.found > 0 && column.missing > 0) {
        return Err(StoreError::unsupported(
            "a sparse index over an array of which some documents lack the field",
        ));
    }
    Ok(columns.iter().any(|column| column.found > 0))
}

/// Every combination of one key of each column; at most one column has several.
fn product(columns: &[Keys]) -> BTreeSet<IndexKey> {
    let mut keys = vec![IndexKey::with_capacity(columns.len())];
    for column in columns {
        let extend = |prefix: &IndexKey| {
            let prefix = prefix.clone();
            column
                .keys
                .iter()
                .map(move |key| [prefix.as_slice(), std::slice::from_ref(key)].concat())
        };
        keys = keys.iter().flat_map(extend).collect();
    }
    keys.into_iter().collect()
}

impl PartialEq for UniqueIndex {
    fn eq(&self, other: &UniqueIndex) -> bool {
        self.definition == other.definition
    }
}

impl Eq for UniqueIndex {}

impl PartialOrd for UniqueIndex {
    fn partial_cmp(&self, other: &UniqueIndex) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UniqueIndex {
    fn cmp(&self, other: &UniqueIndex) -> Ordering {
        self.definition.cmp(&other.definition)
    }
}

impl Hash for UniqueIndex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.hash(state);
    }
}
