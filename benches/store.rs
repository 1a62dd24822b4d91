//! The speed of the emulator: by operation and by number of documents, and of snapshots against deep
//! copies.
//!
//! `cargo bench --bench store --no-default-features`. Commands are made before the clock starts, and
//! nothing goes through serde. Each benchmark goes round a few hundred documents.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use doorway::doc;
use doorway::store::filter::{by_id, eq, exists, ne};
use doorway::store::memory::{Execution, State};
use doorway::store::update::{inc, pop_first, push, set};
use doorway::store::{
    Command, Concern, Document, Filter, Index, Operation, Projection, Returns, Update, Value,
};

const DOCUMENTS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// How many prepared commands a benchmark goes round.
const COMMANDS: usize = 256;

fn main() {
    divan::main();
}

/// Reservations as this crate keeps them, with their two indexes.
fn reservations(documents: usize) -> State {
    let mut state = State::new();
    let one_per_worker = Index::unique(["worker_name"]).partial(exists("worker_name"));
    state.provision("reservations", &[one_per_worker]).unwrap();
    for document in 0..documents {
        state.insert("reservations", reservation(document)).unwrap();
    }
    state
}

fn reservation(number: usize) -> Document {
    doc! {
        "_id": id(number), "worker_name": format!("worker-{number}"), "task_ids": ["t1", "t2"],
        "turn": 0,
    }
}

fn id(number: usize) -> String {
    format!("repo-{number:06}")
}

fn command(operation: Operation) -> Command {
    Command { collection: "reservations".into(), operation, concern: Concern::default() }
}

fn find_one(filter: Filter) -> Command {
    command(Operation::FindOne { filter, projection: Projection::All })
}

fn update_one(filter: Filter, update: Update) -> Command {
    command(Operation::UpdateOne { filter, update, upsert: false })
}

/// Prepared commands, spread over the documents.
fn prepared(documents: usize, command: impl Fn(String) -> Command) -> Vec<Command> {
    (0..COMMANDS).map(|number| command(id(number * 7919 % documents))).collect()
}

/// Runs prepared commands one after another over one state.
fn run(bencher: Bencher<'_, '_>, documents: usize, commands: Vec<Command>) {
    let mut state = reservations(documents);
    bencher.counter(ItemsCount::new(commands.len())).bench_local(|| {
        for command in &commands {
            black_box(state.execute_ref(black_box(command))).unwrap();
        }
    });
}

#[divan::bench(args = DOCUMENTS)]
fn find_one_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    run(bencher, documents, prepared(documents, |id| find_one(by_id(id))));
}

#[divan::bench(args = DOCUMENTS)]
fn update_one_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    run(bencher, documents, prepared(documents, |id| update_one(by_id(id), inc("turn", 1))));
}

/// The same, each command cloned and stepped as an explorer does.
#[divan::bench(args = DOCUMENTS)]
fn update_one_by_id_stepped(bencher: Bencher<'_, '_>, documents: usize) {
    let commands = prepared(documents, |id| update_one(by_id(id), inc("turn", 1)));
    let commands: Vec<_> = commands.into_iter().map(std::sync::Arc::new).collect();
    let mut state = reservations(documents);
    bencher.counter(ItemsCount::new(commands.len())).bench_local(|| {
        for command in &commands {
            let mut execution = Execution::begin(std::sync::Arc::clone(command));
            black_box(execution.step(&mut state)).unwrap().unwrap();
        }
    });
}

#[divan::bench(args = DOCUMENTS)]
fn push_and_pop_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    let pairs = |number: usize| {
        let id = id(number * 7919 % documents);
        let guarded = by_id(id.as_str()).and(ne("task_ids", "t9"));
        [update_one(guarded, push("task_ids", "t9")), update_one(by_id(id), pop_first("task_ids"))]
    };
    run(bencher, documents, (0..COMMANDS / 2).flat_map(pairs).collect());
}

/// A write that moves a key of the unique index.
#[divan::bench(args = DOCUMENTS)]
fn update_an_indexed_field_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    let there_and_back = |number: usize| {
        let id = id(number % documents);
        ["one", "two"].map(|name| {
            let worker = format!("{name}-{}", number % documents);
            update_one(by_id(id.as_str()), set("worker_name", worker))
        })
    };
    run(bencher, documents, (0..COMMANDS / 2).flat_map(there_and_back).collect());
}

#[divan::bench(args = DOCUMENTS)]
fn find_one_and_update_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    let operation = |id: String| Operation::FindOneAndUpdate {
        filter: by_id(id),
        update: inc("turn", 1),
        sort: Vec::new(),
        upsert: false,
        returns: Returns::After,
        projection: Projection::All,
    };
    run(bencher, documents, prepared(documents, |id| command(operation(id))));
}

#[divan::bench(args = DOCUMENTS)]
fn insert_and_delete(bencher: Bencher<'_, '_>, documents: usize) {
    let pair = |number: usize| {
        let document = reservation(documents + number);
        let filter = by_id(document.id().unwrap());
        let insert = Operation::InsertOne { document };
        [command(insert), command(Operation::DeleteOne { filter })]
    };
    run(bencher, documents, (0..COMMANDS / 2).flat_map(pair).collect());
}

#[divan::bench(args = DOCUMENTS)]
fn replace_one_by_id(bencher: Bencher<'_, '_>, documents: usize) {
    let twice = |number: usize| {
        [1, 2].map(|turn| {
            let replacement = reservation(number % documents).with("turn", turn);
            let filter = by_id(replacement.id().unwrap());
            command(Operation::ReplaceOne { filter, replacement, upsert: false })
        })
    };
    run(bencher, documents, (0..COMMANDS / 2).flat_map(twice).collect());
}

/// A whole scan that finds nothing; items are documents read.
#[divan::bench(args = DOCUMENTS)]
fn scan(bencher: Bencher<'_, '_>, documents: usize) {
    let filter = eq("task_ids", "t9");
    let (sort, limit, projection) = (Vec::new(), None, Projection::All);
    let command = command(Operation::Scan { filter, sort, limit, projection });
    let mut state = reservations(documents);
    bencher
        .counter(ItemsCount::new(documents))
        .bench_local(|| black_box(state.execute_ref(&command)).unwrap());
}

/// A snapshot and one write after it, so that both are kept.
#[divan::bench(args = DOCUMENTS)]
fn snapshot_and_a_write(bencher: Bencher<'_, '_>, documents: usize) {
    let state = reservations(documents);
    let command = update_one(by_id(id(documents / 2)), inc("turn", 1));
    bencher.bench_local(|| {
        let mut next = state.clone();
        black_box(next.execute_ref(&command)).unwrap();
        next
    });
}

/// What a snapshot would cost without `im`: every document copied with all that is in it, and one
/// changed.
#[divan::bench(args = DOCUMENTS)]
fn deep_copy_and_a_write(bencher: Bencher<'_, '_>, documents: usize) {
    let plain: BTreeMap<String, Document> =
        (0..documents).map(|number| (id(number), reservation(number))).collect();
    let changed = id(documents / 2);
    bencher.bench_local(|| {
        let entry = |(id, document): (&String, &Document)| (id.clone(), deep_copy(document));
        let mut next: BTreeMap<String, Document> = plain.iter().map(entry).collect();
        if let Some(document) = next.get_mut(&changed) {
            document.set("turn", 1);
        }
        next
    });
}

fn deep_copy(document: &Document) -> Document {
    document.iter().map(|(name, value)| (&**name, deep_copy_of_value(value))).collect()
}

fn deep_copy_of_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(&**text),
        Value::Array(items) => items.iter().map(deep_copy_of_value).collect::<Vec<_>>().into(),
        Value::Document(document) => deep_copy(document).into(),
        scalar => scalar.clone(),
    }
}
