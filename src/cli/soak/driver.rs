//! The driver: hears every line in its order, plays the broker and the resources, makes tasks and
//! trouble, and sees to it that all comes to rest at the end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::{Duration, Instant};

use doorway::reservation::{Task, manager};
use doorway::store::Document;

use super::broker::{Broker, Waiting};
use super::checker::{Checker, Counts, Violation};
use super::child::CANCELS;
use super::children::Children;
use super::desk::{self, Job};
use super::dice::Dice;
use super::fact::{Answer, Chaos, Effect, Fact, Line, Say, number, resource_name, task_name};
use super::journal::Journal;
use super::link::line;
use super::report::Live;
use super::server::Server;
use super::{chaos, clock, is_promised};
use crate::cli::args::{Soak, SoakDesign, SoakRole};
use crate::cli::output::Failure;

/// How often the driver looks around.
const TICK: Duration = Duration::from_millis(100);
/// How long a task may be open, and how long it may take at the end until all has come to rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);
/// How long after its last task a reservation may be left.
const RELEASED: Duration = Duration::from_secs(60);
/// A status is deleted so long after its task is over: no command of before is under way then.
const CLEARED: Duration = Duration::from_secs(20);
/// How many tasks the desk is asked for, or to clear, at once.
const ASKED: usize = 50;
/// How many of 1 tasks are cancelled.
const CANCELLED: f64 = 0.02;

/// How a soak ends.
pub(crate) enum End {
    /// The time is over, and all has come to rest.
    Done,
    /// A property does not hold.
    Violated(Vec<Violation>),
    /// Somebody has stopped it: what is left was not judged.
    Stopped,
}

/// What the driver waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The time to be over.
    Soaking,
    /// All tasks to be done, since the time was over.
    Draining(Instant),
    /// All reservations to be gone, since the last task was done.
    Looking(Instant),
}

pub(crate) struct Driver<'a> {
    args: &'a Soak,
    journal: Journal,
    checker: Checker,
    children: Children,
    pub(crate) server: Server,
    desk: Sender<Job>,
    desk_is_busy: bool,
    lines: Receiver<Line>,
    markers: Sender<u64>,
    broker: Broker,
    dice: Dice,
    phase: Phase,
    interrupts: Arc<AtomicU32>,
    began: Instant,
    millis_before: u64,
    next_task: Instant,
    /// Tasks to cancel, and tasks whose statuses are to be deleted, each with its time.
    cancels: VecDeque<(Instant, u64, u64)>,
    over: VecDeque<(Instant, u64)>,
    left: Vec<Fact>,
    has_rested: bool,
    found: Vec<Violation>,
    live: Live,
}

impl<'a> Driver<'a> {
    pub(crate) fn start(
        args: &'a Soak,
        journal: Journal,
        checker: Checker,
    ) -> Result<Driver<'a>, Failure> {
        let interrupts = Arc::new(AtomicU32::new(0));
        let on_interrupt = Arc::clone(&interrupts);
        let handled = ctrlc::set_handler(move || {
            on_interrupt.fetch_add(1, Ordering::Relaxed);
        });
        handled.map_err(|error| Failure::Plain(format!("Ctrl-C cannot be handled: {error}")))?;
        let pipe = std::io::pipe();
        let (reader, writer) = pipe.map_err(|error| Failure::Plain(format!("no pipe: {error}")))?;
        let folder: &Path = &args.folder;
        let is_new = !journal.is_resumed();
        if is_new {
            remove_data(folder)?;
        }
        let server = Server::start(args.uri.as_deref(), args.server.as_deref(), folder)?;
        let database = (server.uri(), args.database.clone());
        let database = (&*database.0, &*database.1);
        let desk = desk::open(args, database, is_new, copy(&writer)?)?;
        let children = Children::new(args, database, copy(&writer)?, folder)?;
        let seed = args.seed ^ checker.last_task();
        let mut driver = Driver {
            args,
            children,
            desk,
            desk_is_busy: false,
            lines: heard(reader),
            markers: marking(writer),
            broker: Broker::default(),
            dice: Dice::new(seed),
            phase: Phase::Soaking,
            interrupts,
            began: Instant::now(),
            millis_before: checker.counts().millis,
            next_task: Instant::now(),
            cancels: VecDeque::new(),
            over: VecDeque::new(),
            left: Vec::new(),
            has_rested: false,
            found: Vec::new(),
            live: Live::default(),
            server,
            journal,
            checker,
        };
        driver.enqueue_again();
        Ok(driver)
    }

    pub(crate) fn counts(&self) -> &Counts {
        self.checker.counts()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Soaks until the time is over and all has come to rest, or something is violated.
    pub(crate) fn run(&mut self) -> Result<End, Failure> {
        let mut next_tick = Instant::now();
        loop {
            match self.lines.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(line) => self.hear(line)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Plain("the pipe of the children has ended".into()));
                }
            }
            if !self.found.is_empty() {
                let found = std::mem::take(&mut self.found);
                self.mine(Fact::Clock { millis: self.millis() })?;
                return Ok(End::Violated(found));
            }
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                if let Some(end) = self.tick()? {
                    return Ok(end);
                }
            }
        }
    }

    /// One that was stopped goes on with the next start; any other is over.
    pub(crate) fn close(&self, end: &End) -> Result<(), Failure> {
        self.live.clear();
        match end {
            End::Stopped => Ok(()),
            End::Done | End::Violated(_) => self.journal.close(),
        }
    }

    fn hear(&mut self, line: Line) -> Result<(), Failure> {
        let Line { by, at, say } = line;
        match say {
            Say::Fact(fact) => self.fact(by, at, fact),
            Say::Send(queue, message) => {
                self.broker.send(&queue, message);
                self.deliver(&queue)
            }
            Say::Receive(question, queue) => {
                self.broker.wait(&queue, Waiting { child: by, question, holds: true });
                self.deliver(&queue)
            }
            Say::Take(question, queue) => {
                self.broker.wait(&queue, Waiting { child: by, question, holds: false });
                self.deliver(&queue)
            }
            Say::Acknowledge(queue, message) => {
                self.broker.acknowledge(&queue, by, &message);
                match task_of(&message).filter(|_| queue == manager::QUEUE) {
                    Some(task) => self.note(by, at, Fact::Acknowledged { task }),
                    None => Ok(()),
                }
            }
            Say::Effect(question, effect) => self.act(by, at, question, effect),
        }
    }

    /// The resource answers a run that acts on it.
    fn act(&mut self, by: u64, at: u64, question: u64, effect: Effect) -> Result<(), Failure> {
        let accepted = self.checker.accepts(effect);
        self.note(by, at, Fact::Acted { effect, accepted })?;
        self.children.answer(by, &Answer { to: question, message: None, accepted });
        Ok(())
    }

    fn fact(&mut self, by: u64, at: u64, fact: Fact) -> Result<(), Failure> {
        match fact {
            Fact::Desk => {
                self.desk_is_busy = false;
                Ok(())
            }
            Fact::Left { .. } => {
                self.left.push(fact);
                Ok(())
            }
            Fact::Looked => self.looked(at),
            Fact::Gone { child } => {
                self.note(by, at, fact)?;
                self.gone(child)
            }
            fact => self.note(by, at, fact),
        }
    }

    /// A child is dead, and all that it said was heard.
    fn gone(&mut self, child: u64) -> Result<(), Failure> {
        self.broker.gone(child);
        let after = self.dice.between(TICK, 7 * Duration::from_secs(1));
        let after = if self.phase == Phase::Soaking { after } else { TICK };
        self.children.start_again(child, after);
        self.deliver(manager::QUEUE)?;
        self.deliver(CANCELS)
    }

    /// Writes a fact down, and holds it against the properties.
    fn note(&mut self, by: u64, at: u64, fact: Fact) -> Result<(), Failure> {
        self.journal.write(by, at, &fact)?;
        let found = self.checker.take(by, at, &fact);
        let args = self.args;
        self.found.extend(found.into_iter().filter(|one| is_promised(args, one.property)));
        let due = Instant::now() + CLEARED;
        self.over.extend(self.checker.take_over().into_iter().map(|task| (due, task)));
        self.journal.turn(&self.checker)
    }

    fn mine(&mut self, fact: Fact) -> Result<(), Failure> {
        self.note(0, clock::nanos(), fact)
    }

    fn deliver(&mut self, queue: &str) -> Result<(), Failure> {
        while let Some((to, message)) = self.broker.deliver(queue) {
            if let Some(task) = task_of(&message).filter(|_| queue == manager::QUEUE) {
                self.note(to.child, clock::nanos(), Fact::Delivered { task })?;
            }
            let answer = Answer { to: to.question, message: Some(message), accepted: true };
            self.children.answer(to.child, &answer);
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<Option<End>, Failure> {
        if self.interrupts.load(Ordering::Relaxed) > 1 {
            return Ok(Some(End::Stopped));
        }
        let now = Instant::now();
        if self.millis() >= self.counts().millis + 1000 {
            self.mine(Fact::Clock { millis: self.millis() })?;
        }
        for child in self.children.reap() {
            // Sent through the pipe, behind all that it said.
            let _ = self.markers.send(child);
        }
        self.server.due(now)?;
        for _ in 0..self.children.due(self.args, now)? {
            self.mine(Fact::Chaos { what: Chaos::Restart })?;
        }
        self.cancel(now)?;
        self.use_desk(now);
        self.live.show(self.args, self.checker.counts(), self.checker.open().count());
        let impatient = self.checker.impatient(clock::nanos(), PATIENCE);
        self.found.extend(impatient.filter(|one| is_promised(self.args, one.property)));
        self.phase(now)
    }

    fn phase(&mut self, now: Instant) -> Result<Option<End>, Failure> {
        let is_over = self.millis() >= self.args.duration.as_millis() as u64
            || self.interrupts.load(Ordering::Relaxed) > 0;
        match self.phase {
            Phase::Soaking if is_over => {
                self.phase = Phase::Draining(now);
                self.children.calm();
                self.server.calm();
            }
            Phase::Soaking => {
                self.enqueue(now)?;
                self.trouble()?;
            }
            Phase::Draining(_) if self.checker.open().next().is_none() => {
                self.phase = Phase::Looking(now);
            }
            Phase::Draining(since) if now >= since + PATIENCE => {
                let lost = self.checker.lost();
                self.found
                    .extend(lost.into_iter().filter(|one| is_promised(self.args, one.property)));
                self.phase = Phase::Looking(now);
            }
            Phase::Draining(_) => {}
            Phase::Looking(_) if self.has_rested => return Ok(Some(End::Done)),
            Phase::Looking(since) if now >= since + RELEASED + PATIENCE => {
                return Err(Failure::Plain("the server does not answer at the end".into()));
            }
            Phase::Looking(_) if !self.desk_is_busy => self.ask(Job::Look),
            Phase::Looking(_) => {}
        }
        Ok(None)
    }

    /// The desk has said all reservations that are left.
    fn looked(&mut self, at: u64) -> Result<(), Failure> {
        let left = std::mem::take(&mut self.left);
        let Phase::Looking(since) = self.phase else { return Ok(()) };
        let is_late = since.elapsed() >= RELEASED;
        self.has_rested = left.is_empty() || is_late;
        if is_late {
            for fact in left {
                self.note(0, at, fact)?;
            }
        }
        Ok(())
    }

    fn millis(&self) -> u64 {
        self.millis_before + self.began.elapsed().as_millis() as u64
    }

    /// Makes tasks at the rate that was asked for, as long as not too many are open.
    fn enqueue(&mut self, now: Instant) -> Result<(), Failure> {
        let mut open = self.checker.open().count();
        while self.next_task <= now {
            self.next_task += Duration::from_secs_f64(1.0 / self.args.rate);
            if open >= self.args.backlog {
                self.next_task = now + TICK;
                return Ok(());
            }
            open += 1;
            let task = self.checker.last_task() + 1;
            let resource = 1 + self.dice.below(self.args.resources.into());
            self.mine(Fact::Enqueued { task, resource })?;
            self.send(task, resource);
            if self.args.design == SoakDesign::Doorway && self.dice.comes(CANCELLED) {
                let after = self.dice.between(Duration::ZERO, Duration::from_secs(3));
                self.cancels.push_back((now + after, task, resource));
            }
            self.deliver(manager::QUEUE)?;
        }
        Ok(())
    }

    /// After the driver's own restart: what nobody has acknowledged.
    fn enqueue_again(&mut self) {
        for (task, resource) in self.checker.unacknowledged().collect::<Vec<_>>() {
            self.send(task, resource);
        }
    }

    fn send(&mut self, task: u64, resource: u64) {
        let task = Task::new(task_name(task), resource_name(resource));
        self.broker.send(manager::QUEUE, task.message());
    }

    fn cancel(&mut self, now: Instant) -> Result<(), Failure> {
        while self.cancels.front().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, task, resource)) = self.cancels.pop_front() else { break };
            let task = Task::new(task_name(task), resource_name(resource));
            self.broker.send(CANCELS, task.message());
            self.deliver(CANCELS)?;
        }
        Ok(())
    }

    fn trouble(&mut self) -> Result<(), Failure> {
        if !self.args.chaos {
            return Ok(());
        }
        for (what, lasting) in chaos::now(&mut self.dice, TICK) {
            let done = match what {
                Chaos::KillManager => self.with(SoakRole::Manager, |slot| slot.kill()),
                Chaos::KillWorker => self.with(SoakRole::Worker, |slot| slot.kill()),
                Chaos::FreezeManager => self.with(SoakRole::Manager, |slot| slot.freeze(lasting)),
                Chaos::FreezeWorker => self.with(SoakRole::Worker, |slot| slot.freeze(lasting)),
                Chaos::KillServer => self.server.kill(lasting),
                Chaos::FreezeServer => self.server.freeze(lasting),
                Chaos::Restart => false,
            };
            if done {
                self.mine(Fact::Chaos { what })?;
            }
        }
        Ok(())
    }

    /// Does something to one of the children of a kind.
    fn with(&mut self, role: SoakRole, does: impl Fn(&mut super::children::Slot)) -> bool {
        let alive = self.children.alive(role);
        let chosen = self.dice.below(alive.len() as u64) as usize;
        let Some(index) = alive.get(chosen) else { return false };
        does(&mut self.children.slots[*index]);
        true
    }

    /// Asks the store how far tasks are, and has the statuses of old ones deleted.
    fn use_desk(&mut self, now: Instant) {
        if self.desk_is_busy || self.args.design != SoakDesign::Doorway {
            return;
        }
        let due = self.over.iter().take(ASKED).take_while(|(at, _)| *at <= now).count();
        if due >= ASKED / 2 {
            let tasks = self.over.drain(..due).map(|(_, task)| task).collect();
            self.ask(Job::Clear(tasks));
            return;
        }
        let tasks = self.checker.to_ask_for(ASKED);
        if !tasks.is_empty() {
            self.ask(Job::Ask(tasks));
        }
    }

    fn ask(&mut self, job: Job) {
        self.desk_is_busy = self.desk.send(job).is_ok();
    }
}

fn task_of(message: &Document) -> Option<u64> {
    number(message.get("task_id")?.as_str()?)
}

fn copy(lines: &PipeWriter) -> Result<PipeWriter, Failure> {
    lines.try_clone().map_err(|error| Failure::Plain(format!("no pipe: {error}")))
}

/// Hears the lines on a thread of its own, in their order.
fn heard(pipe: PipeReader) -> Receiver<Line> {
    const AHEAD: usize = 4096;
    let (sender, lines) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            match serde_json::from_str(&line) {
                Ok(line) => {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
                Err(error) => eprintln!("a line that is none: {error}: {line}"),
            }
        }
    });
    lines
}

/// Says of a child that it is gone, behind all that it said; the pipe may be full meanwhile.
fn marking(mut pipe: PipeWriter) -> Sender<u64> {
    let (sender, gone) = channel();
    std::thread::spawn(move || {
        for child in gone {
            if pipe.write_all(&line(0, Say::Fact(Fact::Gone { child }))).is_err() {
                return;
            }
        }
    });
    sender
}

/// The data of a server of an earlier soak.
fn remove_data(folder: &Path) -> Result<(), Failure> {
    let data = folder.join("server");
    match std::fs::remove_dir_all(&data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::Plain(format!("{}: {error}", data.display())))
        }
        _ => Ok(()),
    }
}
