//! The emulator as a store: one state that several clients share.

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::execution::Execution;
use super::gate::{Gate, Open};
use super::state::State;
use crate::store::{Command, Index, Provision, Reply, Store, StoreError};

/// The emulator behind the [`Store`] trait. A clone is another client of the same database.
///
/// Each step of a command passes the gate, then runs alone; between two steps of one command other
/// clients may come. A future is ready at its first poll: it waits nowhere but in the gate.
pub struct MemoryStore<G = Open> {
    shared: Arc<Shared<G>>,
}

struct Shared<G> {
    state: Mutex<State>,
    gate: G,
}

impl MemoryStore {
    /// An empty database.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::with_state(State::new())
    }

    /// A database with this content.
    #[must_use]
    pub fn with_state(state: State) -> MemoryStore {
        MemoryStore::with_gate(state, Open)
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl<G> MemoryStore<G> {
    /// A database with this content, behind this gate.
    #[must_use]
    pub fn with_gate(state: State, gate: G) -> MemoryStore<G> {
        MemoryStore { shared: Arc::new(Shared { state: Mutex::new(state), gate }) }
    }

    /// The content as it is now: a pointer copy.
    #[must_use]
    pub fn snapshot(&self) -> State {
        self.state().clone()
    }

    /// The state, also after a panic of another client: every step leaves it sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G: Gate> MemoryStore<G> {
    fn run(&self, command: Command) -> Result<Reply, StoreError> {
        let mut execution = Execution::begin(command);
        loop {
            self.shared.gate.pass(&execution.command().collection, execution.access());
            if let Some(reply) = execution.step(&mut self.state()) {
                return reply;
            }
        }
    }
}

impl<G> Clone for MemoryStore<G> {
    fn clone(&self) -> MemoryStore<G> {
        MemoryStore { shared: Arc::clone(&self.shared) }
    }
}

impl<G> fmt::Debug for MemoryStore<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("state", &*self.state()).finish_non_exhaustive()
    }
}

impl<G: Gate> Store for MemoryStore<G> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        self.run(command)
    }
}

impl<G: Gate> Provision for MemoryStore<G> {
    fn provision(
        &self,
        collection: &str,
        indexes: &[Index],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(self.state().provision(collection, indexes))
    }
}
