//! The world of a process that really runs: tokio's timer, events through [`tracing`].
//!
//! A [`Live`] puts a store, and where one is needed a broker, together into what the reservation
//! systems ask of the world:
//!
//! ```no_run
//! use doorway::env::live::Live;
//! use doorway::reservation::{Task, doorway::submit};
//! use doorway::store::memory::MemoryStore;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // In production: `MongoStore::connect("mongodb://..", "jobs").await?`, of feature `mongo`.
//! let host = Live::new(MemoryStore::new());
//! submit(&host, &Task::new("task-1", "repo-1")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What an engine decides is decided here by time: a pause is a short sleep, longer with each that
//! follows in vain, and drawn at random within bounds, so that processes which wait for the same
//! thing do not all come back at once.

mod broker;
mod pace;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

pub use broker::{Broker, Receiver};
pub use pace::Pace;

use self::pace::Backoff;
use super::{Env, Event, Mark, Queues, Wake};
use crate::store::{Command, Document, Reply, Store, StoreError};

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// A store and a broker as a [`Host`](super::Host) of processes that run on tokio.
///
/// Each process needs one of its own: a clone shares the store, and waits on its own account.
/// Without a broker (`Q` is `()`) it is a [`Store`] and an [`Env`], which is all that submitters and
/// the workers of the doorway ask for.
///
/// Every event becomes one of [`tracing`], at the level `INFO`, with the target `doorway::event` and
/// the fields `event` and `about`.
pub struct Live<S, Q = ()> {
    store: S,
    queues: Q,
    pace: Pace,
    listener: Option<Listener>,
    /// Of what a process does, and of the guard beside it.
    waiting: [Backoff; 2],
    failing: Backoff,
    /// Whether it is a guard that runs now.
    in_guard: AtomicBool,
}

impl<S> Live<S> {
    /// A host on this store, without a broker.
    #[must_use]
    pub fn new(store: S) -> Live<S> {
        let waiting = <[Backoff; 2]>::default();
        let (pace, failing, in_guard) = Default::default();
        Live { store, queues: (), pace, listener: None, waiting, failing, in_guard }
    }

    /// The same host with a broker.
    #[must_use]
    pub fn with_queues<Q>(self, queues: Q) -> Live<S, Q> {
        let Live { store, queues: (), pace, listener, waiting, failing, in_guard } = self;
        Live { store, queues, pace, listener, waiting, failing, in_guard }
    }
}

impl<S, Q> Live<S, Q> {
    /// The same host with another pace of waiting.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Live<S, Q> {
        self.pace = pace;
        self
    }

    /// The same host; `listener` is told each event as well, before the process goes on.
    #[must_use]
    pub fn listened_by(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Live<S, Q> {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The broker.
    #[must_use]
    pub fn queues(&self) -> &Q {
        &self.queues
    }

    fn waiting(&self) -> &Backoff {
        &self.waiting[usize::from(self.in_guard.load(Ordering::Relaxed))]
    }
}

impl<S: Clone, Q: Clone> Clone for Live<S, Q> {
    fn clone(&self) -> Live<S, Q> {
        Live {
            store: self.store.clone(),
            queues: self.queues.clone(),
            pace: self.pace,
            listener: self.listener.clone(),
            waiting: Default::default(),
            failing: Backoff::default(),
            in_guard: AtomicBool::default(),
        }
    }
}

impl<S: fmt::Debug, Q: fmt::Debug> fmt::Debug for Live<S, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("store", &self.store)
            .field("queues", &self.queues)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

impl<S: Store, Q: Send + Sync> Store for Live<S, Q> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let reply = self.store.execute(command).await;
        let lost = reply.as_ref().is_err_and(|e| e.is_outcome_unknown() || e.is_not_done());
        if !lost {
            self.failing.start_over();
        }
        reply
    }
}

impl<S: Send + Sync, Q: Send + Sync> Env for Live<S, Q> {
    async fn pause(&self, _wake: Wake) {
        tokio::time::sleep(self.waiting().next(&self.pace)).await;
    }

    async fn rest(&self, period: Duration) {
        tokio::time::sleep(self.pace.rest(period)).await;
    }

    async fn breathe(&self) {
        tokio::time::sleep(self.failing.next(&self.pace)).await;
    }

    /// Both run on the task that calls: work that blocks its thread keeps the guard from running.
    async fn beside<T: Send>(
        &self,
        guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        let (mut guard, mut work) = (pin!(guard), pin!(work));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                let outside = self.in_guard.swap(true, Ordering::Relaxed);
                let ended = guard.as_mut().poll(context);
                self.in_guard.store(outside, Ordering::Relaxed);
                ended.map(|()| None)
            }
        })
        .await
    }

    fn observe(&self, event: Event) {
        tracing::info!(target: "doorway::event", event = &*event.name, about = %event);
        if let Some(listener) = &self.listener {
            listener(&event);
        }
    }

    /// A loop begins: what was waited for in the one before it says nothing of this one.
    fn mark(&self) -> Mark {
        self.waiting().start_over();
        Mark::default()
    }

    /// A round of a loop ends: one that did not wait has got something done.
    fn again(&self, mark: Mark) {
        if !mark.is_within() {
            self.waiting().end_round();
        }
    }
}

impl<S: Send + Sync, Q: Queues> Queues for Live<S, Q> {
    fn send(&self, queue: &str, message: Document) -> impl Future<Output = ()> + Send {
        self.queues.send(queue, message)
    }

    fn receive(&self, queue: &str) -> impl Future<Output = Document> + Send {
        self.queues.receive(queue)
    }

    fn take(&self, queue: &str) -> impl Future<Output = Document> + Send {
        self.queues.take(queue)
    }

    fn acknowledge(&self, queue: &str, message: &Document) -> impl Future<Output = ()> + Send {
        self.queues.acknowledge(queue, message)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::env::{forever, until};
    use crate::store::memory::MemoryStore;

    fn host() -> Live<MemoryStore> {
        let pace = Pace { first: Duration::from_millis(1), ..Pace::default() };
        Live::new(MemoryStore::new()).with_pace(pace)
    }

    #[tokio::test(start_paused = true)]
    async fn the_work_is_stopped_once_the_guard_ends() {
        let host = host();
        let began = tokio::time::Instant::now();
        let guard = || tokio::time::sleep(Duration::from_secs(3));
        assert_eq!(host.beside(guard(), pending::<()>()).await, None);
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        assert_eq!(host.beside(guard(), ready(7)).await, Some(7));
        assert_eq!(host.beside(pending(), ready(7)).await, Some(7));
        assert_eq!(began.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn the_guard_runs_beside_the_work() {
        let (host, beats) = (host(), AtomicU32::new(0));
        let guard = async {
            loop {
                host.rest(Duration::from_secs(1)).await;
                beats.fetch_add(1, Ordering::Relaxed);
            }
        };
        let work = tokio::time::sleep(Duration::from_millis(3500));
        assert_eq!(host.beside(guard, work).await, Some(()));
        assert_eq!(beats.into_inner(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guard_that_goes_round_and_round_does_not_hasten_the_work() {
        let (host, tries) = (host(), Mutex::new(Vec::new()));
        let guard = async {
            let beat = || async {
                host.rest(Duration::from_millis(1)).await;
                Ok::<(), ()>(())
            };
            let _: Result<(), ()> = forever(&host, beat).await;
        };
        let work = until(&host, || async {
            let mut tries = tries.lock().unwrap();
            tries.push(tokio::time::Instant::now());
            if tries.len() < 20 { Err(Wake::Changed) } else { Ok(()) }
        });
        assert_eq!(host.beside(guard, work).await, Some(()));
        let tries = tries.into_inner().unwrap();
        assert!(tries[19] - tries[18] >= host.pace.most / 2, "{tries:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_in_vain_gets_longer_up_to_a_bound_and_starts_over() {
        let host = host();
        let waits = Mutex::new(Vec::new());
        let wait = |until_round: u32, rounds: &AtomicU32| {
            let began = tokio::time::Instant::now();
            let round = rounds.fetch_add(1, Ordering::Relaxed);
            waits.lock().unwrap().push(began);
            if round < until_round { Err(Wake::Changed) } else { Ok(()) }
        };
        for _ in 0..2 {
            let rounds = AtomicU32::new(0);
            until(&host, || async { wait(20, &rounds) }).await;
        }
        let waits = waits.into_inner().unwrap();
        let gaps: Vec<Duration> = waits.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (first, most) = (host.pace.first, host.pace.most);
        // The timer of tokio counts whole milliseconds.
        let tick = Duration::from_millis(1);
        assert!(gaps[0] <= first + tick, "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= most + tick), "{gaps:?}");
        assert!(gaps[19] >= most / 2, "{gaps:?}");
        assert!(gaps[21] <= first + tick, "the second loop starts over: {gaps:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_did_something_starts_over() {
        let (host, rounds) = (host(), AtomicU32::new(0));
        let ended = forever(&host, || async {
            let round = rounds.fetch_add(1, Ordering::Relaxed);
            let began = tokio::time::Instant::now();
            if round != 10 {
                host.idle(Wake::Changed).await;
            }
            let waited = began.elapsed();
            match round {
                9 => assert!(waited >= host.pace.most / 4, "{waited:?}"),
                11 => assert!(waited <= 2 * host.pace.first, "{waited:?}"),
                _ => {}
            }
            if round == 11 { Err("done") } else { Ok(()) }
        });
        assert_eq!(ended.await, Err("done"));
    }

    #[tokio::test(start_paused = true)]
    async fn time_can_be_made_to_pass_faster() {
        let pace = Pace { haste: 10, ..Pace::default() };
        let host = Live::new(()).with_pace(pace);
        let began = tokio::time::Instant::now();
        host.rest(Duration::from_secs(5)).await;
        assert_eq!(began.elapsed(), Duration::from_millis(500));
    }

    #[tokio::test]
    async fn events_are_heard_at_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let host = host().listened_by(move |event| kept.lock().unwrap().push(event.clone()));
        host.observe(Event::new("started").with("task", "t"));
        assert_eq!(*heard.lock().unwrap(), [Event::new("started").with("task", "t")]);
    }
}
