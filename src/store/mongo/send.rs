//! One command to the server for each operation.

use mongodb::bson::{Bson, Document as BsonDocument, RawBson, RawDocument, RawDocumentBuf};
use mongodb::options::{
    Acknowledgment, CollectionOptions, ReadConcern as DriverReadConcern, ReadPreference,
    ReturnDocument, SelectionCriteria, WriteConcern as DriverWriteConcern,
};
use mongodb::results::UpdateResult;
use mongodb::{Collection, Database};

use super::bson::{from_bson, to_bson, value_from_bson};
use super::error::{self, sorted};
use super::{query, update};
use crate::store::{
    Command, Concern, Document, Filter, Operation, Projection, ReadConcern, Reply, Returns, Sort,
    StoreError, Updated, Value, WriteConcern,
};

/// The largest document, in bytes of BSON (manual, *reference/limits*).
pub(super) const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// Of documents as they come, which are read here and not by the driver.
type Handle = Collection<RawDocumentBuf>;

/// Sends a command and reads its reply.
pub(super) async fn send(database: &Database, command: &Command) -> Result<Reply, StoreError> {
    let Command { collection, operation, concern } = command;
    let handle = handle(database, collection, *concern);
    match operation {
        Operation::FindOne { filter, projection } => find_one(&handle, filter, projection).await,
        Operation::Scan { filter, sort, limit, projection } => {
            scan(&handle, filter, (sort, *limit), projection).await
        }
        Operation::InsertOne { document } => insert(&handle, document).await,
        Operation::UpdateOne { filter, update, upsert } => {
            let (filter, update) = (query::filter(filter)?, update::update(update)?);
            updated(handle.update_one(filter, update).upsert(*upsert).await, collection)
        }
        Operation::FindOneAndUpdate { .. } => find_and_update(&handle, operation).await,
        Operation::ReplaceOne { filter, replacement, upsert } => {
            let (filter, replacement) = (query::filter(filter)?, whole(replacement)?);
            updated(
                whole_documents(&handle).replace_one(filter, replacement).upsert(*upsert).await,
                collection,
            )
        }
        Operation::DeleteOne { filter } => {
            let deleted = handle.delete_one(query::filter(filter)?).await;
            let deleted = deleted.map_err(|e| sorted(&e, collection, true))?;
            Ok(Reply::Deleted(deleted.deleted_count))
        }
    }
}

fn handle(database: &Database, collection: &str, concern: Concern) -> Handle {
    let read = match concern.read {
        ReadConcern::Local => DriverReadConcern::local(),
        ReadConcern::Majority => DriverReadConcern::majority(),
        ReadConcern::Linearizable => DriverReadConcern::linearizable(),
    };
    let acknowledgment = match concern.write {
        WriteConcern::Primary => Acknowledgment::Nodes(1),
        WriteConcern::Majority => Acknowledgment::Majority,
    };
    let options = CollectionOptions::builder()
        .read_concern(read)
        .write_concern(DriverWriteConcern::builder().w(acknowledgment).build())
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build();
    database.collection_with_options(collection, options)
}

async fn find_one(
    handle: &Handle,
    filter: &Filter,
    projection: &Projection,
) -> Result<Reply, StoreError> {
    let find = handle.find_one(query::filter(filter)?);
    let find = match query::projection(projection)? {
        Some(projection) => find.projection(projection),
        None => find,
    };
    let found = find.await.map_err(|e| sorted(&e, handle.name(), false))?;
    Ok(Reply::Document(found.map(|document| read(&document, false)).transpose()?))
}

/// A find whose reply holds all that matches; only what one reply cannot hold (16 MiB) is asked
/// for with further commands.
async fn scan(
    handle: &Handle,
    filter: &Filter,
    (sort, limit): (&[Sort], Option<u32>),
    projection: &Projection,
) -> Result<Reply, StoreError> {
    let mut find = handle.find(query::filter(filter)?).batch_size(i32::MAX as u32);
    if let Some(sort) = query::sort(sort)? {
        find = find.sort(sort);
    }
    if let Some(projection) = query::projection(projection)? {
        find = find.projection(projection);
    }
    match limit {
        Some(0) => {
            return Err(StoreError::invalid("a limit of 0 (a server takes it for no limit)"));
        }
        Some(limit) => find = find.limit(limit.into()),
        None => {}
    }
    let failed = |error| sorted(&error, handle.name(), false);
    let mut cursor = find.await.map_err(failed)?;
    let mut found = Vec::new();
    while cursor.advance().await.map_err(failed)? {
        found.push(read(cursor.current(), false)?);
    }
    Ok(Reply::Documents(found))
}

async fn insert(handle: &Handle, document: &Document) -> Result<Reply, StoreError> {
    if document.id().is_none() {
        let text = "a document without _id (a driver would invent one)";
        return Err(StoreError::invalid(text));
    }
    let document = whole(document)?;
    match whole_documents(handle).insert_one(document).await {
        Ok(_) => Ok(Reply::Inserted),
        Err(error) => Err(sorted(&error, handle.name(), true)),
    }
}

async fn find_and_update(handle: &Handle, operation: &Operation) -> Result<Reply, StoreError> {
    let Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection } =
        operation
    else {
        return Err(StoreError::invalid(format!("a find-and-update by {}", operation.name())));
    };
    let returns = match returns {
        Returns::Before => ReturnDocument::Before,
        Returns::After => ReturnDocument::After,
    };
    let mut find = handle
        .find_one_and_update(query::filter(filter)?, update::update(update)?)
        .upsert(*upsert)
        .return_document(returns);
    if let Some(sort) = query::sort(sort)? {
        find = find.sort(sort);
    }
    if let Some(projection) = query::projection(projection)? {
        find = find.projection(projection);
    }
    let found = find.await.map_err(|e| sorted(&e, handle.name(), true))?;
    Ok(Reply::Document(found.map(|document| read(&document, true)).transpose()?))
}

/// The same handle, of documents as they are sent.
fn whole_documents(handle: &Handle) -> Collection<BsonDocument> {
    handle.clone_with_type()
}

/// A whole document, refused here where no server stores it: the driver would say so in other
/// words for each operation.
fn whole(document: &Document) -> Result<BsonDocument, StoreError> {
    match document.bson_size() {
        bytes if bytes > MAX_DOCUMENT_BYTES => {
            Err(StoreError::too_large(bytes, MAX_DOCUMENT_BYTES))
        }
        _ => to_bson(document),
    }
}

fn updated(
    result: mongodb::error::Result<UpdateResult>,
    collection: &str,
) -> Result<Reply, StoreError> {
    let result = result.map_err(|error| sorted(&error, collection, true))?;
    Ok(Reply::Updated(Updated {
        matched: result.matched_count,
        modified: result.modified_count,
        upserted: result.upserted_id.map(upserted).transpose()?,
    }))
}

fn upserted(id: Bson) -> Result<Value, StoreError> {
    let id = RawBson::try_from(id).map_err(|error| format!(": {error}"));
    let id = id.and_then(|id| value_from_bson(id.as_raw_bson_ref()));
    id.map_err(|why| unreadable(&format!("_id{why}"), true))
}

fn read(document: &RawDocument, written: bool) -> Result<Document, StoreError> {
    from_bson(document).map_err(|why| unreadable(&why, written))
}

/// A reply with a value that is none here. A write was done, and no error may say that it was not.
fn unreadable(why: &str, written: bool) -> StoreError {
    if written {
        error::lost(true, format!("done, but the reply cannot be read: {why}"))
    } else {
        StoreError::data(why)
    }
}
