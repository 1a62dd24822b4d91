//! What has to come about on every weakly fair run.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/taken.rs"]
mod taken;

#[cfg(any(feature = "cli", feature = "shuttle"))]
use doorway::check::Verdict;
use doorway::check::{Check, Cx};
use doorway::doc;
use doorway::env::{Env, forever};
use doorway::store::filter::by_id;
use doorway::store::update::set;
use doorway::store::{Document, Store, StoreError};

use taken::{again_and_again, give_back, once, take};

fn served(check: Check) -> Check {
    check.eventually("served", |world| world.inside("served") == 1)
}

#[test]
fn whoever_waits_is_served_where_all_others_come_once() {
    served(Check::new("lock").process("waits", once).process("other", |cx: Cx| async move {
        take(&cx).await?;
        give_back(&cx).await
    }))
    .explore()
    .assert_verified();
}

#[test]
fn whoever_waits_starves_where_another_takes_the_lock_again_and_again() {
    let check = Check::new("lock").process("waits", once).process("greedy", again_and_again);
    let checked = served(check.clone()).explore();
    let found = checked.assert_violates("served").counterexample("served").unwrap().clone();
    let stem = found.repeats_from.unwrap();
    let cycle = &found.schedule[stem..];
    assert!(cycle.iter().any(|word| &**word == "greedy"), "{cycle:?}");
    let mut twice = found.schedule.clone();
    twice.extend_from_slice(cycle);
    let replay = served(check).replay(&twice.join(" "));
    assert!(replay.steps.iter().all(|step| step.request != "enter served"));
}

#[test]
fn who_is_always_able_to_go_on_gets_a_turn() {
    let spins = |cx: Cx| async move {
        forever(&cx, || async {
            cx.step("spin").await;
            Ok::<(), StoreError>(())
        })
        .await
    };
    let check = Check::new("fair").process("spins", spins).process("other", |cx: Cx| async move {
        cx.within("served", async {}).await;
    });
    served(check).explore().assert_verified();
    served(Check::new("alone").process("spins", spins).process("idle", |_: Cx| async {}))
        .explore()
        .assert_violates("served");
}

#[test]
fn a_run_that_ends_before_is_told_as_one() {
    let check = Check::new("ends").process("a", |cx: Cx| async move { cx.step("once").await });
    let checked = served(check).explore();
    let found = checked.assert_violates("served").counterexample("served").unwrap();
    assert_eq!(found.repeats_from, None);
    assert_eq!(found.why, "the run is over, and it never came to hold");
}

#[test]
fn what_came_once_need_not_stay() {
    Check::new("passes")
        .document("c", doc! {"_id": 1, "on": false})
        .process("a", |cx: Cx| async move {
            let c = cx.collection::<Document>("c");
            c.update_one(by_id(1), set("on", true)).await?;
            c.update_one(by_id(1), set("on", false)).await.map(|_| ())
        })
        .eventually("on", |world| {
            world.get::<Document>("c", 1).unwrap() == doc! {"_id": 1, "on": true}
        })
        .explore()
        .assert_verified();
}

#[cfg(feature = "shuttle")]
#[test]
fn an_engine_without_a_graph_does_not_verify_it() {
    use doorway::check::engine::shuttle::Choose;
    let check = served(Check::new("once").process("a", once));
    let checked = check.shuttle(Choose::DepthFirst);
    assert_eq!(checked.report().of("served").unwrap().verdict, Verdict::Inconclusive);
    check.explore().assert_verified();
}

#[cfg(feature = "cli")]
mod of_the_story {
    use super::*;
    use doorway::check::engine::explore::{ExploreOptions, explore};
    use doorway::check::{Process, Report, System};
    use doorway::model::{Model, shipped_text};
    use doorway::reservation::{Design, Task, manager};

    /// Two managers, of two resources and one worker.
    fn system() -> System {
        let text = shipped_text("reference").unwrap();
        let text =
            text.replace("workers = 2", "workers = 1").replace("resources = 1", "resources = 2");
        let text = text.replace("[expect]", "[expect]\nno-starvation = \"verified\"");
        Model::parse("two", "two.toml", &text).unwrap().system().unwrap()
    }

    fn starvation(system: &System) -> (Verdict, Report) {
        let report = explore(system, &ExploreOptions::default()).unwrap();
        (report.of("no-starvation").unwrap().verdict, report)
    }

    #[test]
    fn no_task_starves_where_tasks_come_to_an_end() {
        assert_eq!(starvation(&system()).0, Verdict::Verified);
    }

    #[test]
    fn a_stream_of_tasks_that_holds_the_only_worker_starves_the_others() {
        let mut system = system();
        system.processes[1] = Process::new("manager-2").then(|cx: Cx| async move {
            let task = Task::new("task-2", "resource-2");
            forever(&cx, || manager::reserve_run_release(&cx, Design::Story898, &task)).await
        });
        let (verdict, report) = starvation(&system);
        assert_eq!(verdict, Verdict::Violated);
        let found = report.of("no-starvation").unwrap().counterexample.clone().unwrap();
        assert!(found.why.contains("the end of task-1 is owed"), "{}", found.why);
        assert!(found.repeats_from.unwrap() < found.schedule.len());
    }
}
