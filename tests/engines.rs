//! The engines against each other, against known counts, and against a search by replay.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/brute.rs"]
mod brute;
#[path = "support/systems.rs"]
mod systems;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use doorway::check::engine::{Cancel, Limits, Options, Sabotage, shuttle};
use doorway::check::{Cx, Outcome, Process, Report, System, Verdict};
use doorway::doc;
use doorway::env::{Env, Wake};
use doorway::model::{Sizes, SystemKind};
use doorway::reservation::schema::{RESERVATIONS, workers};
use doorway::reservation::{Design, ReservationError, Task, story898};
use doorway::store::filter::{all, by_id};
use doorway::store::update::{push, set};
use doorway::store::{Document, Store, Text};

use systems::{
    ALL, EVERY, EXHAUSTIVE, Engine, by_dfs, by_explorer, by_loom, by_pct, by_random, executions,
    pct, random, reference, shipped_system, steps, system,
};

fn with_outcomes() -> Options {
    Options { outcomes: true, ..Options::default() }
}

fn outcomes(engine: Engine, system: &System, options: &Options) -> BTreeSet<Outcome> {
    engine(system, options).outcomes.unwrap()
}

/// A broker's queue, a manager and a worker, for one task.
fn one_task_in_full(design: Design) -> System {
    let one = NonZeroU32::MIN;
    let sizes = Sizes { managers: one, workers: one, tasks: one, resources: one };
    system(design, SystemKind::Full, sizes)
}

// Counts.

#[test]
fn shuttle_makes_every_interleaving_once() {
    for ((m, t, r, w), interleavings) in
        [((2, 1, 1, 1), 594), ((2, 1, 1, 2), 744), ((2, 1, 2, 2), 362)]
    {
        let report = by_dfs(&reference(m, t, r, w), &Options::default());
        println!("{m}x{t}x{r}x{w} by shuttle-dfs: {} executions", executions(&report));
        assert_eq!(executions(&report), interleavings, "{m}x{t}x{r}x{w}");
        assert_eq!(report.verdict(), Verdict::Verified);
        assert_eq!((report.stopped, report.cut_short), (None, false));
    }
}

#[test]
fn loom_leaves_out_what_commutes_and_verifies() {
    for (m, t, r, w) in [(2, 1, 1, 1), (2, 1, 1, 2), (2, 1, 2, 2)] {
        let system = reference(m, t, r, w);
        let [by_loom, by_dfs] = EXHAUSTIVE.map(|engine| engine(&system, &Options::default()));
        println!("{m}x{t}x{r}x{w} by loom: {} executions", executions(&by_loom));
        assert_eq!(by_loom.verdict(), Verdict::Verified, "{m}x{t}x{r}x{w}");
        assert_eq!((&by_loom.stopped, by_loom.cut_short), (&None, false));
        assert!(executions(&by_loom) < executions(&by_dfs), "{m}x{t}x{r}x{w}");
    }
}

#[test]
fn loom_makes_no_run_twice_but_for_the_order_of_steps_that_commute() {
    for system in small_systems() {
        let orders = brute::search(&system).orders.len() as u64;
        let report = by_loom(&system, &Options::default());
        println!("{}: {orders}", system.name);
        assert_eq!(executions(&report), orders, "{}", system.name);
    }
}

// Outcomes.

/// Three that look, put in what is not there, and look again.
fn three_at_once() -> System {
    let look_and_insert = |cx: Cx| async move {
        let reservations = cx.collection::<Document>(RESERVATIONS);
        if reservations.find_one(by_id("resource-1")).await?.is_none() {
            let made = doc! {"_id": "resource-1", "worker_name": cx.process()};
            match reservations.insert_one(&made).await {
                Err(error) if !error.is_duplicate_key() => return Err(error),
                _ => {}
            }
        }
        reservations.find_one(by_id("resource-1")).await.map(|_| ())
    };
    let process = |number: u32| Process::new(format!("process-{number}")).then(look_and_insert);
    System { processes: (1..=3).map(process).collect(), ..reference(1, 1, 1, 1) }
}

/// Systems that both exhaustive engines exhaust in no time: right and broken designs, a store that
/// lies, and a broker with its workers.
fn small_systems() -> Vec<System> {
    let inline = [
        "reference",
        "story-898-two-resources",
        "story-898-save",
        "story-898-no-worker-index",
        "story-898-broken-store",
        "story-898-quiet",
        "per-task-inline",
    ];
    let mut systems = inline.map(shipped_system).to_vec();
    systems.extend([reference(2, 1, 1, 1), three_at_once()]);
    systems.extend([Design::Story898, Design::PerTask].map(one_task_in_full));
    systems
}

#[test]
fn loom_and_shuttle_come_to_the_same_outcomes() {
    for system in small_systems() {
        let [by_loom, by_dfs] =
            EXHAUSTIVE.map(|engine| outcomes(engine, &system, &with_outcomes()));
        println!("{}: {} outcomes", system.name, by_loom.len());
        assert!(by_loom == by_dfs, "{}: {} and {}", system.name, by_loom.len(), by_dfs.len());
    }
}

#[test]
fn the_doorway_comes_to_the_same_outcomes_on_threads() {
    for model in ["doorway-queued", "doorway-cost"] {
        let system = shipped_system(model);
        let [by_loom, by_dfs] = EXHAUSTIVE.map(|engine| engine(&system, &with_outcomes()));
        assert_eq!(by_loom.stopped, None, "{model}");
        assert!(executions(&by_loom) < executions(&by_dfs), "{model}");
        assert!(by_loom.outcomes == by_dfs.outcomes, "{model}");
    }
}

#[test]
fn loom_and_shuttle_come_to_the_same_verdicts() {
    for system in small_systems() {
        let [by_loom, by_dfs] = EXHAUSTIVE.map(|engine| engine(&system, &Options::default()));
        let verdicts = |report: &Report| -> Vec<_> {
            report
                .findings
                .iter()
                .map(|finding| (finding.property.clone(), finding.verdict))
                .collect()
        };
        assert_eq!(verdicts(&by_loom), verdicts(&by_dfs), "{}", system.name);
    }
}

#[test]
fn a_search_by_replay_comes_to_the_same_outcomes() {
    for system in small_systems() {
        let by_replay = brute::search(&system);
        for engine in EXHAUSTIVE {
            let report = engine(&system, &with_outcomes());
            let found: BTreeSet<_> =
                report.outcomes.as_ref().unwrap().iter().map(brute::End::of).collect();
            let (name, engine) = (&system.name, report.engine);
            assert!(found == by_replay.ends, "{name} by {engine}: {} ends", found.len());
        }
        let by_dfs = by_dfs(&system, &Options::default());
        assert_eq!(by_replay.runs, executions(&by_dfs), "{}", system.name);
    }
}

#[test]
fn an_engine_that_drops_interleavings_fails_the_comparison() {
    let sabotaged = Options { sabotage: Some(Sabotage::DropInterleavings), ..with_outcomes() };
    let system = shipped_system("story-898-save");
    let whole = outcomes(by_dfs, &system, &with_outcomes());
    for engine in EXHAUSTIVE {
        let fewer = outcomes(engine, &system, &sabotaged);
        assert!(!fewer.is_empty() && fewer != whole, "{} of {}", fewer.len(), whole.len());
    }
}

// What an engine may not say.

/// Whether every engine but `engine` is left out, the search is inconclusive and says why.
fn assert_gave_up(report: &Report, why: &str) {
    assert_eq!(report.verdict(), Verdict::Inconclusive, "{}", report.engine);
    let stopped = report.stopped.as_deref().unwrap_or_default();
    assert!(stopped.contains(why), "{} says {stopped:?} and not {why:?}", report.engine);
}

#[test]
fn a_limit_of_executions_is_inconclusive() {
    let limits = Limits { executions: Some(10), ..Limits::default() };
    for engine in ALL {
        let report = engine(&reference(2, 1, 1, 2), &Options { limits, ..Options::default() });
        assert_gave_up(&report, "the limit of 10 executions");
        assert_eq!((executions(&report), report.cut_short), (10, true), "{}", report.engine);
    }
}

#[test]
fn a_limit_of_time_is_inconclusive() {
    let limits = Limits { time: Some(Duration::from_millis(50)), ..Limits::default() };
    for engine in EXHAUSTIVE {
        let report = engine(&reference(2, 2, 1, 2), &Options { limits, ..Options::default() });
        assert_gave_up(&report, "the limit of 0.1 s");
        assert!(report.cut_short && report.time < Duration::from_secs(5), "{}", report.engine);
    }
}

#[test]
fn a_search_that_is_cancelled_is_inconclusive() {
    for engine in ALL {
        let cancel = Cancel::default();
        cancel.cancel();
        let report = engine(&reference(2, 1, 1, 2), &Options { cancel, ..Options::default() });
        assert_gave_up(&report, "cancelled");
        assert!(report.cut_short && executions(&report) <= 1, "{}", report.engine);
    }
}

#[test]
fn a_limit_does_not_hide_a_violation() {
    let limits = Limits { executions: Some(200), ..Limits::default() };
    for engine in EXHAUSTIVE {
        let report =
            engine(&shipped_system("per-task-inline"), &Options { limits, ..Options::default() });
        assert_eq!(report.verdict(), Verdict::Violated, "{}", report.engine);
    }
}

#[test]
fn many_runs_are_not_all_runs() {
    for engine in [by_random, by_pct] {
        let report = engine(&reference(2, 1, 1, 2), &Options::default());
        assert_gave_up(&report, "makes some runs and not all");
        assert_eq!((executions(&report), report.cut_short), (300, false), "{}", report.engine);
    }
}

#[test]
fn loom_does_not_run_five_processes() {
    assert_gave_up(&by_loom(&reference(5, 1, 1, 1), &Options::default()), "at most 4 processes");
    let idle = |number: u32| Process::new(format!("idle-{number}"));
    let four = System { processes: (0..4).map(idle).collect(), ..reference(1, 1, 1, 1) };
    assert_eq!(by_loom(&four, &Options::default()).stopped, None);
}

#[test]
fn nothing_is_never_verified() {
    let (processes, history) = (Vec::new(), Vec::new());
    let no_process = System { processes, history, ..reference(2, 1, 1, 2) };
    let no_property = System { properties: Vec::new(), ..reference(2, 1, 1, 2) };
    for engine in ALL {
        for system in [&no_process, &no_property] {
            let report = engine(system, &Options::default());
            assert_eq!(report.verdict(), Verdict::Inconclusive, "{}", report.engine);
        }
    }
}

// Replay.

#[test]
fn each_counterexample_replays() {
    let mut replayed = 0;
    for system in small_systems() {
        for engine in ALL {
            let report = engine(&system, &Options::default());
            for found in report.findings.iter().filter_map(|one| one.counterexample.as_ref()) {
                let replay = system.replay(&found.schedule).unwrap();
                let fall = (found.property.clone(), found.schedule.len(), found.why.clone());
                assert!(replay.fallen.contains(&fall), "{}: {fall:?}", system.name);
                assert_eq!(replay.steps, found.steps);
                replayed += 1;
            }
        }
    }
    assert!(replayed >= 5 * ALL.len(), "only {replayed}");
}

#[test]
fn a_counterexample_is_the_shortest_of_all_runs() {
    for system in small_systems() {
        let shortest = brute::search(&system).shortest;
        for finding in by_dfs(&system, &Options::default()).findings {
            let length = finding.counterexample.map(|found| found.schedule.len());
            assert_eq!(length, shortest.get(&*finding.property).copied(), "{}", finding.property);
        }
    }
}

fn schedule(words: &str) -> Vec<Text> {
    words.split_whitespace().map(Text::from).collect()
}

#[test]
fn a_stale_schedule_says_where_it_parts() {
    let system = reference(2, 1, 1, 2);
    let stale = |words: &str| system.replay(&schedule(words)).unwrap_err();
    assert_eq!(
        stale("manager-1 manager-2 manager-3").to_string(),
        "step 3: expected a step of manager-3, but there is no such process; \
         those that can: manager-1, manager-2"
    );
    let alone = "manager-1 ".repeat(5);
    assert_eq!(stale(&format!("{alone} manager-1")).step, 6);
    assert_eq!(
        stale(&format!("{alone} manager-1 manager-2")).to_string(),
        "step 6: expected a step of manager-1, which cannot take one (ended); \
         those that can: manager-2"
    );
    assert!(!system.replay(&schedule(&alone)).unwrap().complete);
    let all = format!("{alone} {}", alone.replace('1', "2"));
    assert!(system.replay(&schedule(&all)).unwrap().complete);
    assert!(stale(&format!("{all} manager-2")).to_string().ends_with("the run is over"));
}

// Seeds.

#[test]
fn a_seed_gives_the_same_runs_again() {
    let system = shipped_system("story-898-two-managers");
    let run = |choose| {
        let report = shuttle::check(&system, choose, &with_outcomes());
        let schedules = report
            .findings
            .iter()
            .map(|finding| finding.counterexample.as_ref().map(|found| found.schedule.clone()));
        (steps(&report), schedules.collect::<Vec<_>>(), report.outcomes.unwrap())
    };
    for choose in [random, pct] {
        let first = run(choose(7));
        assert!(first == run(choose(7)), "{:?}", choose(7));
        assert!(first != run(choose(8)), "{:?}", choose(8));
    }
}

// Another body.

/// The reference model in the size 2x1x1x2, with this in place of its reserve.
fn reserving<A, E>(reserve: fn(Cx, Task) -> A) -> System
where
    A: Future<Output = Result<Text, E>> + Send + 'static,
    E: Debug + 'static,
{
    let manager = |number: u32| {
        let task = Task::new(format!("task-{number}"), "resource-1");
        Process::new(format!("manager-{number}")).then(move |cx| {
            let task = task.clone();
            async move {
                let worker =
                    reserve(cx.clone(), task.clone()).await.map_err(|e| format!("{e:?}"))?;
                cx.observe(task.event_on(Task::STARTED, &worker));
                story898::release(&cx, &task).await.map_err(|error| error.to_string())?;
                cx.observe(task.event_on(Task::FINISHED, &worker));
                Ok::<_, String>(())
            }
        })
    };
    System { processes: (1..=2).map(manager).collect(), ..reference(2, 1, 1, 2) }
}

type Reserved = Result<Text, ReservationError>;

async fn as_in_the_story(cx: Cx, task: Task) -> Reserved {
    story898::reserve(&cx, &task).await
}

/// Takes whatever reservation there is for its own: the unique `_id` stops nobody.
async fn by_upsert(cx: Cx, task: Task) -> Reserved {
    for worker in workers(&cx).find(all()).await? {
        let bind = set("worker_name", &worker.name).push("task_ids", &task.id);
        let reservations = cx.collection::<Document>(RESERVATIONS);
        if reservations.update_one(by_id(&task.resource), bind).upsert(true).await.is_ok() {
            cx.observe(task.event(Task::QUEUED));
            return Ok(if task.id.ends_with('1') { worker.name } else { "worker-2".into() });
        }
    }
    Ok("worker-2".into())
}

/// Looks, and then overwrites what came between.
async fn by_look_and_save(cx: Cx, task: Task) -> Reserved {
    let reservations = cx.collection::<Document>(RESERVATIONS);
    if reservations.find_one(by_id(&task.resource)).await?.is_some() {
        reservations.update_one(by_id(&task.resource), push("task_ids", &task.id)).await?;
    } else {
        let bind = set("worker_name", "worker-1").set("task_ids", [&task.id]);
        reservations.update_one(by_id(&task.resource), bind).upsert(true).await?;
    }
    cx.observe(task.event(Task::QUEUED));
    Ok("worker-1".into())
}

/// A worker of its own, and no reservation.
async fn without_looking(cx: Cx, task: Task) -> Reserved {
    cx.step("think").await;
    Ok(format!("worker-{}", &task.id[task.id.len() - 1..]).into())
}

/// Waits for a reservation that nobody makes.
async fn by_waiting(cx: Cx, task: Task) -> Reserved {
    while cx.collection::<Document>(RESERVATIONS).find_one(by_id(&task.resource)).await?.is_none() {
        cx.pause(Wake::Changed).await;
    }
    Ok("worker-1".into())
}

#[test]
fn another_body_of_reserve_fells_every_engine() {
    let broken = [
        (reserving(by_upsert), "exclusivity"),
        (reserving(by_look_and_save), "kept"),
        (reserving(without_looking), "exclusivity"),
        (reserving(by_waiting), "no-deadlock"),
    ];
    for (system, property) in broken {
        for engine in EVERY {
            let report = engine(&system, &Options::default());
            assert_eq!(report.verdict(), Verdict::Violated, "{property} by {}", report.engine);
            let of_property = report.of(property).unwrap();
            assert_eq!(of_property.verdict, Verdict::Violated, "{property} by {}", report.engine);
        }
    }
}

#[test]
fn the_story_body_in_the_same_place_fells_none() {
    let system = reserving(as_in_the_story);
    for engine in [by_explorer, by_loom, by_dfs] {
        assert_eq!(engine(&system, &Options::default()).verdict(), Verdict::Verified);
    }
    for engine in [by_random, by_pct] {
        assert_eq!(engine(&system, &Options::default()).verdict(), Verdict::Inconclusive);
    }
}
