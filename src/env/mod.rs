//! What an algorithm takes from outside besides the store: pausing, events, queues.
//!
//! Nothing nondeterministic enters an algorithm by another way, so that an engine decides all of
//! it. In production these are a timer, a log and a message broker: `env::live` (feature `tokio`).

mod event;
#[cfg(feature = "tokio")]
pub mod live;
mod wake;

use std::future::Future;
use std::time::Duration;

pub use event::Event;
pub use wake::{Condition, Wake};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Document, Store};

/// Pauses and events.
pub trait Env: Send + Sync {
    /// Waits until another attempt may be useful.
    ///
    /// In production a short sleep, so that the caller has to look again; under an engine until
    /// `wake` holds, so that a model has no idle rounds and a wait without end is seen as one.
    fn pause(&self, wake: Wake) -> impl Future<Output = ()> + Send;

    /// Waits for something to do, as a server does between two jobs: as [`Env::pause`], but there is
    /// nothing that this process still has to get done, and a run may end here.
    fn idle(&self, wake: Wake) -> impl Future<Output = ()> + Send {
        self.pause(wake)
    }

    /// Lets some time pass. Under an engine one step: any number of others may come between, or
    /// none, and no algorithm may rely on how many.
    fn rest(&self, period: Duration) -> impl Future<Output = ()> + Send;

    /// Waits a moment before the same thing is tried again, as after an answer that was lost: in
    /// production a short sleep, under an engine nothing.
    fn breathe(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Does some work, and lets a `guard` run beside it; stops the work and returns `None` once the guard
    /// ends. Where the work ends first, the guard is stopped.
    ///
    /// What is stopped is dropped, with its request under way: that may have been done, or be done later,
    /// and nobody is told. The two must not share memory: what one learns, the other learns from the store.
    /// The loop of a guard is to be one of [`until`] and [`forever`].
    ///
    /// Under an explorer the guard is a strand of its process, if the check has guards run
    /// ([`Guards`](crate::check::Guards)): each has a request of its own under way, in every order, and
    /// both crash together. A guard comes back from a [`rest`](Env::rest) at any moment or never. Engines
    /// on threads do the work alone, and so does this method where it is not overridden. That leaves
    /// nothing out where all that the guard does is to keep others from declaring this process dead: an
    /// engine lets them do so at any moment, guard or no guard; and to be stopped amidst the work is what
    /// a crash with a restart does.
    fn beside<T: Send>(
        &self,
        _guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> impl Future<Output = Option<T>> + Send {
        async { Some(work.await) }
    }

    /// Tells that something happened.
    ///
    /// The event belongs to the operation whose reply came last: under an engine the two are one
    /// step, and no other process gets between them.
    fn observe(&self, event: Event);

    /// Does some work in a named place, say a critical section.
    ///
    /// In production just the work. Under an engine to come in and to go out are a step each, so
    /// that others may come between, and properties see who is inside.
    fn within<T: Send>(
        &self,
        _place: &str,
        work: impl Future<Output = T> + Send,
    ) -> impl Future<Output = T> + Send {
        work
    }

    /// Remembers this point of the code, for [`Env::again`]: an attempt begins, and what was read before
    /// wakes it from no [`pause`](Env::pause). Only engines make use of it.
    fn mark(&self) -> Mark {
        Mark::default()
    }

    /// Remembers this point within an attempt: what the attempt has read before may still wake it.
    fn mark_within(&self) -> Mark {
        Mark { is_within: true, ..Mark::default() }
    }

    /// What the work that begins now came to before, or else the mark at which it begins. Use [`distil`],
    /// whose types see to that nothing else matters.
    ///
    /// # Errors
    ///
    /// The mark, where nothing is known of the work: it has to be done. So it is in production.
    fn known<T: DeserializeOwned>(&self) -> Result<T, Mark> {
        Err(self.mark_within())
    }

    /// Says that the work which began at the mark came to this value, and that nothing else it learnt
    /// matters.
    fn distilled<T: Serialize + DeserializeOwned + PartialEq>(&self, _mark: Mark, _value: &T) {}

    /// Says that the code goes on as it did at the mark, and that nothing it learnt since then
    /// matters. Use [`until`], [`forever`] and [`insist`], whose types see to that.
    fn again(&self, _mark: Mark) {}
}

/// A point of the code to which a loop comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// So many answers mattered there.
    pub(crate) matter: usize,
    /// So many works that distil something had begun since the last of them.
    pub(crate) works: u32,
    /// So many commands were seen, and where among them the attempt began that a pause looks at.
    pub(crate) seen: usize,
    pub(crate) from: usize,
    /// Whether it is within an attempt.
    pub(crate) is_within: bool,
    /// Whether a mutation had held a command back.
    pub(crate) has_deferred: bool,
}

impl Mark {
    /// Whether it is within an attempt of a loop, and does not begin one.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.is_within
    }
}

/// A mark at which nothing is forgotten.
impl Default for Mark {
    fn default() -> Mark {
        let (seen, from) = (usize::MAX, 0);
        Mark { matter: usize::MAX, works: 0, seen, from, is_within: false, has_deferred: false }
    }
}

/// First-in-first-out queues with late acknowledgement, as a message broker gives them.
///
/// A message that was received stays with its receiver until it is acknowledged; if the receiver
/// dies before, it is delivered again, at the head of its queue. There is no error: an
/// implementation tries until the broker has done it.
pub trait Queues: Send + Sync {
    /// Appends a message to a queue.
    fn send(&self, queue: &str, message: Document) -> impl Future<Output = ()> + Send;

    /// Takes the message at the head of a queue; waits while there is none.
    fn receive(&self, queue: &str) -> impl Future<Output = Document> + Send;

    /// Takes the message at the head of a queue and acknowledges it at once: if the receiver dies,
    /// the message is lost.
    fn take(&self, queue: &str) -> impl Future<Output = Document> + Send;

    /// Says that a message that this process received is done with.
    fn acknowledge(&self, queue: &str, message: &Document) -> impl Future<Output = ()> + Send;
}

/// All that a process of the reservation systems asks of the world.
pub trait Host: Store + Env + Queues {}

impl<T: Store + Env + Queues> Host for T {}

/// Makes attempts until one gives a value, and pauses after each that does not.
///
/// An attempt gets nothing from the one before it: `Fn` lets it keep nothing. That is what lets
/// an explorer treat each attempt as the first.
pub async fn until<E, T, F, A>(env: &E, attempt: F) -> T
where
    E: Env,
    F: Fn() -> A,
    A: Future<Output = Result<T, Wake>>,
{
    let mark = env.mark();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(wake) => env.pause(wake).await,
        }
        env.again(mark);
    }
}

/// Makes attempts until one gives a value, with a [`breath`](Env::breathe) after each that does not: as where an
/// answer was lost. An attempt gets nothing from the one before it, as in [`until`].
pub async fn insist<E, T, F, A>(env: &E, attempt: F) -> T
where
    E: Env,
    F: Fn() -> A,
    A: Future<Output = Option<T>>,
{
    let mark = env.mark_within();
    loop {
        match attempt().await {
            Some(value) => return value,
            None => env.breathe().await,
        }
        env.again(mark);
    }
}

/// Does some work of which nothing matters afterwards but the value that it comes to: not which answers it
/// had, nor how often it asked.
///
/// The work gets by with what it shares (`Fn` lets it keep nothing), and the value is data (`serde`) that comes
/// back as it was, or an engine has the process fail: so an explorer may take all runs of the code for one that
/// come to one value, as they have one future. In production it is just the work. What it has read wakes its
/// caller from no [`pause`](Env::pause) by [`Wake::Changed`]. After an error everything matters that mattered before.
///
/// # Errors
///
/// Those of the work.
pub async fn distil<E, T, X, F, A>(env: &E, work: F) -> Result<T, X>
where
    E: Env,
    T: Serialize + DeserializeOwned + PartialEq,
    F: Fn() -> A,
    A: Future<Output = Result<T, X>>,
{
    let mark = match env.known() {
        Ok(known) => return Ok(known),
        Err(mark) => mark,
    };
    let value = work().await?;
    env.distilled(mark, &value);
    Ok(value)
}

/// Takes turns for ever, or until one fails; a turn gets nothing from the one before it.
///
/// # Errors
///
/// The error of the first turn that fails.
pub async fn forever<E, X, F, A>(env: &E, turn: F) -> Result<(), X>
where
    E: Env,
    F: Fn() -> A,
    A: Future<Output = Result<(), X>>,
{
    let mark = env.mark();
    loop {
        turn().await?;
        env.again(mark);
    }
}
