//! What may go wrong, and how often: faults at the edge between the processes and the world.

use std::collections::BTreeSet;
use std::fmt;

use super::process::Process;
use super::request::{Answer, Request};
use super::step::{self, At, Resume, Stepped};
use super::system::{Commands, System};
use super::world::{Pending, World};
use crate::env::Event;
use crate::store::memory::{Access, Execution};
use crate::store::{StoreError, Text};

/// What may go wrong, and how often at most in one run. By default nothing does.
///
/// ```
/// use doorway::check::Faults;
///
/// let faults = Faults::default().crashes(1).unknown_outcomes(1).among(["manager-1"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    crashes: u32,
    gone_for_good: bool,
    unknown_outcomes: u32,
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
    /// the write was done, was not, or will be done at any time from now on. A write that is the
    /// first thing that a process asks for after a pause is not hit.
    #[must_use]
    pub fn unknown_outcomes(mut self, unknown_outcomes: u32) -> Faults {
        self.unknown_outcomes = unknown_outcomes;
        self
    }

    /// It happens to these processes only.
    #[must_use]
    pub fn among<T: Into<Text>>(mut self, processes: impl IntoIterator<Item = T>) -> Faults {
        self.among = Some(processes.into_iter().map(Into::into).collect());
        self
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.crashes == 0 && self.unknown_outcomes == 0
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
        let count = |n: u32, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{n} {what}s")),
        };
        let crash = if self.gone_for_good { "crash for good" } else { "crash" };
        let unknown = count(self.unknown_outcomes, "unknown outcome");
        let crashes = match (self.crashes, self.gone_for_good) {
            (2.., true) => Some(format!("{} crashes for good", self.crashes)),
            (2.., false) => Some(format!("{} crashes", self.crashes)),
            (n, _) => count(n, crash),
        };
        let all: Vec<String> = crashes.into_iter().chain(unknown).collect();
        f.write_str(&all.join(" and "))?;
        let among: Vec<&str> = self.named().map(|name| &**name).collect();
        if among.is_empty() { Ok(()) } else { write!(f, " of {}", among.join(", ")) }
    }
}

/// What is left of the faults, and what is under way because of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Budget {
    crashes: u32,
    unknown_outcomes: u32,
    /// The writes that are done some time, each with the process that asked for it.
    pub(crate) late: Vec<(usize, Execution)>,
}

impl Budget {
    pub(crate) fn new(faults: &Faults) -> Budget {
        Budget {
            crashes: faults.crashes,
            unknown_outcomes: faults.unknown_outcomes,
            late: Vec::new(),
        }
    }

    /// Which kinds of faults there may still be.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        let crash = (self.crashes > 0).then_some(Kind::Crash);
        let unknown = [Kind::Lost, Kind::Unanswered, Kind::Late];
        let unknown = (self.unknown_outcomes > 0).then_some(unknown);
        crash.into_iter().chain(unknown.into_iter().flatten())
    }
}

/// What happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Its next step.
    Step,
    /// It crashes.
    Crash,
    /// Its write is not done, and it is not told.
    Lost,
    /// Its write is done, and it is not told.
    Unanswered,
    /// Its write will be done, and it is not told.
    Late,
    /// A write of its that is late goes on, or is done.
    Lands,
}

impl Kind {
    const ALL: [(Kind, &str); 6] = [
        (Kind::Step, ""),
        (Kind::Crash, "crash:"),
        (Kind::Lost, "lost:"),
        (Kind::Unanswered, "unanswered:"),
        (Kind::Late, "late:"),
        (Kind::Lands, "lands:"),
    ];
}

/// One choice of an engine: to which process happens what. Of several late writes of a process
/// the one that was asked for first lands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) kind: Kind,
    pub(crate) process: usize,
}

impl Choice {
    pub(crate) fn step(process: usize) -> Choice {
        Choice { kind: Kind::Step, process }
    }

    /// A number that says all of it.
    pub(crate) fn number(self) -> u32 {
        (self.process * Kind::ALL.len()) as u32 + self.kind as u32
    }

    pub(crate) fn of_number(number: u32) -> Choice {
        let (process, kind) =
            (number as usize / Kind::ALL.len(), number as usize % Kind::ALL.len());
        Choice { kind: Kind::ALL[kind].0, process }
    }

    /// How schedules spell it: `manager-1`, `crash:manager-1`.
    pub(crate) fn word(self, system: &System) -> Text {
        let prefix = Kind::ALL.iter().find(|(kind, _)| *kind == self.kind);
        let name = &system.processes[self.process].name;
        format!("{}{name}", prefix.map_or("", |(_, prefix)| prefix)).into()
    }

    /// The choice that a word of a schedule is, if there is such a process.
    pub(crate) fn of_word(word: &str, system: &System) -> Option<Choice> {
        let number = |name: &str| system.processes.iter().position(|known| *known.name == *name);
        Kind::ALL.iter().find_map(|(kind, prefix)| {
            let process = number(word.strip_prefix(prefix)?)?;
            Some(Choice { kind: *kind, process })
        })
    }
}

/// What it does to a request, for a trace.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Step => "",
            Kind::Crash => "crashes",
            Kind::Lost => "lost, and not done: ",
            Kind::Unanswered => "done, and the answer lost: ",
            Kind::Late => "not done yet, and the answer lost: ",
            Kind::Lands => "late, from before: ",
        })
    }
}

/// Runs a process from its start, to where it stands and what it tells.
pub(crate) type Restart<'a> = &'a mut dyn FnMut() -> (At, Vec<Event>);

/// Makes a choice happen, and says what it did; `None` where it cannot.
pub(crate) fn take(
    system: &System,
    choice: Choice,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    restart: Restart<'_>,
    resume: Resume<'_>,
) -> Option<(Stepped, Access)> {
    let process = &system.processes[choice.process];
    let is_fault = !matches!(choice.kind, Kind::Step | Kind::Lands);
    if is_fault && (system.faults.spares(process) || !budget.kinds().any(|k| k == choice.kind)) {
        return None;
    }
    match choice.kind {
        Kind::Step => step::take(world, &process.name, at, system, resume),
        Kind::Lands => land(choice.process, world, budget, system.commands),
        Kind::Crash => {
            at.pending()?;
            budget.crashes -= 1;
            world.messages.redeliver(&process.name);
            let gone = system.faults.gone_for_good;
            let (next, events) = if gone { (At::Crashed, Vec::new()) } else { restart() };
            *at = next;
            let failure = at.failure().cloned();
            Some((Stepped { events, failure, crashed: true, ..Stepped::default() }, Access::Write))
        }
        Kind::Lost | Kind::Unanswered | Kind::Late => {
            leave_unknown(system, choice, world, budget, at, resume)
        }
    }
}

/// A write of which the process is not told the outcome. (Not the one with which it wakes from a
/// pause: that is one step with the waking.)
fn leave_unknown(
    system: &System,
    Choice { kind, process }: Choice,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    resume: Resume<'_>,
) -> Option<(Stepped, Access)> {
    let At::Asks(Pending::Command(execution)) = at.clone() else { return None };
    if !execution.command().operation.is_write() {
        return None;
    }
    let request = Some(Request::Command(execution.command().clone()));
    match kind {
        Kind::Late => {
            budget.late.push((process, execution));
            budget.late.sort_by_key(|(process, _)| *process);
        }
        Kind::Unanswered => {
            let name = &system.processes[process].name;
            world.step(name, &mut Pending::Command(execution), system)?;
        }
        _ => {}
    }
    budget.unknown_outcomes -= 1;
    let answer = Answer::Store(Err(StoreError::outcome_unknown("the connection broke")));
    let (next, events) = resume(answer.clone());
    *at = next;
    let failure = at.failure().cloned();
    let stepped = Stepped { request, answer: Some(answer), events, failure, crashed: false };
    Some((stepped, Access::Write))
}

/// The next step of the first late write of a process.
fn land(
    process: usize,
    world: &mut World,
    budget: &mut Budget,
    commands: Commands,
) -> Option<(Stepped, Access)> {
    let first = budget.late.iter().position(|(whose, _)| *whose == process)?;
    let (_, execution) = &mut budget.late[first];
    let request = Some(Request::Command(execution.command().clone()));
    if world.execute(execution, commands).is_some() {
        budget.late.remove(first);
    }
    Some((Stepped { request, ..Stepped::default() }, Access::Write))
}
