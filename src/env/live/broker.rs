//! A broker within one process: first-in-first-out queues in memory.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::env::Queues;
use crate::store::{Document, Text};

/// First-in-first-out queues in memory, for managers and workers of one process; with the process
/// their messages are gone. For several processes implement [`Queues`] over a message broker.
///
/// Each process has a [`Receiver`] of its own.
#[derive(Clone, Default)]
pub struct Broker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<HashMap<Text, VecDeque<Document>>>,
    arrived: Notify,
}

impl Broker {
    /// A broker without messages.
    #[must_use]
    pub fn new() -> Broker {
        Broker::default()
    }

    /// A connection for one process.
    #[must_use]
    pub fn connect(&self) -> Receiver {
        Receiver { broker: self.clone(), held: Mutex::new(Vec::new()) }
    }

    /// How many messages wait in a queue; those that a receiver holds are not counted.
    #[must_use]
    pub fn len(&self, queue: &str) -> usize {
        self.waiting().get(queue).map_or(0, VecDeque::len)
    }

    /// Whether no message waits in a queue.
    #[must_use]
    pub fn is_empty(&self, queue: &str) -> bool {
        self.len(queue) == 0
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Text, VecDeque<Document>>> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self, queue: &str) -> Option<Document> {
        let mut waiting = self.waiting();
        let messages = waiting.get_mut(queue)?;
        let message = messages.pop_front();
        if messages.is_empty() {
            waiting.remove(queue);
        }
        message
    }

    async fn next(&self, queue: &str) -> Document {
        loop {
            // Who asks to be told before he looks misses no message that comes in between.
            let mut arrived = std::pin::pin!(self.shared.arrived.notified());
            arrived.as_mut().enable();
            if let Some(message) = self.pop(queue) {
                return message;
            }
            arrived.await;
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("waiting", &*self.waiting()).finish_non_exhaustive()
    }
}

/// The connection of one process to a [`Broker`].
///
/// Once it is dropped, what it has received and not acknowledged is delivered again, at the head of
/// its queue, in the order in which it was received.
#[derive(Debug)]
pub struct Receiver {
    broker: Broker,
    held: Mutex<Vec<(Text, Document)>>,
}

impl Receiver {
    fn held(&self) -> MutexGuard<'_, Vec<(Text, Document)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues for Receiver {
    async fn send(&self, queue: &str, message: Document) {
        self.broker.waiting().entry(queue.into()).or_default().push_back(message);
        self.broker.shared.arrived.notify_waiters();
    }

    async fn receive(&self, queue: &str) -> Document {
        let message = self.broker.next(queue).await;
        self.held().push((queue.into(), message.clone()));
        message
    }

    async fn take(&self, queue: &str) -> Document {
        self.broker.next(queue).await
    }

    async fn acknowledge(&self, queue: &str, message: &Document) {
        let mut held = self.held();
        let position = held.iter().position(|(of, one)| &**of == queue && one == message);
        position.map(|position| held.remove(position));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut waiting = self.broker.waiting();
        for (queue, message) in self.held().drain(..).rev() {
            waiting.entry(queue).or_default().push_front(message);
        }
        drop(waiting);
        self.broker.shared.arrived.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc;

    fn message(n: i64) -> Document {
        doc! {"n": n}
    }

    #[tokio::test]
    async fn what_was_not_acknowledged_comes_again_at_the_head() {
        let broker = Broker::new();
        let (sender, receiver) = (broker.connect(), broker.connect());
        for n in 1..=4 {
            sender.send("q", message(n)).await;
        }
        for n in 1..=3 {
            assert_eq!(receiver.receive("q").await, message(n));
        }
        receiver.acknowledge("q", &message(2)).await;
        assert_eq!(broker.len("q"), 1);
        drop(receiver);
        let other = broker.connect();
        for n in [1, 3, 4] {
            assert_eq!(other.take("q").await, message(n));
        }
        drop(other);
        assert!(broker.is_empty("q"));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let broker = Broker::new();
        let (sender, receiver) = (broker.connect(), broker.connect());
        let waiting = tokio::spawn(async move { receiver.take("q").await });
        tokio::task::yield_now().await;
        sender.send("other", message(1)).await;
        sender.send("q", message(2)).await;
        assert_eq!(waiting.await.ok(), Some(message(2)));
    }

    #[tokio::test]
    async fn a_receiver_that_is_gone_wakes_others() {
        let broker = Broker::new();
        let (holder, other) = (broker.connect(), broker.connect());
        holder.send("q", message(1)).await;
        holder.receive("q").await;
        let waiting = tokio::spawn(async move { other.take("q").await });
        tokio::task::yield_now().await;
        drop(holder);
        assert_eq!(waiting.await.ok(), Some(message(1)));
    }
}
