//! Unique indexes on a server: made once, and refused where they are not as they are asked for.

use mongodb::bson::{Bson, Document, doc};
use mongodb::{Database, IndexModel, error};

use super::error::sorted;
use super::{MongoStore, query};
use crate::store::{Covers, Index, Provision, StoreError};

/// *NamespaceExists*: another client was faster.
const IS_THERE: i32 = 48;
/// *NamespaceNotFound*: the collection has no index, since it is not there.
const IS_NOT_THERE: i32 = 26;

/// How an index stands on the server.
#[derive(Debug, PartialEq)]
pub(super) enum Standing {
    AsAsked,
    Missing,
    Different(Document),
}

impl MongoStore {
    /// Looks whether a collection has these unique indexes, each as it is asked for. Writes
    /// nothing: for the start of a program that is not the one to set up the database.
    ///
    /// # Errors
    ///
    /// `is_refused` where one is missing, `is_invalid` where one is another; both say what to do.
    pub async fn verify(&self, collection: &str, indexes: &[Index]) -> Result<(), StoreError> {
        let there = listed(self.database(), collection).await?;
        for index in indexes {
            if is_missing(collection, index, &there)? {
                return Err(StoreError::refused(format!(
                    "the unique index {} of {collection} is missing, and without it nothing is exclusive: \
                     stop the programs that write to {collection}, then make it with `provision`",
                    index.name
                )));
            }
        }
        Ok(())
    }
}

impl Provision for MongoStore {
    /// Nothing is changed where one of the indexes is there with another definition. Where the
    /// server fails between two indexes, those before it stay; to call it again goes on.
    async fn provision(&self, collection: &str, indexes: &[Index]) -> Result<(), StoreError> {
        create(self.database(), collection).await?;
        let there = listed(self.database(), collection).await?;
        let mut missing = Vec::new();
        for index in indexes {
            if is_missing(collection, index, &there)? {
                missing.push(model(index)?);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let handle = self.database().collection::<Document>(collection);
        let made = handle.create_indexes(missing).await;
        made.map(drop).map_err(|error| sorted(&error, collection, true))
    }
}

async fn create(database: &Database, collection: &str) -> Result<(), StoreError> {
    match database.create_collection(collection).await {
        Err(error) if code(&error) != Some(IS_THERE) => Err(sorted(&error, collection, true)),
        _ => Ok(()),
    }
}

/// The definitions of the indexes of a collection.
pub(super) async fn listed(
    database: &Database,
    collection: &str,
) -> Result<Vec<Document>, StoreError> {
    let failed = |error| sorted(&error, collection, false);
    let command = doc! {"listIndexes": collection, "cursor": {"batchSize": i32::MAX}};
    let mut cursor = match database.run_cursor_command(command).await {
        Err(error) if code(&error) == Some(IS_NOT_THERE) => return Ok(Vec::new()),
        cursor => cursor.map_err(failed)?,
    };
    let mut definitions = Vec::new();
    while cursor.advance().await.map_err(failed)? {
        definitions.push(cursor.deserialize_current().map_err(failed)?);
    }
    Ok(definitions)
}

pub(super) fn code(error: &error::Error) -> Option<i32> {
    match &*error.kind {
        error::ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}

/// Whether an index has still to be made.
fn is_missing(collection: &str, index: &Index, there: &[Document]) -> Result<bool, StoreError> {
    match standing(index, there)? {
        Standing::AsAsked => Ok(false),
        Standing::Missing => Ok(true),
        Standing::Different(definition) => {
            let name = definition.get_str("name").unwrap_or_default();
            let asked = self::definition(index)?;
            Err(StoreError::invalid(format!(
                "the index {name} of {collection} is there as {definition}, and {asked} is asked for: \
                 drop it (db.{collection}.dropIndex(\"{name}\")), then make it with `provision`"
            )))
        }
    }
}

/// How an index stands among those of the server. One on the same fields is the same one if it is
/// defined alike, whatever its name: then errors would name it otherwise, so it counts as different.
pub(super) fn standing(index: &Index, there: &[Document]) -> Result<Standing, StoreError> {
    let asked = definition(index)?;
    for definition in there {
        let known = essential(definition);
        if known == asked {
            return Ok(Standing::AsAsked);
        }
        let same = |field| known.get(field) == asked.get(field);
        if same("name") || (same("key") && same("partialFilterExpression")) {
            return Ok(Standing::Different(definition.clone()));
        }
    }
    Ok(Standing::Missing)
}

/// What of a definition counts, with the numbers in one type and no option that is off.
fn essential(definition: &Document) -> Document {
    let counts = ["name", "key", "unique", "sparse", "partialFilterExpression", "collation"];
    let counted = counts.iter().filter_map(|name| Some((name.to_string(), definition.get(name)?)));
    counted
        .filter(|(_, option)| **option != Bson::Boolean(false))
        .map(|(name, option)| (name, with_long_numbers(option.clone())))
        .collect()
}

fn with_long_numbers(value: Bson) -> Bson {
    match value {
        Bson::Int32(number) => Bson::Int64(number.into()),
        Bson::Double(number) if number.fract() == 0.0 => Bson::Int64(number as i64),
        Bson::Document(fields) => {
            Bson::Document(fields.into_iter().map(|(k, v)| (k, with_long_numbers(v))).collect())
        }
        Bson::Array(items) => Bson::Array(items.into_iter().map(with_long_numbers).collect()),
        other => other,
    }
}

/// The definition that a server lists for an index.
fn definition(index: &Index) -> Result<Document, StoreError> {
    let mut definition = doc! {"name": &*index.name, "key": keys(index), "unique": true};
    match &index.covers {
        Covers::All => {}
        Covers::Sparse => {
            definition.insert("sparse", true);
        }
        Covers::Partial(filter) => {
            definition.insert("partialFilterExpression", query::filter(filter)?);
        }
    }
    Ok(essential(&definition))
}

fn keys(index: &Index) -> Document {
    index.fields.iter().map(|field| (field.as_str().to_owned(), Bson::Int32(1))).collect()
}

fn model(index: &Index) -> Result<IndexModel, StoreError> {
    let mut options =
        mongodb::options::IndexOptions::builder().name(index.name.to_string()).unique(true).build();
    match &index.covers {
        Covers::All => {}
        Covers::Sparse => options.sparse = Some(true),
        Covers::Partial(filter) => options.partial_filter_expression = Some(query::filter(filter)?),
    }
    Ok(IndexModel::builder().keys(keys(index)).options(options).build())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::filter::eq;

    fn on_w() -> Index {
        Index::unique(["w"])
    }

    fn listed() -> Document {
        doc! {"v": 2, "key": {"w": 1}, "name": "w_1", "unique": true}
    }

    fn with(mut definition: Document, name: &str, option: impl Into<Bson>) -> Document {
        definition.insert(name, option);
        definition
    }

    #[test]
    fn an_index_is_known_again_however_its_numbers_are_stored() {
        let partial = on_w().partial(eq("n", 1));
        for number in [Bson::Int32(1), Bson::Int64(1), Bson::Double(1.0)] {
            let there = with(with(listed(), "key", doc! {"w": number.clone()}), "sparse", false);
            assert_eq!(standing(&on_w(), &[there]), Ok(Standing::AsAsked));
            let there = with(listed(), "partialFilterExpression", doc! {"n": number});
            assert_eq!(standing(&partial, &[there]), Ok(Standing::AsAsked));
        }
        assert_eq!(standing(&on_w(), &[]), Ok(Standing::Missing));
        let other = with(with(listed(), "name", "a_1"), "key", doc! {"a": 1});
        assert_eq!(standing(&on_w(), &[other]), Ok(Standing::Missing));
    }

    #[test]
    fn another_definition_is_seen() {
        let others = [
            with(listed(), "unique", false),
            with(listed(), "sparse", true),
            with(listed(), "key", doc! {"w": -1}),
            with(listed(), "name", "other"),
            with(listed(), "partialFilterExpression", doc! {"w": {"$exists": true}}),
            with(listed(), "collation", doc! {"locale": "fr"}),
        ];
        for there in others {
            let standing = standing(&on_w(), std::slice::from_ref(&there));
            assert_eq!(standing, Ok(Standing::Different(there)));
        }
    }
}
