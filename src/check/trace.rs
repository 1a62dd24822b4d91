//! A run, recorded for people: one numbered step for each operation, and what it changed.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::{Choice, DATABASE, Kind};
use super::request::{Answer, Request};
use super::run::Run;
use super::step::Stepped;
use super::system::System;
use crate::env::Event;
use crate::store::memory::State;
use crate::store::{Document, Text, Value};

/// A run that breaks a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    /// The property.
    pub property: Text,
    /// Why it fell, for people to read.
    pub why: String,
    /// Which process took each step: with it the run can be replayed.
    pub schedule: Vec<Text>,
    /// What happened.
    pub steps: Vec<TraceStep>,
    /// For a run without end: after how many of the steps it goes on with the others for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats_from: Option<usize>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    /// The process that took it, or to which it happened; of a guard `NAME/guard`; `database` for what
    /// happens there.
    pub process: Text,
    /// What the process had asked.
    pub request: String,
    /// Whom it had asked.
    pub asked: Asked,
    /// What it was answered; `None` where the operation has more steps to come.
    pub answer: Option<String>,
    /// The documents that the step changed.
    pub changes: Vec<Change>,
    /// What the process told then.
    pub events: Vec<Event>,
    /// The error with which the process stopped then.
    pub failure: Option<Text>,
}

/// Whom a process asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Nobody: the step is its own, or it is no step of a process.
    Nobody,
    /// The store.
    Store,
    /// The queues.
    Queues,
}

impl Asked {
    fn of(request: &Request) -> Asked {
        match request {
            Request::Command(_) => Asked::Store,
            Request::Send(..)
            | Request::Receive(_)
            | Request::Take(_)
            | Request::Acknowledge(..) => Asked::Queues,
            _ => Asked::Nobody,
        }
    }
}

/// A document that a step changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The collection.
    pub collection: Text,
    /// The document before the step, if it was there.
    pub before: Option<Document>,
    /// The document after the step, if it is there.
    pub after: Option<Document>,
}

/// A schedule that a system does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleSchedule {
    /// The number of the step, from 1.
    pub step: usize,
    /// The process that was to take it.
    pub process: Text,
    /// The processes that can.
    pub enabled: Vec<Text>,
    /// What the process asks, where it is there and waits.
    pub waits_for: Option<String>,
}

/// A run as a schedule gave it, with what fell in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// What happened.
    pub steps: Vec<TraceStep>,
    /// Whether no process could go on at the end.
    pub complete: bool,
    /// Each property that fell: its name, after how many steps, and why.
    pub fallen: Vec<(Text, usize, String)>,
}

impl Replay {
    /// Why a property fell, if it did.
    #[must_use]
    pub fn fell(&self, property: &str) -> Option<&str> {
        let fallen = self.fallen.iter().find(|(name, ..)| **name == *property);
        fallen.map(|(_, _, why)| &**why)
    }

    /// The property falls in this run.
    ///
    /// # Panics
    ///
    /// Otherwise.
    #[track_caller]
    pub fn assert_violates(&self, property: &str) -> &Replay {
        assert!(self.fell(property).is_some(), "{property} does not fall in this run:\n{self}");
        self
    }
}

impl System {
    /// Runs the system by a schedule: the name of the process that takes each step.
    ///
    /// # Errors
    ///
    /// [`StaleSchedule`] at the first step that the system cannot take.
    pub fn replay(&self, schedule: &[Text]) -> Result<Replay, StaleSchedule> {
        let mut run = Run::new(self);
        let mut steps = Vec::with_capacity(schedule.len());
        for (index, name) in schedule.iter().enumerate() {
            let before = run.world.store.clone();
            let choice = Choice::of_word(name, self);
            let taken = choice.and_then(|choice| Some((choice, run.take(choice)?)));
            let (choice, stepped) = taken.ok_or_else(|| self.stale(&run, index, name))?;
            let process = choice.name(self).unwrap_or_else(|| DATABASE.into());
            steps.push(TraceStep::new(process, choice.kind, stepped, &before, &run.world.store));
        }
        let complete = self.enabled(&run).is_empty() && !run.awaits_database();
        let falls = if complete { run.end() } else { run.falls() };
        let fallen = self.properties.iter().zip(falls).filter_map(|(property, fall)| {
            fall.as_ref().map(|fall| (property.name().into(), fall.steps, fall.why.clone()))
        });
        Ok(Replay { steps, complete, fallen: fallen.collect() })
    }

    /// The names of the processes, or of their strands, that can take a step.
    fn enabled(&self, run: &Run<&System>) -> Vec<Text> {
        let steps = (0..self.processes.len()).flat_map(|process| run.steps(process));
        steps.map(|step| step.word(self)).collect()
    }

    fn stale(&self, run: &Run<&System>, index: usize, name: &Text) -> StaleSchedule {
        let choice = Choice::of_word(name, self);
        let asks = |choice: Choice| match (choice.kind.why_not(), choice.hits()) {
            (Some(why), Some(process)) => format!("{}: {why}", run.asks(process)),
            (Some(why), None) => why.into(),
            (None, process) => process.map_or_else(String::new, |process| run.asks(process)),
        };
        StaleSchedule {
            step: index + 1,
            process: name.clone(),
            enabled: self.enabled(run),
            waits_for: choice.map(asks),
        }
    }

    /// The counterexample that a schedule, by process numbers, gives for a property; `None` where
    /// the property does not fall in that run.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn counterexample(
        &self,
        property: &str,
        schedule: &[usize],
    ) -> Option<Counterexample> {
        let choices: Vec<Choice> = schedule.iter().copied().map(Choice::step).collect();
        self.counterexample_with_faults(property, &choices)
    }

    /// The same, by choices.
    pub(crate) fn counterexample_with_faults(
        &self,
        property: &str,
        schedule: &[Choice],
    ) -> Option<Counterexample> {
        let schedule: Vec<Text> = schedule.iter().map(|choice| choice.word(self)).collect();
        let mut replay = self.replay(&schedule).ok()?;
        let (_, fell_after, why) =
            replay.fallen.into_iter().find(|(fallen, _, _)| **fallen == *property)?;
        replay.steps.truncate(fell_after);
        Some(Counterexample {
            property: property.into(),
            why,
            schedule: schedule[..fell_after].to_vec(),
            steps: replay.steps,
            repeats_from: None,
        })
    }

    /// The counterexample that a schedule gives for a property of whole runs.
    pub(crate) fn lasso(
        &self,
        property: &str,
        why: &str,
        stem: &[Choice],
        cycle: &[Choice],
    ) -> Option<Counterexample> {
        let words = stem.iter().chain(cycle).map(|choice| choice.word(self));
        let schedule: Vec<Text> = words.collect();
        let steps = self.replay(&schedule).ok()?.steps;
        let (property, why) = (property.into(), why.to_owned());
        let repeats_from = (!cycle.is_empty()).then_some(stem.len());
        Some(Counterexample { property, why, schedule, steps, repeats_from })
    }
}

impl TraceStep {
    fn new(
        process: Text,
        kind: Kind,
        stepped: Stepped,
        before: &State,
        after: &State,
    ) -> TraceStep {
        let request = stepped.request.filter(|_| kind != Kind::Crash);
        let asked = request.as_ref().map_or(Asked::Nobody, Asked::of);
        let request = request.map(|request| request.to_string());
        let is_over = stepped.crashed || request.is_none() || kind == Kind::Lands;
        let answer = stepped.answer.or(is_over.then_some(Answer::Done));
        let otherwise = if kind == Kind::Step { "wakes" } else { "" };
        TraceStep {
            process,
            request: format!("{kind}{}", request.as_deref().unwrap_or(otherwise)),
            asked,
            answer: answer.map(|answer| answer.to_string()),
            changes: changes(before, after),
            events: stepped.events,
            failure: stepped.failure,
        }
    }
}

/// The documents in which two stores differ.
fn changes(before: &State, after: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    // A collection that nobody declared is gone with its last document.
    let collections: BTreeSet<&Text> = before.collections().chain(after.collections()).collect();
    for collection in collections {
        let ids = |state: &State| -> Vec<Value> {
            state.documents(collection).filter_map(|document| document.id().cloned()).collect()
        };
        let mut all = ids(before);
        all.extend(ids(after));
        all.sort();
        all.dedup();
        changes.extend(all.iter().filter_map(|id| {
            let (old, new) = (before.get(collection, id), after.get(collection, id));
            let change = || Change {
                collection: collection.clone(),
                before: old.cloned(),
                after: new.cloned(),
            };
            (old != new).then(change)
        }));
    }
    changes
}

impl fmt::Display for StaleSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StaleSchedule { step, process, enabled, waits_for } = self;
        write!(f, "step {step}: expected a step of {process}, ")?;
        match waits_for {
            None => write!(f, "but there is no such process")?,
            Some(request) => write!(f, "which cannot take one ({request})")?,
        }
        if enabled.is_empty() {
            write!(f, "; the run is over")
        } else {
            write!(f, "; those that can: {}", enabled.join(", "))
        }
    }
}

impl std::error::Error for StaleSchedule {}
