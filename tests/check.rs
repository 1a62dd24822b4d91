//! The front door: checks of one's own code, and what they say.
#![allow(missing_docs, clippy::unwrap_used)]

use doorway::check::{Check, Cx, Verdict};
use doorway::doc;
use doorway::env::{Env, Wake, until};
use doorway::store::filter::by_id;
use doorway::store::{Document, Store, StoreError};

/// A lock that is right: the index on `_id` lets one insert through.
async fn lock_work_unlock(cx: Cx) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks");
    until(&cx, || async {
        locks.insert_one(&doc! {"_id": "printer"}).await.map_err(|_| Wake::Changed)
    })
    .await;
    cx.within("work", async {}).await;
    locks.delete_one(by_id("printer")).await.map(|_| ())
}

/// A lock that looks and then writes.
async fn look_then_write(cx: Cx) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks");
    if locks.find_one(by_id("printer")).await?.is_none() {
        locks.replace_one(by_id("printer"), &doc! {"owner": &**cx.process()}).upsert(true).await?;
        cx.within("work", async {}).await;
        locks.delete_one(by_id("printer")).await?;
    }
    Ok(())
}

fn of<F, A>(body: F) -> Check
where
    F: Fn(Cx) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Check::new("my lock")
        .collection("locks", [])
        .processes(["a", "b"], body)
        .always("exclusive", |world| world.inside("work") <= 1)
}

#[test]
fn a_lock_that_is_right_is_verified() {
    let checked = of(lock_work_unlock)
        .reachable("one works", |world| world.inside("work") == 1)
        .at_end("no lock is left", |world| world.documents::<Document>("locks").is_empty())
        .explore();
    println!("{checked}");
    checked.assert_verified();
    assert_eq!(checked.verdict(), Verdict::Verified);
}

#[test]
fn a_lock_that_looks_and_then_writes_falls() {
    let checked = of(look_then_write).explore();
    println!("{checked}");
    checked.assert_violates("exclusive");
}
