//! The worker: comes for work, and serves the head of the queue that has waited longest.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::counter::{Counter, draw};
use super::registry::{Incarnation, Standing, heartbeat, register, standing};
use super::schema::{Binding, Reservation, State, Status, reservations, statuses};
use super::settle::settled;
use super::sweep::{bindings, free, of_binding, unbind};
use crate::env::{Env, Wake, forever};
use crate::reservation::{ReservationError, Task};
use crate::store::filter::{by_id, eq, missing};
use crate::store::update::{pop_first, set};
use crate::store::{ReadConcern, Returns, Sort, Store, Text, Value};

/// How often a worker says that it is alive.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// Why a task failed whose worker was lost while it ran.
pub const LOST: &str = "its worker was lost";

/// The right to run a task.
#[derive(Clone, Debug, PartialEq, Eq)]
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
/// Without contention a task costs seven commands, and an idle worker one scan whenever it looks.
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
        let me = register(host, name).await?;
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
    if !bind(host, me, &found).await? {
        return Ok(());
    }
    let served = match arm(host, me, found).await? {
        Some(grant) => serve_head(host, me, grant, run).await?,
        None => false,
    };
    if served { Ok(()) } else { check_standing(host, me).await }
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
/// of which the answer was lost; else the resource that has waited longest. A hint, since a scan
/// is no snapshot and others look too.
async fn look<H: Store + Env>(
    host: &H,
    me: &Incarnation,
) -> Result<Option<Binding>, ReservationError> {
    let found = settled(host, || {
        let mine_or_free = eq("worker_name", &me.name).or(missing("worker_name"));
        let mine_first = [Sort::descending("worker_name"), Sort::ascending("turn")].concat();
        bindings(host).find(mine_or_free).sort(mine_first).limit(1_u32).projection(of_binding())
    });
    Ok(found.await?.into_iter().next())
}

/// Binds the worker to the resource, if nobody else is, and it is the turn that it saw still, since in
/// another it could not arm its binding; `false` where that fails.
async fn bind<H: Store + Env>(
    host: &H,
    me: &Incarnation,
    found: &Binding,
) -> Result<bool, ReservationError> {
    let bound = settled(host, || {
        let free =
            by_id(&found.resource_id).and(missing("worker_name")).and(eq("turn", found.turn));
        bindings(host).update_one(free, set("worker_name", &me.name))
    });
    match bound.await {
        Ok(bound) => Ok(bound.matched == 1),
        // A bind of this worker whose answer was lost has been done meanwhile.
        Err(error) if error.is_duplicate_key() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Draws a token for the binding, and gives the head of the list; `None` where the binding is lost.
///
/// The token is drawn once the worker is bound, and the binding is looked at again with it: so it
/// is higher than that of any earlier binding, and lower than that of any later one.
///
/// It has to be the turn that the worker saw when it looked: a bind that comes late, or an arming,
/// would bring a token into a later turn that is too low for it. Each binding with a token leaves another
/// `turn` behind; a list that is made anew may have one that was before, but is made for another
/// task then, or for one that is done.
async fn arm<H: Store + Env>(
    host: &H,
    me: &Incarnation,
    found: Binding,
) -> Result<Option<Grant>, ReservationError> {
    let token = draw(host, Counter::Tokens).await?;
    let armed = settled(host, || {
        let unarmed = by_id(&found.resource_id)
            .and(eq("worker_name", &me.name))
            .and(missing("token"))
            .and(eq("turn", found.turn))
            .and(eq("first", &found.first));
        reservations::<H, Reservation>(host)
            .find_one_and_update(unarmed, set("token", token))
            .returns(Returns::After)
    });
    let head = armed.await?.and_then(|armed| armed.task_ids.into_iter().next());
    Ok(head.map(|head| Grant { task: Task::new(head, found.resource_id), token }))
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
    match claim(host, me, &task, token).await? {
        Claim::Granted => {
            let started = task.event_on(Task::STARTED, &me.name);
            host.observe(started.with("incarnation", me.number).with("token", token));
            let done = run(grant).await;
            host.observe(task.event_on(Task::FINISHED, &me.name));
            host.observe(task.event(Task::RELEASED));
            finish(host, &task, done.map_err(|error| error.to_string().into())).await?;
        }
        Claim::Final => {}
        Claim::Orphaned => {
            if finish(host, &task, Err(LOST.into())).await? {
                host.observe(task.event(Task::FAILED));
            }
        }
        Claim::Outdated => return Ok(false),
    }
    release(host, &task, token).await
}

/// What comes of claiming a task.
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
    done: Result<(), Text>,
) -> Result<bool, ReservationError> {
    let finished = settled(host, || {
        let running = by_id(&task.id).and(eq("state", State::Running));
        let end = match &done {
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
/// A reservation with no other task is deleted. To take the task off and to free the resource is
/// one operation, so that no resource keeps a worker from the others.
async fn release<H: Store + Env>(
    host: &H,
    task: &Task,
    token: i64,
) -> Result<bool, ReservationError> {
    let reservations = reservations::<H, Reservation>(host);
    let bound = || by_id(&task.resource).and(eq("token", token));
    let deleted = settled(host, || {
        let alone = eq("task_ids", vec![Value::from(&task.id)]);
        reservations.delete_one(bound().and(alone))
    });
    if deleted.await? == 1 {
        return Ok(true);
    }
    let popped = settled(host, || {
        reservations.update_one(bound(), unbind(pop_first("task_ids"), Some(token)))
    });
    Ok(popped.await?.matched == 1)
}
