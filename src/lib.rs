//! Deterministic simulation and model checking for concurrent code on a document database, with an
//! exclusive, first-come-first-served reservation of resources on MongoDB.
//!
//! # Background
//!
//! Code that coordinates through a document database has no locks but the database's own: unique
//! indexes, and the atomicity of an operation on one document. Whether an algorithm over these is
//! right depends on how its operations interleave with those of others, and on what the database
//! does not promise: a scan is no snapshot, an upsert is two operations. Tests on a server see a
//! few interleavings; this crate runs all of them.
//!
//! # How it works
//!
//! An algorithm is written over the [`Store`](store::Store) trait, whose operations are values. In
//! production it runs on a server. Under check it runs, unchanged, on an emulator of what MongoDB
//! does, and an [engine](check::engine) decides at each operation which process goes on:
//!
//! ```
//! use doorway::check::{Check, Cx};
//! use doorway::doc;
//! use doorway::env::Env;
//! use doorway::store::{Document, Store, StoreError, filter::by_id};
//!
//! // Whoever finds no lock puts one in: each looks, and then it writes.
//! async fn print(cx: Cx) -> Result<(), StoreError> {
//!     let locks = cx.collection::<Document>("locks");
//!     if locks.find_one(by_id("printer")).await?.is_none() {
//!         locks.replace_one(by_id("printer"), doc! {"by": cx.process()}).upsert(true).await?;
//!         cx.within("printer", async { /* the work */ }).await;
//!         locks.delete_one(by_id("printer")).await?;
//!     }
//!     Ok(())
//! }
//!
//! let checked = Check::new("printer lock")
//!     .processes(["a", "b"], print)
//!     .always("exclusive", |world| world.inside("printer") <= 1)
//!     .explore();
//! checked.assert_violates("exclusive");
//! println!("{checked}"); // the shortest run in which two processes print at once
//! ```
//!
//! [`check::Check`] is the front door, and `docs/CHECKING.md` its tutorial: a lock that looks
//! right, found wrong, mended, and kept as a test.
//!
//! # Parts
//!
//! - [`store`]: the store, and [`store::memory`], the emulator.
//! - [`env`](mod@env): what else an algorithm takes from outside.
//! - [`reservation`]: the designs of a reservation, and what is around them.
//! - [`check`]: [`Check`](check::Check); processes, worlds, properties, engines, verdicts.
//! - [`model`]: models as TOML files, and the properties of a reservation.
//! - [`report`]: reports for people and machines; [`report::html`], a run as a page to step through.
//!
//! # Limits
//!
//! Single-document operations only: no transactions, no aggregation, no multi-document writes. What
//! the emulator is not sure of, it refuses with an error that says so. A search that did not end is
//! [`Inconclusive`](check::Verdict::Inconclusive) and never verified.

pub mod check;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/CHECKING.md")]
pub mod checking {}
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
pub mod env;
pub mod model;
pub mod report;
pub mod reservation;
pub mod store;
