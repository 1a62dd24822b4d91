//! The code of docs/CHECKING.md, and the tutorial held against it.
#![allow(missing_docs)]

mod looks_right {
    use doorway::check::{Check, Cx};
    use doorway::env::{Env, Wake, until};
    use doorway::store::filter::{by_id, eq};
    use doorway::store::{Store, StoreError};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Lock {
        #[serde(rename = "_id")]
        owner: String,
        resource: String,
    }

    async fn acquire<H: Store + Env>(host: &H, me: &str) -> Result<(), StoreError> {
        let locks = host.collection::<Lock>("locks");
        let mine = Lock { owner: me.into(), resource: "printer".into() };
        until(host, || async {
            match locks.find_one(eq("resource", "printer")).await {
                Ok(None) => Ok(locks.insert_one(&mine).await),
                Ok(Some(_)) => Err(Wake::Changed), // taken: look again when something has changed
                Err(error) => Ok(Err(error)),
            }
        })
        .await
    }

    async fn release<H: Store>(host: &H, me: &str) -> Result<(), StoreError> {
        host.collection::<Lock>("locks").delete_one(by_id(me)).await?;
        Ok(())
    }

    async fn print(cx: Cx) -> Result<(), StoreError> {
        let me = cx.process().clone();
        acquire(&cx, &me).await?;
        cx.within("printer", async { /* the work */ }).await;
        release(&cx, &me).await
    }

    fn check() -> Check {
        Check::new("printer lock")
            .processes(["a", "b"], print)
            .always("exclusive", |world| world.inside("printer") <= 1)
            .at_end("released", |world| world.documents::<Lock>("locks").is_empty())
    }

    #[test]
    fn the_lock_excludes() {
        check().explore().assert_violates("exclusive"); // what it should be: .assert_verified()
    }

    #[test]
    fn two_who_look_before_either_writes() {
        check().replay("a b a a b b").assert_violates("exclusive");
    }

    fn page() -> Option<String> {
        use doorway::report::html::Page;
        let checked = check().explore();
        let found = checked.counterexample("exclusive")?;
        Some(Page::of(found).headed("printer lock").to_string())
    }

    #[test]
    fn the_counterexample_is_a_page_too() {
        assert!(page().is_some_and(|page| page.contains("<title>printer lock</title>")));
    }

    /// The tutorial prints all that there is to print.
    #[test]
    fn the_counterexample_is_that_of_the_tutorial() {
        let told = check().explore().to_string();
        assert!(super::TUTORIAL.contains(&format!("```text\n{told}\n```")), "{told}");
    }
}

mod mended {
    use doorway::check::{Check, Cx, Faults};
    use doorway::env::{Env, Wake, until};
    use doorway::store::filter::by_id;
    use doorway::store::{Index, Store, StoreError};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Lock {
        #[serde(rename = "_id")]
        owner: String,
        resource: String,
    }

    async fn acquire<H: Store + Env>(host: &H, me: &str) -> Result<(), StoreError> {
        let locks = host.collection::<Lock>("locks");
        let mine = Lock { owner: me.into(), resource: "printer".into() };
        until(host, || async {
            match locks.insert_one(&mine).await {
                Err(error) if error.is_duplicate_key() => Err(Wake::Changed),
                done => Ok(done),
            }
        })
        .await
    }

    async fn release<H: Store>(host: &H, me: &str) -> Result<(), StoreError> {
        host.collection::<Lock>("locks").delete_one(by_id(me)).await?;
        Ok(())
    }

    async fn print(cx: Cx) -> Result<(), StoreError> {
        let me = cx.process().clone();
        acquire(&cx, &me).await?;
        cx.within("printer", async { /* the work */ }).await;
        release(&cx, &me).await
    }

    fn check() -> Check {
        Check::new("printer lock")
            .collection("locks", [Index::unique(["resource"])])
            .processes(["a", "b"], print)
            .always("exclusive", |world| world.inside("printer") <= 1)
            .at_end("released", |world| world.documents::<Lock>("locks").is_empty())
            .reachable("printing", |world| world.inside("printer") == 1)
    }

    #[test]
    fn the_lock_excludes() {
        check().explore().assert_verified();
    }

    #[test]
    fn a_crash_leaves_the_lock_behind() {
        check().faults(Faults::default().crashes(1)).explore().assert_violates("no-deadlock");
    }

    #[test]
    fn both_outputs_are_those_of_the_tutorial() {
        let verified = check().explore().to_string();
        assert!(super::TUTORIAL.contains(&format!("```text\n{verified}\n```")), "{verified}");
        let crashed = check().faults(Faults::default().crashes(1)).explore();
        let told = crashed.counterexample("no-deadlock").expect("a run").to_string();
        assert!(super::TUTORIAL.contains(&format!("```text\n{told}```")), "{told}");
    }
}

mod restarted {
    use doorway::check::{Check, Cx, Faults};
    use doorway::env::{Env, Wake, until};
    use doorway::store::filter::by_id;
    use doorway::store::{Index, Store, StoreError};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Lock {
        #[serde(rename = "_id")]
        owner: String,
        resource: String,
    }

    async fn acquire<H: Store + Env>(host: &H, me: &str) -> Result<(), StoreError> {
        let locks = host.collection::<Lock>("locks");
        let mine = Lock { owner: me.into(), resource: "printer".into() };
        until(host, || async {
            match locks.insert_one(&mine).await {
                Err(error) if error.duplicate_index() == Some("_id_") => Ok(Ok(())), // mine already
                Err(error) if error.is_duplicate_key() => Err(Wake::Changed),
                done => Ok(done),
            }
        })
        .await
    }

    async fn release<H: Store>(host: &H, me: &str) -> Result<(), StoreError> {
        host.collection::<Lock>("locks").delete_one(by_id(me)).await?;
        Ok(())
    }

    async fn print(cx: Cx) -> Result<(), StoreError> {
        let me = cx.process().clone();
        acquire(&cx, &me).await?;
        cx.within("printer", async { /* the work */ }).await;
        release(&cx, &me).await
    }

    fn check(faults: Faults) -> Check {
        Check::new("printer lock")
            .collection("locks", [Index::unique(["resource"])])
            .processes(["a", "b"], print)
            .always("exclusive", |world| world.inside("printer") <= 1)
            .at_end("released", |world| world.documents::<Lock>("locks").is_empty())
            .faults(faults)
    }

    #[test]
    fn the_lock_excludes_whatever_crashes() {
        check(Faults::default().crashes(2)).explore().assert_verified();
    }

    #[test]
    fn a_lost_answer_stops_it() {
        let lost = Faults::default().unknown_outcomes(1);
        check(lost).explore().assert_violates("no-failure"); // not mended here
    }
}

mod a_guard_beside_the_work {
    use std::time::Duration;

    use doorway::check::{Check, Cx, Guards};
    use doorway::doc;
    use doorway::env::{Env, forever};
    use doorway::store::filter::{by_id, eq};
    use doorway::store::update::{inc, set};
    use doorway::store::{Document, Store, StoreError};

    const PERIOD: Duration = Duration::from_secs(5);

    /// Works as long as the lock is its own; its heart beats as `me`.
    async fn work_alive(cx: Cx, me: &str) -> Result<(), StoreError> {
        let locks = cx.collection::<Document>("locks");
        let work = cx.step("work");
        let heart = forever(&cx, || async {
            cx.rest(PERIOD).await;
            let alive = by_id("worker").and(eq("owner", me));
            match locks.update_one(alive, inc("beats", 1)).await {
                Ok(updated) if updated.matched == 0 => Err(()),
                _ => Ok(()), // An answer that did not come says nothing.
            }
        });
        let guard = async {
            let _: Result<(), ()> = heart.await;
        };
        let done = cx.beside(guard, work).await;
        if done.is_none() {
            cx.collection::<Document>("stopped").insert_one(&doc! {"_id": "worker"}).await?;
        }
        Ok(())
    }

    /// Another takes the lock over, for which no heart has beaten yet.
    async fn take_over(cx: Cx) -> Result<(), StoreError> {
        let taken = set("owner", "other").set("beats", 0);
        cx.collection::<Document>("locks").update_one(by_id("worker"), taken).await.map(|_| ())
    }

    fn check(me: &'static str) -> Check {
        Check::new("a guard beside the work")
            .document("locks", doc! {"_id": "worker", "owner": "worker", "beats": 0})
            .process("worker", move |cx: Cx| async move { work_alive(cx, me).await })
            .process("other", take_over)
            .always("no heart beats for another", |world| {
                let locks = world.documents::<Document>("locks");
                locks.iter().all(|lock| {
                    lock.get("owner") == Some(&"worker".into())
                        || lock.get("beats") == Some(&0.into())
                })
            })
    }

    #[test]
    fn a_heart_beats_for_its_owner_and_stops_the_work_of_who_is_none() {
        let stopped = check("worker")
            .reachable("it is stopped", |world| !world.documents::<Document>("stopped").is_empty());
        stopped.explore().assert_verified();
    }

    #[test]
    fn a_heart_that_beats_for_whoever_is_owner_is_found_where_guards_run() {
        check("other").explore().assert_violates("no heart beats for another");
        check("other").guards(Guards::LeftOut).explore().assert_verified();
    }
}

mod what_need_not_be_remembered {
    use doorway::check::{Check, Coverage, Cx, Faults};
    use doorway::doc;
    use doorway::env::{distil, insist};
    use doorway::store::filter::by_id;
    use doorway::store::update::inc;
    use doorway::store::{Store, StoreError};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Number {
        n: i64,
    }

    #[derive(Serialize, Deserialize)]
    struct Seat {
        #[serde(rename = "_id")]
        seat: i64,
        taken_by: i64,
    }

    fn refused(error: StoreError) -> Result<(), StoreError> {
        if error.is_duplicate_key() || error.is_outcome_unknown() { Ok(()) } else { Err(error) }
    }

    /// A number that nobody else has. Where an answer was lost another is drawn.
    async fn number(cx: &Cx) -> Result<i64, StoreError> {
        let numbers = cx.collection::<Number>("numbers");
        let drawn = insist(cx, || async {
            match numbers.find_one_and_update(by_id("last"), inc("n", 1)).await {
                Err(error) if error.is_outcome_unknown() => None,
                drawn => Some(drawn),
            }
        });
        Ok(drawn.await?.map_or(0, |last| last.n))
    }

    async fn serve(cx: Cx) -> Result<(), StoreError> {
        let me = distil(&cx, || number(&cx)).await?;
        let seats = cx.collection::<Seat>("seats");
        for seat in 1..=3 {
            seats.insert_one(Seat { seat, taken_by: me }).await.or_else(refused)?;
        }
        Ok(())
    }

    #[test]
    fn everybody_has_a_number() {
        let checked = Check::new("seats")
            .document("numbers", doc! {"_id": "last", "n": 1})
            .processes(["a", "b"], serve)
            .faults(Faults::default().unknown_outcomes(2))
            .at_end("all are taken", |world| {
                let seats = world.documents::<Seat>("seats");
                seats.iter().all(|seat| seat.taken_by > 0)
            })
            .explore();
        checked.assert_verified();
        assert!(
            matches!(checked.report().coverage, Coverage::States { states, .. } if states > 100)
        );
    }
}

mod counting_for_ever {
    use doorway::check::engine::Limits;
    use doorway::check::{Check, Cx};
    use doorway::doc;
    use doorway::env::{Condition, Env, Wake, forever};
    use doorway::store::filter::{by_id, eq};
    use doorway::store::update::next;
    use doorway::store::{Ordinal, Store, StoreError};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Lock {
        next: Ordinal,
        serving: Ordinal,
    }

    async fn serve(cx: Cx) -> Result<(), StoreError> {
        let locks = cx.collection::<Lock>("locks");
        forever(&cx, || async {
            let draw = locks.find_one_and_update(by_id("lock"), next("next", "tickets"));
            let Some(Lock { next: ticket, .. }) = draw.await? else { return Ok(()) };
            let turn = by_id("lock").and(eq("serving", &ticket));
            cx.pause(Wake::When(vec![Condition::Some("locks".into(), turn)])).await;
            cx.within("printer", async { /* the work */ }).await;
            locks.update_one(by_id("lock"), next("serving", "tickets")).await.map(drop)
        })
        .await
    }

    fn check() -> Check {
        let first = || Ordinal::first("tickets");
        Check::new("tickets")
            .document("locks", doc! {"_id": "lock", "next": first(), "serving": first()})
            .processes(["a", "b"], serve)
            .always("exclusive", |world| world.inside("printer") <= 1)
    }

    #[test]
    fn a_lock_with_tickets_excludes_for_ever() {
        check().explore().assert_verified();
    }

    #[test]
    fn it_has_no_end_where_numbers_count() {
        let limits = Limits { states: Some(10_000), ..Limits::default() };
        check().reduce_ordinals(false).limits(limits).explore().assert_inconclusive();
    }

    /// The tutorial prints all that there is to print.
    #[test]
    fn the_verdict_is_that_of_the_tutorial() {
        let told = check().explore().to_string();
        assert!(super::TUTORIAL.contains(&format!("```text\n{told}\n```")), "{told}");
    }
}

const TUTORIAL: &str = include_str!("../docs/CHECKING.md");

/// Each block of Rust in the tutorial stands in this file, line for line, but for the indentation.
#[test]
fn the_code_of_the_tutorial_is_the_code_that_runs_here() {
    let plain = |text: &str| -> String {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| format!("{line}\n")).collect()
    };
    let here = plain(include_str!("tutorial.rs"));
    let mut blocks = 0;
    for block in TUTORIAL.split("```rust").skip(1) {
        let (fenced, _) = block.split_once("```").expect("a block ends");
        let (_, code) = fenced.split_once('\n').expect("a block has lines");
        assert!(here.contains(&plain(code)), "not in tests/tutorial.rs:\n{code}");
        blocks += 1;
    }
    assert!(blocks >= 3, "{blocks} blocks");
}
