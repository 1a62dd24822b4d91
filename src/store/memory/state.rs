//! The whole content of a database.

use std::sync::Arc;

use super::execution::run;
use super::key::Key;
use super::map::Map;
use super::operators::find;
use super::replicas::Replicas;
use super::table::{Refusal, Table};
use super::validate;
use super::write::stored;
use crate::store::{
    Command, Document, Index, Ordinal, Path, ReadConcern, Reply, StoreError, Text, Value,
};

/// Collections by name.
pub(super) type Tables = Map<Text, Arc<Table>>;

/// The whole content of a database: collections, documents, unique indexes.
///
/// Persistent: a clone is a pointer copy, and a write to it copies the few nodes on the way to what
/// it changes. Two states are equal if their contents are, with the representation of each value;
/// nothing in it depends on an address or a random seed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct State {
    pub(super) tables: Tables,
    /// What other members of a replica set have; `None` where nothing can tell them apart.
    pub(super) replicas: Option<Arc<Replicas>>,
}

/// What a collection has in it: equal if the documents and indexes are.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Content(Option<Arc<Table>>);

impl State {
    /// A database without a collection.
    #[must_use]
    pub fn new() -> State {
        State::default()
    }

    /// Makes a collection with these indexes, where it does not have them yet.
    ///
    /// # Errors
    ///
    /// `is_duplicate_key` where the documents break an index, `is_invalid` where an index of that
    /// name or of these fields is there with another definition (errors 85 and 86), or a
    /// definition is one that a server refuses. Then nothing is changed.
    pub fn provision(&mut self, collection: &str, indexes: &[Index]) -> Result<(), StoreError> {
        validate::collection(collection)?;
        indexes.iter().try_for_each(validate::index)?;
        let name: Text = collection.into();
        let mut table = self.tables.get(&*name).map(|table| (**table).clone()).unwrap_or_default();
        table.provisioned = true;
        for index in indexes {
            if !is_there(&table, index)? {
                table.add_index(index).map_err(|refusal| refusal.into_error(&name))?;
            }
        }
        self.tables.insert(name, Arc::new(table));
        Ok(())
    }

    /// The indexes besides those on `_id`: the collection and the name of each.
    pub fn indexes(&self) -> impl Iterator<Item = (&Text, &Text)> {
        let tables = self.tables.iter();
        tables.flat_map(|(name, table)| table.indexes().map(move |index| (name, &index.name)))
    }

    /// Removes an index; `false` where it is not there.
    pub fn drop_index(&mut self, collection: &str, name: &str) -> bool {
        let table = self.tables.get_mut(collection);
        table.is_some_and(|table| Arc::make_mut(table).drop_index(name))
    }

    /// Declares that nobody writes to a collection any more: from now on a scan of it is one step,
    /// and each write to it is refused as invalid.
    pub fn declare_immutable(&mut self, collection: &str) {
        let name: Text = collection.into();
        let mut table = self.tables.get(&*name).cloned().unwrap_or_default();
        let declared = Arc::make_mut(&mut table);
        declared.provisioned = true;
        declared.immutable = true;
        self.tables.insert(name, table);
    }

    /// Whether a collection was declared immutable, so that the order of reads of it does not count.
    #[must_use]
    pub fn is_immutable(&self, collection: &str) -> bool {
        self.tables.get(collection).is_some_and(|table| table.immutable)
    }

    /// Whether two states are one in memory: then they are equal. It takes no time to find out.
    pub(crate) fn is_same(&self, other: &State) -> bool {
        let (ours, theirs) = (&self.replicas, &other.replicas);
        let same_replicas = match (ours, theirs) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        };
        same_replicas && self.tables.ptr_eq(&other.tables)
    }

    /// Puts in a document, to set a database up.
    ///
    /// # Errors
    ///
    /// As an insert by a command.
    pub fn insert(&mut self, collection: &str, document: Document) -> Result<(), StoreError> {
        validate::collection(collection)?;
        let name: Text = collection.into();
        self.refuse_immutable(&name)?;
        self.put(&name, stored(document)?).map_err(|refusal| refusal.into_error(&name))
    }

    /// The document with this `_id`.
    #[must_use]
    pub fn get(&self, collection: &str, id: &Value) -> Option<&Document> {
        self.tables.get(collection)?.get(&Key::new(id))
    }

    /// The documents of a collection, in the order of their `_id`s.
    pub fn documents<'a>(
        &'a self,
        collection: &str,
    ) -> impl Iterator<Item = &'a Document> + use<'a> {
        self.tables.get(collection).into_iter().flat_map(|table| table.documents())
    }

    /// What a collection has in it, as something to compare.
    pub(crate) fn content(&self, collection: &str) -> Content {
        Content(self.tables.get(collection).cloned())
    }

    /// The ordinals at a path in the documents of a collection: of those that commands write to, and of
    /// those that they may write to after a failover.
    pub(crate) fn ordinals_at(
        &self,
        collection: &Text,
        path: &Path,
    ) -> impl Iterator<Item = Ordinal> {
        let tables = std::iter::once(&self.tables).chain(self.majority());
        let tables = tables.filter_map(move |tables| tables.get(&**collection));
        let values = tables.flat_map(|table| table.documents());
        values.filter_map(move |document| match find(document, path.as_str()) {
            Ok(Some(Value::Ordinal(ordinal))) => Some((**ordinal).clone()),
            _ => None,
        })
    }

    /// How many documents there are, as each member of a replica set has them.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> {
        self.contents().flat_map(|tables| tables.iter().map(|(_, table)| table.documents().count()))
    }

    /// The names of the collections that hold a document or were provisioned.
    pub fn collections(&self) -> impl Iterator<Item = &Text> {
        self.tables.keys()
    }

    /// The whole content as one document, to print or to compare: for each collection the array of
    /// its documents.
    #[must_use]
    pub fn dump(&self) -> Document {
        let documents = |table: &Table| table.documents().cloned().collect::<Vec<_>>();
        self.tables.iter().map(|(name, table)| (name.clone(), documents(table))).collect()
    }

    /// Does a command from its first step to its last, with nothing between.
    ///
    /// # Errors
    ///
    /// As [`Store::execute`](crate::store::Store::execute).
    pub fn execute(&mut self, command: Command) -> Result<Reply, StoreError> {
        run(&command, self)
    }

    /// [`State::execute`] of a command that is kept: nothing of it is copied but what is stored.
    ///
    /// # Errors
    ///
    /// As [`State::execute`].
    pub fn execute_ref(&mut self, command: &Command) -> Result<Reply, StoreError> {
        run(command, self)
    }

    pub(super) fn table(&self, collection: &Text) -> Option<&Table> {
        self.tables.get(collection).map(|table| &**table)
    }

    /// The collection that a command looks at: a majority read sees what a majority has.
    pub(super) fn seen_by(&self, command: &Command) -> Option<&Table> {
        let is_majority_read =
            command.concern.read == ReadConcern::Majority && !command.operation.is_write();
        match self.majority().filter(|_| is_majority_read) {
            Some(majority) => majority.get(&command.collection).map(|table| &**table),
            None => self.table(&command.collection),
        }
    }

    /// Refuses a write to a collection that was declared immutable.
    pub(super) fn refuse_immutable(&self, collection: &Text) -> Result<(), StoreError> {
        if self.is_immutable(collection) {
            let text = format!("a write to {collection}, which was declared immutable");
            return Err(StoreError::invalid(text));
        }
        Ok(())
    }

    /// Puts in a document that was checked.
    pub(super) fn put(&mut self, collection: &Text, document: Document) -> Result<(), Refusal> {
        let id = Key::new(document.id().unwrap_or(&Value::Null));
        match self.table_mut(collection) {
            Some(table) => table.insert(id, document)?,
            None => {
                let mut table = Table::default();
                table.insert(id, document)?;
                self.tables.insert(collection.clone(), Arc::new(table));
            }
        }
        self.note_write();
        Ok(())
    }

    /// Puts a document that was checked in the place of the old one with this `_id`.
    pub(super) fn replace(
        &mut self,
        collection: &Text,
        (id, old): (&Key, &Document),
        new: Document,
    ) -> Result<(), Refusal> {
        let is_written = !new.is_stored_as(old);
        let Some(table) = self.table_mut(collection) else { return Ok(()) };
        table.replace(id, old, new)?;
        if is_written {
            self.note_write();
        }
        Ok(())
    }

    /// Removes the old document with this `_id`; a collection that nobody made goes with its last
    /// one: a state that no command can tell from another one is the same one.
    pub(super) fn remove(
        &mut self,
        collection: &Text,
        (id, old): (&Key, &Document),
    ) -> Result<(), Refusal> {
        let Some(table) = self.table_mut(collection) else { return Ok(()) };
        table.remove(id, old)?;
        if table.is_trace_of_nothing() {
            self.tables.remove(collection);
        }
        self.note_write();
        Ok(())
    }

    fn table_mut(&mut self, collection: &Text) -> Option<&mut Table> {
        self.tables.get_mut(collection).map(Arc::make_mut)
    }
}

/// Whether a collection has this index already.
fn is_there(table: &Table, index: &Index) -> Result<bool, StoreError> {
    for there in table.indexes() {
        if there == index {
            return Ok(true);
        }
        if there.name == index.name {
            let text = format!("another index of the name {} is there", index.name);
            return Err(StoreError::invalid(text));
        }
        if there.fields == index.fields && there.covers == index.covers {
            let text = format!("the index {} is there under the name {}", index.name, there.name);
            return Err(StoreError::invalid(text));
        }
        if there.fields == index.fields {
            let text = format!("two indexes on the fields of {}", index.name);
            return Err(StoreError::unsupported(text));
        }
    }
    Ok(false)
}
