//! Reaching a server, and looking at it before it is used.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};

use super::error::sorted;
use super::{MongoStore, TIMEOUT};
use crate::store::StoreError;

/// The oldest version of a server that is used, major and minor: the rule for trying an upsert
/// again, the key of a duplicate in the reply and the write concern of a majority are all in it.
pub const OLDEST_VERSION: (u32, u32) = (5, 0);

/// How long to look for a server, unless the URI says otherwise.
const SELECTION: Duration = Duration::from_secs(10);

impl MongoStore {
    /// A store on a server, which is looked at first. Writes nothing.
    ///
    /// # Errors
    ///
    /// `is_invalid` for a URI that is none, `is_not_done` where no server answers in time (10
    /// seconds, or `serverSelectionTimeoutMS` of the URI), `is_refused` where the server does not
    /// take the login or is older than [`OLDEST_VERSION`].
    pub async fn connect(uri: &str, database: &str) -> Result<MongoStore, StoreError> {
        let failed = |error| sorted(&error, database, false);
        let mut options = ClientOptions::parse(uri).await.map_err(failed)?;
        options.server_selection_timeout.get_or_insert(SELECTION);
        options.app_name.get_or_insert_with(|| "doorway".to_owned());
        let client = Client::with_options(options).map_err(failed)?;
        let store = MongoStore { database: client.database(database), timeout: TIMEOUT };
        refuse_old(&store.server_version().await?)?;
        allowed(&store.database).await?;
        Ok(store)
    }

    /// The version that the server says it is.
    ///
    /// # Errors
    ///
    /// As [`MongoStore::connect`].
    pub async fn server_version(&self) -> Result<String, StoreError> {
        let said = run(&self.database, doc! {"buildInfo": 1}).await?;
        let version = said.get_str("version");
        version.map(str::to_owned).map_err(|error| StoreError::refused(error.to_string()))
    }
}

/// Whether the user may read the database: a login is asked for only by a command that needs one.
async fn allowed(database: &Database) -> Result<(), StoreError> {
    run(database, doc! {"listCollections": 1, "nameOnly": true}).await.map(drop)
}

async fn run(database: &Database, command: Document) -> Result<Document, StoreError> {
    database.run_command(command).await.map_err(|error| sorted(&error, database.name(), false))
}

fn refuse_old(version: &str) -> Result<(), StoreError> {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor) = OLDEST_VERSION;
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(its_major), Some(its_minor)) if (its_major, its_minor) >= OLDEST_VERSION => Ok(()),
        _ => Err(StoreError::refused(format!(
            "the server is of version {version}, and {major}.{minor} is the oldest that is used here: upgrade it"
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_refused() {
        for old in ["4.4.29", "3.6", "4.99.1", "", "x.y", "5"] {
            assert!(refuse_old(old).unwrap_err().is_refused(), "{old}");
        }
        for new in ["5.0.0", "5.0.0-rc1", "8.2.11", "10.0.0"] {
            assert_eq!(refuse_old(new), Ok(()), "{new}");
        }
    }
}
