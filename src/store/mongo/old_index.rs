//! Indexes of before: which there are besides those that are asked for, and away with them.

use super::MongoStore;
use super::error::sorted;
use super::index::{Standing, listed, standing};
use crate::store::{Index, StoreError};

/// The index that every collection has.
const OF_IDS: &str = "_id_";
/// *IndexNotFound*, *NamespaceNotFound*: it is gone already.
const IS_GONE: [i32; 2] = [27, 26];

impl MongoStore {
    /// The names of the indexes of a collection that are none of these, nor the one on `_id`: one of
    /// the same name with another definition among them.
    ///
    /// # Errors
    ///
    /// As [`Store::execute`](crate::store::Store::execute) of a read.
    pub async fn other_indexes(
        &self,
        collection: &str,
        wanted: &[Index],
    ) -> Result<Vec<String>, StoreError> {
        let mut others = Vec::new();
        for there in listed(self.database(), collection).await? {
            let name = there.get_str("name").unwrap_or_default().to_owned();
            let mut is_wanted = name == OF_IDS;
            for index in wanted {
                let one = standing(index, std::slice::from_ref(&there))?;
                is_wanted |= one == Standing::AsAsked;
            }
            if !is_wanted {
                others.push(name);
            }
        }
        Ok(others)
    }

    /// Drops an index, if it is there.
    ///
    /// # Errors
    ///
    /// As [`Store::execute`](crate::store::Store::execute) of a write.
    pub async fn drop_index(&self, collection: &str, name: &str) -> Result<(), StoreError> {
        let handle = self.database().collection::<mongodb::bson::Document>(collection);
        match handle.drop_index(name).await {
            Err(error)
                if super::index::code(&error).is_some_and(|code| IS_GONE.contains(&code)) =>
            {
                Ok(())
            }
            dropped => dropped.map_err(|error| sorted(&error, collection, true)),
        }
    }
}
