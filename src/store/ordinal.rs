//! An ordinal: a number of which only the order counts.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{Text, Value};

/// A number of which only the order counts: a ticket, a fencing token, an incarnation, a heartbeat.
///
/// In the database it is a 64 bit integer, and it is read from any integer. Code can ask for the
/// first one, store one, compare two, and have the store make the next
/// ([`update::next`](super::update::next)); it cannot calculate with one. So an explorer may number
/// those that are alive anew, in their order, and a system that counts for ever has few states.
///
/// Ordinals belong to a scale, which has a name: those of different scales are never compared with
/// each other, so each scale is numbered by itself. Two counters that run independently, the
/// heartbeats of two processes, need two scales: on one, how far they are apart would count. Only an
/// explorer knows of scales: an ordinal that was read from a server has none.
///
/// ```
/// use doorway::store::{Ordinal, update::next};
///
/// let first = Ordinal::first("tickets");
/// assert_eq!(serde_json::from_str::<Ordinal>("1").ok(), Some(first));
/// assert_eq!(next("ticket", "tickets").to_string(), "{$inc: {ticket: 1}}");
/// ```
#[derive(Clone, Debug)]
pub struct Ordinal {
    /// None: it was read as a plain integer, and is written as one.
    pub(crate) scale: Option<Text>,
    pub(crate) number: i64,
}

impl Ordinal {
    /// The number of the first one.
    pub(crate) const FIRST: i64 = 1;

    /// The first ordinal of a scale: less than all others.
    #[must_use]
    pub fn first(scale: impl Into<Text>) -> Ordinal {
        Ordinal { scale: Some(scale.into()), number: Ordinal::FIRST }
    }

    /// What tells apart two that are equal.
    pub(super) fn representation(&self) -> (i64, Option<&Text>) {
        (self.number, self.scale.as_ref())
    }
}

impl PartialEq for Ordinal {
    fn eq(&self, other: &Ordinal) -> bool {
        self.number == other.number
    }
}

impl Eq for Ordinal {}

impl Ord for Ordinal {
    fn cmp(&self, other: &Ordinal) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl PartialOrd for Ordinal {
    fn partial_cmp(&self, other: &Ordinal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Ordinal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// For people to read: an error or a decision that is made of it depends on the number, which an
/// explorer refuses.
impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

impl Serialize for Ordinal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ordinal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ordinal, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Ordinal(ordinal) => Ok((*ordinal).clone()),
            Value::Int(number) => Ok(Ordinal { scale: None, number }),
            other => Err(D::Error::custom(format!("a {} is no ordinal", other.type_name()))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doc;
    use crate::store::{Document, from_document, to_document};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lock {
        serving: Ordinal,
        waiting: Vec<Ordinal>,
    }

    #[test]
    fn it_keeps_its_scale_within_documents_and_structs() {
        let first = || Ordinal::first("tickets");
        let lock = Lock { serving: first(), waiting: vec![first()] };
        let document = to_document(&lock).unwrap();
        let expected = doc! {"serving": first(), "waiting": [first()]};
        assert_eq!(document, expected);
        assert_ne!(document, doc! {"serving": 1, "waiting": [1]}, "the representation is another");
        let back: Lock = from_document(document).unwrap();
        assert_eq!(back.serving.scale.as_deref(), Some("tickets"));
        assert_eq!(back, lock);
    }

    #[test]
    fn it_is_read_from_an_integer_and_written_back_as_one() {
        let lock: Lock = from_document(doc! {"serving": 7, "waiting": [1, 8]}).unwrap();
        assert!(lock.serving > lock.waiting[0] && lock.serving < lock.waiting[1]);
        assert_eq!(lock.waiting[0], Ordinal::first("tickets"));
        assert_eq!(to_document(&lock).unwrap(), doc! {"serving": 7, "waiting": [1, 8]});
        let error = from_document::<Lock>(doc! {"serving": 0.5, "waiting": Vec::<i64>::new()});
        assert!(error.unwrap_err().to_string().contains("a double is no ordinal"));
    }

    #[test]
    fn it_survives_json() {
        let document = doc! {"_id": Ordinal::first("tickets")};
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(json, r#"{"_id":{"$ordinal":{"of":"tickets","number":"1"}}}"#);
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
    }
}
