//! Which workers are there: registration and heartbeat.

use serde::{Deserialize, Serialize};

use super::counter::draw;
use super::schema::{Registration, registrations};
use super::settle::settled;
use crate::env::Env;
use crate::reservation::ReservationError;
use crate::store::filter::{by_id, eq, lt};
use crate::store::update::inc;
use crate::store::{ReadConcern, Store, StoreError, Text};

/// A worker's name, and which of the processes that ever had it this one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incarnation {
    /// The name.
    pub name: Text,
    /// The number of the process; a later one of the same name has a higher one.
    pub number: i64,
}

/// What the registry says of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is registered.
    Current,
    /// It was declared dead.
    Gone,
    /// A later process has its name.
    Superseded,
}

/// Registers a process under a worker's name. Any earlier one of that name is superseded by it.
///
/// # Errors
///
/// [`ReservationError::Superseded`] where a later process has the name already.
pub async fn register<H: Store + Env>(
    host: &H,
    name: &Text,
) -> Result<Incarnation, ReservationError> {
    let me = Incarnation { name: name.clone(), number: draw(host).await? };
    loop {
        let registered = settled(host, || {
            let earlier = by_id(name).and(lt("incarnation", me.number));
            let name = name.clone();
            let registration = Registration { name, incarnation: me.number, beats: 0 };
            registrations(host).replace_one(earlier, registration).upsert(true)
        });
        match registered.await {
            Ok(_) => return Ok(me),
            Err(error) if !error.is_duplicate_key() => return Err(error.into()),
            Err(_) => match standing(host, &me).await? {
                Standing::Current => return Ok(me),
                Standing::Superseded => return Err(ReservationError::Superseded(name.clone())),
                // One of an earlier process came late, and in between.
                Standing::Gone => {}
            },
        }
    }
}

/// Says that the worker is alive; `false` where it is not registered any more. One command.
///
/// # Errors
///
/// What the store refuses. That says nothing of how the worker stands.
pub async fn heartbeat<H: Store>(host: &H, me: &Incarnation) -> Result<bool, StoreError> {
    let mine = by_id(&me.name).and(eq("incarnation", me.number));
    Ok(registrations(host).update_one(mine, inc("beats", 1)).await?.matched == 1)
}

/// Ends a registration; `false` where it had ended, or an answer was lost. One command.
///
/// # Errors
///
/// What the store refuses.
pub async fn deregister<H: Store + Env>(
    host: &H,
    me: &Incarnation,
) -> Result<bool, ReservationError> {
    let ended = settled(host, || async {
        let mine = by_id(&me.name).and(eq("incarnation", me.number));
        registrations(host).delete_one(mine).await
    });
    Ok(ended.await? == 1)
}

/// What the registry says of the worker. One command.
///
/// # Errors
///
/// What the store refuses.
pub async fn standing<H: Store + Env>(
    host: &H,
    me: &Incarnation,
) -> Result<Standing, ReservationError> {
    Ok(match registered(host, &me.name).await? {
        None => Standing::Gone,
        Some(found) if found.incarnation > me.number => Standing::Superseded,
        Some(found) if found.incarnation == me.number => Standing::Current,
        // It was declared dead, and a registration of an earlier process came late.
        Some(_) => Standing::Gone,
    })
}

/// The registration of a worker, and not one that it had at an earlier time: who reads it ends
/// bindings by what it says.
pub(super) async fn registered<H: Store + Env>(
    host: &H,
    name: &Text,
) -> Result<Option<Registration>, StoreError> {
    let registrations = registrations(host).read_concern(ReadConcern::Linearizable);
    settled(host, || registrations.find_one(by_id(name))).await
}
