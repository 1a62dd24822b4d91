//! The worker: comes for work, and serves the head of the queue that has waited longest.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::registry::{Incarnation, Standing, heartbeat, register, standing};
use super::schema::{Binding, Reservation, State, Status, Turn, reservations, statuses, waiting};
use super::settle::settled;
use super::sweep::{bindings, free, of_binding};
use crate::env::{Env, Wake, distil, forever};
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq};
use crate::store::update::{pop_first, set};
use crate::store::{Projection, ReadConcern, Returns, Sort, Store, Text};

/// How often a worker says that it is alive.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// Why a task failed whose worker was lost while it ran.
pub const LOST: &str = "its worker was lost";

/// The right to run a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The task.
    pub task: Task,
    /// The fencing token: everything that the run does to the outside should carry it, and whoever
    /// it is done to should refuse a token lower than one that it has seen.
    pub token: i64,
}

/// Why a worker ends its turns.
enum Stop {
    /// It was declared dead, and has to register anew.
    Gone,
    Error(ReservationError),
}

impl<E: Into<ReservationError>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Error(error.into())
    }
}

/// Registers a worker and serves for ever; `run` runs a task, and an error of it is recorded with
/// the task. Several processes must not have one name: the later supersedes the earlier.
///
/// Without contention a task costs six commands, and an idle worker one scan whenever it looks.
///
/// # Errors
///
/// [`ReservationError::Superseded`] where a later process has the name, and what the store refuses.
/// The task that was under way then is failed once another process has the worker's name, or the
/// watcher has declared it dead.
pub async fn serve<H, F, R, E>(host: &H, name: &Text, run: F) -> Result<(), ReservationError>
where
    H: Store + Env,
    F: Fn(Grant) -> R + Send + Sync,
    R: Future<Output = Result<(), E>> + Send,
    E: fmt::Display + Send,
{
    forever(host, || async {
        let me = distil(host, || register(host, name)).await?;
        let turns = forever(host, || turn(host, &me, &run));
        match host.beside(beat(host, &me), turns).await {
            Some(Err(Stop::Error(error))) => Err(error),
            Some(Ok(()) | Err(Stop::Gone)) | None => Ok(()),
        }
    })
    .await
}

/// Says again and again that the worker, or the owner of an entry, is alive; ends when it is not registered any more.
pub(super) async fn beat<H: Store + Env>(host: &H, me: &Incarnation) {
    let gone = forever(host, || async {
        host.rest(HEARTBEAT).await;
        // An answer that did not come says nothing of how the worker stands.
        if let Ok(false) = heartbeat(host, me).await { Err(()) } else { Ok(()) }
    });
    let _: Result<(), ()> = gone.await;
}

/// One turn: looks for a resource, serves its head, and releases it.
async fn turn<H, F, R, E>(host: &H, me: &Incarnation, run: &F) -> Result<(), Stop>
where
    H: Store + Env,
    F: Fn(Grant) -> R,
    R: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let Some(found) = look(host, me).await? else {
        host.idle(Wake::Changed).await;
        return Ok(());
    };
    if found.worker_name.is_some() {
        check_standing(host, me).await?;
        return Ok(free(host, &found).await?);
    }
    let Some(grant) = distil(host, || bind(host, me, &found)).await? else {
        // Where members lag, what a majority has may stay for a while as it was seen.
        host.breathe().await;
        return Ok(());
    };
    if serve_head(host, me, grant, run).await? { Ok(()) } else { check_standing(host, me).await }
}

/// The worker has lost its binding: is it still registered?
async fn check_standing<H: Store + Env>(host: &H, me: &Incarnation) -> Result<(), Stop> {
    match standing(host, me).await? {
        Standing::Current => Ok(()),
        Standing::Gone => Err(Stop::Gone),
        Standing::Superseded => Err(ReservationError::Superseded(me.name.clone()).into()),
    }
}

/// Looks for work: a binding in the worker's own name, which an earlier process has left behind or
/// of which the answer was lost; else the resource whose turn it is. A hint, since a scan is no snapshot and
/// others look too.
async fn look<H: Store + Env>(
    host: &H,
    me: &Incarnation,
) -> Result<Option<Binding>, ReservationError> {
    let found = settled(host, || {
        let mine_or_waiting = eq("worker_name", &me.name).or(waiting());
        let mine_first = [Sort::descending("worker_name"), Sort::ascending("turn")].concat();
        bindings(host).find(mine_or_waiting).sort(mine_first).limit(1_u32).projection(of_binding())
    });
    Ok(found.await?.into_iter().next())
}

/// Binds the worker to the resource, and gives the head of its list; `None` where another was bound since
/// the worker looked, or the answer to a bind of this worker was lost.
///
/// The binding's token is that of the last one, and one more. As long as it is the one that was looked at,
/// nobody is bound, and the list is not empty.
async fn bind<H: Store + Env>(
    host: &H,
    me: &Incarnation,
    found: &Binding,
) -> Result<Option<Grant>, ReservationError> {
    let bound = settled(host, || {
        let unchanged = by_id(&found.resource_id).and(eq("token", found.token));
        reservations::<H, Reservation>(host)
            .find_one_and_update(unchanged, set("worker_name", &me.name).inc("token", 1))
            .returns(Returns::After)
    });
    let bound = match bound.await {
        Err(error) if error.is_duplicate_key() => None,
        bound => bound?,
    };
    Ok(bound.and_then(|bound| {
        let head = bound.task_ids.into_iter().next()?;
        Some(Grant { task: Task::new(head, bound.resource_id), token: bound.token })
    }))
}

/// Brings the head of the list to its end, and releases the resource; `false` where the binding
/// turns out to be lost.
async fn serve_head<H, F, R, E>(
    host: &H,
    me: &Incarnation,
    grant: Grant,
    run: &F,
) -> Result<bool, ReservationError>
where
    H: Store + Env,
    F: Fn(Grant) -> R,
    R: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let (task, token) = (grant.task.clone(), grant.token);
    match distil(host, || claim(host, me, &task, token)).await? {
        Claim::Granted => {
            let started = task.event_on(Task::STARTED, &me.name);
            host.observe(started.with("incarnation", me.number).with("token", token));
            let done = run(grant).await;
            host.observe(task.event_on(Task::FINISHED, &me.name));
            host.observe(task.event(Task::RELEASED));
            let done = done.map_err(|error| error.to_string().into());
            distil(host, || finish(host, &task, &done)).await?;
        }
        Claim::Final => {}
        Claim::Orphaned => {
            let lost = Err(LOST.into());
            if distil(host, || finish(host, &task, &lost)).await? {
                host.observe(task.event(Task::FAILED));
            }
        }
        Claim::Outdated => return Ok(false),
    }
    release(host, me, &task, token).await
}

/// What comes of claiming a task.
#[derive(PartialEq, Serialize, Deserialize)]
enum Claim {
    /// It runs, and this binding runs it.
    Granted,
    /// It is done with already.
    Final,
    /// An earlier binding runs it, whose worker was taken for dead.
    Orphaned,
    /// A later binding runs it: this one has ended.
    Outdated,
}

/// Claims the task for this binding: whoever moves its status from waiting runs it.
async fn claim<H: Store + Env>(
    host: &H,
    me: &Incarnation,
    task: &Task,
    token: i64,
) -> Result<Claim, ReservationError> {
    let claimed = settled(host, || {
        let waiting = by_id(&task.id).and(eq("state", State::Waiting));
        let run = set("state", State::Running).set("worker_name", &me.name).set("token", token);
        statuses(host).update_one(waiting, run)
    });
    if claimed.await?.matched == 1 {
        return Ok(Claim::Granted);
    }
    let committed = statuses(host).read_concern(ReadConcern::Linearizable);
    let status = settled(host, || committed.find_one(by_id(&task.id))).await?;
    Ok(match status {
        Some(Status { state: State::Running, token: Some(other), .. }) if other < token => {
            Claim::Orphaned
        }
        Some(Status { state: State::Running, token: Some(other), .. }) if other > token => {
            Claim::Outdated
        }
        // The answer to the claim was lost.
        Some(Status { state: State::Running, .. }) => Claim::Granted,
        // A status that is gone was final, and its reader has cleared it away.
        _ => Claim::Final,
    })
}

/// Records how the task ended; `false` where another has recorded it.
///
/// A task is claimed once, so its status runs for whoever claimed it; and who finds it orphaned
/// has taken the place of the one that did.
async fn finish<H: Store + Env>(
    host: &H,
    task: &Task,
    done: &Result<(), Text>,
) -> Result<bool, ReservationError> {
    let finished = settled(host, || {
        let running = by_id(&task.id).and(eq("state", State::Running));
        let end = match done {
            Ok(()) => set("state", State::Finished),
            Err(why) => set("state", State::Failed).set("why", why),
        }
        .unset("token");
        statuses(host).update_one(running, end)
    });
    Ok(finished.await?.matched == 1)
}

/// Takes the task, which is done, off the list, and the worker off the reservation; `false` where
/// the binding is lost.
///
/// To take the task off and to free the resource is one operation, so that no resource keeps a worker from
/// the others; and those that wait come before it from now on.
async fn release<H: Store + Env>(
    host: &H,
    me: &Incarnation,
    task: &Task,
    token: i64,
) -> Result<bool, ReservationError> {
    let last = distil(host, || last_turn(host)).await?;
    let released = settled(host, || {
        let bound = by_id(&task.resource).and(eq("worker_name", &me.name)).and(eq("token", token));
        let popped = pop_first("task_ids").unset("worker_name");
        let popped = match last {
            Some(last) => popped.set("turn", last + 1),
            None => popped,
        };
        reservations::<H, Reservation>(host).update_one(bound, popped)
    });
    Ok(released.await?.matched == 1)
}

/// The turn of the resource that comes last of those that wait now. A hint.
async fn last_turn<H: Store + Env>(host: &H) -> Result<Option<i64>, ReservationError> {
    let turns = reservations::<H, Turn>(host);
    let last = settled(host, || {
        let turn_alone = Projection::Include(vec!["turn".into()]);
        turns.find(waiting()).sort(Sort::descending("turn")).limit(1_u32).projection(turn_alone)
    });
    Ok(last.await?.first().map(|last| last.turn))
}
