//! Exploring: every reachable state of the real code, once.
//!
//! The idea is that of explicit-state model checking (Holzmann, *The SPIN Model Checker*, 2003),
//! without a model. A process whose only input are the answers that it gets is a function of them:
//! so its automaton is learnt from the running code (`automaton`) and minimised (`minimise`),
//! what a step does is found out once and then looked up (`space`, `judge`), a global state is
//! a few small numbers, packed exactly (`pack`), and the set of the states seen is one flat
//! table (`table`) that is filled breadth first (`search`).

#[cfg(all(test, feature = "cli"))]
mod ample_count;
mod automaton;
#[cfg(test)]
mod brute_force;
mod candidates;
mod error;
mod graph;
mod group;
mod hint;
mod intern;
mod judge;
mod jumps;
mod lens;
mod limits;
mod liveness;
mod minimise;
#[cfg(all(test, feature = "cli"))]
mod orbit_count;
mod orbits;
mod pack;
#[cfg(all(test, feature = "cli"))]
mod quotient_count;
mod renaming;
mod rows;
mod scales;
mod scenes;
mod search;
mod shortest;
mod space;
mod table;
mod walk;
#[cfg(all(test, feature = "cli"))]
mod whole;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use error::CheckError;
pub use limits::{Limits, Progress, Watcher};
pub use liveness::{NO_LIVELOCK, PROGRESS};

use limits::Watch;
use liveness::{Endless, Lasso};
use search::{Ended, Search, Tally};
use space::{Global, Space};

use crate::check::fault::Choice;
use crate::check::monitor::Monitor;
use crate::check::process::Process;
use crate::check::run::Outcome;
use crate::check::strand::Strand;
use crate::check::system::System;
pub use crate::check::verdict::Reductions;
use crate::check::verdict::{Coverage, Finding, Report, Verdict};
use crate::store::Text;

/// How a system is explored.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// So many threads; what is found does not depend on it.
    pub threads: NonZeroUsize,
    /// When to give up.
    pub limits: Limits,
    /// Set it, and the search ends soon, with what it has found.
    pub cancel: Arc<AtomicBool>,
    /// Who is told how far the search is.
    pub progress: Option<Watcher>,
    /// Whether the report says what the runs came to: the stores and how the processes ended. The
    /// events are history, and no part of a state: they are left out.
    pub outcomes: bool,
    /// What may be left out because it cannot matter. A counterexample is never reduced.
    pub reductions: Reductions,
    /// Whether the report also says if [`PROGRESS`] and [`NO_LIVELOCK`] hold. The whole graph is
    /// kept for it: some 80 bytes a state and 8 a transition.
    pub liveness: bool,
    /// Whether the search ends when the first property falls: the verdicts of the others are then
    /// inconclusive.
    pub first_fall: bool,
}

impl Default for ExploreOptions {
    fn default() -> ExploreOptions {
        ExploreOptions {
            threads: NonZeroUsize::MIN,
            limits: Limits::default(),
            cancel: Arc::default(),
            progress: None,
            outcomes: false,
            reductions: Reductions::default(),
            liveness: false,
            first_fall: false,
        }
    }
}

/// What a whole exploration has found.
struct Exploration<'s> {
    system: &'s System,
    space: Space<'s>,
    watch: Watch,
    threads: usize,
    reductions: Reductions,
    /// Which properties fell.
    fallen: BTreeSet<usize>,
    outcomes: Option<BTreeSet<Outcome>>,
    first_fall: bool,
    liveness: bool,
    /// Why a search was stopped that came after one that had ended.
    cut: Option<Text>,
}

/// What the ends of runs came to that one pass of the search has seen.
#[derive(Default)]
struct AtEnds {
    /// Which properties fell there.
    fallen: BTreeSet<usize>,
    outcomes: BTreeSet<Outcome>,
}

/// Visits every reachable state of a system, and says which properties hold.
///
/// A property that falls is reported with the shortest run that breaks it; where all have fallen, and
/// nothing else is asked for, the search ends. What is counted are the
/// states and transitions of the system with the properties that no step breaks.
///
/// # Errors
///
/// A process that is not a function of the answers that it gets, a system without a process, with
/// two of one name, or with states too wide to be packed, and a property that panics.
pub fn explore(system: &System, options: &ExploreOptions) -> Result<Report, CheckError> {
    check_names(system)?;
    let mut exploration = Exploration {
        system,
        space: Space::new(system)?,
        watch: Watch::new(options.limits, &options.cancel, options.progress.clone()),
        threads: options.threads.get(),
        reductions: options.reductions,
        fallen: BTreeSet::new(),
        outcomes: options.outcomes.then(BTreeSet::new),
        first_fall: options.first_fall,
        liveness: options.liveness,
        cut: None,
    };
    exploration.space.walk(options.reductions.ordinals)?;
    if options.reductions.symmetry {
        exploration.space.consider(candidates::candidates(system)?);
    }
    let (stopped, tally) = exploration.visit_all()?;
    exploration.reductions.symmetry &= exploration.space.symmetries() > 1;
    exploration.reductions.ordinals &= exploration.space.uses_ordinals();
    let store = &system.world.store;
    let never_changes = store.collections().any(|collection| store.is_immutable(collection));
    exploration.reductions.immutable_reads &= never_changes;
    exploration.watch.enough().store(false, Ordering::Relaxed);
    let stopped = exploration.check_again(stopped)?;
    let liveness = if options.liveness { exploration.liveness(&stopped)? } else { Vec::new() };
    let endless = exploration.endless(&stopped)?;
    let cut = exploration.cut.take();
    let mut report = exploration.report(stopped, tally)?;
    report.findings.iter_mut().zip(endless).for_each(|(finding, endless)| {
        if finding.verdict == Verdict::Verified {
            *finding = endless.unwrap_or_else(|| finding.clone());
        }
    });
    report.findings.extend(liveness);
    report.cut_short |= cut.is_some();
    report.stopped = report.stopped.or(cut);
    Ok(report)
}

fn check_names(system: &System) -> Result<(), CheckError> {
    if system.processes.is_empty() {
        return Err(CheckError::malformed("the system has no process"));
    }
    let mut names = BTreeSet::new();
    let reserved = system.processes.iter().find(|process| Choice::takes_name(&process.name));
    if let Some(Process { name, .. }) = reserved {
        let why = format!("a process cannot be called {name}: schedules mean the database by it");
        return Err(CheckError::malformed(why));
    }
    let of_guard = |process: &&Process| {
        let base = Strand::of_name(&process.name).map(|(base, _)| base);
        base.is_some_and(|base| system.processes.iter().any(|other| *other.name == *base))
    };
    if let Some(Process { name, .. }) = system.processes.iter().find(of_guard) {
        let why = format!("a process cannot be called {name}: schedules mean a guard by it");
        return Err(CheckError::malformed(why));
    }
    match system.processes.iter().find(|process| !names.insert(&process.name)) {
        None => Ok(()),
        Some(twice) => {
            Err(CheckError::malformed(format!("two processes are called {}", twice.name)))
        }
    }
}

impl Exploration<'_> {
    /// Visits every state; says why not, if it had to stop.
    ///
    /// Where the search comes upon something by which states have to be told apart in another
    /// way, it begins again with what was learnt. So it does without a property that a step broke,
    /// so that what the others remember is all that is left of the past.
    fn visit_all(&mut self) -> Result<(Option<Text>, Tally), CheckError> {
        let mut words = 1;
        let mut broken = BTreeSet::<usize>::new();
        let mut furthest = Tally::default();
        loop {
            let in_play: Vec<usize> =
                (0..self.system.properties.len()).filter(|p| !broken.contains(p)).collect();
            self.space.reset(&in_play, self.reductions);
            let (ended, tally, mut found) = self.pass(words)?;
            if tally.states >= furthest.states || tally.depth >= furthest.depth {
                furthest = tally;
            }
            if !self.space.is_askew() {
                broken.extend(self.space.judge.fallen());
                found.fallen.extend(self.space.judge.fallen());
                self.fallen.append(&mut found.fallen);
                if let Some(outcomes) = &mut self.outcomes {
                    outcomes.append(&mut found.outcomes);
                }
            }
            match ended {
                Ended::Exhausted => return Ok((None, tally)),
                _ if self.first_fall && !self.fallen.is_empty() => {
                    return Ok((Some("a property fell".into()), tally));
                }
                _ if self.has_nothing_to_ask() => {
                    return Ok((Some("every property fell".into()), tally));
                }
                // A pass that had just begun again would tell nothing of how far the search came.
                Ended::Stopped(why) => return Ok((Some(self.with_scales(why)), furthest)),
                Ended::Again => {}
                Ended::Wider if words == 4 => {
                    return Err(CheckError::too_wide(self.space.counts().bits()));
                }
                Ended::Wider => words *= 2,
            }
        }
    }

    /// Why a search was stopped, with what may have kept it from its end.
    fn with_scales(&self, why: Text) -> Text {
        let scales: Vec<&str> = self.space.scales_set_back().collect();
        match &scales[..] {
            [] => why,
            names => {
                let names = names.join(", ");
                format!("{why}; a counter of {names} is set back, so its numbers count").into()
            }
        }
    }

    /// Whether every property has fallen, and the rest of the states would tell nothing.
    fn has_nothing_to_ask(&self) -> bool {
        let properties = self.system.properties.len();
        properties > 0
            && self.fallen.len() == properties
            && self.outcomes.is_none()
            && !self.liveness
    }

    fn pass(&mut self, words: usize) -> Result<(Ended, Tally, AtEnds), CheckError> {
        let Exploration { space, watch, threads, fallen, outcomes, first_fall, .. } = self;
        let mut found = AtEnds::default();
        let enough = watch.enough();
        enough.store(false, Ordering::Relaxed);
        let mut at_end = |space: &Space<'_>, state: &Global| {
            for state in space.orbit(state) {
                let is_new =
                    |property| !fallen.contains(&property) && !found.fallen.contains(&property);
                let falls = space.end(&state, is_new)?;
                found.fallen.extend(falls);
                if outcomes.is_some() {
                    found.outcomes.insert(outcome(space, &state));
                }
            }
            if *first_fall && !found.fallen.is_empty() {
                enough.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        let (ended, tally) = match words {
            1 => Search::<1>::run(space, watch, *threads, &mut at_end),
            2 => Search::<2>::run(space, watch, *threads, &mut at_end),
            _ => Search::<4>::run(space, watch, *threads, &mut at_end),
        }?;
        Ok((ended, tally, found))
    }

    /// Holds the code against what was learnt of it; says why the whole did not come to its end.
    fn check_again(&mut self, stopped: Option<Text>) -> Result<Option<Text>, CheckError> {
        if stopped.is_some() {
            self.watch.grant_a_moment();
        }
        let watch = &self.watch;
        let none = limits::Progress::default();
        let stop = || watch.stop(&limits::Progress { time: watch.elapsed(), ..none });
        Ok(stopped.or(self.space.check_again(&stop)?))
    }

    fn liveness(&mut self, stopped: &Option<Text>) -> Result<Vec<Finding>, CheckError> {
        let found = match stopped {
            None => match liveness::check(&mut self.space, &self.watch, self.threads)? {
                Ok(found) => Some(found),
                Err(why) => {
                    self.cut = Some(why);
                    None
                }
            },
            Some(_) => None,
        };
        let properties = [
            (PROGRESS, "from here no run comes to an end at which nobody waits"),
            (NO_LIVELOCK, "this goes on for ever, and is fair to every process"),
        ];
        let lassos = found.map(|found| [found.without_progress, found.livelock]);
        let finding = |(number, (property, why)): (usize, (&'static str, &str))| {
            let lasso = lassos.as_ref().map(|lassos| lassos[number].as_ref());
            let verdict = match lasso {
                None => Verdict::Inconclusive,
                Some(None) => Verdict::Verified,
                Some(Some(_)) => Verdict::Violated,
            };
            let lasso = lasso.flatten();
            let counterexample =
                lasso.and_then(|lasso| self.system.lasso(property, why, &lasso.stem, &lasso.cycle));
            Finding { property: property.into(), verdict, counterexample }
        };
        Ok(properties.into_iter().enumerate().map(finding).collect())
    }

    /// For each property of runs without end what is to be said of it, if no run with one breaks it.
    fn endless(&mut self, stopped: &Option<Text>) -> Result<Vec<Option<Finding>>, CheckError> {
        let system = self.system;
        let mut one = |(number, monitor): (usize, &Arc<dyn Monitor>)| {
            if !monitor.is_of_endless_runs() || stopped.is_some() || self.fallen.contains(&number) {
                return Ok(None);
            }
            let (verdict, counterexample) =
                match liveness::endless(&mut self.space, &self.watch, self.threads, number)? {
                    Endless::NeverOwed => (Verdict::Verified, None),
                    Endless::Stopped(why) => {
                        self.cut = Some(why);
                        (Verdict::Inconclusive, None)
                    }
                    Endless::Owed(what, Lasso { stem, cycle }) => {
                        let why =
                            format!("this goes on for ever, is fair to all, and {what} is owed");
                        (Verdict::Violated, system.lasso(monitor.name(), &why, &stem, &cycle))
                    }
                };
            Ok(Some(Finding { property: monitor.name().into(), verdict, counterexample }))
        };
        system.properties.iter().enumerate().map(&mut one).collect()
    }

    fn report(mut self, stopped: Option<Text>, tally: Tally) -> Result<Report, CheckError> {
        let time = self.watch.elapsed();
        self.watch.grant_a_moment();
        let mut findings = Vec::with_capacity(self.system.properties.len());
        for (property, monitor) in self.system.properties.iter().enumerate() {
            let fell = self.fallen.contains(&property);
            let counterexample = if fell {
                let schedule = shortest::schedule(&mut self.space, &self.watch, property)?;
                schedule.and_then(|schedule| {
                    self.system.counterexample_with_faults(monitor.name(), &schedule)
                })
            } else {
                None
            };
            let verdict = match (fell, &stopped) {
                (true, _) => Verdict::Violated,
                (false, Some(_)) => Verdict::Inconclusive,
                (false, None) => Verdict::Verified,
            };
            findings.push(Finding { property: monitor.name().into(), verdict, counterexample });
        }
        let Tally { states, transitions, depth, .. } = tally;
        Ok(Report {
            engine: "explore",
            findings,
            cut_short: stopped.is_some(),
            stopped,
            coverage: Coverage::States { states, transitions, depth, reductions: self.reductions },
            time,
            guards_left_out: self.system.has_left_out_guards(),
            outcomes: self.outcomes,
        })
    }
}

/// What the runs that end in a state came to.
fn outcome(space: &Space<'_>, state: &Global) -> Outcome {
    let ended = |process| space.at(state, process).to_string();
    Outcome {
        store: space.world(state).store,
        events: Vec::new(),
        processes: (0..space.system.processes.len()).map(ended).collect(),
    }
}
