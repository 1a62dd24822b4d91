//! Between documents, serde structs and JSON.
//!
//! What JSON has no type for is written as MongoDB's Extended JSON writes it (`{"$date": ..}`,
//! `{"$oid": ..}`), in every serde format; so a struct field of the driver's own types
//! (`bson::DateTime`, `bson::oid::ObjectId`) becomes the right value too.

use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::document::Document;
use super::error::StoreError;
use super::ordinal::Ordinal;
use super::value::Value;

/// The value that serde data becomes.
///
/// # Errors
///
/// `is_data` where it does not serialize.
pub(crate) fn to_value<T: Serialize + ?Sized>(data: &T) -> Result<Value, StoreError> {
    let json = serde_json::to_value(data).map_err(|error| StoreError::data(error.to_string()))?;
    from_json(json).map_err(StoreError::data)
}

/// The serde data that a value becomes.
///
/// # Errors
///
/// `is_data` where the value does not have the shape of `T`.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, StoreError> {
    serde_json::from_value(to_json(&value)).map_err(|error| StoreError::data(error.to_string()))
}

/// The document that a serde struct becomes.
///
/// # Errors
///
/// `is_data` where the value does not serialize, or is not a struct or a map.
pub fn to_document<T: Serialize + ?Sized>(value: &T) -> Result<Document, StoreError> {
    match to_value(value)? {
        Value::Document(document) => Ok(document),
        other => Err(StoreError::data(format!("a {} is not a document", other.type_name()))),
    }
}

/// The serde struct that a document becomes.
///
/// # Errors
///
/// `is_data`, with the field, where the document does not have the shape of `T`.
pub fn from_document<T: DeserializeOwned>(document: Document) -> Result<T, StoreError> {
    serde_json::from_value(document_to_json(&document))
        .map_err(|error| StoreError::data(format!("{error}, in {document}")))
}

fn document_to_json(document: &Document) -> Json {
    document.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect()
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::MinKey => json!({"$minKey": 1}),
        Value::MaxKey => json!({"$maxKey": 1}),
        Value::Null => Json::Null,
        Value::Int(number) => (*number).into(),
        Value::Ordinal(ordinal) => match &ordinal.scale {
            Some(scale) => {
                json!({"$ordinal": {"of": &**scale, "number": ordinal.number.to_string()}})
            }
            None => ordinal.number.into(),
        },
        Value::Double(number) => serde_json::Number::from_f64(*number)
            .map_or_else(|| json!({"$numberDouble": non_finite(*number)}), Json::Number),
        Value::String(text) => (&**text).into(),
        Value::Document(document) => document_to_json(document),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Binary(bytes) => json!({"$binary": {"hex": to_hex(bytes)}}),
        Value::ObjectId(id) => json!({"$oid": to_hex(id)}),
        Value::Bool(flag) => (*flag).into(),
        Value::DateTime(millis) => json!({"$date": {"$numberLong": millis.to_string()}}),
        Value::Timestamp(stamp) => {
            json!({"$timestamp": {"t": stamp >> 32, "i": stamp & 0xFFFF_FFFF}})
        }
    }
}

fn non_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn from_json(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, _) if number.is_u64() => {
                return Err(format!("{number} is over the largest integer that BSON has"));
            }
            (None, double) => Value::Double(double.unwrap_or(f64::NAN)),
        },
        Json::String(text) => text.into(),
        Json::Array(items) => {
            Value::Array(Arc::new(items.into_iter().map(from_json).collect::<Result<_, _>>()?))
        }
        Json::Object(map) => match extended(&map) {
            Some(value) => value?,
            None => {
                let field = |(name, value)| Ok::<_, String>((name, from_json(value)?));
                Value::Document(map.into_iter().map(field).collect::<Result<_, _>>()?)
            }
        },
    })
}

/// The value that an Extended JSON object stands for; `None` where it is a plain object.
fn extended(map: &Map<String, Json>) -> Option<Result<Value, String>> {
    let mut entries = map.iter();
    let (Some((key, operand)), None) = (entries.next(), entries.next()) else {
        return None;
    };
    let value = match key.as_str() {
        "$minKey" => Some(Value::MinKey),
        "$maxKey" => Some(Value::MaxKey),
        "$oid" => operand.as_str().and_then(from_hex).and_then(object_id),
        "$date" => milliseconds(operand).map(Value::DateTime),
        "$numberLong" | "$numberInt" => integer(operand).map(Value::Int),
        "$ordinal" => ordinal(operand).map(Value::from),
        "$numberDouble" => operand.as_str().and_then(|text| text.parse().ok()).map(Value::Double),
        "$binary" => operand["hex"].as_str().and_then(from_hex).map(|b| Value::Binary(b.into())),
        "$timestamp" => match (operand["t"].as_u64(), operand["i"].as_u64()) {
            (Some(t), Some(i)) => Some(Value::Timestamp(t << 32 | i)),
            _ => None,
        },
        _ => return None,
    };
    Some(value.ok_or_else(|| format!("{key} with an operand of another form: {operand}")))
}

fn milliseconds(operand: &Json) -> Option<i64> {
    operand.as_i64().or_else(|| integer(operand.get("$numberLong")?))
}

fn integer(operand: &Json) -> Option<i64> {
    operand.as_str()?.parse().ok()
}

fn ordinal(operand: &Json) -> Option<Ordinal> {
    let (scale, number) = (operand.get("of")?.as_str()?.into(), integer(operand.get("number")?)?);
    Some(Ordinal { scale: Some(scale), number })
}

fn object_id(bytes: Vec<u8>) -> Option<Value> {
    bytes.try_into().ok().map(Value::ObjectId)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(byte).collect()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_json(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        from_json(Json::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        document_to_json(self).serialize(serializer).map_err(S::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Document(document) => Ok(document),
            other => Err(D::Error::custom(format!("a {} is not a document", other.type_name()))),
        }
    }
}
