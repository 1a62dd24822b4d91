//! What an engine runs: processes, the world in which they start, and what has to hold.

use std::fmt;
use std::sync::Arc;

use super::fault::Faults;
use super::monitor::Monitor;
use super::process::Process;
use super::world::{BrokenStore, World};
use crate::env::Event;
use crate::store::Text;

/// What an engine runs.
#[derive(Clone)]
pub struct System {
    /// The name of the model.
    pub name: Text,
    /// The world before the first step.
    pub world: World,
    /// What happened before the first step.
    pub history: Vec<Event>,
    /// The processes; each name once.
    pub processes: Vec<Process>,
    /// What has to hold.
    pub properties: Vec<Arc<dyn Monitor>>,
    /// How the store lies, if it does.
    pub broken_store: Option<BrokenStore>,
    /// What may go wrong, and how often. Engines that run on threads leave it out.
    pub faults: Faults,
    /// What other processes can come between.
    pub commands: Commands,
}

/// What other processes can come between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Commands {
    /// The phases of a command, as on a server: see [`Execution`](crate::store::memory::Execution).
    #[default]
    AsTheServer,
    /// Whole commands only, as one would wish: what holds in this way and else does not, falls
    /// because commands have phases.
    InOneStep,
}

impl System {
    /// The world before the first step, as it has to be for what may go wrong.
    pub(crate) fn initial_world(&self) -> World {
        let mut world = self.world.clone();
        self.faults.prepare(&mut world);
        world
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.iter().map(|property| property.name()).collect();
        f.debug_struct("System")
            .field("name", &self.name)
            .field("processes", &self.processes)
            .field("properties", &names)
            .finish_non_exhaustive()
    }
}
