//! What is left of the faults, and what is under way because of them.

use super::choice::Kind;
use crate::check::strand::Strand;
use crate::check::system::System;
use crate::store::memory::{Execution, State};

/// What is left of the faults, and what is under way because of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Budget {
    pub(super) crashes: u32,
    pub(super) unknown_outcomes: u32,
    pub(super) redeliveries: u32,
    pub(super) stale_reads: u32,
    pub(super) failovers: u32,
    /// Whether a majority may be behind the primary.
    replicates: bool,
    /// Whether it is so only where the primary is cut off.
    retries: bool,
    /// How often guards may still come back from a rest.
    pub(super) rests: u32,
    /// The writes that are done some time, each with the strand of a process that asked for it.
    pub(crate) late: Vec<(usize, Strand, Execution)>,
}

impl Budget {
    pub(crate) fn new(system: &System) -> Budget {
        let faults = &system.faults;
        Budget {
            crashes: faults.crashes,
            unknown_outcomes: faults.unknown_outcomes,
            redeliveries: faults.redeliveries,
            stale_reads: faults.stale_reads,
            failovers: faults.failovers,
            replicates: faults.failovers > 0,
            retries: faults.retries_writes(),
            rests: system.guards.rests(),
            late: Vec::new(),
        }
    }

    /// The primary fails over; or, where it was cut off for that, does so now.
    pub(super) fn fail_over(&mut self, store: &mut State) {
        store.fail_over();
        if self.retries {
            return;
        }
        self.failovers -= 1;
        if self.failovers == 0 {
            store.forget_majority();
        }
    }

    /// Which kinds of what is no step of a process there may still be; late writes come on top.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        let (unknown, stale) = (self.unknown_outcomes > 0, self.stale_reads > 0);
        let kinds = [
            (Kind::Crash, self.crashes > 0),
            (Kind::Lost, unknown),
            (Kind::Unanswered, unknown),
            (Kind::Late, unknown),
            (Kind::Redelivered, self.redeliveries > 0),
            (Kind::Stale, stale),
            (Kind::Lags, stale),
            (Kind::CutOff, self.retries && self.failovers > 0),
            (Kind::Failover, self.retries || self.failovers > 0),
            (Kind::Replicates, self.replicates),
            (Kind::Rested, self.rests > 0),
        ];
        kinds.into_iter().filter_map(|(kind, may_be)| may_be.then_some(kind))
    }
}
