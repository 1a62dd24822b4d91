//! Guards beside the work of a process: strands of it, explored as the code ships.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doorway::check::{Check, Checked, Coverage, Cx, Faults, Guards, Monitor, StaleSchedule, Step};
use doorway::doc;
use doorway::env::{Condition, Env, Wake, forever};
use doorway::store::filter::{by_id, missing};
use doorway::store::update::inc;
use doorway::store::{Document, Store, StoreError};

const PERIOD: Duration = Duration::from_secs(5);

fn states_and_transitions(checked: &Checked) -> (u64, u64) {
    match checked.report().coverage {
        Coverage::States { states, transitions, .. } => (states, transitions),
        Coverage::Executions { .. } => (0, 0),
    }
}

/// The work takes two steps and the guard one, and then each its last, at which it ends; so before that
/// there are 3 times 2 states. Then there is one for each of the ways in which it ends, and the end.
///
/// In a row of 3 states the work takes 2 steps, and ends in 1: 3 for each of 2. In a row of 2 the guard
/// takes 1 step, and ends in 1: 2 for each of 3. Two more steps lead to the end.
#[test]
fn two_strands_race_as_counted_by_hand() {
    let check = Check::new("race").process("p", |cx: Cx| async move {
        let guard = cx.step("guards");
        let work = async {
            cx.step("works").await;
            cx.step("goes on").await;
        };
        match cx.beside(guard, work).await {
            Some(()) => cx.step("is done").await,
            None => cx.step("is stopped").await,
        }
    });
    let checked = check.explore();
    checked.assert_verified();
    assert_eq!(states_and_transitions(&checked), (3 * 2 + 2 + 1, 2 * 3 + 3 * 2 + 2));
    let alone = check.guards(Guards::LeftOut).explore();
    alone.assert_verified();
    assert_eq!(states_and_transitions(&alone), (4, 3));
    assert!(alone.to_string().ends_with("guards left out"), "{alone}");
    assert!(!checked.to_string().contains("left out"), "{checked}");
}

/// A worker registers, and works as long as it is registered, or so it thinks: its heart says that it is
/// alive. A watcher declares it dead, and from then on it must not be there.
fn declared_dead(resurrects: bool) -> Check {
    let work = move |cx: Cx| async move {
        let workers = cx.collection::<Document>("workers");
        workers.insert_one(&doc! {"_id": "worker", "beats": 0}).await?;
        let heart = forever(&cx, || async {
            cx.rest(PERIOD).await;
            let beat = workers.update_one(by_id("worker"), inc("beats", 1)).upsert(resurrects);
            if beat.await.is_ok_and(|beat| beat.matched == 0 && !resurrects) {
                Err(())
            } else {
                Ok(())
            }
        });
        let heart = async {
            let _: Result<(), ()> = heart.await;
        };
        match cx.beside(heart, cx.step("work")).await {
            Some(()) => workers.delete_one(by_id("worker")).await.map(|_| ()),
            None => Ok(()),
        }
    };
    let watch = |cx: Cx| async move {
        if cx.collection::<Document>("workers").delete_one(by_id("worker")).await? == 1 {
            cx.collection::<Document>("dead").insert_one(&doc! {"_id": "worker"}).await?;
        }
        Ok::<(), StoreError>(())
    };
    Check::new("declared dead")
        .process("worker", work)
        .process("watcher", watch)
        .always("the dead stay dead", |world| {
            world.documents::<Document>("dead").is_empty()
                || world.documents::<Document>("workers").is_empty()
        })
        .reachable("it is declared dead", |world| !world.documents::<Document>("dead").is_empty())
}

#[test]
fn a_heart_that_resurrects_the_dead_is_found_where_it_beats_and_nowhere_else() {
    declared_dead(false).explore().assert_verified();
    let check = declared_dead(true);
    let checked = check.explore();
    checked.assert_violates("the dead stay dead");
    let found = checked.counterexample("the dead stay dead").unwrap();
    let guard: Vec<_> =
        found.steps.iter().filter(|step| *step.process == *"worker/guard").collect();
    assert!(guard.iter().any(|step| step.request == "time has passed: rest"), "{found}");
    let schedule = found.schedule.join(" ");
    assert!(schedule.contains("rested:worker/guard worker/guard"), "{schedule}");
    check.replay(&schedule).assert_violates("the dead stay dead");
    check.clone().guards(Guards::LeftOut).explore().assert_verified();
    check.guards(Guards::Run { rests: 0 }).explore().assert_verified();
}

#[test]
fn a_schedule_that_is_stale_says_which_strand_it_was() {
    let stale = declared_dead(true).try_replay("worker worker/guard").unwrap_err();
    let source = std::error::Error::source(&stale).unwrap();
    let stale = source.downcast_ref::<StaleSchedule>().unwrap();
    assert_eq!((stale.step, &*stale.process), (2, "worker/guard"));
    assert_eq!(stale.enabled, ["worker".into(), "watcher".into()]);
    assert_eq!(stale.waits_for.as_deref(), Some("work, beside rest"));
    assert!(declared_dead(true).try_replay("worker worker/guard-2").is_err());
}

/// The worker is not heard of after its crash.
#[derive(Debug)]
struct Silent;

impl Monitor for Silent {
    fn name(&self) -> &str {
        "silent after its crash"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if step.process().is_none_or(|process| **process != *"worker") {
            return Ok(());
        }
        if step.crashed() {
            memory.set("crashed", true);
        } else if memory.get("crashed").is_some() {
            return Err(format!("{:?} after its crash", step.request()));
        }
        Ok(())
    }
}

#[test]
fn a_crash_takes_both_strands() {
    let check = declared_dead(false).monitor(Silent).reachable("the heart beats", |world| {
        world.documents::<Document>("workers").iter().any(|one| one.get("beats") > Some(&0.into()))
    });
    let gone = Faults::default().crashes(1).among(["worker"]).without_restart();
    let checked = check.clone().faults(gone).explore();
    checked.assert_verified();
    let words = checked.witness("the heart beats").unwrap();
    assert!(check.try_replay(&words).is_ok());
    let crashed = "worker crash:worker rested:worker/guard";
    assert!(
        check
            .clone()
            .faults(Faults::default().crashes(1).without_restart())
            .try_replay(crashed)
            .is_err()
    );
    // Where it starts again, it is heard of again.
    let restarts = declared_dead(false).waive("no-failure").monitor(Silent);
    restarts
        .faults(Faults::default().crashes(1))
        .explore()
        .assert_violates("silent after its crash");
}

#[test]
fn who_is_stopped_within_a_place_leaves_it() {
    let check = |stay: bool| {
        Check::new("stopped")
            .process("p", move |cx: Cx| async move {
                let notes = cx.collection::<Document>("notes");
                let inner = cx.beside(cx.rest(PERIOD), cx.within("room", cx.step("work")));
                let outcome = if stay { cx.within("house", inner).await } else { inner.await };
                if outcome.is_none() {
                    notes.insert_one(&doc! {"_id": "stopped"}).await?;
                }
                Ok::<(), StoreError>(())
            })
            .always("nobody is in the room then", |world| {
                world.documents::<Document>("notes").is_empty() || world.inside("room") == 0
            })
            .reachable("it is stopped", |world| !world.documents::<Document>("notes").is_empty())
            .reachable("it works", |world| world.inside("room") == 1)
    };
    check(false).explore().assert_verified();
    let stays = check(true).always("who is in the room is in the house", |world| {
        world.inside("room") <= world.inside("house")
    });
    stays.explore().assert_verified();
}

#[test]
fn what_a_stopped_work_saw_wakes_nobody() {
    let check = Check::new("stopped").process("p", |cx: Cx| async move {
        let notes = cx.collection::<Document>("notes");
        let read = |id: &'static str| notes.find_one(by_id(id));
        read("first").await?;
        let work = async {
            for id in ["a", "b"] {
                read(id).await?;
            }
            Ok::<(), StoreError>(())
        };
        if cx.beside(cx.rest(PERIOD), work).await.is_none() {
            cx.idle(Wake::Changed).await;
            cx.step("was woken").await;
        }
        Ok::<(), StoreError>(())
    });
    let other = |cx: Cx| async move {
        cx.collection::<Document>("notes").insert_one(&doc! {"_id": "b"}).await
    };
    let check = check.process("other", other);
    check.explore().assert_verified();
    // The work alone looked for what the other writes.
    let stale = check.try_replay("p p p rested:p/guard p/guard other p").unwrap_err();
    assert!(stale.to_string().contains("step 7"), "{stale}");
}

#[test]
fn strands_that_share_memory_are_refused() {
    let check = Check::new("shared").process("p", |cx: Cx| async move {
        let seen = Arc::new(AtomicBool::new(false));
        let guard = async {
            cx.rest(PERIOD).await;
            seen.store(true, Ordering::SeqCst);
            cx.step("goes on").await;
        };
        let work = async {
            cx.step("works").await;
            let label = if seen.load(Ordering::SeqCst) { "was told" } else { "was not told" };
            cx.step(label).await;
        };
        cx.beside(guard, work).await;
    });
    let refused = check.try_explore().unwrap_err().to_string();
    assert!(refused.contains("p is not a function of the answers"), "{refused}");
}

/// A guard that never ends: it steps for ever, and looks at the store.
fn with_a_busy_guard(rests: bool) -> Check {
    Check::new("busy")
        .process("p", move |cx: Cx| async move {
            let notes = cx.collection::<Document>("notes");
            let guard = async {
                let _: Result<(), ()> = forever(&cx, || async {
                    if rests {
                        cx.rest(PERIOD).await
                    } else {
                        cx.step("is busy").await
                    }
                    Ok(())
                })
                .await;
            };
            let work = async {
                cx.step("works").await;
                notes.insert_one(&doc! {"_id": "done"}).await
            };
            cx.beside(guard, work).await.unwrap_or(Ok(()))
        })
        .eventually("done", |world| !world.documents::<Document>("notes").is_empty())
}

#[test]
fn fairness_is_that_of_each_strand() {
    with_a_busy_guard(false).explore().assert_verified();
    with_a_busy_guard(true).guards(Guards::Run { rests: 3 }).explore().assert_verified();
}

#[test]
fn nobody_has_to_come_back_from_a_rest() {
    let check = Check::new("rests")
        .process("p", |cx: Cx| async move {
            let notes = cx.collection::<Document>("notes");
            let guard = async {
                cx.rest(PERIOD).await;
                drop(notes.insert_one(&doc! {"_id": "beaten"}).await);
            };
            let wake =
                Wake::When(vec![Condition::Some("notes".into(), by_id("never").and(missing("x")))]);
            cx.beside(guard, cx.idle(wake)).await;
        })
        .reachable("it may", |world| !world.documents::<Document>("notes").is_empty());
    check.explore().assert_verified();
    let must =
        check.eventually("it must", |world| !world.documents::<Document>("notes").is_empty());
    must.explore().assert_violates("it must");
}

#[test]
fn a_process_that_is_called_as_a_guard_is_refused() {
    let nothing = |cx: Cx| async move { cx.step("works").await };
    let check = Check::new("names").process("p", nothing).process("p/guard", nothing);
    let refused = check.try_explore().unwrap_err().to_string();
    assert!(refused.contains("schedules mean a guard"), "{refused}");
    Check::new("names")
        .process("q", nothing)
        .process("p/guard", nothing)
        .explore()
        .assert_verified();
}

#[cfg(feature = "loom")]
#[test]
fn engines_on_threads_say_that_they_leave_guards_out() {
    let check = declared_dead(true);
    let by_loom = check.loom();
    by_loom.assert_inconclusive();
    assert!(by_loom.to_string().contains("they are left out"), "{by_loom}");
    let told = check.guards(Guards::LeftOut).loom();
    told.assert_verified();
    assert!(told.to_string().ends_with("guards left out"), "{told}");
    let without = Check::new("without").process("p", |cx: Cx| async move {
        let notes = cx.collection::<Document>("notes");
        notes.update_one(by_id("x"), inc("n", 1)).await.map(|_| ())
    });
    let without = without.loom();
    assert_eq!(without.verdict(), doorway::check::Verdict::Verified);
    assert!(!without.to_string().contains("left out"), "{without}");
}

#[cfg(feature = "cli")]
#[test]
fn a_model_with_guards_names_no_engine_that_leaves_them_out() {
    use doorway::model::{Model, shipped_text};
    let text = shipped_text("doorway-guard").unwrap();
    assert_eq!(Model::parse("m", "m.toml", text).unwrap().guards, Guards::Run { rests: 1 });
    let by_loom = text.replace("run = \"explore\"", "run = \"loom\"");
    let wrong = Model::parse("m", "m.toml", &by_loom).unwrap_err();
    assert_eq!(wrong.message, "this engine runs no guards, and rests says that they run");
    assert_eq!(&by_loom[wrong.span.unwrap()], "\"loom\"");
    let many = text.replace("rests = 1", "rests = 65");
    let wrong = Model::parse("m", "m.toml", &many).unwrap_err();
    assert_eq!(wrong.message, "rests must be from 0 to 64");
}
