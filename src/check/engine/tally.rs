//! What an engine that makes run after run has found so far.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashSet;

use super::options::Options;
use crate::check::monitor::Monitor;
use crate::check::run::{Outcome, Run};
use crate::check::system::System;
use crate::check::verdict::{Coverage, Finding, Report, Verdict};
use crate::store::Text;

/// What an engine that makes run after run has found so far.
pub(crate) struct Tally {
    system: Arc<System>,
    options: Options,
    began: Instant,
    executions: u64,
    steps: u64,
    /// For each property the shortest schedule by which it fell.
    shortest: Vec<Option<Vec<usize>>>,
    outcomes: FxHashSet<Outcome>,
}

impl Tally {
    pub(crate) fn new(system: &Arc<System>, options: &Options) -> Tally {
        Tally {
            system: Arc::clone(system),
            options: options.clone(),
            began: Instant::now(),
            executions: 0,
            steps: 0,
            shortest: vec![None; system.properties.len()],
            outcomes: FxHashSet::default(),
        }
    }

    /// Counts a run in which no process can go on. Returns why the search has to stop, if it has.
    pub(crate) fn add<S: Deref<Target = System>>(&mut self, mut run: Run<S>) -> Option<Text> {
        self.executions += 1;
        self.steps += run.schedule.len() as u64;
        self.options.progress.add_one();
        let falls: Vec<_> =
            run.end().iter().map(|fall| fall.as_ref().map(|fall| fall.steps)).collect();
        for (shortest, fell_after) in self.shortest.iter_mut().zip(falls) {
            let Some(steps) = fell_after else { continue };
            if shortest.as_ref().is_none_or(|known| steps < known.len()) {
                *shortest = Some(run.schedule[..steps].to_vec());
            }
        }
        if self.options.outcomes {
            self.outcomes.insert(run.outcome());
        }
        self.stop()
    }

    /// Why the search has to stop, if it has to.
    pub(crate) fn stop(&self) -> Option<Text> {
        self.options.stop(self.executions, self.began)
    }

    /// The report. `cut`: why the search was stopped before its end, if it was. `ended`: the
    /// engine has evidence that it made every run; else why not.
    pub(crate) fn report(
        self,
        engine: &'static str,
        cut: Option<Text>,
        ended: Result<(), Text>,
    ) -> Report {
        let cut_short = cut.is_some() || self.executions == 0;
        let no_run = (self.executions == 0).then(|| "it made no run".into());
        let stopped = cut.or(ended.err()).or(no_run);
        let finding = |(monitor, schedule): (&Arc<dyn Monitor>, Option<Vec<usize>>)| {
            let property: Text = monitor.name().into();
            let counterexample =
                schedule.and_then(|schedule| self.system.counterexample(&property, &schedule));
            let verdict = match (&counterexample, &stopped) {
                (Some(_), _) => Verdict::Violated,
                (None, Some(_)) => Verdict::Inconclusive,
                (None, None) if monitor.is_of_endless_runs() => Verdict::Inconclusive,
                (None, None) => Verdict::Verified,
            };
            Finding { property, verdict, counterexample }
        };
        Report {
            engine,
            findings: self.system.properties.iter().zip(self.shortest).map(finding).collect(),
            coverage: Coverage::Executions { executions: self.executions, steps: self.steps },
            time: self.began.elapsed(),
            outcomes: self.options.outcomes.then(|| self.outcomes.into_iter().collect()),
            guards_left_out: self.system.has_left_out_guards(),
            stopped,
            cut_short,
        }
    }
}
