//! Who explores the model, each as its own users would have it, in a process of its own.

use std::collections::HashSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorway::check::Coverage;
use doorway::check::engine::explore::{ExploreOptions, Progress, Watcher, explore};
use doorway::model::{Sizes, shipped};
use stateright::{Checker, Model, Property};

use crate::machine::{Machine, State};
use crate::process::{peak, user_time};

/// loom and shuttle get so much time for a size.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of one exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Explored {
    pub states: u64,
    /// 0 for those that count executions.
    pub transitions: u64,
    pub executions: u64,
    /// Whether it came to its end.
    pub ended: bool,
    /// The bytes of its tables for each state; 0 where it does not say.
    pub bytes: f64,
    /// By the clock.
    pub seconds: f64,
    /// Of user time, to a hundredth.
    pub user: f64,
    /// The most memory that the process had, in MiB.
    pub peak: f64,
}

/// Who explores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The explorer, from the running code, on so many threads.
    Doorway(usize),
    Stateright,
    Spin,
    Loom,
    Shuttle,
}

impl Contender {
    pub const ALL: [(&'static str, Contender); 6] = [
        ("doorway", Contender::Doorway(1)),
        ("doorway-2-threads", Contender::Doorway(2)),
        ("spin", Contender::Spin),
        ("stateright", Contender::Stateright),
        ("loom", Contender::Loom),
        ("shuttle", Contender::Shuttle),
    ];

    /// Whether it counts executions, so that only the smallest sizes end.
    pub fn runs_threads(self) -> bool {
        matches!(self, Contender::Loom | Contender::Shuttle)
    }

    /// Explores a size, in this process.
    pub fn explore(self, machine: Machine) -> Result<Explored, String> {
        if self == Contender::Spin {
            return crate::spin::explore(machine);
        }
        let began = Instant::now();
        let explored = match self {
            Contender::Doorway(threads) => by_doorway(machine, threads)?,
            Contender::Loom => by_loom(machine),
            Contender::Shuttle => by_shuttle(machine),
            _ => by_stateright(machine),
        };
        let seconds = began.elapsed().as_secs_f64();
        Ok(Explored { seconds, user: user_time(), peak: peak(), ..explored })
    }
}

fn by_doorway(machine: Machine, threads: usize) -> Result<Explored, String> {
    let models = shipped().map_err(|error| error.to_string())?;
    let model = models.into_iter().find(|model| model.name == "reference");
    let mut model = model.ok_or("no model is called reference")?;
    let many = |number: u8| NonZeroU32::new(number.into()).ok_or("a size of 0");
    model.sizes = Sizes {
        managers: many(machine.managers)?,
        tasks: many(machine.tasks)?,
        resources: many(machine.resources)?,
        workers: many(machine.workers)?,
    };
    model.expect.clear();
    let system = model.system().map_err(|error| error.to_string())?;
    let last = Arc::new(Mutex::new(Progress::default()));
    let told = Arc::clone(&last);
    let watcher = Watcher(Arc::new(move |progress: &Progress| {
        if let Ok(mut last) = told.lock() {
            *last = *progress;
        }
    }));
    let options = ExploreOptions {
        threads: NonZeroUsize::new(threads).ok_or("no thread")?,
        progress: Some(watcher),
        ..ExploreOptions::default()
    };
    let report = explore(&system, &options).map_err(|error| error.to_string())?;
    let Coverage::States { states, transitions, .. } = report.coverage else {
        return Err("the explorer did not count states".into());
    };
    let memory = last.lock().map_err(|error| error.to_string())?.memory;
    let bytes = memory as f64 / states as f64;
    Ok(Explored { states, transitions, ended: !report.cut_short, bytes, ..Explored::default() })
}

impl Model for Machine {
    type State = State;
    type Action = u8;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<u8>) {
        actions.extend(self.all().filter(|manager| self.step(state, *manager).is_some()));
    }

    fn next_state(&self, state: &State, manager: u8) -> Option<State> {
        self.step(state, manager)
    }

    /// Without one that holds it would stop at once.
    fn properties(&self) -> Vec<Property<Machine>> {
        vec![Property::always("nothing", |_, _| true)]
    }
}

fn by_stateright(machine: Machine) -> Explored {
    let checker = machine.checker().threads(1).spawn_dfs().join();
    Explored {
        states: checker.unique_state_count() as u64,
        transitions: checker.state_count() as u64 - 1,
        ended: checker.is_done(),
        ..Explored::default()
    }
}

/// The states that any execution was in.
type Seen = Arc<Mutex<HashSet<State>>>;

/// One execution: each manager on a thread of its own, each step in the lock. Whoever cannot go on
/// parks, and whoever enables it unparks it: so there are no idle rounds.
macro_rules! execution {
    ($name:ident, $peer:ident) => {
        fn $name(machine: Machine, seen: &Seen) {
            use $peer::sync::{Arc, Mutex};
            use $peer::thread;
            let parked: Vec<Option<thread::Thread>> = machine.all().map(|_| None).collect();
            let shared = Arc::new(Mutex::new((State::default(), parked)));
            let spawn = |manager| {
                let (shared, seen) = (shared.clone(), seen.clone());
                thread::spawn(move || {
                    loop {
                        let mut locked = shared.lock().expect("no thread panics");
                        let (state, parked) = &mut *locked;
                        let Some(next) = machine.step(state, manager) else {
                            parked[usize::from(manager)] = Some(thread::current());
                            drop(locked);
                            thread::park();
                            continue;
                        };
                        *state = next;
                        seen.lock().expect("no thread panics").insert(next);
                        for other in machine.all() {
                            if machine.step(&next, other).is_some()
                                && let Some(thread) = parked[usize::from(other)].take()
                            {
                                thread.unpark();
                            }
                        }
                        if machine.is_done(&next, manager) {
                            return;
                        }
                    }
                })
            };
            let threads: Vec<_> = machine.all().map(spawn).collect();
            threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
        }
    };
}

execution!(execute_on_loom, loom);
execution!(execute_on_shuttle, shuttle);

fn count(executions: u64, seen: &Seen, began: Instant) -> Explored {
    let states = seen.lock().expect("no thread panics").len() as u64;
    Explored { states, executions, ended: began.elapsed() < PATIENCE, ..Explored::default() }
}

fn start() -> (Seen, Arc<Mutex<u64>>, Instant) {
    let seen = Seen::default();
    seen.lock().expect("no thread panics").insert(State::default());
    (seen, Arc::default(), Instant::now())
}

fn by_loom(machine: Machine) -> Explored {
    let (seen, executions, began) = start();
    let (all, counted) = (seen.clone(), executions.clone());
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 1 << 16;
    builder.max_duration = Some(PATIENCE);
    builder.check(move || {
        *counted.lock().expect("no thread panics") += 1;
        execute_on_loom(machine, &all);
    });
    let executions = *executions.lock().expect("no thread panics");
    count(executions, &seen, began)
}

fn by_shuttle(machine: Machine) -> Explored {
    let (seen, _, began) = start();
    let all = seen.clone();
    let scheduler = shuttle::scheduler::DfsScheduler::new(None, false);
    let mut config = shuttle::Config::new();
    config.max_time = Some(PATIENCE);
    let runner = shuttle::Runner::new(scheduler, config);
    let executions = runner.run(move || execute_on_shuttle(machine, &all)) as u64;
    count(executions, &seen, began)
}
