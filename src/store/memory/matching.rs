//! Whether a document matches a filter.
//!
//! The values that a path leads to are those that the server's `BSONElementIterator` yields, and
//! each is tested as its `ComparisonMatchExpression` does (server source, `matcher/path.cpp` and
//! `matcher/expression_leaf.cpp`).

use std::cmp::Ordering;

use crate::store::{Document, Filter, Path, Predicate, Value};

/// Whether the document matches the filter.
pub(super) fn matches(filter: &Filter, document: &Document) -> bool {
    match filter {
        Filter::Field(path, predicate) => holds(predicate, path, document),
        Filter::And(all) => all.iter().all(|part| matches(part, document)),
        Filter::Or(any) => any.iter().any(|part| matches(part, document)),
    }
}

/// Whether the predicate holds at the path; of several values there, one is enough.
fn holds(predicate: &Predicate, path: &Path, document: &Document) -> bool {
    let any = |test: &mut Test<'_>| {
        Walk { test, leaf_arrays: Leaf::ElementsThenArray }.document(document, path.as_str())
    };
    match predicate {
        Predicate::Eq(operand) => any(&mut |value| equal(value, operand)),
        Predicate::Ne(operand) => !any(&mut |value| equal(value, operand)),
        Predicate::In(operands) => any(&mut |value| operands.iter().any(|o| equal(value, o))),
        Predicate::Exists(there) => any(&mut |value| value.is_some()) == *there,
        Predicate::Size(elements) => {
            let mut sized = |value: Option<&Value>| {
                value.and_then(Value::as_array).is_some_and(|a| a.len() == *elements as usize)
            };
            Walk { test: &mut sized, leaf_arrays: Leaf::ArrayOnly }
                .document(document, path.as_str())
        }
        Predicate::Lt(operand) => any(&mut |value| ordered(value, operand, Ordering::is_lt)),
        Predicate::Lte(operand) => any(&mut |value| ordered(value, operand, Ordering::is_le)),
        Predicate::Gt(operand) => any(&mut |value| ordered(value, operand, Ordering::is_gt)),
        Predicate::Gte(operand) => any(&mut |value| ordered(value, operand, Ordering::is_ge)),
    }
}

/// Equality; a missing field equals null (manual, *tutorial/query-for-null-fields*).
fn equal(value: Option<&Value>, operand: &Value) -> bool {
    value.unwrap_or(&Value::Null).compare(operand).is_eq()
}

/// A comparison within one type bracket; NaN is comparable with itself only, as equal (server
/// source, `ComparisonMatchExpression::matchesSingleElement`).
fn ordered(value: Option<&Value>, operand: &Value, accepts: fn(Ordering) -> bool) -> bool {
    let value = value.unwrap_or(&Value::Null);
    value.same_bracket(operand)
        && is_nan(value) == is_nan(operand)
        && accepts(value.compare(operand))
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Double(number) if number.is_nan())
}

/// A test of one value; `None` is a missing one.
type Test<'a> = dyn FnMut(Option<&Value>) -> bool + 'a;

/// What an array at the end of a path yields.
#[derive(Clone, Copy, PartialEq)]
enum Leaf {
    ElementsThenArray,
    ArrayOnly,
}

/// A walk along a path that stops at the first value that passes the test.
struct Walk<'a, 'b> {
    test: &'a mut Test<'b>,
    leaf_arrays: Leaf,
}

impl Walk<'_, '_> {
    fn document(&mut self, document: &Document, path: &str) -> bool {
        let (name, rest) = split(path);
        match (document.get(name), rest) {
            (Some(value), None) => self.leaf(value),
            (Some(Value::Document(inner)), Some(rest)) => self.document(inner, rest),
            (Some(Value::Array(items)), Some(rest)) => self.array(items, rest),
            _ => (self.test)(None),
        }
    }

    fn leaf(&mut self, value: &Value) -> bool {
        let elements = match self.leaf_arrays {
            Leaf::ElementsThenArray => value.as_array().unwrap_or_default(),
            Leaf::ArrayOnly => &[],
        };
        elements.iter().any(|element| (self.test)(Some(element))) || (self.test)(Some(value))
    }

    /// An array within a path: the rest of the path is followed in each document of it, and a
    /// number selects an element.
    fn array(&mut self, items: &[Value], path: &str) -> bool {
        let (name, rest) = split(path);
        let selected = position(name);
        items.iter().enumerate().any(|(index, item)| {
            item.as_document().is_some_and(|inner| self.document(inner, path))
                || selected == Some(index) && self.element(item, rest)
        })
    }

    fn element(&mut self, item: &Value, rest: Option<&str>) -> bool {
        match (item, rest) {
            (item, None) => (self.test)(Some(item)),
            (Value::Document(inner), Some(rest)) => self.document(inner, rest),
            (Value::Array(items), Some(rest)) => self.array(items, rest),
            _ => false,
        }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

/// The element that a part of a path selects, if it is a number as BSON names an element: `01`
/// selects none.
pub(super) fn position(name: &str) -> Option<usize> {
    let canonical = name == "0" || !name.starts_with('0');
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| name.parse().ok()).flatten()
}
