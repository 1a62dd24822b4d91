//! Every interleaving, on loom's threads.
//!
//! [loom](https://docs.rs/loom) runs the system again and again, and by dynamic partial-order
//! reduction (Flanagan and Godefroid, POPL 2005) leaves out only what differs in the order of
//! steps that commute. All that it sees of the system are its doors, which each step passes. Reads of
//! collections that never change pass none.
//!
//! One atomic, read by the steps that read, would not do: of all accesses to an object loom
//! remembers only the last, so that a read of a process hides those of others from the write that
//! it makes next, and interleavings are missed.
//!
//! Of runs that differ only in the order of steps that commute it still makes several. Sleep sets
//! (`check::engine::sleep`) cut all but one of them short; runs that are cut are not counted.
//!
//! loom's own limits are switched off, so that its search returns only at its end; what stops it
//! before unwinds through it. loom has five threads, one of them for itself: a system of more than
//! four processes is inconclusive.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, Thread};

use super::options::{Options, Sabotage};
use super::sleep::Sleep;
use super::threads::{After, Next, Search, Shared, lock};
use crate::check::system::System;
use crate::check::verdict::Report;
use crate::store::Text;
use crate::store::memory::{Access, Gate};

/// The name of the engine.
pub const NAME: &str = "loom";
/// The most processes of a system that loom can run.
pub const MOST_PROCESSES: usize = 4;
/// The size of a stack in words, which is what loom counts in: 512 KiB where a word has 8 bytes. Its
/// default of 4,096 is too small for the persistent collections of the store; a larger one takes
/// longer to make, and each run makes one for each process.
const STACK: usize = 64 * 1024;

/// A gate that loom sees: made inside of a loom model, it is one scheduling point a step, in whose
/// order all steps differ.
#[derive(Debug)]
pub struct LoomGate {
    order: AtomicUsize,
}

impl LoomGate {
    /// A gate for one run.
    #[must_use]
    pub fn new() -> LoomGate {
        LoomGate { order: AtomicUsize::new(0) }
    }
}

impl Default for LoomGate {
    fn default() -> LoomGate {
        LoomGate::new()
    }
}

impl Gate for LoomGate {
    fn pass(&self, _collection: &str, _access: Access) {
        self.order.fetch_add(1, Ordering::SeqCst);
    }
}

/// A door for each process: a step that commutes with its like passes its own, any other all.
///
/// A process goes to its door for each step that it can take at some moment, even where another
/// has come before it and now it cannot: that it once could is what loom has to know, to let it
/// come first in another run.
///
/// So two steps of different processes have a door in common unless they commute, and of each door
/// the last to pass is all that has to be known. A step with all its doors is one scheduling point:
/// nobody comes between.
struct Doors {
    doors: Vec<AtomicUsize>,
    /// Whether each process can take its next step, or could since it took its last one.
    could: Mutex<Vec<bool>>,
    sleep: Arc<Mutex<Sleep>>,
    /// Whether the run was cut.
    shut: AtomicBool,
    own_only: bool,
}

impl Doors {
    fn new(processes: usize, sleep: &Arc<Mutex<Sleep>>, sabotage: Option<Sabotage>) -> Doors {
        lock(sleep).begin();
        let doors = (0..processes).map(|_| AtomicUsize::new(0)).collect();
        let could = Mutex::new(vec![false; processes]);
        let own_only = sabotage == Some(Sabotage::DropInterleavings);
        Doors { doors, could, sleep: Arc::clone(sleep), shut: AtomicBool::new(false), own_only }
    }

    /// Whether a process has to go to its door.
    fn awaits(&self, process: usize) -> bool {
        lock(&self.could)[process] && !lock(&self.sleep).is_asleep(process)
    }

    /// Whether some process can take a step, and each that can sleeps.
    fn keep_out_all(&self, enables: impl Fn(usize) -> bool) -> bool {
        let sleep = lock(&self.sleep);
        let mut able = (0..self.doors.len()).filter(|process| enables(*process)).peekable();
        able.peek().is_some() && able.all(|process| sleep.is_asleep(process))
    }

    /// Lets nobody come by any more.
    fn shut(&self) {
        self.shut.store(true, Relaxed);
    }

    fn are_shut(&self) -> bool {
        self.shut.load(Relaxed)
    }

    /// Takes down who can take a step, after one of a process or before the first.
    fn note(&self, stepped: Option<usize>, enables: impl Fn(usize) -> bool) {
        for (process, could) in lock(&self.could).iter_mut().enumerate() {
            *could = (*could && stepped != Some(process)) || enables(process);
        }
    }

    /// Waits for its turn at the door of the process, and takes the step if it still can. `None`:
    /// it was put to sleep while it waited, or nobody comes by any more.
    fn pass(&self, process: usize, step: impl FnOnce() -> After) -> Option<After> {
        self.through(process);
        if self.are_shut() {
            return None;
        }
        if !lock(&self.sleep).arrive(process) {
            lock(&self.sleep).depart(None);
            return None;
        }
        loom::stop_exploring();
        let after = step();
        if !after.commutes && !self.own_only {
            let others = (0..self.doors.len()).filter(|door| *door != process);
            others.for_each(|door| self.through(door));
        }
        loom::explore();
        lock(&self.sleep).depart(Some(after.commutes));
        Some(after)
    }

    fn through(&self, door: usize) {
        self.doors[door].fetch_add(1, Ordering::SeqCst);
    }
}

/// What unwinds through loom to stop it.
struct Stop;

/// Runs every interleaving of the system.
#[must_use]
pub fn check(system: &System, options: &Options) -> Report {
    #[cfg(feature = "shuttle")]
    super::shuttle::install_panic_hook();
    let search = Arc::new(Search::new(system, options));
    let ended = if system.processes.len() > MOST_PROCESSES {
        Err(format!("loom runs at most {MOST_PROCESSES} processes").into())
    } else {
        explore(&search, options.sabotage).and(search.leaves_out())
    };
    search.report(NAME, ended)
}

fn explore(search: &Arc<Search>, sabotage: Option<Sabotage>) -> Result<(), Text> {
    let mut model = loom::model::Builder::new();
    model.max_threads = MOST_PROCESSES + 1;
    model.max_branches = 100_000;
    model.max_permutations = None;
    model.max_duration = None;
    model.preemption_bound = None;
    model.checkpoint_file = None;
    model.location = false;
    model.log = false;
    let shared_search = Arc::clone(search);
    let sleep = Arc::default();
    let one_run = move || {
        if shared_search.stopped().is_some() {
            resume_unwind(Box::new(Stop));
        }
        spawn_processes(&shared_search, &sleep, sabotage);
    };
    match catch_unwind(AssertUnwindSafe(|| model.check(one_run))) {
        Ok(()) => Ok(()),
        Err(panic) if panic.is::<Stop>() => Err("it was stopped".into()),
        Err(panic) => Err(panic_text(&*panic)),
    }
}

/// One run: a thread for each process. Nobody joins: whoever ends the run counts it.
fn spawn_processes(search: &Arc<Search>, sleep: &Arc<Mutex<Sleep>>, sabotage: Option<Sabotage>) {
    let shared = Arc::new(search.run());
    let processes = search.system.processes.len();
    let doors = Arc::new(Doors::new(processes, sleep, sabotage));
    let waiting = Arc::new(Waiting(Mutex::new(vec![None; processes])));
    let begun = Arc::new(Mutex::new(false));
    for process in 0..processes {
        let (shared, doors) = (Arc::clone(&shared), Arc::clone(&doors));
        let (waiting, begun) = (Arc::clone(&waiting), Arc::clone(&begun));
        let thread = move || {
            if !std::mem::replace(&mut *lock(&begun), true) {
                shared.begin();
                doors.note(None, |process| shared.enables(process));
            }
            drive(process, &shared, &doors, &waiting);
        };
        let spawned = thread::Builder::new().stack_size(STACK).spawn(thread);
        drop(spawned);
    }
}

/// Takes the steps of a process until the run is over.
fn drive(process: usize, shared: &Shared, doors: &Doors, waiting: &Waiting) {
    let enables = |process| shared.enables(process);
    while !doors.are_shut() {
        let after = match shared.next(process) {
            Next::Free => Some(shared.step(process)),
            _ if doors.awaits(process) => doors.pass(process, || shared.step(process)),
            Next::Leave => return,
            Next::Wait | Next::Pass => {
                waiting.wait(process);
                continue;
            }
        };
        if after.is_some() {
            doors.note(Some(process), enables);
        }
        if doors.keep_out_all(enables) {
            doors.shut();
            shared.cut();
        }
        let over = doors.are_shut() || after.is_some_and(|after| after.over);
        waiting.wake(|process| over || doors.awaits(process));
    }
}

/// The threads that wait, each for a step of another to enable its process.
struct Waiting(Mutex<Vec<Option<Thread>>>);

impl Waiting {
    fn wait(&self, process: usize) {
        lock(&self.0)[process] = Some(thread::current());
        thread::park();
    }

    fn wake(&self, ready: impl Fn(usize) -> bool) {
        for (process, thread) in lock(&self.0).iter_mut().enumerate() {
            if let Some(thread) = thread.take_if(|_| ready(process)) {
                thread.unpark();
            }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> Text {
    let text = (panic.downcast_ref::<&str>().copied())
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("loom stopped: {}", text.unwrap_or("for a reason that it does not give")).into()
}
