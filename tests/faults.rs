//! Faults: for each kind a design that only it breaks, and how the run is told.
#![allow(missing_docs, clippy::unwrap_used)]

use doorway::check::{Check, Checked, Cx, Faults};
use doorway::doc;
use doorway::env::{Condition, Env, Queues, Wake, until};
use doorway::store::filter::{by_id, eq};
use doorway::store::update::{inc, set};
use doorway::store::{Document, ReadConcern, Store, StoreError, Value, WriteConcern};

/// Every kind of fault, by the name of the only one that is to break a design.
fn each() -> [(&'static str, Faults); 5] {
    let none = Faults::default;
    [
        ("crashes", none().crashes(1)),
        ("unknown outcomes", none().unknown_outcomes(1)),
        ("redeliveries", none().redeliveries(1)),
        ("stale reads", none().stale_reads(1)),
        ("failovers", none().failovers(1)),
    ]
}

/// The property falls with one kind of faults, and with no other; returns what that came to.
fn breaks_only(check: &Check, kind: &str, property: &str) -> Checked {
    check.explore().assert_verified();
    let mut broken = None;
    for (name, faults) in each() {
        let check = check.clone().faults(faults);
        let checked = check.explore();
        if name != kind {
            checked.assert_verified();
            continue;
        }
        let found = checked.assert_violates(property).counterexample(property).unwrap();
        check.replay(&found.schedule.join(" ")).assert_violates(property);
        broken = Some(checked);
    }
    broken.unwrap()
}

/// Whoever inserts the lock works; whatever a write comes to, it is tried until it is refused.
async fn lock(cx: Cx, write: WriteConcern) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks").write_concern(write);
    let mine = doc! {"_id": "lock", "owner": cx.process()};
    let got = until(&cx, || async {
        match locks.insert_one(&mine).await {
            Ok(()) => Ok(Ok(true)),
            Err(error) if error.is_outcome_unknown() => Err(Wake::Changed),
            Err(error) if !error.is_duplicate_key() => Ok(Err(error)),
            Err(_) => match locks.find_one(by_id("lock").and(eq("owner", cx.process()))).await {
                Ok(found) => Ok(Ok(found.is_some())),
                Err(error) => Ok(Err(error)),
            },
        }
    })
    .await?;
    if got {
        cx.within("work", async {}).await;
    }
    Ok(())
}

fn locks(write: WriteConcern) -> Check {
    Check::new("lock")
        .processes(["a", "b"], move |cx| lock(cx, write))
        .always("exclusive", |world| world.inside("work") <= 1)
        .waive("no-deadlock")
}

#[test]
fn a_failover_loses_a_lock_that_was_acknowledged_by_the_primary_alone() {
    let checked = breaks_only(&locks(WriteConcern::Primary), "failovers", "exclusive");
    let told = checked.to_string();
    assert!(told.contains("database  failover: what a majority does not have is lost"), "{told}");
    assert!(told.contains(" locks.insert_one({_id: \"lock\", owner: \"b\"})"), "{told}");
    assert!(told.ends_with("with 1 failover"), "{told}");
    let found = checked.counterexample("exclusive").unwrap();
    assert!(found.schedule.iter().any(|word| &**word == "failover"));
}

#[test]
fn a_lock_that_a_majority_has_outlives_every_failover() {
    let check = locks(WriteConcern::Majority);
    for failovers in [1, 2] {
        check.clone().faults(Faults::default().failovers(failovers)).explore().assert_verified();
    }
}

#[test]
fn what_a_majority_read_has_seen_is_not_lost() {
    let seen = |read: ReadConcern| {
        Check::new("seen")
            .document("c", doc! {"_id": 1, "done": false})
            .document("c", doc! {"_id": 2, "seen": false})
            .process("writer", |cx: Cx| async move {
                let quick = cx.collection::<Document>("c").write_concern(WriteConcern::Primary);
                quick.update_one(by_id(1), set("done", true)).await.map(|_| ())
            })
            .process("reader", move |cx: Cx| async move {
                let c = cx.collection::<Document>("c");
                let done = c.clone().read_concern(read).find_one(by_id(1).and(eq("done", true)));
                if done.await?.is_some() {
                    c.update_one(by_id(2), set("seen", true)).await?;
                }
                Ok::<(), StoreError>(())
            })
            .waive("no-failure")
            .always("seen is done", |world| {
                let is = |id: i64, field: &str| {
                    let found = world.get::<Document>("c", id).unwrap();
                    found.get(field).unwrap() == &Value::Bool(true)
                };
                !is(2, "seen") || is(1, "done")
            })
    };
    for faults in [Faults::default().failovers(1), retried(1)] {
        let seen = |read| seen(read).faults(faults.clone()).explore();
        seen(ReadConcern::Local).assert_violates("seen is done");
        seen(ReadConcern::Majority).assert_verified();
        seen(ReadConcern::Linearizable).assert_verified();
    }
}

fn retried(failovers: u32) -> Faults {
    Faults::default().failovers(failovers).retryable_writes()
}

#[test]
fn where_writes_are_sent_again_a_failover_loses_what_the_primary_alone_acknowledged() {
    locks(WriteConcern::Majority).faults(retried(1)).explore().assert_verified();
    let checked = locks(WriteConcern::Primary).faults(retried(1)).explore();
    let found = checked.assert_violates("exclusive").counterexample("exclusive").unwrap();
    let told = checked.to_string();
    assert!(told.contains("database  the primary is cut off"), "{told}");
    assert!(told.ends_with("with 1 failover with retryable writes"), "{told}");
    let schedule = found.schedule.join(" ");
    assert!(schedule.contains("cut-off") && schedule.contains("failover"), "{schedule}");
    let again = locks(WriteConcern::Primary).faults(retried(1)).replay(&schedule);
    again.assert_violates("exclusive");
}

/// Counts up, and stops with an error where it is not told what that came to.
fn counters() -> Check {
    Check::new("counters")
        .document("c", doc! {"_id": "n", "n": 0})
        .processes(["a", "b"], |cx: Cx| async move {
            let c = cx.collection::<Document>("c");
            c.find_one_and_update(by_id("n"), inc("n", 1)).await.map(|_| ())
        })
        .at_end("all are counted", |world| {
            world.get::<Document>("c", "n").unwrap().get("n") == Some(&Value::Int(2))
        })
}

#[test]
fn a_write_that_is_sent_again_is_done_once_and_its_outcome_known() {
    counters().faults(retried(1)).explore().assert_verified();
    let unknown = counters().faults(Faults::default().failovers(1)).explore();
    unknown.assert_violates("no-failure").assert_violates("all are counted");
    let twice = counters().faults(retried(2)).explore();
    twice.assert_violates("no-failure");
}

/// Sets a flag, and then looks whether the other has: one of two sees the other's (Dekker).
fn flags(read: ReadConcern) -> Check {
    let body = move |cx: Cx| async move {
        let flags = cx.collection::<Document>("flags").read_concern(read);
        let other = if &**cx.process() == "a" { "b" } else { "a" };
        let mine = doc! {"_id": cx.process()};
        while flags.insert_one(&mine).await.is_err_and(|error| error.is_outcome_unknown()) {}
        if flags.find_one(by_id(other)).await?.is_none() {
            cx.within("work", async {}).await;
        }
        Ok::<(), StoreError>(())
    };
    Check::new("flags")
        .processes(["a", "b"], body)
        .always("exclusive", |world| world.inside("work") <= 1)
}

#[test]
fn a_stale_read_does_not_see_what_was_written_before() {
    let check = flags(ReadConcern::Majority);
    let stale = check.clone().faults(Faults::default().stale_reads(1)).explore();
    stale.assert_violates("exclusive");
    let told = stale.to_string();
    assert!(told.contains("by a member that lags behind: flags.find_one({_id: "), "{told}");
    assert!(told.ends_with("with 1 stale read"), "{told}");
    let found = stale.counterexample("exclusive").unwrap();
    assert!(found.schedule.iter().any(|word| word.starts_with("stale:")));
    check.explore().assert_verified();
    let linearizable = flags(ReadConcern::Linearizable);
    linearizable.faults(Faults::default().stale_reads(2)).explore().assert_verified();
}

/// Handles a message, and acknowledges it; one that comes again after a crash is known by its name.
#[test]
fn a_message_may_come_again_while_it_is_handled() {
    let check = Check::new("handlers")
        .message("queue", doc! {"n": 1})
        .processes(["a", "b"], |cx: Cx| async move {
            let message = cx.receive("queue").await;
            cx.within("work", async {}).await;
            cx.acknowledge("queue", &message).await;
        })
        .always("alone", |world| world.inside("work") <= 1);
    let checked = breaks_only(&check, "redeliveries", "alone");
    let told = checked.to_string();
    assert!(told.contains("is taken for gone: what it holds is delivered again"), "{told}");
    assert!(told.ends_with("with 1 redelivery"), "{told}");
}

/// Wakes with a write whose outcome it takes for granted.
#[test]
fn the_first_write_after_a_pause_may_have_no_known_outcome() {
    let check = Check::new("waker")
        .process("sleeper", |cx: Cx| async move {
            let c = cx.collection::<Document>("c");
            cx.pause(Wake::When(vec![Condition::None("c".into(), by_id(1))])).await;
            let _ = c.insert_one(&doc! {"_id": 1}).await;
            cx.step("done").await;
        })
        .document("c", doc! {"_id": 1})
        .process("waker", |cx: Cx| async move {
            cx.collection::<Document>("c").delete_one(by_id(1)).await.map(|_| ())
        })
        .waive("no-failure")
        .waive("no-deadlock")
        .at_end("there", |world| world.documents::<Document>("c").len() == 1);
    let lost = Faults::default().unknown_outcomes(1).among(["sleeper"]);
    check.explore().assert_verified();
    let check = check.faults(lost);
    check.explore().assert_violates("there");
    check.replay("waker lost:sleeper sleeper").assert_violates("there");
    let stale = check.try_replay("lost:sleeper").unwrap_err().to_string();
    assert!(
        stale.contains("step 1: expected a step of lost:sleeper, which cannot take one (pause")
    );
}

#[test]
fn a_fault_that_would_change_nothing_cannot_be() {
    let check = locks(WriteConcern::Majority).faults(Faults::default().failovers(1));
    let stale = check.try_replay("failover").unwrap_err().to_string();
    let why =
        "a step of failover, which cannot take one (no failover is left, or it would lose nothing)";
    assert!(stale.contains(why), "{stale}");
    let check = locks(WriteConcern::Majority).faults(Faults::default().stale_reads(1));
    let stale = check.try_replay("a stale:b").unwrap_err().to_string();
    assert!(stale.contains(": a stale read comes after lags"), "{stale}");
}

#[test]
fn no_process_has_the_name_of_what_happens_to_the_database() {
    for name in ["failover", "replicates", "lags", "cut-off", "database"] {
        let check = Check::new("odd").process(name, |cx: Cx| async move { cx.step("on").await });
        let why = check.try_explore().unwrap_err().to_string();
        let expected = format!("a process cannot be called {name}: schedules mean the database");
        assert!(why.contains(&expected), "{why}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_model_asks_for_each_kind_by_its_key() {
    use doorway::model::{Model, shipped_text};
    let text = shipped_text("reference").unwrap();
    for (key, told) in [
        ("crashes", "2 crashes"),
        ("unknown-outcomes", "2 unknown outcomes"),
        ("redeliveries", "2 redeliveries"),
        ("stale-reads", "2 stale reads"),
        ("failovers", "2 failovers"),
    ] {
        let with_faults = format!("{text}\n[faults]\n{key} = 2\n");
        let model = Model::parse("own", "own.toml", &with_faults).unwrap();
        assert_eq!(model.faults.to_string(), told);
    }
    let with_faults = |lines: &str| {
        Model::parse(
            "own",
            "own.toml",
            &format!("{text}\n[faults]\n{lines}\nretryable-writes = true\n"),
        )
    };
    let retried = with_faults("failovers = 1").unwrap();
    assert_eq!(retried.faults.to_string(), "1 failover with retryable writes");
    let why = with_faults("crashes = 1").unwrap_err().to_string();
    assert!(why.contains("retryable-writes says what happens at a failover"), "{why}");
}
