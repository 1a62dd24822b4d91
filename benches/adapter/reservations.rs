//! How many reservations a second, by how many at once, and where the time of one goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use doorway::env::Queues;
use doorway::env::live::{Broker, Live};
use doorway::reservation::doorway::{self as protocol, lock::Queue, schema, setup};
use doorway::reservation::{ReservationError, Task, manager};
use doorway::store::Store;
use doorway::store::memory::{MemoryStore, State};
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::event::EventHandler;
use doorway::store::mongo::driver::event::command::CommandEvent;
use doorway::store::mongo::driver::{Client, options::ClientOptions};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::measure::{micros, thread_time};
use crate::process::{Server, fresh};

const DATABASE: &str = "doorway_bench";
/// How many callers of the lock, or managers, there are at once.
const AT_ONCE: [usize; 3] = [1, 2, 4];
/// How many workers serve what the managers submit.
const WORKERS: usize = 4;

/// What the driver's monitoring has told.
#[derive(Default)]
struct Told {
    commands: AtomicU64,
    nanos: AtomicU64,
}

/// Whether all want the same.
#[derive(Clone, Copy)]
enum Contention {
    OneResource,
    OneEach,
}

/// Measures the lock and the managers, and prints a table of each.
///
/// Each line is of a server of its own: one that has much behind it may be slower.
pub(crate) async fn count(tasks: usize) {
    println!("\n{tasks} tasks for the lock: reserve, release; callers at once");
    heading();
    for contention in [Contention::OneEach, Contention::OneResource] {
        for callers in AT_ONCE {
            let Some(server) = fresh(&[]).await else { return };
            let (host, told) = monitored(&server).await;
            let began = Instant::now();
            locked(&host, callers, tasks, contention).await;
            row(callers, callers, contention, (tasks, began.elapsed()), &told, "");
        }
    }
    println!("\n{tasks} tasks for {WORKERS} workers: submit, run, release; managers at once");
    heading();
    for contention in [Contention::OneEach, Contention::OneResource] {
        for managers in AT_ONCE {
            let Some(server) = fresh(&[]).await else { return };
            let (host, told) = monitored(&server).await;
            let [submitted, done] = served(&host, managers, tasks, contention).await;
            let submitted =
                format!("{:.0} submitted a second", tasks as f64 / submitted.as_secs_f64());
            row(managers, managers + WORKERS, contention, (tasks, done), &told, &submitted);
        }
    }
    share(tasks).await;
}

fn heading() {
    println!(
        "{:<14} {:>7} {:>9} {:>12} {:>14}",
        "", "at once", "tasks/s", "commands/task", "within replies"
    );
}

fn row(
    at_once: usize,
    processes: usize,
    contention: Contention,
    (tasks, took): (usize, Duration),
    told: &Told,
    more: &str,
) {
    let contention = match contention {
        Contention::OneResource => "one resource",
        Contention::OneEach => "one each",
    };
    let replies = told.nanos.load(Ordering::Relaxed) as f64 / 1e9;
    println!(
        "{contention:<14} {at_once:>7} {:>9.1} {:>13.1} {:>13.0}% {more}",
        tasks as f64 / took.as_secs_f64(),
        told.commands.load(Ordering::Relaxed) as f64 / tasks as f64,
        100.0 * replies / (took.as_secs_f64() * processes as f64),
    );
}

/// A host on the database set up anew, whose commands are counted from now on.
async fn monitored(server: &Server) -> (Live<MongoStore>, Arc<Told>) {
    let plain = prepared(server).await;
    let told = Arc::new(Told::default());
    let heard = Arc::clone(&told);
    let mut options = ClientOptions::parse(server.uri()).await.unwrap();
    options.command_event_handler = Some(EventHandler::callback(move |event| {
        let duration = match event {
            CommandEvent::Succeeded(event) => event.duration,
            CommandEvent::Failed(event) => event.duration,
            _ => return,
        };
        heard.commands.fetch_add(1, Ordering::Relaxed);
        heard.nanos.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }));
    let client = Client::with_options(options).unwrap();
    let host = Live::new(MongoStore::new(client.database(plain.database().name())));
    // The connections are made before the clock starts.
    locked(&host, AT_ONCE[2], AT_ONCE[2], Contention::OneEach).await;
    told.commands.store(0, Ordering::Relaxed);
    told.nanos.store(0, Ordering::Relaxed);
    (host, told)
}

async fn prepared(server: &Server) -> MongoStore {
    let store = server.store(DATABASE).await;
    store.database().drop().await.unwrap();
    setup::set_up(&store).await.unwrap();
    store
}

/// So many callers share the tasks, each of which reserves and releases.
async fn locked<S: Store + Clone + 'static>(
    host: &Live<S>,
    callers: usize,
    tasks: usize,
    contention: Contention,
) {
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let host = host.clone();
        let resource = match contention {
            Contention::OneResource => "shared".to_owned(),
            Contention::OneEach => format!("own-{caller}"),
        };
        running.spawn(async move {
            // Resources that no task needs together are in queues of their own.
            let queue = Queue::new(&host, &*resource);
            for task in (caller..tasks).step_by(callers) {
                let turn = queue.reserve(format!("task-{task}"), &*resource).await?;
                assert!(turn.release().await?, "nobody is declared dead");
            }
            Ok::<(), ReservationError>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap().unwrap();
    }
}

/// So many managers submit all tasks, which workers run; how long until the last is submitted, and
/// until the last is released.
async fn served(
    host: &Live<MongoStore>,
    managers: usize,
    tasks: usize,
    contention: Contention,
) -> [Duration; 2] {
    let broker = Broker::new();
    enqueue(&broker, tasks, contention).await;
    let (events, heard) = unbounded_channel();
    let host = host.clone().listened_by(move |event| {
        let _ = events.send((event.name.clone(), Instant::now()));
    });
    let began = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..managers {
        let manager = host.clone().with_queues(broker.connect());
        running.spawn(async move { protocol::manager::serve(&manager).await });
    }
    for number in 0..WORKERS {
        let host = host.clone();
        running.spawn(async move {
            let name = format!("worker-{number}").into();
            protocol::worker::serve(&host, &name, async |_| Ok::<(), &str>(())).await
        });
    }
    tokio::select! {
        last = all_done(heard, tasks) => last.map(|at| at - began),
        ended = running.join_next() => panic!("a process has stopped by itself: {ended:?}"),
    }
}

async fn enqueue(broker: &Broker, tasks: usize, contention: Contention) {
    let sender = broker.connect();
    for number in 0..tasks {
        let resource = match contention {
            Contention::OneResource => "shared".to_owned(),
            Contention::OneEach => format!("own-{number}"),
        };
        sender.send(manager::QUEUE, Task::new(format!("task-{number}"), resource).message()).await;
    }
}

/// When the last task was submitted, and when the last was done.
async fn all_done(
    mut heard: UnboundedReceiver<(doorway::store::Text, Instant)>,
    tasks: usize,
) -> [Instant; 2] {
    let (mut submitted, mut done) = (0, 0);
    let mut last = [Instant::now(); 2];
    while done < tasks || submitted < tasks {
        let (name, at) = heard.recv().await.unwrap();
        if &*name == Task::QUEUED {
            (submitted, last[0]) = (submitted + 1, at);
        } else if &*name == Task::RELEASED {
            (done, last[1]) = (done + 1, at);
        }
    }
    last
}

/// What of a reservation is the protocol itself: processor time of the client's one thread.
async fn share(tasks: usize) {
    let Some(server) = fresh(&[]).await else { return };
    let on_server = processor(&Live::new(prepared(&server).await), tasks).await;
    let mut state = State::new();
    for counter in schema::counters() {
        state.insert(schema::COUNTERS, counter).unwrap();
    }
    let on_emulator = processor(&Live::new(MemoryStore::with_state(state)), tasks).await;
    println!(
        "\na reservation by the lock, without contention: {on_server:.0} µs of the client's processor; \
         over the emulator in its place, so protocol and emulator together: {on_emulator:.0} µs"
    );
}

async fn processor<S: Store + Clone + 'static>(host: &Live<S>, tasks: usize) -> f64 {
    locked(host, 1, tasks.div_ceil(10), Contention::OneEach).await;
    let before = thread_time();
    locked(host, 1, tasks, Contention::OneEach).await;
    micros(thread_time() - before) / tasks as f64
}
