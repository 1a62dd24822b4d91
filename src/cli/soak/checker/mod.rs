//! Holds what happened against the properties, while it happens and in bounded memory.
//!
//! The time of the checker is the number of the line: see [`fact`](super::fact). A violation is
//! claimed only where the order of the lines proves it; where a process may have been declared dead
//! and have gone on, which no protocol can prevent, that is counted and not claimed, so long as the
//! fencing token keeps it off the resource.
//!
//! A task is forgotten once it is done and no task that may have come before it is open. So memory
//! grows with the tasks that are open at once, and the driver bounds those.

mod binding;
mod counts;
mod fcfs;
mod known;
mod suspects;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use doorway::reservation::doorway::schema::State;
use serde::{Deserialize, Serialize};

pub(crate) use counts::Counts;

use self::binding::{Bindings, Double};
use self::fcfs::READINGS;
use self::known::Known;
use self::suspects::Suspects;
use super::fact::{Effect, Fact, Run, resource_name, task_name};

/// No two tasks of one resource run at once.
pub(crate) const EXCLUSIVITY: &str = "exclusivity";
/// The resource refuses only runs of workers that were declared dead, and a token names one run.
pub(crate) const FENCE: &str = "fence";
/// A resource is bound to at most one worker, and a worker to at most one resource.
pub(crate) const BINDING: &str = "binding";
/// Each task runs exactly once, or is cancelled, or failed with its worker.
pub(crate) const ONCE: &str = "once";
/// When all is done no reservation is left.
pub(crate) const NO_LEAK: &str = "no-leak";
/// No task waits for ever.
pub(crate) const PROGRESS: &str = "progress";
/// No process stops by itself.
pub(crate) const NO_FAILURE: &str = "no-failure";

/// Every property that the checker tells of.
pub(crate) const PROPERTIES: [&str; 10] = [
    EXCLUSIVITY,
    FENCE,
    BINDING,
    READINGS[0].0,
    READINGS[1].0,
    READINGS[2].0,
    ONCE,
    NO_LEAK,
    PROGRESS,
    NO_FAILURE,
];

/// A property that does not hold, and the lines that show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) property: &'static str,
    pub(crate) why: String,
    pub(crate) lines: Vec<String>,
}

/// How a task ends where no status says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keeps {
    /// The store keeps a status of each task.
    #[default]
    Statuses,
    /// It does not: a task is done when its run ends.
    Nothing,
}

/// All that the checker remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Checker {
    keeps: Keeps,
    /// The number of the line.
    now: u64,
    tasks: BTreeMap<u64, Known>,
    of_resource: BTreeMap<u64, BTreeSet<u64>>,
    /// The highest number of a task that was enqueued.
    last_task: u64,
    /// Of each resource the highest token that it has seen, and the task that came with it.
    fence: BTreeMap<u64, (i64, u64)>,
    bindings: Bindings,
    suspects: Suspects,
    counts: Counts,
    /// The tasks that are done and acknowledged, until they are asked for.
    over: Vec<u64>,
}

impl Checker {
    pub(crate) fn new(keeps: Keeps) -> Checker {
        Checker { keeps, ..Checker::default() }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes the next line, and tells what it shows to be violated.
    pub(crate) fn take(&mut self, by: u64, at: u64, fact: &Fact) -> Vec<Violation> {
        self.now += 1;
        self.counts.take(fact);
        self.remember_line(by, at, fact);
        let found = self.look(by, at, fact);
        for violation in &found {
            self.counts.violated(violation.property);
        }
        found
    }

    fn look(&mut self, by: u64, at: u64, fact: &Fact) -> Vec<Violation> {
        match fact {
            Fact::Enqueued { task, resource } => self.enqueued(*task, *resource, at),
            Fact::Delivered { task } => self.mark(*task, |known| &mut known.delivered),
            Fact::Acknowledged { task } => self.acknowledged(*task),
            Fact::Placing { task } => self.mark(*task, |known| &mut known.placing),
            Fact::Placed { task } => self.mark(*task, |known| &mut known.placed),
            Fact::Listed { tasks } => self.listed(tasks),
            Fact::Binding { document, resource, worker } => {
                let line = known::told(self.now, by, at, fact);
                self.bindings.binding(by, document, (resource, worker), line);
            }
            Fact::Bound { document, done } => return self.bound(by, document, *done),
            Fact::Unbinding { document } => self.bindings.unbinding(by, document),
            Fact::Unbound { document } => self.bindings.unbound(by, document),
            Fact::Burying { worker, incarnation } => {
                self.suspects.burying(by, worker, *incarnation)
            }
            Fact::Buried { done } => self.suspects.buried(by, *done),
            Fact::Began { task, run } => return self.began(by, *task, run),
            Fact::Ended { task } => return self.ended(by, *task),
            Fact::Acted { effect, accepted } => return self.acted(by, *effect, *accepted),
            Fact::Cancelled { task } => return self.settled(*task, State::Cancelled),
            Fact::Status { task, state } => return self.status(*task, *state),
            Fact::Gone { child } => self.gone(*child),
            Fact::Stopped { why } => {
                let why = format!("child {by} has stopped by itself: {why}");
                return vec![Violation { property: NO_FAILURE, why, lines: Vec::new() }];
            }
            Fact::Left { reservation } => {
                let why = format!("all is done, and {reservation} is left");
                return vec![Violation { property: NO_LEAK, why, lines: Vec::new() }];
            }
            Fact::Freed
            | Fact::Lost
            | Fact::Looked
            | Fact::Desk
            | Fact::Clock { .. }
            | Fact::Chaos { .. } => {}
        }
        Vec::new()
    }

    /// Whether the resource lets a run with this token act on it.
    pub(crate) fn accepts(&self, effect: Effect) -> bool {
        let highest = self.fence.get(&effect.resource).map(|(highest, _)| *highest);
        effect.token.is_none_or(|token| highest.is_none_or(|highest| token >= highest))
    }

    /// The tasks that are not known to be done, from the first, each with its resource.
    pub(crate) fn open(&self) -> impl Iterator<Item = (u64, u64)> {
        let open = self.tasks.iter().filter(|(_, known)| known.fate.is_none());
        open.map(|(task, known)| (*task, known.resource))
    }

    /// The tasks that have become done, with their message acknowledged, since this was asked for
    /// the last time: nobody will submit them again.
    pub(crate) fn take_over(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.over)
    }

    /// The first tasks that were handled and are not known to be done: the store may know more.
    pub(crate) fn to_ask_for(&self, most: usize) -> Vec<u64> {
        let handled = self.tasks.iter().filter(|(_, known)| known.fate.is_none());
        let handled = handled.filter(|(_, known)| known.is_acknowledged());
        handled.map(|(task, _)| *task).take(most).collect()
    }

    /// The driver was restarted: no child of before is alive, and what they said last may be lost.
    pub(crate) fn resume(&mut self, at: u64) {
        self.bindings.resume();
        self.suspects.resume();
        for known in self.tasks.values_mut() {
            known.by = None;
            known.since = at;
            known.blurred = true;
        }
    }

    /// The tasks that were enqueued and not acknowledged, from the first.
    pub(crate) fn unacknowledged(&self) -> impl Iterator<Item = (u64, u64)> {
        let kept = self.tasks.iter().filter(|(_, known)| !known.is_acknowledged());
        kept.map(|(task, known)| (*task, known.resource))
    }

    pub(crate) fn last_task(&self) -> u64 {
        self.last_task
    }

    /// Of all tasks that are open: whether one has waited for longer than it may.
    pub(crate) fn impatient(&mut self, at: u64, patience: Duration) -> Option<Violation> {
        let (task, known) = self.tasks.iter().find(|(_, known)| known.fate.is_none())?;
        let waited = Duration::from_nanos(at.saturating_sub(known.since));
        if waited < patience {
            return None;
        }
        let why = format!("{} is not done after {} s", task_name(*task), waited.as_secs());
        let lines = known.lines.clone();
        self.counts.violated(PROGRESS);
        Some(Violation { property: PROGRESS, why, lines })
    }

    /// When all has come to rest: the tasks of which nothing came.
    pub(crate) fn lost(&mut self) -> Vec<Violation> {
        let open: Vec<u64> = self.open().map(|(task, _)| task).collect();
        open.iter().map(|task| self.violation(ONCE, "is lost", &[*task])).collect()
    }

    fn enqueued(&mut self, task: u64, resource: u64, at: u64) {
        self.last_task = self.last_task.max(task);
        let now = self.now;
        self.tasks.entry(task).or_insert_with(|| Known::new(resource, now, at));
        self.of_resource.entry(resource).or_default().insert(task);
        self.remember_line(0, at, &Fact::Enqueued { task, resource });
    }

    /// Notes the first time of something.
    fn mark(&mut self, task: u64, of: impl Fn(&mut Known) -> &mut Option<u64>) {
        if let Some(known) = self.tasks.get_mut(&task) {
            of(known).get_or_insert(self.now);
        }
    }

    /// Nobody submits the task again.
    fn acknowledged(&mut self, task: u64) {
        let Some(known) = self.tasks.get_mut(&task).filter(|known| !known.is_acknowledged()) else {
            return;
        };
        known.acknowledged = Some(self.now);
        self.leave(task);
    }

    /// A task that has run may be in a list once more, where the answer to its submission was lost:
    /// it does not come anew.
    fn listed(&mut self, tasks: &[u64]) {
        for pair in tasks.windows(2) {
            let known = self.tasks.get_mut(&pair[1]);
            if let Some(known) = known.filter(|known| known.began.is_none()) {
                known.behind = Some(pair[0]);
            }
        }
    }

    fn bound(&mut self, by: u64, document: &str, done: bool) -> Vec<Violation> {
        let double = self.bindings.bound(by, document, done, self.now);
        self.counts.rebindings = self.bindings.rebindings();
        let violation = |Double { why, lines }| Violation { property: BINDING, why, lines };
        double.map(violation).into_iter().collect()
    }

    fn began(&mut self, by: u64, task: u64, run: &Run) -> Vec<Violation> {
        let Some(known) = self.tasks.get_mut(&task) else {
            let was = if task > self.last_task { "was never enqueued" } else { "was done before" };
            let why = format!("{} {was}, and runs", task_name(task));
            return vec![Violation { property: ONCE, why, lines: Vec::new() }];
        };
        let (before, fate) = (known.began.is_some(), known.fate);
        let is_suspect = self.suspects.contains(run);
        if before {
            return vec![self.violation(ONCE, "runs a second time", &[task])];
        }
        known.begin(by, run, self.now, self.last_task);
        let mut found = match fate {
            Some(State::Cancelled) => vec![self.violation(ONCE, "is cancelled, and runs", &[task])],
            Some(State::Failed) if !is_suspect => {
                vec![self.violation(ONCE, "has failed, and runs", &[task])]
            }
            _ => Vec::new(),
        };
        found.extend(self.overtaken(task));
        found
    }

    /// A run says something: it was under way all the time since it began.
    fn sign(&mut self, by: u64, task: u64) -> Vec<Violation> {
        match self.tasks.get(&task) {
            Some(known) if known.by == Some(by) => self.met(task),
            _ => Vec::new(),
        }
    }

    fn ended(&mut self, by: u64, task: u64) -> Vec<Violation> {
        let found = self.sign(by, task);
        if let Some(known) = self.tasks.get_mut(&task) {
            known.ended.get_or_insert(self.now);
            if self.keeps == Keeps::Nothing {
                self.settle(task, State::Finished);
            }
        }
        found
    }

    fn acted(&mut self, by: u64, effect: Effect, accepted: bool) -> Vec<Violation> {
        let mut found = self.sign(by, effect.task);
        let Some(token) = effect.token else { return found };
        if !accepted {
            let run = self.tasks.get(&effect.task).and_then(|known| known.run.as_ref());
            if run.is_some_and(|run| !self.suspects.contains(run)) {
                let what = "is refused by its resource, and its worker was not declared dead";
                let higher = self.fence.get(&effect.resource).map_or(0, |(_, task)| *task);
                found.push(self.violation(FENCE, what, &[effect.task, higher]));
            }
            return found;
        }
        let (highest, holder) = *self.fence.entry(effect.resource).or_insert((token, effect.task));
        if highest == token && holder != effect.task {
            let what = format!("has the token {token} of {}", task_name(holder));
            found.push(self.violation(FENCE, &what, &[effect.task, holder]));
        }
        self.fence.insert(effect.resource, (token, effect.task));
        found
    }

    fn status(&mut self, task: u64, state: Option<State>) -> Vec<Violation> {
        let Some(known) = self.tasks.get(&task).filter(|known| known.fate.is_none()) else {
            return Vec::new();
        };
        let wrong = match state {
            _ if known.blurred => None,
            None if known.is_acknowledged() => Some((ONCE, "was handled, and its status is gone")),
            Some(State::Finished) if known.ended.is_none() => {
                Some((ONCE, "is said to have finished, and no run of it has ended"))
            }
            Some(State::Failed) if self.runs_well(known) => {
                Some((FENCE, "failed, and its worker was neither dead nor declared so"))
            }
            _ => None,
        };
        let mut found: Vec<_> = wrong
            .map(|(property, what)| self.violation(property, what, &[task]))
            .into_iter()
            .collect();
        if let Some(state) = state.filter(|state| state.is_final()) {
            found.extend(self.settled(task, state));
        }
        found
    }

    /// Whether the run that is known of the task is of a process that is alive, was not declared
    /// dead, and was not refused by its resource.
    fn runs_well(&self, known: &Known) -> bool {
        let run = known.run.as_ref();
        known.by.is_some() && run.is_some_and(|run| !self.suspects.contains(run))
    }

    fn settled(&mut self, task: u64, state: State) -> Vec<Violation> {
        let began = self.tasks.get(&task).is_some_and(|known| known.began.is_some());
        let found = if state == State::Cancelled && began {
            vec![self.violation(ONCE, "is cancelled, and has run", &[task])]
        } else {
            Vec::new()
        };
        self.settle(task, state);
        found
    }

    /// A task is done; forgets what no open task can have come before.
    fn settle(&mut self, task: u64, state: State) {
        let Some(known) = self.tasks.get_mut(&task).filter(|known| known.fate.is_none()) else {
            return;
        };
        known.fate = Some(state);
        self.counts.settled(state);
        self.leave(task);
    }

    /// A task that is done and acknowledged is over.
    fn leave(&mut self, task: u64) {
        let Some(known) = self.tasks.get(&task).filter(|known| !known.is_open()) else { return };
        let resource = known.resource;
        self.over.push(task);
        self.forget(resource);
    }

    fn forget(&mut self, resource: u64) {
        let Some(tasks) = self.of_resource.get_mut(&resource) else { return };
        let is_open = |task: &&u64| self.tasks.get(task).is_some_and(|known| known.is_open());
        let first_open = tasks.iter().find(is_open).copied().unwrap_or(u64::MAX);
        let mut forgotten = Vec::new();
        for task in tasks.iter() {
            let known = self.tasks.get(task);
            if known.is_none_or(|known| !known.is_open() && known.horizon < first_open) {
                forgotten.push(*task);
            }
        }
        for task in forgotten {
            tasks.remove(&task);
            self.tasks.remove(&task);
        }
    }

    fn gone(&mut self, child: u64) {
        self.bindings.gone(child, self.now);
        self.suspects.gone(child);
        for known in self.tasks.values_mut().filter(|known| known.by == Some(child)) {
            known.by = None;
        }
    }

    fn remember_line(&mut self, by: u64, at: u64, fact: &Fact) {
        for task in known::about(fact) {
            if let Some(known) = self.tasks.get_mut(&task) {
                known.remember(self.now, by, at, fact);
            }
        }
    }

    /// What is wrong with the first of the tasks, with the lines of all of them in their order.
    fn violation(&self, property: &'static str, what: &str, tasks: &[u64]) -> Violation {
        let of = tasks.first().and_then(|task| self.tasks.get(task));
        let resource =
            of.map_or_else(String::new, |known| format!(" ({})", resource_name(known.resource)));
        let why = format!("{}{resource} {what}", task_name(*tasks.first().unwrap_or(&0)));
        let known = tasks.iter().filter_map(|task| self.tasks.get(task));
        let mut lines: Vec<&String> = known.flat_map(|known| &known.lines).collect();
        lines.sort();
        lines.dedup();
        Violation { property, why, lines: lines.into_iter().cloned().collect() }
    }
}
