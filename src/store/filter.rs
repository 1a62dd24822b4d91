//! Which documents a command is for.

use serde::{Deserialize, Serialize};

use super::path::Path;
use super::value::Value;

/// A condition on one document.
///
/// Built with the functions of this module, which read like MongoDB's operators:
///
/// ```
/// use doorway::store::filter::{by_id, eq, ne};
///
/// let free_of_task = by_id("repo-1").and(ne("task_ids", "t1"));
/// assert_eq!(free_of_task.to_string(), r#"{_id: "repo-1", task_ids: {$ne: "t1"}}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// A condition on the value at a path.
    Field(Path, Predicate),
    /// Every one of these holds; of none: every document.
    And(Vec<Filter>),
    /// At least one of these holds; MongoDB refuses an empty list, and so does every store here.
    Or(Vec<Filter>),
}

/// A condition on the value at a path.
///
/// Where the path leads to an array, `Eq`, `In` and the comparisons hold if they hold for the
/// array itself or for one of its elements, as in MongoDB; `Ne` is the negation of `Eq`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// `$eq`; against null a missing field matches too.
    Eq(Value),
    /// `$ne`: not `$eq`, so a missing field matches (unless against null).
    Ne(Value),
    /// `$in`: equal to one of these.
    In(Vec<Value>),
    /// `$exists`: whether the path leads to a value (null counts as one).
    Exists(bool),
    /// `$size`: an array of exactly so many elements.
    Size(u32),
    /// `$lt`, within one type bracket.
    Lt(Value),
    /// `$lte`, within one type bracket.
    Lte(Value),
    /// `$gt`, within one type bracket.
    Gt(Value),
    /// `$gte`, within one type bracket.
    Gte(Value),
}

impl Filter {
    /// Both conditions hold.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        match self {
            Filter::And(mut all) => {
                all.push(other);
                Filter::And(all)
            }
            first => Filter::And(vec![first, other]),
        }
    }

    /// One of both conditions holds.
    #[must_use]
    pub fn or(self, other: Filter) -> Filter {
        match self {
            Filter::Or(mut any) => {
                any.push(other);
                Filter::Or(any)
            }
            first => Filter::Or(vec![first, other]),
        }
    }

    /// The `_id` that the filter fixes by an equality, alone or among other conditions that have to
    /// hold: then it looks at one document at most, by the index on `_id`.
    #[must_use]
    pub fn point(&self) -> Option<&Value> {
        match self {
            Filter::Field(path, Predicate::Eq(id)) if path.as_str() == "_id" => {
                Some(id).filter(|id| !matches!(id, Value::Array(_)))
            }
            Filter::Field(..) | Filter::Or(_) => None,
            Filter::And(parts) => parts.iter().find_map(Filter::point),
        }
    }
}

/// Every document.
#[must_use]
pub fn all() -> Filter {
    Filter::And(Vec::new())
}

/// The document with this `_id`.
#[must_use]
pub fn by_id(id: impl Into<Value>) -> Filter {
    eq("_id", id)
}

/// The value is equal, or is an array that contains an equal one.
#[must_use]
pub fn eq(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Eq(value.into()))
}

/// The value is not equal, and is no array that contains an equal one.
#[must_use]
pub fn ne(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Ne(value.into()))
}

/// The value is one of these, or an array that contains one of these.
#[must_use]
pub fn is_in<V: Into<Value>>(path: impl Into<Path>, values: impl IntoIterator<Item = V>) -> Filter {
    let values = values.into_iter().map(Into::into).collect();
    Filter::Field(path.into(), Predicate::In(values))
}

/// The field is there (null counts).
#[must_use]
pub fn exists(path: impl Into<Path>) -> Filter {
    Filter::Field(path.into(), Predicate::Exists(true))
}

/// The field is not there.
#[must_use]
pub fn missing(path: impl Into<Path>) -> Filter {
    Filter::Field(path.into(), Predicate::Exists(false))
}

/// The value is an array of so many elements.
#[must_use]
pub fn size(path: impl Into<Path>, elements: u32) -> Filter {
    Filter::Field(path.into(), Predicate::Size(elements))
}

/// The value is less.
#[must_use]
pub fn lt(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Lt(value.into()))
}

/// The value is less or equal.
#[must_use]
pub fn lte(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Lte(value.into()))
}

/// The value is greater.
#[must_use]
pub fn gt(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Gt(value.into()))
}

/// The value is greater or equal.
#[must_use]
pub fn gte(path: impl Into<Path>, value: impl Into<Value>) -> Filter {
    Filter::Field(path.into(), Predicate::Gte(value.into()))
}
