//! What a search is asked to do besides searching.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::store::Text;

/// What a search is asked to do besides searching.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When it gives up.
    pub limits: Limits,
    /// Whether the report says what the runs came to.
    pub outcomes: bool,
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
    /// After so many runs.
    pub executions: Option<u64>,
}

/// How far a search is: the number of runs so far. A clone shows the same number.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

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
    /// The number of runs so far.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
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
    /// Why a search that has made so many runs since it began has to stop, if it has to.
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
