//! A system that reserves by the doorway, on a server: submitters, workers, a sweeper; and what has
//! to hold of what it did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorway::env::{Env, Event, Wake};
use doorway::reservation::doorway::schema::{
    self, RESERVATIONS, Reservation, STATUSES, State, Status, WORKERS,
};
use doorway::reservation::doorway::worker::Grant;
use doorway::reservation::doorway::{cancel, submit, sweep, watch, worker};
use doorway::reservation::{ReservationError, Task};
use doorway::store::filter::all;
use doorway::store::mongo::MongoStore;
use doorway::store::{Command, Document, Provision, Reply, Store, StoreError, Text};
use tokio::task::JoinHandle;

/// How much faster time goes here than in production.
const FASTER: u32 = 50;
/// How long to sleep where an attempt is to be made again.
const MOMENT: Duration = Duration::from_millis(5);
/// How long a round may take.
const ROUND: Duration = Duration::from_secs(240);
/// How many tasks a submitter submits in a round, one after another.
const TASKS: usize = 3;

/// What a process asks of the world: a server, and time.
#[derive(Clone)]
pub(crate) struct Host {
    store: MongoStore,
}

impl Store for Host {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        self.store.execute(command).await
    }
}

impl Env for Host {
    async fn pause(&self, _wake: Wake) {
        tokio::time::sleep(MOMENT).await;
    }

    async fn rest(&self, period: Duration) {
        tokio::time::sleep(period / FASTER).await;
    }

    async fn breathe(&self) {
        tokio::time::sleep(MOMENT).await;
    }

    async fn beside<T: Send>(
        &self,
        guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = guard => None,
        }
    }

    fn observe(&self, _event: Event) {}
}

/// Something that happened; the log has it in its order.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Submitting(Text),
    Submitted(Text),
    Began {
        task: Text,
        resource: Text,
        token: i64,
    },
    /// The run is over, or was cut off with its worker.
    Ended(Text),
    Cancelled(Text),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

impl Log {
    fn add(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }

    fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A run, which ends also where its worker is cut off.
struct Running(Log, Text);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.add(Entry::Ended(self.1.clone()));
    }
}

/// The system.
pub(crate) struct System {
    /// By which it works.
    host: Host,
    /// By which it is looked at, past every fault.
    truth: Host,
    log: Log,
    workers: BTreeMap<Text, JoinHandle<Result<(), ReservationError>>>,
    sweeper: JoinHandle<Result<(), ReservationError>>,
    /// How many workers were cut off.
    cut_off: AtomicUsize,
    /// How many tasks were submitted.
    pub(crate) tasks: usize,
}

impl System {
    /// Sets the collections up by `truth`, and starts two workers and a sweeper that work by `store`.
    pub(crate) async fn start(store: MongoStore, truth: MongoStore) -> System {
        truth.database().drop().await.unwrap();
        truth.provision(RESERVATIONS, &[schema::one_reservation_per_worker()]).await.unwrap();
        truth.provision(STATUSES, &[]).await.unwrap();
        truth.provision(WORKERS, &[]).await.unwrap();
        truth.provision(schema::COUNTERS, &[]).await.unwrap();
        for counter in schema::counters() {
            let counters = truth.collection::<Document>(schema::COUNTERS);
            counters.insert_one(counter).await.unwrap();
        }
        let (host, truth) = (Host { store }, Host { store: truth });
        let sweeping = host.clone();
        let sweeper = tokio::spawn(async move { sweep::sweep(&sweeping).await });
        let (log, workers) = (Log::default(), BTreeMap::new());
        let mut system =
            System { host, truth, log, workers, sweeper, cut_off: AtomicUsize::new(0), tasks: 0 };
        for name in ["worker-1", "worker-2"] {
            system.begin(name.into());
        }
        system
    }

    /// Starts a worker, in the place of an earlier one of that name.
    fn begin(&mut self, name: Text) {
        let (host, log, me) = (self.host.clone(), self.log.clone(), name.clone());
        let serving = tokio::spawn(async move {
            let run = |grant: Grant| {
                let (task, token, log) = (grant.task, grant.token, log.clone());
                async move {
                    let (id, resource) = (task.id.clone(), task.resource);
                    log.add(Entry::Began { task: id.clone(), resource, token });
                    let _running = Running(log, id);
                    tokio::time::sleep(MOMENT).await;
                    Ok::<(), String>(())
                }
            };
            worker::serve(&host, &me, run).await
        });
        self.workers.insert(name, serving);
    }

    /// Cuts a worker off while it is bound to a resource, before the task is its (`over` is false) or
    /// after the task has ended, where whoever calls this holds all of them back; then lets the others go
    /// on, and starts it again, declared dead before (`buried`) or not.
    pub(crate) async fn cut_off(&mut self, over: bool, buried: bool, let_go: impl FnOnce()) {
        let name = self.caught(over).await;
        let serving = self.workers.remove(&name).unwrap();
        serving.abort();
        assert!(serving.await.is_err_and(|error| error.is_cancelled()), "{name} had ended");
        self.cut_off.fetch_add(1, Ordering::Relaxed);
        let_go();
        if buried {
            self.bury(&name).await;
            tokio::time::sleep(4 * MOMENT).await; // for the sweeper to find it before its worker
        }
        self.begin(name);
    }

    /// Waits for a worker to be bound to a resource the first task of which has ended, or has not begun.
    async fn caught(&self, over: bool) -> Text {
        let began = Instant::now();
        loop {
            let states = self.states().await;
            for Reservation { task_ids, worker_name, .. } in self.reservations().await {
                let first = task_ids.first().and_then(|task| states.get(task));
                let is_as_wanted = match first {
                    Some(state) if over => state.is_final(),
                    Some(state) => *state == State::Waiting,
                    None => false,
                };
                if let Some(name) = worker_name
                    && is_as_wanted
                {
                    return name;
                }
            }
            assert!(began.elapsed() < ROUND, "no worker is bound");
        }
    }

    /// Declares a worker dead, if it is registered.
    async fn bury(&self, name: &str) {
        while let Ok(Some(seen)) = watch::registration(&self.host, &name.into()).await {
            // An answer that was lost: it is looked at again.
            let _ = watch::bury(&self.host, &seen).await;
        }
    }

    /// One round: two submitters with tasks for the same two resources, and a task that is cancelled.
    /// Ends when every task has come to its end.
    pub(crate) async fn round(&mut self, round: usize, meanwhile: impl AsyncFnOnce(&mut System)) {
        self.tasks += 2 * TASKS;
        let submitters: Vec<_> = (0..2).map(|number| self.submitter(round, number)).collect();
        meanwhile(self).await;
        for submitter in submitters {
            submitter.await.unwrap();
        }
        self.come_to_an_end().await;
        self.judge().await;
    }

    fn submitter(&self, round: usize, number: usize) -> JoinHandle<()> {
        let (host, log) = (self.host.clone(), self.log.clone());
        tokio::spawn(async move {
            for n in 0..TASKS {
                let id: Text = format!("task-{round}-{number}-{n}").into();
                let task = Task::new(id.clone(), format!("resource-{}", n % 2));
                log.add(Entry::Submitting(id.clone()));
                submit(&host, &task).await.unwrap();
                log.add(Entry::Submitted(id.clone()));
                submit(&host, &task).await.unwrap(); // again, which has no effect
                if number == 1 && n == TASKS - 1 && cancel::cancel(&host, &task).await.unwrap() {
                    log.add(Entry::Cancelled(id));
                }
            }
        })
    }

    async fn come_to_an_end(&self) {
        let began = Instant::now();
        loop {
            let reservations = self.reservations().await;
            let is_idle = |one: &Reservation| one.task_ids.is_empty() && one.worker_name.is_none();
            let over = |status: &Status| status.state.is_final();
            if reservations.iter().all(is_idle) && self.statuses().await.iter().all(over) {
                return;
            }
            for (name, worker) in &self.workers {
                assert!(!worker.is_finished(), "{name} has ended");
            }
            assert!(!self.sweeper.is_finished(), "the sweeper has ended");
            assert!(began.elapsed() < ROUND, "no end: {reservations:?}");
            tokio::time::sleep(4 * MOMENT).await;
        }
    }

    async fn reservations(&self) -> Vec<Reservation> {
        self.truth.collection::<Reservation>(RESERVATIONS).find(all()).await.unwrap()
    }

    async fn statuses(&self) -> Vec<Status> {
        self.truth.collection::<Status>(STATUSES).find(all()).await.unwrap()
    }

    async fn states(&self) -> BTreeMap<Text, State> {
        self.statuses().await.into_iter().map(|status| (status.task_id, status.state)).collect()
    }

    /// What has to hold of all that has happened in a round.
    async fn judge(&self) {
        let log = self.log.take();
        let statuses = self.statuses().await;
        let cut_off = self.cut_off.swap(0, Ordering::Relaxed);
        exclusive_with_growing_tokens(&log);
        each_once(&log, &statuses, cut_off);
        first_come_first_served(&log);
        let handle = self.truth.store.database().collection::<Document>(STATUSES);
        handle.delete_many(mongo_all()).await.unwrap();
    }
}

fn mongo_all() -> doorway::store::mongo::driver::bson::Document {
    doorway::store::mongo::driver::bson::doc! {}
}

impl Drop for System {
    fn drop(&mut self) {
        self.sweeper.abort();
        self.workers.values().for_each(JoinHandle::abort);
    }
}

/// Of two runs on one resource the later begins after the earlier has ended, with a higher token.
fn exclusive_with_growing_tokens(log: &[Entry]) {
    let mut inside: BTreeMap<&Text, &Text> = BTreeMap::new();
    let mut last: BTreeMap<&Text, i64> = BTreeMap::new();
    for entry in log {
        match entry {
            Entry::Began { task, resource, token } => {
                let other = inside.insert(resource, task);
                assert_eq!(other, None, "{task} too is on {resource}: {log:#?}");
                let before = last.insert(resource, *token);
                assert!(before.is_none_or(|before| before < *token), "{task}: {log:#?}");
            }
            Entry::Ended(task) => inside.retain(|_, running| *running != task),
            _ => {}
        }
    }
}

/// A task runs once, unless it was cancelled or its worker was cut off; what was cancelled never does.
fn each_once(log: &[Entry], statuses: &[Status], cut_off: usize) {
    let count = |id: &Text, is: fn(&Entry) -> Option<&Text>| {
        log.iter().filter_map(is).filter(|task| *task == id).count()
    };
    let mut failed = 0;
    for Status { task_id, state, .. } in statuses {
        let began = count(task_id, |entry| match entry {
            Entry::Began { task, .. } => Some(task),
            _ => None,
        });
        let cancelled = count(task_id, |entry| match entry {
            Entry::Cancelled(task) => Some(task),
            _ => None,
        });
        let expected = match state {
            State::Finished => began == 1 && cancelled == 0,
            // A submission or a cancellation whose answer was lost is done again, and then says no.
            State::Cancelled => began == 0,
            State::Failed => {
                failed += 1;
                began <= 1 && cancelled == 0
            }
            _ => false,
        };
        assert!(expected, "{task_id} is {state:?}, ran {began} times: {log:#?}");
    }
    assert!(failed <= cut_off, "{failed} failed, {cut_off} workers were cut off: {statuses:#?}");
}

/// A task whose submission ended before that of another one began runs before it.
fn first_come_first_served(log: &[Entry]) {
    let place = |wanted: &dyn Fn(&Entry) -> bool| log.iter().position(wanted);
    let runs: Vec<(&Text, &Text, usize)> = log
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| match entry {
            Entry::Began { task, resource, .. } => Some((task, resource, at)),
            _ => None,
        })
        .collect();
    for (earlier, resource, began) in &runs {
        for (later, other, later_began) in &runs {
            let submitted = place(&|entry| *entry == Entry::Submitted((*earlier).clone()));
            let submitting = place(&|entry| *entry == Entry::Submitting((*later).clone()));
            if resource == other && submitted < submitting && submitted.is_some() {
                assert!(began < later_began, "{later} ran before {earlier}: {log:#?}");
            }
        }
    }
}
