//! The status of a task of the doorway.

use super::doorway::lists;
use crate::check::Documents;
use crate::check::{Monitor, Step};
use crate::reservation::schema::{RESERVATIONS, STATUSES};
use crate::store::{Document, Text, Value};

/// `status`: the status of a task goes from waiting over running to an end, or from waiting to an
/// end, and never back; while it runs it keeps its worker and token, it is the head of its list,
/// and a binding with its token is one of its worker. It has a token while it runs and at no other
/// time, and says why if it failed. Remembers the statuses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status;

impl Monitor for Status {
    fn name(&self) -> &str {
        "status"
    }

    fn step(&self, before: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let store = &step.world.store;
        let now: Document = store.documents(STATUSES).filter_map(told).collect();
        // What a failover takes back, no operation has done.
        if step.request().is_some() {
            for (task, new) in now.iter() {
                judge(task, before.get(task), new)?;
            }
        }
        for status in store.documents(STATUSES) {
            is_whole(status)?;
            if runs(status) {
                stands_at_head(store, status)?;
            }
        }
        *before = now;
        Ok(())
    }
}

/// Of a status what may change only in the one direction: the state, and how it runs.
fn told(status: &Document) -> Option<(Text, Value)> {
    let state = status.get("state")?.clone();
    let how = ["worker_name", "token"].map(|field| status.get(field).cloned());
    let how = if runs(status) { how.into_iter().flatten().collect() } else { Vec::new() };
    let all: Vec<Value> = std::iter::once(state).chain(how).collect();
    Some((status.id()?.as_str()?.into(), all.into()))
}

fn runs(status: &Document) -> bool {
    status.get("state").and_then(Value::as_str) == Some("running")
}

fn judge(task: &Text, old: Option<&Value>, new: &Value) -> Result<(), String> {
    if old == Some(new) {
        return Ok(());
    }
    match (old.and_then(state), state(new)) {
        (None, Some("waiting"))
        | (Some("waiting"), Some("running" | "cancelled"))
        | (Some("running"), Some("finished" | "failed")) => Ok(()),
        _ => {
            let was = old.map_or("not there".into(), Value::to_string);
            Err(format!("the status of {task} was {was} and becomes {new}"))
        }
    }
}

fn state(told: &Value) -> Option<&str> {
    told.as_array()?.first()?.as_str()
}

fn is_whole(status: &Document) -> Result<(), String> {
    let has = |field| status.get(field).is_some();
    let failed = status.get("state").and_then(Value::as_str) == Some("failed");
    match (runs(status), failed) {
        (true, _) if !has("token") => Err(format!("{status} runs without a token")),
        (false, _) if has("token") => Err(format!("{status} does not run, and has a token")),
        (_, true) if !has("why") => Err(format!("{status} failed, and does not say why")),
        _ => Ok(()),
    }
}

fn stands_at_head(store: &Documents<'_>, status: &Document) -> Result<(), String> {
    let (Some(task), Some(resource)) = (status.id(), status.get("resource_id")) else {
        return Ok(());
    };
    let heads = lists(store).filter(|(name, _)| Some(&**name) == resource.as_str());
    let mut heads = heads.filter_map(|(_, tasks)| tasks.as_array()?.first().cloned());
    if heads.next().as_ref() != Some(task) {
        return Err(format!("{task} runs, and is not the head of the list of {resource}"));
    }
    let binding = store.get(RESERVATIONS, resource);
    let field = |name| binding.and_then(|binding| binding.get(name));
    let its_own = status.get("token").is_some() && field("token") == status.get("token");
    let bound = field("worker_name").is_some();
    if its_own && bound && field("worker_name") != status.get("worker_name") {
        return Err(format!("the token of {task} is in a binding of another worker"));
    }
    Ok(())
}
