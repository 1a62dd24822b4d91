//! The shape of a command: what those sent from one place in the code have in common.

use std::collections::BTreeSet;
use std::fmt;

use crate::store::Operation;
use crate::store::filter::{Filter, Predicate};
use crate::store::update::{Operator, Update};
use crate::store::{Command, Document, Text, Value};

/// A command without its values, but for null and the texts that belong to the code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(Command);

/// What stands for a value.
const ANY: &str = "?";

impl Shape {
    /// The shape of a command, with these texts as they are.
    #[must_use]
    pub fn of(command: &Command, literals: &BTreeSet<Text>) -> Shape {
        let blank = |value: &Value| match value {
            Value::Null => Value::Null,
            Value::String(text) if literals.contains(text) => value.clone(),
            _ => ANY.into(),
        };
        let mut shape = command.clone();
        match &mut shape.operation {
            Operation::FindOne { filter: which, .. }
            | Operation::Scan { filter: which, .. }
            | Operation::DeleteOne { filter: which } => *which = filter(which, &blank),
            Operation::InsertOne { document } => *document = fields(document, &blank),
            Operation::UpdateOne { filter: which, update: what, .. }
            | Operation::FindOneAndUpdate { filter: which, update: what, .. } => {
                (*which, *what) = (filter(which, &blank), update(what, &blank));
            }
            Operation::ReplaceOne { filter: which, replacement, .. } => {
                *which = filter(which, &blank);
                *replacement = fields(replacement, &blank);
            }
        }
        Shape(shape)
    }

    /// The operation, with `?` for each value.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.0.operation
    }
}

fn fields(document: &Document, blank: &impl Fn(&Value) -> Value) -> Document {
    document.iter().map(|(name, value)| (name.clone(), blank(value))).collect()
}

fn filter(which: &Filter, blank: &impl Fn(&Value) -> Value) -> Filter {
    let all = |parts: &[Filter]| parts.iter().map(|part| filter(part, blank)).collect();
    match which {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Field(path, predicate) => Filter::Field(
            path.clone(),
            match predicate {
                Predicate::Eq(value) => Predicate::Eq(blank(value)),
                Predicate::Ne(value) => Predicate::Ne(blank(value)),
                Predicate::In(values) => Predicate::In(values.iter().map(blank).collect()),
                Predicate::Lt(value) => Predicate::Lt(blank(value)),
                Predicate::Lte(value) => Predicate::Lte(blank(value)),
                Predicate::Gt(value) => Predicate::Gt(blank(value)),
                Predicate::Gte(value) => Predicate::Gte(blank(value)),
                Predicate::Exists(_) | Predicate::Size(_) => predicate.clone(),
            },
        ),
    }
}

fn update(what: &Update, blank: &impl Fn(&Value) -> Value) -> Update {
    let operator = |operator: &Operator| match operator {
        Operator::Set(path, value) => Operator::Set(path.clone(), blank(value)),
        Operator::SetOnInsert(path, value) => Operator::SetOnInsert(path.clone(), blank(value)),
        Operator::Push(path, value) => Operator::Push(path.clone(), blank(value)),
        Operator::AddToSet(path, value) => Operator::AddToSet(path.clone(), blank(value)),
        Operator::Pull(path, value) => Operator::Pull(path.clone(), blank(value)),
        Operator::PullMatching(path, which) => {
            Operator::PullMatching(path.clone(), filter(which, blank))
        }
        other => other.clone(),
    };
    what.operators().iter().map(operator).collect()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string().replace("\"?\"", ANY))
    }
}
