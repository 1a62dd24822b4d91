//! From Pulp 2's reservations, one for each task, to those of the doorway, one for each resource.
//!
//! Before: `{_id, task_id?, worker_name, resource_id, _ns?}`; a task is named by `task_id`, or else
//! by `_id`. After: story #898's document, with the task in the list of its resource, the worker and
//! `_ns` kept. The worker is that of the old system: the doorway's [`sweep`](super::sweep) frees the
//! resource, since no such worker is registered, and the first task that a worker finds then runs.
//!
//! Nobody else may write meanwhile, and the unique index on `worker_name` must not be there: for a
//! moment a record and the reservation that it goes into name one worker. Each record is three commands (status, list, delete), of which
//! each may be done again: so all of it may be interrupted anywhere, and run twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::schema::{RESERVATIONS, State, Status, statuses};
use crate::store::filter::{all, by_id, eq, missing, ne, size};
use crate::store::update::{push, set};
use crate::store::{Collection, Document, Store, StoreError, Text, Value};

/// What has to be done, in its order; nothing is changed by it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is to be done.
    pub steps: Vec<Step>,
    /// What is left as it is, and why.
    pub left: Vec<Left>,
}

/// One step of a migration.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A record of one task goes into the reservation of its resource.
    Move(Record),
    /// A reservation of story #898's own form gets what the doorway needs besides.
    Adopt {
        /// The resource.
        resource: Text,
        /// The tasks of its list.
        tasks: Vec<Text>,
    },
    /// A reservation without a task goes.
    Drop {
        /// The resource.
        resource: Text,
    },
}

/// A reservation of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The document's own identifier.
    pub id: Value,
    /// The task.
    pub task: Text,
    /// The resource that it needs.
    pub resource: Text,
    /// The worker to which it was sent.
    pub worker: Option<Text>,
    /// What mongoengine wrote into each document.
    pub ns: Option<Value>,
}

/// What a migration leaves as it is: somebody has to decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// The resource, or the document.
    pub what: Text,
    /// Why it is left.
    pub why: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Move(record) => {
                write!(f, "{}: {} goes into its list", record.resource, record.task)
            }
            Step::Adopt { resource, tasks, .. } => {
                write!(f, "{resource}: its list of {} gets a token and statuses", tasks.len())
            }
            Step::Drop { resource } => write!(f, "{resource}: no task is left, it goes"),
        }
    }
}

/// A document of the collection, in whichever form.
enum Found {
    Old(Record),
    /// Of one resource: with the worker that it names, and what is to be done.
    New {
        resource: Text,
        worker: Option<Text>,
        step: Option<Step>,
    },
    Strange(Left),
}

/// Reads the collection, and says what has to be done. One scan.
///
/// The tasks of a resource keep the order in which the store returns their records: on a server that
/// is the order in which they were written, since the old form has no other.
///
/// # Errors
///
/// What the store refuses.
pub async fn plan<S: Store>(store: &S) -> Result<Plan, StoreError> {
    let found: Vec<Found> = documents(store).find(all()).await?.iter().map(Found::of).collect();
    let doubtful = doubtful(&found);
    let mut plan = Plan::default();
    for one in found {
        match one {
            Found::Strange(left) => plan.left.push(left),
            Found::Old(record) if doubtful.contains_key(&record.resource) => {}
            Found::Old(record) => plan.steps.push(Step::Move(record)),
            Found::New { resource, .. } if doubtful.contains_key(&resource) => {}
            Found::New { step, .. } => plan.steps.extend(step),
        }
    }
    // A record goes into a reservation only once that has its new form.
    plan.steps.sort_by_key(|step| matches!(step, Step::Move(_)));
    plan.left.extend(doubtful.into_iter().map(|(what, why)| Left { what, why }));
    Ok(plan)
}

impl Found {
    fn of(document: &Document) -> Found {
        let text = |field: &str| match document.get(field) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let worker = text("worker_name");
        if let (Some(resource), Some(tasks)) = (text("_id"), document.get("task_ids")) {
            let tasks = tasks.as_array().unwrap_or_default();
            let tasks: Vec<Text> = tasks.iter().filter_map(Value::as_str).map(Text::from).collect();
            let step = match document.get("token") {
                Some(_) => None,
                None if tasks.is_empty() => Some(Step::Drop { resource: resource.clone() }),
                None => Some(Step::Adopt { resource: resource.clone(), tasks }),
            };
            return Found::New { resource, worker, step };
        }
        let task = text("task_id").or_else(|| text("_id"));
        match (document.id(), task, text("resource_id")) {
            (Some(id), Some(task), Some(resource)) => {
                let (id, ns) = (id.clone(), document.get("_ns").cloned());
                Found::Old(Record { id, task, resource, worker, ns })
            }
            (id, ..) => Found::Strange(Left {
                what: id.map_or_else(|| "a document".into(), ToString::to_string).into(),
                why: "it is no reservation of Pulp 2, nor one of the doorway".into(),
            }),
        }
    }

    /// The resource and the worker that is bound to it.
    fn binding(&self) -> Option<(&Text, &Text)> {
        match self {
            Found::Old(record) => Some((&record.resource, record.worker.as_ref()?)),
            Found::New { resource, worker, .. } => Some((resource, worker.as_ref()?)),
            Found::Strange(_) => None,
        }
    }
}

/// The resources that are bound to two workers, or whose worker is bound to two, and why.
fn doubtful(found: &[Found]) -> BTreeMap<Text, String> {
    let mut workers = BTreeMap::<&Text, BTreeSet<&Text>>::new();
    let mut resources = BTreeMap::<&Text, BTreeSet<&Text>>::new();
    for (resource, worker) in found.iter().filter_map(Found::binding) {
        workers.entry(resource).or_default().insert(worker);
        resources.entry(worker).or_default().insert(resource);
    }
    let mut doubtful = BTreeMap::new();
    for (resource, workers) in &workers {
        if workers.len() > 1 {
            let why = format!("it is bound to {}", listed(workers));
            doubtful.insert((*resource).clone(), why);
        } else if let Some(worker) = workers.first()
            && resources[worker].len() > 1
        {
            let why = format!("its worker {worker} is bound to {}", listed(&resources[worker]));
            doubtful.insert((*resource).clone(), why);
        }
    }
    doubtful
}

fn listed(names: &BTreeSet<&Text>) -> String {
    names.iter().map(|name| &***name).collect::<Vec<_>>().join(" and ")
}

/// Does what a plan says. A record that is gone meanwhile is no error.
///
/// # Errors
///
/// What the store refuses. The steps that were done stay done: make a new plan, and go on.
pub async fn carry_out<S: Store>(store: &S, plan: &Plan) -> Result<(), StoreError> {
    for step in &plan.steps {
        match step {
            Step::Move(record) => {
                announce(store, &record.task, &record.resource).await?;
                append(store, record).await?;
                documents(store).delete_one(by_id(record.id.clone())).await?;
            }
            Step::Adopt { resource, tasks } => {
                for task in tasks {
                    announce(store, task, resource).await?;
                }
                let as_it_was = by_id(resource).and(missing("token"));
                let update = set("token", 0).set("turn", 0);
                documents(store).update_one(as_it_was, update).await?;
            }
            Step::Drop { resource } => {
                let empty = by_id(resource).and(missing("token")).and(size("task_ids", 0));
                documents(store).delete_one(empty).await?;
            }
        }
    }
    Ok(())
}

/// Writes the status first, as a submission does: a task without one counts as done.
async fn announce<S: Store>(store: &S, task: &Text, resource: &Text) -> Result<(), StoreError> {
    let (task_id, resource_id) = (task.clone(), resource.clone());
    let (worker_name, token, why) = (None, None, None);
    let state = State::Waiting;
    let status = Status { task_id, resource_id, state, worker_name, token, why };
    match statuses(store).insert_one(status).await {
        Err(error) if !error.is_duplicate_key() => Err(error),
        _ => Ok(()),
    }
}

/// Puts the task at the end of the list, unless it is there.
async fn append<S: Store>(store: &S, record: &Record) -> Result<(), StoreError> {
    let absent = by_id(&record.resource).and(ne("task_ids", &record.task));
    let made = push("task_ids", &record.task);
    let mut update = made.set_on_insert("token", 0).set_on_insert("turn", 0);
    if let Some(worker) = &record.worker {
        update = update.set_on_insert("worker_name", worker);
    }
    if let Some(ns) = &record.ns {
        update = update.set_on_insert("_ns", ns.clone());
    }
    match documents(store).update_one(absent, update).upsert(true).await {
        Err(error) if error.duplicate_index() == Some("_id_") => {
            let there = by_id(&record.resource).and(eq("task_ids", &record.task));
            match documents(store).find_one(there).await? {
                Some(_) => Ok(()),
                None => Err(error),
            }
        }
        appended => appended.map(drop),
    }
}

fn documents<S: Store>(store: &S) -> Collection<'_, S, Document> {
    store.collection(RESERVATIONS)
}
