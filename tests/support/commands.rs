//! Commands on the collection `c`, in one word each.
#![allow(dead_code)]

use doorway::store::memory::{Execution, State};
use doorway::store::{
    Command, Concern, Document, Filter, Operation, Projection, Reply, Returns, Sort, StoreError,
    Update, Updated, Value,
};

pub(crate) fn on(collection: &str, operation: Operation) -> Command {
    Command { collection: collection.into(), operation, concern: Concern::default() }
}

pub(crate) fn find_one(filter: Filter) -> Command {
    on("c", Operation::FindOne { filter, projection: Projection::All })
}

pub(crate) fn find(filter: Filter) -> Command {
    find_sorted(filter, Vec::new(), None)
}

pub(crate) fn find_sorted(filter: Filter, sort: Vec<Sort>, limit: Option<u32>) -> Command {
    on("c", Operation::Scan { filter, sort, limit, projection: Projection::All })
}

pub(crate) fn insert(document: Document) -> Command {
    on("c", Operation::InsertOne { document })
}

pub(crate) fn update(filter: Filter, update: Update) -> Command {
    on("c", Operation::UpdateOne { filter, update, upsert: false })
}

pub(crate) fn upsert(filter: Filter, update: Update) -> Command {
    on("c", Operation::UpdateOne { filter, update, upsert: true })
}

pub(crate) fn find_and_update(filter: Filter, update: Update, sort: Vec<Sort>) -> Command {
    let (returns, projection, upsert) = (Returns::Before, Projection::All, false);
    on("c", Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection })
}

pub(crate) fn replace(filter: Filter, replacement: Document) -> Command {
    on("c", Operation::ReplaceOne { filter, replacement, upsert: false })
}

pub(crate) fn delete(filter: Filter) -> Command {
    on("c", Operation::DeleteOne { filter })
}

pub(crate) fn updated(matched: u64, modified: u64) -> Reply {
    Reply::Updated(Updated { matched, modified, upserted: None })
}

pub(crate) fn upserted(id: impl Into<Value>) -> Reply {
    Reply::Updated(Updated { matched: 0, modified: 0, upserted: Some(id.into()) })
}

/// A database whose collection `c` holds these documents.
pub(crate) fn state(documents: impl IntoIterator<Item = Document>) -> State {
    let mut state = State::new();
    documents.into_iter().for_each(|document| state.insert("c", document).unwrap());
    state
}

/// The documents of `c`.
pub(crate) fn content(state: &State) -> Vec<Document> {
    state.documents("c").cloned().collect()
}

/// The `_id`s of the documents that match.
pub(crate) fn ids(state: &mut State, filter: Filter) -> Vec<Value> {
    match state.execute(find(filter)).unwrap() {
        Reply::Documents(documents) => {
            documents.iter().map(|document| document.id().unwrap().clone()).collect()
        }
        other => panic!("{other}"),
    }
}

/// A step that has to leave steps to come.
pub(crate) fn go(execution: &mut Execution, state: &mut State) {
    let before = execution.phase();
    assert_eq!(execution.step(state), None, "{before}");
}

/// The steps to the end, with their number.
pub(crate) fn finish(
    mut execution: Execution,
    state: &mut State,
) -> (usize, Result<Reply, StoreError>) {
    for steps in 1.. {
        assert!(steps < 10_000, "no end");
        if let Some(reply) = execution.step(state) {
            return (steps, reply);
        }
    }
    unreachable!()
}
