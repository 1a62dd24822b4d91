//! The doorway: exclusive, first come, first served, with any number of managers, through crashes.
//!
//! The list of a reservation *is* the queue of its resource. A task is through the doorway (Lamport,
//! *A new solution of Dijkstra's concurrent programming problem*, CACM 17(8), 1974) once one atomic
//! operation has appended it there; no worker is chosen before, and none afterwards either: workers
//! come for work.
//!
//! | step | by | command |
//! |---|---|---|
//! | [`submit()`] | a submitter, or a manager | insert the status; append the task to the list |
//! | look | a [`worker`] | the waiting resource whose turn it is |
//! | bind | | take the resource, if nobody else has, with the next token; read the head of its list |
//! | claim | | the status of the head of the list: waiting → running |
//! | run | | with the token as a *fencing token*: a resource refuses one lower than it has seen |
//! | finish | | the status: running → finished or failed |
//! | release | | read the highest turn of those that wait; take the task off the list and the worker off the reservation, behind them, in one operation |
//! | [`sweep`] | anyone, for ever | free a resource whose worker is not registered any more |
//! | [`watch`] | anyone, for ever | delete the registration of a worker whose heart has stopped |
//! | [`cancel`] | anyone | the status: waiting → cancelled; the list is left alone |
//!
//! A token is the number of bindings that the resource has had. So it names one binding, and of two
//! bindings of a resource the later has the higher one; and a reservation stays when its list is empty.
//!
//! Who wants no worker but to wait for a turn of its own takes the [`lock`].
//!
//! An answer that was lost is no trouble: the command is sent again, and whoever finds that it had
//! been done the first time takes what is there.

pub mod cancel;
pub mod counter;
pub mod lock;
pub mod manager;
pub mod migrate;
pub mod overview;
pub mod registry;
pub mod schema;
mod settle;
pub mod setup;
pub mod submit;
pub mod sweep;
pub mod watch;
pub mod worker;

pub use submit::submit;
