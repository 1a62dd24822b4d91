//! The front door: checks of one's own code, and what they say.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorway::check::engine::Limits;
use doorway::check::{Check, Cx, Faults, Monitor, NoFailure, Process, Step, Verdict, View};
use doorway::doc;
use doorway::env::{Env, Queues, Wake, until};
use doorway::store::filter::by_id;
use doorway::store::update::inc;
use doorway::store::{Document, Index, Store, StoreError, Value};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Counter {
    #[serde(rename = "_id")]
    id: String,
    n: i64,
}

/// A lock that is right: the index on `_id` lets one insert through.
async fn lock_work_unlock(cx: Cx) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks");
    cx.within("queue", async {
        until(&cx, || async {
            match locks.insert_one(&doc! {"_id": "printer"}).await {
                Err(error) if error.is_duplicate_key() => Err(Wake::Changed),
                done => Ok(done),
            }
        })
        .await
    })
    .await?;
    cx.within("work", async {}).await;
    locks.delete_one(by_id("printer")).await.map(|_| ())
}

/// A lock that looks and then writes.
async fn look_then_write(cx: Cx) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks");
    if locks.find_one(by_id("printer")).await?.is_none() {
        locks.replace_one(by_id("printer"), doc! {"owner": cx.process()}).upsert(true).await?;
        cx.within("work", async {}).await;
        locks.delete_one(by_id("printer")).await?;
    }
    Ok(())
}

/// Reads, and writes one more.
async fn read_then_write(cx: Cx) -> Result<(), StoreError> {
    let counters = cx.collection::<Counter>("counters");
    let mut counter = counters.find_one(by_id("c")).await?.unwrap();
    counter.n += 1;
    counters.replace_one(by_id("c"), &counter).await.map(|_| ())
}

async fn increment(cx: Cx) -> Result<(), StoreError> {
    cx.collection::<Counter>("counters").update_one(by_id("c"), inc("n", 1)).await.map(|_| ())
}

async fn nothing(_: Cx) {}

fn lock<F, A>(body: F) -> Check
where
    F: Fn(Cx) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Check::new("my lock")
        .collection("locks", [])
        .processes(["a", "b"], body)
        .always("exclusive", |world| world.inside("work") <= 1)
}

fn counter() -> Check {
    Check::new("counter").document("counters", Counter { id: "c".into(), n: 0 }).at_end(
        "two",
        |world| match world.get::<Counter>("counters", "c") {
            Some(Counter { n: 2, .. }) => Ok(()),
            Some(Counter { n, .. }) => Err(format!("the counter is {n}")),
            None => Err("the counter is gone".into()),
        },
    )
}

/// The message with which a closure panics.
fn panic_of<T>(fails: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(fails()))).expect_err("it passes");
    panic.downcast_ref::<String>().expect("a message").clone()
}

/// Why a check has no verdict.
fn why_none(check: &Check) -> String {
    let error = check.try_explore().expect_err("it has a verdict").to_string();
    assert_eq!(panic_of(|| check.explore()), error, "explore says the same");
    error
}

#[test]
fn a_lock_that_is_right_is_verified_and_says_what_was_covered() {
    let checked = lock(lock_work_unlock)
        .reachable("one works, one waits", |world| {
            world.inside("work") == 1 && world.inside("queue") == 1
        })
        .at_end("no lock is left", |world| world.documents::<Document>("locks").is_empty())
        .explore();
    checked.assert_verified();
    assert_eq!(checked.verdict(), Verdict::Verified);
    let told = checked.to_string();
    let expected = "my lock is verified by explore\n  \
        verified exclusive, one works, one waits, no lock is left, no-deadlock, no-failure\n";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.contains(" states, ") && told.ends_with("with no faults"), "{told}");
}

#[test]
fn a_lock_that_looks_and_then_writes_is_violated_with_the_run() {
    let checked = lock(look_then_write).explore();
    checked.assert_violates("exclusive");
    let message = panic_of(|| checked.assert_verified().clone());
    assert_eq!(message, format!("not verified: {checked}"));
    assert!(message.contains("violated exclusive after 7 steps: it does not hold, with a and b"));
    assert!(message.contains("\n     1  a  locks.find_one({_id: \"printer\"})\n"), "{message}");
    let found = checked.counterexample("exclusive").unwrap();
    let schedule = found.schedule.join(" ");
    assert!(message.contains(&format!("replay: .replay(\"{schedule}\")")), "{message}");
    assert!(checked.counterexample("no-failure").is_none());
}

/// As text and as data: what stands in the snapshots is what a person reads and what a tool gets.
#[test]
fn a_counterexample_in_both_of_its_forms() {
    let checked = lock(look_then_write).explore();
    insta::assert_snapshot!("counterexample", checked);
    let found = checked.counterexample("exclusive").unwrap();
    insta::assert_snapshot!("counterexample-json", serde_json::to_string_pretty(found).unwrap());
}

#[test]
fn what_a_result_says_is_told() {
    let checked = counter().processes(["a", "b"], read_then_write).explore();
    checked.assert_violates("two");
    assert_eq!(checked.counterexample("two").unwrap().why, "the counter is 1");
    counter().processes(["a", "b"], increment).explore().assert_verified();
}

#[test]
fn a_schedule_replays_and_may_be_edited() {
    let check = counter().processes(["a", "b"], read_then_write);
    let replay = check.replay("a b\na b");
    assert_eq!(replay.assert_violates("two").fell("two"), Some("the counter is 1"));
    let edited = check.replay("a a b b");
    assert!(edited.fallen.is_empty() && edited.complete);
    let message = panic_of(|| edited.assert_violates("two").clone());
    assert!(message.starts_with("two does not fall in this run:\n     1  a  "), "{message}");
    assert!(message.ends_with("no property fell; the run is over\n"), "{message}");
}

#[test]
fn a_stale_schedule_says_where_it_parts() {
    let check = counter().processes(["a", "b"], increment);
    let stale = check.try_replay("a a").unwrap_err().to_string();
    assert_eq!(
        stale,
        "counter: no verdict: step 2: expected a step of a, which cannot take one (ended); those \
         that can: b"
    );
    assert_eq!(panic_of(|| check.replay("a a")), stale);
    let unknown = check.try_replay("c").unwrap_err().to_string();
    assert!(unknown.contains("step 1: expected a step of c, but there is no such process"));
}

#[test]
fn what_no_run_reaches_is_vacuous_and_fails() {
    let checked =
        lock(lock_work_unlock).reachable("both work", |world| world.inside("work") == 2).explore();
    let message = panic_of(|| checked.assert_verified().clone());
    assert!(message.contains("vacuous both work: no run gets there"), "{message}");
    let message = panic_of(|| checked.assert_violates("both work").clone());
    assert!(message.starts_with("both work is not violated"), "vacuous is not violated: {message}");
    assert_eq!(checked.witness("both work"), None);
}

#[test]
fn what_a_run_reaches_has_a_witness_that_replays() {
    let check = lock(lock_work_unlock).reachable("one works", |world| world.inside("work") == 1);
    let schedule = check.explore().assert_verified().witness("one works").unwrap();
    let replay = check.replay(&schedule);
    assert_eq!(replay.steps.last().unwrap().request, "enter work");
    assert!(replay.fallen.is_empty(), "to get there is no violation");
}

#[test]
fn a_place_where_nobody_is_makes_a_property_vacuous() {
    let checked =
        lock(lock_work_unlock).always("slip", |world| world.inside("wrok") <= 1).explore();
    assert_eq!(checked.verdict(), Verdict::Violated);
    let message = panic_of(|| checked.assert_verified().clone());
    assert!(message.contains("vacuous slip: no process is ever within \"wrok\""), "{message}");
    assert!(message.contains("verified exclusive"), "{message}");
}

#[test]
fn who_was_where_in_one_search_does_not_count_in_another() {
    let claim = Check::new("shared").always("p", |world| world.inside("work") <= 1);
    let works = |cx: Cx| async move { cx.within("work", async {}).await };
    claim.clone().process("a", works).explore().assert_verified();
    let checked = claim.process("a", nothing).explore();
    assert!(checked.to_string().contains("vacuous p"), "{checked}");
}

#[test]
fn a_search_that_did_not_end_is_never_verified() {
    let few = Limits { states: Some(5), ..Limits::default() };
    let checked = lock(lock_work_unlock)
        .reachable("one works", |world| world.inside("work") == 1)
        .limits(few)
        .explore();
    assert_eq!(checked.assert_inconclusive().verdict(), Verdict::Inconclusive);
    let message = panic_of(|| checked.assert_verified().clone());
    assert!(message.contains("not every run was seen: the limit of 5 states"), "{message}");
    let message = panic_of(|| checked.assert_violates("exclusive").clone());
    assert!(message.starts_with("exclusive is not violated: my lock is inconclusive"), "{message}");
    let ended = lock(lock_work_unlock).explore();
    assert!(panic_of(|| ended.assert_inconclusive().clone()).starts_with("not inconclusive: "));
    let shallow = Limits { depth: Some(1), ..Limits::default() };
    lock(look_then_write).limits(shallow).explore().assert_inconclusive();
    let hasty = Limits { time: Some(Duration::ZERO), ..Limits::default() };
    lock(lock_work_unlock).limits(hasty).explore().assert_inconclusive();
}

#[test]
fn a_property_that_is_not_there_is_told() {
    let checked = lock(lock_work_unlock).explore();
    let message = panic_of(|| checked.assert_violates("exlusive").clone());
    assert_eq!(
        message,
        "my lock has no property exlusive; it has exclusive, no-deadlock, no-failure"
    );
}

#[test]
fn a_deadlock_and_a_failure_fall_unless_waived() {
    let waits = Check::new("waits").process("a", |cx: Cx| async move {
        cx.pause(Wake::When(Vec::new())).await;
    });
    waits.explore().assert_violates("no-deadlock");
    waits.waive("no-deadlock").explore().assert_verified();
    let fails = Check::new("fails").process("a", |cx: Cx| async move {
        cx.step("once").await;
        Err::<(), _>("no paper")
    });
    let found = fails.explore();
    found.assert_violates("no-failure");
    assert!(found.to_string().contains("a stopped: no paper"));
    fails.waive("no-failure").explore().assert_verified();
    let panics = Check::new("panics").process("a", |cx: Cx| async move {
        cx.step("once").await;
        assert!(cx.process().is_empty(), "no paper");
    });
    assert!(panics.explore().assert_violates("no-failure").to_string().contains("no paper"));
}

#[test]
fn who_crashes_or_fails_within_a_place_is_outside() {
    let crashed = Check::new("crash")
        .process("a", |cx: Cx| async move { cx.within("work", cx.step("print")).await })
        .at_end("outside", |world| world.inside("work") == 0)
        .faults(Faults::default().crashes(1).without_restart());
    crashed.explore().assert_verified();
    let failed = Check::new("failure")
        .process("a", |cx: Cx| async move {
            cx.within("work", async {
                cx.step("print").await;
                panic!("no paper");
            })
            .await;
        })
        .at_end("outside", |world| world.inside("work") == 0)
        .waive("no-failure");
    failed.explore().assert_verified();
    let stuck = Check::new("stuck")
        .process("a", |cx: Cx| async move {
            cx.within("work", cx.pause(Wake::When(Vec::new()))).await;
        })
        .at_end("outside", |world| world.inside("work") == 0)
        .waive("no-deadlock");
    assert_eq!(
        stuck.explore().assert_violates("outside").counterexample("outside").unwrap().why,
        "it does not hold, with a within work"
    );
}

#[test]
fn a_process_may_be_within_a_place_twice() {
    let check = Check::new("nested")
        .process("a", |cx: Cx| async move {
            cx.within("work", async { cx.within("work", cx.step("inner")).await }).await;
            cx.within("rest", async {}).await;
        })
        .always("one", |world| world.inside("work") <= 1)
        .always("not both", |world| world.inside("work") == 0 || world.inside("rest") == 0)
        .always("named", |world| world.insiders("work").iter().all(|name| &**name == "a"));
    check.explore().assert_verified();
}

#[test]
fn faults_find_what_is_wrong_and_say_so() {
    let faults = Faults::default().crashes(1);
    let checked = lock(lock_work_unlock).faults(faults).explore();
    checked.assert_violates("no-deadlock");
    assert!(checked.to_string().ends_with("with 1 crash"), "{checked}");
    let schedule = checked.counterexample("no-deadlock").unwrap().schedule.join(" ");
    assert!(schedule.contains("crash:"), "{schedule}");
    let again = lock(lock_work_unlock).faults(Faults::default().crashes(1)).replay(&schedule);
    again.assert_violates("no-deadlock");
    let lost = Faults::default().unknown_outcomes(1).among(["a"]);
    let checked = lock(lock_work_unlock).faults(lost).explore();
    checked.assert_violates("no-failure");
    assert!(checked.to_string().ends_with("with 1 unknown outcome of a"), "{checked}");
}

#[test]
fn queues_indexes_and_activities_are_there() {
    let check = Check::new("worker")
        .collection("seen", [Index::unique(["task"])])
        .message("tasks", doc! {"n": 1})
        .message("tasks", doc! {"n": 2})
        .with(
            Process::new("worker")
                .then(|cx: Cx| async move {
                    let task = cx.receive("tasks").await;
                    cx.acknowledge("tasks", &task).await;
                })
                .then(|cx: Cx| async move {
                    let task = cx.take("tasks").await;
                    let seen = cx.collection::<Document>("seen");
                    seen.insert_one(&doc! {"_id": 1, "task": task.get("n").unwrap()}).await?;
                    seen.insert_one(&doc! {"_id": 2, "task": task.get("n").unwrap()}).await
                }),
        )
        .always("few", |world| world.queue::<Document>("tasks").len() <= 2)
        .at_end("second seen", |world| {
            world.documents::<Document>("seen") == [doc! {"_id": 1, "task": 2}]
        });
    let checked = check.explore();
    checked.assert_violates("no-failure");
    assert!(checked.to_string().contains("duplicate key in seen, index task_1"));
    check.waive("no-failure").explore().assert_verified();
}

/// A property with a memory: nobody comes in twice.
struct InOnce(String);

impl Monitor for InOnce {
    fn name(&self) -> &str {
        &self.0
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let Some(doorway::check::Request::Enter(_)) = step.request() else { return Ok(()) };
        let process = step.process().unwrap();
        if memory.get(process) == Some(&Value::Bool(true)) {
            return Err(format!("{process} comes in a second time"));
        }
        memory.set(process.clone(), true);
        memory.sort_fields();
        Ok(())
    }
}

#[test]
fn a_monitor_has_a_memory_and_a_name_of_its_own() {
    let once = |cx: Cx| async move { cx.within("work", async {}).await };
    let check = |name: &str| Check::new("once").monitor(InOnce(name.to_owned()));
    check("in once").processes(["a", "b"], once).explore().assert_verified();
    let twice = Process::new("a").then(once).then(once);
    let checked = check(&format!("in {}", "once")).with(twice).explore();
    assert_eq!(
        checked.assert_violates("in once").counterexample("in once").unwrap().why,
        "a comes in a second time"
    );
}

#[test]
fn a_property_that_never_holds_is_a_mistake_in_the_check() {
    let never = lock(lock_work_unlock).always("never", |_| false);
    let why = "never does not hold before any process has taken a step: it does not hold";
    assert_eq!(why_none(&never), format!("my lock: no verdict: {why}"));
    let other = |world: &View<'_>| match world.documents::<Document>("locks").is_empty() {
        true => Err("there is no lock"),
        false => Ok(()),
    };
    let why = "locked does not hold before any process has taken a step: there is no lock";
    let at_first = lock(lock_work_unlock).always("locked", other);
    assert_eq!(why_none(&at_first), format!("my lock: no verdict: {why}"));
}

/// Draws a number that is seldom 0.
fn chance() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish() % 16
}

#[test]
fn who_draws_from_a_random_source_and_seldom_acts_on_it_is_refused_by_name() {
    let check = lock(|cx: Cx| async move {
        let found = cx.collection::<Document>("locks").find_one(by_id("printer")).await?;
        if found.is_none() && chance() == 0 {
            cx.within("work", async {}).await;
        }
        Ok(())
    });
    // Which of the two is found out first is chance too.
    let why = check.try_explore().expect_err("it has a verdict").to_string();
    assert!(why.contains(" is not a function of the answers that it gets"), "{why}");
    assert!(
        why.contains("once it ends, and once it asks `enter work`")
            || why.contains("once it asks `enter work`, and once it ends"),
        "{why}"
    );
}

#[test]
fn a_check_that_is_not_put_together_has_no_verdict() {
    let one = || Check::new("odd").process("a", nothing);
    let cases: [(Check, &str); 12] = [
        (Check::new("odd"), "it has no process: nothing runs"),
        (one().waive("no-deadlock").waive("no-failure"), "it has no property: nothing is checked"),
        (one().process("a", nothing), "two processes are called a"),
        (one().always("p", |_| true).at_end("p", |_| true), "two properties are called p"),
        (one().monitor(NoFailure), "two properties are called no-failure"),
        (
            one().process("b c", nothing),
            "a process cannot be called \"b c\": schedules are made of names, so a name is one \
             word, without a colon",
        ),
        (
            one().process("crash:a", nothing),
            "a process cannot be called \"crash:a\": schedules are made of names, so a name is \
             one word, without a colon",
        ),
        (one().waive("exclusive"), "exclusive cannot be waived: it is not always there"),
        (
            one().faults(Faults::default().crashes(1).among(["b"])),
            "faults are to happen to b, and there is no such process",
        ),
        (
            one().document("c", doc! {"_id": 1}).document("c", doc! {"_id": 1}),
            "c cannot be set up: duplicate key in c, index _id_",
        ),
        (
            one().document("c", 7),
            "c cannot be set up: document and type do not fit: a long is not a document",
        ),
        (
            one().message("q", "text"),
            "q cannot be set up: document and type do not fit: a string is not a document",
        ),
    ];
    for (check, why) in cases {
        assert_eq!(why_none(&check), format!("odd: no verdict: {why}"));
        let error = check.try_replay("a").unwrap_err().to_string();
        assert_eq!(error, format!("odd: no verdict: {why}"), "replay refuses it too");
    }
}

#[test]
fn a_property_that_panics_gives_no_verdict() {
    let panics = lock(lock_work_unlock).always("odd", |world| {
        assert!(world.inside("work") == 0, "not prepared for this");
        true
    });
    let why = "my lock: no verdict: the property odd panicked: not prepared for this";
    assert_eq!(why_none(&panics), why);
    let schedule = lock(lock_work_unlock)
        .reachable("in", |world| world.inside("work") > 0)
        .explore()
        .witness("in")
        .unwrap();
    assert_eq!(panics.try_replay(&schedule).unwrap_err().to_string(), why);
    let misfit = counter()
        .process("a", |cx: Cx| async move {
            let counters = cx.collection::<Document>("counters");
            counters.replace_one(by_id("c"), doc! {"n": "many"}).await.map(|_| ())
        })
        .always("typed", |world| world.documents::<Counter>("counters").len() == 1);
    let why = why_none(&misfit);
    assert!(why.contains("the property typed panicked: looks at counters: document and type"));
}

#[test]
fn a_process_that_draws_on_something_else_is_named() {
    let shared = Arc::new(AtomicUsize::new(0));
    let check = Check::new("draws").process("gambler", move |cx: Cx| {
        let turn = shared.fetch_add(1, Ordering::Relaxed);
        async move { cx.step(&format!("turn {turn}")).await }
    });
    let error = check.try_explore().unwrap_err();
    let why = error.to_string();
    let expected = "draws: no verdict: gambler is not a function of the answers that it gets";
    assert!(why.starts_with(expected), "{why}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_check_can_be_run_again() {
    let check = lock(look_then_write);
    assert_eq!(check.explore().to_string(), check.clone().explore().to_string());
}

#[cfg(any(feature = "loom", feature = "shuttle"))]
mod on_threads {
    use super::*;

    /// Each engine on threads, if its feature is on.
    fn engines() -> Vec<fn(&Check) -> doorway::check::Checked> {
        vec![
            #[cfg(feature = "loom")]
            (|check| check.loom()),
            #[cfg(feature = "shuttle")]
            (|check| check.shuttle(doorway::check::engine::shuttle::Choose::DepthFirst)),
        ]
    }

    #[test]
    fn they_come_to_the_same() {
        for run in engines() {
            run(&lock(lock_work_unlock).reachable("in", |world| world.inside("work") == 1))
                .assert_verified();
            run(&lock(look_then_write)).assert_violates("exclusive");
            let never = lock(lock_work_unlock).reachable("both", |world| world.inside("work") == 2);
            assert!(run(&never).to_string().contains("vacuous both: no run gets there"));
        }
    }

    #[test]
    fn a_property_that_panics_gives_no_verdict_there_either() {
        let panics = lock(lock_work_unlock).always("odd", |world| {
            assert!(world.inside("work") == 0, "not prepared for this");
            true
        });
        for run in engines() {
            let why = "my lock: no verdict: the property odd panicked: not prepared for this";
            assert_eq!(panic_of(|| run(&panics)), why);
        }
    }

    #[test]
    fn faults_are_left_out_and_that_is_inconclusive() {
        let check = lock(lock_work_unlock).faults(Faults::default().crashes(1));
        for run in engines() {
            run(&check).assert_inconclusive();
        }
    }
}
