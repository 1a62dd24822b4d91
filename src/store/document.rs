//! A document: fields in order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::value::{Text, Value};

/// A document: named values, in order.
///
/// A stored document keeps its fields in the order of their names, `_id` first: no command here
/// can tell the order of the outermost fields, and one order for each content keeps a model's
/// states few. In an embedded document the order is kept and counts, as in BSON.
///
/// Shared: a clone is one reference count, the first write after it copies the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document {
    fields: Arc<Vec<(Text, Value)>>,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new() -> Document {
        Document::default()
    }

    /// The same document with a field set; reads well in a chain.
    #[must_use]
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Document {
        self.set(name, value);
        self
    }

    /// The value of a field of this document itself (a dotted path is not followed).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
    }

    /// The value of `_id`.
    #[must_use]
    pub fn id(&self) -> Option<&Value> {
        self.get("_id")
    }

    /// Sets a field: in its place if it is there, else at the end.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        let position = self.fields.iter().position(|(field, _)| *field == name);
        let fields = Arc::make_mut(&mut self.fields);
        match position {
            Some(position) => fields[position].1 = value,
            None => fields.push((name, value)),
        }
    }

    /// A field to write in place, made with [`Value::Null`] at the end if it is missing.
    pub fn entry(&mut self, name: &str) -> &mut Value {
        let position = self.fields.iter().position(|(field, _)| &**field == name);
        let fields = Arc::make_mut(&mut self.fields);
        let position = position.unwrap_or_else(|| {
            fields.push((name.into(), Value::Null));
            fields.len() - 1
        });
        &mut fields[position].1
    }

    /// Removes a field and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.fields.iter().position(|(field, _)| &**field == name)?;
        Some(Arc::make_mut(&mut self.fields).remove(position).1)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the document has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Sorts the fields into the order in which a stored document keeps them: by name, `_id`
    /// first.
    pub fn sort_fields(&mut self) {
        if !self.is_sorted() {
            Arc::make_mut(&mut self.fields).sort_by(stored_order);
        }
    }

    /// Whether the fields are in that order.
    pub(super) fn is_sorted(&self) -> bool {
        self.fields.is_sorted_by(|a, b| stored_order(a, b).is_le())
    }

    /// Changes every field in place; two may not get one name.
    pub(super) fn change_fields(&mut self, mut change: impl FnMut(&mut Text, &mut Value)) {
        Arc::make_mut(&mut self.fields).iter_mut().for_each(|(name, value)| change(name, value));
    }

    /// Compares as MongoDB does: field by field, by type bracket, then name, then value.
    #[must_use]
    pub fn compare(&self, other: &Document) -> Ordering {
        let field =
            |((name, value), (other_name, other_value)): ((&Text, &Value), (&Text, &Value))| {
                (value.bracket().cmp(&other_value.bracket()))
                    .then_with(|| name.as_bytes().cmp(other_name.as_bytes()))
                    .then_with(|| value.compare(other_value))
            };
        (self.iter().zip(other.iter()).map(field))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.len().cmp(&other.len()))
    }

    /// Whether a server stores the same for both.
    pub(super) fn is_stored_as(&self, other: &Document) -> bool {
        let field = |((name, value), (other_name, other)): ((&Text, &Value), (&Text, &Value))| {
            name == other_name && value.is_stored_as(other)
        };
        self.len() == other.len() && self.iter().zip(other.iter()).all(field)
    }

    /// The size in bytes that the document takes in BSON (integers as 64 bit).
    #[must_use]
    pub fn bson_size(&self) -> usize {
        5 + self.iter().map(|(name, value)| 2 + name.len() + value.bson_size()).sum::<usize>()
    }
}

/// The order in which a stored document keeps its fields.
fn stored_order((a, _): &(Text, Value), (b, _): &(Text, Value)) -> Ordering {
    (&**a != "_id", a).cmp(&(&**b != "_id", b))
}

impl<N: Into<Text>, V: Into<Value>> FromIterator<(N, V)> for Document {
    /// Collects fields in order; of two of one name the later value counts.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Document {
        let mut document = Document::new();
        for (name, value) in fields {
            document.set(name, value);
        }
        document
    }
}

/// A [`Document`] from fields and values.
///
/// ```
/// use doorway::doc;
///
/// let reservation = doc! { "_id": "repo-1", "worker_name": "w1", "task_ids": ["t1"] };
/// assert_eq!(reservation.id(), Some(&"repo-1".into()));
/// ```
#[macro_export]
macro_rules! doc {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::store::Document::new()$(.with($name, $value))*
    };
}
