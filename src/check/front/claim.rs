//! A property that is a closure over the world.

use std::fmt::Display;
use std::sync::Arc;

use super::places::{Insiders, Places};
use super::view::View;
use crate::check::monitor::{End, Monitor, Step};
use crate::store::{Document, Text};

/// What a property of one's own may return: a `bool`, or a `Result` that says why it does not
/// hold.
pub trait Holds {
    /// Whether it holds, and why not.
    ///
    /// # Errors
    ///
    /// It does not hold.
    fn holds(self) -> Result<(), String>;
}

impl Holds for bool {
    fn holds(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it does not hold".into()) }
    }
}

impl<E: Display> Holds for Result<(), E> {
    fn holds(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// When a claim is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// After every step, and before the first.
    Always,
    /// When no process can go on.
    AtEnd,
    /// At some time of some run.
    Sometimes,
    /// At some time of every run.
    Eventually,
}

/// What the memory of a claim says once that has come which was to come. No place is called so.
const CAME: &str = "";

type Closure = Arc<dyn Fn(&View<'_>) -> Result<(), String> + Send + Sync>;

/// A claim about the world: what [`Check`](super::Check) is told.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) name: Text,
    pub(super) when: When,
    closure: Closure,
    places: Arc<Places>,
}

impl Claim {
    pub(super) fn new<H: Holds>(
        name: Text,
        when: When,
        closure: impl Fn(&View<'_>) -> H + Send + Sync + 'static,
    ) -> Claim {
        let closure = Arc::new(move |view: &View<'_>| closure(view).holds());
        Claim { name, when, closure, places: Arc::default() }
    }

    /// The same claim for another search.
    pub(super) fn afresh(&self) -> Claim {
        Claim { places: Arc::default(), ..self.clone() }
    }

    /// Whether it holds, and why not: with who is where.
    fn ask(&self, view: &View<'_>, insiders: &Insiders) -> Result<(), String> {
        (self.closure)(view).map_err(|why| match insiders.told() {
            Some(who) => format!("{why}, with {who}"),
            None => why,
        })
    }

    /// A place that it asked for, where no process ever was.
    pub(super) fn empty_place(&self) -> Option<Text> {
        self.places.never_entered()
    }
}

/// To an engine a run that reaches what is to be reachable is one that "breaks" it: so it is found
/// by the shortest way. What that means is turned round in [`Checked`](super::Checked).
impl Monitor for Claim {
    fn name(&self) -> &str {
        &self.name
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        if self.when == When::Eventually && memory.get(CAME).is_some() {
            return Ok(());
        }
        let mut insiders = Insiders::of_memory(memory);
        insiders.follow(step, &self.places);
        let view = View::new(step.world, &insiders, &self.places);
        let said = match self.when {
            When::Always => self.ask(&view, &insiders),
            When::AtEnd => Ok(()),
            When::Eventually => {
                if (self.closure)(&view).is_ok() {
                    *memory = Document::new().with(CAME, true);
                    return Ok(());
                }
                Ok(())
            }
            When::Sometimes => match (self.closure)(&view) {
                Ok(()) => Err("it is reached".into()),
                Err(_) => Ok(()),
            },
        };
        *memory = insiders.into_memory();
        said
    }

    fn is_of_endless_runs(&self) -> bool {
        self.when == When::Eventually
    }

    fn owes(&self, memory: &Document) -> Vec<Text> {
        let owed = self.when == When::Eventually && memory.get(CAME).is_none();
        if owed { vec![self.name.clone()] } else { Vec::new() }
    }

    fn end(&self, memory: &Document, end: &End<'_>) -> Result<(), String> {
        match self.when {
            When::AtEnd => {}
            When::Eventually if memory.get(CAME).is_none() => {
                return Err("the run is over, and it never came to hold".into());
            }
            _ => return Ok(()),
        }
        let insiders = Insiders::of_memory(memory);
        self.ask(&View::new(end.world, &insiders, &self.places), &insiders)
    }
}
