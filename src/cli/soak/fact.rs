//! What happened, as the children tell it and the checker takes it.
//!
//! All children write into one pipe, each line with one `write` that the kernel does not divide
//! (POSIX: at most `PIPE_BUF` bytes). So the lines of all of them have one order, and a line stands
//! in it at a moment between the call and the return of that `write`. What somebody does after the
//! return comes after the line; what he did before the call came before it. No clock is needed, and
//! none is trusted: the times in a line are for people.
//!
//! So a thing that takes a while has a line before it begins and one after it has ended, and was
//! certainly under way only between the two lines of a run that both are written *within* it.

use doorway::reservation::doorway::schema::State;
use doorway::store::{Document, Text};
use serde::{Deserialize, Serialize};

/// The longest line, with its end: what POSIX says that every system writes undivided.
pub(crate) const LONGEST: usize = 512;

/// One line: who, when on the clock of the machine in nanoseconds, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The number of the child; the driver is 0.
    pub(crate) by: u64,
    pub(crate) at: u64,
    pub(crate) say: Say,
}

/// What a child says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Say {
    Fact(Fact),
    /// To the broker: a message for a queue.
    Send(String, Document),
    /// To the broker: the next message of the queue, to be acknowledged.
    Receive(u64, String),
    /// To the broker: the next message of the queue, for good.
    Take(u64, String),
    /// To the broker: a message is done with.
    Acknowledge(String, Document),
    /// To the resource: a run acts on it. It answers whether it lets it.
    Effect(u64, Effect),
}

/// A run acts on its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) task: u64,
    pub(crate) resource: u64,
    /// Of a design without tokens there is none.
    pub(crate) token: Option<i64>,
}

/// The answer to what a child asked under a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) to: u64,
    #[serde(default)]
    pub(crate) message: Option<Document>,
    #[serde(default)]
    pub(crate) accepted: bool,
}

/// What happened, for the checker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fact {
    /// The driver handed the task to the broker.
    Enqueued { task: u64, resource: u64 },
    /// The broker delivered the task to a manager.
    Delivered { task: u64 },
    /// The manager has acknowledged it.
    Acknowledged { task: u64 },
    /// The operation that puts the task in its place is about to be sent.
    Placing { task: u64 },
    /// It is done.
    Placed { task: u64 },
    /// The first tasks of a list, as the store has returned it.
    Listed { tasks: Vec<u64> },
    /// A reservation is about to be bound to a worker.
    Binding { document: Text, resource: Text, worker: Text },
    /// It is bound; `false`: the store said no.
    Bound { document: Text, done: bool },
    /// A reservation is about to lose its worker, or to go.
    Unbinding { document: Text },
    /// The answer to that has come.
    Unbound { document: Text },
    /// Somebody has freed the reservation of a worker that was gone.
    Freed,
    /// A worker is about to be declared dead.
    Burying { worker: Text, incarnation: i64 },
    /// The answer to that: whether it was declared dead; none where that is not known.
    Buried { done: Option<bool> },
    /// Said within the run of a task: it has begun.
    Began { task: u64, run: Run },
    /// Said within the run: all is done, and nothing follows.
    Ended { task: u64 },
    /// The resource let a run act on it, or refused it.
    Acted { effect: Effect, accepted: bool },
    /// The task was cancelled: the store has said so.
    Cancelled { task: u64 },
    /// The state of a task in the store; none where it has no status.
    Status { task: u64, state: Option<State> },
    /// The answer to a command was lost.
    Lost,
    /// A child is dead: nothing that it said comes after this.
    Gone { child: u64 },
    /// A child has stopped by itself.
    Stopped { why: String },
    /// At the end: a reservation that is left.
    Left { reservation: String },
    /// At the end: every reservation that is left has been said.
    Looked,
    /// The desk has done what it was asked to.
    Desk,
    /// The driver: so many milliseconds has the soak taken so far.
    Clock { millis: u64 },
    /// The driver did this to a child or to the server.
    Chaos { what: Chaos },
}

/// What the driver does to children and to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Chaos {
    KillManager,
    KillWorker,
    FreezeManager,
    FreezeWorker,
    KillServer,
    FreezeServer,
    Restart,
}

/// Which process runs a task, and by what right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) worker: Text,
    /// Which of the processes of that name, where the design tells them apart.
    pub(crate) incarnation: Option<i64>,
    pub(crate) token: Option<i64>,
}

/// The number in `task-17` and the like.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.parse().ok()
}

/// The name of a task of that number.
pub(crate) fn task_name(task: u64) -> String {
    format!("task-{task}")
}

/// The name of a resource of that number.
pub(crate) fn resource_name(resource: u64) -> String {
    format!("resource-{resource}")
}
