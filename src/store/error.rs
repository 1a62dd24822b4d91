//! Why a store did not do what it was asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::Text;

/// Why a command failed. One opaque type: ask it with the `is_*` methods.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreError {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    DuplicateKey { collection: Text, index: Text },
    OutcomeUnknown(Text),
    NotDone(Text),
    ImmutableId(Text),
    TooLarge { bytes: Option<u64>, limit: u64 },
    Invalid(Text),
    Unsupported(Text),
    Refused(Text),
    Data(Text),
}

impl StoreError {
    /// A unique index refused the write. Nothing was changed.
    #[must_use]
    pub fn duplicate_key(collection: impl Into<Text>, index: impl Into<Text>) -> StoreError {
        Kind::DuplicateKey { collection: collection.into(), index: index.into() }.into()
    }

    /// The answer was lost: the command was done, or not, or will be.
    #[must_use]
    pub fn outcome_unknown(why: impl Into<Text>) -> StoreError {
        Kind::OutcomeUnknown(why.into()).into()
    }

    /// The command was certainly not done and may be sent again.
    #[must_use]
    pub fn not_done(why: impl Into<Text>) -> StoreError {
        Kind::NotDone(why.into()).into()
    }

    /// The write would change `_id`. Nothing was changed.
    #[must_use]
    pub fn immutable_id(why: impl Into<Text>) -> StoreError {
        Kind::ImmutableId(why.into()).into()
    }

    /// The document would be larger than the server stores. Nothing was changed.
    #[must_use]
    pub fn too_large(bytes: usize, limit: usize) -> StoreError {
        Kind::TooLarge { bytes: Some(bytes as u64), limit: limit as u64 }.into()
    }

    /// The same, where the store does not say how large the document would be.
    #[must_use]
    pub fn over_the_limit(limit: usize) -> StoreError {
        Kind::TooLarge { bytes: None, limit: limit as u64 }.into()
    }

    /// The command is one that a server refuses. Nothing was changed.
    #[must_use]
    pub fn invalid(why: impl Into<Text>) -> StoreError {
        Kind::Invalid(why.into()).into()
    }

    /// The store does not know how a server answers this, and does not guess.
    #[must_use]
    pub fn unsupported(what: impl Into<Text>) -> StoreError {
        Kind::Unsupported(what.into()).into()
    }

    /// The server does not take this client, or is not set up for it. Nothing was changed.
    #[must_use]
    pub fn refused(why: impl Into<Text>) -> StoreError {
        Kind::Refused(why.into()).into()
    }

    /// A document does not fit the type that it was to become, or the other way round.
    #[must_use]
    pub fn data(why: impl Into<Text>) -> StoreError {
        Kind::Data(why.into()).into()
    }

    /// Whether a unique index refused the write (MongoDB's error 11000).
    #[must_use]
    pub fn is_duplicate_key(&self) -> bool {
        matches!(self.kind, Kind::DuplicateKey { .. })
    }

    /// The name of the unique index that refused the write: `_id_` for the one on `_id`.
    #[must_use]
    pub fn duplicate_index(&self) -> Option<&str> {
        if let Kind::DuplicateKey { index, .. } = &self.kind { Some(index) } else { None }
    }

    /// Whether the command may have been done, or may yet be.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self.kind, Kind::OutcomeUnknown(_))
    }

    /// Whether the command was not done for a passing reason, so that it may be sent again.
    #[must_use]
    pub fn is_not_done(&self) -> bool {
        matches!(self.kind, Kind::NotDone(_))
    }

    /// Whether the write would have changed `_id` (MongoDB's error 66).
    #[must_use]
    pub fn is_immutable_id(&self) -> bool {
        matches!(self.kind, Kind::ImmutableId(_))
    }

    /// Whether the document would be over the size limit.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.kind, Kind::TooLarge { .. })
    }

    /// Whether the command is malformed: sending it again cannot help.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.kind, Kind::Invalid(_))
    }

    /// Whether the store cannot say what a server would do.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self.kind, Kind::Unsupported(_))
    }

    /// Whether the server does not take this client (its login, its rights, the server's version),
    /// or is not set up for it (an index): somebody has to change that first.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.kind, Kind::Refused(_))
    }

    /// Whether a document and a type did not fit.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self.kind, Kind::Data(_))
    }

    /// The kind in one word, for a log or a metric: it has nothing of the documents.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::DuplicateKey { .. } => "duplicate_key",
            Kind::OutcomeUnknown(_) => "outcome_unknown",
            Kind::NotDone(_) => "not_done",
            Kind::ImmutableId(_) => "immutable_id",
            Kind::TooLarge { .. } => "too_large",
            Kind::Invalid(_) => "invalid",
            Kind::Unsupported(_) => "unsupported",
            Kind::Refused(_) => "refused",
            Kind::Data(_) => "data",
        }
    }
}

impl StoreError {
    /// The texts in it, to change in place.
    pub(super) fn texts_mut(&mut self) -> [Option<&mut Text>; 2] {
        match &mut self.kind {
            Kind::DuplicateKey { collection, index } => [Some(collection), Some(index)],
            Kind::OutcomeUnknown(why)
            | Kind::NotDone(why)
            | Kind::ImmutableId(why)
            | Kind::Invalid(why)
            | Kind::Unsupported(why)
            | Kind::Refused(why)
            | Kind::Data(why) => [Some(why), None],
            Kind::TooLarge { .. } => [None, None],
        }
    }
}

impl From<Kind> for StoreError {
    fn from(kind: Kind) -> StoreError {
        StoreError { kind }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::DuplicateKey { collection, index } => {
                write!(f, "duplicate key in {collection}, index {index}")
            }
            Kind::OutcomeUnknown(why) => write!(f, "outcome unknown: {why}"),
            Kind::NotDone(why) => write!(f, "not done: {why}"),
            Kind::ImmutableId(why) => write!(f, "_id cannot change: {why}"),
            Kind::TooLarge { bytes, limit } => {
                f.write_str("a document")?;
                bytes.map_or(Ok(()), |bytes| write!(f, " of {bytes} bytes"))?;
                write!(f, " is over the limit of {limit}: bound what grows in it")
            }
            Kind::Invalid(why) => write!(f, "invalid command: {why}"),
            Kind::Unsupported(what) => write!(f, "not supported: {what}"),
            Kind::Refused(why) => write!(f, "refused: {why}"),
            Kind::Data(why) => write!(f, "document and type do not fit: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
