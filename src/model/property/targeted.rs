//! Where a write goes: to one document, by its `_id`.

use crate::check::{Monitor, Request, Step};
use crate::store::Document;

/// `targeted`: each write asks for its document by `_id`. So it looks at one document and not at the
/// whole collection, and where the collection is sharded by `_id` it goes to one shard (manual,
/// *core/sharded-cluster-query-router*: targeted operations). Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Targeted;

impl Monitor for Targeted {
    fn name(&self) -> &str {
        "targeted"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(Request::Command(command)) = step.request else { return Ok(()) };
        match command.operation.filter() {
            Some(filter) if command.operation.is_write() && filter.point().is_none() => {
                Err(format!("{command} goes through the whole collection"))
            }
            _ => Ok(()),
        }
    }
}
