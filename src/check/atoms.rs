//! The texts and ordinals within what a step is made of: see [`Atoms`].

use super::mailbox::Told;
use super::messages::Messages;
use super::process::Stands;
use super::request::{Answer, Request};
use super::step::{At, Stepped};
use super::world::Pending;
use crate::env::{Condition, Event, Wake};
use crate::store::{Atom, Atoms};

impl Atoms for Event {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.name.each_atom(change);
        self.fields.each_atom(change);
    }
}

impl Atoms for Condition {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        let (Condition::Some(collection, filter) | Condition::None(collection, filter)) = self;
        collection.each_atom(change);
        filter.each_atom(change);
    }
}

impl Atoms for Wake {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Wake::Changed => {}
            Wake::When(any) => any.each_atom(change),
        }
    }
}

impl Atoms for Request {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Request::Command(command) => command.each_atom(change),
            Request::Send(queue, message) | Request::Acknowledge(queue, message) => {
                queue.each_atom(change);
                message.each_atom(change);
            }
            Request::Receive(text)
            | Request::Take(text)
            | Request::Step(text)
            | Request::Enter(text)
            | Request::Leave(text) => text.each_atom(change),
            Request::Rest => {}
            Request::Pause(wake, seen) | Request::Idle(wake, seen) => {
                wake.each_atom(change);
                seen.each_atom(change);
            }
        }
    }
}

impl Atoms for Answer {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Answer::Store(reply) => reply.each_atom(change),
            Answer::Message(message) => message.each_atom(change),
            Answer::Done => {}
        }
    }
}

impl Atoms for Stands {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Stands::Asks(request) => request.each_atom(change),
            Stands::Beside(strands) => {
                strands.iter_mut().for_each(|(_, request)| request.each_atom(change));
            }
            Stands::Failed(why) => why.each_atom(change),
            Stands::Ended => {}
        }
    }
}

impl Atoms for Pending {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Pending::Command(execution) => execution.each_atom(change),
            Pending::Other(request) => request.each_atom(change),
        }
    }
}

impl Atoms for At {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            At::Asks(pending) => pending.each_atom(change),
            At::Beside(strands) => {
                strands.iter_mut().for_each(|(_, pending)| pending.each_atom(change));
            }
            At::Failed(why) => why.each_atom(change),
            At::Ended | At::Crashed => {}
        }
    }
}

impl Atoms for Told {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.events.each_atom(change);
        self.left.each_atom(change);
    }
}

impl Atoms for Stepped {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.request.each_atom(change);
        self.answer.each_atom(change);
        self.events.each_atom(change);
        self.left.each_atom(change);
        self.failure.each_atom(change);
    }
}

impl Atoms for Messages {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.change_messages(change);
    }
}
