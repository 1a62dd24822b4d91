//! What a search is asked to do besides searching.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
#[cfg(any(feature = "loom", feature = "shuttle"))]
use std::time::Instant;

use super::explore;
use crate::check::verdict::Reductions;
#[cfg(any(feature = "loom", feature = "shuttle"))]
use crate::store::Text;

/// What a search is asked to do besides searching.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When it gives up.
    pub limits: Limits,
    /// Whether the report says what the runs came to.
    pub outcomes: bool,
    /// Whether an explorer also says if [`PROGRESS`](explore::PROGRESS) and
    /// [`NO_LIVELOCK`](explore::NO_LIVELOCK) hold. It keeps the whole graph for that.
    pub liveness: bool,
    /// What an explorer leaves out because it cannot matter.
    pub reductions: Reductions,
    /// Where it tells how far it is.
    pub progress: Progress,
    /// Where it is told to stop.
    pub cancel: Cancel,
    /// How it is broken on purpose, to show that the comparison of engines notices.
    pub sabotage: Option<Sabotage>,
}

/// When a search gives up: its verdict is then inconclusive. `None`: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// After so much time.
    pub time: Option<Duration>,
    /// After so many runs, of an engine that makes run after run.
    pub executions: Option<u64>,
    /// After so many states, of an explorer.
    pub states: Option<u64>,
    /// When the tables of an explorer take so many bytes.
    pub memory: Option<usize>,
    /// At states that it takes so many steps to get to, of an explorer.
    pub depth: Option<u64>,
}

/// How far a search is. A clone shows the same search.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    executions: Arc<AtomicU64>,
    explored: Arc<Mutex<Option<explore::Progress>>>,
}

/// Stops a search from another thread or a signal handler. A clone stops the same search.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// How an engine is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Of the processes that could go on, the last is passed over: interleavings are missing.
    DropInterleavings,
}

impl Progress {
    /// The number of runs so far, of an engine that makes run after run.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    /// How far an explorer is.
    #[must_use]
    pub fn explored(&self) -> Option<explore::Progress> {
        *self.explored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an explorer is given, to show here how far it is.
    pub(crate) fn watcher(&self) -> explore::Watcher {
        let explored = Arc::clone(&self.explored);
        explore::Watcher(Arc::new(move |progress| {
            *explored.lock().unwrap_or_else(PoisonError::into_inner) = Some(*progress);
        }))
    }

    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn add_one(&self) {
        self.executions.fetch_add(1, Ordering::Relaxed);
    }
}

impl Cancel {
    /// Stops the search: it ends soon, with what it has found.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the search was told to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Options {
    /// The same, as an explorer wants it told: with as many threads as there are cores.
    #[must_use]
    pub fn for_explorer(&self) -> explore::ExploreOptions {
        let Limits { time, states, memory, depth, .. } = self.limits;
        explore::ExploreOptions {
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: explore::Limits { states, memory, time, depth },
            cancel: Arc::clone(&self.cancel.0),
            progress: Some(self.progress.watcher()),
            outcomes: self.outcomes,
            reductions: self.reductions,
            liveness: self.liveness,
            first_fall: false,
        }
    }

    /// Why a search that has made so many runs since it began has to stop, if it has to.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn stop(&self, executions: u64, began: Instant) -> Option<Text> {
        if self.cancel.is_cancelled() {
            return Some("it was cancelled".into());
        }
        if let Some(limit) = self.limits.executions.filter(|limit| executions >= *limit) {
            return Some(format!("the limit of {limit} executions was reached").into());
        }
        let limit = self.limits.time.filter(|limit| began.elapsed() >= *limit)?;
        Some(format!("the limit of {:.1} s was reached", limit.as_secs_f64()).into())
    }
}
