//! Where the driver asks the store: a thread of its own, so that a server that is frozen does not
//! keep the driver from hearing its children. What it learns, it says as a child does.

use std::io::{PipeWriter, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use doorway::doc;
use doorway::reservation::doorway::schema::{self, RESERVATIONS, WORKERS, statuses};
use doorway::reservation::doorway::setup;
use doorway::reservation::hot_spare::LOCKS;
use doorway::store::filter::{by_id, exists, is_in, ne};
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::{Client, bson};
use doorway::store::{Document, Provision, Store, StoreError, Value};

use super::fact::{Fact, Say, number, task_name};
use super::link::line;
use crate::cli::args::{Soak, SoakDesign};
use crate::cli::output::Failure;

/// How long a server may take until it answers for the first time.
const START: Duration = Duration::from_secs(60);
/// How long a command may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many reservations that are left are said.
const LEFT: u32 = 20;

/// What the desk is to do.
pub(crate) enum Job {
    /// Say how far these tasks are.
    Ask(Vec<u64>),
    /// Delete the statuses of these tasks.
    Clear(Vec<u64>),
    /// Say which reservations are left that have a task or a worker.
    Look,
}

/// Waits for the server, sets the database up (anew, if asked to), and starts the thread.
pub(crate) fn open(
    args: &Soak,
    (uri, database): (&str, &str),
    is_new: bool,
    lines: PipeWriter,
) -> Result<Sender<Job>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Plain(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    let store = runtime.block_on(reach(uri, database)).map_err(|error| failed(&error))?;
    if is_new {
        runtime.block_on(prepare(args, &store)).map_err(|error| failed(&error))?;
    }
    let store = store.with_timeout(TIMEOUT);
    let (sender, jobs) = channel();
    std::thread::spawn(move || runtime.block_on(work(&store, &jobs, lines)));
    Ok(sender)
}

async fn reach(uri: &str, database: &str) -> Result<MongoStore, StoreError> {
    let began = Instant::now();
    loop {
        initiate(uri).await;
        match MongoStore::connect(uri, database).await {
            Err(error) if error.is_not_done() && began.elapsed() < START => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            connected => return connected,
        }
    }
}

/// A `mongod` that was started with a name for a replica set becomes one of itself. Any other server
/// refuses, and stays as it is.
async fn initiate(uri: &str) {
    if let Ok(client) = Client::with_uri_str(uri).await {
        let admin = client.database("admin");
        let hello = admin.run_command(bson::doc! {"hello": 1}).await;
        if hello.is_ok_and(|hello| hello.contains_key("isreplicaset")) {
            let _ = admin.run_command(bson::doc! {"replSetInitiate": {}}).await;
        }
    }
}

async fn prepare(args: &Soak, store: &MongoStore) -> Result<(), StoreError> {
    let dropped = store.database().drop().await;
    dropped.map_err(|error| StoreError::refused(format!("the database stays: {error}")))?;
    match args.design {
        SoakDesign::Doorway => setup::set_up(store).await,
        SoakDesign::Old(design) => {
            store.provision(RESERVATIONS, &design.indexes()).await?;
            store.provision(WORKERS, &[]).await?;
            store.provision(LOCKS, &[]).await?;
            for worker in 1..=args.workers {
                let worker = doc! {"_id": format!("worker-{worker}")};
                store.collection::<Document>(WORKERS).insert_one(worker).await?;
            }
            Ok(())
        }
    }
}

async fn work(store: &MongoStore, jobs: &Receiver<Job>, mut lines: PipeWriter) {
    while let Ok(job) = jobs.recv() {
        let facts = match job {
            Job::Ask(tasks) => ask(store, &tasks).await,
            Job::Clear(tasks) => clear(store, &tasks).await.map(|()| Vec::new()),
            Job::Look => look(store).await,
        };
        // What could not be asked is asked again.
        for fact in facts.unwrap_or_default().into_iter().chain([Fact::Desk]) {
            if lines.write_all(&line(0, Say::Fact(fact))).is_err() {
                return;
            }
        }
    }
}

async fn ask(store: &MongoStore, tasks: &[u64]) -> Result<Vec<Fact>, StoreError> {
    let names = tasks.iter().map(|task| task_name(*task));
    let found = statuses(store).find(is_in("_id", names)).await?;
    let state = |task: u64| {
        let status = found.iter().find(|status| number(&status.task_id) == Some(task));
        Fact::Status { task, state: status.map(|status| status.state) }
    };
    Ok(tasks.iter().map(|task| state(*task)).collect())
}

async fn clear(store: &MongoStore, tasks: &[u64]) -> Result<(), StoreError> {
    for task in tasks {
        statuses(store).delete_one(by_id(task_name(*task))).await?;
    }
    Ok(())
}

async fn look(store: &MongoStore) -> Result<Vec<Fact>, StoreError> {
    let in_use = exists("worker_name").or(ne("task_ids", Vec::<Value>::new()));
    let left = schema::reservations::<_, Document>(store).find(in_use).limit(LEFT).await?;
    let said = |document: &Document| document.to_string().chars().take(200).collect();
    let left = left.iter().map(|document| Fact::Left { reservation: said(document) });
    Ok(left.chain([Fact::Looked]).collect())
}
