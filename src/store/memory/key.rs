//! A value as the key of an index: two that MongoDB takes for equal are one key.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::store::{Document, Value};

/// An entry of an index or a sort.
///
/// The value is normalised so that equality and hash agree with [`Value::compare`]: `1` and `1.0`
/// are one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// What an empty array leaves in an index: BSON's `undefined`, less than null (server source,
    /// `btree_key_generator.cpp`).
    Undefined,
    /// A value, normalised.
    Value(Value),
}

impl Key {
    /// The key of a missing field (manual, *core/index-unique*).
    pub(super) const MISSING: Key = Key::Value(Value::Null);

    pub(super) fn new(value: &Value) -> Key {
        Key::Value(normalised(value).unwrap_or_else(|| value.clone()))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            // Nearly all keys are strings, and a look-up does little else than compare them.
            (Key::Value(Value::String(a)), Key::Value(Value::String(b))) => {
                a.as_bytes().cmp(b.as_bytes())
            }
            (Key::Value(a), Key::Value(b)) => a.compare(b),
            (Key::Undefined, Key::Undefined) => Ordering::Equal,
            (Key::Undefined, Key::Value(Value::MinKey)) => Ordering::Greater,
            (Key::Undefined, Key::Value(_)) => Ordering::Less,
            (Key::Value(_), Key::Undefined) => other.cmp(self).reverse(),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Undefined => f.write_str("undefined"),
            Key::Value(value) => value.fmt(f),
        }
    }
}

/// The one representation of all equal values; `None` where the value already is it, so that
/// nothing is copied.
fn normalised(value: &Value) -> Option<Value> {
    match value {
        Value::Double(number) => Some(normalised_double(*number)),
        Value::Array(items) if items.iter().any(|item| normalised(item).is_some()) => {
            Some(Value::Array(Arc::new(items.iter().map(normalised_or_same).collect())))
        }
        Value::Document(document) if document.iter().any(|(_, v)| normalised(v).is_some()) => {
            let fields = document.iter().map(|(name, v)| (name.clone(), normalised_or_same(v)));
            Some(Value::Document(fields.collect::<Document>()))
        }
        _ => None,
    }
}

fn normalised_or_same(value: &Value) -> Value {
    normalised(value).unwrap_or_else(|| value.clone())
}

/// A whole number becomes an integer where one holds it (so does -0.0), and there is one NaN.
fn normalised_double(number: f64) -> Value {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if number.is_nan() {
        Value::Double(f64::NAN)
    } else if number.trunc() == number && (-TWO_TO_63..TWO_TO_63).contains(&number) {
        Value::Int(number as i64)
    } else {
        Value::Double(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use proptest::prelude::*;
    use rustc_hash::FxHasher;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            (-2..3_i64).prop_map(Value::Int),
            (-4..5_i32).prop_map(|halves| Value::Double(f64::from(halves) / 2.0)),
            proptest::sample::select(vec![
                Value::Double(-0.0),
                Value::Double(f64::NAN),
                Value::Double(-f64::NAN),
                Value::Double(9_007_199_254_740_992.0),
                Value::Int(9_007_199_254_740_992),
                Value::Int(9_007_199_254_740_993),
                Value::Double(9_223_372_036_854_775_808.0),
                Value::Int(i64::MAX),
                Value::MinKey,
                Value::Null,
                Value::from("a"),
            ]),
        ];
        scalar.prop_recursive(2, 4, 2, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                inner.prop_map(|value| Document::new().with("x", value).into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_key_is_equal_and_hashed_as_its_value_compares(a in value(), b in value()) {
            let (x, y) = (Key::new(&a), Key::new(&b));
            prop_assert_eq!(x.cmp(&y), a.compare(&b));
            prop_assert_eq!(x == y, a.compare(&b).is_eq());
            let hasher = BuildHasherDefault::<FxHasher>::default();
            prop_assert!(x != y || hasher.hash_one(&x) == hasher.hash_one(&y));
        }
    }

    #[test]
    fn undefined_stands_between_min_key_and_null() {
        let keys = [Key::new(&Value::MinKey), Key::Undefined, Key::MISSING, Key::new(&0.into())];
        let sorted: BTreeSet<Key> = keys.iter().rev().cloned().collect();
        assert!(sorted.iter().eq(&keys));
    }
}
