//! When a process that pauses should look again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::store::{Filter, Text};

/// When a process that pauses should look again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// When a command of this attempt would be answered differently from how it was: something
    /// that the attempt saw has changed.
    #[default]
    Changed,
    /// When one of these holds.
    When(Vec<Condition>),
}

/// A condition on the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A document of the collection matches.
    Some(Text, Filter),
    /// No document of the collection matches.
    None(Text, Filter),
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Some(collection, filter) => write!(f, "some {collection} {filter}"),
            Condition::None(collection, filter) => write!(f, "no {collection} {filter}"),
        }
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wake::Changed => f.write_str("until what it saw has changed"),
            Wake::When(any) => {
                f.write_str("until ")?;
                any.iter().enumerate().try_for_each(|(index, condition)| {
                    write!(f, "{}{condition}", if index > 0 { " or " } else { "" })
                })
            }
        }
    }
}
