//! Which documents the database has to look at, and to send.

use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Operation, Reply};

/// `targeted`: each operation on one document asks for it by `_id`. So it looks at one document and not
/// at the whole collection, and where the collection is sharded by `_id` it goes to one shard (manual,
/// *core/sharded-cluster-query-router*: targeted operations). And a scan of the reservations sends one at
/// most that waits for a worker: there may be any number of these, while no more are bound than there are
/// workers. Remembers nothing.
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
                return Err(format!("{command} goes through the whole collection"));
            }
            _ if &*command.collection != RESERVATIONS => return Ok(()),
            _ => {}
        }
        match step.answer() {
            Some(Answer::Store(Ok(Reply::Documents(sent)))) if waiting(sent) > 1 => {
                Err(format!("{command} is sent {} reservations that wait", waiting(sent)))
            }
            _ => Ok(()),
        }
    }
}

fn waiting(sent: &[Document]) -> usize {
    sent.iter().filter(|reservation| reservation.get("worker_name").is_none()).count()
}
