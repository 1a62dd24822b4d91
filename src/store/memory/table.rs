//! One collection: its documents by `_id`, and its unique indexes.

use std::collections::BTreeSet;

use super::key::Key;
use super::map::Map;
use super::unique::{IndexKey, UniqueIndex};
use crate::store::{Atom, Atoms, Document, Index, Path, StoreError, Text, Value};

/// The content of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Table {
    documents: Map<Key, Document>,
    /// In the order in which they were made: the first that a write breaks is the one that the
    /// error names.
    indexes: Vec<UniqueIndex>,
    /// Whether the collection was made by itself, so that it stays when its last document goes.
    pub(super) provisioned: bool,
    pub(super) immutable: bool,
}

/// Why a write to a table was refused; nothing was changed.
#[derive(Debug)]
pub(super) enum Refusal {
    Duplicate(Duplicate),
    Error(StoreError),
}

/// Which unique index a write would have broken, and with which key (what E11000 carries:
/// SERVER-14801).
#[derive(Debug)]
pub(super) struct Duplicate {
    pub(super) index: Text,
    pub(super) fields: Vec<Path>,
    pub(super) key: IndexKey,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Error(error)
    }
}

impl Refusal {
    /// The error as a client sees it.
    pub(super) fn into_error(self, collection: &Text) -> StoreError {
        match self {
            Refusal::Duplicate(duplicate) => {
                StoreError::duplicate_key(collection.clone(), duplicate.index)
            }
            Refusal::Error(error) => error,
        }
    }
}

impl Table {
    pub(super) fn get(&self, id: &Key) -> Option<&Document> {
        self.documents.get(id)
    }

    /// The documents in the order of their `_id`s.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// The first document with a greater `_id`, or the first of all.
    pub(super) fn next(&self, after: Option<&Key>) -> Option<(&Key, &Document)> {
        self.documents.next(after)
    }

    /// Whether a document with a greater `_id` is there.
    pub(super) fn has_more(&self, after: &Key) -> bool {
        self.documents.last().is_some_and(|(last, _)| last > after)
    }

    /// Whether the table is as if it had never been written.
    pub(super) fn is_trace_of_nothing(&self) -> bool {
        self.documents.is_empty() && !self.provisioned
    }

    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().map(|index| &*index.definition)
    }

    /// The same with other texts in its documents; `None` where no text changes. One that comes to
    /// break an index is left out, with all behind it.
    pub(super) fn with_atoms_changed(&self, change: &mut dyn FnMut(Atom<'_>)) -> Option<Table> {
        let indexes = self.indexes.iter().map(UniqueIndex::without_entries).collect();
        let mut changed = Table { documents: Map::default(), indexes, ..*self };
        let mut is_other = false;
        for document in self.documents.values() {
            let mut other = document.clone();
            other.each_atom(change);
            is_other |= other != *document;
            let id = Key::new(other.id().unwrap_or(&Value::Null));
            if changed.insert(id, other).is_err() {
                break;
            }
        }
        is_other.then_some(changed)
    }

    /// Removes the index of this name; `false` where there is none.
    pub(super) fn drop_index(&mut self, name: &str) -> bool {
        let before = self.indexes.len();
        self.indexes.retain(|index| *index.definition.name != *name);
        self.indexes.len() < before
    }

    /// Adds an index, unless the documents break it.
    pub(super) fn add_index(&mut self, definition: &Index) -> Result<(), Refusal> {
        let mut index = UniqueIndex::new(definition.clone());
        for (id, document) in self.documents.iter() {
            let keys = index.keys(document)?;
            if let Some(key) = index.held_by_another(&keys, id) {
                return Err(duplicate(&index, key));
            }
            index.move_keys(id, &BTreeSet::new(), keys);
        }
        self.indexes.push(index);
        Ok(())
    }

    /// Puts in a document whose `_id` is new; the index on `_id` is the first to refuse it.
    pub(super) fn insert(&mut self, id: Key, document: Document) -> Result<(), Refusal> {
        if self.documents.contains_key(&id) {
            let (index, fields) = ("_id_".into(), vec!["_id".into()]);
            return Err(Refusal::Duplicate(Duplicate { index, fields, key: vec![id] }));
        }
        self.reindex(&id, None, Some(&document))?;
        self.documents.insert(id, document);
        Ok(())
    }

    /// Puts a document in the place of the one with this `_id`.
    pub(super) fn replace(
        &mut self,
        id: &Key,
        old: &Document,
        new: Document,
    ) -> Result<(), Refusal> {
        self.reindex(id, Some(old), Some(&new))?;
        if let Some(place) = self.documents.get_mut(id) {
            *place = new;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &Key, old: &Document) -> Result<(), Refusal> {
        self.reindex(id, Some(old), None)?;
        self.documents.remove(id);
        Ok(())
    }

    /// Changes every index for one document, or none of them.
    fn reindex(
        &mut self,
        id: &Key,
        old: Option<&Document>,
        new: Option<&Document>,
    ) -> Result<(), Refusal> {
        let mut moves = Vec::new();
        for (position, index) in self.indexes.iter().enumerate() {
            if let (Some(old), Some(new)) = (old, new)
                && index.is_untouched(old, new)
            {
                continue;
            }
            let keys = |document: Option<&Document>| {
                document.map_or_else(|| Ok(BTreeSet::new()), |document| index.keys(document))
            };
            let (old, new) = (keys(old)?, keys(new)?);
            if let Some(key) = index.held_by_another(&new, id) {
                return Err(duplicate(index, key));
            }
            moves.push((position, old, new));
        }
        for (position, old, new) in moves {
            self.indexes[position].move_keys(id, &old, new);
        }
        Ok(())
    }
}

fn duplicate(index: &UniqueIndex, key: &IndexKey) -> Refusal {
    let Index { name, fields, .. } = &*index.definition;
    Refusal::Duplicate(Duplicate { index: name.clone(), fields: fields.clone(), key: key.clone() })
}
