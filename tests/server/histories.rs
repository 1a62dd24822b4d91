//! Random commands of a few clients at once on one small collection of the server: what they see
//! has an explanation by the emulator's steps.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use doorway::store::filter::all;
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::bson;
use doorway::store::{Command, Document, Index, Provision, Reply, Sort, Store};
use proptest::collection::vec;
use tokio::sync::Barrier;

use crate::agreement::told;
use crate::commands::{find_sorted, insert};
use crate::contended::{command, document, index_sets};
use crate::explain::{Call, Grain, History, explain, same};
use crate::random::Random;
use crate::{differences, process};

/// How many histories there are, unless `DOORWAY_HISTORIES` says otherwise.
pub(crate) const HISTORIES: u64 = 2_000;
/// How many of them are under way at once.
const LANES: u64 = 4;
/// How many clients a history has.
const CLIENTS: usize = 3;

/// The phases that the explanations have to go through between them.
const PHASES: [&str; 14] = [
    "find_one: read",
    "find: read",
    "find: read the first document",
    "find: read after",
    "insert_one: insert",
    "update_one: write",
    "update_one: read the first document",
    "update_one: read after",
    "update_one: check again and write",
    "find_one_and_update: read the first document",
    "find_one_and_update: check again and write",
    "delete_one: check again and write",
    "replace_one: check again and write",
    "upsert: insert",
];

#[derive(Default)]
struct Counts {
    histories: AtomicU64,
    commands: AtomicU64,
    /// Histories in which commands overlapped.
    overlapping: AtomicU64,
    /// Histories that no order of whole commands explains.
    by_steps: AtomicU64,
    /// Histories that only what the server is known to do otherwise explains.
    by_differences: AtomicU64,
    phases: Mutex<BTreeMap<String, u64>>,
}

struct Shared {
    server: &'static process::Server,
    wanted: u64,
    counts: Counts,
    clock: AtomicU64,
}

/// A collection with its indexes.
struct Place {
    store: MongoStore,
    name: String,
    indexes: Vec<Index>,
}

impl Place {
    fn here(&self, command: Command) -> Command {
        Command { collection: self.name.as_str().into(), ..command }
    }

    /// Makes the content anew.
    async fn fill(&self, documents: Vec<Document>) -> History {
        let handle = self.store.database().collection::<bson::Document>(&self.name);
        handle.delete_many(bson::doc! {}).await.unwrap();
        let mut start = differences::rebuilt(&self.indexes, []).unwrap();
        for document in documents {
            // Some of them break an index, or have an _id that is taken: they stay out.
            if start.insert("c", document.clone()).is_ok() {
                self.store.execute(self.here(insert(document))).await.unwrap();
            }
        }
        History { start, clients: Vec::new(), left: Vec::new() }
    }

    async fn left(&self) -> Vec<Document> {
        let everything = find_sorted(all(), Sort::ascending("_id"), None);
        match self.store.execute(self.here(everything)).await.unwrap() {
            Reply::Documents(documents) => documents,
            other => panic!("{other}"),
        }
    }
}

/// One client: sends its commands one after another, once all are ready.
async fn client(
    shared: Arc<Shared>,
    place: Arc<Place>,
    ready: Arc<Barrier>,
    commands: Vec<Command>,
) -> Vec<Call> {
    ready.wait().await;
    let mut calls = Vec::new();
    for command in commands {
        let now = || shared.clock.fetch_add(1, Ordering::SeqCst);
        let sent = now();
        let answer = place.store.execute(place.here(command.clone())).await;
        calls.push(Call { command, sent, answered: now(), answer });
    }
    calls
}

/// Runs one history.
async fn run(
    shared: &Arc<Shared>,
    place: &Arc<Place>,
    documents: Vec<Document>,
    commands: Vec<Vec<Command>>,
) -> History {
    let mut history = place.fill(documents).await;
    let ready = Arc::new(Barrier::new(commands.len()));
    let begin = |commands| {
        tokio::spawn(client(Arc::clone(shared), Arc::clone(place), Arc::clone(&ready), commands))
    };
    let clients: Vec<_> = commands.into_iter().map(begin).collect();
    for client in clients {
        history.clients.push(client.await.unwrap());
    }
    history.left = place.left().await;
    history
}

/// Judges a history; gives it for a person where it has no explanation.
fn judge(server: &str, history: &History, indexes: &[Index], counts: &Counts) -> Option<String> {
    let add = |count: &AtomicU64, by: bool| count.fetch_add(by.into(), Ordering::Relaxed);
    add(&counts.histories, true);
    let commands: usize = history.clients.iter().map(Vec::len).sum();
    counts.commands.fetch_add(commands as u64, Ordering::Relaxed);
    add(&counts.overlapping, overlaps(history));
    let by_commands = explain(history, Grain::Commands, same);
    let by_steps = by_commands.or_else(|| {
        add(&counts.by_steps, true);
        explain(history, Grain::Steps, same)
    });
    let steps = by_steps.or_else(|| {
        add(&counts.by_differences, true);
        explain(history, Grain::Steps, differences::same_at_once(server)?)
    });
    let Some(steps) = steps else { return Some(shown(history, indexes)) };
    let mut phases = counts.phases.lock().unwrap();
    for phase in steps {
        *phases.entry(kind(&phase)).or_default() += 1;
    }
    None
}

/// The phase without the `_id` in it.
fn kind(phase: &str) -> String {
    let words = ["read after", "check again and write", "write", "read the first document", "read"];
    let (operation, step) = phase.split_once(": ").unwrap();
    let word = words.into_iter().find(|word| step.starts_with(word)).unwrap_or(step);
    let word = word.split(',').next().unwrap();
    format!("{operation}: {word}")
}

fn overlaps(history: &History) -> bool {
    let calls = || history.clients.iter().enumerate();
    let pairs = calls().flat_map(|(a, ours)| {
        calls().filter(move |(b, _)| *b > a).map(move |(_, theirs)| (ours, theirs))
    });
    pairs.into_iter().any(|(ours, theirs)| {
        ours.iter().any(|a| theirs.iter().any(|b| a.sent < b.answered && b.sent < a.answered))
    })
}

fn shown(history: &History, indexes: &[Index]) -> String {
    let content = |documents: Vec<Document>| Reply::Documents(documents).to_string();
    let mut text =
        format!("begins with {}", content(history.start.documents("c").cloned().collect()));
    for index in indexes {
        text += &format!("\n  {index:?}");
    }
    for (client, calls) in history.clients.iter().enumerate() {
        for Call { command, sent, answered, answer } in calls {
            text += &format!(
                "\n  client {client}, {sent} to {answered}: {command}\n    -> {}",
                told(answer)
            );
        }
    }
    text + &format!("\n  ends with {}", content(history.left.clone()))
}

/// Runs and judges histories until there are enough; gives those without an explanation.
async fn lane(shared: Arc<Shared>, lane: u64) -> Vec<String> {
    let mut random = Random::new(lane);
    let store = shared.server.store("doorway_histories").await;
    let mut places = Vec::new();
    for (number, indexes) in index_sets().into_iter().enumerate() {
        let name = format!("h_{lane}_{number}");
        store.provision(&name, &indexes).await.unwrap();
        places.push(Arc::new(Place { store: store.clone(), name, indexes }));
    }
    let (server, mut unexplained) = (shared.server.name, Vec::new());
    for place in places.iter().cycle() {
        if shared.counts.histories.load(Ordering::Relaxed) >= shared.wanted {
            break;
        }
        let documents = random.draw(&vec(document(), 0..4));
        let commands = random.draw(&vec(vec(command(), 1..3), 2..=CLIENTS));
        let history = run(&shared, place, documents, commands).await;
        unexplained.extend(judge(server, &history, &place.indexes, &shared.counts));
    }
    unexplained
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_see_at_once_has_an_explanation() {
    let Some(server) = process::shared().await else { return };
    let wanted = env::var("DOORWAY_HISTORIES").map_or(HISTORIES, |n| n.parse().unwrap());
    let (counts, clock, began) = (Counts::default(), AtomicU64::new(0), Instant::now());
    server.store("doorway_histories").await.database().drop().await.unwrap();
    let shared = Arc::new(Shared { server, wanted, counts, clock });
    let lanes: Vec<_> =
        (0..LANES).map(|number| tokio::spawn(lane(Arc::clone(&shared), number))).collect();
    let mut unexplained = Vec::new();
    for lane in lanes {
        unexplained.extend(lane.await.unwrap());
    }
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = &shared.counts;
    println!(
        "{} concurrent histories of {} commands on {} in {} s, {} without an explanation; in {} \
         commands overlapped, {} take more than an order of whole commands to explain, {} of them a known difference",
        count(&counts.histories),
        count(&counts.commands),
        server.described().await,
        began.elapsed().as_secs(),
        unexplained.len(),
        count(&counts.overlapping),
        count(&counts.by_steps),
        count(&counts.by_differences),
    );
    let phases = counts.phases.lock().unwrap();
    phases.iter().for_each(|(phase, times)| println!("  {phase}: {times}"));
    assert!(unexplained.is_empty(), "{}:\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(count(&counts.histories) >= wanted);
    assert!(count(&counts.overlapping) * 2 > wanted, "hardly anything ran at once");
    if wanted >= HISTORIES {
        let missing: Vec<_> =
            PHASES.into_iter().filter(|phase| !phases.contains_key(*phase)).collect();
        assert!(missing.is_empty(), "no explanation goes through: {missing:?}");
    }
}
