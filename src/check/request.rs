//! What a process asks of the world, and what the world answers: plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::env::Wake;
use crate::store::{Command, Document, Reply, StoreError, Text};

/// What a process asks of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A command to the store.
    Command(Command),
    /// Append a message to a queue.
    Send(Text, Document),
    /// Take the message at the head of a queue; waits while there is none.
    Receive(Text),
    /// The same, acknowledged at once.
    Take(Text),
    /// A message that was received is done with.
    Acknowledge(Text, Document),
    /// Wait until another attempt may be useful. What the attempt asked and was answered comes
    /// along, for [`Wake::Changed`].
    Pause(Wake, Vec<(Command, Result<Reply, StoreError>)>),
    /// The same, with nothing left that the process has to get done: a run may end here.
    Idle(Wake, Vec<(Command, Result<Reply, StoreError>)>),
    /// One step that touches nothing: time passes, other processes may get between.
    Step(Text),
    /// A guard rests: it goes on when time has passed, at any moment or never.
    Rest,
    /// One step that touches nothing, after which the process is inside of a place.
    Enter(Text),
    /// One step that touches nothing, after which the process is outside of a place.
    Leave(Text),
}

/// What the world answers to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To a command.
    Store(Result<Reply, StoreError>),
    /// To `Receive` and `Take`.
    Message(Document),
    /// To all others.
    Done,
}

impl Answer {
    /// The message; an engine answers `Receive` and `Take` with nothing else.
    pub(crate) fn into_message(self) -> Document {
        match self {
            Answer::Message(message) => message,
            Answer::Store(_) | Answer::Done => Document::new(),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Command(command) => command.fmt(f),
            Request::Send(queue, message) => write!(f, "send to {queue}: {message}"),
            Request::Receive(queue) => write!(f, "receive from {queue}"),
            Request::Take(queue) => write!(f, "take from {queue}"),
            Request::Acknowledge(queue, message) => write!(f, "acknowledge to {queue}: {message}"),
            Request::Pause(wake, _) => write!(f, "pause {wake}"),
            Request::Idle(wake, _) => write!(f, "idle {wake}"),
            Request::Step(label) => f.write_str(label),
            Request::Rest => f.write_str("rest"),
            Request::Enter(place) => write!(f, "enter {place}"),
            Request::Leave(place) => write!(f, "leave {place}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Store(Ok(reply)) => reply.fmt(f),
            Answer::Store(Err(error)) => error.fmt(f),
            Answer::Message(message) => message.fmt(f),
            Answer::Done => f.write_str("done"),
        }
    }
}
