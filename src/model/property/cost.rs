//! What a task costs.

use super::doorway::announces;
use super::field;
use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::doorway::schema::COUNTERS;
use crate::reservation::schema::{RESERVATIONS, STATUSES};
use crate::store::update::Update;
use crate::store::{Command, Document, Operation, Reply, Value};

/// The commands of a task from its submission to its place in a list, and from there to its release; one more
/// finds the others that wait, where there are any; and those of a worker's registration.
const OF_A_SUBMISSION: i64 = 2;
const OF_A_TURN: i64 = 5;
const OF_THE_OTHERS: i64 = 1;
const OF_A_WORKER: i64 = 2;
/// What another worker takes at most that wanted a task as well: to look, and to bind in vain.
const OF_A_RACE: i64 = 2;
/// What a crash takes at most: the process registers again, and ends the binding that it has left behind.
const OF_A_CRASH: i64 = 9;

/// `cost`: a task takes seven commands, or eight where there is another resource, and two more for each
/// other worker that comes for it; a worker takes two to register. A crash of the worker takes nine. An
/// answer that is lost, beside that the command is sent again, takes seven where it is that to an append, five
/// to a bind, none to a freeing or a scan, and else one. A scan that finds nothing is not counted. Remembers how
/// many were answered, what those take that were not, the workers, the submissions and the crashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost;

impl Monitor for Cost {
    fn name(&self) -> &str {
        "cost"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if step.crashed() {
            add(memory, "crashes", 1);
        }
        let (Some(Request::Command(command)), Some(Answer::Store(reply))) =
            (step.request(), step.answer())
        else {
            return Ok(());
        };
        match reply {
            Ok(Reply::Documents(found)) if found.is_empty() => return Ok(()),
            Err(error) if error.is_outcome_unknown() || error.is_not_done() => {
                add(memory, "lost", of_a_lost_answer(command));
            }
            _ => add(memory, "sent", 1),
        }
        if &*command.collection == COUNTERS
            && let Some(process) = step.process()
        {
            let workers = field(memory, "workers");
            workers.set(process.clone(), true);
            workers.sort_fields();
            memory.sort_fields();
        }
        if announces(command) {
            add(memory, "submitted", 1);
        }
        let (sent, most) = (count(memory, "sent"), enough(memory, step));
        if sent <= most {
            return Ok(());
        }
        Err(format!("{sent} commands, where {most} are enough"))
    }
}

/// How many commands are enough for what there is.
fn enough(memory: &Document, step: &Step<'_>) -> i64 {
    let tasks = step.world.store.documents(STATUSES).count() as i64;
    let has_others = step.world.store.documents(RESERVATIONS).count() > 1;
    let workers = memory.get("workers").and_then(Value::as_document).map_or(0, Document::len);
    let workers = i64::try_from(workers).unwrap_or(i64::MAX);
    OF_A_SUBMISSION * count(memory, "submitted")
        + (OF_A_TURN + if has_others { OF_THE_OTHERS } else { 0 }) * tasks
        + OF_A_WORKER * workers
        + OF_A_RACE * tasks * (workers - 1).max(0)
        + count(memory, "lost")
        + OF_A_CRASH * count(memory, "crashes")
}

/// What an answer that is lost takes at most. That to a freeing takes nothing: whichever of the two was
/// done has freed the resource.
fn of_a_lost_answer(command: &Command) -> i64 {
    let operators = command.operation.update().map(Update::operators).unwrap_or_default();
    let is_about = |field: &str| operators.iter().any(|one| one.path().as_str() == field);
    match command.operation {
        Operation::Scan { .. } => 0,
        // How the document is has to be read.
        _ if &*command.collection != RESERVATIONS => 1,
        // The task may be queued once more when it is done already, and is taken off then.
        _ if command.operation.is_upsert() => 7,
        // A worker that is bound and was not told ends the binding, and begins again.
        Operation::FindOneAndUpdate { .. } => 5,
        _ if is_about("worker_name") && !is_about("task_ids") => 0,
        // A worker that has released and was not told asks how it stands.
        _ => 1,
    }
}

fn count(memory: &Document, name: &str) -> i64 {
    memory.get(name).and_then(Value::as_int).unwrap_or(0)
}

fn add(memory: &mut Document, name: &str, number: i64) {
    memory.set(name, count(memory, name) + number);
    memory.sort_fields();
}
