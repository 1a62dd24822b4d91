//! The broker: first-in-first-out queues with late acknowledgement.

use im::OrdMap;
use im::Vector;

use crate::store::{Atom, Atoms, Document, Text};

/// All queues of a system: what waits, and what is held by a receiver that has not acknowledged.
///
/// Persistent: a clone is a pointer copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Messages {
    waiting: OrdMap<Text, Vector<Document>>,
    held: OrdMap<(Text, Text), Vector<Document>>,
}

impl Messages {
    /// Appends a message to a queue.
    pub fn send(&mut self, queue: &Text, message: Document) {
        self.waiting.entry(queue.clone()).or_default().push_back(message);
    }

    /// Whether a queue has no message waiting.
    #[must_use]
    pub fn is_empty(&self, queue: &Text) -> bool {
        self.waiting.get(queue).is_none_or(Vector::is_empty)
    }

    /// Takes the message at the head of a queue; the receiver holds it until it acknowledges.
    pub fn receive(&mut self, queue: &Text, receiver: &Text) -> Option<Document> {
        let message = self.take(queue)?;
        let held = self.held.entry((receiver.clone(), queue.clone())).or_default();
        held.push_back(message.clone());
        Some(message)
    }

    /// Takes the message at the head of a queue for good.
    pub fn take(&mut self, queue: &Text) -> Option<Document> {
        let waiting = self.waiting.get_mut(queue)?;
        let message = waiting.pop_front()?;
        if waiting.is_empty() {
            self.waiting.remove(queue);
        }
        Some(message)
    }

    /// Forgets a message that the receiver holds; one that it does not hold is left alone.
    pub fn acknowledge(&mut self, queue: &Text, receiver: &Text, message: &Document) {
        let key = (receiver.clone(), queue.clone());
        if let Some(held) = self.held.get_mut(&key) {
            if let Some(position) = held.index_of(message) {
                held.remove(position);
            }
            if held.is_empty() {
                self.held.remove(&key);
            }
        }
    }

    /// The receiver is gone: what it holds is delivered again, at the head of each queue, in the
    /// order in which it was received.
    pub fn redeliver(&mut self, receiver: &Text) {
        let (theirs, others): (OrdMap<_, _>, OrdMap<_, _>) =
            std::mem::take(&mut self.held).into_iter().partition(|((who, _), _)| who == receiver);
        self.held = others;
        for ((_, queue), mut held) in theirs {
            let waiting = self.waiting.entry(queue).or_default();
            held.append(std::mem::take(waiting));
            *waiting = held;
        }
    }

    /// Whether a receiver holds any message.
    pub(crate) fn has_held(&self, receiver: &Text) -> bool {
        self.held.keys().any(|(who, _)| who == receiver)
    }

    /// The names of the queues that have a message.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Text> {
        self.waiting.keys().chain(self.held.keys().map(|(_, queue)| queue))
    }

    /// One queue alone.
    pub(crate) fn of_queue(&self, queue: &Text) -> Messages {
        let waiting = self.waiting.get(queue).map(|all| (queue.clone(), all.clone()));
        let held = self.held.iter().filter(|((_, of), _)| of == queue);
        Messages {
            waiting: waiting.into_iter().collect(),
            held: held.map(|(key, all)| (key.clone(), all.clone())).collect(),
        }
    }

    /// Adds queues that were taken apart.
    pub(crate) fn join(&mut self, queues: &Messages) {
        self.waiting.extend(queues.waiting.clone());
        self.held.extend(queues.held.clone());
    }

    /// Changes every text: names of queues and receivers, and those within messages.
    pub(crate) fn change_messages(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        let all = |messages: &Vector<Document>, change: &mut dyn FnMut(Atom<'_>)| {
            let changed = messages.iter().cloned().map(|mut message| {
                message.each_atom(change);
                message
            });
            changed.collect::<Vector<Document>>()
        };
        let waiting = self.waiting.iter().map(|(queue, messages)| {
            let mut queue = queue.clone();
            queue.each_atom(change);
            (queue, all(messages, change))
        });
        self.waiting = waiting.collect();
        let held = self.held.iter().map(|(key, messages)| {
            let mut key = key.clone();
            key.each_atom(change);
            (key, all(messages, change))
        });
        self.held = held.collect();
    }

    /// The messages that wait in a queue, from its head.
    pub fn waiting(&self, queue: &Text) -> impl Iterator<Item = &Document> {
        self.waiting.get(queue).into_iter().flatten()
    }

    /// The messages that a receiver holds of a queue.
    pub fn held(&self, queue: &Text, receiver: &Text) -> impl Iterator<Item = &Document> {
        self.held.get(&(receiver.clone(), queue.clone())).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc;

    fn numbers<'a>(messages: impl Iterator<Item = &'a Document>) -> Vec<i64> {
        messages.filter_map(|message| message.get("n")?.as_int()).collect()
    }

    fn three_sent() -> (Messages, Text, Text) {
        let (mut messages, queue, receiver) = (Messages::default(), "q".into(), "r".into());
        for n in 1..=3 {
            messages.send(&queue, doc! {"n": n});
        }
        (messages, queue, receiver)
    }

    #[test]
    fn a_queue_is_first_in_first_out() {
        let (mut messages, queue, receiver) = three_sent();
        assert_eq!(messages.receive(&queue, &receiver), Some(doc! {"n": 1}));
        assert_eq!(messages.receive(&queue, &receiver), Some(doc! {"n": 2}));
        assert_eq!(numbers(messages.waiting(&queue)), [3]);
    }

    #[test]
    fn what_a_dead_receiver_held_comes_back_at_the_head_in_order() {
        let (mut messages, queue, receiver) = three_sent();
        messages.receive(&queue, &receiver);
        messages.receive(&queue, &receiver);
        messages.redeliver(&receiver);
        assert_eq!(numbers(messages.waiting(&queue)), [1, 2, 3]);
        assert_eq!(messages.held(&queue, &receiver).count(), 0);
    }

    #[test]
    fn what_was_acknowledged_does_not_come_back() {
        let (mut messages, queue, receiver) = three_sent();
        messages.receive(&queue, &receiver);
        messages.receive(&queue, &receiver);
        messages.acknowledge(&queue, &receiver, &doc! {"n": 1});
        assert_eq!(numbers(messages.held(&queue, &receiver)), [2]);
        messages.redeliver(&receiver);
        assert_eq!(numbers(messages.waiting(&queue)), [2, 3]);
    }

    #[test]
    fn another_receiver_keeps_what_it_holds() {
        let (mut messages, queue, receiver) = three_sent();
        messages.receive(&queue, &receiver);
        messages.receive(&queue, &"other".into());
        messages.redeliver(&receiver);
        assert_eq!(numbers(messages.waiting(&queue)), [1, 3]);
        assert_eq!(numbers(messages.held(&queue, &"other".into())), [2]);
    }
}
