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
//! # #[cfg(feature = "shuttle")] {
//! use doorway::check::engine::{Options, shuttle};
//! use doorway::check::{Process, System, Verdict, World};
//! use doorway::model::property::Once;
//! use doorway::env::Env;
//! use doorway::reservation::Task;
//! use doorway::store::memory::State;
//! use doorway::store::{Document, Store, StoreError, filter::by_id, update::set};
//!
//! // Two processes run the task if nobody has: they look, and then they write.
//! let run_once = |cx: doorway::check::Cx| async move {
//!     let task = Task::new("t", "r");
//!     let tasks = cx.collection::<Document>("tasks");
//!     if tasks.find_one(by_id("t")).await?.is_some_and(|t| t.get("taken").is_none()) {
//!         tasks.update_one(by_id("t"), set("taken", true)).await?;
//!         cx.observe(task.event(Task::STARTED));
//!     }
//!     Ok::<_, StoreError>(())
//! };
//! let mut store = State::new();
//! store.insert("tasks", doorway::doc! {"_id": "t"}).expect("a new document");
//! let system = System {
//!     name: "look and write".into(),
//!     world: World { store, ..World::default() },
//!     history: Vec::new(),
//!     processes: vec![Process::new("a").then(run_once), Process::new("b").then(run_once)],
//!     properties: vec![std::sync::Arc::new(Once)],
//!     broken_store: None,
//!     faults: Default::default(),
//! };
//! let report = shuttle::check(&system, shuttle::Choose::DepthFirst, &Options::default());
//! assert_eq!(report.of("once").map(|found| found.verdict), Some(Verdict::Violated));
//! # }
//! ```
//!
//! # Parts
//!
//! - [`store`]: the store, and [`store::memory`], the emulator.
//! - [`env`](mod@env): what else an algorithm takes from outside.
//! - [`reservation`]: the designs of a reservation, and what is around them.
//! - [`check`]: processes, worlds, properties, engines, verdicts.
//! - [`model`]: models as TOML files, and the properties of a reservation.
//! - [`report`]: reports for people and machines.
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
pub mod env;
pub mod model;
pub mod report;
pub mod reservation;
pub mod store;
