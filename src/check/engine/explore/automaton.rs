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
//!
//! That the ordinals which it was answered are numbered anew (see `scales`) is an input to a process as an
//! answer is: so nodes of one class are of one class under the new numbers too. Which ordinals are alive in
//! a node is what its answers have in them, until the next boundary: code that does not look at one any
//! more could not be told from code that is about to.

use rustc_hash::{FxHashMap, FxHashSet};

use super::error::CheckError;
use super::intern::Interner;
use super::minimise;
use super::scales::{Alive, Renumbering, has_ordinals};
use crate::check::mailbox::{Known, Matters, Told};
use crate::check::process::{Coroutine, Process, Stands};
use crate::check::request::Answer;
use crate::check::step::At;
use crate::check::strand::Strand;
use crate::check::system::{Guards, System};
use crate::env::Event;
use crate::store::{Atom, Atoms};

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
    inputs: Interner<Input>,
    told: Interner<Told>,
    /// For each place where the process can stand: the inputs that were ever given there.
    domains: Vec<Vec<u32>>,
    /// Whether what is told counts: it does not where no property listens.
    heeds_told: bool,
    /// Whether nodes are told apart by the ordinals that are alive in them.
    heeds_ordinals: bool,
    /// Whether the process was ever seen to have to do with any.
    pub(super) has_ordinals: bool,
    /// By input and by node: which ordinals are alive in it, as far as that was asked.
    alive_in_input: FxHashMap<u32, Alive>,
    alive_at: FxHashMap<NodeId, u32>,
    alive: Interner<Alive>,
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

/// What a process is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// An answer to one of its strands.
    Answer(Strand, Answer),
    /// What it distilled from answers before. Nobody gives it that: it stands in for them.
    Known(Known),
    /// New numbers for the ordinals that are alive in it. Where others are, it means nothing.
    Renumbered(Renumbering),
}

impl Atoms for Input {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Input::Answer(_, answer) => answer.each_atom(change),
            Input::Known(known) => known.each_atom(change),
            Input::Renumbered(renumbering) => renumbering.each_atom(change),
        }
    }
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
            inputs: Interner::new(),
            told: Interner::new(),
            domains: Vec::new(),
            heeds_told: true,
            heeds_ordinals: false,
            has_ordinals: false,
            alive_in_input: FxHashMap::default(),
            alive_at: FxHashMap::default(),
            alive: Interner::new(),
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
        (strand, answer): (Strand, Answer),
    ) -> Result<(NodeId, Told), CheckError> {
        self.follow_input(node, Input::Answer(strand, answer))
    }

    /// The node that a node is once its ordinals are numbered anew.
    pub(super) fn renumbered(
        &mut self,
        node: NodeId,
        renumbering: &Renumbering,
    ) -> Result<NodeId, CheckError> {
        let alive = self.alive_at(node);
        let renumbering = renumbering.of_those(self.alive.value(alive));
        if renumbering.is_identity() {
            return Ok(node);
        }
        Ok(self.follow_input(node, Input::Renumbered(renumbering))?.0)
    }

    /// Where an input leads from a node, and what is told on the way.
    pub(super) fn follow_input(
        &mut self,
        node: NodeId,
        input: Input,
    ) -> Result<(NodeId, Told), CheckError> {
        let stands = self.nodes[node as usize].stands;
        let input = self.inputs.number(input);
        let domain = &mut self.domains[stands as usize];
        let position = domain.iter().position(|known| *known == input).unwrap_or_else(|| {
            domain.push(input);
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

    /// One of them: from where it leads by which input, where it leads, and what is told on the way.
    pub(super) fn edge_known(&self, number: usize) -> (NodeId, &Input, NodeId, &Told) {
        let (node, position) = self.known[number];
        let Node { stands, edges, .. } = &self.nodes[node as usize];
        let input = self.domains[*stands as usize][position as usize];
        let Edge { to, told } = edges[position as usize];
        (node, self.inputs.value(input), to, self.told.value(told))
    }

    /// The answers for which it is known where they lead from a node.
    pub(super) fn answers_known(&self, node: NodeId) -> Vec<(Strand, Answer)> {
        let Node { stands, edges, .. } = &self.nodes[node as usize];
        let known = &self.domains[*stands as usize][..edges.len()];
        let answer = |input: &u32| match self.inputs.value(*input) {
            Input::Answer(strand, answer) => Some((*strand, answer.clone())),
            Input::Known(_) | Input::Renumbered(_) => None,
        };
        known.iter().filter_map(answer).collect()
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
    /// by what the process tells, and by the ordinals that are alive in them, or they are not.
    pub(super) fn forget_classes(&mut self, heeds_told: bool, heeds_ordinals: bool) {
        (self.heeds_told, self.heeds_ordinals) = (heeds_told, heeds_ordinals);
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
        let outputs = self.outputs();
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

    /// By node: what tells it apart at once, if all that can follow is known.
    fn outputs(&mut self) -> Vec<Option<u32>> {
        let is_known = |node: &Node| node.edges.len() == self.domains[node.stands as usize].len();
        let stands = |node: &Node| is_known(node).then_some(node.stands);
        let stands: Vec<Option<u32>> = self.nodes.iter().map(stands).collect();
        if !self.heeds_ordinals {
            return stands;
        }
        let mut apart = Interner::new();
        let of_node = |(stands, node): (Option<u32>, NodeId)| {
            let alive = self.alive_at(node);
            stands.map(|stands| apart.number((stands, alive)))
        };
        stands.into_iter().zip(0..).map(of_node).collect()
    }

    /// The ordinals that are alive in a node.
    pub(super) fn alive(&mut self, node: NodeId) -> &Alive {
        let alive = self.alive_at(node);
        self.alive.value(alive)
    }

    fn alive_at(&mut self, node: NodeId) -> u32 {
        if let Some(known) = self.alive_at.get(&node) {
            return *known;
        }
        let answers = match &self.nodes[node as usize].key {
            Key::Waiting { answers, .. } => answers.clone(),
            Key::Over(_) => Vec::new(),
        };
        let all = answers.into_iter().fold(Alive::default(), |all, answer| {
            let of_input = || Alive::of(self.inputs.value(answer));
            all.and(self.alive_in_input.entry(answer).or_insert_with(of_input))
        });
        let number = self.alive.number(all);
        self.alive_at.insert(node, number);
        number
    }

    /// Runs the code: from the last boundary through the recorded answers to a new one, or through
    /// answers with new numbers.
    fn derive(&mut self, node: NodeId, input: u32) -> Result<Edge, CheckError> {
        match self.inputs.value(input).clone() {
            Input::Answer(strand, value) => self.derive_answer(node, (strand, value), input),
            Input::Renumbered(renumbering) => self.derive_renumbered(node, &renumbering),
            Input::Known(_) => Err(CheckError::not_reproducible(
                &self.process.name,
                "is given what it knows".into(),
            )),
        }
    }

    fn derive_renumbered(
        &mut self,
        node: NodeId,
        renumbering: &Renumbering,
    ) -> Result<Edge, CheckError> {
        let is_meant = renumbering.is_for(self.alive(node));
        let Node { key, stands, .. } = &self.nodes[node as usize];
        let Key::Waiting { activity, answers } = key else {
            return Ok(Edge { to: node, told: self.told.number(Told::default()) });
        };
        if !is_meant {
            return Ok(Edge { to: node, told: self.told.number(Told::default()) });
        }
        let (activity, answers) = (*activity, answers.clone());
        let expected = renumbering.of(self.stands.value(*stands));
        let renumbered = |answer: u32| {
            let input = renumbering.of(self.inputs.value(answer));
            self.inputs.number(input)
        };
        let answers: Vec<u32> = answers.into_iter().map(renumbered).collect();
        let (coroutine, stands) = self.replay(activity, &answers)?;
        let is_there = coroutine.activity() == activity
            && coroutine.matter().len() == answers.len()
            && stands == expected;
        if !is_there {
            return Err(CheckError::counts(&self.process.name, &expected, &stands));
        }
        self.arrive(activity, answers, stands, Told::default())
    }

    fn derive_answer(
        &mut self,
        node: NodeId,
        (strand, value): (Strand, Answer),
        answer: u32,
    ) -> Result<Edge, CheckError> {
        let Key::Waiting { activity, answers } = self.nodes[node as usize].key.clone() else {
            return Err(CheckError::not_reproducible(
                &self.process.name,
                "goes on after its end".into(),
            ));
        };
        let mut coroutine = self.replay(activity, &answers)?.0;
        let (stands, told) = coroutine.resume(strand, value);
        let answers = if coroutine.activity() == activity {
            let mut given: Vec<u32> = answers;
            given.push(answer);
            given.retain(|input| matches!(self.inputs.value(*input), Input::Answer(..)));
            let number = |matters| match matters {
                Matters::Answer(number) => given[number as usize],
                Matters::Known(known) => self.inputs.number(Input::Known(known)),
            };
            coroutine.matter().into_iter().map(number).collect()
        } else {
            Vec::new()
        };
        self.arrive(coroutine.activity(), answers, stands, told)
    }

    fn replay(
        &mut self,
        activity: usize,
        answers: &[u32],
    ) -> Result<(Coroutine, Stands), CheckError> {
        self.derivations += 1;
        let inputs = answers.iter().map(|input| self.inputs.value(*input).clone()).collect();
        let (coroutine, stands, _) = self.run_through(activity, inputs);
        if coroutine.has_more_to_recall() {
            let what = "does not do the work again of which it knows what it came to";
            return Err(CheckError::not_reproducible(&self.process.name, what.into()));
        }
        Ok((coroutine, stands))
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
            let afresh = self.replay(activity, &answers)?.1;
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
            self.has_ordinals |= has_ordinals(self.stands.value(number));
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

    /// All places where the process was ever seen to stand.
    pub(super) fn ats(&self) -> impl Iterator<Item = &At> {
        self.ats.iter()
    }

    /// Refuses a process that does something else where ordinals are further apart: it does not go by
    /// their order alone.
    pub(super) fn check_order(&mut self) -> Result<(), CheckError> {
        for number in 0..self.known.len() {
            let (node, position) = self.known[number];
            let Node { key, stands, .. } = &self.nodes[node as usize];
            let Key::Waiting { activity, answers } = key else { continue };
            let input = self.domains[*stands as usize][position as usize];
            let Input::Answer(..) = self.inputs.value(input) else { continue };
            let mut answers = answers.clone();
            answers.push(input);
            let activity = *activity;
            let alive = self.alive(node).clone().and(&Alive::of(self.inputs.value(input)));
            let inputs = |change: &dyn Fn(&Input) -> Input| {
                answers.iter().map(|answer| change(self.inputs.value(*answer))).collect()
            };
            let (once, all) = (self.run_through(activity, inputs(&Input::clone)), alive);
            for stretch in all.stretches() {
                let other = self.run_through(activity, inputs(&|input| stretch.of(input)));
                let (stands, told) = (stretch.of(&once.1), stretch.of(&once.2));
                let matter = stretch.of(&once.0.matter());
                let is_same = matter == other.0.matter() && once.0.activity() == other.0.activity();
                if stands != other.1 || !is_same {
                    return Err(CheckError::counts(&self.process.name, &stands, &other.1));
                }
                self.expect_told(&told, &other.2)
                    .map_err(|_| CheckError::counts_told(&self.process.name, &told, &other.2))?;
            }
        }
        Ok(())
    }

    /// Where the process stands after some inputs, and what it tells at the last of them.
    fn run_through(&self, activity: usize, inputs: Vec<Input>) -> (Coroutine, Stands, Told) {
        let known = |input: &Input| match input {
            Input::Known(known) => Some(known.clone()),
            _ => None,
        };
        let known = inputs.iter().filter_map(known).collect();
        let (mut coroutine, mut stands, mut told) =
            Coroutine::start_at(&self.process, self.guards, activity, known);
        for input in inputs {
            if let Input::Answer(strand, answer) = input {
                (stands, told) = coroutine.resume(strand, answer);
            }
        }
        (coroutine, stands, told)
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
        automaton.forget_classes(true, false);
        assert_ne!(class(&mut automaton, one), class(&mut automaton, three));
        assert!(automaton.take_split().is_empty());
    }
}
