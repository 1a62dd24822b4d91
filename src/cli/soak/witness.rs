//! A store that tells what is asked of it, before it is sent and after the answer has come.
//!
//! It also loses answers where it is told to: what is lost was done, or was not sent, and whoever
//! asked cannot tell which.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use doorway::reservation::doorway::schema::{RESERVATIONS, WORKERS};
use doorway::store::{
    Command, Document, Filter, Operation, Operator, Predicate, Reply, Store, StoreError, Text,
    Value,
};

use super::dice::Dice;
use super::fact::{Fact, number};
use super::link::Link;

/// How many tasks of a list are told.
const LISTED: usize = 4;

/// How an answer is lost. Whoever asked cannot tell; what is told to the checker is what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    BeforeItIsSent,
    AfterItIsDone,
}

/// A store whose commands are told.
pub(crate) struct Witness<S> {
    store: S,
    link: Link,
    /// How many of 1 answers are lost.
    loses: f64,
    dice: Mutex<Dice>,
    incarnation: AtomicI64,
}

impl<S> Witness<S> {
    pub(crate) fn new(store: S, link: Link, loses: f64, seed: u64) -> Witness<S> {
        let dice = Mutex::new(Dice::new(seed));
        Witness { store, link, loses, dice, incarnation: AtomicI64::new(0) }
    }

    /// The incarnation under which this process has last set out to register as a worker.
    pub(crate) fn incarnation(&self) -> Option<i64> {
        Some(self.incarnation.load(Ordering::Relaxed)).filter(|number| *number > 0)
    }

    /// Whether the answer to a write is lost on purpose, and how.
    fn loss(&self, command: &Command) -> Option<Loss> {
        let mut dice = self.dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_lost = command.operation.is_write() && dice.comes(self.loses);
        is_lost.then(|| {
            self.link.tell(Fact::Lost);
            if dice.comes(0.5) { Loss::BeforeItIsSent } else { Loss::AfterItIsDone }
        })
    }

    fn tell(&self, facts: Vec<Fact>) {
        facts.into_iter().for_each(|fact| self.link.tell(fact));
    }
}

impl<S: Store> Store for Witness<S> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let about = About::of(&command);
        if let Some(incarnation) = about.registers {
            self.incarnation.store(incarnation, Ordering::Relaxed);
        }
        self.tell(about.before.clone());
        let loss = self.loss(&command);
        if loss == Some(Loss::BeforeItIsSent) {
            let refused = Err(StoreError::not_done("lost on purpose"));
            self.tell(about.after(&refused));
            return Err(StoreError::outcome_unknown("lost on purpose, not sent"));
        }
        let reply = self.store.execute(command).await;
        self.tell(about.after(&reply));
        match loss {
            Some(_) => Err(StoreError::outcome_unknown("lost on purpose, sent")),
            None => reply,
        }
    }
}

/// What a command is about.
#[derive(Default)]
struct About {
    before: Vec<Fact>,
    places: Option<u64>,
    binds: Option<Text>,
    unbinds: Option<Text>,
    frees: bool,
    registers: Option<i64>,
    buries: bool,
    /// The answer has the list.
    lists: bool,
}

impl About {
    fn of(command: &Command) -> About {
        let mut about = About::default();
        match &*command.collection {
            RESERVATIONS => about.reservation(&command.operation),
            WORKERS => about.worker(&command.operation),
            _ => {}
        }
        about
    }

    fn reservation(&mut self, operation: &Operation) {
        match operation {
            Operation::InsertOne { document } => self.whole(document),
            Operation::ReplaceOne { replacement, .. } => self.whole(replacement),
            Operation::UpdateOne { filter, update, .. } => {
                let Some(document) = id(filter) else { return };
                self.update(&document, update.operators());
            }
            Operation::FindOneAndUpdate { filter, update, .. } => {
                self.lists = true;
                if let Some(document) = id(filter) {
                    self.update(&document, update.operators());
                }
            }
            Operation::DeleteOne { filter } => {
                if let Some(document) = id(filter) {
                    self.unbinds(document);
                }
            }
            Operation::FindOne { .. } | Operation::Scan { .. } => {}
        }
    }

    /// A reservation is written that binds a worker to a resource for a task.
    fn whole(&mut self, written: &Document) {
        let name = |field: &str| match written.get(field) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let Some(document) = name("_id") else { return };
        let listed = written.get("task_ids").and_then(Value::as_array);
        let task = listed.map_or(Some(&*document), |tasks| tasks.last()?.as_str());
        self.places(task);
        if let Some(worker) = name("worker_name") {
            let resource = name("resource_id").unwrap_or_else(|| document.clone());
            self.binds(document, resource, worker);
        }
    }

    fn update(&mut self, document: &Text, operators: &[Operator]) {
        let mut pops = false;
        for operator in operators {
            match (operator.path().as_str(), operator) {
                ("task_ids", Operator::Push(_, task)) => self.places(task.as_str()),
                ("task_ids", Operator::PopFirst(_)) => pops = true,
                ("worker_name", Operator::Set(_, Value::String(worker))) => {
                    self.binds(document.clone(), document.clone(), worker.clone());
                }
                ("worker_name", Operator::Unset(_)) => self.unbinds(document.clone()),
                _ => {}
            }
        }
        self.frees = self.unbinds.is_some() && !pops;
    }

    fn worker(&mut self, operation: &Operation) {
        match operation {
            Operation::DeleteOne { filter } => {
                let incarnation = equal(filter, "incarnation").and_then(Value::as_int);
                if let Some((worker, incarnation)) = id(filter).zip(incarnation) {
                    self.before.push(Fact::Burying { worker, incarnation });
                    self.buries = true;
                }
            }
            Operation::ReplaceOne { replacement, .. } => {
                self.registers = replacement.get("incarnation").and_then(Value::as_int);
            }
            _ => {}
        }
    }

    fn places(&mut self, task: Option<&str>) {
        self.places = task.and_then(number);
        self.before.extend(self.places.map(|task| Fact::Placing { task }));
    }

    fn binds(&mut self, document: Text, resource: Text, worker: Text) {
        self.before.push(Fact::Binding { document: document.clone(), resource, worker });
        self.binds = Some(document);
    }

    fn unbinds(&mut self, document: Text) {
        self.before.push(Fact::Unbinding { document: document.clone() });
        self.unbinds = Some(document);
    }

    /// What the answer tells.
    fn after(self, reply: &Result<Reply, StoreError>) -> Vec<Fact> {
        let mut told = Vec::new();
        let answered = !reply.as_ref().is_err_and(StoreError::is_outcome_unknown);
        if !answered {
            told.push(Fact::Lost);
        }
        let done = reply.as_ref().is_ok_and(has_done);
        if let Some(document) = self.unbinds.filter(|_| answered) {
            told.push(Fact::Unbound { document });
        }
        if let Some(task) = self.places.filter(|_| done) {
            told.push(Fact::Placed { task });
        }
        if let Some(document) = self.binds {
            told.push(Fact::Bound { document, done });
        }
        if self.buries {
            told.push(Fact::Buried { done: answered.then_some(done) });
        }
        if self.frees && done {
            told.push(Fact::Freed);
        }
        match reply {
            Ok(Reply::Document(Some(reservation))) if self.lists => {
                told.push(Fact::Listed { tasks: first_tasks(reservation) });
            }
            _ => {}
        }
        told
    }
}

fn first_tasks(reservation: &Document) -> Vec<u64> {
    let tasks = reservation.get("task_ids").and_then(Value::as_array).unwrap_or_default();
    tasks.iter().take(LISTED).filter_map(|task| number(task.as_str()?)).collect()
}

/// Whether the command was for a document.
fn has_done(reply: &Reply) -> bool {
    match reply {
        Reply::Inserted => true,
        Reply::Updated(updated) => updated.matched > 0 || updated.upserted.is_some(),
        Reply::Deleted(count) => *count > 0,
        Reply::Document(document) => document.is_some(),
        Reply::Documents(_) => false,
    }
}

fn id(filter: &Filter) -> Option<Text> {
    match equal(filter, "_id") {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The value to which a filter wants a field to be equal.
fn equal<'a>(filter: &'a Filter, field: &str) -> Option<&'a Value> {
    match filter {
        Filter::Field(path, Predicate::Eq(value)) if path.as_str() == field => Some(value),
        Filter::And(all) => all.iter().find_map(|filter| equal(filter, field)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use doorway::doc;
    use doorway::store::filter::{by_id, eq};
    use doorway::store::update::set;
    use doorway::store::{Concern, Projection, Returns};

    use super::*;

    #[test]
    fn a_bind_is_told_before_and_after_with_the_list_that_it_gave() {
        let bind = Operation::FindOneAndUpdate {
            filter: by_id("r").and(eq("token", 3)),
            update: set("worker_name", "w").inc("token", 1),
            sort: Vec::new(),
            upsert: false,
            returns: Returns::After,
            projection: Projection::All,
        };
        let concern = Concern::default();
        let bind = Command { collection: RESERVATIONS.into(), operation: bind, concern };
        let about = About::of(&bind);
        let (document, worker) = (Text::from("r"), Text::from("w"));
        let binding = Fact::Binding { document: document.clone(), resource: document, worker };
        assert_eq!(about.before, [binding]);
        let given = doc! {"_id": "r", "task_ids": ["task-7"], "token": 4, "worker_name": "w"};
        let bound = |done| Fact::Bound { document: "r".into(), done };
        let told = about.after(&Ok(Reply::Document(Some(given))));
        assert_eq!(told, [bound(true), Fact::Listed { tasks: vec![7] }]);
        assert_eq!(About::of(&bind).after(&Ok(Reply::Document(None))), [bound(false)]);
    }
}
