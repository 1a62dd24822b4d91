//! The store on a MongoDB server, over the official driver.
//!
//! A [`Command`] becomes exactly one command to the server, sent by the method of the driver that can
//! try it again (retryable writes and reads). Nothing is decided on the way: which document, and
//! what becomes of it, is up to the server.
//!
//! - [`MongoStore::connect`] looks at the server first: that it answers, takes the login, and is
//!   not older than [`OLDEST_VERSION`].
//! - [`Provision::provision`](super::Provision::provision) makes the indexes, once, where the
//!   program is set up; [`MongoStore::verify`] refuses to start without them.
//! - Every command runs in a span of [`tracing`], with the collection, the operation and how it
//!   ended, and without the content of any document.
//! - Reads go to the primary, with the read concern of the handle.
//!
//! ```no_run
//! use doorway::store::{Document, Index, Provision, Store, filter::by_id, mongo::MongoStore};
//!
//! # async fn example() -> Result<(), doorway::store::StoreError> {
//! let store = MongoStore::connect("mongodb://127.0.0.1:27017", "jobs").await?;
//! store.provision("locks", &[Index::unique(["resource"])]).await?;
//! let lock = store.collection::<Document>("locks").find_one(by_id("a")).await?;
//! # Ok(())
//! # }
//! ```

mod bson;
mod connect;
mod error;
mod index;
mod old_index;
mod query;
mod send;
mod span;
mod update;

use std::fmt;
use std::time::Duration;

pub use connect::OLDEST_VERSION;
/// The driver, in the version of which [`MongoStore::new`] takes a database.
pub use mongodb as driver;

use super::{Command, Reply, Store, StoreError};

/// How long a command may take, unless [`MongoStore::with_timeout`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A database on a MongoDB server, as a [`Store`]. A clone shares the connections.
#[derive(Clone)]
pub struct MongoStore {
    database: mongodb::Database,
    timeout: Duration,
}

impl MongoStore {
    /// A store on a database of a client that is there already; nothing is sent.
    ///
    /// The client decides where the servers are and whether writes are tried again. The concerns
    /// and the read preference are those of each command.
    #[must_use]
    pub fn new(database: mongodb::Database) -> MongoStore {
        MongoStore { database, timeout: TIMEOUT }
    }

    /// The same store with another limit on how long a command may take, from the call to the
    /// reply; the default is 30 seconds. After it a write's outcome is unknown, and a read was
    /// not done.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> MongoStore {
        self.timeout = timeout;
        self
    }

    /// The driver's handle on the database.
    #[must_use]
    pub fn database(&self) -> &mongodb::Database {
        &self.database
    }
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoStore")
            .field("database", &self.database.name())
            .finish_non_exhaustive()
    }
}

impl Store for MongoStore {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        span::traced(&command, self.within_time(&command)).await
    }
}

impl MongoStore {
    async fn within_time(&self, command: &Command) -> Result<Reply, StoreError> {
        match tokio::time::timeout(self.timeout, send::send(&self.database, command)).await {
            Ok(reply) => reply,
            Err(_) => {
                let text = format!("no reply within {} ms", self.timeout.as_millis());
                Err(error::lost(command.operation.is_write(), text))
            }
        }
    }
}
