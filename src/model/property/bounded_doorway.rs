//! The doorway is bounded: whoever submits a task waits for nobody.

use super::doorway::announces;
use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::Task;
use crate::store::{Document, Value};

/// More commands than this a submission has no need of: three, and three more each time another makes
/// or deletes the list at that moment, and one more for each answer that is lost.
const MOST: i64 = 10;

/// `bounded-doorway`: from its first command to its place in the list a submission takes at most ten
/// commands, whatever becomes of the other tasks. Lamport's definition asks for a doorway that ends
/// by itself. Remembers how many each process has sent.
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
