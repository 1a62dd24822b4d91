//! The handle through which a process under check asks the world.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::mailbox::{Fork, Known, Mailbox, Matters, Told, lock};
use super::mutation::Edge;
use super::process::{Guarding, Stands};
use super::request::{Answer, Request};
use super::strand::Strand;
use crate::env::{Env, Event, Mark, Queues, Wake};
use crate::store::json::{from_value, to_value};
use crate::store::{Command, Document, Reply, Store, StoreError, Text, Value, WriteConcern};

/// The handle through which a process under check asks the world: a [`Store`], an [`Env`] and
/// [`Queues`] in one. Every request suspends the process, and the engine decides when it goes on.
///
/// Cloning gives another handle of the same process. A process has one request under way at a
/// time, and so has each guard beside it ([`Env::beside`]); a second one at once (with `join!`, say) is
/// refused by name.
#[derive(Clone, Debug)]
pub struct Cx {
    process: Text,
    mailbox: Arc<Mutex<Mailbox>>,
    edge: Edge,
    /// How each write is acknowledged, where the code has no say.
    write: Option<WriteConcern>,
    guarding: Guarding,
}

/// What a strand asks for at its end: the answer that ended it has been on its way, and meanwhile
/// the other strand may have gone on.
const WORK_ENDS: &str = "the work is done, and its guard stops";
const GUARD_ENDS: &str = "the guard is done, and the work stops";

impl Cx {
    pub(crate) fn new(
        process: Text,
        edge: Edge,
        write: Option<WriteConcern>,
        guarding: Guarding,
    ) -> Cx {
        Cx { process, mailbox: Arc::default(), edge, write, guarding }
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
        self.mailbox().defer(command);
    }

    pub(crate) fn take_deferred(&self) -> Option<Command> {
        self.mailbox().slot().deferred.take()
    }

    /// Sends what was held back.
    async fn catch_up(&self) {
        if let Some(deferred) = self.take_deferred() {
            let _ = self.ask_store(deferred).await;
        }
    }

    /// Sends a command as it is, but for how it is acknowledged.
    pub(crate) async fn ask_store(&self, mut command: Command) -> Result<Reply, StoreError> {
        command.concern.write = self.write.unwrap_or(command.concern.write);
        let Answer::Store(reply) = self.ask(Request::Command(command.clone())).await else {
            return Err(StoreError::invalid("the engine did not answer with a reply"));
        };
        self.mailbox().slot().seen.push((command, reply.clone()));
        reply
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        lock(&self.mailbox)
    }

    /// Puts a request, and waits for the engine to answer it.
    fn ask(&self, request: Request) -> impl Future<Output = Answer> + Send + use<> {
        let (mailbox, mut request) = (Arc::clone(&self.mailbox), Some(request));
        let mut strand = Strand::MAIN;
        poll_fn(move |_| {
            let mut mailbox = lock(&mailbox);
            if let Some(request) = request.take() {
                strand = mailbox.ask(request);
                return Poll::Pending;
            }
            mailbox.take_answer(strand).map_or(Poll::Pending, Poll::Ready)
        })
    }

    /// What would wake the process, were it answered differently.
    fn seen(&self, wake: &Wake) -> Vec<(Command, Result<Reply, StoreError>)> {
        match wake {
            Wake::When(_) => Vec::new(),
            Wake::Changed => self.mailbox().slot().seen_by_attempt().to_vec(),
        }
    }

    /// What the process asks, once it is suspended.
    pub(crate) fn asked(&self) -> Result<Stands, &'static str> {
        self.mailbox().asked()
    }

    /// What the process told since the last time it was asked.
    pub(crate) fn take_told(&self) -> Told {
        self.mailbox().take_told()
    }

    /// What still matters to the process, in an order in which it may be given again.
    pub(crate) fn matter(&self) -> Vec<Matters> {
        self.mailbox().matter()
    }

    /// Whether something was kept before that no work has come to.
    pub(crate) fn has_more_to_recall(&self) -> bool {
        self.mailbox().has_more_to_recall()
    }

    /// Has the process learnt: what it distils is kept, and this was kept before.
    pub(crate) fn recall(&self, known: Vec<Known>) {
        self.mailbox().recall(known);
    }

    /// Puts the answer to what a strand asked, to be found when the process is polled.
    pub(crate) fn put_answer(&self, strand: Strand, answer: Answer) {
        self.mailbox().put(strand, answer);
    }

    /// Runs a guard beside some work, each with a request of its own under way.
    async fn run_beside<T: Send>(
        &self,
        guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        let Some(fork) = Fork::begin(&self.mailbox) else { return std::future::pending().await };
        let guard = async {
            guard.await;
            if !fork.has_just_begun() {
                self.ask(Request::Step(GUARD_ENDS.into())).await;
            }
        };
        let work = async {
            let done = work.await;
            if !fork.has_just_begun() {
                self.ask(Request::Step(WORK_ENDS.into())).await;
            }
            done
        };
        let (mut guard, mut work) = (pin!(guard), pin!(work));
        poll_fn(|context| {
            if let Poll::Ready(done) = fork.run(false, || work.as_mut().poll(context)) {
                return Poll::Ready(Some(done));
            }
            let guarded = fork.run(true, || guard.as_mut().poll(context));
            guarded.map(|()| {
                fork.stop_work();
                None
            })
        })
        .await
    }
}

/// A process inside of a place: where it is stopped there, it leaves it.
struct Inside<'a> {
    cx: &'a Cx,
    place: &'a Text,
    is_inside: bool,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.is_inside && !std::thread::panicking() {
            self.cx.mailbox().leave(self.place);
        }
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

    /// A guard rests until the engine decides that time has passed; anybody else takes a step.
    async fn rest(&self, _period: Duration) {
        let is_guard = self.mailbox().running.strand() != Strand::MAIN;
        let rest = if is_guard { Request::Rest } else { Request::Step("rest".into()) };
        self.ask(rest).await;
    }

    async fn beside<T: Send>(
        &self,
        guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        if self.guarding.runs_guards() {
            return self.run_beside(guard, work).await;
        }
        drop(guard);
        Some(work.await)
    }

    fn observe(&self, event: Event) {
        self.mailbox().tell(event);
    }

    async fn within<T: Send>(&self, place: &str, work: impl Future<Output = T> + Send) -> T {
        let place: Text = place.into();
        let mut inside = Inside { cx: self, place: &place, is_inside: false };
        self.ask(Request::Enter(place.clone())).await;
        inside.is_inside = true;
        let done = work.await;
        self.ask(Request::Leave(place.clone())).await;
        inside.is_inside = false;
        done
    }

    fn mark(&self) -> Mark {
        self.mailbox().mark()
    }

    fn mark_within(&self) -> Mark {
        self.mailbox().mark_within()
    }

    fn known<T: DeserializeOwned>(&self) -> Result<T, Mark> {
        let (mark, known) = self.mailbox().known();
        known.and_then(|known| from_value(known).ok()).ok_or(mark)
    }

    fn distilled<T: Serialize + DeserializeOwned + PartialEq>(&self, mark: Mark, value: &T) {
        let comes_back =
            |data: &Value| from_value::<T>(data.clone()).is_ok_and(|back| back == *value);
        self.mailbox().distilled(mark, to_value(value).ok().filter(comes_back));
    }

    fn again(&self, mark: Mark) {
        self.mailbox().again(mark);
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
