//! What a task costs.

use super::doorway::announces;
use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::doorway::counter::Counter;
use crate::reservation::schema::{RESERVATIONS, STATUSES, WORKERS};
use crate::store::{Command, Document, Filter, Reply, Value};

/// The commands of a task from its submission to its place in a list, from there to its release, of
/// which one that is not the last of its list takes another, and those of a worker's registration.
const OF_A_SUBMISSION: i64 = 3;
const OF_A_TURN: i64 = 7;
const OF_A_WORKER: i64 = 2;
/// What an answer that is lost takes at most: a worker that has armed its binding and was not told
/// ends it, and begins again.
const OF_A_LOST_ANSWER: i64 = 8;
/// What a crash takes at most: the process registers again, and ends the binding that it has left behind.
const OF_A_CRASH: i64 = 11;

/// `cost`: where nobody contends a task takes ten commands, or eleven where another waits behind it,
/// a worker two to register, an answer that is lost eight, and a crash of the worker eleven. A look
/// that finds no work is not counted. A token is drawn for a binding that has none. Remembers how many
/// were answered, how many not, the submissions and the crashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost;

impl Monitor for Cost {
    fn name(&self) -> &str {
        "cost"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if step.crashed() {
            add_one(memory, "crashes");
        }
        let (Some(Request::Command(command)), Some(Answer::Store(reply))) =
            (step.request(), step.answer())
        else {
            return Ok(());
        };
        match reply {
            Ok(Reply::Documents(found)) if found.is_empty() => return Ok(()),
            Err(error) if error.is_outcome_unknown() || error.is_not_done() => {
                add_one(memory, "lost");
            }
            _ => add_one(memory, "sent"),
        }
        if announces(command) {
            add_one(memory, "submitted");
        }
        if draws_a_token(command) && !step.world.store.documents(RESERVATIONS).any(wants_a_token) {
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
    let of = |collection| step.world.store.documents(collection).count() as i64;
    // Before it is there a worker has begun to register.
    let (tasks, workers) = (of(STATUSES), of(WORKERS).max(1));
    OF_A_SUBMISSION * count(memory, "submitted")
        + OF_A_TURN * tasks
        + (tasks - 1).max(0)
        + OF_A_WORKER * workers
        + OF_A_LOST_ANSWER * count(memory, "lost")
        + OF_A_CRASH * count(memory, "crashes")
}

fn draws_a_token(command: &Command) -> bool {
    let of = command.operation.filter().and_then(Filter::point).and_then(Value::as_str);
    command.operation.is_write() && of == Some(Counter::Tokens.id())
}

fn wants_a_token(reservation: &Document) -> bool {
    reservation.get("worker_name").is_some() && reservation.get("token").is_none()
}

fn count(memory: &Document, name: &str) -> i64 {
    memory.get(name).and_then(Value::as_int).unwrap_or(0)
}

fn add_one(memory: &mut Document, name: &str) {
    memory.set(name, count(memory, name) + 1);
    memory.sort_fields();
}
