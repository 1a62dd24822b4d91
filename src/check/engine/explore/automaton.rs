//! A process as an automaton, learnt from its running code.
//!
//! A process is a function of the answers that it gets, so a node of its automaton is an activity
//! and the answers since the last boundary: what asks next is found out by giving these answers
//! to a fresh run of the activity. The code runs only when an edge is seen for the first time.
//!
//! Where guards run beside the work ([`Env::beside`](crate::env::Env::beside)), an answer is one to a
//! strand, and of the answers to different strands the order does not count: they know nothing of each
//! other until one of them ends. Strands that share memory are found out as any other process is that is
//! no function of its answers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::error::CheckError;
use super::intern::Interner;
use super::minimise;
use crate::check::mailbox::Told;
use crate::check::process::{Coroutine, Process, Stands};
use crate::check::request::Answer;
use crate::check::step::At;
use crate::check::strand::Strand;
use crate::check::system::{Guards, System};
use crate::env::Event;

/// So many nodes of a process are learnt ahead of the search, so that they can be merged; beyond
/// them a node is learnt when the search gets there, and stays by itself.
const AHEAD: usize = 256;

pub(super) type NodeId = u32;
pub(super) type Class = u32;
const NO_CLASS: Class = Class::MAX;

/// A process as an automaton.
pub(super) struct Automaton {
    process: Process,
    guards: Guards,
    nodes: Vec<Node>,
    by_key: FxHashMap<Key, NodeId>,
    stands: Interner<Stands>,
    /// The same, ready to be run on from.
    ats: Vec<At>,
    answers: Interner<(Strand, Answer)>,
    told: Interner<Told>,
    /// For each place where the process can stand: the answers that were ever given there.
    domains: Vec<Vec<u32>>,
    /// Whether what is told counts: it does not where no property listens.
    heeds_told: bool,
    /// Whether nodes or answers were added since the classes were computed.
    dirty: bool,
    /// For each node the block of the coarsest partition, as last computed.
    blocks: Vec<u32>,
    class_of_block: FxHashMap<u32, Class>,
    /// The first node of each class that is in use.
    representatives: Vec<NodeId>,
    /// Whether nodes that the search came to turned out to differ from the first of their class.
    has_split: bool,
    /// The classes of which nodes turned out to differ since then, and that was not yet said.
    split: Vec<Class>,
    /// The edges that are known, in the order in which they were learnt: each by its node and its
    /// position there.
    known: Vec<(NodeId, u32)>,
    pub(super) derivations: u64,
}

/// What identifies a node: the activity, and the answers since the last boundary. Where nothing
/// more is asked, it does not matter how the process came there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Waiting { activity: usize, answers: Vec<u32> },
    Over(u32),
}

struct Node {
    key: Key,
    stands: u32,
    /// By the position of the answer in the domain; shorter than the domain where an edge is
    /// still to be learnt.
    edges: Vec<Edge>,
    class: Class,
}

/// What an answer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) to: NodeId,
    told: u32,
}

impl Automaton {
    /// Learns where the process stands before the first step.
    pub(super) fn new(process: &Process, guards: Guards) -> Result<Automaton, CheckError> {
        let mut automaton = Automaton {
            process: process.clone(),
            guards,
            nodes: Vec::new(),
            by_key: FxHashMap::default(),
            stands: Interner::new(),
            ats: Vec::new(),
            answers: Interner::new(),
            told: Interner::new(),
            domains: Vec::new(),
            heeds_told: true,
            dirty: true,
            blocks: Vec::new(),
            class_of_block: FxHashMap::default(),
            representatives: Vec::new(),
            has_split: false,
            split: Vec::new(),
            known: Vec::new(),
            derivations: 0,
        };
        let (coroutine, stands, told) = Coroutine::start(process, guards);
        let edge = automaton.arrive(coroutine.activity(), Vec::new(), stands, told)?;
        debug_assert_eq!(edge.to, 0);
        Ok(automaton)
    }

    /// Those of all processes of a system.
    pub(super) fn all(system: &System) -> Result<Vec<Automaton>, CheckError> {
        let new = |process| Automaton::new(process, system.guards);
        system.processes.iter().map(new).collect()
    }

    pub(super) fn start(&self) -> NodeId {
        0
    }

    pub(super) fn stands(&self, node: NodeId) -> &Stands {
        self.stands.value(self.nodes[node as usize].stands)
    }

    /// The same, ready to be run on from.
    pub(super) fn at(&self, node: NodeId) -> At {
        self.ats[self.nodes[node as usize].stands as usize].clone()
    }

    /// Refuses a run of the process that stands elsewhere than at this node.
    pub(super) fn expect(&self, node: NodeId, stands: &Stands) -> Result<(), CheckError> {
        let learnt = self.stands(node);
        if learnt == stands {
            return Ok(());
        }
        Err(CheckError::differs(&self.process.name, learnt, stands))
    }

    /// Refuses a run of the process that tells something else.
    pub(super) fn expect_told(&self, learnt: &Told, told: &Told) -> Result<(), CheckError> {
        if learnt == told {
            return Ok(());
        }
        let (learnt, told) = (&learnt.events, &told.events);
        let list = |events: &[Event]| {
            let events: Vec<String> = events.iter().map(Event::to_string).collect();
            format!("[{}]", events.join(", "))
        };
        let what = format!("once it tells {}, and once {}", list(learnt), list(told));
        Err(CheckError::not_reproducible(&self.process.name, what))
    }

    /// The node that stands for a class.
    pub(super) fn representative(&self, class: Class) -> NodeId {
        self.representatives[class as usize]
    }

    /// The events that the process tells before its first request.
    pub(super) fn told_at_start(&self) -> Told {
        Coroutine::start(&self.process, self.guards).2
    }

    /// Where an answer to a strand leads from a node, and what is told on the way.
    pub(super) fn follow(
        &mut self,
        node: NodeId,
        answer: (Strand, Answer),
    ) -> Result<(NodeId, Told), CheckError> {
        let stands = self.nodes[node as usize].stands;
        let answer = self.answers.number(answer);
        let domain = &mut self.domains[stands as usize];
        let position = domain.iter().position(|known| *known == answer).unwrap_or_else(|| {
            domain.push(answer);
            self.dirty = true;
            domain.len() - 1
        });
        if self.nodes[node as usize].edges.len() <= position {
            self.learn_edges(node)?;
        }
        let edge = self.nodes[node as usize].edges[position];
        Ok((edge.to, self.told.value(edge.told).clone()))
    }

    /// How many edges are known.
    pub(super) fn edges_known(&self) -> usize {
        self.known.len()
    }

    /// One of them: from where it leads by which answer, where it leads, and what is told on the way.
    pub(super) fn edge_known(&self, number: usize) -> (NodeId, &(Strand, Answer), NodeId, &Told) {
        let (node, position) = self.known[number];
        let Node { stands, edges, .. } = &self.nodes[node as usize];
        let answer = self.domains[*stands as usize][position as usize];
        let Edge { to, told } = edges[position as usize];
        (node, self.answers.value(answer), to, self.told.value(told))
    }

    /// The answers for which it is known where they lead from a node.
    pub(super) fn answers_known(&self, node: NodeId) -> Vec<(Strand, Answer)> {
        let Node { stands, edges, .. } = &self.nodes[node as usize];
        let known = &self.domains[*stands as usize][..edges.len()];
        known.iter().map(|answer| self.answers.value(*answer).clone()).collect()
    }

    /// Learns ahead all that is missing for the classes.
    pub(super) fn settle(&mut self) -> Result<(), CheckError> {
        if self.dirty { self.refine() } else { Ok(()) }
    }

    /// The class of a node: nodes of one class ask the same, now and after any answers.
    pub(super) fn class(&mut self, node: NodeId) -> Result<Class, CheckError> {
        if self.dirty {
            self.refine()?;
        }
        let known = self.nodes[node as usize].class;
        if known != NO_CLASS {
            return Ok(known);
        }
        let next = self.representatives.len() as Class;
        let class = *self.class_of_block.entry(self.blocks[node as usize]).or_insert(next);
        if class == next {
            self.representatives.push(node);
        }
        self.nodes[node as usize].class = class;
        Ok(class)
    }

    /// The classes of which nodes turned out to differ since this was last asked. Each is now that
    /// of its first node and of those like it; the others get classes of their own.
    pub(super) fn take_split(&mut self) -> Vec<Class> {
        std::mem::take(&mut self.split)
    }

    /// Forgets which classes are in use; what was learnt stays. From now on nodes are told apart
    /// by what the process tells, or they are not.
    pub(super) fn forget_classes(&mut self, heeds_told: bool) {
        self.heeds_told = heeds_told;
        self.dirty = true;
        self.representatives.clear();
        self.class_of_block.clear();
        self.nodes.iter_mut().for_each(|node| node.class = NO_CLASS);
        self.has_split = false;
        self.split.clear();
    }

    /// Learns the edges of a node for all answers that were ever given to what it asks.
    fn learn_edges(&mut self, node: NodeId) -> Result<(), CheckError> {
        let Node { stands, edges, .. } = &self.nodes[node as usize];
        let missing = self.domains[*stands as usize][edges.len()..].to_vec();
        for answer in missing {
            let edge = self.derive(node, answer)?;
            let edges = &mut self.nodes[node as usize].edges;
            self.known.push((node, edges.len() as u32));
            edges.push(edge);
        }
        Ok(())
    }

    /// Learns ahead, and computes the coarsest partition of what is known.
    ///
    /// A node whose edges are not all known stays by itself, which is safe.
    fn refine(&mut self) -> Result<(), CheckError> {
        let mut node = 0;
        while node < self.nodes.len() {
            let is_used = !self.nodes[node].edges.is_empty();
            if is_used || self.nodes.len() <= AHEAD {
                self.learn_edges(node as NodeId)?;
            }
            node += 1;
        }
        self.dirty = false;
        let outputs: Vec<Option<u32>> = self.nodes.iter().map(|node| self.output(node)).collect();
        let told = |edge: &Edge| match self.heeds_told {
            true => edge.told,
            false => self.told.value(edge.told).asked.number(),
        };
        let successors =
            |node: usize| self.nodes[node].edges.iter().map(|edge| (told(edge), edge.to as usize));
        let before = std::mem::take(&mut self.blocks);
        self.blocks = minimise::coarsest_partition(&outputs, successors);
        self.class_of_block.clear();
        for class in 0..self.representatives.len() {
            let block = self.blocks[self.representatives[class] as usize];
            self.class_of_block.entry(block).or_insert(class as Class);
        }
        self.note_split(&before);
        Ok(())
    }

    /// Takes the nodes out of their classes that turned out to differ from the first of them.
    ///
    /// If there are such, the search may have gone on from the first where it had come to another,
    /// without coming to what follows that one. So then each class counts as split of which any
    /// node is no longer like the others.
    fn note_split(&mut self, before: &[u32]) {
        for (node, block) in self.nodes.iter_mut().zip(&self.blocks) {
            let Some(first) = self.representatives.get(node.class as usize) else { continue };
            if self.blocks[*first as usize] != *block {
                node.class = NO_CLASS;
                self.has_split = true;
            }
        }
        if !self.has_split {
            return;
        }
        let (mut now, mut is_broken) = (FxHashMap::default(), FxHashSet::default());
        for (before, block) in before.iter().zip(&self.blocks) {
            if now.entry(before).or_insert(block) != &block {
                is_broken.insert(before);
            }
        }
        let firsts = self.representatives.iter().zip(0..);
        let split = firsts.filter(|(first, _)| is_broken.contains(&before[**first as usize]));
        self.split.extend(split.map(|(_, class)| class));
    }

    /// Where a node stands, if all that can follow is known.
    fn output(&self, node: &Node) -> Option<u32> {
        let known = node.edges.len() == self.domains[node.stands as usize].len();
        known.then_some(node.stands)
    }

    /// Runs the code: from the last boundary through the recorded answers to a new one.
    fn derive(&mut self, node: NodeId, answer: u32) -> Result<Edge, CheckError> {
        let Key::Waiting { activity, answers } = self.nodes[node as usize].key.clone() else {
            return Err(CheckError::not_reproducible(
                &self.process.name,
                "goes on after its end".into(),
            ));
        };
        let mut coroutine = self.replay(activity, &answers).0;
        let (strand, value) = self.answers.value(answer).clone();
        let (stands, told) = coroutine.resume(strand, value);
        let answers = if coroutine.activity() == activity {
            let mut all = answers;
            all.push(answer);
            coroutine.matter().into_iter().map(|given| all[given as usize]).collect()
        } else {
            Vec::new()
        };
        self.arrive(coroutine.activity(), answers, stands, told)
    }

    fn replay(&mut self, activity: usize, answers: &[u32]) -> (Coroutine, Stands) {
        self.derivations += 1;
        let (mut coroutine, mut stands, _) =
            Coroutine::start_at(&self.process, self.guards, activity);
        for answer in answers {
            let (strand, answer) = self.answers.value(*answer).clone();
            stands = coroutine.resume(strand, answer).0;
        }
        (coroutine, stands)
    }

    /// The node at which a run of the code has arrived, a new one if need be.
    fn arrive(
        &mut self,
        activity: usize,
        answers: Vec<u32>,
        stands: Stands,
        told: Told,
    ) -> Result<Edge, CheckError> {
        let number = self.standing(stands);
        let told = self.told.number(told);
        let key = match self.stands.value(number) {
            Stands::Asks(_) | Stands::Beside(_) => Key::Waiting { activity, answers },
            Stands::Ended | Stands::Failed(_) => Key::Over(number),
        };
        if let Some(to) = self.by_key.get(&key) {
            self.compare(self.nodes[*to as usize].stands, number)?;
            return Ok(Edge { to: *to, told });
        }
        if let Key::Waiting { activity, answers } = &key {
            let (activity, answers) = (*activity, answers.clone());
            let afresh = self.replay(activity, &answers).1;
            let afresh = self.standing(afresh);
            self.compare(afresh, number)?;
        }
        let to = self.nodes.len() as NodeId;
        self.by_key.insert(key.clone(), to);
        self.nodes.push(Node { key, stands: number, edges: Vec::new(), class: NO_CLASS });
        self.dirty = true;
        Ok(Edge { to, told })
    }

    /// The number of a place where the process can stand.
    fn standing(&mut self, stands: Stands) -> u32 {
        let number = self.stands.number(stands);
        if number as usize == self.ats.len() {
            self.ats.push(At::from(self.stands.value(number).clone()));
            self.domains.push(Vec::new());
        }
        number
    }

    /// Refuses a process that stands elsewhere after the same answers.
    fn compare(&self, once: u32, again: u32) -> Result<(), CheckError> {
        if once == again {
            return Ok(());
        }
        Err(CheckError::differs(
            &self.process.name,
            self.stands.value(once),
            self.stands.value(again),
        ))
    }

    /// Learns every edge once more, the last one first, and compares.
    pub(super) fn check_again(&mut self) -> Result<(), CheckError> {
        for node in (0..self.nodes.len()).rev() {
            for position in (0..self.nodes[node].edges.len()).rev() {
                let Node { stands, edges, .. } = &self.nodes[node];
                let (answer, known) = (self.domains[*stands as usize][position], edges[position]);
                let again = self.derive(node as NodeId, answer)?;
                self.compare(
                    self.nodes[known.to as usize].stands,
                    self.nodes[again.to as usize].stands,
                )?;
                self.expect_told(self.told.value(known.told), self.told.value(again.told))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cx::Cx;
    use crate::doc;
    use crate::env::Queues;
    use crate::store::Document;

    /// Takes three messages; only if the last is 2 does it matter what the first was.
    async fn three_messages(cx: Cx) -> Result<(), String> {
        let number = |message: Document| message.get("n").and_then(|n| n.as_int());
        let first = number(cx.take("queue").await);
        cx.take("queue").await;
        match (first, number(cx.take("queue").await)) {
            (Some(1), Some(2)) => Err("1, then 2".into()),
            _ => Ok(()),
        }
    }

    fn message(n: i64) -> (Strand, Answer) {
        (Strand::MAIN, Answer::Message(doc! {"n": n}))
    }

    #[test]
    fn nodes_are_one_until_an_answer_tells_them_apart() {
        let process = Process::new("p").then(three_messages);
        let mut automaton = Automaton::new(&process, Guards::LeftOut).expect("reproducible");
        let mut after = |node, n| automaton.follow(node, message(n)).expect("reproducible").0;
        let (one, three) = (after(0, 1), after(0, 3));
        let next = after(one, 1);
        after(next, 1);
        let class = |automaton: &mut Automaton, node| automaton.class(node).expect("reproducible");
        let both = class(&mut automaton, one);
        assert_eq!(both, class(&mut automaton, three));
        let after_both = class(&mut automaton, next);
        automaton.follow(next, message(2)).expect("reproducible");
        assert_eq!(class(&mut automaton, one), both);
        assert_ne!(class(&mut automaton, three), both);
        assert_eq!(
            automaton.take_split(),
            [both, after_both],
            "what follows the two is two as well"
        );
        automaton.forget_classes(true);
        assert_ne!(class(&mut automaton, one), class(&mut automaton, three));
        assert!(automaton.take_split().is_empty());
    }
}
