//! Which workers may have been declared dead.

use std::collections::{BTreeMap, BTreeSet};

use doorway::store::Text;
use serde::{Deserialize, Serialize};

use crate::cli::soak::fact::Run;

/// How many incarnations of one worker are remembered; all older ones then count as suspects.
const REMEMBERED: usize = 256;

/// The incarnations that may have been declared dead.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Suspects {
    of: BTreeMap<Text, Suspected>,
    /// By child: whom it has set out to declare dead; the answer is still to come.
    pending: BTreeMap<u64, (Text, i64)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Suspected {
    up_to: i64,
    incarnations: BTreeSet<i64>,
}

impl Suspects {
    pub(super) fn burying(&mut self, by: u64, worker: &Text, incarnation: i64) {
        self.pending.insert(by, (worker.clone(), incarnation));
    }

    /// The answer has come: a worker that is known to be left alone is no suspect.
    pub(super) fn buried(&mut self, by: u64, done: Option<bool>) {
        let pending = self.pending.remove(&by).filter(|_| done != Some(false));
        if let Some((worker, incarnation)) = pending {
            self.add(worker, incarnation);
        }
    }

    /// A child is dead: what it was about to do may have been done.
    pub(super) fn gone(&mut self, child: u64) {
        self.buried(child, None);
    }

    /// All children of before are dead.
    pub(super) fn resume(&mut self) {
        for (worker, incarnation) in std::mem::take(&mut self.pending).into_values() {
            self.add(worker, incarnation);
        }
    }

    fn add(&mut self, worker: Text, incarnation: i64) {
        let suspected = self.of.entry(worker).or_default();
        suspected.incarnations.insert(incarnation);
        while suspected.incarnations.len() > REMEMBERED {
            suspected.up_to = suspected.incarnations.pop_first().unwrap_or(suspected.up_to);
        }
    }

    pub(super) fn contains(&self, run: &Run) -> bool {
        let Some(incarnation) = run.incarnation else { return false };
        let is_meant =
            |(worker, number): &(Text, i64)| *worker == run.worker && *number == incarnation;
        let is_suspected = |suspected: &Suspected| {
            incarnation <= suspected.up_to || suspected.incarnations.contains(&incarnation)
        };
        self.of.get(&run.worker).is_some_and(is_suspected) || self.pending.values().any(is_meant)
    }
}
