//! What may go wrong, and how often: faults at the edge between the processes and the world.

mod budget;
mod choice;
mod take;

use std::collections::BTreeSet;
use std::fmt;

pub(crate) use budget::Budget;
pub(crate) use choice::{Choice, DATABASE, Kind};
pub(crate) use take::{can_be, take};

use super::process::Process;
use super::world::World;
use crate::store::Text;

/// What may go wrong, and how often at most in one run. By default nothing does.
///
/// ```
/// use doorway::check::Faults;
///
/// let faults = Faults::default().crashes(1).unknown_outcomes(1).among(["manager-1"]);
/// ```
///
/// What needs no fault is a process: a watcher that takes another for dead, which goes on, and a
/// sweep that deletes what has expired, may each come at any moment because a process may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    crashes: u32,
    gone_for_good: bool,
    unknown_outcomes: u32,
    redeliveries: u32,
    stale_reads: u32,
    failovers: u32,
    retries_writes: bool,
    among: Option<BTreeSet<Text>>,
}

impl Faults {
    /// So many crashes: a process stops where it is, forgets everything, and starts again under
    /// its name from its first activity. What it held of a queue is delivered again, at the head.
    #[must_use]
    pub fn crashes(mut self, crashes: u32) -> Faults {
        self.crashes = crashes;
        self
    }

    /// A process that has crashed does not start again.
    #[must_use]
    pub fn without_restart(mut self) -> Faults {
        self.gone_for_good = true;
        self
    }

    /// So many writes of which the process is not told the outcome: the error is the same whether
    /// the write was done, was not, or will be done at any time from now on.
    #[must_use]
    pub fn unknown_outcomes(mut self, unknown_outcomes: u32) -> Faults {
        self.unknown_outcomes = unknown_outcomes;
        self
    }

    /// So many times the broker takes a process that goes on for gone: what it holds of the queues
    /// is delivered again, at the head, and it may acknowledge no more (RabbitMQ, *Consumer
    /// acknowledgements*: a delivery belongs to its channel).
    #[must_use]
    pub fn redeliveries(mut self, redeliveries: u32) -> Faults {
        self.redeliveries = redeliveries;
        self
    }

    /// So many reads that are answered by a member that lags behind: from the whole content as it
    /// was at some earlier time. A linearizable read is not hit (MongoDB manual,
    /// *core/read-preference*, *reference/read-concern-linearizable*).
    ///
    /// One member lags, and it never goes back: of two stale reads the second is from no earlier time
    /// than the first. Between them it gets nothing, or all that there is.
    #[must_use]
    pub fn stale_reads(mut self, stale_reads: u32) -> Faults {
        self.stale_reads = stale_reads;
        self
    }

    /// So many failovers, each of which loses the writes that a majority does not have (MongoDB
    /// manual, *core/replica-set-rollbacks*).
    ///
    /// With it a majority has the whole content as it was at some time. It catches up at any time, and
    /// before a majority write is acknowledged, or a linearizable read answered. A write with
    /// [`WriteConcern::Primary`](crate::store::WriteConcern) is acknowledged before that, and may
    /// be lost; so may a majority write that others see already, and then its outcome is unknown. A
    /// majority read sees what a majority has, any other what the primary has. A command of which
    /// nothing is done yet begins again. After the last failover of the budget a majority has all at once: who
    /// wants to see it lag after a failover gives one failover more.
    #[must_use]
    pub fn failovers(mut self, failovers: u32) -> Faults {
        self.failovers = failovers;
        self
    }

    /// With retryable writes, as drivers have them on by default: a majority write that a failover took back is sent
    /// again, once, and one that a majority has is answered as it was, so that one failover leaves no outcome
    /// unknown (MongoDB manual, *core/retryable-writes*). Says nothing without failovers.
    ///
    /// Far fewer states than without it. Neither finds all that the other does, so ask for both: without it code meets
    /// outcomes that are not known; with it, a definite answer to a write that others have seen, lost, and seen
    /// again.
    ///
    /// A majority has each write at once, until the primary is *cut off*, once for each failover; then the failover
    /// comes, or a majority catches up, and that failover has come to nothing. So only meanwhile does a majority
    /// read lag, does a process crash between a write and its acknowledgement, and do acknowledgements wait
    /// for each other. A write that the primary acknowledges alone is told as it is done, and not sent again. Of
    /// two failovers the second leaves an outcome unknown of a write that was sent again after the first.
    #[must_use]
    pub fn retryable_writes(mut self) -> Faults {
        self.retries_writes = true;
        self
    }

    /// It happens to these processes only; a failover happens to all.
    #[must_use]
    pub fn among<T: Into<Text>>(mut self, processes: impl IntoIterator<Item = T>) -> Faults {
        self.among = Some(processes.into_iter().map(Into::into).collect());
        self
    }

    /// Whether a process that crashes does not start again.
    #[must_use]
    pub fn are_for_good(&self) -> bool {
        self.crashes > 0 && self.gone_for_good
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.counts().iter().all(|(count, ..)| *count == 0)
    }

    /// Whether a process may not be told the outcome of a write.
    #[must_use]
    pub fn leaves_unknown(&self) -> bool {
        self.unknown_outcomes > 0 || self.failovers > u32::from(self.retries_writes)
    }

    /// Whether drivers send a write again that a failover took back.
    pub(crate) fn retries_writes(&self) -> bool {
        self.retries_writes && self.failovers > 0
    }

    /// Whether a write may be lost that a majority does not have.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        self.failovers > 0
    }

    /// Whether a read may be stale.
    #[must_use]
    pub fn lags(&self) -> bool {
        self.stale_reads > 0
    }

    /// How often each kind may happen, with its name for one and for several.
    fn counts(&self) -> [(u32, &'static str, &'static str); 5] {
        let (crash, crashes) = match self.gone_for_good {
            true => ("crash for good", "crashes for good"),
            false => ("crash", "crashes"),
        };
        let (failover, failovers) = match self.retries_writes {
            true => ("failover with retryable writes", "failovers with retryable writes"),
            false => ("failover", "failovers"),
        };
        [
            (self.crashes, crash, crashes),
            (self.unknown_outcomes, "unknown outcome", "unknown outcomes"),
            (self.redeliveries, "redelivery", "redeliveries"),
            (self.stale_reads, "stale read", "stale reads"),
            (self.failovers, failover, failovers),
        ]
    }

    /// Makes a world remember what these faults need.
    pub(crate) fn prepare(&self, world: &mut World) {
        if self.retries_writes() {
            world.store.retry_writes();
        } else if self.failovers > 0 {
            world.store.track_majority();
        }
    }

    /// The processes to which it happens, where they are named.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Text> {
        self.among.iter().flatten()
    }

    fn spares(&self, process: &Process) -> bool {
        self.among.as_ref().is_some_and(|among| !among.contains(&process.name))
    }
}

/// What may go wrong, for people to read.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("no faults");
        }
        let told = |(count, one, several): &(u32, &str, &str)| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {several}")),
        };
        let all: Vec<String> = self.counts().iter().filter_map(told).collect();
        f.write_str(&all.join(" and "))?;
        let among: Vec<&str> = self.named().map(|name| &**name).collect();
        if among.is_empty() { Ok(()) } else { write!(f, " of {}", among.join(", ")) }
    }
}
