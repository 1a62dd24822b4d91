//! How much happened.

use std::collections::BTreeMap;

use doorway::reservation::doorway::schema::State;
use serde::{Deserialize, Serialize};

use crate::cli::soak::fact::{Chaos, Fact};

/// How much happened since the soak began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// How long it has taken so far, in milliseconds.
    pub(crate) millis: u64,
    pub(crate) enqueued: u64,
    pub(crate) runs: u64,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    /// Messages that the broker has delivered.
    pub(crate) delivered: u64,
    /// Answers to commands that were lost.
    pub(crate) unknown: u64,
    /// Bindings that somebody has ended whose worker was gone.
    pub(crate) takeovers: u64,
    /// How often a resource went to another worker than before.
    pub(crate) rebindings: u64,
    /// How often a worker was declared dead.
    pub(crate) burials: u64,
    /// Runs that met one of a worker that was declared dead and went on.
    pub(crate) excused: u64,
    /// Actions of a run that its resource refused for the token.
    pub(crate) refused: u64,
    pub(crate) actions: u64,
    pub(crate) chaos: BTreeMap<String, u64>,
    pub(crate) violations: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Enqueued { .. } => self.enqueued += 1,
            Fact::Delivered { .. } => self.delivered += 1,
            Fact::Began { .. } => self.runs += 1,
            Fact::Freed => self.takeovers += 1,
            Fact::Buried { done } => self.burials += u64::from(*done == Some(true)),
            Fact::Lost => self.unknown += 1,
            Fact::Acted { accepted, .. } => {
                self.actions += 1;
                self.refused += u64::from(!accepted);
            }
            Fact::Clock { millis } => self.millis = *millis,
            Fact::Chaos { what } => *self.chaos.entry(name(*what).to_owned()).or_default() += 1,
            _ => {}
        }
    }

    pub(super) fn settled(&mut self, state: State) {
        match state {
            State::Finished => self.finished += 1,
            State::Failed => self.failed += 1,
            State::Cancelled => self.cancelled += 1,
            State::Waiting | State::Running => {}
        }
    }

    pub(super) fn violated(&mut self, property: &str) {
        *self.violations.entry(property.to_owned()).or_default() += 1;
    }

    /// How often something was done to a process or the server.
    pub(crate) fn of(&self, what: Chaos) -> u64 {
        self.chaos.get(name(what)).copied().unwrap_or_default()
    }
}

fn name(what: Chaos) -> &'static str {
    match what {
        Chaos::KillManager => "managers killed",
        Chaos::KillWorker => "workers killed",
        Chaos::FreezeManager => "managers frozen",
        Chaos::FreezeWorker => "workers frozen",
        Chaos::KillServer => "servers killed",
        Chaos::FreezeServer => "servers frozen",
        Chaos::Restart => "restarts",
    }
}
