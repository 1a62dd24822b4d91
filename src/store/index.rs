//! Unique indexes.

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::path::Path;
use super::value::Text;

/// A unique index on one or more fields of a collection.
///
/// The index on `_id` is always there and needs no declaration. Only unique indexes can be
/// declared: another one changes the speed of a server and no answer of it.
///
/// ```
/// use doorway::store::{filter::exists, Index};
///
/// let one_resource_per_worker = Index::unique(["worker_name"]).partial(exists("worker_name"));
/// assert_eq!(&*one_resource_per_worker.name, "worker_name_1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Index {
    /// The name, as a duplicate-key error gives it; by default the fields, each with `_1`.
    pub name: Text,
    /// The fields, in order. A missing one counts as null (manual, *core/index-unique*).
    pub fields: Vec<Path>,
    /// Which documents the index covers.
    pub covers: Covers,
}

/// Which documents an index covers: uniqueness is among these only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// Every document.
    #[default]
    All,
    /// Documents that have at least one of the fields; null counts as having it (manual,
    /// *core/index-sparse*).
    Sparse,
    /// Documents that match (manual, *core/index-partial*).
    Partial(Filter),
}

impl Index {
    /// A unique index on these fields, over every document.
    #[must_use]
    pub fn unique<P: Into<Path>>(fields: impl IntoIterator<Item = P>) -> Index {
        let fields: Vec<Path> = fields.into_iter().map(Into::into).collect();
        let name = fields.iter().map(|field| format!("{}_1", field.as_str())).collect::<Vec<_>>();
        Index { name: name.join("_").into(), fields, covers: Covers::All }
    }

    /// The same index over the documents that have one of the fields.
    #[must_use]
    pub fn sparse(mut self) -> Index {
        self.covers = Covers::Sparse;
        self
    }

    /// The same index over the documents that match.
    #[must_use]
    pub fn partial(mut self, filter: Filter) -> Index {
        self.covers = Covers::Partial(filter);
        self
    }
}
