//! The doorway at work, on any store: many managers and workers as tasks of tokio.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorway::env::Queues;
use doorway::env::live::{Broker, Live, Pace};
use doorway::reservation::doorway::schema::{
    Reservation, State, registrations, reservations, statuses,
};
use doorway::reservation::doorway::worker::Grant;
use doorway::reservation::doorway::{self as protocol, setup, sweep, watch};
use doorway::reservation::{Task, manager};
use doorway::store::filter::all;
use doorway::store::{Provision, Text};
use tokio::task::JoinHandle;

/// How long all of it may take at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// Six heartbeats, in the time of the hosts.
const DEAD_AFTER: Duration = Duration::from_secs(30);
const PACE: Pace =
    Pace { first: Duration::from_millis(2), most: Duration::from_millis(50), haste: 10 };

pub(crate) struct Size {
    pub(crate) managers: usize,
    pub(crate) workers: usize,
    pub(crate) resources: usize,
    pub(crate) tasks: usize,
}

/// What the resources saw: who is in, the highest token, and the tasks in their order.
#[derive(Default)]
struct Seen {
    inside: HashMap<Text, Text>,
    tokens: HashMap<Text, i64>,
    runs: Vec<Text>,
}

/// Runs all tasks, kills a worker amidst one of them, and looks whether all is as it has to be.
pub(crate) async fn all_is_done<P: Provision + Clone + 'static>(store: P, size: &Size) {
    setup::set_up(&store).await.unwrap();
    setup::set_up(&store).await.unwrap();
    let (host, broker) = (Live::new(store).with_pace(PACE), Broker::new());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut running = vec![killed_amidst_its_first_task(&host)];
    enqueue(&broker, size).await;
    for _ in 0..size.managers {
        let manager = host.clone().with_queues(broker.connect());
        running.push(tokio::spawn(async move { protocol::manager::serve(&manager).await }));
    }
    running.remove(0).await.unwrap().unwrap();
    for number in 0..size.workers {
        let (host, seen) = (host.clone(), Arc::clone(&seen));
        running.push(tokio::spawn(async move {
            let name = format!("worker-{number}").into();
            protocol::worker::serve(&host, &name, |grant| run(&seen, grant)).await
        }));
    }
    let (sweeper, watcher) = (host.clone(), host.clone());
    running.push(tokio::spawn(async move { sweep::sweep(&sweeper).await }));
    running.push(tokio::spawn(async move { watch::watch(&watcher, DEAD_AFTER).await }));
    tokio::time::timeout(PATIENCE, ended(&host, size)).await.expect("all ends in time");
    for process in &running {
        assert!(!process.is_finished(), "a process has stopped by itself");
        process.abort();
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    judge(&host, &seen, size).await;
}

/// A worker whose process goes once it runs a task: nobody tells the store.
fn killed_amidst_its_first_task<P: Provision + Clone + 'static>(
    host: &Live<P>,
) -> JoinHandle<Result<(), doorway::reservation::ReservationError>> {
    let host = host.clone();
    tokio::spawn(async move {
        let (runs, mut ran) = tokio::sync::mpsc::channel(1);
        let run = |_| async {
            runs.send(()).await.unwrap();
            std::future::pending::<Result<(), Text>>().await
        };
        let name = Text::from("worker-killed");
        tokio::select! {
            ended = protocol::worker::serve(&host, &name, run) => ended,
            _ = ran.recv() => Ok(()),
        }
    })
}

async fn enqueue(broker: &Broker, size: &Size) {
    let sender = broker.connect();
    for number in 0..size.tasks {
        let resource = format!("resource-{}", number % size.resources);
        let task = Task::new(format!("task-{number}"), resource);
        sender.send(manager::QUEUE, task.message()).await;
    }
}

async fn run(seen: &Mutex<Seen>, grant: Grant) -> Result<(), Text> {
    let Grant { task, token } = grant;
    {
        let mut seen = seen.lock().unwrap();
        let other = seen.inside.insert(task.resource.clone(), task.id.clone());
        assert_eq!(other, None, "{} comes in", task.id);
        let highest = seen.tokens.insert(task.resource.clone(), token);
        assert!(highest.is_none_or(|highest| highest < token), "the token of {}", task.id);
        seen.runs.push(task.id.clone());
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    seen.lock().unwrap().inside.remove(&task.resource);
    Ok(())
}

/// Waits until every task is done, and no reservation has a task or a worker.
async fn ended<P: Provision>(host: &Live<P>, size: &Size) {
    loop {
        let there = reservations::<_, Reservation>(host).find(all()).await.unwrap();
        let known = statuses(host).find(all()).await.unwrap();
        let is_idle = |one: &Reservation| one.task_ids.is_empty() && one.worker_name.is_none();
        if there.iter().all(is_idle) && known.len() == size.tasks {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn judge<P: Provision>(host: &Live<P>, seen: &Seen, size: &Size) {
    let states = statuses(host).find(all()).await.unwrap();
    let failed: Vec<_> = states.iter().filter(|one| one.state == State::Failed).collect();
    assert_eq!(failed.len(), 1, "that of the worker that was killed: {failed:?}");
    assert_eq!(failed[0].worker_name.as_deref(), Some("worker-killed"));
    let finished = states.iter().filter(|one| one.state == State::Finished).count();
    assert_eq!(finished, size.tasks - 1, "{states:?}");
    let mut runs = seen.runs.clone();
    runs.sort();
    runs.dedup();
    assert_eq!((runs.len(), seen.runs.len()), (size.tasks - 1, size.tasks - 1), "each runs once");
    let reservations = reservations::<_, Reservation>(host).find(all()).await.unwrap();
    assert_eq!(reservations.len(), size.resources, "one of each resource: {reservations:?}");
    let given = |one: &Reservation| seen.tokens.get(&one.resource_id).copied().unwrap_or(0);
    assert!(reservations.iter().all(|one| one.token >= given(one)), "{reservations:?}");
    let there = registrations(host).find(all()).await.unwrap();
    assert!(there.iter().all(|worker| &*worker.name != "worker-killed"), "{there:?}");
}
