//! The system of a model of the doorway.

use std::collections::{BTreeMap, BTreeSet};

use super::property::registry;
use super::{Model, Subject, SystemKind};
use crate::check::{Cx, Messages, Process};
use crate::doc;
use crate::env::{Env, Queues};
use crate::reservation::doorway::registry::Incarnation;
use crate::reservation::doorway::{self, lock, schema};
use crate::reservation::{ReservationError, Task};
use crate::store::memory::State;
use crate::store::{Document, StoreError, Text, Value};

impl Model {
    pub(super) fn doorway_store(&self) -> Result<State, StoreError> {
        let mut store = State::new();
        store.provision(schema::RESERVATIONS, &[schema::one_reservation_per_worker()])?;
        store.provision(schema::WORKERS, &[])?;
        store.provision(schema::STATUSES, &[])?;
        store.provision(schema::COUNTERS, &[])?;
        store.provision(lock::schema::QUEUES, &[])?;
        for counter in schema::counters() {
            store.insert(schema::COUNTERS, counter)?;
        }
        if self.system == SystemKind::Queued {
            self.fill_lists(&mut store)?;
        }
        Ok(store)
    }

    /// Leaves every task as its submission does.
    fn fill_lists(&self, store: &mut State) -> Result<(), StoreError> {
        let mut lists: BTreeMap<Text, Vec<Value>> = BTreeMap::new();
        for task in self.tasks() {
            let status = doc! {"_id": &task.id, "resource_id": &task.resource, "state": "waiting"};
            store.insert(schema::STATUSES, status)?;
            lists.entry(task.resource).or_default().push(task.id.into());
        }
        for (resource, tasks) in lists {
            let list = doc! {"_id": resource, "task_ids": tasks, "token": 0, "turn": 0};
            store.insert(schema::RESERVATIONS, list)?;
        }
        Ok(())
    }

    /// The workers whose watchers declare them dead once they are, and not at any moment.
    fn leased(&self) -> impl Iterator<Item = Text> {
        let for_good = self.design == Subject::Doorway && self.faults.are_for_good();
        self.buries.iter().filter(move |_| for_good).map(super::build::worker_name)
    }

    /// What the workers hold that are found out when they are gone.
    pub(super) fn give_leases(&self, messages: &mut Messages) {
        for worker in self.leased() {
            messages.send(&lease_of(&worker), Document::new());
            messages.receive(&lease_of(&worker), &worker);
        }
    }

    pub(super) fn doorway_processes(&self) -> Vec<Process> {
        let workers = self.workers().map(|name| {
            Process::new(name).then(|cx| async move {
                let name = cx.process().clone();
                serve(cx, name).await
            })
        });
        let twins = self.twins.iter().map(|number| {
            let worker = super::build::worker_name(number);
            Process::new(format!("twin-of-{worker}")).then(move |cx| serve(cx, worker.clone()))
        });
        // Where nobody is declared dead, there is nothing to sweep.
        let sweepers = self.sweepers.unwrap_or(u32::from(!self.buries.is_empty()));
        let sweepers = (1..=sweepers).map(|number| {
            let name = if number == 1 { "sweeper".into() } else { format!("sweeper-{number}") };
            Process::new(name).then(|cx| async move { doorway::sweep::sweep(&cx).await })
        });
        let watchers = self.buries.iter().map(|number| {
            let worker = super::build::worker_name(number);
            let lease = self.leased().find(|leased| *leased == worker).map(|_| lease_of(&worker));
            Process::new(format!("watcher-of-{worker}"))
                .then(move |cx| bury(cx, worker.clone(), lease.clone()))
        });
        let cancellers = self.cancels.iter().map(|number| {
            let task = self.full_task(number.get() - 1);
            Process::new(format!("canceller-of-{}", task.id))
                .then(move |cx| cancel(cx, task.clone()))
        });
        let hearts = self.hearts.iter().map(|number| {
            let worker = super::build::worker_name(number);
            Process::new(format!("heart-of-{worker}")).then(move |cx| beat(cx, worker.clone()))
        });
        let watched = watchers.chain(hearts);
        let others = workers.chain(twins).chain(sweepers).chain(watched).chain(cancellers);
        self.submitting().into_iter().chain(others).collect()
    }

    /// Who hands the tasks through the doorway.
    fn submitting(&self) -> Vec<Process> {
        if self.system == SystemKind::Queued {
            return Vec::new();
        }
        if self.system == SystemKind::Full {
            let serve = |cx: Cx| async move { doorway::manager::serve(&cx).await };
            return self.managers().map(|name| Process::new(name).then(serve)).collect();
        }
        let managers = self.sizes.managers.get();
        let own = |manager: u32| {
            let all = (0..self.sizes.tasks.get()).filter(move |n| n % managers == manager);
            all.map(|number| self.full_task(number))
        };
        let submitter = |(manager, name): (u32, Text)| {
            own(manager).fold(Process::new(name), |process, task| {
                process.then(move |cx| submit(cx, task.clone()))
            })
        };
        (0..).zip(self.managers()).map(submitter).collect()
    }
}

/// The queue of which a worker holds the one message as long as it lives: when it is gone, the broker
/// delivers that again.
fn lease_of(worker: &Text) -> Text {
    format!("lease-of-{worker}").into()
}

/// A worker. That a later process of its name has taken its place is no failure of it.
async fn serve(cx: Cx, name: Text) -> Result<(), ReservationError> {
    let run = |_| {
        let step = cx.step("run");
        async move {
            step.await;
            Ok::<(), Text>(())
        }
    };
    match doorway::worker::serve(&cx, &name, run).await {
        Err(ReservationError::Superseded(_)) => Ok(()),
        ended => ended,
    }
}

/// The texts that belong to the doorway's code.
pub(super) fn literals() -> BTreeSet<Text> {
    use schema::State::{Cancelled, Failed, Finished, Running, Waiting};
    let states = [Waiting, Running, Finished, Failed, Cancelled].map(Value::from);
    let states = states.iter().filter_map(Value::as_str).map(Text::from);
    let others = [doorway::counter::INCARNATIONS, doorway::worker::LOST].map(Text::from);
    states.chain(others).collect()
}

/// A submitter's own submission is the doorway: there is no queue before it.
async fn submit(cx: Cx, task: Task) -> Result<(), ReservationError> {
    doorway::submit(&cx, &task).await?;
    cx.observe(task.event(Task::ENQUEUED));
    Ok(())
}

/// Declares the worker dead, whether it is or not, at any moment at which it is registered; one that has
/// a lease, once it has lost that.
async fn bury(cx: Cx, worker: Text, lease: Option<Text>) -> Result<(), ReservationError> {
    if let Some(lease) = lease {
        cx.receive(&lease).await;
    }
    if let Some(seen) = doorway::watch::registration(&cx, &worker).await? {
        cx.observe(registry::event(registry::LOOKED, &seen));
        doorway::watch::bury(&cx, &seen).await?;
        cx.observe(registry::event(registry::JUDGED, &seen));
    }
    Ok(())
}

/// Lets the heart of the process that is registered under a worker's name beat, once, at any moment.
async fn beat(cx: Cx, worker: Text) -> Result<(), ReservationError> {
    let Some(seen) = doorway::watch::registration(&cx, &worker).await? else { return Ok(()) };
    cx.observe(registry::event(registry::LOOKED, &seen));
    let me = Incarnation { name: worker, number: seen.incarnation };
    match doorway::registry::heartbeat(&cx, &me).await {
        Ok(true) => cx.observe(registry::event(registry::ALIVE, &seen)),
        Ok(false) => cx.observe(registry::event(registry::GONE, &seen)),
        // An answer that did not come says nothing.
        Err(error) if error.is_outcome_unknown() || error.is_not_done() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn cancel(cx: Cx, task: Task) -> Result<(), ReservationError> {
    doorway::cancel::cancel(&cx, &task).await.map(|_| ())
}
