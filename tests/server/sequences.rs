//! Random commands, one after another, on the emulator and on the server: the same answers.
//!
//! Lanes of their own connections work through collections of their own, each with a few random
//! indexes. What the emulator does not support is not sent, and
//! is counted; what a server is known to answer otherwise (see [`differences`]) is counted too.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use doorway::store::filter::all;
use doorway::store::memory::State;
use doorway::store::mongo::MongoStore;
use doorway::store::{Command, Document, Index, Operation, Provision, Reply, Sort, Store};
use proptest::collection::vec;

use crate::agreement::{Answer, allowed, told};
use crate::commands::find_sorted;
use crate::coverage::Coverage;
use crate::differences::Case;
use crate::generate::{command, indexes};
use crate::random::Random;
use crate::{differences, process};

/// How many random commands are sent, unless `DOORWAY_RANDOM_COMMANDS` says otherwise.
pub(crate) const COMMANDS: u64 = 100_000;
/// How many collections are worked on at once.
const LANES: u64 = 6;
/// How many commands a collection gets.
const COMMANDS_EACH: usize = 500;
/// After how many commands the whole content is compared.
const COMPARED_AFTER: usize = 25;

/// What was counted.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    unsupported: AtomicU64,
}

/// What all lanes share.
struct Shared {
    /// Two, since one may use one core only.
    servers: [&'static process::Server; 2],
    wanted: u64,
    counts: Counts,
    coverage: Coverage,
    /// The known differences that came up, and how often.
    known: Mutex<BTreeMap<&'static str, u64>>,
}

impl Shared {
    fn note(&self, difference: &'static str) {
        *self.known.lock().unwrap().entry(difference).or_default() += 1;
    }
}

/// Whether a collection can be used further.
enum Flow {
    On,
    /// Its content is none that the emulator takes.
    End,
}

/// One collection, on both.
struct Pair {
    store: MongoStore,
    name: String,
    indexes: Vec<Index>,
    state: State,
}

/// The whole content, in the order of `_id`.
fn everything() -> Command {
    find_sorted(all(), Sort::ascending("_id"), None)
}

/// With `_id` as the last part of a sort, so that there is one order only.
fn in_one_order(mut command: Command) -> Command {
    if let Operation::Scan { sort, .. } | Operation::FindOneAndUpdate { sort, .. } =
        &mut command.operation
        && !sort.is_empty()
        && !sort.iter().any(is_by_id)
    {
        sort.push(Sort::Ascending("_id".into()));
    }
    command
}

fn is_by_id(part: &Sort) -> bool {
    let (Sort::Ascending(path) | Sort::Descending(path)) = part;
    path.as_str() == "_id"
}

impl Pair {
    async fn new(store: MongoStore, name: String, indexes: Vec<Index>) -> Option<Pair> {
        let mut state = State::new();
        if state.provision("c", &indexes).is_err() {
            return None; // two indexes that cannot stand side by side
        }
        store.provision(&name, &indexes).await.unwrap();
        Some(Pair { store, name, indexes, state })
    }

    async fn send(&self, command: Command) -> Answer {
        let command = Command { collection: self.name.as_str().into(), ..command };
        self.store.execute(command).await
    }

    async fn documents(&self) -> Vec<Document> {
        match self.send(everything()).await.unwrap() {
            Reply::Documents(documents) => documents,
            other => panic!("{other}"),
        }
    }

    /// Does one command on both.
    async fn step(&mut self, command: Command, shared: &Shared) -> Result<Flow, String> {
        let counts = &shared.counts;
        let Some(allowed) = allowed(&self.state, &command) else {
            counts.unsupported.fetch_add(1, Ordering::Relaxed);
            return Ok(Flow::On);
        };
        if differences::is_in_another_order(shared.servers[0].name, &command) {
            shared.note(differences::ORDER);
            return Ok(Flow::On);
        }
        let answer = self.send(command.clone()).await;
        counts.sent.fetch_add(1, Ordering::Relaxed);
        let expected = allowed.told();
        let is_one_of_several = allowed.is_one_of_several();
        let mut states = allowed.after(&self.state, &answer);
        if is_one_of_several && !states.is_empty() {
            let content = self.documents().await;
            states.retain(|state| state.documents("c").eq(&content));
        }
        let Some(after) = states.pop() else {
            return self.otherwise(&command, &answer, &expected, shared).await;
        };
        shared.coverage.count(&self.state, &self.indexes, &command, &answer, &after);
        self.state = after;
        Ok(Flow::On)
    }

    /// The server answered what the emulator does not allow: a difference, unless it is known.
    async fn otherwise(
        &mut self,
        command: &Command,
        answer: &Answer,
        expected: &str,
        shared: &Shared,
    ) -> Result<Flow, String> {
        let (before, indexes) = (&self.state, self.indexes.as_slice());
        let content = self.documents().await;
        let case = Case { before, indexes, command, answer, content: &content };
        let Some(known) = differences::known(shared.servers[0].name, &case) else {
            let text = format!("the emulator says {expected},\n  the server {}", told(answer));
            return Err(self.difference(command, &text).await);
        };
        shared.note(known.what);
        Ok(match differences::rebuilt(&self.indexes, content) {
            Some(state) => {
                self.state = state;
                Flow::On
            }
            None => Flow::End,
        })
    }

    async fn compare(&self, last: &Command) -> Result<(), String> {
        let content = self.documents().await;
        if self.state.documents("c").eq(&content) {
            return Ok(());
        }
        Err(self.difference(last, "the contents are not the same").await)
    }

    async fn difference(&self, command: &Command, text: &str) -> String {
        let server = Reply::Documents(self.documents().await);
        let content = Reply::Documents(self.state.documents("c").cloned().collect());
        let indexes: Vec<_> = self.indexes.iter().map(|index| format!("{index:?}")).collect();
        format!(
            "{command}\n  on {content}\n  with [{}]\n  {text}\n  content of the server {server}",
            indexes.join(", ")
        )
    }
}

/// Works through one collection.
async fn collection(
    shared: &Shared,
    store: MongoStore,
    name: String,
    random: &mut Random,
) -> Result<(), String> {
    let indexes = random.draw(&indexes());
    let Some(mut pair) = Pair::new(store, name, indexes).await else { return Ok(()) };
    let commands = random.draw(&vec(command(), COMMANDS_EACH));
    for (number, command) in commands.into_iter().enumerate() {
        if shared.counts.sent.load(Ordering::Relaxed) >= shared.wanted {
            break;
        }
        let command = in_one_order(command);
        if let Flow::End = pair.step(command.clone(), shared).await? {
            break;
        }
        if number % COMPARED_AFTER == 0 {
            pair.compare(&command).await?;
        }
    }
    pair.store.database().collection::<Document>(&pair.name).drop().await.unwrap();
    Ok(())
}

/// Works through collections until enough commands were sent; gives the differences.
async fn lane(shared: Arc<Shared>, lane: u64) -> Vec<String> {
    let mut random = Random::new(lane);
    let server = shared.servers[lane as usize % 2];
    let store = server.store("doorway_sequences").await;
    let mut differences = Vec::new();
    for round in 0_u64.. {
        if shared.counts.sent.load(Ordering::Relaxed) >= shared.wanted || differences.len() > 20 {
            break;
        }
        let name = format!("c_{lane}_{round}");
        differences.extend(collection(&shared, store.clone(), name, &mut random).await.err());
    }
    differences
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_commands_are_answered_alike() {
    let (Some(server), Some(second)) = (process::shared().await, process::second().await) else {
        return;
    };
    let wanted = env::var("DOORWAY_RANDOM_COMMANDS").map_or(COMMANDS, |n| n.parse().unwrap());
    let (counts, coverage, began) = (Counts::default(), Coverage::default(), Instant::now());
    let shared = Arc::new(Shared {
        servers: [server, second],
        wanted,
        counts,
        coverage,
        known: Mutex::default(),
    });
    for server in [server, second] {
        server.store("doorway_sequences").await.database().drop().await.unwrap();
    }
    let lanes: Vec<_> =
        (0..LANES).map(|number| tokio::spawn(lane(Arc::clone(&shared), number))).collect();
    let mut differences = Vec::new();
    for lane in lanes {
        differences.extend(lane.await.unwrap());
    }
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (sent, counts) = (count(&shared.counts.sent), &shared.counts);
    println!(
        "{sent} random commands on {} and the emulator in {} s, {} differences; not sent: {} that \
         the emulator does not support",
        server.described().await,
        began.elapsed().as_secs(),
        differences.len(),
        count(&counts.unsupported),
    );
    for (what, times) in shared.known.lock().unwrap().iter() {
        println!("  known difference, {times} times: {what}");
    }
    println!("{}", shared.coverage);
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(sent >= wanted, "only {sent} commands");
    if wanted >= COMMANDS {
        shared.coverage.assert_complete();
    }
}
