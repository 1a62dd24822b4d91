//! Between values and BSON.
//!
//! Exact both ways, but for the two integer types of BSON, which are one here and are written as
//! 64 bit.

use std::sync::Arc;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Bson, RawBinaryRef, RawBsonRef, RawDocument};

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
        Value::Ordinal(ordinal) => Bson::Int64(ordinal.number),
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
/// returns them. It is read from its bytes: a document of the driver's in between would take longer
/// than all the rest.
///
/// # Errors
///
/// The path and the type of what no [`Value`] is for.
pub(super) fn from_bson(document: &RawDocument) -> Result<Document, String> {
    let mut document = embedded(document)?;
    document.sort_fields();
    Ok(document)
}

fn embedded(document: &RawDocument) -> Result<Document, String> {
    let fields = document.iter().map(|field| {
        let (name, value) = field.map_err(unreadable)?;
        let value = value_from_bson(value);
        let value = value.map_err(|inner| format!("{name}{}{inner}", separator(&inner)))?;
        Ok((name.as_str(), value))
    });
    fields.collect()
}

/// What stands between a name and what is said of its value: the path goes on, or it ends.
fn separator(inner: &str) -> &'static str {
    if inner.starts_with(": ") { "" } else { "." }
}

/// Bytes that are no BSON.
fn unreadable(error: bson::error::Error) -> String {
    format!(": {error}")
}

/// A value as it was received. The error continues a path: `.name: ..`, or `: ..` at its end.
pub(super) fn value_from_bson(value: RawBsonRef<'_>) -> Result<Value, String> {
    Ok(match value {
        RawBsonRef::MinKey => Value::MinKey,
        RawBsonRef::MaxKey => Value::MaxKey,
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Int32(number) => Value::Int(number.into()),
        RawBsonRef::Int64(number) => Value::Int(number),
        RawBsonRef::Double(number) => Value::Double(number),
        RawBsonRef::String(text) => Value::String(text.into()),
        RawBsonRef::Document(document) => Value::Document(embedded(document)?),
        RawBsonRef::Array(items) => Value::Array(Arc::new(
            items
                .into_iter()
                .map(|item| value_from_bson(item.map_err(unreadable)?))
                .collect::<Result<_, _>>()?,
        )),
        RawBsonRef::Binary(RawBinaryRef { subtype: BinarySubtype::Generic, bytes }) => {
            Value::Binary(bytes.into())
        }
        RawBsonRef::ObjectId(id) => Value::ObjectId(id.bytes()),
        RawBsonRef::Boolean(flag) => Value::Bool(flag),
        RawBsonRef::DateTime(time) => Value::DateTime(time.timestamp_millis()),
        RawBsonRef::Timestamp(stamp) => {
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

    fn received(document: bson::Document) -> Result<Document, String> {
        from_bson(&bson::RawDocumentBuf::try_from(document).unwrap())
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        assert_eq!(received(to_bson(&every_type()).unwrap()), Ok(every_type()));
    }

    #[test]
    fn an_ordinal_is_a_64_bit_integer() {
        let sent = doc! {"_id": 1, "n": crate::store::Ordinal::first("tickets")};
        let sent_as = to_bson(&sent).unwrap();
        assert_eq!(sent_as, bson::doc! {"_id": 1_i64, "n": 1_i64});
        assert_eq!(sent_as.to_vec().unwrap().len(), sent.bson_size());
        assert_eq!(received(sent_as), Ok(doc! {"_id": 1, "n": 1}));
    }

    #[test]
    fn a_size_is_that_of_the_bson() {
        let bytes = to_bson(&every_type()).unwrap().to_vec().unwrap();
        assert_eq!(bytes.len(), every_type().bson_size());
    }

    #[test]
    fn the_fields_of_a_stored_document_are_in_one_order_and_those_of_an_embedded_one_are_kept() {
        let sent = bson::doc! {"b": {"z": 1, "a": 2}, "_id": 1, "a": 3};
        let expected = doc! {"_id": 1, "a": 3, "b": doc! {"z": 1, "a": 2}};
        assert_eq!(received(sent), Ok(expected));
    }

    #[test]
    fn what_no_value_is_for_is_named_by_its_path() {
        let sent = bson::doc! {"_id": 1, "a": {"b": [1, {"c": Bson::Undefined}]}};
        let error = received(sent).unwrap_err();
        assert_eq!(error, "a.b.c: a Undefined, for which there is no value here");
    }

    #[test]
    fn a_name_that_is_an_operator_is_refused() {
        let error = to_bson(&doc! {"a": doc! {"$set": 1}}).unwrap_err();
        assert!(error.is_invalid(), "{error}");
    }
}
