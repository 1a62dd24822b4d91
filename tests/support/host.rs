//! A host that is neither an engine nor a server: the in-memory store and tokio's timer.

use std::sync::Mutex;
use std::time::Duration;

use doorway::env::{Env, Event, Wake};
use doorway::reservation::doorway::schema::{COUNTERS, counters};
use doorway::store::memory::{MemoryStore, State};
use doorway::store::{Command, Reply, Store, StoreError};

/// The in-memory store and tokio's timer, in thousandths of the times that are asked for.
pub(crate) struct Host {
    pub(crate) store: MemoryStore,
    commands: Mutex<Vec<String>>,
    events: Mutex<Vec<Event>>,
}

impl Host {
    /// With nothing in the store but the counters.
    pub(crate) fn new() -> Host {
        let mut state = State::new();
        for counter in counters() {
            state.insert(COUNTERS, counter).unwrap();
        }
        let store = MemoryStore::with_state(state);
        Host { store, commands: Mutex::default(), events: Mutex::default() }
    }

    /// What was sent so far: each command by its collection and operation.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }

    /// What was told so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

impl Store for Host {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let name = format!("{}.{}", command.collection, command.operation.name());
        self.commands.lock().unwrap().push(name);
        self.store.execute(command).await
    }
}

impl Env for Host {
    async fn pause(&self, _: Wake) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn rest(&self, period: Duration) {
        tokio::time::sleep(period / 1000).await;
    }

    async fn beside<T: Send>(
        &self,
        guard: impl Future<Output = ()> + Send,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = guard => None,
        }
    }

    fn observe(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}
