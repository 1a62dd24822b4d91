//! A property whose panics are caught, for the engines that do not catch them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::check::engine::Cancel;
use crate::check::monitor::{End, Monitor, Step};
use crate::check::process::panic_text;
use crate::store::{Document, Text};

/// The first panic of a property, if there was one. It ends the search.
#[derive(Clone, Default)]
pub(super) struct Panics {
    first: Arc<Mutex<Option<String>>>,
    pub(super) cancel: Cancel,
}

impl Panics {
    pub(super) fn first(&self) -> Option<String> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks a property; one that panics says nothing.
    fn guard<T>(&self, property: &str, silent: T, ask: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| format!("the property {property} {}", panic_text(&*panic)));
            self.cancel.cancel();
            silent
        })
    }
}

/// A property whose panics are noted and not passed on.
pub(super) struct Guarded {
    pub(super) property: Arc<dyn Monitor>,
    pub(super) panics: Panics,
}

impl Monitor for Guarded {
    fn name(&self) -> &str {
        self.property.name()
    }

    fn start(&self) -> Document {
        self.panics.guard(self.name(), Document::new(), || self.property.start())
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        self.panics.guard(self.name(), Ok(()), || self.property.step(memory, step))
    }

    fn is_of_endless_runs(&self) -> bool {
        self.property.is_of_endless_runs()
    }

    fn owes(&self, memory: &Document) -> Vec<Text> {
        self.panics.guard(self.name(), Vec::new(), || self.property.owes(memory))
    }

    fn end(&self, memory: &Document, end: &End<'_>) -> Result<(), String> {
        self.panics.guard(self.name(), Ok(()), || self.property.end(memory, end))
    }
}
