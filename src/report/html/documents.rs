//! The documents beside the diagram: each as it was between one change and the next.

use std::collections::BTreeMap;
use std::fmt;

use super::Escaped;
use crate::check::TraceStep;
use crate::store::{Document, Value};

/// The documents that a run changes, in the order of their collections and `_id`s.
pub(super) struct Documents<'a> {
    documents: BTreeMap<Key<'a>, Vec<Version<'a>>>,
    steps: usize,
}

/// A collection and an `_id`.
type Key<'a> = (&'a str, Option<&'a Value>);

/// A document as it is after a step, until it changes again.
struct Version<'a> {
    after: usize,
    before: Option<&'a Document>,
    content: Option<&'a Document>,
}

impl<'a> Documents<'a> {
    pub(super) fn of(steps: &'a [TraceStep]) -> Documents<'a> {
        let mut documents: BTreeMap<Key<'a>, Vec<Version<'a>>> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            for change in &step.changes {
                let (before, content) = (change.before.as_ref(), change.after.as_ref());
                let id = content.or(before).and_then(Document::id);
                let versions = documents.entry((&*change.collection, id)).or_default();
                if versions.is_empty() {
                    versions.push(Version { after: 0, before, content: before });
                }
                versions.push(Version { after: index + 1, before, content });
            }
        }
        Documents { documents, steps: steps.len() }
    }
}

impl fmt::Display for Documents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.documents.is_empty() {
            return writeln!(f, "<p>No step changes a document.</p>");
        }
        for ((collection, id), versions) in &self.documents {
            let id = id.map(ToString::to_string).unwrap_or_default();
            let (collection, id) = (Escaped(collection), Escaped(id));
            writeln!(f, "<section>\n<h3>{collection} <code>{id}</code></h3>\n<ol>")?;
            for (index, version) in versions.iter().enumerate() {
                let next = versions.get(index + 1).map_or(self.steps + 1, |next| next.after);
                version.write(f, next)?;
            }
            writeln!(f, "</ol>\n</section>")?;
        }
        Ok(())
    }
}

impl Version<'_> {
    /// Writes it, with the steps after which it is so: from the first number to before the next.
    fn write(&self, f: &mut fmt::Formatter<'_>, next: usize) -> fmt::Result {
        let after = self.after;
        write!(f, r#"<li data-from="{after}" data-to="{next}">"#)?;
        match after {
            0 => write!(f, r#"<p class="aside">at first</p>"#)?,
            _ => write!(
                f,
                r##"<p class="aside">after step <a href="#step-{after}">{after}</a></p>"##
            )?,
        }
        if self.content.is_none() {
            return writeln!(f, "<p>not there</p></li>");
        }
        write!(f, "<dl>")?;
        for field in Diff::between(self.before, self.content).0 {
            let Some(value) = field.after else { continue };
            let class = if field.is_changed() { r#" class="changed""# } else { "" };
            let (name, value) = (Escaped(field.name), Escaped(value));
            write!(f, "<div{class}><dt>{name}</dt> <dd>{value}</dd></div>")?;
        }
        writeln!(f, "</dl></li>")
    }
}

/// Two contents of a document, field by field.
pub(super) struct Diff<'a>(Vec<Field<'a>>);

/// A field that is in one of two contents, or in both.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) before: Option<&'a Value>,
    pub(super) after: Option<&'a Value>,
}

impl<'a> Diff<'a> {
    pub(super) fn between(before: Option<&'a Document>, after: Option<&'a Document>) -> Diff<'a> {
        let get = |document: Option<&'a Document>, name: &str| document?.get(name);
        let names = |document: Option<&'a Document>| {
            document.into_iter().flat_map(Document::iter).map(|(name, _)| &**name)
        };
        let gone = names(before).filter(|name| get(after, name).is_none());
        let field = |name| Field { name, before: get(before, name), after: get(after, name) };
        Diff(names(after).chain(gone).map(field).collect())
    }

    /// The fields that differ.
    pub(super) fn changed(self) -> impl Iterator<Item = Field<'a>> {
        self.0.into_iter().filter(Field::is_changed)
    }
}

impl Field<'_> {
    fn is_changed(&self) -> bool {
        self.before != self.after
    }
}
