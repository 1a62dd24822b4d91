//! Why a system cannot be explored at all.

use std::fmt;

use crate::check::mailbox::Told;
use crate::check::process::Stands;
use crate::env::Event;
use crate::store::Text;

/// Why a system cannot be explored: there is no verdict then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    NotReproducible { process: Text, what: String },
    Malformed(String),
    TooWide { bits: u32 },
    Property { property: Text, panic: Text },
    Unfounded { property: Text },
    Counts { who: Text, what: String },
}

impl CheckError {
    pub(super) fn not_reproducible(process: &Text, what: String) -> CheckError {
        CheckError { kind: Kind::NotReproducible { process: process.clone(), what } }
    }

    pub(super) fn differs(process: &Text, once: &Stands, again: &Stands) -> CheckError {
        let what = format!("once it {}, and once it {}", Shown(once), Shown(again));
        CheckError::not_reproducible(process, what)
    }

    /// A process, or a property, that does something else where ordinals are further apart.
    pub(super) fn counts_in(who: &str, what: String) -> CheckError {
        CheckError { kind: Kind::Counts { who: who.into(), what } }
    }

    pub(super) fn counts(process: &Text, expected: &Stands, other: &Stands) -> CheckError {
        let what = format!("that it {} is expected, and it {}", Shown(expected), Shown(other));
        CheckError::counts_in(process, what)
    }

    pub(super) fn counts_told(process: &Text, expected: &Told, other: &Told) -> CheckError {
        let list = |told: &Told| {
            let events: Vec<String> = told.events.iter().map(Event::to_string).collect();
            format!("[{}]", events.join(", "))
        };
        let (expected, other) = (list(expected), list(other));
        let what = format!("that it tells {expected} is expected, and it tells {other}");
        CheckError::counts_in(process, what)
    }

    pub(super) fn malformed(what: impl Into<String>) -> CheckError {
        CheckError { kind: Kind::Malformed(what.into()) }
    }

    pub(super) fn too_wide(bits: u32) -> CheckError {
        CheckError { kind: Kind::TooWide { bits } }
    }

    pub(super) fn property(property: &str, panic: Text) -> CheckError {
        CheckError { kind: Kind::Property { property: property.into(), panic } }
    }

    pub(super) fn unfounded(property: &str) -> CheckError {
        CheckError { kind: Kind::Unfounded { property: property.into() } }
    }

    /// Whether a process is not a function of the answers that it gets.
    #[must_use]
    pub fn is_not_reproducible(&self) -> bool {
        matches!(self.kind, Kind::NotReproducible { .. })
    }

    /// Whether a process or a property goes by the number of an [`Ordinal`](crate::store::Ordinal),
    /// and not by its order alone.
    #[must_use]
    pub fn is_by_number(&self) -> bool {
        matches!(self.kind, Kind::Counts { .. })
    }

    /// The process that is not a function of the answers that it gets.
    #[must_use]
    pub fn process(&self) -> Option<&Text> {
        if let Kind::NotReproducible { process, .. } = &self.kind { Some(process) } else { None }
    }
}

struct Shown<'a>(&'a Stands);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Stands::Asks(request) => write!(f, "asks `{request}`"),
            Stands::Beside(strands) => {
                let asks = |(_, request): &(_, _)| format!("`{request}`");
                let all: Vec<String> = strands.iter().map(asks).collect();
                write!(f, "asks {}", all.join(", and beside it "))
            }
            Stands::Ended => f.write_str("ends"),
            Stands::Failed(why) => write!(f, "stops with `{why}`"),
        }
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::NotReproducible { process, what } => write!(
                f,
                "{process} is not a function of the answers that it gets: after the same answers \
                 {what}. It draws on a clock, a random source or shared memory, or it carries \
                 something over from one attempt or activity to the next"
            ),
            Kind::Counts { who, what } => write!(
                f,
                "{who} goes by the number of an ordinal, and not by its order on its scale alone: \
                 with ordinals that are further apart, in the same order, {what}"
            ),
            Kind::Malformed(what) => f.write_str(what),
            Kind::TooWide { bits } => {
                write!(f, "a state takes {bits} bits, which is more than this engine packs")
            }
            Kind::Unfounded { property } => write!(
                f,
                "the search says that {property} falls, and no run breaks it: a bug of doorway,                  please report it with the model"
            ),
            Kind::Property { property, panic } => write!(f, "the property {property} {panic}"),
        }
    }
}

impl std::error::Error for CheckError {}
