//! The reference model by hand, as small and fast as it can be said: for the peers that take a
//! model and not code. Story #898, reserve and release only; `reference.pml` says the same to SPIN.

use std::fmt;
use std::str::FromStr;

/// So many managers and resources a state has room for.
const MANAGERS: usize = 8;
const RESOURCES: usize = 2;

/// How many of everything: managers, tasks of each, resources, workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    pub managers: u8,
    pub tasks: u8,
    pub resources: u8,
    pub workers: u8,
}

impl FromStr for Machine {
    type Err = String;

    fn from_str(text: &str) -> Result<Machine, String> {
        let numbers: Option<Vec<u8>> = text.split('x').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[managers, tasks, resources, workers])
                if (1..=MANAGERS).contains(&managers.into())
                    && (1..=RESOURCES).contains(&resources.into())
                    && tasks > 0
                    && (1..=2).contains(&workers) =>
            {
                Ok(Machine { managers, tasks, resources, workers })
            }
            _ => Err(format!(
                "{text}: a size is MANAGERSxTASKSxRESOURCESxWORKERS, as 5x2x2x2; at most {MANAGERS} \
                 managers, {RESOURCES} resources and 2 workers"
            )),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}x{}", self.managers, self.tasks, self.resources, self.workers)
    }
}

/// What a manager does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Next {
    #[default]
    Find,
    Push,
    Read,
    List,
    Insert,
    Wake,
    Pull,
    Delete,
    Nothing,
}

/// Where a manager is: the number of its task, and the worker that it tries or has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Manager {
    next: Next,
    task: u8,
    worker: u8,
}

/// The reservation of a resource; worker 0: there is none. Tasks from 1, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Reservation {
    worker: u8,
    tasks: [u8; MANAGERS],
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    reservations: [Reservation; RESOURCES],
    managers: [Manager; MANAGERS],
}

impl Reservation {
    fn append(&mut self, task: u8) {
        if let Some(free) = self.tasks.iter_mut().find(|place| **place == 0) {
            *free = task;
        }
    }

    fn take_off(&mut self, task: u8) {
        if let Some(place) = self.tasks.iter().position(|known| *known == task) {
            self.tasks.copy_within(place + 1.., place);
            self.tasks[MANAGERS - 1] = 0;
        }
    }
}

impl Machine {
    /// The numbers of the managers.
    pub fn all(self) -> impl Iterator<Item = u8> {
        0..self.managers
    }

    /// Whether a manager has done its tasks.
    pub fn is_done(self, state: &State, manager: u8) -> bool {
        state.managers[usize::from(manager)].next == Next::Nothing
    }

    /// The state after the next step of a manager, if it can take one.
    pub fn step(self, state: &State, manager: u8) -> Option<State> {
        let mut after = *state;
        let is_taken = |worker: u8| state.reservations.iter().any(|known| known.worker == worker);
        let here = &mut after.managers[usize::from(manager)];
        let reservation =
            &mut after.reservations[usize::from((manager + here.task) % self.resources)];
        let (is_there, task) = (reservation.worker != 0, manager * self.tasks + here.task + 1);
        here.next = match here.next {
            Next::Find if is_there => Next::Push,
            Next::Push if is_there => {
                reservation.append(task);
                Next::Read
            }
            Next::Find | Next::Push => Next::List,
            Next::Read => {
                here.worker = reservation.worker;
                Next::Pull
            }
            Next::List => {
                here.worker = 1;
                Next::Insert
            }
            Next::Insert if !is_there && !is_taken(here.worker) => {
                reservation.worker = here.worker;
                reservation.append(task);
                Next::Pull
            }
            Next::Insert if here.worker < self.workers => {
                here.worker += 1;
                Next::Insert
            }
            Next::Insert => {
                here.worker = 0;
                Next::Wake
            }
            Next::Wake if is_there => Next::Push,
            Next::Wake if (1..=self.workers).any(|worker| !is_taken(worker)) => Next::List,
            Next::Wake | Next::Nothing => return None,
            Next::Pull => {
                reservation.take_off(task);
                here.worker = 0;
                Next::Delete
            }
            Next::Delete => {
                if reservation.tasks[0] == 0 {
                    reservation.worker = 0;
                }
                here.task += 1;
                if here.task < self.tasks { Next::Find } else { Next::Nothing }
            }
        };
        Some(after)
    }
}
