//! What a task costs.

use crate::check::{Answer, Monitor, Request, Step};
use crate::reservation::schema::{STATUSES, WORKERS};
use crate::store::{Document, Reply, Value};

/// The commands of a task from its submission to its release, of which one that is not the last of its
/// list takes another; and those of a worker's registration.
const OF_A_TASK: usize = 10;
const OF_A_WORKER: usize = 2;

/// `cost`: where nobody contends and nothing goes wrong a task takes ten commands, or eleven where
/// another waits behind it, and a worker two to register. A look that finds no work is not counted.
/// Remembers how many were answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost;

impl Monitor for Cost {
    fn name(&self) -> &str {
        "cost"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let (Some(Request::Command(_)), Some(Answer::Store(reply))) = (step.request, step.answer)
        else {
            return Ok(());
        };
        if matches!(reply, Ok(Reply::Documents(found)) if found.is_empty()) {
            return Ok(());
        }
        let sent = memory.get("sent").and_then(Value::as_int).unwrap_or(0) + 1;
        memory.set("sent", sent);
        let count = |collection| step.world.store.documents(collection).count();
        // Before it is there a worker has begun to register.
        let (tasks, workers) = (count(STATUSES), count(WORKERS).max(1));
        let most = OF_A_TASK * tasks + tasks.saturating_sub(1) + OF_A_WORKER * workers;
        match usize::try_from(sent).is_ok_and(|sent| sent <= most) {
            true => Ok(()),
            false => Err(format!("{sent} commands for {tasks} tasks, and {most} are enough")),
        }
    }
}
