//! Exclusivity, and first come, first served in its three readings.

use super::known::Known;
use super::{Checker, EXCLUSIVITY, Violation};
use crate::cli::soak::fact::task_name;

/// Whether one task certainly came before another, by one reading of what coming is.
type Before = fn((u64, &Known), (u64, &Known)) -> bool;

/// The three readings, each by its name.
pub(super) const READINGS: [(&str, Before); 3] = [
    ("fcfs-r1", |(_, a), (_, b)| a.enqueued < b.enqueued),
    ("fcfs-r2", |(name, a), (_, b)| b.behind == Some(name) || ended_before(a.placed, b.placing)),
    ("fcfs-r3", |(_, a), (_, b)| ended_before(a.acknowledged, b.delivered)),
];

/// Whether the doorway that ended at the first line, if it did, ended before that which began at
/// the second.
fn ended_before(ended: Option<u64>, began: Option<u64>) -> bool {
    ended.zip(began).is_some_and(|(ended, began)| ended < began)
}

impl Checker {
    /// The task begins now: what has certainly begun before, and came after it?
    pub(super) fn overtaken(&mut self, task: u64) -> Vec<Violation> {
        self.out_of_order(task, |_| true)
    }

    /// The task runs now, and has run since it began: what has begun meanwhile?
    pub(super) fn met(&mut self, task: u64) -> Vec<Violation> {
        let Some(began) = self.tasks.get(&task).and_then(|known| known.began) else {
            return Vec::new();
        };
        let since = |other: &Known| other.began.is_some_and(|other| other > began);
        let mut found = self.at_once(task, since);
        found.extend(self.out_of_order(task, since));
        found
    }

    /// Tasks of the same resource, of which a run began while this one certainly ran.
    fn at_once(&mut self, task: u64, meanwhile: impl Fn(&Known) -> bool) -> Vec<Violation> {
        let Some(known) = self.tasks.get(&task) else { return Vec::new() };
        let mut excused = 0;
        let mut found = Vec::new();
        for (other, met) in self.others(task, known).filter(|(_, met)| meanwhile(met)) {
            let token = |known: &Known| known.run.as_ref().and_then(|run| run.token);
            let earlier = if token(met) < token(known) { met } else { known };
            if earlier.run.as_ref().is_some_and(|run| self.suspects.contains(run)) {
                excused += 1;
            } else {
                let what = format!("runs while {} runs", task_name(other));
                found.push(self.violation(EXCLUSIVITY, &what, &[task, other]));
            }
        }
        self.counts.excused += excused;
        found
    }

    /// Tasks that came after this one, and began before it was done.
    fn out_of_order(&self, task: u64, which: impl Fn(&Known) -> bool) -> Vec<Violation> {
        let Some(known) = self.tasks.get(&task) else { return Vec::new() };
        if known.run.as_ref().is_some_and(|run| self.suspects.contains(run)) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (reading, before) in READINGS {
            let later = |(other, met): &(u64, &Known)| {
                which(met) && met.began.is_some() && before((task, known), (*other, met))
            };
            if let Some((other, _)) = self.others(task, known).find(later) {
                let what =
                    format!("came before {}, which began before it was done", task_name(other));
                found.push(self.violation(reading, &what, &[task, other]));
            }
        }
        found
    }

    /// The other tasks of the same resource that are remembered.
    fn others<'a>(
        &'a self,
        task: u64,
        known: &Known,
    ) -> impl Iterator<Item = (u64, &'a Known)> + use<'a> {
        let tasks = self.of_resource.get(&known.resource).into_iter().flatten();
        tasks
            .filter(move |other| **other != task)
            .filter_map(|other| Some((*other, self.tasks.get(other)?)))
    }
}
