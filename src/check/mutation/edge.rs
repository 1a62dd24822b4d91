//! Where the commands of a process leave it, to be noted or changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Change, Literals, Shape, Shapes};
use crate::check::Cx;
use crate::store::filter::by_id;
use crate::store::memory::State;
use crate::store::{Command, Document, Reply, StoreError, Text, Update, Value};
use crate::store::{Operation, Updated};

/// What becomes of the commands of a process on their way.
#[derive(Clone, Debug, Default)]
pub(crate) enum Edge {
    /// They are sent.
    #[default]
    Plain,
    /// Their shapes are noted, and they are sent.
    Recording(Literals, Shapes),
    /// Those of one shape are changed; it is noted if there are any.
    Mutated(Literals, Text, Change, Met),
}

/// Whether a command of the shape to be changed was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met(Arc<AtomicBool>);

impl Met {
    fn now(&self, change: Change) -> Change {
        self.0.store(true, Ordering::Relaxed);
        change
    }
}

impl Edge {
    /// The shape that is to be changed, if no command of it was sent.
    pub(super) fn unmet(&self) -> Option<&Text> {
        match self {
            Edge::Mutated(_, shape, _, Met(met)) => (!met.load(Ordering::Relaxed)).then_some(shape),
            _ => None,
        }
    }

    /// What is to be changed about a command.
    fn change(&self, command: &Command) -> Option<Change> {
        match self {
            Edge::Plain => None,
            Edge::Recording(literals, shapes) => {
                shapes.add(Shape::of(command, literals));
                None
            }
            Edge::Mutated(literals, shape, change, met) => {
                let is_it = is_call_of(shape, command)
                    && change.fits(&command.operation)
                    && **shape == *Shape::of(command, literals).to_string();
                is_it.then(|| met.now(*change))
            }
        }
    }
}

/// Whether a shape is one of the command's method on its collection: most are told apart by that, and
/// the whole shape of each command took a fifth of the time of a search.
fn is_call_of(shape: &str, command: &Command) -> bool {
    let method = shape.strip_prefix(&*command.collection).and_then(|rest| rest.strip_prefix('.'));
    let arguments = method.and_then(|method| method.strip_prefix(command.operation.name()));
    arguments.is_some_and(|arguments| arguments.starts_with('('))
}

impl Cx {
    /// Sends a command of the process, changed if it is to be.
    pub(crate) async fn send_over_edge(&self, command: Command) -> Result<Reply, StoreError> {
        if matches!(self.edge(), Edge::Plain) {
            return self.ask_store(command).await;
        }
        let deferred = self.take_deferred();
        let reply = match self.edge().change(&command) {
            None => self.ask_store(command).await,
            Some(change) => self.send_changed(command, change).await,
        };
        if let Some(deferred) = deferred {
            let _ = self.ask_store(deferred).await;
        }
        reply
    }

    async fn send_changed(&self, command: Command, change: Change) -> Result<Reply, StoreError> {
        match change {
            Change::Skip => match as_read(&command) {
                Some(read) => self.ask_store(read).await,
                None => Ok(as_done(&command.operation)),
            },
            Change::Swap => {
                let reply = as_done(&command.operation);
                self.defer(command);
                Ok(reply)
            }
            Change::UnknownIsDone | Change::UnknownIsNotDone => {
                let reply = self.ask_store(command.clone()).await;
                match (reply, change) {
                    (Err(error), _) if !error.is_outcome_unknown() => Err(error),
                    (Err(_), Change::UnknownIsNotDone) => Ok(as_not_done(&command.operation)),
                    (Err(_), _) => match as_read(&command) {
                        Some(read) => self.ask_store(read).await,
                        None => Ok(as_done(&command.operation)),
                    },
                    (reply, _) => reply,
                }
            }
            Change::Save => self.save(command).await,
            _ => self.ask_store(change.apply(&command)).await,
        }
    }

    /// Reads the document, changes it, and writes it back whole, as an object mapper does.
    async fn save(&self, command: Command) -> Result<Reply, StoreError> {
        let (Operation::UpdateOne { filter, update, upsert: false }
        | Operation::FindOneAndUpdate { filter, update, upsert: false, .. }) = &command.operation
        else {
            return self.ask_store(command).await;
        };
        let read = Operation::FindOne { filter: filter.clone(), projection: Default::default() };
        let read = Command { operation: read, ..command.clone() };
        let found = match self.ask_store(read).await? {
            Reply::Document(Some(found)) => changed(found, update)?,
            _ => return Ok(as_not_done(&command.operation)),
        };
        let filter = found.id().map(|id| by_id(id.clone())).unwrap_or_else(|| filter.clone());
        let write = Operation::ReplaceOne { filter, replacement: found.clone(), upsert: true };
        self.ask_store(Command { operation: write, ..command.clone() }).await?;
        Ok(match command.operation {
            Operation::FindOneAndUpdate { .. } => Reply::Document(Some(found)),
            ref operation => as_done(operation),
        })
    }
}

/// A document with an update made.
fn changed(document: Document, update: &Update) -> Result<Document, StoreError> {
    const ALONE: &str = "alone";
    let mut store = State::new();
    let id = document.id().cloned().unwrap_or(Value::Null);
    store.provision(ALONE, &[])?;
    store.insert(ALONE, document)?;
    store.execute(Command {
        collection: ALONE.into(),
        operation: Operation::UpdateOne {
            filter: by_id(id.clone()),
            update: update.clone(),
            upsert: false,
        },
        concern: Default::default(),
    })?;
    Ok(store.get(ALONE, &id).cloned().unwrap_or_default())
}

/// Of a command that changes a document and returns it, the part that reads.
fn as_read(command: &Command) -> Option<Command> {
    let Operation::FindOneAndUpdate { filter, projection, .. } = &command.operation else {
        return None;
    };
    let read = Operation::FindOne { filter: filter.clone(), projection: projection.clone() };
    Some(Command { operation: read, ..command.clone() })
}

/// The answer of a store that has done it; a read has found nothing.
fn as_done(operation: &Operation) -> Reply {
    match operation {
        Operation::FindOne { .. } | Operation::FindOneAndUpdate { .. } => Reply::Document(None),
        Operation::Scan { .. } => Reply::Documents(Vec::new()),
        Operation::InsertOne { .. } => Reply::Inserted,
        Operation::UpdateOne { .. } | Operation::ReplaceOne { .. } => {
            Reply::Updated(Updated { matched: 1, modified: 1, upserted: None })
        }
        Operation::DeleteOne { .. } => Reply::Deleted(1),
    }
}

/// The answer of a store that has found nothing to do.
fn as_not_done(operation: &Operation) -> Reply {
    match operation {
        Operation::UpdateOne { .. } | Operation::ReplaceOne { .. } => {
            Reply::Updated(Updated::default())
        }
        Operation::DeleteOne { .. } => Reply::Deleted(0),
        other => as_done(other),
    }
}
