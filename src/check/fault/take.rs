//! What a choice of an engine does.

use super::Budget;
use super::choice::{Choice, Kind, Whom};
use crate::check::mailbox::Told;
use crate::check::request::{Answer, Request};
use crate::check::step::{self, At, Resume, Stepped};
use crate::check::strand::Strand;
use crate::check::system::{Commands, System};
use crate::check::world::{Pending, World};
use crate::store::memory::{Access, Execution};
use crate::store::{ReadConcern, StoreError};

/// Runs a process from its start, to where it stands and what it tells.
pub(crate) type Restart<'a> = &'a mut dyn FnMut() -> (At, Told);

/// What a choice did; `None` where it cannot be.
type Taken = Option<(Stepped, Access)>;

/// Makes a choice happen, and says what it did; `None` where it cannot be. Then the process may
/// have been resumed all the same, to see what it asks for once it wakes. A redelivery is not
/// refused where nothing is held: an engine may keep the queues elsewhere, and sees to that.
pub(crate) fn take(
    system: &System,
    choice: Choice,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    restart: Restart<'_>,
    resume: Resume<'_>,
) -> Taken {
    let Choice { kind, process, .. } = choice;
    let process = &system.processes[process];
    let spared = kind.whom() != Whom::Database && system.faults.spares(process);
    let may_be = match kind {
        Kind::Step | Kind::Lands => true,
        Kind::Rested => budget.rests > 0,
        _ => !spared && budget.kinds().any(|known| known == kind),
    };
    if !may_be {
        return None;
    }
    let before = world.store.clone();
    let taken = happen(system, choice, world, budget, at, (restart, resume));
    world.store.notice_lag(&before);
    taken
}

fn happen(
    system: &System,
    choice: Choice,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    (restart, resume): (Restart<'_>, Resume<'_>),
) -> Taken {
    let Choice { kind, process: index, strand } = choice;
    let process = &system.processes[index];
    match kind {
        Kind::Step => step::take(world, (&process.name, strand), at, system, resume),
        Kind::Lands => land(choice, world, budget, system.commands),
        Kind::Rested => come_back(choice, budget, at, resume),
        Kind::Crash => crash(system, index, world, budget, at, restart),
        Kind::Redelivered => {
            world.messages.redeliver(&process.name);
            budget.redeliveries -= 1;
            Some((Stepped::default(), Access::Write))
        }
        Kind::Lags | Kind::CutOff | Kind::Failover | Kind::Replicates => {
            replicas(kind, world, budget).then(|| (Stepped::default(), Access::Write))
        }
        Kind::Lost | Kind::Unanswered | Kind::Late | Kind::Stale => {
            hit_command(system, choice, world, budget, at, resume)
        }
    }
}

/// Whether a fault can happen to a process that stands there, in any world at all: where not, nobody
/// has to ask [`take`] for each world.
pub(crate) fn can_be(system: &System, choice: Choice, at: &At) -> bool {
    let Choice { kind, process, strand } = choice;
    if kind.whom() == Whom::Database || kind == Kind::Lands {
        return true;
    }
    let spared = kind != Kind::Rested && system.faults.spares(&system.processes[process]);
    !spared && can_hit(kind, at, strand)
}

fn can_hit(kind: Kind, at: &At, strand: Strand) -> bool {
    let command = match at.pending(strand) {
        Some(Pending::Command(execution)) => Some(execution.command()),
        _ => None,
    };
    let is_write = command.map(|command| command.operation.is_write());
    match kind {
        Kind::Crash => at.pending(strand).is_some(),
        Kind::Rested => at.rests(strand),
        // A process that pauses may wake with a command.
        Kind::Lost | Kind::Unanswered | Kind::Late => at.pauses(strand) || is_write == Some(true),
        Kind::Stale => at.pauses(strand) || is_write == Some(false),
        _ => true,
    }
}

fn crash(
    system: &System,
    process: usize,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    restart: Restart<'_>,
) -> Taken {
    at.pending(Strand::MAIN)?;
    budget.crashes -= 1;
    world.messages.redeliver(&system.processes[process].name);
    let gone = system.faults.gone_for_good;
    let (next, told) = if gone { (At::Crashed, Told::default()) } else { restart() };
    *at = next;
    let mut stepped = Stepped { crashed: true, ..Stepped::default() };
    stepped.tell(told);
    stepped.failure = at.failure().cloned();
    Some((stepped, Access::Write))
}

/// A guard comes back from its rest.
fn come_back(
    Choice { strand, .. }: Choice,
    budget: &mut Budget,
    at: &mut At,
    resume: Resume<'_>,
) -> Taken {
    if !at.rests(strand) {
        return None;
    }
    budget.rests -= 1;
    let (request, answer) = (Some(Request::Rest), Some(Answer::Done));
    let mut stepped = Stepped { request, answer, ..Stepped::default() };
    at.go_on(resume(strand, Answer::Done), &mut stepped);
    stepped.failure = at.failure().cloned();
    Some((stepped, Access::Write))
}

/// What happens among the members of the replica set; `false` where it would change nothing.
fn replicas(kind: Kind, world: &mut World, budget: &mut Budget) -> bool {
    let store = &mut world.store;
    match kind {
        Kind::Lags if store.may_lag() => store.lag(budget.stale_reads > 1),
        Kind::Replicates if store.is_ahead_of_majority() => store.replicate(),
        Kind::CutOff if !store.is_cut_off() => {
            budget.failovers -= 1;
            store.track_majority();
        }
        Kind::Failover if store.is_ahead_of_majority() => budget.fail_over(store),
        _ => return false,
    }
    true
}

/// Something goes wrong with a command. To wake from a pause with it is one step with it.
fn hit_command(
    system: &System,
    choice: Choice,
    world: &mut World,
    budget: &mut Budget,
    at: &mut At,
    resume: Resume<'_>,
) -> Taken {
    let strand = choice.strand;
    let mut stepped = Stepped::default();
    if at.pauses(strand) {
        if !at.is_enabled(strand, world) {
            return None;
        }
        at.go_on(resume(strand, Answer::Done), &mut stepped);
    }
    let Some(Pending::Command(execution)) = at.pending(strand).cloned() else { return None };
    stepped.request = Some(Request::Command(execution.command().clone()));
    let answer = match choice.kind {
        Kind::Stale => answer_stale(&execution, world, budget)?,
        _ => leave_unknown(system, choice, execution, world, budget)?,
    };
    stepped.answer = Some(answer.clone());
    at.go_on(resume(strand, answer), &mut stepped);
    stepped.failure = at.failure().cloned();
    Some((stepped, Access::Write))
}

/// The answer to a write of which the process is not told the outcome.
fn leave_unknown(
    system: &System,
    Choice { kind, process, strand }: Choice,
    execution: Execution,
    world: &mut World,
    budget: &mut Budget,
) -> Option<Answer> {
    if !execution.command().operation.is_write() {
        return None;
    }
    match kind {
        // It is done already, and only a majority does not have it.
        Kind::Lost | Kind::Late if execution.is_done(&world.store) => return None,
        Kind::Late => {
            budget.late.push((process, strand, execution));
            budget.late.sort_by_key(|(process, strand, _)| (*process, *strand));
        }
        Kind::Unanswered => {
            let mut after = world.clone();
            let name = &system.processes[process].name;
            after.step(name, &mut Pending::Command(execution), system)?;
            *world = after;
        }
        _ => {}
    }
    budget.unknown_outcomes -= 1;
    Some(Answer::Store(Err(StoreError::outcome_unknown("the connection broke"))))
}

/// The answer of the member that lags behind; `None` where it is that of the primary.
fn answer_stale(execution: &Execution, world: &mut World, budget: &mut Budget) -> Option<Answer> {
    let command = execution.command();
    // Of what never changes nobody lags behind.
    if command.operation.is_write()
        || world.store.is_immutable(&command.collection)
        || command.concern.read == ReadConcern::Linearizable
        || *execution != Execution::begin(command.clone())
    {
        return None;
    }
    let answer = Answer::Store(world.store.as_lagging(&command.collection)?.execute_ref(command));
    budget.stale_reads -= 1;
    match budget.stale_reads {
        0 => world.store.forget_lagging(),
        _ => world.store.ask_lagging(),
    }
    Some(answer)
}

/// The next step of the first late write of a strand.
fn land(choice: Choice, world: &mut World, budget: &mut Budget, commands: Commands) -> Taken {
    let whose = (choice.process, choice.strand);
    let is_first = |(process, strand, _): &(usize, Strand, Execution)| (*process, *strand) == whose;
    let first = budget.late.iter().position(is_first)?;
    let (.., execution) = &mut budget.late[first];
    let request = Some(Request::Command(execution.command().clone()));
    // Nobody waits for the acknowledgement.
    if world.execute(execution, commands).is_some() || execution.is_done(&world.store) {
        budget.late.remove(first);
    }
    Some((Stepped { request, ..Stepped::default() }, Access::Write))
}
