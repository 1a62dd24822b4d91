//! The handle through which a process under check asks the world.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::mutation::Edge;
use super::request::{Answer, Request};
use crate::env::{Env, Event, Mark, Queues, Wake};
use crate::store::{Command, Document, Reply, Store, StoreError, Text};

/// The handle through which a process under check asks the world: a [`Store`], an [`Env`] and
/// [`Queues`] in one. Every request suspends the process, and the engine decides when it goes on.
///
/// Cloning gives another handle of the same process. A process has one request under way at a
/// time; a second one at once (with `join!`, say) is refused by name.
#[derive(Clone, Debug)]
pub struct Cx {
    process: Text,
    mailbox: Arc<Mutex<Mailbox>>,
    edge: Edge,
}

/// Where a process and its engine hand over requests and answers.
#[derive(Debug, Default)]
struct Mailbox {
    request: Option<Request>,
    answer: Option<Answer>,
    told: Told,
    /// The commands since the last mark, with their answers: what the attempt saw.
    seen: Vec<(Command, Result<Reply, StoreError>)>,
    answers: usize,
    fault: Option<&'static str>,
    /// A command that a mutation holds back until after the next request.
    deferred: Option<Command>,
}

/// What a process told between two requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where the process went back to a mark: how many of its answers still matter.
    pub kept: Option<usize>,
}

impl Cx {
    pub(crate) fn new(process: Text, edge: Edge) -> Cx {
        Cx { process, mailbox: Arc::default(), edge }
    }

    /// The name of the process.
    #[must_use]
    pub fn process(&self) -> &Text {
        &self.process
    }

    /// One step that touches nothing, so that other processes may get between: time passes.
    pub fn step(&self, label: &str) -> impl Future<Output = ()> + Send + use<> {
        let answered = self.ask(Request::Step(label.into()));
        async move {
            answered.await;
        }
    }

    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Holds a command back.
    pub(crate) fn defer(&self, command: Command) {
        self.mailbox().deferred = Some(command);
    }

    pub(crate) fn take_deferred(&self) -> Option<Command> {
        self.mailbox().deferred.take()
    }

    /// Sends what was held back.
    async fn catch_up(&self) {
        if let Some(deferred) = self.take_deferred() {
            let _ = self.ask_store(deferred).await;
        }
    }

    /// Sends a command as it is.
    pub(crate) async fn ask_store(&self, command: Command) -> Result<Reply, StoreError> {
        let Answer::Store(reply) = self.ask(Request::Command(command.clone())).await else {
            return Err(StoreError::invalid("the engine did not answer with a reply"));
        };
        self.mailbox().seen.push((command, reply.clone()));
        reply
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request, and waits for the engine to answer it.
    fn ask(&self, request: Request) -> impl Future<Output = Answer> + Send + use<> {
        let (cx, mut request) = (self.clone(), Some(request));
        poll_fn(move |_| {
            let mut mailbox = cx.mailbox();
            if let Some(request) = request.take() {
                if mailbox.request.replace(request).is_some() {
                    mailbox.fault = Some("asked for a second thing while one was under way");
                }
                return Poll::Pending;
            }
            mailbox.answer.take().map_or(Poll::Pending, Poll::Ready)
        })
    }

    /// What would wake the process, were it answered differently.
    fn seen(&self, wake: &Wake) -> Vec<(Command, Result<Reply, StoreError>)> {
        match wake {
            Wake::When(_) => Vec::new(),
            Wake::Changed => self.mailbox().seen.clone(),
        }
    }

    /// What the process asks, once it is suspended.
    pub(crate) fn take_request(&self) -> Result<Option<Request>, &'static str> {
        let mut mailbox = self.mailbox();
        mailbox.fault.take().map_or_else(|| Ok(mailbox.request.take()), Err)
    }

    /// What the process told since the last time it was asked.
    pub(crate) fn take_told(&self) -> Told {
        std::mem::take(&mut self.mailbox().told)
    }

    /// Puts the answer to the request under way, to be found when the process is polled.
    pub(crate) fn put_answer(&self, answer: Answer) {
        let mut mailbox = self.mailbox();
        mailbox.answers += 1;
        mailbox.answer = Some(answer);
    }
}

impl Store for Cx {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        self.send_over_edge(command).await
    }
}

impl Env for Cx {
    async fn pause(&self, wake: Wake) {
        self.catch_up().await;
        let seen = self.seen(&wake);
        self.ask(Request::Pause(wake, seen)).await;
    }

    async fn idle(&self, wake: Wake) {
        self.catch_up().await;
        let seen = self.seen(&wake);
        self.ask(Request::Idle(wake, seen)).await;
    }

    async fn rest(&self, _period: Duration) {
        self.step("rest").await;
    }

    fn observe(&self, event: Event) {
        self.mailbox().told.events.push(event);
    }

    async fn within<T: Send>(&self, place: &str, work: impl Future<Output = T> + Send) -> T {
        self.ask(Request::Enter(place.into())).await;
        let done = work.await;
        self.ask(Request::Leave(place.into())).await;
        done
    }

    fn mark(&self) -> Mark {
        let mut mailbox = self.mailbox();
        mailbox.seen.clear();
        Mark(mailbox.answers)
    }

    fn again(&self, mark: Mark) {
        let mut mailbox = self.mailbox();
        mailbox.deferred = None;
        mailbox.seen.clear();
        mailbox.answers = mark.0;
        mailbox.told.kept = Some(mark.0);
    }
}

impl Queues for Cx {
    async fn send(&self, queue: &str, message: Document) {
        self.ask(Request::Send(queue.into(), message)).await;
        self.catch_up().await;
    }

    async fn receive(&self, queue: &str) -> Document {
        self.ask(Request::Receive(queue.into())).await.into_message()
    }

    async fn take(&self, queue: &str) -> Document {
        self.ask(Request::Take(queue.into())).await.into_message()
    }

    async fn acknowledge(&self, queue: &str, message: &Document) {
        self.ask(Request::Acknowledge(queue.into(), message.clone())).await;
        self.catch_up().await;
    }
}
