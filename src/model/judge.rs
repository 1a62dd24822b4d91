//! Running an engine on a model, and holding what it says against what is expected.

use super::{EngineChoice, EngineKind, Expect, Model, property};
use crate::check::engine::Options;
use crate::check::engine::explore::{CheckError, explore};
use crate::check::{Report, System, Verdict};

/// Whether what an engine says of a model is what the model expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Every property is as expected.
    AsExpected,
    /// The search did not end, and the model did not ask for that by name; or it did not find a
    /// violation that is expected.
    Inconclusive,
    /// A property that is expected to hold is violated, or the other way round.
    NotAsExpected,
}

/// Why an engine says nothing of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// This build of the crate was made without the engine.
    Unavailable(EngineKind),
    /// The explorer refuses the system.
    Refused(CheckError),
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EngineError::Unavailable(engine) => {
                write!(f, "this build is without {}: enable its feature", engine.name())
            }
            EngineError::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {}

impl EngineKind {
    /// Whether the engine knows the graph of all states, and so what has to become of each.
    #[must_use]
    pub fn keeps_graph(self) -> bool {
        self == EngineKind::Explore
    }

    /// Runs the engine on a system.
    ///
    /// # Errors
    ///
    /// [`EngineError`] where the feature of the engine is not enabled, or the engine refuses the
    /// system.
    pub fn run(self, system: &System, options: &Options) -> Result<Report, EngineError> {
        match self {
            EngineKind::Explore => {
                explore(system, &options.for_explorer()).map_err(EngineError::Refused)
            }
            #[cfg(feature = "loom")]
            EngineKind::Loom => Ok(crate::check::engine::loom::check(system, options)),
            #[cfg(feature = "shuttle")]
            EngineKind::ShuttleDfs
            | EngineKind::ShuttleRandom { .. }
            | EngineKind::ShuttlePct { .. } => {
                use crate::check::engine::shuttle::{Choose, check};
                let choose = match self {
                    EngineKind::ShuttleRandom { executions, seed } => {
                        Choose::Random { executions, seed }
                    }
                    EngineKind::ShuttlePct { executions, seed, depth } => {
                        Choose::Pct { executions, seed, depth }
                    }
                    _ => Choose::DepthFirst,
                };
                Ok(check(system, choose, options))
            }
            #[allow(unreachable_patterns)]
            other => Err(EngineError::Unavailable(other)),
        }
    }
}

impl Model {
    /// What is expected of a property.
    #[must_use]
    pub fn expected(&self, property: &str) -> Option<Expect> {
        self.expect.iter().find(|(name, _)| name == property).map(|(_, expect)| *expect)
    }

    /// Holds what an engine says against what the model expects.
    #[must_use]
    pub fn standing(&self, choice: EngineChoice, report: &Report) -> Standing {
        let of_property = |(name, expect): &(String, Expect)| {
            let finding = report.of(name);
            let untold = finding.is_none_or(|one| one.verdict == Verdict::Inconclusive);
            if untold && property::is_of_graphs(name) && !choice.engine.keeps_graph() {
                return Standing::AsExpected;
            }
            let verdict = finding.map_or(Verdict::Inconclusive, |finding| finding.verdict);
            match (expect, verdict) {
                (Expect::Verified, Verdict::Verified) | (Expect::Violated, Verdict::Violated) => {
                    Standing::AsExpected
                }
                (Expect::Verified, Verdict::Inconclusive) if asked_for(choice, report) => {
                    Standing::AsExpected
                }
                (_, Verdict::Inconclusive) => Standing::Inconclusive,
                _ => Standing::NotAsExpected,
            }
        };
        self.expect.iter().map(of_property).max().unwrap_or(Standing::Inconclusive)
    }
}

/// Whether the model asks for a search that does not end, and the engine ran as far as it asked.
fn asked_for(choice: EngineChoice, report: &Report) -> bool {
    choice.accepts_inconclusive && !report.cut_short
}
