//! What a task costs.

use super::doorway::announces;
use super::field;
use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::doorway::counter::Counter;
use crate::reservation::schema::{RESERVATIONS, STATUSES};
use crate::store::update::{Operator, Update};
use crate::store::{Command, Document, Filter, Operation, Reply, Value};

/// The commands of a task from its submission to its place in a list, from there to its release, of
/// which one that is not the last of its list takes another, and those of a worker's registration.
const OF_A_SUBMISSION: i64 = 3;
const OF_A_TURN: i64 = 7;
const OF_A_WORKER: i64 = 2;
/// What another worker takes at most that wanted a task as well: to look, and to bind in vain.
const OF_A_RACE: i64 = 2;
/// What a crash takes at most: the process registers again, and ends the binding that it has left behind.
const OF_A_CRASH: i64 = 11;

/// `cost`: a task takes ten commands, or eleven where another waits behind it, and two more for each
/// other worker that comes for it; a worker takes two to register. A crash of the worker takes eleven. An
/// answer that is lost, beside that the command is sent again, takes eight where it is that to an arming, ten
/// to an append, five to a bind, none to a freeing, two to a release, and else one. A look that finds no work
/// is not counted. A token is drawn for a binding that has none. Remembers how many were answered, what
/// those take that were not, the workers, the submissions and the crashes.
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
        if draws(command, Counter::Incarnations)
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
        if draws(command, Counter::Tokens)
            && !step.world.store.documents(RESERVATIONS).any(wants_a_token)
        {
            return Err("a token is drawn, and no binding wants one".into());
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
    let workers = memory.get("workers").and_then(Value::as_document).map_or(0, Document::len);
    let workers = i64::try_from(workers).unwrap_or(i64::MAX);
    OF_A_SUBMISSION * count(memory, "submitted")
        + OF_A_TURN * tasks
        + (tasks - 1).max(0)
        + OF_A_WORKER * workers
        + OF_A_RACE * tasks * (workers - 1).max(0)
        + count(memory, "lost")
        + OF_A_CRASH * count(memory, "crashes")
}

/// What an answer that is lost takes at most. That to a freeing takes nothing: whichever of the two was
/// done has freed the resource. It is another matter where the first comes late and ends the next binding,
/// which takes two answers that are lost.
fn of_a_lost_answer(command: &Command) -> i64 {
    let operators = command.operation.update().map(Update::operators).unwrap_or_default();
    let is_about = |field: &str| operators.iter().any(|one| one.path().as_str() == field);
    match command.operation {
        // How the document is has to be read.
        _ if &*command.collection != RESERVATIONS => 1,
        // The task may be queued once more when it is done already, and is taken off then.
        _ if command.operation.is_upsert() => 10,
        // A worker that has armed its binding and was not told ends it, and begins again.
        Operation::FindOneAndUpdate { .. } => 8,
        // One that is bound and was not told does the same.
        _ if binds(operators) => 5,
        _ if is_about("worker_name") && !is_about("task_ids") => 0,
        // A worker that has released and was not told asks how it stands.
        _ => 2,
    }
}

fn binds(operators: &[Operator]) -> bool {
    let names =
        |one: &Operator| matches!(one, Operator::Set(to, _) if to.as_str() == "worker_name");
    operators.iter().any(names)
}

fn draws(command: &Command, counter: Counter) -> bool {
    let of = command.operation.filter().and_then(Filter::point).and_then(Value::as_str);
    command.operation.is_write() && of == Some(counter.id())
}

fn wants_a_token(reservation: &Document) -> bool {
    reservation.get("worker_name").is_some() && reservation.get("token").is_none()
}

fn count(memory: &Document, name: &str) -> i64 {
    memory.get(name).and_then(Value::as_int).unwrap_or(0)
}

fn add(memory: &mut Document, name: &str, number: i64) {
    memory.set(name, count(memory, name) + number);
    memory.sort_fields();
}
