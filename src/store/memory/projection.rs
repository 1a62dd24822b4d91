//! Which fields of a document are returned.

use std::sync::Arc;

use crate::store::{Document, Path, Projection, Value};

/// The document as the projection shows it. `_id` is shown unless it is excluded (manual,
/// *tutorial/project-fields-from-query-results*).
pub(super) fn project(projection: &Projection, document: &Document) -> Document {
    match projection {
        Projection::All => document.clone(),
        Projection::Include(paths) => {
            let paths: Vec<&str> = paths.iter().map(Path::as_str).chain(["_id"]).collect();
            filtered(document, &paths, Listed::Stay)
        }
        Projection::Exclude(paths) => {
            let paths: Vec<&str> = paths.iter().map(Path::as_str).collect();
            filtered(document, &paths, Listed::Go)
        }
    }
}

/// What becomes of the fields that are listed; the others do the opposite.
#[derive(Clone, Copy, PartialEq)]
enum Listed {
    Stay,
    Go,
}

fn filtered(document: &Document, paths: &[&str], listed: Listed) -> Document {
    let field = |(name, value): (&crate::store::Text, &Value)| {
        let below: Vec<&str> = paths.iter().filter_map(|path| under(path, name)).collect();
        let shown = match below.as_slice() {
            [] => (listed == Listed::Go).then(|| value.clone()),
            below if below.contains(&"") => (listed == Listed::Stay).then(|| value.clone()),
            below => inside(value, below, listed),
        };
        shown.map(|value| (name.clone(), value))
    };
    document.iter().filter_map(field).collect()
}

/// The rest of a path below a field: empty where the path ends there.
fn under<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

/// What is shown of a value in which some paths go on: each document in an array is projected; a
/// scalar has none of the fields.
fn inside(value: &Value, paths: &[&str], listed: Listed) -> Option<Value> {
    match value {
        Value::Document(inner) => Some(Value::Document(filtered(inner, paths, listed))),
        Value::Array(items) => {
            let items = items.iter().filter_map(|item| inside(item, paths, listed));
            Some(Value::Array(Arc::new(items.collect())))
        }
        scalar => (listed == Listed::Go).then(|| scalar.clone()),
    }
}
