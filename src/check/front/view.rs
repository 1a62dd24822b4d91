//! The world as a property of one's own sees it.

use serde::de::DeserializeOwned;

use super::places::{Insiders, Places};
use crate::check::messages::Messages;
use crate::check::monitor::Watched;
use crate::store::memory::State;
use crate::store::{Document, StoreError, Text, Value, from_document};

/// The world as a property sees it: who is where, the documents, the queues.
///
/// A property that asks for a document or a message as a type that it does not fit panics, and
/// the check then has no verdict: that is a mistake in the check and no finding.
#[derive(Debug)]
pub struct View<'a> {
    world: &'a Watched<'a>,
    insiders: &'a Insiders,
    places: &'a Places,
}

impl<'a> View<'a> {
    pub(super) fn new(
        world: &'a Watched<'a>,
        insiders: &'a Insiders,
        places: &'a Places,
    ) -> View<'a> {
        View { world, insiders, places }
    }

    /// How many processes are inside of a place, between the two ends of
    /// [`Env::within`](crate::env::Env::within). One that crashes or fails is outside.
    #[must_use]
    pub fn inside(&self, place: &str) -> usize {
        self.insiders(place).len()
    }

    /// The names of the processes inside of a place, in their order.
    #[must_use]
    pub fn insiders(&self, place: &str) -> Vec<Text> {
        self.places.ask(place);
        self.insiders.of(place)
    }

    /// The document of a collection with this `_id`.
    ///
    /// # Panics
    ///
    /// Where it does not fit the type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, collection: &str, id: impl Into<Value>) -> Option<T> {
        let document = self.world.store.get(collection, &id.into())?;
        Some(read(collection, document))
    }

    /// The documents of a collection, in the order of their `_id`s.
    ///
    /// # Panics
    ///
    /// Where one does not fit the type.
    #[must_use]
    pub fn documents<T: DeserializeOwned>(&self, collection: &str) -> Vec<T> {
        self.world.store.documents(collection).map(|document| read(collection, document)).collect()
    }

    /// The messages that wait in a queue, from its head; not those that a process has received
    /// and not yet acknowledged.
    ///
    /// # Panics
    ///
    /// Where one does not fit the type.
    #[must_use]
    pub fn queue<T: DeserializeOwned>(&self, queue: &str) -> Vec<T> {
        self.messages().waiting(&queue.into()).map(|message| read(queue, message)).collect()
    }

    /// The whole store, for what the methods above do not say.
    #[must_use]
    pub fn store(&self) -> &State {
        self.world.store.whole()
    }

    /// All queues, for what the methods above do not say.
    #[must_use]
    pub fn messages(&self) -> &Messages {
        &self.world.messages
    }
}

/// Reads a document as a type; one that does not fit is a mistake in the check.
fn read<T: DeserializeOwned>(from: &str, document: &Document) -> T {
    let misfit = |error: StoreError| -> T { panic!("looks at {from}: {error}") };
    from_document(document.clone()).unwrap_or_else(misfit)
}
