//! Bounded bypass: no resource passes another over and over.

use super::{field, shared};
use crate::check::{Monitor, Step};
use crate::doc;
use crate::reservation::schema::{RESERVATIONS, WORKERS};
use crate::store::{Document, Text, Value};

/// `bypass`: while a resource waits for a worker, no other is served more often than there are workers.
/// A binding that ends and has not taken its task off the list, since its worker was lost, served nobody.
/// And where no other resource waited while one was served, that keeps its turn: so turns do not grow for
/// nothing. Remembers of each resource that is bound the head of its list, its turn, and whether another waited
/// meanwhile; and for each resource that waits how often each other was bound meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bypass;

impl Monitor for Bypass {
    fn name(&self) -> &str {
        "bypass"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let store = &step.world.store;
        let (mut bound, mut waits) = (Document::new(), Document::new());
        let known = std::mem::take(field(memory, "bound"));
        let passed = field(memory, "waits");
        for (resource, was) in known.iter().filter_map(|(of, was)| Some((of, was.as_document()?))) {
            let Some(now) = store.get(RESERVATIONS, &resource.into()) else { continue };
            if now.get("turn") != was.get("turn") && was.get("met").is_none() {
                return Err(format!("{resource} gets another turn, and no other waited"));
            }
            if now.get("worker_name").is_none() && head(now) == was.get("head") {
                each(passed, |times_of| count(times_of, resource, -1));
            }
        }
        for reservation in store.documents(RESERVATIONS) {
            let (Some(resource), Some(head)) =
                (reservation.id().and_then(Value::as_str), head(reservation))
            else {
                continue;
            };
            if reservation.get("worker_name").is_some() {
                let binding = doc! {"head": head, "turn": reservation.get("turn").cloned()};
                bound.set(shared(resource), binding);
                continue;
            }
            let since = passed.get(resource).cloned();
            waits.set(shared(resource), since.unwrap_or(Document::new().into()));
        }
        let most = i64::try_from(store.documents(WORKERS).count()).unwrap_or(i64::MAX);
        // What a failover brings back, no operation has done.
        let is_new = |resource: &&Text| known.get(resource).is_none() && step.request().is_some();
        for newly in bound.iter().map(|(resource, _)| resource).filter(is_new) {
            each(&mut waits, |times_of| count(times_of, newly, 1));
        }
        let times = |times_of: &Value, of: &str| times_of.as_document()?.get(of)?.as_int();
        for (waiting, times_of) in waits.iter() {
            for (other, _) in bound.iter() {
                let times = times(times_of, other).unwrap_or(0);
                if times > most {
                    return Err(format!("{other} is bound {times} times while {waiting} waits"));
                }
            }
        }
        let met =
            |resource: &Text| known.get(resource).and_then(Value::as_document)?.get("met").cloned();
        for resource in bound.iter().map(|(resource, _)| resource.clone()).collect::<Vec<_>>() {
            if met(&resource).is_some() || !waits.is_empty() {
                field(&mut bound, &resource).set("met", true);
            }
        }
        *memory = Document::new().with("bound", bound).with("waits", waits);
        Ok(())
    }
}

fn head(reservation: &Document) -> Option<&Value> {
    reservation.get("task_ids")?.as_array()?.first()
}

fn each(waits: &mut Document, mut change: impl FnMut(&mut Document)) {
    let names: Vec<Text> = waits.iter().map(|(resource, _)| resource.clone()).collect();
    names.iter().for_each(|name| change(field(waits, name)));
}

/// Counts a binding of a resource, or takes one back.
fn count(times_of: &mut Document, resource: &str, by: i64) {
    let times = times_of.get(resource).and_then(Value::as_int).unwrap_or(0) + by;
    if times > 0 {
        times_of.set(shared(resource), times);
        times_of.sort_fields();
    } else {
        times_of.remove(resource);
    }
}
