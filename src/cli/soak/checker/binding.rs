//! Which resource is certainly bound to which worker.

use std::collections::BTreeMap;

use doorway::store::Text;
use serde::{Deserialize, Serialize};

/// For how many lines a command of a dead child may still be done: nothing is certain of its
/// reservation meanwhile.
const STRAY: u64 = 20_000;

/// The reservations that are certainly bound: from the answer to the operation that bound them until
/// the first that may have ended that is about to be sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Bindings {
    certain: BTreeMap<Text, Bound>,
    /// By child: a binding that is under way.
    pending: BTreeMap<u64, Pending>,
    /// By reservation: the children that are about to end its binding, each as often as it is.
    ending: BTreeMap<Text, Vec<u64>>,
    /// By reservation: the line until which a command of a dead child may still come.
    stray: BTreeMap<Text, u64>,
    /// By resource: the worker that it was bound to last.
    last: BTreeMap<Text, Text>,
    rebindings: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bound {
    resource: Text,
    worker: Text,
    /// The line that said so, for people.
    line: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    document: Text,
    bound: Bound,
    /// Nobody has set out to end a binding of the reservation since it was sent.
    undisturbed: bool,
}

/// Two bindings at once, of which there may be one.
pub(super) struct Double {
    pub(super) why: String,
    pub(super) lines: Vec<String>,
}

impl Bindings {
    /// How often a resource was bound to another worker than the last time.
    pub(super) fn rebindings(&self) -> u64 {
        self.rebindings
    }

    /// Somebody sets out to bind a resource to a worker, in a document.
    pub(super) fn binding(
        &mut self,
        by: u64,
        document: &Text,
        (resource, worker): (&Text, &Text),
        line: String,
    ) {
        let bound = Bound { resource: resource.clone(), worker: worker.clone(), line };
        let document = document.clone();
        let undisturbed = !self.ending.contains_key(&document);
        self.pending.insert(by, Pending { document, bound, undisturbed });
    }

    /// The answer has come. Says who is bound twice, if somebody is.
    pub(super) fn bound(
        &mut self,
        by: u64,
        document: &str,
        done: bool,
        now: u64,
    ) -> Option<Double> {
        let pending = self.pending.remove(&by).filter(|one| &*one.document == document && done)?;
        let Pending { document, bound, undisturbed } = pending;
        let before = self.last.insert(bound.resource.clone(), bound.worker.clone());
        self.rebindings += u64::from(before.is_some_and(|before| before != bound.worker));
        self.stray.retain(|_, until| *until > now);
        if !undisturbed || self.stray.contains_key(&document) {
            return None;
        }
        let double = self.double(&document, &bound);
        self.certain.insert(document, bound);
        double
    }

    fn double(&self, document: &Text, bound: &Bound) -> Option<Double> {
        let is_other = |(name, other): &(&Text, &Bound)| {
            *name == document
                || (other.resource == bound.resource) != (other.worker == bound.worker)
        };
        let (name, other) = self.certain.iter().find(is_other)?;
        let why = format!(
            "{} is bound to {} while {} is bound to {}{}",
            bound.resource,
            bound.worker,
            other.resource,
            other.worker,
            if name == document { ", which is written over" } else { "" },
        );
        Some(Double { why, lines: vec![other.line.clone(), bound.line.clone()] })
    }

    pub(super) fn unbinding(&mut self, by: u64, document: &Text) {
        self.certain.remove(document);
        self.ending.entry(document.clone()).or_default().push(by);
        for pending in self.pending.values_mut().filter(|pending| pending.document == *document) {
            pending.undisturbed = false;
        }
    }

    pub(super) fn unbound(&mut self, by: u64, document: &Text) {
        if let Some(ending) = self.ending.get_mut(document) {
            ending.iter().position(|one| *one == by).map(|position| ending.remove(position));
            if ending.is_empty() {
                self.ending.remove(document);
            }
        }
    }

    /// Nothing is certain any more.
    pub(super) fn resume(&mut self) {
        self.certain.clear();
        self.pending.clear();
        self.ending.clear();
    }

    pub(super) fn gone(&mut self, child: u64, now: u64) {
        self.pending.remove(&child);
        for (document, ending) in &mut self.ending {
            let before = ending.len();
            ending.retain(|by| *by != child);
            if ending.len() < before {
                self.stray.insert(document.clone(), now + STRAY);
            }
        }
        self.ending.retain(|_, ending| !ending.is_empty());
    }
}
