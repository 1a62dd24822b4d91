//! The registry: what it tells of who is alive.

use super::{field, shared, text};
use crate::check::{Documents, Monitor, Step};
use crate::doc;
use crate::env::Event;
use crate::reservation::doorway::schema::Registration;
use crate::reservation::schema::WORKERS;
use crate::store::{Document, Text, Value};

/// The event that a watcher, or a heart, has looked at a worker.
pub(in crate::model) const LOOKED: &str = "looked";
/// The event that a watcher is done with the worker that it looked at.
pub(in crate::model) const JUDGED: &str = "judged";
/// The event that a heartbeat was told that its process is registered.
pub(in crate::model) const ALIVE: &str = "alive";
/// The event that a heartbeat was told that its process is not registered.
pub(in crate::model) const GONE: &str = "gone";

/// One of the events above, about a registration.
pub(in crate::model) fn event(name: &str, seen: &Registration) -> Event {
    let event = Event::new(name).with("worker", &seen.name);
    event.with("as", seen.incarnation).with("beats", seen.beats)
}

/// `registry`: a watcher takes a registration away only as it was when it looked, so nobody is declared
/// dead whose heart has beaten since. When it is done with one, that is there no more. A heartbeat is told
/// the truth. No failover undoes what either was told. A registration begins without a beat, from then on
/// the number only rises, and it gives way to that of a later process only. Remembers the registrations,
/// what was looked at, whose heart has beaten, and what was told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Monitor for Registry {
    fn name(&self) -> &str {
        "registry"
    }

    fn start(&self) -> Document {
        let names = ["there", "looked", "beaten", "dead", "alive"];
        names.map(|name| (name, Document::new())).into_iter().collect()
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let now = registrations(&step.world.store);
        let before = std::mem::replace(field(memory, "there"), now.clone());
        let by = step.process().map_or("", |process| process);
        // What a failover takes back, no operation has done; but what was told stays true.
        match step.request() {
            Some(_) => operate(memory, by, &before, &now)?,
            None => stays_true(memory, &now)?,
        }
        note_ended(memory, &now);
        step.events().iter().try_for_each(|event| tell(memory, event, by, &now))
    }
}

/// Each registration, by worker.
fn registrations(store: &Documents<'_>) -> Document {
    let told = |worker: &Document| {
        let (incarnation, beats) = (worker.get("incarnation")?, worker.get("beats")?);
        Some((shared(worker.id()?.as_str()?), doc! {"as": incarnation, "beats": beats}))
    };
    store.documents(WORKERS).filter_map(told).collect()
}

fn part<'a>(registration: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    registration?.as_document()?.get(name)
}

/// What an operation makes of the registrations.
fn operate(
    memory: &mut Document,
    by: &str,
    before: &Document,
    now: &Document,
) -> Result<(), String> {
    for (worker, new) in now.iter().filter(|(worker, new)| before.get(worker) != Some(new)) {
        let old = before.get(worker);
        let (was, is) = (part(old, "as"), part(Some(new), "as"));
        let (beat, beats) = (part(old, "beats"), part(Some(new), "beats"));
        let may_be = match old {
            None => beats == Some(&0.into()),
            Some(_) if was == is => beat < beats,
            Some(_) => was < is,
        };
        if !may_be {
            let old = old.map_or("not there".into(), Value::to_string);
            return Err(format!("the registration of {worker} was {old} and becomes {new}"));
        }
        if old.is_none() {
            // A registration that is made again, as by a command that comes late, is another one.
            field(memory, "dead").remove(worker);
            field(memory, "alive").remove(worker);
        } else if was == is {
            put(memory, "beaten", by, new.clone());
        }
    }
    for (worker, old) in before.iter().filter(|(worker, _)| now.get(worker).is_none()) {
        let looked = field(memory, "looked").get(by).and_then(Value::as_document);
        let Some(looked) = looked.filter(|looked| text(looked, "worker") == Some(worker)) else {
            continue;
        };
        if looked.get("seen") != Some(old) {
            return Err(format!("{by} declares {worker} dead, by {looked}, and it was {old}"));
        }
    }
    Ok(())
}

/// Remembers which of those that were looked at have not been all along what was seen.
fn note_ended(memory: &mut Document, now: &Document) {
    let looked = field(memory, "looked");
    let names: Vec<Text> = looked.iter().map(|(by, _)| by.clone()).collect();
    for by in names {
        if let Value::Document(one) = looked.entry(&by)
            && text(one, "worker").and_then(|worker| now.get(worker)) != one.get("seen")
        {
            one.set("ended", true);
        }
    }
}

/// What was told is so after a failover.
fn stays_true(memory: &mut Document, now: &Document) -> Result<(), String> {
    for (worker, seen) in field(memory, "dead").iter() {
        if now.get(worker) == Some(seen) {
            return Err(format!("{worker} was declared dead, and a failover brings it back"));
        }
    }
    for (worker, told) in field(memory, "alive").iter() {
        let (is, told) = (now.get(worker), Some(told));
        if part(is, "as") == part(told, "as") && part(is, "beats") < part(told, "beats") {
            return Err(format!("a failover loses a heartbeat of {worker} that was acknowledged"));
        }
    }
    Ok(())
}

/// What is told of a worker.
fn tell(memory: &mut Document, event: &Event, by: &str, now: &Document) -> Result<(), String> {
    let Some(worker) = event.text("worker") else { return Ok(()) };
    let of = |name| event.fields.get(name).unwrap_or(&Value::Null);
    let seen: Value = doc! {"as": of("as"), "beats": of("beats")}.into();
    match &*event.name {
        LOOKED => put(memory, "looked", by, doc! {"worker": worker, "seen": seen}.into()),
        JUDGED => {
            let looked = field(memory, "looked").remove(by);
            if part(looked.as_ref(), "ended").is_none() {
                return Err(format!("{by} is done with {worker}, which is there as it was"));
            }
            if now.get(worker) != Some(&seen) {
                put(memory, "dead", worker, seen);
            }
        }
        ALIVE | GONE => hear(memory, event, by, worker)?,
        _ => {}
    }
    Ok(())
}

/// What a heartbeat is told.
fn hear(memory: &mut Document, event: &Event, by: &str, worker: &str) -> Result<(), String> {
    let looked = field(memory, "looked").remove(by);
    let beaten = field(memory, "beaten").remove(by);
    if &*event.name == GONE {
        return match part(looked.as_ref(), "ended") {
            None => Err(format!("{by} is told that it is not registered, and is")),
            Some(_) => Ok(()),
        };
    }
    match beaten {
        Some(beaten) if part(Some(&beaten), "as") == event.fields.get("as") => {
            put(memory, "alive", worker, beaten);
            Ok(())
        }
        _ => Err(format!("{by} is told that it is registered, and its heart has not beaten")),
    }
}

fn put(memory: &mut Document, part: &str, name: &str, value: Value) {
    let part = field(memory, part);
    part.set(shared(name), value);
    part.sort_fields();
}
