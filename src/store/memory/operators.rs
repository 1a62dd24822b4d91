//! What each update operator does to a document.

use std::cmp::Ordering;
use std::sync::Arc;

use super::matching::{matches, position};
use crate::store::{Document, Operator, Ordinal, Path, StoreError, Update, Value};

/// The most elements with which `$set` pads an array (server source, `path_support.cpp`).
const MAX_PADDING: usize = 1_500_000;

/// Whether an update changes a document that is there or builds one for an upsert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Change,
    Insert,
}

/// Applies an update, all of it or none.
///
/// The operators are applied in the order of their paths, numbers as numbers, whatever the order in
/// which they were given (manual, *reference/operator/update*, processing order): it decides where
/// new fields of an embedded document stand.
///
/// # Errors
///
/// `is_invalid` where an operator does not fit the value that it finds.
pub(super) fn apply(
    update: &Update,
    document: &Document,
    purpose: Purpose,
) -> Result<Document, StoreError> {
    let mut changed = document.clone();
    match update.operators() {
        [operator] => step(operator, &mut changed, purpose)?,
        operators => {
            let mut in_order: Vec<&Operator> = operators.iter().collect();
            in_order.sort_by(|a, b| compare_paths(a.path(), b.path()));
            in_order.into_iter().try_for_each(|op| step(op, &mut changed, purpose))?;
        }
    }
    Ok(changed)
}

fn compare_paths(a: &Path, b: &Path) -> Ordering {
    let names = |(a, b): (&str, &str)| match (position(a), position(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    };
    a.segments().zip(b.segments()).map(names).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// What an operator makes of the value at its path.
enum Change {
    Keep,
    Set(Value),
    Remove,
}

fn step(operator: &Operator, document: &mut Document, purpose: Purpose) -> Result<(), StoreError> {
    let path = operator.path();
    let change = match find(document, path.as_str()) {
        Ok(old) => change(operator, old, purpose)?,
        // $unset alone does not mind (server source, `unset_node.h`: `allowNonViablePath`).
        Err(_) if matches!(operator, Operator::Unset(_)) => Change::Keep,
        Err(_) if is_idle(operator, purpose) => Change::Keep,
        Err(not_viable) => return Err(not_viable.into_error(path)),
    };
    match change {
        Change::Keep => Ok(()),
        Change::Set(value) => set(document, path, value),
        Change::Remove => remove(document, path.as_str()),
    }
}

fn is_idle(operator: &Operator, purpose: Purpose) -> bool {
    matches!(operator, Operator::SetOnInsert(..)) && purpose == Purpose::Change
}

fn change(
    operator: &Operator,
    old: Option<&Value>,
    purpose: Purpose,
) -> Result<Change, StoreError> {
    Ok(match operator {
        operator if is_idle(operator, purpose) => Change::Keep,
        Operator::Set(_, value) | Operator::SetOnInsert(_, value) => Change::Set(value.clone()),
        Operator::Unset(_) => old.map_or(Change::Keep, |_| Change::Remove),
        Operator::Inc(_, amount) => Change::Set(match old {
            None => amount.clone(),
            Some(number) => sum(number, amount)?,
        }),
        Operator::Push(_, value) => Change::Set(match array(old, "$push")? {
            None => Value::from([value]),
            Some(items) => with_last(items, value),
        }),
        Operator::AddToSet(_, value) => match array(old, "$addToSet")? {
            None => Change::Set(Value::from([value])),
            Some(items) if items.iter().any(|item| item.compare(value).is_eq()) => Change::Keep,
            Some(items) => Change::Set(with_last(items, value)),
        },
        Operator::Pull(_, value) => match array(old, "$pull")? {
            None => Change::Keep,
            Some(items) => kept(items.iter().filter(|item| item.compare(value).is_ne())),
        },
        // No other element is tried (server source, `pull_node.cpp`).
        Operator::PullMatching(_, filter) => match array(old, "$pull")? {
            None => Change::Keep,
            Some(items) => kept(items.iter().filter(|item| {
                !item.as_document().is_some_and(|document| matches(filter, document))
            })),
        },
        Operator::PopFirst(_) => match array(old, "$pop")? {
            None | Some([]) => Change::Keep,
            Some([_, rest @ ..]) => kept(rest),
        },
        Operator::PopLast(_) => match array(old, "$pop")? {
            None | Some([]) => Change::Keep,
            Some([rest @ .., _]) => kept(rest),
        },
    })
}

fn kept<'a>(items: impl IntoIterator<Item = &'a Value>) -> Change {
    Change::Set(Value::Array(Arc::new(items.into_iter().cloned().collect())))
}

fn with_last(items: &[Value], value: &Value) -> Value {
    let mut longer = Vec::with_capacity(items.len() + 1);
    longer.extend_from_slice(items);
    longer.push(value.clone());
    Value::Array(Arc::new(longer))
}

/// The array that an operator is for; another type is an error (codes 2 and 14).
fn array<'a>(old: Option<&'a Value>, operator: &str) -> Result<Option<&'a [Value]>, StoreError> {
    old.map(|value| {
        value.as_array().ok_or_else(|| {
            StoreError::invalid(format!("{operator} on a {}, which is no array", value.type_name()))
        })
    })
    .transpose()
}

/// The sum of two numbers: a double if one of them is; an integer that overflows is an error
/// (manual, *reference/operator/update/inc*; code 14 for what is no number).
fn sum(number: &Value, amount: &Value) -> Result<Value, StoreError> {
    let overflow = || StoreError::invalid(format!("$inc of {number} by {amount} overflows"));
    match (number, amount) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Double(a), Value::Int(b)) => double(a + *b as f64),
        (Value::Int(a), Value::Double(b)) => double(*a as f64 + b),
        (Value::Double(a), Value::Double(b)) => double(a + b),
        (Value::Ordinal(_), _) | (_, Value::Ordinal(_)) => sum_of_ordinal(number, amount),
        _ => Err(StoreError::invalid(format!("$inc of a {}, no number", number.type_name()))),
    }
}

/// The sum where one of the two is an ordinal: the integers' sum, on the scale of the first that has one.
fn sum_of_ordinal(number: &Value, amount: &Value) -> Result<Value, StoreError> {
    let as_int = |value: &Value| match value {
        Value::Ordinal(ordinal) => Value::Int(ordinal.number),
        other => other.clone(),
    };
    let sum = sum(&as_int(number), &as_int(amount))?;
    let scale = [number, amount].into_iter().find_map(|value| match value {
        Value::Ordinal(ordinal) => ordinal.scale.clone(),
        _ => None,
    });
    Ok(match sum {
        Value::Int(number) => Ordinal { scale, number }.into(),
        other => other,
    })
}

/// A sum that is a number: whether NaN in the place of NaN counts as a change is not shown.
fn double(sum: f64) -> Result<Value, StoreError> {
    if sum.is_nan() {
        return Err(StoreError::unsupported("$inc to NaN"));
    }
    Ok(Value::Double(sum))
}

/// A path that leads through a value that can hold no field (code 28, *PathNotViable*).
pub(super) struct NotViable {
    holder: &'static str,
}

impl NotViable {
    fn into_error(self, path: &Path) -> StoreError {
        StoreError::invalid(format!("the path {path} leads through a {}", self.holder))
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

/// The value at the path of an operator; an array is entered by a number only.
pub(super) fn find<'a>(document: &'a Document, path: &str) -> Result<Option<&'a Value>, NotViable> {
    let (name, rest) = split(path);
    find_from(document.get(name), rest)
}

fn find_from<'a>(
    value: Option<&'a Value>,
    rest: Option<&str>,
) -> Result<Option<&'a Value>, NotViable> {
    let (Some(value), Some(path)) = (value, rest) else {
        return Ok(value);
    };
    let not_viable = NotViable { holder: value.type_name() };
    match value {
        Value::Document(document) => find(document, path),
        Value::Array(items) => {
            let (name, rest) = split(path);
            let index = position(name).ok_or(not_viable)?;
            find_from(items.get(index), rest)
        }
        _ => Err(not_viable),
    }
}

/// Sets the value at a viable path, with the documents and the padding that it needs.
fn set(document: &mut Document, path: &Path, value: Value) -> Result<(), StoreError> {
    let (name, rest) = split(path.as_str());
    set_in(document.entry_if(name, rest.is_some()), rest, value)
        .map_err(|why| StoreError::invalid(format!("{path}: {why}")))
}

fn set_in(place: &mut Value, rest: Option<&str>, value: Value) -> Result<(), String> {
    let Some(path) = rest else {
        *place = value;
        return Ok(());
    };
    let (name, rest) = split(path);
    match place {
        Value::Document(document) => set_in(document.entry_if(name, rest.is_some()), rest, value),
        Value::Array(items) => {
            let index = position(name).ok_or("a name in an array")?;
            if index > items.len().saturating_add(MAX_PADDING) {
                return Err(format!("more than {MAX_PADDING} elements of padding"));
            }
            let items = Arc::make_mut(items);
            if index >= items.len() {
                items.resize(index, Value::Null);
                items.push(empty_holder(rest.is_some()));
            }
            set_in(&mut items[index], rest, value)
        }
        other => Err(format!("a {} holds no field", other.type_name())),
    }
}

/// What stands at a new place before it is set: a document where the path goes on.
fn empty_holder(holds_more: bool) -> Value {
    if holds_more { Value::Document(Document::new()) } else { Value::Null }
}

trait EntryIf {
    fn entry_if(&mut self, name: &str, holds_more: bool) -> &mut Value;
}

impl EntryIf for Document {
    /// A field to write in place, made where it is missing.
    fn entry_if(&mut self, name: &str, holds_more: bool) -> &mut Value {
        if holds_more && self.get(name).is_none() {
            self.set(name, empty_holder(true));
        }
        self.entry(name)
    }
}

/// Removes the value that is at a path: a field goes, an element becomes null (manual,
/// *reference/operator/update/unset*).
fn remove(document: &mut Document, path: &str) -> Result<(), StoreError> {
    match split(path) {
        (name, None) => {
            document.remove(name);
            Ok(())
        }
        (name, Some(rest)) => remove_in(document.entry(name), rest),
    }
}

fn remove_in(place: &mut Value, path: &str) -> Result<(), StoreError> {
    let (name, rest) = split(path);
    match place {
        Value::Document(document) => remove(document, path),
        Value::Array(items) => {
            let element = position(name).and_then(|index| Arc::make_mut(items).get_mut(index));
            match (element, rest) {
                (Some(element), Some(rest)) => remove_in(element, rest),
                (Some(Value::Null), None) => {
                    Err(StoreError::unsupported("$unset of an element that is null already"))
                }
                (Some(element), None) => {
                    *element = Value::Null;
                    Ok(())
                }
                (None, _) => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
