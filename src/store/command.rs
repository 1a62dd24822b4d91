//! An operation as a value: what a store is asked, and what it answers.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::filter::Filter;
use super::path::Path;
use super::update::Update;
use super::value::{Text, Value};

/// One operation on one collection: exactly one command to a server.
///
/// Every write is a write to a single document, so it is atomic on MongoDB (manual,
/// *core/write-operations-atomicity*): what is not cannot be said. Plain data, so that a command
/// can be printed, compared, recorded, replayed, refused by a fault, and sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Command {
    /// The name of the collection.
    pub collection: Text,
    /// What is done to it.
    pub operation: Operation,
    /// How durable a read or a write has to be.
    #[serde(default)]
    pub concern: Concern,
}

/// What a [`Command`] does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `find` with a limit of 1: the first document that matches, if any.
    FindOne {
        /// Which document.
        filter: Filter,
        /// Which fields are returned.
        #[serde(default)]
        projection: Projection,
    },
    /// `find`: the documents that match. Not a snapshot: it reads one document after another.
    Scan {
        /// Which documents.
        filter: Filter,
        /// In which order they are returned; empty: as the collection is read.
        #[serde(default)]
        sort: Vec<Sort>,
        /// At most so many are returned; `None`: all.
        #[serde(default)]
        limit: Option<u32>,
        /// Which fields are returned.
        #[serde(default)]
        projection: Projection,
    },
    /// `insert` of one document; one without an `_id` is refused, since the driver would invent
    /// a random one.
    InsertOne {
        /// The document.
        document: Document,
    },
    /// `update` of the first document that matches.
    UpdateOne {
        /// Which document.
        filter: Filter,
        /// What changes.
        update: Update,
        /// Whether a document is inserted where none matches.
        #[serde(default)]
        upsert: bool,
    },
    /// `findAndModify` with an update: changes the first document that matches and returns it.
    FindOneAndUpdate {
        /// Which document.
        filter: Filter,
        /// What changes.
        update: Update,
        /// Which one is first. Not a queue: fact 3 of `tests/facts`.
        #[serde(default)]
        sort: Vec<Sort>,
        /// Whether a document is inserted where none matches.
        #[serde(default)]
        upsert: bool,
        /// Whether the document is returned as it was, or as it is now.
        #[serde(default)]
        returns: Returns,
        /// Which fields are returned.
        #[serde(default)]
        projection: Projection,
    },
    /// `update` with a whole document: replaces the first document that matches.
    ReplaceOne {
        /// Which document.
        filter: Filter,
        /// The new document; an `_id` in it has to be the old one.
        replacement: Document,
        /// Whether it is inserted where none matches.
        #[serde(default)]
        upsert: bool,
    },
    /// `delete` of the first document that matches.
    DeleteOne {
        /// Which document.
        filter: Filter,
    },
}

/// Which fields of a document are returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// The whole document.
    #[default]
    All,
    /// Only these fields, and `_id`.
    Include(Vec<Path>),
    /// All fields but these.
    Exclude(Vec<Path>),
}

/// One key of a sort.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Lowest first; a missing field counts as null.
    Ascending(Path),
    /// Highest first.
    Descending(Path),
}

/// Which version of a document a find-and-update returns.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// As it was; nothing where it was upserted. The server's default.
    #[default]
    Before,
    /// As the update left it.
    After,
}

/// How durable the data that is read has to be, and how durable a write is when it is
/// acknowledged (MongoDB manual, *reference/read-concern* and *reference/write-concern*).
///
/// Set on the collection handle. On the emulator both kinds read and write the same data: only a
/// failover tells them apart, and that is a fault of the model.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Concern {
    /// What a read may see.
    #[serde(default)]
    pub read: ReadConcern,
    /// When a write is acknowledged.
    #[serde(default)]
    pub write: WriteConcern,
}

/// What a read may see.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReadConcern {
    /// Data that may be rolled back at a failover. The server's default.
    #[default]
    Local,
    /// Data that a majority of the replica set has; it may be stale.
    Majority,
    /// As `Majority`, and never stale; for one document, on the primary.
    Linearizable,
}

/// When a write is acknowledged.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum WriteConcern {
    /// When the primary has it (`w: 1`): it can vanish at a failover.
    Primary,
    /// When a majority of the replica set has it. The server's default since 5.0.
    #[default]
    Majority,
}

/// What a store answers to a [`Command`] that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To `FindOne` and `FindOneAndUpdate`: the document, if there is one.
    Document(Option<Document>),
    /// To `Scan`: the documents.
    Documents(Vec<Document>),
    /// To `InsertOne`: done.
    Inserted,
    /// To `UpdateOne` and `ReplaceOne`.
    Updated(Updated),
    /// To `DeleteOne`: how many documents were deleted, 0 or 1 from a sound store.
    Deleted(u64),
}

/// How many documents an update was for.
///
/// A sound store reports at most one; the counts are those that the store sent, so that code can
/// check them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Updated {
    /// Documents that matched the filter; 0 where one was upserted.
    pub matched: u64,
    /// Documents that the update changed: a matched one that it leaves as it was is not counted.
    pub modified: u64,
    /// The `_id` of the document that was inserted, if one was.
    #[serde(default)]
    pub upserted: Option<Value>,
}

impl Operation {
    /// Whether the operation can change a document.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self, Operation::FindOne { .. } | Operation::Scan { .. })
    }

    /// Which documents the operation is for; `None` of an insert.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        match self {
            Operation::FindOne { filter, .. }
            | Operation::Scan { filter, .. }
            | Operation::UpdateOne { filter, .. }
            | Operation::FindOneAndUpdate { filter, .. }
            | Operation::ReplaceOne { filter, .. }
            | Operation::DeleteOne { filter } => Some(filter),
            Operation::InsertOne { .. } => None,
        }
    }

    /// What the operation changes by operators; `None` of a replacement.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        match self {
            Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. } => {
                Some(update)
            }
            _ => None,
        }
    }

    /// Whether a document is inserted where none matches.
    #[must_use]
    pub fn is_upsert(&self) -> bool {
        match self {
            Operation::UpdateOne { upsert, .. }
            | Operation::FindOneAndUpdate { upsert, .. }
            | Operation::ReplaceOne { upsert, .. } => *upsert,
            _ => false,
        }
    }

    /// The name of the method that makes this operation, as it stands in a trace.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Operation::FindOne { .. } => "find_one",
            Operation::Scan { .. } => "find",
            Operation::InsertOne { .. } => "insert_one",
            Operation::UpdateOne { .. } => "update_one",
            Operation::FindOneAndUpdate { .. } => "find_one_and_update",
            Operation::ReplaceOne { .. } => "replace_one",
            Operation::DeleteOne { .. } => "delete_one",
        }
    }
}
