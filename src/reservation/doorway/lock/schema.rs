//! The collection of the queues, and their documents.

use serde::{Deserialize, Serialize};

use crate::store::{Collection, Store, Text};

/// The collection of the queues. It needs no index but that on `_id`.
pub const QUEUES: &str = "queues";

/// A queue: made by the first who enters it, and never deleted, since its tokens only go up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDocument {
    /// The name.
    #[serde(rename = "_id")]
    pub name: Text,
    /// Those who wait and those whose turn it is, in the order in which they came.
    pub entries: Vec<Entry>,
}

/// A task in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the owner, which no other entry has.
    pub owner: i64,
    /// The task.
    pub task_id: Text,
    /// What no other task may use meanwhile.
    pub resources: Vec<Text>,
}

/// Of a queue its token alone: that of the last turn that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub token: i64,
}

/// The queues, as documents of `T`.
pub fn queues<S: Store, T>(store: &S) -> Collection<'_, S, T> {
    store.collection(QUEUES)
}

impl QueueDocument {
    /// Whether the owner's turn has come: no entry before it shares a resource with it. `None` where
    /// it has no entry.
    ///
    /// It stays so: an entry before it can only go.
    #[must_use]
    pub fn is_turn_of(&self, owner: i64) -> Option<bool> {
        let position = self.entries.iter().position(|entry| entry.owner == owner)?;
        let (before, own) = (&self.entries[..position], &self.entries[position]);
        let shared = |entry: &Entry| entry.resources.iter().any(|one| own.resources.contains(one));
        Some(!before.iter().any(shared))
    }
}
