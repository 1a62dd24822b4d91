//! Bounded bypass: no resource passes another over and over.

use super::field;
use crate::check::{Monitor, Step};
use crate::reservation::schema::{RESERVATIONS, WORKERS};
use crate::store::{Document, Text, Value};

/// `bypass`: while a resource waits for a worker, no other is bound, with a token, more often than there
/// are workers, and once more. Remembers which resources are bound, and for each that waits how often each
/// other was bound meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bypass;

impl Monitor for Bypass {
    fn name(&self) -> &str {
        "bypass"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let store = &step.world.store;
        let (mut bound, mut waits) = (Document::new(), Document::new());
        for reservation in store.documents(RESERVATIONS) {
            let Some(resource) = reservation.id().and_then(Value::as_str) else { continue };
            match (reservation.get("worker_name"), reservation.get("token")) {
                (Some(_), Some(_)) => bound.set(resource, true),
                // Nobody is served yet, and a worker that dies here has taken no turn.
                (Some(_), None) => {}
                (None, _) => {
                    let since = field(memory, "waits").get(resource);
                    waits.set(resource, since.cloned().unwrap_or(Document::new().into()));
                }
            }
        }
        let known = field(memory, "bound").clone();
        let new = |resource: &&Text| known.get(resource).is_none();
        let most = i64::try_from(store.documents(WORKERS).count() + 1).unwrap_or(i64::MAX);
        for newly in bound.iter().map(|(resource, _)| resource).filter(new) {
            let names: Vec<Text> = waits.iter().map(|(resource, _)| resource.clone()).collect();
            for waiting in names {
                let passed = field(&mut waits, &waiting);
                let times = passed.get(newly).and_then(Value::as_int).unwrap_or(0) + 1;
                if times > most {
                    return Err(format!("{newly} is bound {times} times while {waiting} waits"));
                }
                passed.set(newly.clone(), times);
                passed.sort_fields();
            }
        }
        *memory = Document::new().with("bound", bound).with("waits", waits);
        Ok(())
    }
}
