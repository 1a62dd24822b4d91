//! The tokens of bindings.

use super::{field, shared, text};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::RESERVATIONS;
use crate::store::{Document, Value};

/// `tokens`: a binding keeps its worker, and its token once it has one; and of two bindings of a
/// resource the later has the higher token. Remembers the bindings, and the highest token of each
/// resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

impl Monitor for Tokens {
    fn name(&self) -> &str {
        "tokens"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let mut bound = Document::new();
        for reservation in step.world.store.documents(RESERVATIONS) {
            let Some(resource) = reservation.id().and_then(Value::as_str) else { continue };
            if let Some(worker) = reservation.get("worker_name") {
                let binding = match reservation.get("token") {
                    Some(token) => doc! {"worker": worker, "token": token},
                    None => doc! {"worker": worker},
                };
                bound.set(shared(resource), binding);
            } else if reservation.get("token").is_some() {
                return Err(format!("{resource} has a token, and is bound to nobody"));
            }
        }
        for (resource, now) in bound.iter() {
            let before = field(memory, "bound").get(resource).cloned();
            if before.as_ref() != Some(now) {
                keeps(resource, before.as_ref(), now)?;
                rises(memory, resource, now)?;
            }
        }
        memory.set("bound", bound);
        Ok(())
    }
}

/// A binding begins without a token, and all that becomes of it is that it gets one.
fn keeps(resource: &str, before: Option<&Value>, now: &Value) -> Result<(), String> {
    let worker = |binding: &Value| Some(text(binding.as_document()?, "worker")?.to_owned());
    match before {
        None if token(now).is_some() => {
            Err(format!("{resource} is bound together with a token that was drawn before"))
        }
        Some(before) if worker(before) != worker(now) || token(before).is_some() => {
            Err(format!("{resource} was bound by {before}, and that becomes {now}"))
        }
        _ => Ok(()),
    }
}

fn rises(memory: &mut Document, resource: &str, now: &Value) -> Result<(), String> {
    let Some(token) = token(now) else { return Ok(()) };
    let highest = field(memory, "highest");
    match highest.get(resource) {
        Some(other) if other >= token => Err(format!(
            "{resource} is bound with token {token}, and was bound with {other} before"
        )),
        _ => {
            highest.set(shared(resource), token.clone());
            highest.sort_fields();
            Ok(())
        }
    }
}

fn token(binding: &Value) -> Option<&Value> {
    binding.as_document()?.get("token")
}
