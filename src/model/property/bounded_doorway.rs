//! The doorway is bounded: whoever submits a task waits for nobody.
//!
//! It is so as long as the others are few. A submission has to begin again where its list was deleted and
//! made anew by others between the two phases of its upsert; each time they have served a task meanwhile.
//! So nobody is waited for, and what one does over again the others have got done (it is *lock-free*), but
//! an endless stream of others can keep one at it (it is not *wait-free*; Herlihy, *Wait-free
//! synchronization*, TOPLAS 13(1), 1991).

use super::doorway::announces;
use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::Task;
use crate::store::{Document, Value};

/// More commands than this a submission has no need of: three, and three more each time another makes
/// or deletes the list at that moment, and one more for each answer that is lost.
const MOST: i64 = 10;

/// `bounded-doorway`: from its first command to its place in the list a submission takes at most ten
/// commands, which is for models of up to three tasks without a failover. Lamport's definition asks for
/// a doorway that ends by itself. Remembers how many each process has sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoundedDoorway;

impl Monitor for BoundedDoorway {
    fn name(&self) -> &str {
        "bounded-doorway"
    }

    fn step(&self, sent: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(process) = step.process() else { return Ok(()) };
        if step.crashed() || step.events().iter().any(|event| &*event.name == Task::QUEUED) {
            sent.remove(process);
            return Ok(());
        }
        let (Some(Request::Command(command)), Some(Answer::Store(_))) =
            (step.request(), step.answer())
        else {
            return Ok(());
        };
        let before = sent.get(process).and_then(Value::as_int);
        let number = match before {
            Some(number) => number + 1,
            None if announces(command) => 1,
            None => return Ok(()),
        };
        if number > MOST {
            return Err(format!(
                "{process} has sent {number} commands, and its task is not queued"
            ));
        }
        sent.set(process.clone(), number);
        sent.sort_fields();
        Ok(())
    }
}
