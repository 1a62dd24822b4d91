//! The doorway is bounded: whoever submits a task waits for nobody.
//!
//! A submission begins again where the reservation of its resource was made by another between the two
//! phases of its upsert; a reservation stays once it is made, so this happens once. It begins again as well
//! where it finds that its task was in the list and is there no more, since another has submitted the same task
//! and it is done; or where what it has seen a failover takes back.

use super::doorway::announces;
use super::field;
use crate::check::{Answer, Monitor, Request, Step};
use crate::doc;
use crate::reservation::Task;
use crate::store::{Document, Text, Value};

/// The commands of a submission that has to begin again once: four are enough where nothing goes wrong.
const MOST: i64 = 4;
/// What it takes to begin again.
const AGAIN: i64 = 2;

/// `bounded-doorway`: from its first command to its place in the list a submission takes at most four
/// commands, and two more for each answer that is lost meanwhile, to whomever, and each time that a task is
/// submitted again, this one too.
/// Lamport's definition asks for a doorway that ends by itself. Remembers how many each process has
/// sent, and how many it may.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoundedDoorway;

impl Monitor for BoundedDoorway {
    fn name(&self) -> &str {
        "bounded-doorway"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(process) = step.process() else { return Ok(()) };
        if step.crashed() || step.events().iter().any(|event| &*event.name == Task::QUEUED) {
            memory.remove(process);
            return Ok(());
        }
        let (Some(Request::Command(command)), Some(Answer::Store(reply))) =
            (step.request(), step.answer())
        else {
            return Ok(());
        };
        if announces(command) && memory.get(process).is_none() {
            memory.set(process.clone(), doc! {"sent": 0, "most": MOST});
            memory.sort_fields();
        }
        let is_again = announces(command) && reply.is_err();
        let is_lost = reply.as_ref().is_err_and(|error| error.is_outcome_unknown());
        if is_again || is_lost {
            let all: Vec<Text> = memory.iter().map(|(process, _)| process.clone()).collect();
            all.iter().for_each(|process| add(field(memory, process), "most", AGAIN));
        }
        if memory.get(process).is_none() {
            return Ok(());
        }
        let submission = field(memory, process);
        add(submission, "sent", 1);
        let [sent, most] =
            ["sent", "most"].map(|name| submission.get(name).and_then(Value::as_int));
        match sent > most {
            true => Err(format!(
                "{process} has sent {} commands, and its task is not queued",
                sent.unwrap_or(0)
            )),
            false => Ok(()),
        }
    }
}

fn add(submission: &mut Document, name: &str, number: i64) {
    let before = submission.get(name).and_then(Value::as_int).unwrap_or(0);
    submission.set(name, before + number);
}
