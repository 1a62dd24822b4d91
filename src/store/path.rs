//! The way to a value within a document: `worker_name`, `task_ids.0`, `owner.name`.

use serde::{Deserialize, Serialize};

use super::value::Text;

/// The way to a value within a document, dotted as in MongoDB; a number selects an element of an
/// array (or a field of that name).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Text", into = "Text")]
pub struct Path {
    text: Text,
}

impl Path {
    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names between the dots.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('.')
    }

    /// The outermost field.
    #[must_use]
    pub fn root(&self) -> &str {
        self.text.split('.').next().unwrap_or_default()
    }

    /// Whether one of the two paths leads through the other, so that one update may not write
    /// both (MongoDB's error 40, *ConflictingUpdateOperators*).
    #[must_use]
    pub fn conflicts_with(&self, other: &Path) -> bool {
        self.segments().zip(other.segments()).all(|(a, b)| a == b)
    }
}

impl From<Text> for Path {
    fn from(text: Text) -> Path {
        Path { text }
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Path {
        Path { text: text.into() }
    }
}

impl From<String> for Path {
    fn from(text: String) -> Path {
        Path { text: text.into() }
    }
}

impl From<Path> for Text {
    fn from(path: Path) -> Text {
        path.text
    }
}
