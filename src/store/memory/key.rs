//! A value as the key of an index: two that MongoDB takes for equal are one key.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::store::{Document, Value};

/// An entry of an index or a sort.
///
/// The value is normalised so that equality and hash agree with [`Value::compare`]: `1` and `1.0`
/// are one key. An ordinal stays what it is, so that it can be numbered anew, and equals its integer.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// What an empty array leaves in an index: BSON's `undefined`, less than null (server source,
    /// `btree_key_generator.cpp`).
    Undefined,
    /// A short string, in its place: to compare it nothing has to be fetched from elsewhere.
    Short(Short),
    /// Any other value, normalised.
    Value(Value),
}

/// A string of a few bytes, with zeros behind them.
///
/// In the order of its bytes: where one string begins another, the zeros do not decide, and the
/// length does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Short {
    bytes: [u8; Short::MOST],
    length: u8,
}

impl Short {
    /// So many that a key is no larger than a value.
    const MOST: usize = 22;

    fn new(text: &str) -> Option<Short> {
        let mut bytes = [0; Short::MOST];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Short { bytes, length: text.len() as u8 })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The bytes as two numbers in the same order, which is faster to compare than by the byte.
    fn as_numbers(&self) -> (u128, u64) {
        let (head, tail) = (self.bytes.first_chunk(), self.bytes.last_chunk());
        let (head, tail) = (head.copied().unwrap_or_default(), tail.copied().unwrap_or_default());
        (u128::from_be_bytes(head), u64::from_be_bytes(tail))
    }

    fn to_value(self) -> Value {
        String::from_utf8_lossy(self.as_bytes()).into_owned().into()
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Short) -> Ordering {
        self.as_numbers().cmp(&other.as_numbers()).then(self.length.cmp(&other.length))
    }
}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Short) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

impl Key {
    /// The key of a missing field (manual, *core/index-unique*).
    pub(super) const MISSING: Key = Key::Value(Value::Null);

    pub(super) fn new(value: &Value) -> Key {
        match value.as_str().and_then(Short::new) {
            Some(short) => Key::Short(short),
            None if matches!(value, Value::Ordinal(_)) => Key::Value(value.clone()),
            None => Key::Value(normalised_or_same(value)),
        }
    }

    /// A value of which this is the key; `None` for the one that no value has.
    pub(super) fn to_value(&self) -> Option<Value> {
        match self {
            Key::Undefined => None,
            Key::Short(short) => Some(short.to_value()),
            Key::Value(value) => Some(value.clone()),
        }
    }

    /// Where the key stands among those of other types.
    fn rank(&self) -> u8 {
        match self {
            Key::Value(Value::MinKey) => 0,
            Key::Undefined => 1,
            Key::Short(_) => 1 + Value::STRINGS,
            Key::Value(value) => 1 + value.bracket(),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Short(a), Key::Short(b)) => a == b,
            (Key::Value(Value::Ordinal(_)), _) | (_, Key::Value(Value::Ordinal(_))) => {
                self.cmp(other).is_eq()
            }
            (Key::Value(a), Key::Value(b)) => a == b,
            (Key::Undefined, Key::Undefined) => true,
            _ => false,
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Key::Undefined => {}
            Key::Short(short) => short.hash(state),
            Key::Value(Value::Ordinal(ordinal)) => Value::Int(ordinal.number).hash(state),
            Key::Value(value) => value.hash(state),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Short(a), Key::Short(b)) => a.cmp(b),
            (Key::Short(a), Key::Value(Value::String(b))) => a.as_bytes().cmp(b.as_bytes()),
            (Key::Value(Value::String(a)), Key::Short(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Key::Value(a), Key::Value(b)) => a.compare(b),
            _ => self.rank().cmp(&other.rank()),
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
            Key::Short(short) => short.to_value().fmt(f),
            Key::Value(value) => value.fmt(f),
        }
    }
}

/// The one representation of all equal values; `None` where the value already is it, so that
/// nothing is copied.
fn normalised(value: &Value) -> Option<Value> {
    match value {
        Value::Double(number) => Some(normalised_double(*number)),
        Value::Ordinal(ordinal) => Some(Value::Int(ordinal.number)),
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
    use crate::store::Ordinal;

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            (-2..3_i64).prop_map(Value::Int),
            (-4..5_i32).prop_map(|halves| Value::Double(f64::from(halves) / 2.0)),
            (-2..3_i64).prop_map(|number| Ordinal { scale: Some("s".into()), number }.into()),
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
                Value::from("a\0"),
                Value::from("twenty-two bytes as is"),
                Value::from("twenty-two bytes and more"),
                Value::Bool(false),
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

    proptest! {
        #[test]
        fn strings_are_in_the_order_of_their_bytes(a in "[\0a\u{7f}é]{0,24}", b in "[\0a\u{7f}é]{0,24}") {
            let [x, y] = [&a, &b].map(|text| Key::new(&text.as_str().into()));
            prop_assert_eq!(x.cmp(&y), a.as_bytes().cmp(b.as_bytes()));
        }
    }

    #[test]
    fn a_key_is_no_larger_than_a_value() {
        assert_eq!(size_of::<Key>(), size_of::<Value>());
    }

    #[test]
    fn undefined_stands_between_min_key_and_null() {
        let keys = [Key::new(&Value::MinKey), Key::Undefined, Key::MISSING, Key::new(&0.into())];
        let sorted: BTreeSet<Key> = keys.iter().rev().cloned().collect();
        assert!(sorted.iter().eq(&keys));
    }
}
