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
    /// Whether guards run beside the work of processes.
    pub guards: Guards,
}

/// Whether the guards of [`Env::beside`](crate::env::Env::beside) run beside the work.
///
/// A guard is a strand of its process: it has a request of its own under way, it crashes with the process,
/// and the one that ends first stops the other. Engines that run on threads leave guards out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Guards {
    /// They are left out: the work is done alone.
    #[default]
    LeftOut,
    /// They run. A guard that rests goes on at any moment or never.
    Run {
        /// How often guards may come back from a rest in one run, all together. A heart that beats for
        /// ever has no end, and a run must have one.
        rests: u32,
    },
}

impl Guards {
    pub(crate) fn run(self) -> bool {
        self != Guards::LeftOut
    }

    pub(crate) fn rests(self) -> u32 {
        if let Guards::Run { rests } = self { rests } else { 0 }
    }
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
    /// Whether all that happens are steps of processes.
    pub(crate) fn has_steps_only(&self) -> bool {
        self.faults.is_none() && self.guards.rests() == 0
    }

    /// Whether a guard was left out that was to run beside the work of a process.
    pub(crate) fn has_left_out_guards(&self) -> bool {
        !self.guards.run() && self.processes.iter().any(Process::has_left_out_guards)
    }

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
