//! The broker of a soak: the queues, and the children that wait for a message.

use std::collections::{BTreeMap, VecDeque};

use doorway::check::Messages;
use doorway::store::{Document, Text};

/// First-in-first-out queues with late acknowledgement.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    messages: Messages,
    waiting: BTreeMap<Text, VecDeque<Waiting>>,
}

/// A child that waits for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) child: u64,
    /// The number of its question.
    pub(crate) question: u64,
    /// Whether it acknowledges the message later.
    pub(crate) holds: bool,
}

impl Broker {
    pub(crate) fn send(&mut self, queue: &str, message: Document) {
        self.messages.send(&queue.into(), message);
    }

    pub(crate) fn wait(&mut self, queue: &str, waiting: Waiting) {
        self.waiting.entry(queue.into()).or_default().push_back(waiting);
    }

    /// The next child that waits for a message of the queue that there is, with the message.
    pub(crate) fn deliver(&mut self, queue: &str) -> Option<(Waiting, Document)> {
        let queue = Text::from(queue);
        let waiting = self.waiting.get_mut(&queue)?;
        if waiting.is_empty() || self.messages.is_empty(&queue) {
            return None;
        }
        let next = waiting.pop_front()?;
        let message = if next.holds {
            self.messages.receive(&queue, &receiver(next.child))
        } else {
            self.messages.take(&queue)
        };
        message.map(|message| (next, message))
    }

    pub(crate) fn acknowledge(&mut self, queue: &str, child: u64, message: &Document) {
        self.messages.acknowledge(&queue.into(), &receiver(child), message);
    }

    /// A child is dead: what it holds comes again, and it waits no more.
    pub(crate) fn gone(&mut self, child: u64) {
        self.messages.redeliver(&receiver(child));
        for waiting in self.waiting.values_mut() {
            waiting.retain(|one| one.child != child);
        }
    }
}

fn receiver(child: u64) -> Text {
    child.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorway::doc;

    #[test]
    fn a_dead_child_waits_no_more_and_what_it_held_comes_first() {
        let mut broker = Broker::default();
        let waiting = |child, question| Waiting { child, question, holds: true };
        broker.wait("q", waiting(1, 7));
        broker.wait("q", waiting(1, 8));
        broker.wait("q", waiting(2, 9));
        assert_eq!(broker.deliver("q"), None);
        broker.send("q", doc! {"n": 1});
        broker.send("q", doc! {"n": 2});
        assert_eq!(broker.deliver("q"), Some((waiting(1, 7), doc! {"n": 1})));
        broker.gone(1);
        assert_eq!(broker.deliver("q"), Some((waiting(2, 9), doc! {"n": 1})));
        broker.acknowledge("q", 2, &doc! {"n": 1});
        broker.gone(2);
        broker.wait("q", waiting(3, 1));
        assert_eq!(broker.deliver("q"), Some((waiting(3, 1), doc! {"n": 2})));
        broker.wait("q", waiting(3, 2));
        assert_eq!(broker.deliver("q"), None);
    }
}
