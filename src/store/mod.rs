//! The store: operations as values, one `execute`.
//!
//! Everything that an algorithm does to a document database is a [`Command`], and everything that
//! it learns is a [`Reply`] or a [`StoreError`]. A command says one single-document operation, so
//! every write is atomic by construction. The [`Collection`] handle is typed sugar over it that
//! reads like the official driver.
//!
//! This module knows nothing of the rest of the crate.

mod atoms;
mod collection;
mod command;
mod display;
mod document;
mod error;
pub mod filter;
mod index;
pub(crate) mod json;
pub mod memory;
#[cfg(feature = "mongo")]
pub mod mongo;
mod ordinal;
mod path;
pub mod update;
mod value;

use std::future::Future;

pub(crate) use atoms::{Atom, Atoms};
pub use collection::{Collection, Find, FindOne, FindOneAndUpdate, ReplaceOne, UpdateOne};
pub use command::{
    Command, Concern, Operation, Projection, ReadConcern, Reply, Returns, Sort, Updated,
    WriteConcern,
};
pub use document::Document;
pub use error::StoreError;
pub use filter::{Filter, Predicate};
pub use index::{Covers, Index};
pub use json::{from_document, to_document};
pub use ordinal::Ordinal;
pub use path::Path;
pub use update::{Operator, Update};
pub use value::{Array, Text, Value};

/// A document database, as far as single-document operations go.
///
/// Implemented by the emulator, by the handle that a process under check gets, and by the adapter
/// for MongoDB: code that is generic over it runs on each of them, unchanged.
pub trait Store: Send + Sync {
    /// Does one command, and returns what the server answers.
    ///
    /// Dropping the future before it ends leaves the outcome unknown.
    ///
    /// # Errors
    ///
    /// See the predicates of [`StoreError`]. After `is_outcome_unknown` the command was done, or
    /// was not, or will be; after any other error nothing was changed.
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send;

    /// A typed handle on a collection.
    fn collection<T>(&self, name: &str) -> Collection<'_, Self, T>
    where
        Self: Sized,
    {
        Collection::new(self, name)
    }
}

impl<S: Store> Store for &S {
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        (**self).execute(command)
    }
}

impl<S: Store> Store for std::sync::Arc<S> {
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        (**self).execute(command)
    }
}

/// A store whose collections and indexes can be set up: done once, before the first command.
pub trait Provision: Store {
    /// Makes a collection with these indexes where it is not there yet.
    ///
    /// # Errors
    ///
    /// `is_duplicate_key` where documents break one of the indexes, `is_invalid` where an index of
    /// that name is there with another definition.
    fn provision(
        &self,
        collection: &str,
        indexes: &[Index],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
