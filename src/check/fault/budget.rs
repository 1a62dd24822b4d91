//! What is left of the faults, and what is under way because of them.

use super::Faults;
use super::choice::Kind;
use crate::store::memory::Execution;

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
    /// The writes that are done some time, each with the process that asked for it.
    pub(crate) late: Vec<(usize, Execution)>,
}

impl Budget {
    pub(crate) fn new(faults: &Faults) -> Budget {
        Budget {
            crashes: faults.crashes,
            unknown_outcomes: faults.unknown_outcomes,
            redeliveries: faults.redeliveries,
            stale_reads: faults.stale_reads,
            failovers: faults.failovers,
            replicates: faults.failovers > 0,
            late: Vec::new(),
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
            (Kind::CatchesUp, stale),
            (Kind::Failover, self.failovers > 0),
            (Kind::Replicates, self.replicates),
        ];
        kinds.into_iter().filter_map(|(kind, may_be)| may_be.then_some(kind))
    }
}
