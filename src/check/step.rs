//! One step of one process: what every engine has to agree on.

use super::process::Stands;
use super::request::{Answer, Request};
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
    pub(crate) failure: Option<Text>,
    pub(crate) crashed: bool,
}

/// Runs the code of a process on from an answer, to where it stands next and what it tells.
pub(crate) type Resume<'a> = &'a mut dyn FnMut(Answer) -> (At, Vec<Event>);

/// Takes the next step of a process, and says what it did to the world; `None` where the process
/// cannot go on.
///
/// Waking from a pause is one step with what is asked next, as far as that can be done.
pub(crate) fn take(
    world: &mut World,
    name: &Text,
    at: &mut At,
    system: &System,
    resume: Resume<'_>,
) -> Option<(Stepped, Access)> {
    if !at.is_enabled(world) {
        return None;
    }
    let mut events = Vec::new();
    if at.pauses() {
        (*at, events) = resume(Answer::Done);
    }
    let request = at.pending().map(Pending::request);
    let (mut access, mut answer) = (Access::Read, None);
    if at.is_enabled(world)
        && !at.pauses()
        && let At::Asks(pending) = at
    {
        access = pending.access(system.commands);
        answer = world.step(name, pending, system);
    }
    if let Some(answer) = answer.clone() {
        let (next, told) = resume(answer);
        *at = next;
        events.extend(told);
    }
    let failure = at.failure().cloned();
    Some((Stepped { request, answer, events, failure, crashed: false }, access))
}

impl At {
    pub(crate) fn pending(&self) -> Option<&Pending> {
        if let At::Asks(pending) = self { Some(pending) } else { None }
    }

    pub(crate) fn failure(&self) -> Option<&Text> {
        if let At::Failed(why) = self { Some(why) } else { None }
    }

    pub(crate) fn pauses(&self) -> bool {
        self.pending().is_some_and(Pending::is_pause)
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.pending().is_some_and(Pending::is_stuck)
    }

    pub(crate) fn is_enabled(&self, world: &World) -> bool {
        self.pending().is_some_and(|pending| world.enables(pending))
    }
}

impl From<Stands> for At {
    fn from(stands: Stands) -> At {
        match stands {
            Stands::Asks(request) => At::Asks(Pending::new(request)),
            Stands::Ended => At::Ended,
            Stands::Failed(why) => At::Failed(why),
        }
    }
}
