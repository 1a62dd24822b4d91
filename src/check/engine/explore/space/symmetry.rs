//! Symmetry: of the states that are one under an exchange of names, one is visited for all (Ip and
//! Dill, *Better verification through symmetry*, Formal Methods in System Design 9, 1996).
//!
//! The candidates (see `candidates`) generate a group, which acts on the small numbers of which
//! states are made (see `orbits`). Of each state the least under the group is visited: as a scene
//! knows which elements take it to the first of its orbit, only these are tried.
//!
//! That the group is one of symmetries is checked, on all that is found out: what a step leads to
//! under other names has to be what the step under other names leads to, and so has what the
//! properties say of it, for every element of the group. So by induction over its steps each run of
//! the system is one that the search has seen, but for names, and the other way round; that the
//! first state is one under all other names is where the induction begins. An exchange that fails is
//! dropped, and the search begins again without it.
//!
//! What was found out is checked once, by spots, and stays checked from one pass to the next as long
//! as the group is the same; with another group all is found out anew. In a pass a place stands for
//! its spots: its image is the place of the image of the first of them.
//!
//! How a number's image is found does not matter for that, as long as the images are the work of a
//! group, which [`Orbits::close`] sees to.

use rustc_hash::FxHashSet;

use super::{Asked, Budget, Edge, Global, Layout, Moved, Packed, Part, Space, Spot};
use crate::check::engine::explore::automaton::NodeId;
use crate::check::engine::explore::candidates::Candidate;
use crate::check::engine::explore::error::CheckError;
use crate::check::engine::explore::group::{Element, Group, NEUTRAL};
use crate::check::engine::explore::intern::Interner;
use crate::check::engine::explore::judge::Changed;
use crate::check::engine::explore::orbits::Orbits;
use crate::check::fault::Choice;

/// So often the search begins again with what it has learnt meanwhile, which may be all that it
/// lacked, before exchanges are dropped of which it is not clear which one fails.
const CHANCES: u32 = 3;

/// The exchanges of names that may be symmetries of a system, and what comes of them.
#[derive(Default)]
pub(super) struct Symmetry {
    standing: Vec<Candidate>,
    /// Those under which a property says something else: they stand again without it.
    unjust: Vec<Candidate>,
    in_play: Vec<usize>,
    /// Where states are visited one for all: the group at work.
    work: Option<Box<Action>>,
    /// The same while states are visited for themselves, until the search begins again.
    at_rest: Option<Box<Action>>,
    /// What the group is made of, and how many queues there were.
    made_for: (Vec<Candidate>, usize),
    /// Whether what is found out is noted.
    notes: bool,
    /// What was found out and not checked under other names yet.
    learnt: Vec<Learnt>,
    /// Whether an exchange has failed since the search began again.
    refuted: bool,
    failures: u32,
}

/// A group at work on the numbers of which states are made.
pub(super) struct Action {
    group: Group,
    /// Where each element takes each queue.
    queue_of: Vec<Box<[u16]>>,
    /// Of this pass; all others stay.
    locals: Orbits,
    spots: Orbits,
    stores: Orbits,
    queues: Orbits,
    memories: Orbits,
    /// By generator: what it makes of what is remembered.
    renamed: Vec<Changed>,
    scenes: Orbits,
    budgets: Orbits,
    labels: Orbits,
    /// By scene: how it gets to the first of its orbit.
    homes: Vec<Home>,
    /// By orbit of scenes.
    stabilisers: Vec<u32>,
    subgroups: Interner<Box<[Element]>>,
    /// By generator and process: the node that each node is under other names, and how many edges
    /// were followed under other names.
    nodes: Vec<Vec<Vec<NodeId>>>,
    followed: Vec<Vec<usize>>,
    /// How many numbers there were when each had its images.
    closed: usize,
}

/// How a scene gets to the first of its orbit, and what leaves that as it is.
#[derive(Clone, Copy)]
struct Home {
    by: Element,
    stabiliser: u32,
}

/// Something that was found out.
#[derive(Clone, Debug)]
pub(super) enum Learnt {
    Moved(Asked),
    Redelivered { process: usize, queue: u32, content: u32 },
    Judged { label: u32, memory: u32, store: u32, queues: Box<[u32]> },
}

/// What came of a check.
enum Held {
    Holds,
    /// The search has to begin again anyway.
    Stale,
    /// The generator of this number is no symmetry.
    Fails(usize),
    /// The same, and it is the properties that tell.
    IsUnjust(usize),
    /// It is not clear which.
    Unclear,
}

impl Held {
    fn holds(&self) -> bool {
        matches!(self, Held::Holds)
    }
}

impl Action {
    fn new(group: Group, queue_of: Vec<Box<[u16]>>, queues: usize) -> Action {
        let processes = group.processes(NEUTRAL).len();
        let generators = group.generators.len();
        Action {
            queue_of,
            locals: Orbits::new(&group, processes),
            spots: Orbits::new(&group, 1),
            stores: Orbits::new(&group, 1),
            queues: Orbits::new(&group, queues),
            memories: Orbits::new(&group, 1),
            renamed: std::iter::repeat_with(Changed::default).take(generators).collect(),
            scenes: Orbits::new(&group, 1),
            budgets: Orbits::new(&group, 1),
            labels: Orbits::new(&group, 1),
            homes: Vec::new(),
            stabilisers: Vec::new(),
            subgroups: Interner::new(),
            nodes: vec![vec![Vec::new(); processes]; generators],
            followed: vec![vec![0; processes]; generators],
            closed: 0,
            group,
        }
    }

    /// The least state that this one is under other names, and by which element.
    #[inline]
    pub(super) fn canonical<const N: usize>(
        &self,
        layout: &Layout,
        key: Packed<N>,
    ) -> Option<Packed<N>> {
        let Home { by, stabiliser } = *self.homes.get(layout.scene.get(&key) as usize)?;
        let mut least = by;
        for stays in &self.subgroups.value(stabiliser)[1..] {
            let other = self.group.product(*stays, by);
            if self.is_less(layout, &key, other, least) {
                least = other;
            }
        }
        Some(if least == NEUTRAL { key } else { self.apply(layout, &key, least) })
    }

    /// Whether the image of a state under one element is less than that under another, where the
    /// scenes are one.
    fn is_less<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        one: Element,
        other: Element,
    ) -> bool {
        let processes = layout.locals.len();
        let locals = |under| (0..processes).map(move |to| self.local_at(layout, key, to, under));
        let queues =
            |under| (0..layout.queues.len()).map(move |to| self.queue_at(layout, key, to, under));
        let budget = |under| self.budgets.image(&self.group, 0, layout.faults.get(key), under);
        (locals(one).cmp(locals(other)))
            .then_with(|| queues(one).cmp(queues(other)))
            .then_with(|| budget(one).cmp(&budget(other)))
            .is_lt()
    }

    /// Where a process stands in the image of a state.
    #[inline]
    fn local_at<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        process: usize,
        under: Element,
    ) -> u32 {
        let from = self.group.processes(self.group.inverse(under))[process] as usize;
        self.locals.image(&self.group, from, layout.locals[from].get(key), under)
    }

    fn queue_at<const N: usize>(
        &self,
        layout: &Layout,
        key: &Packed<N>,
        queue: usize,
        under: Element,
    ) -> u32 {
        let from = self.queue_of[self.group.inverse(under) as usize][queue] as usize;
        self.queues.image(&self.group, from, layout.queues[from].get(key), under)
    }

    fn apply<const N: usize>(&self, layout: &Layout, key: &Packed<N>, under: Element) -> Packed<N> {
        let mut image = *key;
        for (process, field) in layout.locals.iter().enumerate() {
            field.put(&mut image, self.local_at(layout, key, process, under));
        }
        for (queue, field) in layout.queues.iter().enumerate() {
            field.put(&mut image, self.queue_at(layout, key, queue, under));
        }
        for (orbits, field) in [(&self.scenes, layout.scene), (&self.budgets, layout.faults)] {
            field.put(&mut image, orbits.image(&self.group, 0, field.get(key), under));
        }
        image
    }

    /// The same for a state that is not packed.
    fn image(&self, global: &Global, under: Element) -> Global {
        let group = &self.group;
        let mut image = global.clone();
        for (process, local) in global.locals.iter().enumerate() {
            let to = group.processes(under)[process] as usize;
            image.locals[to] = self.locals.image(group, process, *local, under);
        }
        image.queues = self.image_of_queues(&global.queues, under);
        image.store = self.stores.image(group, 0, global.store, under);
        image.memory = self.memories.image(group, 0, global.memory, under);
        image.faults = self.budgets.image(group, 0, global.faults, under);
        image
    }

    fn image_of_queues(&self, queues: &[u32], under: Element) -> Vec<u32> {
        let mut images = queues.to_vec();
        for queue in (0..).zip(queues.iter().copied()) {
            let (queue, content) = self.queue(queue, under);
            images[queue as usize] = content;
        }
        images
    }

    fn queue(&self, (queue, content): (u32, u32), under: Element) -> (u32, u32) {
        let to = self.queue_of[under as usize][queue as usize];
        (to.into(), self.queues.image(&self.group, queue as usize, content, under))
    }

    fn choice(&self, choice: Choice, under: Element) -> Choice {
        match choice.hits() {
            None => choice,
            Some(process) => {
                Choice { process: self.group.processes(under)[process].into(), ..choice }
            }
        }
    }

    /// The spot of the process to which a choice happens, under other names: one that the choice does
    /// not happen to stays as it is.
    fn spot(&self, choice: Choice, spot: u32, under: Element) -> u32 {
        match choice.hits() {
            None => spot,
            Some(_) => self.spots.image(&self.group, 0, spot, under),
        }
    }

    /// What is asked, under other names.
    fn asked(&self, asked: &Asked, under: Element) -> Asked {
        Asked {
            choice: self.choice(asked.choice, under),
            spot: self.spot(asked.choice, asked.spot, under),
            store: self.stores.image(&self.group, 0, asked.store, under),
            queue: asked.queue.map(|queue| self.queue(queue, under)),
            faults: self.budgets.image(&self.group, 0, asked.faults, under),
        }
    }

    /// Forgets the numbers of this pass.
    fn begin_pass(&mut self) {
        self.locals = Orbits::new(&self.group, self.group.processes(NEUTRAL).len());
        self.closed = 0;
    }

    /// Forgets what is remembered, which has other numbers from now on.
    fn forget_memories(&mut self) {
        self.memories = Orbits::new(&self.group, 1);
        self.renamed.fill_with(Changed::default);
        self.scenes = Orbits::new(&self.group, 1);
        self.homes.clear();
        self.stabilisers.clear();
        self.closed = 0;
    }

    /// Notes how each scene gets to the first of its orbit.
    fn find_homes(&mut self, scenes: usize) {
        for orbit in self.stabilisers.len()..self.scenes.count() {
            let images = self.scenes.images(orbit);
            let stay = self.group.elements().filter(|by| images[*by as usize] == images[0]);
            self.stabilisers.push(self.subgroups.number(stay.collect()));
        }
        for scene in self.homes.len()..scenes {
            let Some(member) = self.scenes.member(0, scene as u32) else { return };
            let stabiliser = self.stabilisers[member.orbit as usize];
            self.homes.push(Home { by: self.group.inverse(member.by), stabiliser });
        }
    }

    fn bytes(&self) -> usize {
        let shared =
            [&self.spots, &self.stores, &self.memories, &self.scenes, &self.budgets, &self.labels];
        let orbits = [&self.locals, &self.queues].into_iter().chain(shared);
        let subgroups = self.subgroups.values().map(|subgroup| subgroup.len() * 2 + 32);
        orbits.map(Orbits::bytes).sum::<usize>()
            + self.homes.capacity() * size_of::<Home>()
            + subgroups.sum::<usize>()
            + self.renamed.iter().map(Changed::bytes).sum::<usize>()
            + self.group.bytes()
    }
}

impl Symmetry {
    /// Whether what was found in this pass does not count: an exchange has failed.
    pub(super) fn is_refuted(&self) -> bool {
        self.refuted
    }

    #[inline]
    pub(super) fn work(&self) -> Option<&Action> {
        self.work.as_deref()
    }

    #[inline]
    pub(super) fn note(&mut self, learnt: impl FnOnce() -> Learnt) {
        if self.notes {
            self.learnt.push(learnt());
        }
    }

    /// Forgets what was found out of what is remembered: that has other numbers from now on.
    pub(super) fn forget_memories(&mut self) {
        self.learnt.retain(|learnt| !matches!(learnt, Learnt::Judged { .. }));
        self.work.iter_mut().for_each(|action| action.forget_memories());
    }

    /// Forgets what was found out under other names: what it speaks of has other numbers from now on.
    pub(super) fn forget_numbers(&mut self) {
        self.made_for = (Vec::new(), 0);
        self.learnt.clear();
    }

    /// What is known of other names in this pass, whether or not it is at work any more.
    fn known(&self) -> Option<&Action> {
        self.work().or(self.at_rest.as_deref())
    }

    pub(super) fn bytes(&self) -> usize {
        self.known().map_or(0, Action::bytes) + self.learnt.capacity() * size_of::<Learnt>()
    }
}

impl Space<'_> {
    /// Looks for symmetries among these from now on.
    pub(in super::super) fn consider(&mut self, candidates: Vec<Candidate>) {
        self.symmetry.standing = candidates;
    }

    /// How many states may count as one.
    pub(in super::super) fn symmetries(&self) -> usize {
        self.symmetry.work().map_or(1, |action| action.group.order())
    }

    /// Begins a pass, and says whether with another group than before: then nothing of what was found
    /// out is checked under its names, and all of it is forgotten. The queues get their images before
    /// they get their components.
    pub(super) fn begin_symmetry(&mut self, in_play: &[usize], wanted: bool) -> bool {
        let symmetry = &mut self.symmetry;
        let before = symmetry.work.take().or(symmetry.at_rest.take());
        (symmetry.notes, symmetry.refuted) = (false, false);
        if wanted && symmetry.in_play != in_play {
            symmetry.in_play = in_play.to_vec();
            symmetry.standing.append(&mut symmetry.unjust);
        }
        if !wanted || symmetry.standing.is_empty() {
            symmetry.learnt.clear();
            return false;
        }
        let made_for = (symmetry.standing.clone(), self.queue_names.len());
        if let Some(mut before) = before.filter(|_| symmetry.made_for == made_for) {
            before.begin_pass();
            (symmetry.work, symmetry.notes) = (Some(before), true);
            return false;
        }
        symmetry.learnt.clear();
        let group = Group::new(&symmetry.standing, self.automata.len());
        if group.order() == 1 {
            return false;
        }
        let queue_of = self.images_of_queues(&group);
        let queues = self.queue_names.len();
        let queue_of = group.permutations(&queue_of, queues);
        self.symmetry.made_for = (self.symmetry.standing.clone(), queues);
        self.symmetry.work = Some(Box::new(Action::new(group, queue_of, queues)));
        self.symmetry.notes = true;
        self.forget_found();
        true
    }

    /// By generator and queue.
    fn images_of_queues(&mut self, group: &Group) -> Vec<Vec<u32>> {
        let mut images = vec![Vec::new(); group.generators.len()];
        while images.iter().any(|row| row.len() < self.queue_names.len()) {
            for (row, generator) in images.iter_mut().zip(&group.generators) {
                for queue in row.len()..self.queue_names.len() {
                    let name = generator.renaming.of_name(self.queue_names.value(queue as u32));
                    row.push(self.queue_names.number(name));
                }
            }
        }
        images
    }

    /// All states that are this one under other names.
    pub(in super::super) fn orbit(&self, global: &Global) -> Vec<Global> {
        let Some(action) = self.symmetry.work() else { return vec![global.clone()] };
        let images = action.group.elements().map(|under| action.image(global, under));
        images.collect::<FxHashSet<Global>>().into_iter().collect()
    }

    /// The state that is visited for the first one, which has to be one under all other names.
    pub(super) fn close_first(&mut self, global: &Global) -> Result<(), CheckError> {
        self.close()?;
        let Some(action) = self.symmetry.work() else { return Ok(()) };
        let Global { memory, .. } = *global;
        let moves = |under: &Element| action.image(global, *under) != *global;
        if let Some(under) = action.group.elements().find(moves) {
            let (generator, _) = action.group.made_of(under);
            let unjust = Global { memory, ..action.image(global, under) } == *global;
            let held = if unjust { Held::IsUnjust(generator) } else { Held::Fails(generator) };
            self.refute(held)?;
        }
        Ok(())
    }

    /// Checks all that was found out since the last time, under all other names.
    #[inline]
    pub(super) fn close(&mut self) -> Result<(), CheckError> {
        if self.symmetry.work.is_some() {
            self.close_noted()?;
        }
        if std::mem::take(&mut self.new_split) {
            self.split_images();
        }
        Ok(())
    }

    /// Where it is no longer clear where a process stands, it is not either for the other one that was taken
    /// for it in a state which is the image of another: of its own nodes none need have been found to differ.
    fn split_images(&mut self) {
        let Some(Action { group, locals, .. }) = self.symmetry.known() else { return };
        for process in 0..self.places.len() {
            for local in 0..self.places[process].len() as u32 {
                if !self.is_unclear(process, local) {
                    continue;
                }
                let Some(member) = locals.member(process, local) else { continue };
                for under in group.elements() {
                    let image = group.processes(under)[process] as usize;
                    self.places[image][locals.at(group, member, under) as usize].part =
                        Part::Unclear;
                }
            }
        }
    }

    fn close_noted(&mut self) -> Result<(), CheckError> {
        let Some(mut action) = self.symmetry.work.take() else { return Ok(()) };
        // What is found out on the way is checked as an image.
        self.symmetry.notes = false;
        let fallen = self.judge.fallen().len();
        let held = self.close_with(&mut action)?;
        // What falls under other names falls under these too, or that it does not is found out.
        self.judge.forget_fallen(fallen);
        self.symmetry.work = Some(action);
        self.symmetry.notes = true;
        if held.holds() { Ok(()) } else { self.refute(held) }
    }

    /// From now on each state is visited for itself, until the search begins again.
    fn refute(&mut self, held: Held) -> Result<(), CheckError> {
        let symmetry = &mut self.symmetry;
        let Some(action) = symmetry.work.take() else { return Ok(()) };
        let (generator, is_unjust) = match held {
            Held::Holds | Held::Stale => {
                symmetry.at_rest = Some(action);
                return Ok(());
            }
            Held::Unclear => {
                symmetry.at_rest = Some(action);
                symmetry.refuted = true;
                symmetry.failures += 1;
                if symmetry.failures > CHANCES {
                    symmetry.standing.clear();
                }
                return Ok(());
            }
            Held::Fails(generator) => (generator, false),
            Held::IsUnjust(generator) => (generator, true),
        };
        symmetry.learnt.clear();
        symmetry.notes = false;
        symmetry.refuted = true;
        let generator = &action.group.generators[generator];
        symmetry.standing.retain(|standing| standing.renaming != generator.renaming);
        if is_unjust {
            symmetry.unjust.push(generator.clone());
            return Ok(());
        }
        self.learn_afresh()
    }

    fn close_with(&mut self, action: &mut Action) -> Result<Held, CheckError> {
        loop {
            let held = self.close_all(action)?;
            if !held.holds() {
                return Ok(held);
            }
            let Some(learnt) = self.symmetry.learnt.pop() else { return Ok(Held::Holds) };
            let held = self.agrees(action, &learnt)?;
            if !held.holds() {
                self.symmetry.learnt.push(learnt);
                return Ok(held);
            }
        }
    }

    /// Finds the images of all that there is.
    fn close_all(&mut self, action: &mut Action) -> Result<Held, CheckError> {
        let held = self.close_automata(action)?;
        if !held.holds() {
            return Ok(held);
        }
        // A place of a class that has split stands for none, and what its image stands for is another
        // matter: a state must not be taken for its image there.
        if self.is_stale() {
            return Ok(Held::Stale);
        }
        let holds = self.close_numbers(action)?;
        Ok(match holds {
            _ if self.is_stale() => Held::Stale,
            true => Held::Holds,
            false => Held::Unclear,
        })
    }

    /// Follows each edge of each automaton under other names.
    fn close_automata(&mut self, action: &mut Action) -> Result<Held, CheckError> {
        loop {
            let mut grows = false;
            for generator in 0..action.group.generators.len() {
                for process in 0..self.automata.len() {
                    if !self.follow_start(action, generator, process) {
                        return Ok(Held::Fails(generator));
                    }
                    while action.followed[generator][process] < self.automata[process].edges_known()
                    {
                        grows = true;
                        if !self.follow_image(action, generator, process)? {
                            return Ok(Held::Fails(generator));
                        }
                    }
                }
            }
            if !grows {
                return Ok(Held::Holds);
            }
            for process in 0..self.automata.len() {
                self.settle(process)?;
            }
        }
    }

    /// Where a process starts under the names of a generator; `false` where it starts otherwise.
    fn follow_start(&self, action: &mut Action, generator: usize, process: usize) -> bool {
        let nodes = &mut action.nodes[generator][process];
        if !nodes.is_empty() {
            return true;
        }
        let Candidate { renaming, processes } = &action.group.generators[generator];
        let (ours, theirs) = (&self.automata[process], &self.automata[processes[process]]);
        nodes.push(theirs.start());
        renaming.of(ours.stands(ours.start())) == *theirs.stands(theirs.start())
            && renaming.of(&ours.told_at_start()) == theirs.told_at_start()
    }

    /// Follows the next edge of a process under the names of a generator; `false` where it leads
    /// elsewhere.
    fn follow_image(
        &mut self,
        action: &mut Action,
        generator: usize,
        process: usize,
    ) -> Result<bool, CheckError> {
        let Candidate { renaming, processes } = &action.group.generators[generator];
        let image = processes[process];
        let nodes = &mut action.nodes[generator][process];
        let ours = &self.automata[process];
        let followed = &mut action.followed[generator][process];
        let (node, input, to, told) = ours.edge_known(*followed);
        *followed += 1;
        let (stands, told) = (renaming.of(ours.stands(to)), renaming.of(told));
        let input = renaming.of(input);
        let (image_to, image_told) =
            self.automata[image].follow_input(nodes[node as usize], input)?;
        if nodes.len() <= to as usize {
            nodes.resize(to as usize + 1, NodeId::MAX);
        }
        let known = &mut nodes[to as usize];
        if *known == NodeId::MAX {
            *known = image_to;
        }
        let theirs = &self.automata[image];
        Ok(*known == image_to && stands == *theirs.stands(image_to) && told == image_told)
    }

    fn numbers(&self) -> usize {
        let locals: usize = self.locals.iter().map(Interner::len).sum();
        let queues: usize = self.queues.iter().map(Interner::len).sum();
        let rest = self.spots.len() + self.stores.len() + self.budgets.len() + self.labels.len();
        locals + queues + rest + self.judge.count() + self.scene_count()
    }

    /// Finds the images of each number; `false` where these are not the work of a group.
    fn close_numbers(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        while action.closed != self.numbers() {
            action.closed = self.numbers();
            let closed = self.close_stores(action)?
                && self.close_queues(action)?
                && self.close_memories(action)?
                && self.close_scenes(action)?
                && self.close_labels(action)?
                && self.close_budgets(action)?
                && self.close_spots(action)?
                && self.close_locals(action)?;
            if !closed || self.is_askew() {
                return Ok(closed);
            }
            action.find_homes(self.scene_count());
        }
        Ok(true)
    }

    fn close_stores(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, stores, .. } = action;
        while let Some(open) = stores.open(0, self.stores.len()) {
            let closed =
                stores.close(group, &|_, _| 0, (0, open), &mut |generator, _, store| {
                    let image = group.generators[generator].renaming.of(self.stores.value(store));
                    Ok(Some(self.stores.number(image)))
                })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_queues(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, queues, queue_of, .. } = action;
        let slots = |under: Element, queue: usize| queue_of[under as usize][queue].into();
        for queue in 0..self.queues.len() {
            while let Some(open) = queues.open(queue, self.queues[queue].len()) {
                let first = (queue, open);
                let closed =
                    queues.close(group, &slots, first, &mut |generator, queue, content| {
                        let of_generator = group.generated(generator, NEUTRAL) as usize;
                        let to = queue_of[of_generator][queue] as usize;
                        let renaming = &group.generators[generator].renaming;
                        let image = renaming.of(self.queues[queue].value(content));
                        Ok(Some(self.queues[to].number(image)))
                    })?;
                if !closed {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn close_memories(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, memories, renamed, .. } = action;
        // Where no property is tracked, what they remember is no number of its own.
        while let Some(open) = memories.open(0, self.judge.count().max(1)) {
            let closed =
                memories.close(group, &|_, _| 0, (0, open), &mut |generator, _, memory| {
                    let renaming = &group.generators[generator].renaming;
                    Ok(Some(self.judge.renamed(memory, renaming, &mut renamed[generator])))
                })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_scenes(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, stores, memories, scenes, .. } = action;
        while let Some(open) = scenes.open(0, self.scene_count()) {
            let closed =
                scenes.close(group, &|_, _| 0, (0, open), &mut |generator, _, scene| {
                    let (store, memory) = self.parts(scene);
                    let under = group.generated(generator, NEUTRAL);
                    let store = stores.image(group, 0, store, under);
                    let memory = memories.image(group, 0, memory, under);
                    Ok(Some(self.scene(store, memory)))
                })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_labels(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, labels, .. } = action;
        while let Some(open) = labels.open(0, self.labels.len()) {
            let closed =
                labels.close(group, &|_, _| 0, (0, open), &mut |generator, _, label| {
                    let Candidate { renaming, processes } = &group.generators[generator];
                    let (process, stepped) = self.labels.value(label);
                    let process = process.map(|process| processes[process as usize] as u32);
                    let image = (process, renaming.of(stepped));
                    Ok(Some(self.labels.number(image)))
                })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_budgets(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, budgets, .. } = action;
        while let Some(open) = budgets.open(0, self.budgets.len()) {
            let closed =
                budgets.close(group, &|_, _| 0, (0, open), &mut |generator, _, budget| {
                    let Candidate { renaming, processes } = &group.generators[generator];
                    let mut image: Budget = self.budgets.value(budget).clone();
                    for (process, _, execution) in &mut image.late {
                        (*process, *execution) = (processes[*process], renaming.of(execution));
                    }
                    image.late.sort_by_key(|(process, strand, _)| (*process, *strand));
                    Ok(Some(self.budget(image)))
                })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_spots(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, spots, nodes, .. } = action;
        while let Some(open) = spots.open(0, self.spots.len()) {
            let closed = spots.close(group, &|_, _| 0, (0, open), &mut |generator, _, spot| {
                let Candidate { renaming, processes } = &group.generators[generator];
                let Spot { process, node, at } = *self.spots.value(spot);
                let known = nodes[generator][process as usize].get(node as usize).copied();
                let Some(node) = known.filter(|node| *node != NodeId::MAX) else {
                    return Ok(None);
                };
                let process = processes[process as usize] as u32;
                let at = self.at_number(renaming.of(self.ats.value(at)));
                Ok(Some(self.spot(Spot { process, node, at })))
            })?;
            if !closed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_locals(&mut self, action: &mut Action) -> Result<bool, CheckError> {
        let Action { group, locals, spots, queue_of, .. } = action;
        let slots = |under: Element, process: usize| group.processes(under)[process].into();
        for process in 0..self.automata.len() {
            while let Some(open) = locals.open(process, self.locals[process].len()) {
                let first = (process, open);
                let closed =
                    locals.close(group, &slots, first, &mut |generator, from, local| {
                        let to = group.generators[generator].processes[from];
                        let of_generator = group.generated(generator, NEUTRAL);
                        let spot = self.firsts[from][local as usize];
                        if spots.member(0, spot).is_none() {
                            return Ok(None);
                        }
                        let image = self.local_at(spots.image(group, 0, spot, of_generator))?;
                        let queue_of = |queue: u32| {
                            Some((*queue_of[of_generator as usize].get(queue as usize)?).into())
                        };
                        let image_of = |part| image_of_part(part, queue_of);
                        let (ours, theirs) = (self.parts_of(from, local), self.parts_of(to, image));
                        let agrees = ours.map(image_of).eq(theirs.map(Some));
                        Ok(agrees.then_some(image))
                    })?;
                if !closed {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether something that was found out is so under all other names.
    fn agrees(&mut self, action: &mut Action, learnt: &Learnt) -> Result<Held, CheckError> {
        for under in action.group.elements().skip(1) {
            let held = match learnt {
                Learnt::Moved(asked) => self.agrees_on_step(action, asked, under)?,
                Learnt::Redelivered { process, queue, content } => {
                    self.agrees_on_redelivery(action, *process, (*queue, *content), under)?
                }
                Learnt::Judged { label, memory, store, queues } => {
                    self.agrees_on_judgement(action, (*label, *memory, *store), queues, under)?
                }
            };
            if !held.holds() {
                return Ok(held);
            }
        }
        Ok(Held::Holds)
    }

    fn agrees_on_step(
        &mut self,
        action: &mut Action,
        asked: &Asked,
        under: Element,
    ) -> Result<Held, CheckError> {
        let moved = self.moved(*asked)?;
        let image = self.moved(action.asked(asked, under))?;
        let held = self.close_new(action)?;
        if !held.holds() {
            return Ok(held);
        }
        let agrees = match (moved, image) {
            (None, None) => true,
            (Some(moved), Some(image)) => self.is_image(action, asked.choice, moved, image, under),
            _ => false,
        };
        Ok(if agrees { Held::Holds } else { Held::Fails(action.group.made_of(under).0) })
    }

    /// Whether one step leads to what another one leads to under other names.
    fn is_image(
        &self,
        action: &Action,
        choice: Choice,
        moved: Moved,
        image: Moved,
        under: Element,
    ) -> bool {
        let group = &action.group;
        let Edge { spot, label } = self.edge_list[moved.edge as usize];
        let other = self.edge_list[image.edge as usize];
        let label_agrees = self.system.properties.is_empty()
            || action.labels.image(group, 0, label, under) == other.label;
        label_agrees
            && action.spot(choice, spot, under) == other.spot
            && action.stores.image(group, 0, moved.store, under) == image.store
            && action.budgets.image(group, 0, moved.faults, under) == image.faults
            && moved.queue.map(|queue| action.queue(queue, under)) == image.queue
    }

    fn agrees_on_redelivery(
        &mut self,
        action: &mut Action,
        process: usize,
        (queue, content): (u32, u32),
        under: Element,
    ) -> Result<Held, CheckError> {
        let again = self.redeliver(process, queue as usize, content);
        let (image_of, image) = action.queue((queue, content), under);
        let to = action.group.processes(under)[process].into();
        let image = self.redeliver(to, image_of as usize, image);
        let held = self.close_new(action)?;
        if !held.holds() {
            return Ok(held);
        }
        let agrees = action.queue((queue, again), under) == (image_of, image);
        Ok(if agrees { Held::Holds } else { Held::Fails(action.group.made_of(under).0) })
    }

    fn agrees_on_judgement(
        &mut self,
        action: &mut Action,
        (label, memory, store): (u32, u32, u32),
        queues: &[u32],
        under: Element,
    ) -> Result<Held, CheckError> {
        let next = self.ask_judge(label, memory, store, queues)?;
        let image = self.ask_judge(
            action.labels.image(&action.group, 0, label, under),
            action.memories.image(&action.group, 0, memory, under),
            action.stores.image(&action.group, 0, store, under),
            &action.image_of_queues(queues, under),
        )?;
        let held = self.close_new(action)?;
        if !held.holds() {
            return Ok(held);
        }
        let agrees = action.memories.image(&action.group, 0, next, under) == image;
        Ok(if agrees { Held::Holds } else { Held::IsUnjust(action.group.made_of(under).0) })
    }

    /// Finds the images of what has come up by asking for an image.
    fn close_new(&mut self, action: &mut Action) -> Result<Held, CheckError> {
        if self.is_stale() {
            return Ok(Held::Stale);
        }
        if action.closed == self.numbers() { Ok(Held::Holds) } else { self.close_all(action) }
    }
}

/// Which part of the world a step depends on, under other names; `None` for a queue that has just
/// turned up.
fn image_of_part(part: Part, queue_of: impl Fn(u32) -> Option<u32>) -> Option<Part> {
    Some(match part {
        Part::Queue(queue) => Part::Queue(queue_of(queue)?),
        Part::Both(queue) => Part::Both(queue_of(queue)?),
        other => other,
    })
}
