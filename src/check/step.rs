//! One step of one process: what every engine has to agree on.

use std::fmt;

use super::mailbox::Told;
use super::process::Stands;
use super::request::{Answer, Request};
use super::strand::Strand;
use super::system::System;
use super::world::{Pending, World};
use crate::env::Event;
use crate::store::Text;
use crate::store::memory::Access;

/// Where a process stands between two steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum At {
    /// It has asked for something that is not answered yet.
    Asks(Pending),
    /// It has guards beside what it does: what each strand has asked for, the process itself first.
    Beside(Vec<(Strand, Pending)>),
    /// It has done all its activities.
    Ended,
    /// It stopped with an error.
    Failed(Text),
    /// It has crashed, and does not start again.
    Crashed,
}

/// What one step did, for whoever records it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Stepped {
    pub(crate) request: Option<Request>,
    pub(crate) answer: Option<Answer>,
    pub(crate) events: Vec<Event>,
    /// The places that the process was inside of and is not any more, since its work was stopped.
    pub(crate) left: Vec<Text>,
    pub(crate) stopped: bool,
    pub(crate) failure: Option<Text>,
    pub(crate) crashed: bool,
}

/// Runs the code of a process on from an answer to a strand, to where it stands next and what it tells.
pub(crate) type Resume<'a> = &'a mut dyn FnMut(Strand, Answer) -> (At, Told);

/// Takes the next step of a strand of a process, and says what it did to the world; `None` where it
/// cannot go on.
///
/// Waking from a pause is one step with what is asked next, as far as that can be done.
pub(crate) fn take(
    world: &mut World,
    (name, strand): (&Text, Strand),
    at: &mut At,
    system: &System,
    resume: Resume<'_>,
) -> Option<(Stepped, Access)> {
    if !at.is_enabled(strand, world) {
        return None;
    }
    let mut stepped = Stepped::default();
    if at.pauses(strand) {
        at.go_on(resume(strand, Answer::Done), &mut stepped);
    }
    stepped.request = at.pending(strand).map(Pending::request);
    let mut access = Access::Read;
    if at.is_enabled(strand, world)
        && !at.pauses(strand)
        && let Some(pending) = at.pending_mut(strand)
    {
        access = pending.access(system.commands);
        stepped.answer = world.step(name, pending, system);
    }
    if let Some(answer) = stepped.answer.clone() {
        at.go_on(resume(strand, answer), &mut stepped);
    }
    stepped.failure = at.failure().cloned();
    Some((stepped, access))
}

impl At {
    /// What a strand has asked for.
    pub(crate) fn pending(&self, strand: Strand) -> Option<&Pending> {
        match self {
            At::Asks(pending) => (strand == Strand::MAIN).then_some(pending),
            At::Beside(strands) => {
                strands.iter().find(|(known, _)| *known == strand).map(|(_, pending)| pending)
            }
            At::Ended | At::Failed(_) | At::Crashed => None,
        }
    }

    fn pending_mut(&mut self, strand: Strand) -> Option<&mut Pending> {
        match self {
            At::Asks(pending) => (strand == Strand::MAIN).then_some(pending),
            At::Beside(strands) => {
                strands.iter_mut().find(|(known, _)| *known == strand).map(|(_, pending)| pending)
            }
            At::Ended | At::Failed(_) | At::Crashed => None,
        }
    }

    /// The strands that have asked for something.
    pub(crate) fn strands(&self) -> impl Iterator<Item = Strand> {
        let (main, beside) = match self {
            At::Asks(_) => (Some(Strand::MAIN), &[][..]),
            At::Beside(strands) => (None, &strands[..]),
            At::Ended | At::Failed(_) | At::Crashed => (None, &[][..]),
        };
        main.into_iter().chain(beside.iter().map(|(strand, _)| *strand))
    }

    /// Comes to where the process stands next. What other strands have under way goes on, unless they
    /// have asked for something else.
    pub(crate) fn go_on(&mut self, (mut next, told): (At, Told), stepped: &mut Stepped) {
        if let At::Beside(strands) = &mut next {
            for (strand, pending) in strands.iter_mut().filter(|one| !told.asked.has(one.0)) {
                if let Some(under_way) = self.pending(*strand) {
                    pending.clone_from(under_way);
                }
            }
        }
        *self = next;
        stepped.tell(told);
    }

    pub(crate) fn failure(&self) -> Option<&Text> {
        if let At::Failed(why) = self { Some(why) } else { None }
    }

    pub(crate) fn pauses(&self, strand: Strand) -> bool {
        self.pending(strand).is_some_and(Pending::is_pause)
    }

    /// Whether a guard waits until time has passed.
    pub(crate) fn rests(&self, strand: Strand) -> bool {
        matches!(self.pending(strand), Some(Pending::Other(Request::Rest)))
    }

    /// Whether the process waits with something left to be done. A guard has nothing that it still
    /// has to get done.
    pub(crate) fn is_stuck(&self) -> bool {
        self.pending(Strand::MAIN).is_some_and(Pending::is_stuck)
    }

    pub(crate) fn is_enabled(&self, strand: Strand, world: &World) -> bool {
        self.pending(strand).is_some_and(|pending| world.enables(pending))
    }
}

impl Stepped {
    pub(crate) fn tell(&mut self, told: Told) {
        self.events.extend(told.events);
        self.left.extend(told.left);
        self.stopped |= told.stopped;
    }
}

impl From<Stands> for At {
    fn from(stands: Stands) -> At {
        match stands {
            Stands::Asks(request) => At::Asks(Pending::new(request)),
            Stands::Beside(strands) => {
                let begun = |(strand, request)| (strand, Pending::new(request));
                At::Beside(strands.into_iter().map(begun).collect())
            }
            Stands::Ended => At::Ended,
            Stands::Failed(why) => At::Failed(why),
        }
    }
}

/// What it asks or how it ended, for people to read.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Asks(pending) => pending.request().fmt(f),
            At::Beside(strands) => {
                let asks = |(_, pending): &(Strand, Pending)| pending.request().to_string();
                f.write_str(&strands.iter().map(asks).collect::<Vec<_>>().join(", beside "))
            }
            At::Ended => f.write_str("ended"),
            At::Failed(why) => write!(f, "failed: {why}"),
            At::Crashed => f.write_str("crashed"),
        }
    }
}
