//! A child: a manager or a worker, as it would run in production, that tells what it does.

use std::time::Duration;

use doorway::env::live::{Live, Pace};
use doorway::env::{Event, Queues};
use doorway::reservation::doorway::worker::Grant;
use doorway::reservation::doorway::{self as protocol, sweep, watch};
use doorway::reservation::manager::{self, Statuses};
use doorway::reservation::{Design, ReservationError, Task, hot_spare, worker};
use doorway::store::Text;
use doorway::store::mongo::MongoStore;

use super::children::URI;
use super::dice::Dice;
use super::fact::{Effect, Fact, Run, number};
use super::link::Link;
use super::witness::Witness;
use crate::cli::Exit;
use crate::cli::args::{SoakChild, SoakDesign, SoakRole};
use crate::cli::output::Failure;

/// The queue of the tasks that are to be cancelled.
pub(crate) const CANCELS: &str = "cancels";
/// Heartbeats come ten times as fast as in production, and workers are declared dead as fast.
pub(crate) const HASTE: u32 = 10;
/// How long a worker's heart may stand still before it is declared dead: 3 s of the machine's clock.
pub(crate) const DEAD_AFTER: Duration = Duration::from_secs(30);
/// How long an answer may take before it counts as lost.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often a run acts on its resource.
const ACTIONS: u32 = 2;
/// How many of 1 runs are long, and how many times as long: long enough that a worker is frozen or
/// killed amidst them.
const LONG: (f64, u32) = (0.05, 25);

type Host = Live<std::sync::Arc<Witness<MongoStore>>, Link>;

/// Runs the child until the driver is gone, or something is wrong.
pub(crate) fn run(args: &SoakChild) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Plain(format!("no runtime: {error}")))?;
    let link = Link::new(args.number);
    let why = match runtime.block_on(serve(args, link.clone())) {
        Ok(()) => "it has nothing more to do".to_owned(),
        Err(error) => error.to_string(),
    };
    link.tell(Fact::Stopped { why: why.chars().take(200).collect() });
    Ok(Exit::NotAsExpected)
}

async fn serve(args: &SoakChild, link: Link) -> Result<(), ReservationError> {
    let uri = std::env::var(URI).unwrap_or_default();
    let store = connect(&uri, &args.database).await?.with_timeout(TIMEOUT);
    let witness = Witness::new(store, link.clone(), args.loses, args.number ^ args.seed);
    let witness = std::sync::Arc::new(witness);
    let pace = Pace { haste: args.haste, ..Pace::default() };
    let teller = link.clone();
    let host = Live::new(witness)
        .with_queues(link)
        .with_pace(pace)
        .listened_by(move |event| tell(&teller, event));
    let seed = args.number.wrapping_mul(31) ^ args.seed;
    let runs = Runs { seed, longest: Duration::from_millis(args.run_millis) };
    match (args.role, args.design) {
        (SoakRole::Manager, SoakDesign::Doorway) => manage(&host).await,
        (SoakRole::Manager, SoakDesign::Old(Design::HotSpare)) => {
            hot_spare::serve(&host, &args.name, Statuses::Ignored).await
        }
        (SoakRole::Manager, SoakDesign::Old(design)) => {
            manager::serve(&host, design, Statuses::Ignored).await
        }
        (SoakRole::Worker, SoakDesign::Doorway) => work(&host, &args.name, &runs).await,
        (SoakRole::Worker, SoakDesign::Old(design)) => {
            work_as_of_old(&host, &args.name, design, &runs).await
        }
    }
}

/// A server that is being started again is waited for.
async fn connect(uri: &str, database: &str) -> Result<MongoStore, ReservationError> {
    loop {
        match MongoStore::connect(uri, database).await {
            Err(error) if error.is_not_done() => tokio::time::sleep(TIMEOUT / 10).await,
            connected => return Ok(connected?),
        }
    }
}

/// What the checker does not see by itself.
fn tell(link: &Link, event: &Event) {
    let task = event.text("task").and_then(number);
    if let (Task::CANCELLED, Some(task)) = (&*event.name, task) {
        link.tell(Fact::Cancelled { task });
    }
}

/// A manager, and what anyone may do beside it: sweep, watch, cancel.
async fn manage(host: &Host) -> Result<(), ReservationError> {
    let (sweeper, watcher, canceller) = (host.clone(), host.clone(), host.clone());
    tokio::select! {
        ended = protocol::manager::serve(host) => ended,
        ended = sweep::sweep(&sweeper) => ended,
        ended = watch::watch(&watcher, DEAD_AFTER) => ended,
        ended = cancel(&canceller) => ended,
    }
}

async fn cancel(host: &Host) -> Result<(), ReservationError> {
    loop {
        let message = host.take(CANCELS).await;
        protocol::cancel::cancel(host, &Task::from_message(&message)?).await?;
    }
}

async fn work(host: &Host, name: &Text, runs: &Runs) -> Result<(), ReservationError> {
    let run = |Grant { task, token }: Grant| async move {
        let incarnation = host.store().incarnation();
        let run = Run { worker: name.clone(), incarnation, token: Some(token) };
        runs.run(host.queues(), &task, run).await
    };
    protocol::worker::serve(host, name, run).await
}

async fn work_as_of_old(
    host: &Host,
    name: &Text,
    design: Design,
    runs: &Runs,
) -> Result<(), ReservationError> {
    let run = |task: Task| async move {
        let run = Run { worker: name.clone(), incarnation: None, token: None };
        let _ = runs.run(host.queues(), &task, run).await;
    };
    worker::serve(host, name, design, Statuses::Ignored, run).await
}

/// How tasks run.
struct Runs {
    seed: u64,
    longest: Duration,
}

impl Runs {
    /// Acts on the resource a few times, and takes its time. Stops where the resource says no.
    async fn run(&self, link: &Link, task: &Task, run: Run) -> Result<(), &'static str> {
        let (Some(number_of_task), Some(resource)) = (number(&task.id), number(&task.resource))
        else {
            return Err("not a task of the soak");
        };
        let effect = Effect { task: number_of_task, resource, token: run.token };
        let mut dice = Dice::new(self.seed ^ number_of_task);
        let longest = if dice.comes(LONG.0) { self.longest * LONG.1 } else { self.longest };
        link.tell(Fact::Began { task: number_of_task, run });
        for _ in 0..ACTIONS {
            tokio::time::sleep(dice.between(Duration::ZERO, longest / ACTIONS)).await;
            if !link.act(effect).await {
                return Err("the resource has seen a higher token");
            }
        }
        link.tell(Fact::Ended { task: number_of_task });
        Ok(())
    }
}
