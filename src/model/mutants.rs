//! The mutants of a design: what it has that no model needs, its models do not check.
//!
//! Each command that a design sends, in any of some models, is changed in each way that
//! [`Change`] knows, and each index is left out. A mutant is *killed*
//! by the first model in which a property falls that the model expects to hold.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::property::OF_GRAPHS;
use super::{Expect, Model};
use crate::check::engine::explore::{CheckError, ExploreOptions, Limits, explore};
use crate::check::mutation::{Change, Mutation, Shape, Shapes};
use crate::check::{Coverage, Report, System, Verdict};
use crate::store::{StoreError, Text};

/// The models that are to kill mutants, each with what it is without one.
pub struct Killers {
    /// The quickest first.
    models: Vec<Killer>,
    /// Models of one mutant each, made to show that it falls.
    made_for: Vec<Model>,
    /// So many bytes the search of a mutant may take, if that is said.
    memory: Option<usize>,
}

/// A model without a mutant.
pub struct Killer {
    /// The model.
    pub model: Model,
    /// The states and transitions of its system.
    pub graph: (u64, u64),
    /// How long they took.
    pub time: Duration,
    shapes: BTreeSet<Shape>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A property fell.
    Killed {
        /// Which.
        property: String,
        /// In which model.
        model: String,
        /// After how many steps.
        steps: usize,
    },
    /// The store refused the command, or the explorer the process.
    Refused {
        /// In which model.
        model: String,
        /// Why.
        why: String,
    },
    /// No property fell.
    Survived {
        /// The models in which the graph of states is another one than without the mutant.
        differs: Vec<String>,
        /// The models of which the graph was not seen whole: there it may be killed yet.
        unended: Vec<String>,
    },
}

impl Fate {
    /// What becomes of a mutant in other models too.
    #[must_use]
    pub fn and(self, others: Fate) -> Fate {
        match (self, others) {
            (
                Fate::Survived { mut differs, mut unended },
                Fate::Survived { differs: more, unended: cut },
            ) => {
                differs.extend(more);
                unended.extend(cut);
                Fate::Survived { differs, unended }
            }
            (Fate::Survived { .. }, dead) => dead,
            (dead, _) => dead,
        }
    }

    /// Whether nothing in any model tells the mutant from what it was made of: no property fell, and
    /// every graph was seen whole and is the same.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        matches!(self, Fate::Survived { differs, unended } if differs.is_empty() && unended.is_empty())
    }
}

/// Why there is nothing to say of mutants.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unfit {
    /// A model cannot be set up.
    Store(String, StoreError),
    /// The explorer refuses a model.
    Refused(String, CheckError),
    /// A model is not as it expects, also without a mutant.
    Wanting(String),
    /// A model was not explored whole, for this limit.
    Unended(String, Text),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unfit::Store(model, error) => write!(f, "{model} cannot be set up: {error}"),
            Unfit::Refused(model, error) => write!(f, "{model}: {error}"),
            Unfit::Unended(model, limit) => {
                write!(f, "{model} was not explored whole, as {limit}: leave it out by --largest")
            }
            Unfit::Wanting(model) => {
                write!(f, "{model} is not verified without a mutant: nothing can be said of any")
            }
        }
    }
}

impl std::error::Error for Unfit {}

/// A mutant's graph may be so many times as large before it is given up, and so many states more.
const LARGER: u64 = 4;
const MORE: u64 = 100_000;

impl Killers {
    /// Explores each model as it is, and leaves those out that have more states than the limits allow. The
    /// properties that a model expects to be violated are left out. A model with a mutant of its own is
    /// explored when that one is judged. The limit of memory is one for each mutant too.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where a model does not hold what it expects, or another limit was reached.
    pub fn prepare(models: Vec<Model>, limits: Limits) -> Result<Killers, Unfit> {
        let mut prepared = Vec::new();
        let (made_for, models): (Vec<_>, Vec<_>) =
            models.into_iter().partition(|model| model.mutant.is_some());
        for model in models {
            prepared.extend(Killer::prepare(model, limits)?);
        }
        prepared.sort_by_key(|killer| killer.graph);
        Ok(Killers { models: prepared, made_for, memory: limits.memory })
    }

    /// The models, the smallest first.
    #[must_use]
    pub fn models(&self) -> &[Killer] {
        &self.models
    }

    /// Every mutant of what the models send.
    #[must_use]
    pub fn mutants(&self) -> BTreeSet<Mutation> {
        let shapes = self.models.iter().flat_map(|killer| &killer.shapes);
        let systems = self.models.iter().filter_map(|killer| killer.model.system().ok());
        let indexes: Vec<Mutation> = systems
            .flat_map(|system| Mutation::of_indexes(&system.world.store).collect::<Vec<_>>())
            .collect();
        Mutation::of(shapes).chain(indexes).collect()
    }

    /// What becomes of a mutant in the models in which it can make a difference.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where a model cannot be set up.
    pub fn judge(&self, mutation: &Mutation) -> Result<Fate, Unfit> {
        self.judge_with(mutation, |killer| Some(killer.time * 4 + Duration::from_secs(10)))
    }

    /// As [`Killers::judge`], but takes the time that it takes: that a machine is busy must not make a mutant
    /// look as if its graph had no end.
    ///
    /// # Errors
    ///
    /// As [`Killers::judge`].
    pub fn judge_patiently(&self, mutation: &Mutation) -> Result<Fate, Unfit> {
        self.judge_with(mutation, |_| None)
    }

    fn judge_with(
        &self,
        mutation: &Mutation,
        time: impl Fn(&Killer) -> Option<Duration>,
    ) -> Result<Fate, Unfit> {
        let mut fate = Fate::Survived { differs: Vec::new(), unended: Vec::new() };
        for model in self.made_for.iter().filter(|model| model.mutant.as_ref() == Some(mutation)) {
            if let Some(killed) = falls(model)? {
                return Ok(killed);
            }
        }
        for killer in self.models.iter().filter(|killer| killer.concerns(mutation)) {
            let limits = Limits { time: time(killer), memory: self.memory, ..Limits::default() };
            fate = fate.and(killer.judge(mutation, limits)?);
            if !matches!(fate, Fate::Survived { .. }) {
                break;
            }
        }
        Ok(fate)
    }
}

impl Killer {
    /// `None` where the model is larger.
    fn prepare(model: Model, limits: Limits) -> Result<Option<Killer>, Unfit> {
        let shapes = Shapes::default();
        let system = wanted(&model)?.recording(&model.literals(), &shapes);
        let options = ExploreOptions { threads: threads(), limits, ..ExploreOptions::default() };
        let report = explore(&system, &options)
            .map_err(|error| Unfit::Refused(model.name.clone(), error))?;
        match (report.verdict(), report.stopped.clone()) {
            (Verdict::Verified, _) => {}
            (Verdict::Inconclusive, _) if is_larger(&report, limits) => return Ok(None),
            (Verdict::Inconclusive, Some(limit)) => return Err(Unfit::Unended(model.name, limit)),
            _ => return Err(Unfit::Wanting(model.name)),
        }
        let (graph, time, shapes) = (graph(&report), report.time, shapes.seen());
        Ok(Some(Killer { model, graph, time, shapes }))
    }

    /// Whether the mutant can make a difference here.
    fn concerns(&self, mutation: &Mutation) -> bool {
        let Mutation::Command { command, change } = mutation else { return true };
        let sends = self.shapes.iter().any(|shape| *shape.to_string() == **command);
        sends
            && match change {
                Change::UnknownIsDone | Change::UnknownIsNotDone => {
                    self.model.faults.leaves_unknown()
                }
                Change::WeakWrite => self.model.faults.fails_over(),
                Change::WeakRead => self.model.faults.fails_over() || self.model.faults.lags(),
                _ => true,
            }
    }

    fn judge(&self, mutation: &Mutation, limits: Limits) -> Result<Fate, Unfit> {
        let system = wanted(&self.model)?.mutated(&self.model.literals(), mutation.clone());
        let options = ExploreOptions {
            threads: threads(),
            first_fall: true,
            liveness: is_live(&self.model),
            limits: Limits { states: Some(self.graph.0 * LARGER + MORE), ..limits },
            ..ExploreOptions::default()
        };
        let model = self.model.name.clone();
        let report = match explore(&system, &options) {
            Ok(report) => report,
            Err(error) => return Ok(Fate::Refused { model, why: error.to_string() }),
        };
        Ok(match fallen(&report, &model) {
            Some(killed) => killed,
            None if report.cut_short => {
                Fate::Survived { differs: Vec::new(), unended: vec![model] }
            }
            None => {
                let differs = (graph(&report) != self.graph).then_some(model);
                Fate::Survived { differs: differs.into_iter().collect(), unended: Vec::new() }
            }
        })
    }
}

/// How the mutant falls that a model was made for, if it does.
fn falls(model: &Model) -> Result<Option<Fate>, Unfit> {
    let mut system = model.system().map_err(|error| Unfit::Store(model.name.clone(), error))?;
    system.properties.retain(|property| model.expected(property.name()) == Some(Expect::Violated));
    if system.properties.is_empty() {
        return Ok(None);
    }
    let options = ExploreOptions { threads: threads(), first_fall: true, ..Default::default() };
    let report =
        explore(&system, &options).map_err(|error| Unfit::Refused(model.name.clone(), error))?;
    Ok(fallen(&report, &model.name))
}

/// The first property that fell.
fn fallen(report: &Report, model: &str) -> Option<Fate> {
    let finding = report.findings.iter().find(|finding| finding.verdict == Verdict::Violated)?;
    let steps = finding.counterexample.as_ref().map_or(0, |run| run.steps.len());
    Some(Fate::Killed { property: finding.property.to_string(), model: model.to_owned(), steps })
}

/// The system of a model, with the properties that it expects to hold.
fn wanted(model: &Model) -> Result<System, Unfit> {
    let mut system = model.system().map_err(|error| Unfit::Store(model.name.clone(), error))?;
    system.properties.retain(|property| {
        model.expected(property.name()) == Some(Expect::Verified) && !property.is_of_endless_runs()
    });
    Ok(system)
}

/// Whether the model expects something of the whole graph to hold.
fn is_live(model: &Model) -> bool {
    let held = |(name, _): &(&str, &str)| model.expected(name) == Some(Expect::Verified);
    OF_GRAPHS.iter().any(held)
}

/// Whether it was not explored whole for having more states.
fn is_larger(report: &Report, limits: Limits) -> bool {
    limits.states.is_some_and(|largest| graph(report).0 >= largest)
}

fn graph(report: &Report) -> (u64, u64) {
    match report.coverage {
        Coverage::States { states, transitions, .. } => (states, transitions),
        _ => (0, 0),
    }
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
