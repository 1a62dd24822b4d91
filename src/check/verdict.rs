//! What an engine says of a system.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::run::Outcome;
use super::trace::Counterexample;
use crate::store::Text;

/// What an engine says of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The search ended, and no run breaks the property.
    Verified,
    /// A run breaks the property, and here it is.
    Violated,
    /// No run that was seen breaks the property, and not every run was seen.
    Inconclusive,
}

impl Verdict {
    /// The name, as reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Violated => "violated",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an engine says of a system, and how it came to say so.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the engine.
    pub engine: &'static str,
    /// One for each property of the system, in its order.
    pub findings: Vec<Finding>,
    /// Why the search did not end; `None` only where the engine has evidence that it did.
    pub stopped: Option<Text>,
    /// Whether a limit or a cancellation stopped the search before it had done what it was asked.
    pub cut_short: bool,
    /// How much was searched.
    pub coverage: Coverage,
    /// Whether guards were left out that run beside the work of a process in production
    /// ([`Env::beside`](crate::env::Env::beside)).
    pub guards_left_out: bool,
    /// How long the search took.
    pub time: Duration,
    /// What the runs came to, each outcome once, if they were asked for.
    pub outcomes: Option<BTreeSet<Outcome>>,
}

/// What an engine says of one property.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The name of the property.
    pub property: Text,
    /// What the engine says of it.
    pub verdict: Verdict,
    /// The shortest run seen that breaks the property, where one does.
    pub counterexample: Option<Counterexample>,
}

/// How much an engine has searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// An engine that runs the system from its start again and again.
    Executions {
        /// The number of runs.
        executions: u64,
        /// The steps of all of them together.
        steps: u64,
    },
    /// An engine that visits each state once.
    States {
        /// The number of distinct states.
        states: u64,
        /// The number of transitions between them.
        transitions: u64,
        /// The length of the longest of the shortest ways to a state.
        depth: u64,
        /// What was left out because it cannot matter.
        reductions: Reductions,
    },
}

/// What an engine that visits states may leave out. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reductions {
    /// A read of a collection that was declared immutable, and after which nothing is told, is
    /// one step with the step before it. Such a read commutes with every step of every other
    /// process, so no run is lost but for the moment of the read (Lipton, *Reduction: a method of
    /// proving properties of parallel programs*, CACM 18(12), 1975).
    pub immutable_reads: bool,
    /// Of the states that are one but for the names of interchangeable processes, and of what only
    /// these speak of, one is visited for all (Ip and Dill, *Better verification through symmetry*,
    /// Formal Methods in System Design 9, 1996). That names are interchangeable is not asserted: it
    /// is checked on all that is found out. What needs the graph of all states does without.
    pub symmetry: bool,
    /// Of the states that are one but for the numbers of their [`Ordinal`](crate::store::Ordinal)s, in
    /// the same order, one is visited for all: they are numbered anew, from below. So a system that counts
    /// for ever may have few states. That the order is all that counts is not asserted: it is checked on all
    /// that is found out, and whoever goes by the number is refused by name.
    pub ordinals: bool,
}

impl Reductions {
    /// The names of those that are in use, as reports spell them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let immutable_reads = self.immutable_reads.then_some("immutable-reads");
        let symmetry = self.symmetry.then_some("symmetry");
        let ordinals = self.ordinals.then_some("ordinals");
        [immutable_reads, symmetry, ordinals].into_iter().flatten()
    }
}

impl Report {
    /// The worst that is said of a property: violated before inconclusive before verified.
    ///
    /// A system without properties is never verified.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.findings.iter().any(|finding| finding.verdict == verdict);
        if any(Verdict::Violated) {
            Verdict::Violated
        } else if any(Verdict::Inconclusive) || self.findings.is_empty() {
            Verdict::Inconclusive
        } else {
            Verdict::Verified
        }
    }

    /// What is said of a property.
    #[must_use]
    pub fn of(&self, property: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| *finding.property == *property)
    }
}
