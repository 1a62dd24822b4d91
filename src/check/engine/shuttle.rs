//! Interleavings on shuttle's threads: every one depth first, or many at random.
//!
//! [shuttle](https://docs.rs/shuttle) switches between threads at each step, and asks a scheduler
//! which goes on. The scheduler here stands in front of one of shuttle's own and shows it the
//! threads whose process has a step to take; so there is one choice for each step, and none for
//! starting, waiting and ending.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner, thread};

use super::options::{Options, Sabotage};
use super::threads::{Next, Search, Shared, lock};
use crate::check::system::System;
use crate::check::verdict::Report;
use crate::store::memory::{Access, Gate};

/// Enough for the persistent collections of the store, in a debug build too.
const STACK: usize = 512 * 1024;

/// A gate that shuttle sees: one scheduling point a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShuttleGate;

impl Gate for ShuttleGate {
    fn pass(&self, _collection: &str, _access: Access) {
        thread::yield_now();
    }
}

/// How shuttle chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choose {
    /// Depth first: every interleaving, once.
    DepthFirst,
    /// At random, so many interleavings.
    Random {
        /// How many.
        executions: u32,
        /// The seed.
        seed: u64,
    },
    /// By priorities that change at few random steps, so many interleavings (Burckhardt et al.,
    /// ASPLOS 2010).
    Pct {
        /// How many.
        executions: u32,
        /// The seed.
        seed: u64,
        /// The number of changes, at least 1.
        depth: u32,
    },
}

impl Choose {
    /// The name of the engine that chooses in this way.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Choose::DepthFirst => "shuttle-dfs",
            Choose::Random { .. } => "shuttle-random",
            Choose::Pct { .. } => "shuttle-pct",
        }
    }

    fn scheduler(self) -> Box<dyn Scheduler + Send> {
        let count = |executions: u32| executions as usize;
        match self {
            Choose::DepthFirst => Box::new(DfsScheduler::new(None, false)),
            Choose::Random { executions, seed } => {
                Box::new(RandomScheduler::new_from_seed(seed, count(executions)))
            }
            Choose::Pct { executions, seed, depth } => Box::new(PctScheduler::new_from_seed(
                seed,
                depth.max(1) as usize,
                count(executions),
            )),
        }
    }
}

/// Runs interleavings of the system.
#[must_use]
pub fn check(system: &System, choose: Choose, options: &Options) -> Report {
    let search = Arc::new(Search::new(system, options));
    if system.processes.is_empty() {
        return search.report(choose.name(), search.leaves_out());
    }
    let ended = Arc::new(Mutex::new(false));
    let current = Arc::new(Mutex::new(None));
    let scheduler = Steps {
        inner: choose.scheduler(),
        search: Arc::clone(&search),
        current: Arc::clone(&current),
        ended: Arc::clone(&ended),
        depth_first: choose == Choose::DepthFirst,
        chose: None,
        sabotage: options.sabotage,
    };
    let runs = Arc::clone(&search);
    Runner::new(scheduler, config()).run(move || one_run(&runs, &current));
    let why = format!("{} makes some runs and not all", choose.name());
    let ended = if *lock(&ended) { search.leaves_out() } else { Err(why.into()) };
    search.report(choose.name(), ended)
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Has shuttle install its panic hook now, so that loom's, which ignores the panics with which it
/// unwinds its threads, comes before it; the other way round shuttle reports each of them.
#[cfg(feature = "loom")]
pub(super) fn install_panic_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        Runner::new(DfsScheduler::new(Some(1), false), config()).run(|| {});
    });
}

/// One run as the scheduler sees it.
struct Current {
    shared: Shared,
    /// How many threads have come to their gate.
    at_gate: AtomicUsize,
}

/// One run: a thread for each process.
fn one_run(search: &Arc<Search>, current: &Mutex<Option<Arc<Current>>>) {
    let run = Arc::new(Current { shared: search.run(), at_gate: AtomicUsize::new(0) });
    run.shared.begin();
    *lock(current) = Some(Arc::clone(&run));
    for process in 0..search.system.processes.len() {
        let run = Arc::clone(&run);
        thread::spawn(move || drive(process, &run));
    }
}

/// Takes the steps of a process until the run is over: whenever the gate lets it pass.
fn drive(process: usize, run: &Current) {
    run.at_gate.fetch_add(1, Ordering::Relaxed);
    loop {
        ShuttleGate.pass("", Access::Write);
        if run.shared.next(process) == Next::Leave {
            return;
        }
        run.shared.step(process);
    }
}

/// A scheduler in front of another: shows it those threads whose process has a step to take.
struct Steps {
    inner: Box<dyn Scheduler + Send>,
    search: Arc<Search>,
    current: Arc<Mutex<Option<Arc<Current>>>>,
    /// Set with the evidence that every run was made: a depth-first scheduler behind has nothing
    /// more to run, or in a run there was nothing to choose.
    ended: Arc<Mutex<bool>>,
    depth_first: bool,
    /// Whether there was anything to choose in the last run.
    chose: Option<bool>,
    sabotage: Option<Sabotage>,
}

impl Scheduler for Steps {
    fn new_execution(&mut self) -> Option<Schedule> {
        *lock(&self.current) = None;
        if self.search.stopped().is_some() {
            return None;
        }
        if self.chose.replace(false) == Some(false) {
            *lock(&self.ended) = true;
            return None;
        }
        let schedule = self.inner.new_execution();
        *lock(&self.ended) = self.depth_first && schedule.is_none();
        schedule
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        let run = lock(&self.current).clone();
        let begun = run.as_ref().map_or(0, |run| run.at_gate.load(Ordering::Relaxed));
        match run {
            // Nothing is decided by who begins or ends first: thread 0 spawns the others, then
            // each comes to its gate, in their order.
            Some(run) if begun == self.search.system.processes.len() && !run.shared.is_over() => {
                let mut able: Vec<&Task> =
                    runnable.iter().copied().filter(|task| enables(&run, task)).collect();
                if able.len() > 1 {
                    self.chose = Some(true);
                }
                if self.sabotage.is_some() && able.len() > 1 {
                    able.pop();
                }
                // The gate is no yield: a scheduler by priorities would put off whoever passes it.
                self.inner.next_task(&able, current, false)
            }
            Some(run) if !run.shared.is_over() => {
                let next = |task: &&Task| id(task) == 0 || id(task) > begun;
                runnable.iter().copied().find(next).map(Task::id)
            }
            _ => runnable.first().map(|task| task.id()),
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

fn id(task: &Task) -> usize {
    task.id().into()
}

/// Whether the process of a thread has a step to take. Thread 0 has no process.
fn enables(run: &Current, task: &Task) -> bool {
    id(task).checked_sub(1).is_some_and(|process| run.shared.enables(process))
}
