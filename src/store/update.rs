//! What a command changes in a document.

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::ordinal::Ordinal;
use super::path::Path;
use super::value::{Text, Value};

/// A change to one document: operators, applied together, each path at most once.
///
/// Starts with a function of this module and goes on as a chain:
///
/// ```
/// use doorway::store::update::{pop_first, set};
///
/// let unbind = pop_first("task_ids").unset("worker_name").set("turn", 7);
/// assert_eq!(
///     unbind.to_string(),
///     r#"{$pop: {task_ids: -1}, $unset: {worker_name: ""}, $set: {turn: 7}}"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Update {
    operators: Vec<Operator>,
}

/// One update operator with its path and operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// `$set`.
    Set(Path, Value),
    /// `$unset`.
    Unset(Path),
    /// `$setOnInsert`: `$set`, but only where an upsert inserts.
    SetOnInsert(Path, Value),
    /// `$inc` by an integer or a double; a missing field counts as 0.
    Inc(Path, Value),
    /// `$push` at the end; a missing field becomes an array.
    Push(Path, Value),
    /// `$addToSet`: `$push`, unless an equal element is there.
    AddToSet(Path, Value),
    /// `$pull` of all elements that are equal.
    Pull(Path, Value),
    /// `$pull` of all elements that are documents and match.
    PullMatching(Path, Filter),
    /// `$pop` with -1: the first element goes.
    PopFirst(Path),
    /// `$pop` with 1: the last element goes.
    PopLast(Path),
}

impl Operator {
    /// The path that the operator writes.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Operator::Set(path, _)
            | Operator::Unset(path)
            | Operator::SetOnInsert(path, _)
            | Operator::Inc(path, _)
            | Operator::Push(path, _)
            | Operator::AddToSet(path, _)
            | Operator::Pull(path, _)
            | Operator::PullMatching(path, _)
            | Operator::PopFirst(path)
            | Operator::PopLast(path) => path,
        }
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident($($operand:ident: $bound:ty)?) => $variant:ident;)*) => {
        impl Update {
            /// The operators in the order in which they were given.
            #[must_use]
            pub fn operators(&self) -> &[Operator] {
                &self.operators
            }

            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, path: impl Into<Path>, $($operand: $bound)?) -> Update {
                self.operators.push(Operator::$variant(path.into(), $($operand.into())?));
                self
            })*
        }

        $($(#[$doc])*
        #[must_use]
        pub fn $name(path: impl Into<Path>, $($operand: $bound)?) -> Update {
            Update::default().$name(path, $($operand)?)
        })*
    };
}

operators! {
    /// Sets the field to a value.
    set(value: impl Into<Value>) => Set;
    /// Removes the field.
    unset() => Unset;
    /// Sets the field only where an upsert inserts the document.
    set_on_insert(value: impl Into<Value>) => SetOnInsert;
    /// Adds a number.
    inc(amount: impl Into<Value>) => Inc;
    /// Appends an element to an array.
    push(value: impl Into<Value>) => Push;
    /// Appends an element to an array that has no equal one.
    add_to_set(value: impl Into<Value>) => AddToSet;
    /// Removes every equal element of an array.
    pull(value: impl Into<Value>) => Pull;
    /// Removes every document of an array that matches.
    pull_matching(filter: impl Into<Filter>) => PullMatching;
    /// Removes the first element of an array.
    pop_first() => PopFirst;
    /// Removes the last element of an array.
    pop_last() => PopLast;
}

impl Update {
    /// Makes the next ordinal of a scale: `$inc` by 1. Where the field is missing, that is the first.
    #[must_use]
    pub fn next(self, path: impl Into<Path>, scale: impl Into<Text>) -> Update {
        self.inc(path, Ordinal::first(scale))
    }

    /// The operators, to change in place.
    pub(super) fn operators_mut(&mut self) -> impl Iterator<Item = &mut Operator> {
        self.operators.iter_mut()
    }
}

/// Makes the next ordinal of a scale: `$inc` by 1. Where the field is missing, that is the first.
#[must_use]
pub fn next(path: impl Into<Path>, scale: impl Into<Text>) -> Update {
    Update::default().next(path, scale)
}

impl From<Operator> for Update {
    fn from(operator: Operator) -> Update {
        Update { operators: vec![operator] }
    }
}

impl FromIterator<Operator> for Update {
    fn from_iter<I: IntoIterator<Item = Operator>>(operators: I) -> Update {
        Update { operators: operators.into_iter().collect() }
    }
}
