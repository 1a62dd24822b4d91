//! What is known of a task.

use doorway::reservation::doorway::schema::State;
use serde::{Deserialize, Serialize};

use crate::cli::soak::fact::{Effect, Fact, Run};

/// How many lines of a task are kept, the latest.
const LINES: usize = 32;

/// What is known of a task; each number is that of a line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) resource: u64,
    pub(super) enqueued: u64,
    pub(super) delivered: Option<u64>,
    pub(super) acknowledged: Option<u64>,
    pub(super) placing: Option<u64>,
    pub(super) placed: Option<u64>,
    /// The task right before it in its list.
    pub(super) behind: Option<u64>,
    /// The first moment at which it certainly ran.
    pub(super) began: Option<u64>,
    /// The last line of its run.
    pub(super) ended: Option<u64>,
    pub(super) run: Option<Run>,
    /// The child that runs it, or ran it, as long as that is alive.
    pub(super) by: Option<u64>,
    /// How it ended, once that is known.
    pub(super) fate: Option<State>,
    /// What was said of it may be lost: the driver itself was restarted.
    pub(super) blurred: bool,
    /// The last task that was enqueued when it began: no later one has come before it.
    pub(super) horizon: u64,
    /// When it was enqueued, in nanoseconds of the machine's clock.
    pub(super) since: u64,
    pub(super) lines: Vec<String>,
}

impl Known {
    pub(super) fn new(resource: u64, enqueued: u64, since: u64) -> Known {
        Known {
            resource,
            enqueued,
            delivered: None,
            acknowledged: None,
            placing: None,
            placed: None,
            behind: None,
            began: None,
            ended: None,
            run: None,
            by: None,
            fate: None,
            blurred: false,
            horizon: 0,
            since,
            lines: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, by: u64, run: &Run, now: u64, last_task: u64) {
        self.began = Some(now);
        self.run = Some(run.clone());
        self.by = Some(by);
        self.horizon = last_task;
    }

    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged.is_some()
    }

    /// Whether anything may still come of it: a task that has failed may run on.
    pub(super) fn is_open(&self) -> bool {
        self.fate.is_none() || !self.is_acknowledged()
    }

    pub(super) fn remember(&mut self, line: u64, by: u64, at: u64, fact: &Fact) {
        if self.lines.len() == LINES {
            self.lines.remove(0);
        }
        self.lines.push(told(line, by, at, fact));
    }
}

/// A line as it is shown to people.
pub(super) fn told(line: u64, by: u64, at: u64, fact: &Fact) -> String {
    let (seconds, micros) = (at / 1_000_000_000, at / 1_000 % 1_000_000);
    let what = serde_json::to_string(fact).unwrap_or_default();
    format!("{line:>9}  {seconds}.{micros:06}  child {by:<4} {what}")
}

/// The tasks that a line is about.
pub(super) fn about(fact: &Fact) -> Vec<u64> {
    match fact {
        Fact::Delivered { task }
        | Fact::Acknowledged { task }
        | Fact::Placing { task }
        | Fact::Placed { task }
        | Fact::Began { task, .. }
        | Fact::Ended { task }
        | Fact::Acted { effect: Effect { task, .. }, .. }
        | Fact::Cancelled { task }
        | Fact::Status { task, .. } => vec![*task],
        Fact::Listed { tasks } => tasks.clone(),
        _ => Vec::new(),
    }
}
