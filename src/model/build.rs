//! The system that a model describes.

use std::num::NonZeroU32;

use super::property;
use super::{Model, Subject, SystemKind};
use crate::check::mutation::{Literals, Mutation};
use crate::check::{Commands, Messages, Process, System, World};
use crate::env::{Event, forever};
use crate::reservation::manager::{self, Statuses};
use crate::reservation::schema::{RESERVATIONS, WORKERS};
use crate::reservation::{Design, ReservationError, Task, hot_spare, watcher, worker};
use crate::store::memory::State;
use crate::store::{Document, StoreError, Text};

/// An index that is not there cannot be left out.
fn lacks(system: &System, mutation: &Mutation) -> Result<(), StoreError> {
    let Mutation::NoIndex { collection, index } = mutation else { return Ok(()) };
    let mut all = system.world.store.indexes();
    if all.any(|(in_which, name)| in_which == collection && name == index) {
        return Ok(());
    }
    let all: Vec<String> =
        system.world.store.indexes().map(|(which, name)| format!("{name} on {which}")).collect();
    let all = if all.is_empty() { "none".into() } else { all.join(", ") };
    Err(StoreError::invalid(format!("there is no index {index} on {collection}: there is {all}")))
}

impl Model {
    /// The system that the model describes, ready for an engine.
    ///
    /// # Errors
    ///
    /// What the emulator refuses while the collections are set up.
    pub fn system(&self) -> Result<System, StoreError> {
        let mut messages = match self.system {
            SystemKind::Full => self.broker(),
            _ => Messages::default(),
        };
        self.give_leases(&mut messages);
        let before: &[&str] = match self.system {
            SystemKind::Inline | SystemKind::Full => &[Task::ENQUEUED],
            SystemKind::Queued => &[Task::ENQUEUED, Task::QUEUED],
            SystemKind::Submitters | SystemKind::Callers => &[],
        };
        let tasks = self.tasks();
        let history = tasks.iter().flat_map(|task| before.iter().map(|name| task.event(name)));
        let expected = |name: &str| self.expect.iter().any(|(expected, _)| expected == name);
        let system = System {
            name: self.name.as_str().into(),
            world: World { store: self.store()?, messages },
            history: history.collect::<Vec<Event>>(),
            processes: self.processes(),
            properties: property::all()
                .into_iter()
                .chain(property::of_endless_runs())
                .filter(|property| expected(property.name()))
                .map(|property| property.monitor)
                .collect(),
            broken_store: self.broken_store,
            faults: self.faults.clone(),
            commands: Commands::AsTheServer,
            guards: self.guards,
        };
        Ok(match &self.mutant {
            None => system,
            Some(mutation) => {
                lacks(&system, mutation)?;
                system.mutated(&self.literals(), mutation.clone())
            }
        })
    }

    /// The texts that belong to the design and not to a run.
    #[must_use]
    pub fn literals(&self) -> Literals {
        Literals::new(super::doorway::literals())
    }

    /// The names of the processes, as schedules and faults call them.
    #[must_use]
    pub fn process_names(&self) -> Vec<Text> {
        self.processes().into_iter().map(|process| process.name).collect()
    }

    fn processes(&self) -> Vec<Process> {
        let processes = match (self.design, self.system) {
            (Subject::Doorway, _) => self.doorway_processes(),
            (Subject::Lock | Subject::Several(_), _) => self.caller_processes(),
            (Subject::Reserving(design), SystemKind::Inline) => self.inline_managers(design),
            (Subject::Reserving(design), _) => self.full_processes(design),
        };
        match self.write {
            Some(write) => processes.into_iter().map(|process| process.writing(write)).collect(),
            None => processes,
        }
    }

    fn store(&self) -> Result<State, StoreError> {
        match self.design {
            Subject::Doorway | Subject::Lock => self.doorway_store(),
            Subject::Several(_) => Ok(State::new()),
            Subject::Reserving(design) => self.reserving_store(design),
        }
    }

    fn reserving_store(&self, design: Design) -> Result<State, StoreError> {
        let mut store = State::new();
        store.provision(RESERVATIONS, &design.indexes())?;
        store.provision(WORKERS, &[])?;
        store.provision(hot_spare::LOCKS, &[])?;
        for worker in self.workers() {
            store.insert(WORKERS, Document::new().with("_id", &worker))?;
        }
        if self.is_unwatched() {
            store.declare_immutable(WORKERS);
        }
        Ok(store)
    }

    /// Whether no worker is ever taken for dead.
    fn is_unwatched(&self) -> bool {
        self.buries.is_empty() && self.dead.is_empty()
    }

    pub(super) fn workers(&self) -> impl Iterator<Item = Text> {
        numbered("worker", self.sizes.workers)
    }

    pub(super) fn managers(&self) -> impl Iterator<Item = Text> {
        numbered("manager", self.sizes.managers)
    }

    /// Every task, in the order in which they were handed to the broker.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let (managers, each) = (self.sizes.managers.get(), self.sizes.tasks.get());
        match self.system {
            SystemKind::Inline => (0..managers * each).map(|n| self.inline_task(n)).collect(),
            _ => (0..each).map(|n| self.full_task(n)).collect(),
        }
    }

    /// Task k of manager m, numbered m * tasks + k.
    fn inline_task(&self, number: u32) -> Task {
        let (manager, own) = (number / self.sizes.tasks, number % self.sizes.tasks);
        self.task(number, (manager + own) % self.sizes.resources)
    }

    pub(super) fn full_task(&self, number: u32) -> Task {
        let wanted = self.wants.get(number as usize).map(|resource| resource.get() - 1);
        self.task(number, wanted.unwrap_or(number % self.sizes.resources))
    }

    fn task(&self, number: u32, resource: u32) -> Task {
        Task::new(format!("task-{}", number + 1), format!("resource-{}", resource + 1))
    }

    fn inline_managers(&self, design: Design) -> Vec<Process> {
        let each = self.sizes.tasks.get() as usize;
        let tasks = self.tasks();
        let manager = |(number, (name, tasks)): (u32, (Text, &[Task]))| {
            if self.streams.iter().any(|stream| stream.get() == number) {
                return streaming(name, design, tasks.to_vec());
            }
            tasks.iter().cloned().fold(Process::new(name), |process, task| {
                process.then(move |cx| {
                    let task = task.clone();
                    async move { manager::reserve_run_release(&cx, design, &task).await }
                })
            })
        };
        (1..).zip(self.managers().zip(tasks.chunks(each))).map(manager).collect()
    }

    fn broker(&self) -> Messages {
        let mut messages = Messages::default();
        for task in self.tasks() {
            messages.send(&manager::QUEUE.into(), task.message());
        }
        messages
    }

    fn full_processes(&self, design: Design) -> Vec<Process> {
        let statuses = if self.is_unwatched() { Statuses::Ignored } else { Statuses::Kept };
        let managers = self.managers().map(|name| {
            Process::new(name).then(move |cx| async move {
                match design {
                    Design::HotSpare => hot_spare::serve(&cx, cx.process(), statuses).await,
                    _ => manager::serve(&cx, design, statuses).await,
                }
            })
        });
        let deposers = self.deposes.iter().map(|number| {
            let manager: Text = format!("manager-{number}").into();
            Process::new(format!("watcher-of-{manager}")).then(move |cx| {
                let manager = manager.clone();
                async move { hot_spare::depose(&cx, &manager).await }
            })
        });
        let dead: Vec<Text> = self.dead.iter().map(worker_name).collect();
        let alive = self.workers().filter(|name| !dead.contains(name));
        let workers = alive.map(|name| {
            Process::new(name).then(move |cx| async move {
                let run = |_| cx.step("run");
                worker::serve(&cx, cx.process(), design, statuses, run).await
            })
        });
        let watchers = self.buries.iter().chain(&self.dead).map(|number| {
            let worker = worker_name(number);
            Process::new(format!("watcher-of-{worker}")).then(move |cx| {
                let worker = worker.clone();
                async move { watcher::bury(&cx, &worker).await }
            })
        });
        managers.chain(workers).chain(watchers).chain(deposers).collect()
    }
}

/// A manager that does its tasks, and then the same again, for ever.
fn streaming(name: Text, design: Design, tasks: Vec<Task>) -> Process {
    Process::new(name).then(move |cx| {
        let tasks = tasks.clone();
        async move {
            forever(&cx, || async {
                for task in &tasks {
                    manager::reserve_run_release(&cx, design, task).await?;
                }
                Ok::<(), ReservationError>(())
            })
            .await
        }
    })
}

pub(super) fn worker_name(number: &NonZeroU32) -> Text {
    format!("worker-{number}").into()
}

fn numbered(kind: &'static str, count: NonZeroU32) -> impl Iterator<Item = Text> {
    (1..=count.get()).map(move |number| format!("{kind}-{number}").into())
}
