//! A value of a document, and the order in which MongoDB compares two of them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::document::Document;
use super::ordinal::Ordinal;

/// A shared, immutable string: the name of a collection or a field, or a string in a document.
pub type Text = Arc<str>;

/// A value in a document.
///
/// The variants are the BSON types that the emulator supports; a document read from a server
/// that holds another type (a regular expression, JavaScript, Decimal128) is refused with a
/// clear error and never guessed at. Both of BSON's integer types are [`Value::Int`]: they
/// compare as numbers, so no filter can tell them apart but by `$type`, which no [`Filter`] can
/// say.
///
/// `Eq`, `Ord` and `Hash` are those of the *representation*: `Int(1)` and `Double(1.0)` differ.
/// Queries compare with [`Value::compare`], which does as MongoDB does.
///
/// Cloning costs at most one reference count: strings, arrays and documents are shared.
///
/// [`Filter`]: super::Filter
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Less than every other value.
    MinKey,
    /// The null value. A missing field is not null, but most filters treat it as if it were.
    #[default]
    Null,
    /// A 32 or 64 bit integer.
    Int(i64),
    /// A 64 bit integer of which only the order counts. To all queries and updates it is a
    /// [`Value::Int`], and so it is on a server; an explorer may number it anew.
    Ordinal(Arc<Ordinal>),
    /// A floating point number.
    Double(f64),
    /// A string; strings are compared byte by byte.
    String(Text),
    /// An embedded document; the order of its fields counts.
    Document(Document),
    /// An array.
    Array(Array),
    /// Binary data of the generic subtype; the shorter one is less.
    Binary(Arc<[u8]>),
    /// An ObjectId.
    ObjectId([u8; 12]),
    /// A boolean; `false` is less than `true`.
    Bool(bool),
    /// A point in time, in milliseconds since 1970-01-01 UTC.
    DateTime(i64),
    /// MongoDB's internal timestamp: seconds in the upper 32 bits, an ordinal in the lower.
    Timestamp(u64),
    /// Greater than every other value.
    MaxKey,
}

/// An array of values: shared, copied on the first write after a clone.
pub type Array = Arc<Vec<Value>>;

impl Value {
    /// Compares two values as MongoDB does in an index or a sort: first by type bracket, then
    /// within it; integers and doubles are one bracket and compare as numbers, NaN first.
    ///
    /// Source: MongoDB manual, *reference/bson-type-comparison-order*.
    #[must_use]
    pub fn compare(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Int(a), Value::Double(b)) => compare_int_double(*a, *b),
            (Value::Double(a), Value::Int(b)) => compare_int_double(*b, *a).reverse(),
            (Value::Double(a), Value::Double(b)) => compare_doubles(*a, *b),
            (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Document(a), Value::Document(b)) => a.compare(b),
            (Value::Array(a), Value::Array(b)) => compare_arrays(a, b),
            (Value::Binary(a), Value::Binary(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Value::ObjectId(a), Value::ObjectId(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            (Value::Ordinal(a), other) => Value::Int(a.number).compare(other),
            (_, Value::Ordinal(b)) => self.compare(&Value::Int(b.number)),
            _ => self.bracket().cmp(&other.bracket()),
        }
    }

    /// Whether two values are of one type bracket, so that `$lt` and its like may hold between
    /// them: all numbers are one bracket, every other type is one of its own.
    #[must_use]
    pub fn same_bracket(&self, other: &Value) -> bool {
        self.bracket() == other.bracket()
    }

    /// The [`Value::bracket`] of strings.
    pub(crate) const STRINGS: u8 = 3;

    /// The position of the type in MongoDB's comparison order; shared by all numbers.
    #[must_use]
    pub(crate) fn bracket(&self) -> u8 {
        match self {
            Value::MinKey => 0,
            Value::Null => 1,
            Value::Int(_) | Value::Ordinal(_) | Value::Double(_) => 2,
            Value::String(_) => Value::STRINGS,
            Value::Document(_) => 4,
            Value::Array(_) => 5,
            Value::Binary(_) => 6,
            Value::ObjectId(_) => 7,
            Value::Bool(_) => 8,
            Value::DateTime(_) => 9,
            Value::Timestamp(_) => 10,
            Value::MaxKey => 11,
        }
    }

    /// The name of the type as MongoDB's `$type` operator spells it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::MinKey => "minKey",
            Value::Null => "null",
            Value::Int(_) | Value::Ordinal(_) => "long",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Document(_) => "object",
            Value::Array(_) => "array",
            Value::Binary(_) => "binData",
            Value::ObjectId(_) => "objectId",
            Value::Bool(_) => "bool",
            Value::DateTime(_) => "date",
            Value::Timestamp(_) => "timestamp",
            Value::MaxKey => "maxKey",
        }
    }

    /// The string, if the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The integer, if the value is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Ordinal(ordinal) => Some(ordinal.number),
            _ => None,
        }
    }

    /// The elements, if the value is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The embedded document, if the value is one.
    #[must_use]
    pub fn as_document(&self) -> Option<&Document> {
        if let Value::Document(document) = self { Some(document) } else { None }
    }

    /// The size in bytes that the value takes in BSON, without its type byte and its name.
    ///
    /// Source: the BSON specification, version 1.1. Integers count as 64 bit.
    #[must_use]
    pub fn bson_size(&self) -> usize {
        match self {
            Value::MinKey | Value::MaxKey | Value::Null => 0,
            Value::Int(_)
            | Value::Ordinal(_)
            | Value::Double(_)
            | Value::DateTime(_)
            | Value::Timestamp(_) => 8,
            Value::String(text) => 4 + text.len() + 1,
            Value::Document(document) => document.bson_size(),
            Value::Array(items) => {
                let entry =
                    |(index, item): (usize, &Value)| 2 + decimal_digits(index) + item.bson_size();
                5 + items.iter().enumerate().map(entry).sum::<usize>()
            }
            Value::Binary(bytes) => 4 + 1 + bytes.len(),
            Value::ObjectId(_) => 12,
            Value::Bool(_) => 1,
        }
    }

    /// Whether a server stores the same for both: ordinals are integers to it.
    pub(super) fn is_stored_as(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Ordinal(ordinal), other) | (other, Value::Ordinal(ordinal)) => {
                other.as_int() == Some(ordinal.number)
            }
            (Value::Document(a), Value::Document(b)) => a.is_stored_as(b),
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.is_stored_as(b))
            }
            _ => self == other,
        }
    }

    /// The bits of a double, so that equality and hash see the representation.
    fn double_bits(&self) -> Option<u64> {
        if let Value::Double(number) = self { Some(number.to_bits()) } else { None }
    }
}

fn decimal_digits(index: usize) -> usize {
    index.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Doubles as MongoDB orders them: NaN before every number and equal to itself, -0.0 equal to 0.0.
fn compare_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// An integer against a double by their exact values: a cast to `f64` would round above 2^53.
fn compare_int_double(int: i64, double: f64) -> Ordering {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        Ordering::Greater
    } else if double >= TWO_TO_63 {
        Ordering::Less
    } else if double < -TWO_TO_63 {
        Ordering::Greater
    } else {
        let whole = double.trunc();
        int.cmp(&(whole as i64)).then_with(|| compare_doubles(0.0, double - whole))
    }
}

/// Arrays in an index order: element by element, then by length.
fn compare_arrays(a: &[Value], b: &[Value]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(x, y)| x.compare(y))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Document(a), Value::Document(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            (Value::Int(_), Value::Double(_)) => self.compare(other).then(Ordering::Less),
            (Value::Double(_), Value::Int(_)) => self.compare(other).then(Ordering::Greater),
            (Value::Ordinal(a), Value::Ordinal(b)) => a.representation().cmp(&b.representation()),
            (Value::Ordinal(_), _) => self.compare(other).then(Ordering::Greater),
            (_, Value::Ordinal(_)) => self.compare(other).then(Ordering::Less),
            _ => self.compare(other).then_with(|| self.double_bits().cmp(&other.double_bits())),
        }
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::MinKey | Value::MaxKey | Value::Null => {}
            Value::Int(number) | Value::DateTime(number) => number.hash(state),
            Value::Ordinal(ordinal) => ordinal.representation().hash(state),
            Value::Double(number) => number.to_bits().hash(state),
            Value::String(text) => text.hash(state),
            Value::Document(document) => document.hash(state),
            Value::Array(items) => items.hash(state),
            Value::Binary(bytes) => bytes.hash(state),
            Value::ObjectId(id) => id.hash(state),
            Value::Bool(flag) => flag.hash(state),
            Value::Timestamp(stamp) => stamp.hash(state),
        }
    }
}

macro_rules! from {
    ($($type:ty => |$name:ident| $value:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($name: $type) -> Value { $value }
        }
    )*};
}

from! {
    &str => |text| Value::String(text.into());
    String => |text| Value::String(text.into());
    &String => |text| Value::String(text.as_str().into());
    Text => |text| Value::String(text);
    &Text => |text| Value::String(text.clone());
    i32 => |number| Value::Int(number.into());
    i64 => |number| Value::Int(number);
    u32 => |number| Value::Int(number.into());
    Ordinal => |ordinal| match ordinal.scale {
        Some(_) => Value::Ordinal(Arc::new(ordinal)),
        None => Value::Int(ordinal.number),
    };
    &Ordinal => |ordinal| Value::from(ordinal.clone());
    f64 => |number| Value::Double(number);
    bool => |flag| Value::Bool(flag);
    Document => |document| Value::Document(document);
    &Value => |value| value.clone();
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::Array(Arc::new(items.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Value {
        Value::from(Vec::from(items))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
