//! Who is inside of which place, as properties remember it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::check::monitor::Step;
use crate::check::request::Request;
use crate::store::{Document, Text, Value};

/// For each place the names of the processes inside, sorted; a name for each time that a process
/// has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Insiders(Document);

impl Insiders {
    /// As a monitor remembers them.
    pub(super) fn of_memory(memory: &Document) -> Insiders {
        Insiders(memory.clone())
    }

    pub(super) fn into_memory(self) -> Document {
        self.0
    }

    /// The processes inside of a place, each once.
    pub(super) fn of(&self, place: &str) -> Vec<Text> {
        let mut names = self.names(place);
        names.dedup();
        names
    }

    /// Who is where, for people to read; `None` where nobody is anywhere.
    pub(super) fn told(&self) -> Option<String> {
        let place = |(place, _): (&Text, &Value)| {
            format!("{} within {place}", self.of(place).join(" and "))
        };
        let all: Vec<String> = self.0.iter().map(place).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Lets a process come and go, as a step says.
    pub(super) fn follow(&mut self, step: &Step<'_>, places: &Places) {
        let Some(process) = step.process() else { return };
        if step.crashed() || step.failure().is_some() {
            return self.forget(process);
        }
        step.left().iter().for_each(|place| self.leave(place, process));
        match (step.request(), step.answer()) {
            (Some(Request::Enter(place)), Some(_)) => {
                places.enter(place);
                let mut names = self.names(place);
                names.push(process.clone());
                self.put(place, names);
            }
            (Some(Request::Leave(place)), Some(_)) => self.leave(place, process),
            _ => {}
        }
    }

    fn leave(&mut self, place: &Text, process: &Text) {
        let mut names = self.names(place);
        if let Some(position) = names.iter().position(|name| name == process) {
            names.remove(position);
        }
        self.put(place, names);
    }

    /// The process is gone: it is nowhere.
    fn forget(&mut self, process: &Text) {
        let places: Vec<Text> = self.0.iter().map(|(place, _)| place.clone()).collect();
        for place in places {
            let names = self.names(&place).into_iter().filter(|name| name != process).collect();
            self.put(&place, names);
        }
    }

    fn names(&self, place: &str) -> Vec<Text> {
        let names = self.0.get(place).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(Text::from).collect()
    }

    /// An empty place is not remembered, and the order does not count: one memory for each
    /// content keeps a model's states few.
    fn put(&mut self, place: &Text, mut names: Vec<Text>) {
        if names.is_empty() {
            self.0.remove(place);
            return;
        }
        names.sort();
        let names: Vec<Value> = names.iter().map(Value::from).collect();
        self.0.set(place.clone(), names);
        self.0.sort_fields();
    }
}

/// Which places the properties ask for, and which a process was ever inside of: a property of a
/// place where nobody ever is says nothing.
#[derive(Debug, Default)]
pub(super) struct Places {
    asked: Mutex<BTreeSet<Text>>,
    entered: Mutex<BTreeSet<Text>>,
}

impl Places {
    pub(super) fn ask(&self, place: &str) {
        add(&self.asked, place);
    }

    pub(super) fn enter(&self, place: &str) {
        add(&self.entered, place);
    }

    /// A place that was asked for and never entered.
    pub(super) fn never_entered(&self) -> Option<Text> {
        lock(&self.asked).difference(&lock(&self.entered)).next().cloned()
    }
}

fn add(names: &Mutex<BTreeSet<Text>>, name: &str) {
    let mut names = lock(names);
    if !names.contains(name) {
        names.insert(name.into());
    }
}

fn lock(names: &Mutex<BTreeSet<Text>>) -> MutexGuard<'_, BTreeSet<Text>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}
