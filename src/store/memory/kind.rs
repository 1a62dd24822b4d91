//! What a step of a command does, without its data.

/// What a step of a command does.
///
/// A command begins with `Insert`, `Point`, `Read`, `Seek` or `Pick`, and what else it comes to is a
/// step of its own, before which others may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// Refuses the command.
    Refuse,
    /// Inserts a document.
    Insert,
    /// Does the whole operation on the document with a given `_id`.
    Point,
    /// Reads one document, for a reply.
    Read,
    /// Looks at one document for a candidate of a write.
    Seek,
    /// Looks at one document for a better candidate of a write with a sort.
    Pick,
    /// Checks the filter again on a candidate, and writes.
    Write,
    /// Inserts the document of an upsert that found none.
    Upsert,
    /// Waits until a majority has what was written.
    Acknowledge,
    /// The reply was given: nothing is to come.
    Over,
}
