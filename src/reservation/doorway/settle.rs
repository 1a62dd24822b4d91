//! Sending a command until its answer arrives.

use std::future::IntoFuture;

use crate::env::{Env, insist};
use crate::store::StoreError;

/// Sends a command again for as long as its outcome is unknown, or it was not done for a passing
/// reason. So the command may be done more than once: its filter has to stand that.
pub(super) async fn settled<H, T, A>(host: &H, command: impl Fn() -> A) -> Result<T, StoreError>
where
    H: Env,
    A: IntoFuture<Output = Result<T, StoreError>>,
{
    insist(host, || async {
        match command().await {
            Err(error) if error.is_outcome_unknown() || error.is_not_done() => None,
            settled => Some(settled),
        }
    })
    .await
}
