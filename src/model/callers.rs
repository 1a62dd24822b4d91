//! The system of a model in which each task has a caller of its own, who waits for its turn.

use std::collections::BTreeSet;

use super::{Model, Subject};
use crate::check::{Cx, Process};
use crate::env::{Env, Event, Wake};
use crate::reservation::doorway::lock::Queue;
use crate::reservation::doorway::watch;
use crate::reservation::several::Way;
use crate::reservation::{ReservationError, Task};
use crate::store::Text;

/// The queue of all callers.
const QUEUE: &str = "queue";

/// A task with what it needs.
#[derive(Clone)]
struct Call {
    task: Text,
    resources: BTreeSet<Text>,
    /// Whether the caller gives its place up, at whatever moment that is.
    leaves: bool,
}

impl Call {
    fn event(&self, name: &str) -> Event {
        Task::event_of(name, &self.task, &self.resources)
    }
}

impl Model {
    pub(super) fn caller_processes(&self) -> Vec<Process> {
        let subject = self.design;
        let callers = (1..=self.sizes.tasks.get()).map(|number| {
            let call = self.call(number);
            Process::new(format!("caller-{number}"))
                .then(move |cx| call_for(cx, subject, call.clone()))
        });
        // Where nobody is lost, there is nothing to sweep.
        let sweeps = subject == Subject::Lock && !(self.buries.is_empty() && self.faults.is_none());
        let sweeper = sweeps.then(|| {
            Process::new("sweeper").then(|cx| async move { Queue::new(&cx, QUEUE).sweep().await })
        });
        let watchers = self.buries.iter().map(|number| {
            let owner: Text = format!("{QUEUE}/{}", self.call(number.get()).task).into();
            Process::new(format!("watcher-of-caller-{number}"))
                .then(move |cx| bury(cx, owner.clone()))
        });
        callers.chain(sweeper).chain(watchers).collect()
    }

    fn call(&self, number: u32) -> Call {
        let one = self.full_task(number - 1);
        let needs = self.needs.get(number as usize - 1);
        let resources = match needs {
            Some(needs) => needs.iter().map(|number| format!("resource-{number}").into()).collect(),
            None => BTreeSet::from([one.resource]),
        };
        let leaves = self.cancels.iter().any(|cancelled| cancelled.get() == number);
        Call { task: one.id, resources, leaves }
    }
}

/// The doorway begins when the caller has come, and ends when it has entered.
async fn call_for(cx: Cx, subject: Subject, call: Call) -> Result<(), ReservationError> {
    cx.step("comes").await;
    cx.observe(call.event(Task::ENQUEUED));
    cx.observe(call.event(Task::RECEIVED));
    match subject {
        Subject::Several(way) => wait_in_lists(&cx, way, &call).await,
        _ => wait_in_queue(&cx, &call).await,
    }
}

async fn wait_in_queue(cx: &Cx, call: &Call) -> Result<(), ReservationError> {
    let place = Queue::new(cx, QUEUE).enter(&*call.task, call.resources.clone()).await?;
    cx.observe(call.event(Task::HANDLED));
    if call.leaves {
        return place.leave().await;
    }
    match place.turn().await {
        Ok(turn) => {
            cx.step("run").await;
            turn.release().await.map(|_| ())
        }
        // It was declared dead, and those behind it were served.
        Err(ReservationError::Lost(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn wait_in_lists(cx: &Cx, way: Way, call: &Call) -> Result<(), ReservationError> {
    way.enter(cx, &call.task, &call.resources).await?;
    cx.observe(call.event(Task::HANDLED));
    way.turn(cx, &call.task, &call.resources).await?;
    cx.step("run").await;
    way.release(cx, &call.task, &call.resources).await
}

/// Declares the owner dead, whether it is or not, at any moment at which it is registered.
async fn bury(cx: Cx, owner: Text) -> Result<(), ReservationError> {
    let mark = cx.mark();
    loop {
        if let Some(seen) = watch::registration(&cx, &owner).await? {
            return watch::bury(&cx, &seen).await.map(|_| ());
        }
        cx.idle(Wake::Changed).await;
        cx.again(mark);
    }
}
