//! The list of one resource.

use crate::env::{Env, Wake, until};
use crate::reservation::schema::RESERVATIONS;
use crate::store::filter::{by_id, eq, size};
use crate::store::update::{pull, push};
use crate::store::{Collection, Document, Store, StoreError, Text};

fn lists<H: Store>(host: &H) -> Collection<'_, H, Document> {
    host.collection(RESERVATIONS)
}

/// Appends the task to the list of the resource.
pub(super) async fn append<H: Store>(
    host: &H,
    task: &Text,
    resource: &Text,
) -> Result<(), StoreError> {
    let appended = lists(host).update_one(by_id(resource), push("task_ids", task)).upsert(true);
    appended.await.map(|_| ())
}

/// Waits until the task is at the head of the lists of all of these resources.
pub(super) async fn wait<'a, H: Store + Env>(
    host: &H,
    task: &Text,
    resources: impl IntoIterator<Item = &'a Text> + Clone + Send + Sync,
) -> Result<(), StoreError> {
    until(host, || async {
        for resource in resources.clone() {
            let at_head = by_id(resource).and(eq("task_ids.0", task));
            match lists(host).find_one(at_head).await {
                Ok(Some(_)) => {}
                Ok(None) => return Err(Wake::Changed),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    })
    .await
}

/// Takes the task off the list of the resource, and deletes the list if it is empty then.
pub(super) async fn take_off<H: Store>(
    host: &H,
    task: &Text,
    resource: &Text,
) -> Result<(), StoreError> {
    lists(host).update_one(by_id(resource), pull("task_ids", task)).await?;
    lists(host).delete_one(by_id(resource).and(size("task_ids", 0))).await?;
    Ok(())
}
