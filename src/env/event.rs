//! Something that happened, told to whoever watches.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::store::{Document, Text, Value};

/// Something that happened: a name and what it is about. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub name: Text,
    /// What it is about.
    pub fields: Document,
}

impl Event {
    /// An event without fields.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Event {
        Event { name: name.into(), fields: Document::new() }
    }

    /// The same event with one more field.
    #[must_use]
    pub fn with(mut self, field: impl Into<Text>, value: impl Into<Value>) -> Event {
        self.fields.set(field, value);
        self
    }

    /// A field that is a string.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.fields.iter().try_for_each(|(name, value)| match value {
            Value::String(text) => write!(f, " {name}={text}"),
            other => write!(f, " {name}={other}"),
        })
    }
}
