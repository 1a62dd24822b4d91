//! When a search gives up, and how it tells how far it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::store::Text;

/// When a search gives up: its verdict is then inconclusive. `None`: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// After so many states.
    pub states: Option<u64>,
    /// When the tables and what is interned take so many bytes.
    pub memory: Option<usize>,
    /// After so much time.
    pub time: Option<Duration>,
    /// At states that take so many steps to get to: these are not expanded.
    pub depth: Option<u64>,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Distinct states so far.
    pub states: u64,
    /// Transitions between them so far.
    pub transitions: u64,
    /// How many steps it takes to get to where the search is.
    pub depth: u64,
    /// States seen whose transitions were not followed yet.
    pub frontier: u64,
    /// Bytes that the tables and what is interned take.
    pub memory: usize,
    /// The time since the search began.
    pub time: Duration,
}

impl Progress {
    /// States a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.states as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

/// Whoever is told how far a search is: some times a second, and when it ends.
#[derive(Clone)]
pub struct Watcher(pub Arc<dyn Fn(&Progress) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// How long between two reports of progress.
const REPORTS: Duration = Duration::from_millis(100);

/// So long the process is held against what was learnt of it after the limit, and so long again the
/// shortest runs are looked for that break what fell.
const MOMENT: Duration = Duration::from_millis(400);

/// The limits of a search under way.
pub(super) struct Watch {
    limits: Limits,
    cancel: Arc<AtomicBool>,
    watcher: Option<Watcher>,
    began: Instant,
    reported: Instant,
    /// Set where all was found that was looked for.
    enough: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn new(limits: Limits, cancel: &Arc<AtomicBool>, watcher: Option<Watcher>) -> Watch {
        let now = Instant::now();
        Watch {
            limits,
            cancel: Arc::clone(cancel),
            watcher,
            began: now,
            reported: now,
            enough: Arc::default(),
        }
    }

    /// Where no time is left, or the search was cancelled, a moment more: for what makes sense of what
    /// was found.
    pub(super) fn grant_a_moment(&mut self) {
        let until = self.elapsed() + MOMENT;
        let is_cancelled = self.cancel.load(Ordering::Relaxed);
        self.limits.time = match self.limits.time {
            Some(limit) => Some(limit.max(until)),
            None => is_cancelled.then_some(until),
        };
        if is_cancelled {
            self.cancel = Arc::default();
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Set it, and the search ends.
    pub(super) fn enough(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.enough)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Tells how far the search came.
    pub(super) fn tell(&self, progress: &Progress) {
        if let Some(watcher) = &self.watcher {
            (watcher.0)(progress);
        }
    }

    /// Tells how far the search is. Returns why it has to stop, if it has.
    pub(super) fn look(&mut self, progress: &Progress) -> Option<Text> {
        if self.reported.elapsed() >= REPORTS {
            self.reported = Instant::now();
            self.tell(progress);
        }
        self.stop(progress)
    }

    /// Why a search that is so far has to stop, if it has to.
    pub(super) fn stop(&self, progress: &Progress) -> Option<Text> {
        if self.cancel.load(Ordering::Relaxed) {
            return Some("it was cancelled".into());
        }
        if self.enough.load(Ordering::Relaxed) {
            return Some("a property fell".into());
        }
        let Limits { states, memory, time, .. } = self.limits;
        if let Some(limit) = states.filter(|limit| progress.states >= *limit) {
            return Some(format!("the limit of {limit} states was reached").into());
        }
        if let Some(limit) = memory.filter(|limit| progress.memory > *limit) {
            return Some(out_of_memory(limit));
        }
        let limit = time.filter(|limit| progress.time >= *limit)?;
        Some(format!("the limit of {:.1} s was reached", limit.as_secs_f64()).into())
    }
}

/// Why a search stops that would take more memory than it may.
pub(super) fn out_of_memory(limit: usize) -> Text {
    format!("the limit of {} MiB of memory was reached", limit >> 20).into()
}

/// Why a search stops that left states unexpanded for their depth.
pub(super) fn too_deep(limit: u64) -> Text {
    format!("the limit of {limit} steps was reached").into()
}
