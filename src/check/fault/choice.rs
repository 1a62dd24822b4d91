//! The choices of an engine, and how schedules spell them.

use std::fmt;

use crate::check::strand::Strand;
use crate::check::system::System;
use crate::store::Text;

/// What traces call whoever does what no process does.
pub(crate) const DATABASE: &str = "database";

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The next step of a process.
    Step,
    /// A process crashes.
    Crash,
    /// Its write is not done, and it is not told.
    Lost,
    /// Its write is done, and it is not told.
    Unanswered,
    /// Its write will be done, and it is not told.
    Late,
    /// A write of its that is late goes on, or is done.
    Lands,
    /// What it holds of the queues is delivered again, and it goes on.
    Redelivered,
    /// Its read is answered by a member that lags behind.
    Stale,
    /// That member gets nothing new from the primary.
    Lags,
    /// A majority gets nothing new from the primary.
    CutOff,
    /// What a majority does not have is lost.
    Failover,
    /// A majority has everything.
    Replicates,
    /// Time has passed, and a guard comes back from its rest.
    Rested,
}

/// To whom something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Process,
    /// One of its strands, by what that has under way.
    Strand,
    Database,
}

impl Kind {
    const ALL: [(Kind, &str); 13] = [
        (Kind::Step, ""),
        (Kind::Crash, "crash:"),
        (Kind::Lost, "lost:"),
        (Kind::Unanswered, "unanswered:"),
        (Kind::Late, "late:"),
        (Kind::Lands, "lands:"),
        (Kind::Redelivered, "redelivered:"),
        (Kind::Stale, "stale:"),
        (Kind::Lags, "lags"),
        (Kind::CutOff, "cut-off"),
        (Kind::Failover, "failover"),
        (Kind::Replicates, "replicates"),
        (Kind::Rested, "rested:"),
    ];

    pub(crate) fn whom(self) -> Whom {
        match self {
            Kind::Lags | Kind::CutOff | Kind::Failover | Kind::Replicates => Whom::Database,
            Kind::Crash | Kind::Redelivered => Whom::Process,
            _ => Whom::Strand,
        }
    }

    /// What a word of a schedule says that happens, to whomever.
    pub(crate) fn of_word(word: &str) -> Kind {
        let says = |(kind, prefix): &&(Kind, &str)| match kind.whom() {
            Whom::Database => word == *prefix,
            _ => *kind != Kind::Step && word.starts_with(prefix),
        };
        Kind::ALL.iter().find(says).map_or(Kind::Step, |(kind, _)| *kind)
    }

    /// The name: what schedules say of it. Empty for a step.
    pub(crate) fn name(self) -> &'static str {
        Kind::ALL[self as usize].1.trim_end_matches(':')
    }

    /// Why it cannot be, where what a process asks for does not show that.
    pub(crate) fn why_not(self) -> Option<&'static str> {
        Some(match self {
            Kind::Stale => "a stale read comes after lags, from what has changed since",
            Kind::Lags => "no stale read is left, or a member lags behind already",
            Kind::CutOff => "no failover with retryable writes is left, or it is cut off already",
            Kind::Failover => "no failover is left, or it would lose nothing",
            Kind::Replicates => "a majority has all of it",
            _ => return None,
        })
    }

    /// Whether it happens some time if it always can, and is no fault.
    pub(crate) fn is_due(self) -> bool {
        matches!(self, Kind::Step | Kind::Lands | Kind::Replicates)
    }

    /// Whether every process stands where it stood, so that it does not matter where that is.
    pub(crate) fn moves_nobody(self) -> bool {
        self.whom() == Whom::Database || matches!(self, Kind::Lands | Kind::Redelivered)
    }

    /// Whether what a process holds of the queues is delivered again.
    pub(crate) fn redelivers(self) -> bool {
        matches!(self, Kind::Crash | Kind::Redelivered)
    }
}

/// One choice of an engine: what happens to which process, or to the database. Of several late
/// writes of a process the one that was asked for first lands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) kind: Kind,
    /// 0 for what happens to the database.
    pub(crate) process: usize,
    /// The first for what does not happen to a strand by itself.
    pub(crate) strand: Strand,
}

impl Choice {
    pub(crate) fn step(process: usize) -> Choice {
        Choice::step_of(process, Strand::MAIN)
    }

    pub(crate) fn step_of(process: usize, strand: Strand) -> Choice {
        Choice { kind: Kind::Step, process, strand }
    }

    /// All choices of a kind in a system of processes with so many strands each.
    pub(crate) fn of_kind(kind: Kind, strands: &[usize]) -> impl Iterator<Item = Choice> {
        let processes = if kind.whom() == Whom::Database { &strands[..1] } else { strands };
        processes.iter().enumerate().flat_map(move |(process, strands)| {
            let strands = if kind.whom() == Whom::Strand { *strands } else { 1 };
            Strand::first(strands).map(move |strand| Choice { kind, process, strand })
        })
    }

    /// All choices that there may be in a system of processes with so many strands each.
    #[cfg(test)]
    pub(crate) fn all(strands: &[usize]) -> impl Iterator<Item = Choice> {
        let kinds = Kind::ALL.iter().map(|(kind, _)| *kind);
        kinds.flat_map(move |kind| Choice::of_kind(kind, strands))
    }

    /// The process to which it happens.
    pub(crate) fn hits(self) -> Option<usize> {
        (self.kind.whom() != Whom::Database).then_some(self.process)
    }

    /// A number that says all of it.
    pub(crate) fn number(self) -> u32 {
        (self.process * Choice::OF_PROCESS) as u32 + self.number_of_process()
    }

    /// So many choices a process has.
    pub(crate) const OF_PROCESS: usize = Strand::MOST * Kind::ALL.len();

    /// A number that tells the choices of one process apart.
    pub(crate) fn number_of_process(self) -> u32 {
        (self.strand.index() * Kind::ALL.len()) as u32 + self.kind as u32
    }

    pub(crate) fn of_number(number: u32) -> Choice {
        let (of, kind) = (number as usize / Kind::ALL.len(), number as usize % Kind::ALL.len());
        let strand = Strand::of_index(of % Strand::MOST);
        Choice { kind: Kind::ALL[kind].0, process: of / Strand::MOST, strand }
    }

    /// How schedules spell it: `manager-1`, `crash:manager-1`, `worker-1/guard`, `failover`.
    pub(crate) fn word(self, system: &System) -> Text {
        let prefix = Kind::ALL[self.kind as usize].1;
        format!("{prefix}{}", self.name(system).unwrap_or_default()).into()
    }

    /// The name of the process to which it happens, or of its strand.
    pub(crate) fn name(self, system: &System) -> Option<Text> {
        let name = &system.processes[self.hits()?].name;
        Some(match self.strand {
            Strand::MAIN => name.clone(),
            strand => format!("{name}{}", strand.suffix()).into(),
        })
    }

    /// The choice that a word of a schedule is, if there is such a process.
    pub(crate) fn of_word(word: &str, system: &System) -> Option<Choice> {
        let number = |name: &str| system.processes.iter().position(|known| *known.name == *name);
        let main = |name: &str| Some((number(name)?, Strand::MAIN));
        let guard = |name: &str| {
            let (process, strand) = Strand::of_name(name)?;
            Some((number(process)?, strand))
        };
        Kind::ALL.iter().find_map(|(kind, prefix)| {
            let rest = word.strip_prefix(prefix)?;
            let (process, strand) = match kind.whom() {
                Whom::Process => main(rest)?,
                Whom::Strand => main(rest).or_else(|| guard(rest))?,
                Whom::Database => rest.is_empty().then_some((0, Strand::MAIN))?,
            };
            Some(Choice { kind: *kind, process, strand })
        })
    }

    /// Whether a process cannot have this name, since schedules mean something else by it.
    pub(crate) fn takes_name(name: &str) -> bool {
        let of_database =
            |(kind, word): &(Kind, &str)| kind.whom() == Whom::Database && *word == name;
        name == DATABASE || Kind::ALL.iter().any(of_database)
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
            Kind::Redelivered => "is taken for gone: what it holds is delivered again",
            Kind::Stale => "by a member that lags behind: ",
            Kind::Lags => "a member lags behind from here on",
            Kind::CutOff => "the primary is cut off: a majority gets nothing new",
            Kind::Failover => "failover: what a majority does not have is lost",
            Kind::Replicates => "a majority has all of it",
            Kind::Rested => "time has passed: ",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_choice_says_all_of_it() {
        for choice in Choice::all(&[1, Strand::MOST, 2]) {
            assert_eq!(Choice::of_number(choice.number()), choice);
        }
        for (position, (kind, _)) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, position);
        }
    }

    #[test]
    fn a_word_says_what_happens() {
        for (kind, prefix) in Kind::ALL {
            let whom = if kind.whom() == Whom::Database { "" } else { "manager-1" };
            assert_eq!(Kind::of_word(&format!("{prefix}{whom}")), kind);
        }
        assert_eq!(Kind::of_word("failover-manager"), Kind::Step);
        assert_eq!((Kind::Step.name(), Kind::Crash.name()), ("", "crash"));
    }
}
