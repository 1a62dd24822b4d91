//! The front door: a check of one's own async code, as one reads it.

mod checked;
mod claim;
mod guarded;
mod no_verdict;
mod places;
mod view;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

pub use checked::Checked;
pub use claim::Holds;
pub use no_verdict::NoVerdict;
pub use view::View;

use claim::{Claim, When};
use guarded::{Guarded, Panics};

use super::cx::Cx;
use super::engine::{Limits, Options, explore};
use super::fault::{Choice, Faults};
use super::monitor::Monitor;
use super::process::Process;
use super::property::{NoDeadlock, NoFailure};
use super::system::{Commands, Guards, System};
use super::trace::{Counterexample, Replay};
use super::verdict::{Reductions, Report};
use super::world::World;
use crate::store::{Index, StoreError, Text, to_document};

/// What the tables of an explorer may take by default: then it stops, and is inconclusive.
const MEMORY: usize = 1 << 30;
/// So often guards come back from a rest in one run, by default.
const RESTS: u32 = 1;

/// A check of one's own async code: what is in the store, who runs, what has to hold.
///
/// ```
/// use doorway::check::{Check, Cx, Faults};
/// use doorway::env::{Env, Wake, until};
/// use doorway::doc;
/// use doorway::store::{Document, Store, StoreError, filter::by_id};
///
/// async fn lock_work_unlock(cx: Cx) -> Result<(), StoreError> {
///     let locks = cx.collection::<Document>("locks");
///     until(&cx, || async {
///         locks.insert_one(&doc! {"_id": "printer"}).await.map_err(|_| Wake::Changed)
///     })
///     .await;
///     cx.within("work", async { /* print */ }).await;
///     locks.delete_one(by_id("printer")).await.map(|_| ())
/// }
///
/// Check::new("my lock")
///     .collection("locks", [])
///     .processes(["a", "b"], lock_work_unlock)
///     .always("exclusive", |world| world.inside("work") <= 1)
///     .at_end("no lock is left", |world| world.documents::<Document>("locks").is_empty())
///     .explore()
///     .assert_verified();
/// ```
///
/// Two properties are always there: `no-deadlock` (no process waits for ever) and `no-failure` (no
/// process stops with an error or a panic); [`Check::waive`] takes one away.
///
/// What is wrong with a check itself (two processes of one name, say) is told when it runs.
#[derive(Clone)]
pub struct Check {
    name: Text,
    world: World,
    processes: Vec<Process>,
    properties: Vec<Property>,
    waived: Vec<Text>,
    faults: Faults,
    guards: Guards,
    limits: Limits,
    /// Whether an explorer numbers ordinals anew.
    ordinals: bool,
    /// The first thing that is wrong with how it is put together.
    wrong: Option<String>,
}

/// A property of a check.
#[derive(Clone)]
enum Property {
    Claim(Claim),
    Monitor(Arc<dyn Monitor>),
}

impl Check {
    /// A check of that name, with nothing in it.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Check {
        Check {
            name: name.into(),
            world: World::default(),
            processes: Vec::new(),
            properties: Vec::new(),
            waived: Vec::new(),
            faults: Faults::default(),
            guards: Guards::Run { rests: RESTS },
            limits: Limits { memory: Some(MEMORY), ..Limits::default() },
            ordinals: true,
            wrong: None,
        }
    }

    /// A collection with its unique indexes. One without any need not be told.
    #[must_use]
    pub fn collection(mut self, name: &str, indexes: impl IntoIterator<Item = Index>) -> Check {
        let indexes: Vec<Index> = indexes.into_iter().collect();
        let made = self.world.store.provision(name, &indexes);
        self.note(made, name)
    }

    /// A document that is there at the start: a serde struct, or a [`doc!`](crate::doc).
    #[must_use]
    pub fn document(mut self, collection: &str, document: impl Serialize) -> Check {
        let document = to_document(&document);
        let put = document.and_then(|document| self.world.store.insert(collection, document));
        self.note(put, collection)
    }

    /// A message that waits in a queue at the start.
    #[must_use]
    pub fn message(mut self, queue: &str, message: impl Serialize) -> Check {
        let sent =
            to_document(&message).map(|message| self.world.messages.send(&queue.into(), message));
        self.note(sent, queue)
    }

    /// A process: an async function over its handle on the world. It may return `()` or a
    /// `Result`; an error stops it.
    #[must_use]
    pub fn process<F, A>(self, name: impl Into<Text>, body: F) -> Check
    where
        F: Fn(Cx) -> A + Send + Sync + 'static,
        A: Future<Output: super::process::Done> + Send + 'static,
    {
        self.with(Process::new(name).then(body))
    }

    /// Several processes that do the same; [`Cx::process`] is the name of each.
    #[must_use]
    pub fn processes<F, A, N: Into<Text>>(
        self,
        names: impl IntoIterator<Item = N>,
        body: F,
    ) -> Check
    where
        F: Fn(Cx) -> A + Clone + Send + Sync + 'static,
        A: Future<Output: super::process::Done> + Send + 'static,
    {
        names.into_iter().fold(self, |check, name| check.process(name, body.clone()))
    }

    /// A process of several activities.
    #[must_use]
    pub fn with(mut self, process: Process) -> Check {
        self.processes.push(process);
        self
    }

    /// What holds at all times: it is asked before the first step, and after each.
    #[must_use]
    pub fn always<H: Holds>(
        self,
        name: impl Into<Text>,
        holds: impl Fn(&View<'_>) -> H + Send + Sync + 'static,
    ) -> Check {
        self.property(Property::Claim(Claim::new(name.into(), When::Always, holds)))
    }

    /// What holds when no process can go on: all have ended, or wait for ever.
    #[must_use]
    pub fn at_end<H: Holds>(
        self,
        name: impl Into<Text>,
        holds: impl Fn(&View<'_>) -> H + Send + Sync + 'static,
    ) -> Check {
        self.property(Property::Claim(Claim::new(name.into(), When::AtEnd, holds)))
    }

    /// What holds at some time of some run. A check in which the interesting situation cannot come
    /// about says nothing, and this says so.
    #[must_use]
    pub fn reachable<H: Holds>(
        self,
        name: impl Into<Text>,
        holds: impl Fn(&View<'_>) -> H + Send + Sync + 'static,
    ) -> Check {
        self.property(Property::Claim(Claim::new(name.into(), When::Sometimes, holds)))
    }

    /// What comes to hold at some time of every run: before its end, or if it has none, provided that
    /// it is weakly fair: no process could go on for ever and never does. Only an explorer can tell; it
    /// keeps the graph of all states for that, some 80 bytes a state and 8 a transition.
    #[must_use]
    pub fn eventually<H: Holds>(
        self,
        name: impl Into<Text>,
        holds: impl Fn(&View<'_>) -> H + Send + Sync + 'static,
    ) -> Check {
        self.property(Property::Claim(Claim::new(name.into(), When::Eventually, holds)))
    }

    /// A property with a memory of its own, fed every step.
    #[must_use]
    pub fn monitor(self, monitor: impl Monitor + 'static) -> Check {
        self.property(Property::Monitor(Arc::new(monitor)))
    }

    /// Takes away one of the properties that are always there: `no-deadlock` or `no-failure`.
    #[must_use]
    pub fn waive(mut self, property: impl Into<Text>) -> Check {
        self.waived.push(property.into());
        self
    }

    /// What may go wrong, and how often.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Check {
        self.faults = faults;
        self
    }

    /// Whether guards run beside the work ([`Env::beside`](crate::env::Env::beside)). By default they do, and
    /// come back from a rest once in a run. Engines on threads run none: where the code has any, they are
    /// inconclusive unless it is said here that guards are left out.
    #[must_use]
    pub fn guards(mut self, guards: Guards) -> Check {
        self.guards = guards;
        self
    }

    /// When a search gives up; its verdict is then inconclusive. By default an explorer does at
    /// 1 GiB, and nothing else stops a search.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Check {
        self.limits = limits;
        self
    }

    /// Whether an explorer visits one state for all that are one but for the numbers of their
    /// [`Ordinal`](crate::store::Ordinal)s, in the same order. By default it does; without, what counts for ever
    /// has states without end.
    #[must_use]
    pub fn reduce_ordinals(mut self, reduce: bool) -> Check {
        self.ordinals = reduce;
        self
    }

    /// Visits every reachable state, once.
    ///
    /// # Panics
    ///
    /// With [`NoVerdict`], where there is none.
    #[track_caller]
    pub fn explore(&self) -> Checked {
        or_panic(self.try_explore())
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// [`NoVerdict`]: what is wrong with the check, a property that panics, or a process that draws
    /// on a clock, a random source or shared memory.
    pub fn try_explore(&self) -> Result<Checked, NoVerdict> {
        let claims = self.claims();
        let system = self.system(&claims)?;
        let report = explore::explore(&system, &self.options().for_explorer())
            .map_err(|error| NoVerdict::refused(&self.name, error))?;
        self.checked(&claims, report)
    }

    /// Makes every interleaving, on loom's threads. For small checks without faults; a process
    /// that is not a function of what it is answered goes unnoticed.
    ///
    /// # Panics
    ///
    /// With [`NoVerdict`], where there is none.
    #[cfg(feature = "loom")]
    #[track_caller]
    pub fn loom(&self) -> Checked {
        or_panic(self.on_threads(super::engine::loom::check))
    }

    /// Makes interleavings on shuttle's threads: every one, or many at random, which is always
    /// inconclusive. For checks without faults; a process that is not a function of what it is
    /// answered goes unnoticed.
    ///
    /// # Panics
    ///
    /// With [`NoVerdict`], where there is none.
    #[cfg(feature = "shuttle")]
    #[track_caller]
    pub fn shuttle(&self, choose: super::engine::shuttle::Choose) -> Checked {
        or_panic(
            self.on_threads(|system, options| {
                super::engine::shuttle::check(system, choose, options)
            }),
        )
    }

    /// Makes the run that a schedule says: the words of a counterexample, or one's own.
    ///
    /// # Panics
    ///
    /// With [`NoVerdict`]: where the code does not follow the schedule, it says from which step on.
    #[track_caller]
    pub fn replay(&self, schedule: &str) -> Replay {
        or_panic(self.try_replay(schedule))
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// [`NoVerdict`]: what is wrong with the check, a property that panics, or the step from which
    /// on the code does not follow the schedule.
    pub fn try_replay(&self, schedule: &str) -> Result<Replay, NoVerdict> {
        let claims = self.claims();
        let (system, panics) = self.guarded(&claims)?;
        let schedule: Vec<Text> = schedule.split_whitespace().map(Text::from).collect();
        let replay = system.replay(&schedule);
        self.unless_panicked(&panics)?;
        let mut replay = replay.map_err(|stale| NoVerdict::stale(&self.name, stale))?;
        let reached = |name: &Text| {
            claims.iter().any(|claim| claim.name == *name && claim.when == When::Sometimes)
        };
        replay.fallen.retain(|(name, ..)| !reached(name));
        Ok(replay)
    }

    #[cfg(any(feature = "loom", feature = "shuttle"))]
    fn on_threads(
        &self,
        search: impl FnOnce(&System, &Options) -> Report,
    ) -> Result<Checked, NoVerdict> {
        let claims = self.claims();
        let (system, panics) = self.guarded(&claims)?;
        let options = Options { cancel: panics.cancel.clone(), ..self.options() };
        let report = search(&system, &options);
        self.unless_panicked(&panics)?;
        self.checked(&claims, report)
    }

    /// What came of a search. Where a property does not hold before the first step, no process is to
    /// blame: it is the check that is wrong.
    fn checked(&self, claims: &[Claim], report: Report) -> Result<Checked, NoVerdict> {
        let always = claims.iter().filter(|claim| claim.when == When::Always);
        let mut found = always.filter_map(|claim| report.of(&claim.name)?.counterexample.as_ref());
        match found.find(|found| found.schedule.is_empty()) {
            None => Ok(Checked::new(self, claims, report)),
            Some(Counterexample { property, why, .. }) => Err(NoVerdict::new(
                &self.name,
                format!("{property} does not hold before any process has taken a step: {why}"),
            )),
        }
    }

    fn options(&self) -> Options {
        let reductions = Reductions { ordinals: self.ordinals, ..Reductions::default() };
        Options { limits: self.limits, reductions, ..Options::default() }
    }

    fn property(mut self, property: Property) -> Check {
        self.properties.push(property);
        self
    }

    /// Keeps the first thing that is wrong until the check runs, so that it is told as one message.
    fn note(mut self, done: Result<(), StoreError>, what: &str) -> Check {
        if let Err(error) = done {
            self.wrong.get_or_insert_with(|| format!("{what} cannot be set up: {error}"));
        }
        self
    }

    /// The claims, for one search.
    fn claims(&self) -> Vec<Claim> {
        let claim = |property: &Property| match property {
            Property::Claim(claim) => Some(claim.afresh()),
            Property::Monitor(_) => None,
        };
        self.properties.iter().filter_map(claim).collect()
    }

    /// What an engine runs.
    fn system(&self, claims: &[Claim]) -> Result<System, NoVerdict> {
        let defaults: [Arc<dyn Monitor>; 2] = [Arc::new(NoDeadlock), Arc::new(NoFailure)];
        let mut properties: Vec<Arc<dyn Monitor>> = Vec::new();
        let mut claims = claims.iter();
        properties.extend(self.properties.iter().filter_map(|property| match property {
            Property::Claim(_) => claims.next().map(|claim| Arc::new(claim.clone()) as _),
            Property::Monitor(monitor) => Some(Arc::clone(monitor)),
        }));
        let waived = |name: &str| self.waived.iter().any(|waived| **waived == *name);
        let unknown = |waived: &&Text| !defaults.iter().any(|one| one.name() == &***waived);
        let wrong = self.wrong.clone().or_else(|| {
            let unknown = self.waived.iter().find(unknown)?;
            Some(format!("{unknown} cannot be waived: it is not always there"))
        });
        properties.extend(defaults.iter().filter(|one| !waived(one.name())).cloned());
        let wrong = wrong.or_else(|| self.wrong_names(&properties));
        match wrong {
            Some(why) => Err(NoVerdict::new(&self.name, why)),
            None => Ok(System {
                name: self.name.clone(),
                world: self.world.clone(),
                history: Vec::new(),
                processes: self.processes.clone(),
                properties,
                broken_store: None,
                faults: self.faults.clone(),
                commands: Commands::AsTheServer,
                guards: self.guards,
            }),
        }
    }

    /// What is wrong with who runs and what has to hold.
    fn wrong_names(&self, properties: &[Arc<dyn Monitor>]) -> Option<String> {
        let processes = || self.processes.iter().map(|process| &*process.name);
        let is_no_word = |name: &&str| {
            name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == ':')
        };
        if processes().next().is_none() {
            return Some("it has no process: nothing runs".into());
        }
        if properties.is_empty() {
            return Some("it has no property: nothing is checked".into());
        }
        if let Some(name) = processes().find(is_no_word) {
            return Some(format!(
                "a process cannot be called {name:?}: schedules are made of names, so a name is \
                 one word, without a colon"
            ));
        }
        if let Some(name) = processes().find(|name| Choice::takes_name(name)) {
            return Some(format!(
                "a process cannot be called {name}: schedules mean the database by it"
            ));
        }
        if let Some(name) = twice(processes()) {
            return Some(format!("two processes are called {name}"));
        }
        if let Some(name) = twice(properties.iter().map(|property| property.name())) {
            return Some(format!("two properties are called {name}"));
        }
        let hit = |name: &&Text| !processes().any(|process| process == &***name);
        let nobody = self.faults.named().find(hit)?;
        Some(format!("faults are to happen to {nobody}, and there is no such process"))
    }

    /// What an engine runs that does not catch the panics of a property.
    fn guarded(&self, claims: &[Claim]) -> Result<(System, Panics), NoVerdict> {
        let (mut system, panics) = (self.system(claims)?, Panics::default());
        let guard = |property| Arc::new(Guarded { property, panics: panics.clone() }) as _;
        system.properties = system.properties.into_iter().map(guard).collect();
        Ok((system, panics))
    }

    fn unless_panicked(&self, panics: &Panics) -> Result<(), NoVerdict> {
        panics.first().map_or(Ok(()), |why| Err(NoVerdict::new(&self.name, why)))
    }
}

/// A name that comes a second time.
fn twice<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.find(|name| !seen.insert(*name))
}

/// Not by `unwrap_or_else`: the place that is told is that of the test.
#[track_caller]
fn or_panic<T>(result: Result<T, NoVerdict>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
