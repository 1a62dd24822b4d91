//! A run whose processes are threads: each thread takes the steps of one process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::options::Options;
use super::tally::Tally;
use crate::check::run::Run;
use crate::check::system::{Guards, System};
use crate::check::verdict::Report;
use crate::store::Text;

/// A search by run after run on threads.
pub(super) struct Search {
    pub(super) system: Arc<System>,
    tally: Mutex<Tally>,
    stopped: Mutex<Option<Text>>,
    /// Whether guards were to run.
    guards: bool,
}

/// One run of a search, shared by the threads of its processes.
///
/// The lock is never waited for: an engine lets one thread go on at a time, and switches between
/// them only at its own gate.
pub(super) struct Shared {
    search: Arc<Search>,
    run: Mutex<Option<Run<Arc<System>>>>,
}

/// What a thread has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Its process or the run is over.
    Leave,
    /// Its process waits for another.
    Wait,
    /// Pass the gate, and take a step.
    Pass,
    /// Take a step that concerns nobody else.
    Free,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    /// Whether it only read, or changed nothing and told nothing.
    pub(super) commutes: bool,
    /// Whether no process can go on: the run was counted.
    pub(super) over: bool,
}

impl Search {
    /// Why the search would leave runs out, if it would: threads have no faults.
    pub(super) fn leaves_out(&self) -> Result<(), Text> {
        if self.system.processes.is_empty() {
            return Err("the system has no process: nothing was run".into());
        }
        if self.system.faults.is_none() {
            return Ok(());
        }
        Err("engines on threads make no faults: runs with one are left out".into())
    }

    /// A thread takes the steps of one strand: guards are left out.
    pub(super) fn new(system: &System, options: &Options) -> Search {
        let guards = system.guards.run();
        let system = Arc::new(System { guards: Guards::LeftOut, ..system.clone() });
        let tally = Mutex::new(Tally::new(&system, options));
        Search { system, tally, stopped: Mutex::new(None), guards }
    }

    /// A run from the start of the system.
    pub(super) fn run(self: &Arc<Self>) -> Shared {
        Shared { search: Arc::clone(self), run: Mutex::new(None) }
    }

    /// Why no further run is to be made, if so.
    pub(super) fn stopped(&self) -> Option<Text> {
        lock(&self.stopped).clone()
    }

    fn stop_if(&self, stop: Option<Text>) {
        if stop.is_some() {
            *lock(&self.stopped) = stop;
        }
    }

    /// The report of the search; `ended`: whether the engine has evidence that it made every run.
    pub(super) fn report(&self, engine: &'static str, ended: Result<(), Text>) -> Report {
        let none = Tally::new(&self.system, &Options::default());
        let tally = std::mem::replace(&mut *lock(&self.tally), none);
        let lacks = self.guards && self.system.has_left_out_guards();
        let all = if lacks {
            Err("engines on threads run no guards: they are left out".into())
        } else {
            Ok(())
        };
        tally.report(engine, self.stopped(), ended.and(all))
    }
}

impl Shared {
    /// Begins the run, on a thread whose stack is large enough for the store.
    pub(super) fn begin(&self) {
        let mut run = lock(&self.run);
        *run = Some(Run::new(Arc::clone(&self.search.system)));
        self.settle(run);
    }

    /// Whether a process has a step to take now.
    pub(super) fn enables(&self, process: usize) -> bool {
        lock(&self.run).as_ref().is_some_and(|run| run.enables(process))
    }

    /// Whether the run is over.
    pub(super) fn is_over(&self) -> bool {
        lock(&self.run).is_none()
    }

    /// What the thread of a process has to do next.
    pub(super) fn next(&self, process: usize) -> Next {
        let run = lock(&self.run);
        match &*run {
            None => Next::Leave,
            Some(run) if run.has_ended(process) => Next::Leave,
            Some(run) if !run.enables(process) => Next::Wait,
            Some(run) if run.reads_immutable(process) => Next::Free,
            Some(_) => Next::Pass,
        }
    }

    /// Takes a step of a process, if it still can.
    pub(super) fn step(&self, process: usize) -> After {
        let mut run = lock(&self.run);
        let commutes = run.as_mut().is_none_or(|run| run.step(process).is_none() || run.commuted);
        After { commutes, over: self.settle(run) }
    }

    /// Leaves the run, which comes to nothing new.
    #[cfg_attr(not(feature = "loom"), allow(dead_code))]
    pub(super) fn cut(&self) {
        *lock(&self.run) = None;
        self.search.stop_if(lock(&self.search.tally).stop());
    }

    /// Counts the run where no process can go on; whether that is so.
    fn settle(&self, mut run: MutexGuard<'_, Option<Run<Arc<System>>>>) -> bool {
        if let Some(over) = run.take_if(|run| run.is_over()) {
            self.search.stop_if(lock(&self.search.tally).add(over));
        }
        run.is_none()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
