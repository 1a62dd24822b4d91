//! One run of a system, step by step: what every engine drives.

use std::ops::Deref;

use super::fault::{self, Budget, Choice, Kind};
use super::mailbox::Told;
use super::monitor::{End, Step, Watched};
use super::process::{Coroutine, Process};
use super::request::Answer;
use super::step::{At, Stepped};
use super::strand::Strand;
use super::system::{Guards, System};
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
    budget: Budget,
    /// Whether the last step only read, or else changed nothing and told nothing: it does not
    /// matter which of two such steps of different processes came first.
    pub(crate) commuted: bool,
}

/// A process of a run.
struct Running {
    coroutine: Coroutine,
    at: At,
    /// What it was answered since it started, where something may go wrong: see [`Run::take`].
    answers: Vec<(Strand, Answer)>,
}

impl Running {
    /// Undoes a look at what the process asks for once it wakes: its code is run again up to there.
    fn go_back(&mut self, process: &Process, guards: Guards, answered: usize, stood: At) {
        self.at = stood;
        if self.answers.len() > answered {
            self.answers.truncate(answered);
            self.coroutine = Coroutine::start(process, guards).0;
            for (strand, answer) in &self.answers {
                self.coroutine.resume(*strand, answer.clone());
            }
        }
    }
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

impl<S: Deref<Target = System>> Run<S> {
    /// The run before its first step: each process has come to its first request.
    pub(crate) fn new(system: S) -> Run<S> {
        let mut run = Run {
            world: system.initial_world(),
            running: Vec::with_capacity(system.processes.len()),
            memories: system.properties.iter().map(|property| property.start()).collect(),
            falls: vec![None; system.properties.len()],
            budget: Budget::new(&system),
            system,
            schedule: Vec::new(),
            log: Vec::new(),
            writes: 0,
            commuted: false,
        };
        let events = run.system.history.clone();
        run.tell(None, &Stepped { events, ..Stepped::default() });
        for index in 0..run.system.processes.len() {
            let (coroutine, stands, told) =
                Coroutine::start(&run.system.processes[index], run.system.guards);
            run.running.push(Running { coroutine, at: stands.into(), answers: Vec::new() });
            let failure = run.failure(index);
            let mut started = Stepped { failure, ..Stepped::default() };
            started.tell(told);
            run.tell(Some(index), &started);
        }
        run
    }

    /// Whether a process can take a step now.
    pub(crate) fn enables(&self, process: usize) -> bool {
        self.steps(process).next().is_some()
    }

    /// The steps that a process can take now, one for each strand that can go on.
    pub(crate) fn steps(&self, process: usize) -> impl Iterator<Item = Choice> {
        let at = &self.running[process].at;
        let enabled = at.strands().filter(|strand| at.is_enabled(*strand, &self.world));
        enabled.map(move |strand| Choice::step_of(process, strand))
    }

    /// Whether something is to come that no process does: a late write, or what a majority has
    /// not got yet.
    pub(crate) fn awaits_database(&self) -> bool {
        !self.budget.late.is_empty() || self.world.store.is_ahead_of_majority()
    }

    /// What a process asks or how it ended, for people to read.
    pub(crate) fn asks(&self, process: usize) -> String {
        self.running[process].at.to_string()
    }

    /// Makes a choice happen; `None` where it cannot.
    pub(crate) fn take(&mut self, choice: Choice) -> Option<Stepped> {
        let system: &System = &self.system;
        let process = &system.processes[choice.process];
        if choice.kind == Kind::Redelivered && !self.world.messages.has_held(&process.name) {
            return None;
        }
        let keeps_answers = !system.faults.is_none();
        let guards = system.guards;
        let Running { coroutine, at, answers } = &mut self.running[choice.process];
        let answered = answers.len();
        let mut restarted = None;
        let mut restart = || {
            let (coroutine, stands, told) = Coroutine::start(process, guards);
            restarted = Some(coroutine);
            (stands.into(), told)
        };
        let mut resume = |strand: Strand, answer: Answer| -> (At, Told) {
            if keeps_answers {
                answers.push((strand, answer.clone()));
            }
            let (stands, told) = coroutine.resume(strand, answer);
            (stands.into(), told)
        };
        let before = self.world.clone();
        let stood = at.clone();
        let (world, budget) = (&mut self.world, &mut self.budget);
        let taken = fault::take(system, choice, world, budget, at, &mut restart, &mut resume);
        let running = &mut self.running[choice.process];
        let Some((stepped, access)) = taken else {
            running.go_back(process, guards, answered, stood);
            return None;
        };
        if let Some(coroutine) = restarted {
            (running.coroutine, running.answers) = (coroutine, Vec::new());
        }
        self.schedule.push(choice.process);
        let shows = !stepped.events.is_empty() || stepped.failure.is_some();
        self.commuted = access == Access::Read || !(shows || self.world != before);
        self.writes += usize::from(!self.commuted);
        self.tell(choice.hits(), &stepped);
        Some(stepped)
    }

    fn pending(&self, process: usize) -> Option<&Pending> {
        self.running[process].at.pending(Strand::MAIN)
    }

    fn is_stuck(&self, process: usize) -> bool {
        self.running[process].at.is_stuck()
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
        let world = Watched::new(&self.world);
        let step = Step::new(name, stepped, &world);
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
            .filter(|process| self.is_stuck(*process))
            .map(|process| self.system.processes[process].name.clone())
            .collect();
        let end = End { stuck: &stuck, world: &Watched::new(&self.world) };
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
}

/// What engines on threads ask besides. They leave guards out: a process has one strand.
#[cfg_attr(not(any(feature = "loom", feature = "shuttle")), allow(dead_code))]
impl<S: Deref<Target = System>> Run<S> {
    /// Whether a process has ended, well or badly.
    pub(crate) fn has_ended(&self, process: usize) -> bool {
        self.pending(process).is_none()
    }

    /// What the next step of a process does to the world.
    pub(crate) fn access(&self, process: usize) -> Access {
        self.pending(process).map_or(Access::Read, |pending| pending.access(self.system.commands))
    }

    /// Whether the next step of a process reads what never changes: then it does not matter when
    /// it is taken.
    pub(crate) fn reads_immutable(&self, process: usize) -> bool {
        match self.pending(process) {
            Some(Pending::Command(execution)) => {
                let collection = &execution.command().collection;
                self.access(process) == Access::Read && self.world.store.is_immutable(collection)
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
        self.take(Choice::step(process))
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
