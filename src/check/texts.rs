//! The texts within what a step is made of: see [`Texts`].

use super::mailbox::Told;
use super::messages::Messages;
use super::process::Stands;
use super::request::{Answer, Request};
use super::step::{At, Stepped};
use super::world::Pending;
use crate::env::{Condition, Event, Wake};
use crate::store::{Text, Texts};

impl Texts for Event {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        change(&mut self.name);
        self.fields.each_text(change);
    }
}

impl Texts for Condition {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        let (Condition::Some(collection, filter) | Condition::None(collection, filter)) = self;
        change(collection);
        filter.each_text(change);
    }
}

impl Texts for Wake {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Wake::Changed => {}
            Wake::When(any) => any.each_text(change),
        }
    }
}

impl Texts for Request {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Request::Command(command) => command.each_text(change),
            Request::Send(queue, message) | Request::Acknowledge(queue, message) => {
                change(queue);
                message.each_text(change);
            }
            Request::Receive(text)
            | Request::Take(text)
            | Request::Step(text)
            | Request::Enter(text)
            | Request::Leave(text) => change(text),
            Request::Rest => {}
            Request::Pause(wake, seen) | Request::Idle(wake, seen) => {
                wake.each_text(change);
                seen.each_text(change);
            }
        }
    }
}

impl Texts for Answer {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Answer::Store(reply) => reply.each_text(change),
            Answer::Message(message) => message.each_text(change),
            Answer::Done => {}
        }
    }
}

impl Texts for Stands {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Stands::Asks(request) => request.each_text(change),
            Stands::Beside(strands) => {
                strands.iter_mut().for_each(|(_, request)| request.each_text(change));
            }
            Stands::Failed(why) => change(why),
            Stands::Ended => {}
        }
    }
}

impl Texts for Pending {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Pending::Command(execution) => execution.each_text(change),
            Pending::Other(request) => request.each_text(change),
        }
    }
}

impl Texts for At {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            At::Asks(pending) => pending.each_text(change),
            At::Beside(strands) => {
                strands.iter_mut().for_each(|(_, pending)| pending.each_text(change));
            }
            At::Failed(why) => change(why),
            At::Ended | At::Crashed => {}
        }
    }
}

impl Texts for Told {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.events.each_text(change);
        self.left.each_text(change);
    }
}

impl Texts for Stepped {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.request.each_text(change);
        self.answer.each_text(change);
        self.events.each_text(change);
        self.left.each_text(change);
        self.failure.each_text(change);
    }
}

impl Texts for Messages {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.change_messages(change);
    }
}
