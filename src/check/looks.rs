//! What a property has looked at, so that it need not be asked again of what differs elsewhere.

use std::collections::BTreeSet;

use super::step::Stepped;
use crate::store::Text;

/// What a property looks at of a step and of the world after it. It only ever grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Looks {
    pub(crate) aspects: Aspects,
    pub(crate) collections: Collections,
    /// Whether it looks at the queues.
    pub(crate) messages: bool,
}

/// One thing that can be asked of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aspect {
    Process,
    Request,
    Answer,
    Events,
    Failure,
    Crash,
    Left,
    Stop,
}

/// A set of [`Aspect`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aspects(u8);

/// The collections of which documents were looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Collections {
    Some(BTreeSet<Text>),
    All,
}

impl Looks {
    /// The same and more; whether it is more.
    pub(crate) fn grow(&mut self, other: &Looks) -> bool {
        let before = self.clone();
        self.aspects.0 |= other.aspects.0;
        self.messages |= other.messages;
        match (&mut self.collections, &other.collections) {
            (Collections::Some(ours), Collections::Some(theirs)) => {
                ours.extend(theirs.iter().cloned());
            }
            (all, _) => *all = Collections::All,
        }
        *self != before
    }

    /// What one of the two looks at.
    pub(crate) fn and(mut self, other: Looks) -> Looks {
        self.grow(&other);
        self
    }

    /// Whether both look at the same parts of the world.
    pub(crate) fn are_at_same(&self, other: &Looks) -> bool {
        (&self.collections, self.messages) == (&other.collections, other.messages)
    }

    /// Whether it looks at any document.
    pub(crate) fn is_at_store(&self) -> bool {
        self.collections != Collections::default()
    }
}

impl Aspects {
    pub(crate) fn with(self, aspect: Aspect) -> Aspects {
        Aspects(self.0 | 1 << aspect as u8)
    }

    fn has(self, aspect: Aspect) -> bool {
        self.with(aspect) == self
    }

    /// Of a step what these are, and nothing else.
    pub(crate) fn of(self, (process, stepped): &(Option<u32>, Stepped)) -> (Option<u32>, Stepped) {
        let Stepped { request, answer, events, left, stopped, failure, crashed } = stepped;
        let seen = Stepped {
            request: request.clone().filter(|_| self.has(Aspect::Request)),
            answer: answer.clone().filter(|_| self.has(Aspect::Answer)),
            events: if self.has(Aspect::Events) { events.clone() } else { Vec::new() },
            left: if self.has(Aspect::Left) { left.clone() } else { Vec::new() },
            stopped: *stopped && self.has(Aspect::Stop),
            failure: failure.clone().filter(|_| self.has(Aspect::Failure)),
            crashed: *crashed && self.has(Aspect::Crash),
        };
        (process.filter(|_| self.has(Aspect::Process)), seen)
    }
}

impl Default for Collections {
    fn default() -> Collections {
        Collections::Some(BTreeSet::new())
    }
}

impl Collections {
    pub(crate) fn add(&mut self, collection: &str) {
        match self {
            Collections::Some(names) if !names.contains(collection) => {
                names.insert(collection.into());
            }
            _ => {}
        }
    }
}
