//! A lock that is one document: who takes it waits until it is gone.
#![allow(dead_code)]

use doorway::check::Cx;
use doorway::doc;
use doorway::env::{Condition, Env, Wake, forever, until};
use doorway::store::filter::by_id;
use doorway::store::{Document, Store, StoreError};

/// Waits for the lock, and takes it once.
pub(crate) async fn once(cx: Cx) -> Result<(), StoreError> {
    take(&cx).await?;
    cx.within("served", async {}).await;
    give_back(&cx).await
}

/// Takes the lock and gives it back, for ever.
pub(crate) async fn again_and_again(cx: Cx) -> Result<(), StoreError> {
    forever(&cx, || async {
        take(&cx).await?;
        give_back(&cx).await
    })
    .await
}

/// Waits for the lock, and takes it.
pub(crate) async fn take(cx: &Cx) -> Result<(), StoreError> {
    let locks = cx.collection::<Document>("locks");
    until(cx, || async {
        match locks.insert_one(&doc! {"_id": "lock"}).await {
            Err(error) if error.is_duplicate_key() => {
                Err(Wake::When(vec![Condition::None("locks".into(), by_id("lock"))]))
            }
            done => Ok(done),
        }
    })
    .await
}

/// Gives the lock back.
pub(crate) async fn give_back(cx: &Cx) -> Result<(), StoreError> {
    cx.collection::<Document>("locks").delete_one(by_id("lock")).await.map(|_| ())
}
