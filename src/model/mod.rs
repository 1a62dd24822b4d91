//! A model: which processes run, with which design, and what is expected of them.

mod build;
mod callers;
mod doorway;
#[cfg(feature = "cli")]
mod file;
#[cfg(feature = "cli")]
mod harmless;
mod judge;
pub mod mutants;
pub mod property;
#[cfg(feature = "cli")]
mod shipped;
mod subject;

use std::num::NonZeroU32;

#[cfg(feature = "cli")]
pub use file::{MOST, ModelError};
#[cfg(feature = "cli")]
pub use harmless::{Harmless, harmless};
pub use judge::{EngineError, Standing};
#[cfg(feature = "cli")]
pub use shipped::{shipped, shipped_text};
pub use subject::Subject;

use crate::check::mutation::Mutation;
use crate::check::{BrokenStore, Faults, Guards};
use crate::store::WriteConcern;

/// A model: which processes run, with which design, and what is expected of them.
#[derive(Clone, Debug)]
pub struct Model {
    /// The name: that of its file.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// What is under check.
    pub design: Subject,
    /// How much of the world around the design there is.
    pub system: SystemKind,
    /// How many of everything.
    pub sizes: Sizes,
    /// The number of the resource of each task, from 1; by default they take turns.
    pub wants: Vec<NonZeroU32>,
    /// The numbers of the resources of each task, from 1, where tasks have callers; by default they
    /// take turns.
    pub needs: Vec<Vec<NonZeroU32>>,
    /// The numbers of the workers, or callers, that a watcher takes for dead, at any moment, while
    /// they go on; where crashes are for good, a worker of the doorway only once it has crashed.
    pub buries: Vec<NonZeroU32>,
    /// The numbers of the managers that a watcher takes for dead, at any moment, while they go on. For
    /// the hot spare only.
    pub deposes: Vec<NonZeroU32>,
    /// The numbers of the workers that are dead, and that a watcher finds dead at any moment.
    pub dead: Vec<NonZeroU32>,
    /// The numbers of the tasks, from 1, that someone cancels, or whose callers give their places up, at
    /// any moment.
    pub cancels: Vec<NonZeroU32>,
    /// The numbers of the managers whose tasks come again and again, without end.
    pub streams: Vec<NonZeroU32>,
    /// The numbers of the workers whose name a second process has. For the doorway only.
    pub twins: Vec<NonZeroU32>,
    /// The numbers of the workers whose hearts beat, once, at any moment at which they are registered;
    /// else they need not, since a watcher may come at any moment. For the doorway only.
    pub hearts: Vec<NonZeroU32>,
    /// Whether guards run beside the work of processes, a worker's heart beside its turns say; left out, as
    /// they are by default, a watcher may come at any moment all the same.
    pub guards: Guards,
    /// How many sweep; where it is not said, one does if a worker may be taken for dead. For the
    /// doorway only.
    pub sweepers: Option<u32>,
    /// What is changed about the design, to show that it matters.
    pub mutant: Option<Mutation>,
    /// How the writes of all processes are acknowledged, where that is not left to them.
    pub write: Option<WriteConcern>,
    /// What may go wrong.
    pub faults: Faults,
    /// How the store lies, if it does.
    pub broken_store: Option<BrokenStore>,
    /// The properties to check, with what is expected.
    pub expect: Vec<(String, Expect)>,
    /// The engines to run.
    pub engines: Vec<EngineChoice>,
}

/// How many of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sizes {
    /// Managers.
    pub managers: NonZeroU32,
    /// Workers.
    pub workers: NonZeroU32,
    /// Tasks: of each manager in an inline system, of all together in a full one.
    pub tasks: NonZeroU32,
    /// Resources.
    pub resources: NonZeroU32,
}

/// How much of the world around a design a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SystemKind {
    /// Each manager reserves and releases its own tasks, and runs them in between: no broker, no
    /// workers. Task k of manager m wants resource (m + k) mod the number of resources.
    Inline,
    /// A broker's queue of tasks, managers, and workers: with a queue each, or, in the doorway,
    /// with none.
    Full,
    /// No broker: task k is submitted by manager k mod the number of managers, itself, one after
    /// another; and workers. For the doorway only.
    Submitters,
    /// No broker and no managers: the tasks are in their lists before the first worker comes. For
    /// the doorway only.
    Queued,
    /// Each task has a caller of its own, that waits for its turn and runs it.
    Callers,
}

/// What is expected of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expect {
    /// It holds in every run.
    Verified,
    /// A run breaks it.
    Violated,
}

/// An engine that a model asks for, and how it is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EngineChoice {
    /// Which engine.
    pub engine: EngineKind,
    /// Only run when all is to be checked thoroughly.
    pub thorough: bool,
    /// Whether the model asks by name for a search that does not end: a property that is expected
    /// to hold is then as expected when no run breaks it.
    pub accepts_inconclusive: bool,
}

/// An engine and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// Every reachable state, once.
    Explore,
    /// Every interleaving, on loom's threads.
    Loom,
    /// Every interleaving, depth first, on shuttle's threads.
    ShuttleDfs,
    /// So many random interleavings, on shuttle's threads.
    ShuttleRandom {
        /// How many.
        executions: u32,
        /// The seed of the random choices.
        seed: u64,
    },
    /// So many interleavings with few, randomly placed changes of priority, on shuttle's threads
    /// (Burckhardt et al., *A randomized scheduler with probabilistic guarantees of finding bugs*,
    /// ASPLOS 2010).
    ShuttlePct {
        /// How many.
        executions: u32,
        /// The seed of the random choices.
        seed: u64,
        /// The number of changes of priority, at least 1.
        depth: u32,
    },
}

impl Model {
    /// Whether what the model names by number is there: after its sizes were changed.
    ///
    /// # Errors
    ///
    /// What is not there, for people to read.
    pub fn fits(&self) -> Result<(), String> {
        let Sizes { managers, workers, tasks, resources } = self.sizes;
        if let Some(cancelled) = self.cancels.iter().find(|number| **number > tasks) {
            return Err(format!("task {cancelled} of {tasks} is to be cancelled"));
        }
        if let Some(stream) = self.streams.iter().find(|number| **number > self.sizes.managers) {
            return Err(format!("manager {stream} of {} has a stream", self.sizes.managers));
        }
        if !self.wants.is_empty() && self.wants.len() != tasks.get() as usize {
            return Err(format!("wants gives {} resources for {tasks} tasks", self.wants.len()));
        }
        if let Some(wanted) = self.wants.iter().find(|wanted| **wanted > resources) {
            return Err(format!("a task wants resource {wanted} of {resources}"));
        }
        if let Some(twin) = self.twins.iter().find(|twin| **twin > workers) {
            return Err(format!("worker {twin} of {workers} is to have a twin"));
        }
        if let Some(heart) = self.hearts.iter().find(|heart| **heart > workers) {
            return Err(format!("the heart of worker {heart} of {workers} is to beat"));
        }
        if let Some(deposed) = self.deposes.iter().find(|deposed| **deposed > managers) {
            return Err(format!("manager {deposed} of {managers} is to be deposed"));
        }
        if self.design.has_callers() {
            return self.fits_callers();
        }
        match self.buries.iter().chain(&self.dead).find(|buried| **buried > workers) {
            Some(buried) => Err(format!("worker {buried} of {workers} is to be buried")),
            None => Ok(()),
        }
    }
}

impl Model {
    fn fits_callers(&self) -> Result<(), String> {
        let Sizes { managers, workers, tasks, resources } = self.sizes;
        if managers.max(workers).get() > 1 {
            return Err("there are callers, and no managers and workers".into());
        }
        if !self.needs.is_empty() && self.needs.len() != tasks.get() as usize {
            return Err(format!("needs is for {} tasks of {tasks}", self.needs.len()));
        }
        if let Some(needed) = self.needs.iter().flatten().find(|needed| **needed > resources) {
            return Err(format!("a task needs resource {needed} of {resources}"));
        }
        match self.buries.iter().find(|buried| **buried > tasks) {
            Some(buried) => Err(format!("caller {buried} of {tasks} is to be buried")),
            None => Ok(()),
        }
    }
}

impl EngineKind {
    /// The name, as models and reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Explore => "explore",
            EngineKind::Loom => "loom",
            EngineKind::ShuttleDfs => "shuttle-dfs",
            EngineKind::ShuttleRandom { .. } => "shuttle-random",
            EngineKind::ShuttlePct { .. } => "shuttle-pct",
        }
    }
}

impl Expect {
    /// The name, as models and reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Expect::Verified => "verified",
            Expect::Violated => "violated",
        }
    }
}
