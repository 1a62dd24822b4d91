//! Between values and BSON.
//!
//! Exact both ways, but for the two integer types of BSON, which are one here and are written as
//! 64 bit.

use std::sync::Arc;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Bson};

use crate::store::{Document, StoreError, Value};

/// A document as it is sent, with its fields in their order.
///
/// # Errors
///
/// `is_invalid` where a name is one that a server takes for an operator.
pub(super) fn to_bson(document: &Document) -> Result<bson::Document, StoreError> {
    document.iter().map(|(name, value)| Ok((field(name)?, value_to_bson(value)?))).collect()
}

/// Refuses what a server would not take for the name of a field.
fn field(name: &str) -> Result<String, StoreError> {
    if name.starts_with('$') {
        return Err(StoreError::invalid(format!(
            "a field of the name {name:?}: a server takes it for an operator"
        )));
    }
    Ok(name.to_owned())
}

/// A value as it is sent.
pub(super) fn value_to_bson(value: &Value) -> Result<Bson, StoreError> {
    Ok(match value {
        Value::MinKey => Bson::MinKey,
        Value::MaxKey => Bson::MaxKey,
        Value::Null => Bson::Null,
        Value::Int(number) => Bson::Int64(*number),
        Value::Double(number) => Bson::Double(*number),
        Value::String(text) => Bson::String(text.to_string()),
        Value::Document(document) => Bson::Document(to_bson(document)?),
        Value::Array(items) => {
            Bson::Array(items.iter().map(value_to_bson).collect::<Result<_, _>>()?)
        }
        Value::Binary(bytes) => {
            Bson::Binary(bson::Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
        }
        Value::ObjectId(id) => Bson::ObjectId(bson::oid::ObjectId::from_bytes(*id)),
        Value::Bool(flag) => Bson::Boolean(*flag),
        Value::DateTime(millis) => Bson::DateTime(bson::DateTime::from_millis(*millis)),
        Value::Timestamp(stamp) => Bson::Timestamp(bson::Timestamp {
            time: (stamp >> 32) as u32,
            increment: *stamp as u32,
        }),
    })
}

/// A stored document as it was received, with its fields in the order in which every store
/// returns them.
///
/// # Errors
///
/// The path and the type of what no [`Value`] is for.
pub(super) fn from_bson(document: bson::Document) -> Result<Document, String> {
    let mut document = embedded(document)?;
    document.sort_fields();
    Ok(document)
}

fn embedded(document: bson::Document) -> Result<Document, String> {
    let field = |(name, value): (String, Bson)| match value_from_bson(value) {
        Ok(value) => Ok((name, value)),
        Err(inner) => Err(format!("{name}{}{inner}", separator(&inner))),
    };
    document.into_iter().map(field).collect()
}

/// What stands between a name and what is said of its value: the path goes on, or it ends.
fn separator(inner: &str) -> &'static str {
    if inner.starts_with(": ") { "" } else { "." }
}

/// A value as it was received. The error continues a path: `.name: ..`, or `: ..` at its end.
pub(super) fn value_from_bson(value: Bson) -> Result<Value, String> {
    Ok(match value {
        Bson::MinKey => Value::MinKey,
        Bson::MaxKey => Value::MaxKey,
        Bson::Null => Value::Null,
        Bson::Int32(number) => Value::Int(number.into()),
        Bson::Int64(number) => Value::Int(number),
        Bson::Double(number) => Value::Double(number),
        Bson::String(text) => Value::String(text.into()),
        Bson::Document(document) => Value::Document(embedded(document)?),
        Bson::Array(items) => Value::Array(Arc::new(
            items.into_iter().map(value_from_bson).collect::<Result<_, _>>()?,
        )),
        Bson::Binary(bson::Binary { subtype: BinarySubtype::Generic, bytes }) => {
            Value::Binary(bytes.into())
        }
        Bson::ObjectId(id) => Value::ObjectId(id.bytes()),
        Bson::Boolean(flag) => Value::Bool(flag),
        Bson::DateTime(time) => Value::DateTime(time.timestamp_millis()),
        Bson::Timestamp(stamp) => {
            Value::Timestamp(u64::from(stamp.time) << 32 | u64::from(stamp.increment))
        }
        other => {
            return Err(format!(
                ": a {:?}, for which there is no value here",
                other.element_type()
            ));
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doc;

    fn every_type() -> Document {
        doc! {
            "_id": 1,
            "array": vec![Value::Int(1), "a".into(), Vec::<Value>::new().into()],
            "binary": Value::Binary(vec![0, 255].into()),
            "bool": true,
            "date": Value::DateTime(-1),
            "document": doc! {"z": 1, "a": doc! {}},
            "double": -0.0,
            "id": Value::ObjectId([7; 12]),
            "int": i64::MIN,
            "max": Value::MaxKey,
            "min": Value::MinKey,
            "null": Value::Null,
            "string": "\u{1F980}",
            "timestamp": Value::Timestamp(u64::MAX - 1),
        }
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        assert_eq!(from_bson(to_bson(&every_type()).unwrap()), Ok(every_type()));
    }

    #[test]
    fn a_size_is_that_of_the_bson() {
        let bytes = to_bson(&every_type()).unwrap().to_vec().unwrap();
        assert_eq!(bytes.len(), every_type().bson_size());
    }

    #[test]
    fn the_fields_of_a_stored_document_are_in_one_order_and_those_of_an_embedded_one_are_kept() {
        let received = bson::doc! {"b": {"z": 1, "a": 2}, "_id": 1, "a": 3};
        let expected = doc! {"_id": 1, "a": 3, "b": doc! {"z": 1, "a": 2}};
        assert_eq!(from_bson(received), Ok(expected));
    }

    #[test]
    fn what_no_value_is_for_is_named_by_its_path() {
        let received = bson::doc! {"_id": 1, "a": {"b": [1, {"c": Bson::Undefined}]}};
        let error = from_bson(received).unwrap_err();
        assert_eq!(error, "a.b.c: a Undefined, for which there is no value here");
    }

    #[test]
    fn a_name_that_is_an_operator_is_refused() {
        let error = to_bson(&doc! {"a": doc! {"$set": 1}}).unwrap_err();
        assert!(error.is_invalid(), "{error}");
    }
}
