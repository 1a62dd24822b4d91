//! One run of a system, step by step: what every engine drives.

use std::ops::Deref;

use super::monitor::{End, Step};
use super::process::{Coroutine, Stands};
use super::request::{Answer, Request};
use super::system::System;
use super::world::{Pending, World};
use crate::env::Event;
use crate::store::memory::{Access, State};
use crate::store::{Document, Text};

/// One run of a system. An engine decides which process takes the next step, and nothing else.
pub(crate) struct Run<S> {
    system: S,
    pub(crate) world: World,
    running: Vec<Running>,
    memories: Vec<Document>,
    falls: Vec<Option<Fall>>,
    /// Which process took each step.
    pub(crate) schedule: Vec<usize>,
    log: Vec<Logged>,
    writes: usize,
}

/// A process of a run.
struct Running {
    coroutine: Coroutine,
    at: At,
}

/// Where a process of a run stands.
enum At {
    Asks(Pending),
    Ended,
    Failed(Text),
}

/// Where and why a property fell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fall {
    /// The number of steps taken by then.
    pub(crate) steps: usize,
    pub(crate) why: String,
}

/// An event, with what is needed to forget the order of reads.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Logged {
    writes_before: usize,
    process: Text,
    position: usize,
    event: Event,
}

/// What a run came to: the whole store, and who told what in which order.
///
/// Of the events of steps that only read, between two steps that do more, the order is not kept:
/// such steps commute, and an engine that leaves out one of two orders is right to do so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// The store at the end.
    pub store: State,
    /// The events, each with the process that told it.
    pub events: Vec<(Text, Event)>,
    /// How each process ended: with which error, or waiting.
    pub processes: Vec<String>,
}

/// What one step did, for whoever records it.
pub(crate) struct Stepped {
    pub(crate) request: Option<Request>,
    pub(crate) answer: Option<Answer>,
    pub(crate) events: Vec<Event>,
    pub(crate) failure: Option<Text>,
    /// Whether it only read, or else changed nothing and told nothing: it does not matter which of
    /// two such steps of different processes came first.
    pub(crate) commutes: bool,
}

impl<S: Deref<Target = System>> Run<S> {
    /// The run before its first step: each process has come to its first request.
    pub(crate) fn new(system: S) -> Run<S> {
        let mut run = Run {
            world: system.world.clone(),
            running: Vec::with_capacity(system.processes.len()),
            memories: system.properties.iter().map(|property| property.start()).collect(),
            falls: vec![None; system.properties.len()],
            system,
            schedule: Vec::new(),
            log: Vec::new(),
            writes: 0,
        };
        let events = run.system.history.clone();
        let start = |events, failure| Stepped {
            request: None,
            answer: None,
            events,
            failure,
            commutes: false,
        };
        run.tell(None, &start(events, None));
        for index in 0..run.system.processes.len() {
            let (coroutine, stands, told) = Coroutine::start(&run.system.processes[index]);
            run.running.push(Running { coroutine, at: stands.into() });
            let failure = run.failure(index);
            run.tell(Some(index), &start(told.events, failure));
        }
        run
    }

    /// Whether a process can take a step now.
    pub(crate) fn enables(&self, process: usize) -> bool {
        self.pending(process).is_some_and(|pending| self.world.enables(pending))
    }

    /// Whether a process has ended, well or badly.
    pub(crate) fn has_ended(&self, process: usize) -> bool {
        self.pending(process).is_none()
    }

    /// What a process asks or how it ended, for people to read.
    pub(crate) fn asks(&self, process: usize) -> String {
        match &self.running[process].at {
            At::Asks(pending) => pending.request().to_string(),
            At::Ended => "ended".into(),
            At::Failed(why) => format!("failed: {why}"),
        }
    }

    /// Whether the next step of a process reads what never changes: then it does not matter when
    /// it is taken.
    pub(crate) fn reads_immutable(&self, process: usize) -> bool {
        match self.pending(process) {
            Some(Pending::Command(execution)) => {
                let collection = &execution.command().collection;
                self.only_reads(process) && self.world.store.is_immutable(collection)
            }
            _ => false,
        }
    }

    /// Whether no process can take a step.
    pub(crate) fn is_over(&self) -> bool {
        (0..self.running.len()).all(|process| !self.enables(process))
    }

    /// Lets a process take its next step; `None` where it cannot.
    ///
    /// Waking from a pause is one step with what is asked next, as far as that can be done.
    pub(crate) fn step(&mut self, process: usize) -> Option<Stepped> {
        if !self.enables(process) {
            return None;
        }
        self.schedule.push(process);
        let mut events = Vec::new();
        if self.pauses(process) {
            self.resume(process, Answer::Done, &mut events);
        }
        let request = self.pending(process).map(Pending::request);
        let (only_reads, before) = (self.only_reads(process), self.world.clone());
        let answer = self.advance(process);
        if let Some(answer) = answer.clone() {
            self.resume(process, answer, &mut events);
        }
        let failure = self.failure(process);
        let shows = || !events.is_empty() || failure.is_some() || self.world != before;
        let commutes = only_reads || !shows();
        self.writes += usize::from(!commutes);
        let stepped = Stepped { request, answer, events, failure, commutes };
        self.tell(Some(process), &stepped);
        Some(stepped)
    }

    /// Does the next step of what a process asks, if it can be done and is not a pause.
    fn advance(&mut self, process: usize) -> Option<Answer> {
        if self.pauses(process) || !self.enables(process) {
            return None;
        }
        let At::Asks(pending) = &mut self.running[process].at else { return None };
        let name = &self.system.processes[process].name;
        self.world.step(name, pending, &self.system)
    }

    fn resume(&mut self, process: usize, answer: Answer, events: &mut Vec<Event>) {
        let running = &mut self.running[process];
        let (stands, told) = running.coroutine.resume(answer);
        running.at = stands.into();
        events.extend(told.events);
    }

    fn pending(&self, process: usize) -> Option<&Pending> {
        if let At::Asks(pending) = &self.running[process].at { Some(pending) } else { None }
    }

    fn only_reads(&self, process: usize) -> bool {
        self.pending(process)
            .is_some_and(|pending| pending.access(self.system.commands) == Access::Read)
    }

    fn pauses(&self, process: usize) -> bool {
        self.pending(process).is_some_and(Pending::is_pause)
    }

    fn failure(&self, process: usize) -> Option<Text> {
        if let At::Failed(why) = &self.running[process].at { Some(why.clone()) } else { None }
    }

    /// Feeds a step to the log and the properties.
    fn tell(&mut self, process: Option<usize>, stepped: &Stepped) {
        let name = process.map(|process| &self.system.processes[process].name);
        let (writes_before, position) = (self.writes, self.log.len());
        self.log.extend(stepped.events.iter().enumerate().map(|(index, event)| Logged {
            writes_before,
            process: name.cloned().unwrap_or_default(),
            position: position + index,
            event: event.clone(),
        }));
        let step = Step {
            process: name,
            request: stepped.request.as_ref(),
            answer: stepped.answer.as_ref(),
            events: &stepped.events,
            failure: stepped.failure.as_ref(),
            world: &self.world,
        };
        let steps = self.schedule.len();
        let properties = self.system.properties.iter();
        for ((property, memory), fall) in properties.zip(&mut self.memories).zip(&mut self.falls) {
            if fall.is_none() {
                *fall = property.step(memory, &step).err().map(|why| Fall { steps, why });
            }
        }
    }

    /// No process can go on: lets the properties judge the end. Returns where each fell.
    pub(crate) fn end(&mut self) -> &[Option<Fall>] {
        let stuck: Vec<Text> = (0..self.running.len())
            .filter(|process| self.pauses(*process))
            .map(|process| self.system.processes[process].name.clone())
            .collect();
        let end = End { stuck: &stuck, world: &self.world };
        let steps = self.schedule.len();
        let properties = self.system.properties.iter();
        for ((property, memory), fall) in properties.zip(&self.memories).zip(&mut self.falls) {
            if fall.is_none() {
                *fall = property.end(memory, &end).err().map(|why| Fall { steps, why });
            }
        }
        &self.falls
    }

    /// Where each property fell so far, in the order of the system's properties.
    pub(crate) fn falls(&self) -> &[Option<Fall>] {
        &self.falls
    }

    /// What the run came to.
    pub(crate) fn outcome(mut self) -> Outcome {
        self.log.sort();
        Outcome {
            processes: (0..self.running.len()).map(|process| self.asks(process)).collect(),
            events: self.log.into_iter().map(|logged| (logged.process, logged.event)).collect(),
            store: self.world.store,
        }
    }
}

impl From<Stands> for At {
    fn from(stands: Stands) -> At {
        match stands {
            Stands::Asks(request) => At::Asks(Pending::new(request)),
            Stands::Ended => At::Ended,
            Stands::Failed(why) => At::Failed(why),
        }
    }
}
