//! A child's link to the driver: lines through standard output, answers through standard input.
//!
//! When the input ends, the driver is gone, and so is the child. The driver is the broker and the
//! resources as well: both are asked through the link, so that their order is that of the lines.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorway::env::Queues;
use doorway::store::Document;
use tokio::sync::oneshot;

use super::clock;
use super::fact::{Answer, Effect, Fact, LONGEST, Line, Say};

/// The link of this process. A clone is the same link.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    child: u64,
    asked: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
}

impl Link {
    /// The link of the child of this number; listens for answers on a thread of its own.
    pub(crate) fn new(child: u64) -> Link {
        let waiting = Mutex::default();
        let link = Link { shared: Arc::new(Shared { child, asked: AtomicU64::new(0), waiting }) };
        let answers = link.clone();
        std::thread::spawn(move || answers.listen());
        link
    }

    /// Says something. It stands in the order of all lines when this returns.
    pub(crate) fn say(&self, say: Say) {
        let mut line = line(self.shared.child, say);
        line.truncate(LONGEST);
        // Of a driver that is gone the input has ended too.
        let _ = std::io::stdout().lock().write_all(&line);
    }

    pub(crate) fn tell(&self, fact: Fact) {
        self.say(Say::Fact(fact));
    }

    /// Whether the resource lets the run act on it.
    pub(crate) async fn act(&self, effect: Effect) -> bool {
        self.ask(|number| Say::Effect(number, effect)).await.accepted
    }

    async fn ask(&self, question: impl FnOnce(u64) -> Say) -> Answer {
        let number = self.shared.asked.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting().insert(number, sender);
        self.say(question(number));
        match answer.await {
            Ok(answer) => answer,
            Err(_) => std::future::pending().await,
        }
    }

    async fn message(&self, question: impl FnOnce(u64) -> Say) -> Document {
        match self.ask(question).await.message {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) {
        for line in std::io::stdin().lock().lines() {
            let Ok(answer) = line.map(|line| serde_json::from_str::<Answer>(&line)) else { break };
            let Ok(answer) = answer else { break };
            if let Some(waiting) = self.waiting().remove(&answer.to) {
                let _ = waiting.send(answer);
            }
        }
        std::process::exit(0);
    }
}

/// A line as it is written, with its end.
pub(crate) fn line(by: u64, say: Say) -> Vec<u8> {
    let line = Line { by, at: clock::nanos(), say };
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl Queues for Link {
    async fn send(&self, queue: &str, message: Document) {
        self.say(Say::Send(queue.to_owned(), message));
    }

    async fn receive(&self, queue: &str) -> Document {
        self.message(|number| Say::Receive(number, queue.to_owned())).await
    }

    async fn take(&self, queue: &str) -> Document {
        self.message(|number| Say::Take(number, queue.to_owned())).await
    }

    async fn acknowledge(&self, queue: &str, message: &Document) {
        self.say(Say::Acknowledge(queue.to_owned(), message.clone()));
    }
}
