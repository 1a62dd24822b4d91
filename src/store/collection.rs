//! Typed sugar over [`Command`]: a collection of serde structs, used as in the official driver.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use super::command::{
    Command, Concern, Operation, Projection, ReadConcern, Reply, Returns, Sort, Updated,
    WriteConcern,
};
use super::document::Document;
use super::error::StoreError;
use super::filter::Filter;
use super::json::{from_document, to_document};
use super::path::Path;
use super::update::Update;
use super::value::Text;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A handle on a collection whose documents are `T`s.
///
/// ```
/// # async fn example(store: &impl doorway::store::Store) -> Result<(), doorway::store::StoreError> {
/// use doorway::store::{filter::by_id, update::push};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Reservation {
///     _id: String,
///     worker_name: String,
///     task_ids: Vec<String>,
/// }
///
/// let reservations = store.collection::<Reservation>("reserved_resources");
/// let updated = reservations.update_one(by_id("repo-1"), push("task_ids", "t2")).await?;
/// if updated.matched == 0 {
///     println!("nobody has reserved repo-1");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Collection<'a, S, T> {
    store: &'a S,
    name: Text,
    concern: Concern,
    documents: PhantomData<fn() -> T>,
}

impl<S, T> Clone for Collection<'_, S, T> {
    fn clone(&self) -> Self {
        let Collection { store, name, concern, documents } = self;
        Collection { store, name: name.clone(), concern: *concern, documents: *documents }
    }
}

impl<'a, S: Store, T> Collection<'a, S, T> {
    /// A handle on the collection of that name, with the server's default concerns.
    pub fn new(store: &'a S, name: impl Into<Text>) -> Self {
        let concern = Concern::default();
        Collection { store, name: name.into(), concern, documents: PhantomData }
    }

    /// The same handle with another read concern.
    #[must_use]
    pub fn read_concern(mut self, read: ReadConcern) -> Self {
        self.concern.read = read;
        self
    }

    /// The same handle with another write concern.
    #[must_use]
    pub fn write_concern(mut self, write: WriteConcern) -> Self {
        self.concern.write = write;
        self
    }

    /// The first document that matches.
    pub fn find_one(&self, filter: Filter) -> FindOne<'a, S, T> {
        FindOne { collection: self.clone(), filter, projection: Projection::All }
    }

    /// The documents that match; read one after another, so not a snapshot.
    pub fn find(&self, filter: Filter) -> Find<'a, S, T> {
        let (sort, limit, projection) = (Vec::new(), None, Projection::All);
        Find { collection: self.clone(), filter, sort, limit, projection }
    }

    /// Updates the first document that matches.
    pub fn update_one(&self, filter: Filter, update: Update) -> UpdateOne<'a, S, T> {
        UpdateOne { collection: self.clone(), filter, update, upsert: false }
    }

    /// Updates the first document that matches, and returns it.
    pub fn find_one_and_update(
        &self,
        filter: Filter,
        update: Update,
    ) -> FindOneAndUpdate<'a, S, T> {
        FindOneAndUpdate {
            collection: self.clone(),
            filter,
            update,
            sort: Vec::new(),
            upsert: false,
            returns: Returns::Before,
            projection: Projection::All,
        }
    }

    /// Deletes the first document that matches, and returns how many were deleted.
    ///
    /// # Errors
    ///
    /// As [`Store::execute`].
    pub async fn delete_one(&self, filter: Filter) -> Result<u64, StoreError> {
        match self.execute(Operation::DeleteOne { filter }).await? {
            Reply::Deleted(count) => Ok(count),
            other => Err(unexpected("a delete", &other)),
        }
    }

    async fn execute(&self, operation: Operation) -> Result<Reply, StoreError> {
        let collection = self.name.clone();
        self.store.execute(Command { collection, operation, concern: self.concern }).await
    }
}

impl<'a, S: Store, T: Serialize> Collection<'a, S, T> {
    /// Inserts a document, which has to have an `_id`.
    ///
    /// # Errors
    ///
    /// `is_data` where `T` does not become a document; else as [`Store::execute`].
    pub async fn insert_one(
        &self,
        document: impl std::borrow::Borrow<T>,
    ) -> Result<(), StoreError> {
        let document = to_document(document.borrow())?;
        match self.execute(Operation::InsertOne { document }).await? {
            Reply::Inserted => Ok(()),
            other => Err(unexpected("an insert", &other)),
        }
    }

    /// Replaces the first document that matches by a whole other one.
    pub fn replace_one(
        &self,
        filter: Filter,
        replacement: impl std::borrow::Borrow<T>,
    ) -> ReplaceOne<'a, S, T> {
        let replacement = to_document(replacement.borrow());
        ReplaceOne { collection: self.clone(), filter, replacement, upsert: false }
    }
}

/// A find of one document, under way when it is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct FindOne<'a, S, T> {
    collection: Collection<'a, S, T>,
    filter: Filter,
    projection: Projection,
}

/// A find, under way when it is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct Find<'a, S, T> {
    collection: Collection<'a, S, T>,
    filter: Filter,
    sort: Vec<Sort>,
    limit: Option<u32>,
    projection: Projection,
}

/// An update, under way when it is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct UpdateOne<'a, S, T> {
    collection: Collection<'a, S, T>,
    filter: Filter,
    update: Update,
    upsert: bool,
}

/// A find-and-update, under way when it is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct FindOneAndUpdate<'a, S, T> {
    collection: Collection<'a, S, T>,
    filter: Filter,
    update: Update,
    sort: Vec<Sort>,
    upsert: bool,
    returns: Returns,
    projection: Projection,
}

/// A replacement, under way when it is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct ReplaceOne<'a, S, T> {
    collection: Collection<'a, S, T>,
    filter: Filter,
    replacement: Result<Document, StoreError>,
    upsert: bool,
}

macro_rules! options {
    ($($name:ident { $($(#[$doc:meta])* $option:ident: $type:ty = $value:expr;)* })*) => {$(
        impl<S, T> $name<'_, S, T> {
            $($(#[$doc])*
            pub fn $option(mut self, $option: impl Into<$type>) -> Self {
                self.$option = $value($option.into());
                self
            })*
        }
    )*};
}

options! {
    FindOne {
        /// Which fields are returned.
        projection: Projection = std::convert::identity;
    }
    Find {
        /// In which order.
        sort: Vec<Sort> = std::convert::identity;
        /// At most so many; 0 is refused.
        limit: u32 = Some;
        /// Which fields are returned.
        projection: Projection = std::convert::identity;
    }
    UpdateOne {
        /// Whether a document is inserted where none matches.
        upsert: bool = std::convert::identity;
    }
    FindOneAndUpdate {
        /// Which document is first.
        sort: Vec<Sort> = std::convert::identity;
        /// Whether a document is inserted where none matches.
        upsert: bool = std::convert::identity;
        /// Whether the document is returned as it was, or as it is now.
        returns: Returns = std::convert::identity;
        /// Which fields are returned.
        projection: Projection = std::convert::identity;
    }
    ReplaceOne {
        /// Whether the document is inserted where none matches.
        upsert: bool = std::convert::identity;
    }
}

impl<'a, S: Store, T: DeserializeOwned + 'a> IntoFuture for FindOne<'a, S, T> {
    type Output = Result<Option<T>, StoreError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let FindOne { collection, filter, projection } = self;
        let operation = Operation::FindOne { filter, projection };
        execute(collection, Ok(operation), |reply| match reply {
            Reply::Document(document) => document.map(from_document).transpose(),
            other => Err(unexpected("a find", &other)),
        })
    }
}

impl<'a, S: Store, T: DeserializeOwned + 'a> IntoFuture for Find<'a, S, T> {
    type Output = Result<Vec<T>, StoreError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Find { collection, filter, sort, limit, projection } = self;
        let operation = Operation::Scan { filter, sort, limit, projection };
        execute(collection, Ok(operation), |reply| match reply {
            Reply::Documents(documents) => documents.into_iter().map(from_document).collect(),
            other => Err(unexpected("a find", &other)),
        })
    }
}

impl<'a, S: Store, T> IntoFuture for UpdateOne<'a, S, T> {
    type Output = Result<Updated, StoreError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let UpdateOne { collection, filter, update, upsert } = self;
        execute(collection, Ok(Operation::UpdateOne { filter, update, upsert }), updated)
    }
}

impl<'a, S: Store, T: DeserializeOwned + 'a> IntoFuture for FindOneAndUpdate<'a, S, T> {
    type Output = Result<Option<T>, StoreError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let FindOneAndUpdate { collection, filter, update, sort, upsert, returns, projection } =
            self;
        let operation =
            Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection };
        execute(collection, Ok(operation), |reply| match reply {
            Reply::Document(document) => document.map(from_document).transpose(),
            other => Err(unexpected("a find-and-update", &other)),
        })
    }
}

impl<'a, S: Store, T> IntoFuture for ReplaceOne<'a, S, T> {
    type Output = Result<Updated, StoreError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let ReplaceOne { collection, filter, replacement, upsert } = self;
        let operation =
            replacement.map(|replacement| Operation::ReplaceOne { filter, replacement, upsert });
        execute(collection, operation, updated)
    }
}

/// The future of every builder: one command, and what its reply means.
fn execute<'a, S: Store, T, R: 'a>(
    collection: Collection<'a, S, T>,
    operation: Result<Operation, StoreError>,
    read: fn(Reply) -> Result<R, StoreError>,
) -> BoxFuture<'a, Result<R, StoreError>> {
    let Collection { store, name, concern, .. } = collection;
    Box::pin(async move {
        let command = Command { collection: name, operation: operation?, concern };
        read(store.execute(command).await?)
    })
}

fn updated(reply: Reply) -> Result<Updated, StoreError> {
    match reply {
        Reply::Updated(updated) => Ok(updated),
        other => Err(unexpected("an update", &other)),
    }
}

fn unexpected(operation: &str, reply: &Reply) -> StoreError {
    StoreError::invalid(format!("the store answered {operation} with {reply}"))
}

impl Sort {
    /// Lowest first.
    #[must_use]
    pub fn ascending(path: impl Into<Path>) -> Vec<Sort> {
        vec![Sort::Ascending(path.into())]
    }

    /// Highest first.
    #[must_use]
    pub fn descending(path: impl Into<Path>) -> Vec<Sort> {
        vec![Sort::Descending(path.into())]
    }
}
