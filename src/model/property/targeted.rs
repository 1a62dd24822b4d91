//! Where an operation on one document goes: to that document, by its `_id`.

use crate::check::{Monitor, Request, Step};
use crate::store::{Document, Operation};

/// `targeted`: each operation on one document asks for it by `_id`. So it looks at one document and not
/// at the whole collection, and where the collection is sharded by `_id` it goes to one shard (manual,
/// *core/sharded-cluster-query-router*: targeted operations). Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Targeted;

impl Monitor for Targeted {
    fn name(&self) -> &str {
        "targeted"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(Request::Command(command)) = step.request() else { return Ok(()) };
        let of_many = matches!(command.operation, Operation::Scan { .. });
        match command.operation.filter() {
            Some(filter) if !of_many && filter.point().is_none() => {
                Err(format!("{command} goes through the whole collection"))
            }
            _ => Ok(()),
        }
    }
}
