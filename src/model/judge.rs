//! Running an engine on a model, and holding what it says against what is expected.

use super::{EngineChoice, EngineKind, Expect, Model};
use crate::check::engine::Options;
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

/// An engine that this build of the crate was made without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable(pub EngineKind);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "this build is without {}: enable the feature of that name", self.0.name())
    }
}

impl std::error::Error for Unavailable {}

impl EngineKind {
    /// Runs the engine on a system.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] where the feature of the engine is not enabled.
    pub fn run(self, system: &System, options: &Options) -> Result<Report, Unavailable> {
        match self {
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
                    EngineKind::Loom | EngineKind::ShuttleDfs => Choose::DepthFirst,
                };
                Ok(check(system, choose, options))
            }
            #[allow(unreachable_patterns)]
            other => {
                let _ = (system, options);
                Err(Unavailable(other))
            }
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
            let verdict = report.of(name).map_or(Verdict::Inconclusive, |finding| finding.verdict);
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
