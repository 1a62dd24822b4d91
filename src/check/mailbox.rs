//! Where a process and its engine hand over requests and answers.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::process::Stands;
use super::request::{Answer, Request};
use super::strand::{Branch, Strand, Strands};
use crate::env::{Event, Mark};
use crate::store::{Atom, Atoms, Command, Reply, StoreError, Text, Value};

/// Where a process and its engine hand over requests and answers: a slot for each strand.
#[derive(Debug)]
pub(super) struct Mailbox {
    main: Slot,
    /// Those of the guards that run, by strand.
    guards: Vec<(Strand, Slot)>,
    /// Where the code is that runs now.
    pub(super) running: Branch,
    told: Told,
    /// What was found out before, to be known again, where the process is learnt; else nothing is kept.
    recalls: Option<Vec<Known>>,
    /// How many answers there were so far, and how often something was known again.
    given: u32,
    recalled: u32,
    fault: Option<&'static str>,
}

/// A command with its answer.
pub(super) type Seen = (Command, Result<Reply, StoreError>);

/// What a strand has to do with its engine.
#[derive(Debug, Default)]
pub(super) struct Slot {
    request: Option<Request>,
    /// Whether it was asked since the process was last resumed.
    is_new: bool,
    answer: Option<Answer>,
    /// Commands with their answers, and from which of them on the attempt saw them: since the last mark.
    pub(super) seen: Vec<Seen>,
    from: usize,
    /// Of a guard: where it began, so that it is told from others that began elsewhere.
    born: Vec<(usize, u32)>,
    /// Which of the answers to the process still matter to this strand.
    matter: Matter,
    /// A command that a mutation holds back until after the next request.
    pub(super) deferred: Option<Command>,
    /// Whether there was one in this attempt.
    has_deferred: bool,
}

/// Something that matters to what a process does from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matters {
    /// The answer of this number.
    Answer(u32),
    Known(Known),
}

/// What a process has [distilled](crate::env::distil) from answers, in place of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Known {
    strand: Strand,
    born: Vec<(usize, u32)>,
    /// Where the work began: after so many inputs that still mattered, as the work of this number there.
    after: usize,
    number: u32,
    pub(crate) value: Value,
}

/// What matters to a strand, in the order in which it may be given again: the first so many answers of all,
/// and others.
#[derive(Debug, Default)]
struct Matter {
    first: u32,
    others: Vec<Matters>,
    /// So many works that distil something began since the last input.
    works: u32,
}

impl Matter {
    fn push(&mut self, input: Matters) {
        self.works = 0;
        if self.others.is_empty() && input == Matters::Answer(self.first) {
            self.first += 1;
        } else {
            self.others.push(input);
        }
    }

    fn len(&self) -> usize {
        self.first as usize + self.others.len()
    }

    /// Goes back to where it was so long, and so many works had begun.
    fn truncate(&mut self, len: usize, works: u32) {
        if len <= self.len() {
            self.first = self.first.min(len as u32);
            self.others.truncate(len - self.first as usize);
            self.works = works;
        }
    }

    fn iter(&self) -> impl Iterator<Item = Matters> {
        (0..self.first).map(Matters::Answer).chain(self.others.iter().cloned())
    }
}

/// What a process told between two requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The events, in order.
    pub(crate) events: Vec<Event>,
    /// The places that it was inside of and is not any more, since what it did there was stopped.
    pub(crate) left: Vec<Text>,
    /// Whether a guard has ended, and the work beside it was stopped.
    pub(crate) stopped: bool,
    /// Where it has several strands: those that have asked for something since.
    pub(crate) asked: Strands,
}

/// Rarely is there anything but events, so nothing else is hashed.
impl Hash for Told {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.events.hash(state);
    }
}

impl Default for Mailbox {
    fn default() -> Mailbox {
        Mailbox {
            main: Slot::default(),
            guards: Vec::new(),
            running: Branch::TRUNK,
            told: Told::default(),
            recalls: None,
            given: 0,
            recalled: 0,
            fault: None,
        }
    }
}

impl Mailbox {
    /// The slot of the code that runs now.
    #[inline]
    pub(super) fn slot(&mut self) -> &mut Slot {
        let strand = self.running.strand();
        match self.guards.iter_mut().find(|(known, _)| *known == strand) {
            Some((_, slot)) => slot,
            None => &mut self.main,
        }
    }

    /// The slot of a strand, if it is there.
    #[inline]
    fn slot_of(&mut self, strand: Strand) -> Option<&mut Slot> {
        if strand == Strand::MAIN {
            return Some(&mut self.main);
        }
        self.guards.iter_mut().find(|(known, _)| *known == strand).map(|(_, slot)| slot)
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.told.events.push(event);
    }

    /// Says that what was done in a place was stopped.
    pub(super) fn leave(&mut self, place: &Text) {
        self.told.left.push(place.clone());
    }

    /// Puts a request of the code that runs now; which strand is to wait for the answer.
    pub(super) fn ask(&mut self, request: Request) -> Strand {
        let strand = self.running.strand();
        let slot = self.slot();
        slot.is_new = true;
        let is_second = slot.request.is_some();
        slot.request = Some(request);
        if is_second {
            self.fault = Some("asked for a second thing while one was under way");
        }
        strand
    }

    /// Puts the answer to what a strand asked, to be found when the process is polled.
    pub(super) fn put(&mut self, strand: Strand, answer: Answer) {
        let given = self.given;
        self.given += 1;
        if let Some(slot) = self.slot_of(strand) {
            slot.request = None;
            slot.answer = Some(answer);
            slot.matter.push(Matters::Answer(given));
        }
    }

    pub(super) fn take_answer(&mut self, strand: Strand) -> Option<Answer> {
        self.slot_of(strand)?.answer.take()
    }

    /// What the process asks, once it is suspended.
    pub(super) fn asked(&mut self) -> Result<Stands, &'static str> {
        const NOTHING: &str = "waits for something that is not a request to the world";
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.guards.is_empty() {
            return self.main.request.take().map(Stands::Asks).ok_or(NOTHING);
        }
        let guards = self.guards.iter_mut().map(|(strand, slot)| (*strand, slot));
        let slots = [(Strand::MAIN, &mut self.main)].into_iter().chain(guards);
        let (mut asks, told) = (Vec::new(), &mut self.told);
        for (strand, slot) in slots {
            if std::mem::take(&mut slot.is_new) {
                told.asked.add(strand);
            }
            asks.push((strand, slot.request.clone().ok_or(NOTHING)?));
        }
        Ok(Stands::Beside(asks))
    }

    /// What the process told since the last time it was asked.
    pub(super) fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    /// What still matters to the process, in an order in which it may be given again. In which order
    /// answers came to different strands does not matter: they know nothing of each other.
    pub(super) fn matter(&self) -> Vec<Matters> {
        let guards = self.guards.iter().flat_map(|(_, slot)| slot.matter.iter());
        self.main.matter.iter().chain(guards).collect()
    }

    /// Holds a command back.
    pub(super) fn defer(&mut self, command: Command) {
        let slot = self.slot();
        slot.deferred = Some(command);
        slot.has_deferred = true;
    }

    /// Where this strand begins an attempt.
    pub(super) fn mark(&mut self) -> Mark {
        let slot = self.slot();
        slot.from = slot.seen.len();
        Mark { is_within: false, ..slot.here() }
    }

    /// Where this strand stands within its attempt.
    pub(super) fn mark_within(&mut self) -> Mark {
        self.slot().here()
    }

    /// Where a work begins that is to distil something, and what it came to before.
    pub(super) fn known(&mut self) -> (Mark, Option<Value>) {
        let strand = self.running.strand();
        let slot = self.slot();
        let (mark, born) = (slot.here(), slot.born.clone());
        slot.matter.works += 1;
        let here = (strand, &born, mark.matter, mark.works);
        let is_it = |known: &Known| (known.strand, &known.born, known.after, known.number) == here;
        let take = |recalls: &mut Vec<Known>| Some(recalls.remove(recalls.iter().position(is_it)?));
        let Some(known) = self.recalls.as_mut().and_then(take) else { return (mark, None) };
        self.recalled += 1;
        self.slot().matter.push(Matters::Known(known.clone()));
        (mark, Some(known.value))
    }

    /// The work has come to this, and nothing else that this strand was answered since matters. Where a
    /// mutation has held a command back, it matters whether that was sent.
    pub(super) fn distilled(&mut self, mark: Mark, to: Option<Value>) {
        let Some(value) = to else {
            self.fault = Some(
                "distils a value that its data (serde) does not give back as it was, as `Some(())` is null",
            );
            return;
        };
        let (strand, is_kept) = (self.running.strand(), self.recalls.is_some());
        let slot = self.slot();
        slot.see_as_at(mark);
        // Where nothing was answered there is nothing to forget.
        let is_answered = slot.matter.len() > mark.matter;
        if !is_kept || !is_answered || mark.has_deferred || slot.has_deferred {
            return;
        }
        slot.matter.truncate(mark.matter, mark.works);
        let born = slot.born.clone();
        let known = Known { strand, born, after: mark.matter, number: mark.works, value };
        slot.matter.push(Matters::Known(known));
    }

    /// Whether something was kept before that no work has come to.
    pub(super) fn has_more_to_recall(&self) -> bool {
        self.recalls.as_ref().is_some_and(|recalls| !recalls.is_empty())
    }

    /// From now on what works come to is kept; and this was kept before.
    pub(super) fn recall(&mut self, known: Vec<Known>) {
        self.recalls = Some(known);
    }

    /// Nothing that this strand was answered since matters. Where a mutation has held a command back, it
    /// matters whether that was sent.
    pub(super) fn again(&mut self, mark: Mark) {
        let slot = self.slot();
        if !mark.is_within {
            slot.deferred = None;
            slot.has_deferred = false;
        }
        if !(mark.is_within && (slot.has_deferred || mark.has_deferred)) {
            slot.see_as_at(mark);
            slot.matter.truncate(mark.matter, mark.works);
        }
    }
}

impl Slot {
    /// What the attempt that is under way saw.
    pub(super) fn seen_by_attempt(&self) -> &[Seen] {
        &self.seen[self.from..]
    }

    /// What was seen since the mark wakes nobody.
    fn see_as_at(&mut self, mark: Mark) {
        self.seen.truncate(mark.seen);
        self.from = mark.from.min(self.seen.len());
    }

    /// Where the strand stands within its attempt.
    fn here(&self) -> Mark {
        Mark {
            matter: self.matter.len(),
            works: self.matter.works,
            seen: self.seen.len(),
            from: self.from,
            is_within: true,
            has_deferred: self.has_deferred,
        }
    }
}

/// A work and the guard beside it, as long as both go on. Dropped, it takes the guard's slot with it.
pub(super) struct Fork {
    mailbox: Arc<Mutex<Mailbox>>,
    outside: Branch,
    work: Branch,
    guard: Branch,
    /// When it began: how many answers had come, how many of them mattered, and what was seen.
    given: u32,
    mattered: Mark,
    seen: Vec<Seen>,
}

impl Fork {
    /// Makes a slot for the guard beside a work that begins now; `None` where there are too many
    /// within one another.
    pub(super) fn begin(shared: &Arc<Mutex<Mailbox>>) -> Option<Fork> {
        let mut mailbox = lock(shared);
        let outside = mailbox.running;
        let Some((work, guard)) = outside.fork() else {
            mailbox.fault = Some("has too many guards within one another");
            return None;
        };
        let given = mailbox.given + mailbox.recalled;
        let (mattered, seen) = (mailbox.slot().here(), mailbox.slot().seen.clone());
        let born = [&*mailbox.slot().born, &[(mattered.matter, mattered.works)]].concat();
        let slot = Slot { born, ..Slot::default() };
        let place = mailbox.guards.partition_point(|(strand, _)| *strand < guard.strand());
        mailbox.guards.insert(place, (guard.strand(), slot));
        let mailbox = Arc::clone(shared);
        Some(Fork { mailbox, outside, work, guard, given, mattered, seen })
    }

    /// Whether nothing was answered since it began.
    pub(super) fn has_just_begun(&self) -> bool {
        let mailbox = lock(&self.mailbox);
        mailbox.given + mailbox.recalled == self.given
    }

    /// Runs code of the work or of the guard.
    pub(super) fn run<T>(&self, is_guard: bool, code: impl FnOnce() -> T) -> T {
        lock(&self.mailbox).running = if is_guard { self.guard } else { self.work };
        let done = code();
        lock(&self.mailbox).running = self.outside;
        done
    }

    /// The guard has ended: what the work asked for is not waited for, and nothing that it was
    /// answered matters. All that matters is how the guard came to its end.
    pub(super) fn stop_work(&self) {
        let mut mailbox = lock(&self.mailbox);
        let guard = mailbox.slot_of(self.guard.strand());
        let came_by = guard.map(|slot| std::mem::take(&mut slot.matter)).unwrap_or_default();
        let slot = mailbox.slot();
        (slot.request, slot.answer, slot.deferred) = (None, None, None);
        slot.seen.clone_from(&self.seen);
        slot.from = self.mattered.from;
        // A work that was stopped before anything was answered is not begun again by another.
        let works = slot.matter.works.max(self.mattered.works);
        slot.matter.truncate(self.mattered.matter, works);
        came_by.iter().for_each(|input| slot.matter.push(input));
        mailbox.told.stopped = true;
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        let guard = self.guard.strand();
        lock(&self.mailbox).guards.retain(|(strand, _)| *strand != guard);
    }
}

pub(super) fn lock(mailbox: &Mutex<Mailbox>) -> MutexGuard<'_, Mailbox> {
    mailbox.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Atoms for Known {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.value.each_atom(change);
    }
}

impl Atoms for Matters {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        if let Matters::Known(known) = self {
            known.each_atom(change);
        }
    }
}
