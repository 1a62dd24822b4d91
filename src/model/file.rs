//! A model as a TOML file, read with errors that point at the line and the word.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::{EngineChoice, EngineKind, Expect, Model, Sizes, Subject, SystemKind, property};
use crate::check::mutation::Mutation;
use crate::check::{BrokenStore, Faults, Guards};
use crate::reservation::Design;
use crate::store::WriteConcern;

/// The most of anything that a model may have: far beyond what can be exhausted.
pub const MOST: u32 = 64;

/// What is wrong with a model file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// The file, or the name of the shipped model.
    pub file: String,
    /// The text of the file, if it could be read.
    pub text: String,
    /// The bytes of the text that are wrong, if it is some of them.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.span.as_ref().map(|span| line_and_column(&self.text, span.start));
        match line {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for ModelError {}

/// The line and the column, both from 1, of a byte of a text.
fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// What is wrong at a place of a file.
struct Wrong {
    span: Option<Range<usize>>,
    message: String,
    help: Option<String>,
}

impl Wrong {
    fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Wrong {
        Wrong { span: Some(place.span()), message: message.into(), help: None }
    }

    fn nowhere(message: impl Into<String>) -> Wrong {
        Wrong { span: None, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Wrong {
        self.help = Some(help.into());
        self
    }
}

/// The file as it is written; [`Model`] is what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    about: String,
    design: Spanned<String>,
    system: Spanned<String>,
    #[serde(default)]
    managers: Option<Spanned<i64>>,
    #[serde(default)]
    workers: Option<Spanned<i64>>,
    tasks: Spanned<i64>,
    resources: Spanned<i64>,
    #[serde(default)]
    wants: Option<Spanned<Vec<Spanned<i64>>>>,
    #[serde(default)]
    needs: Option<Spanned<Vec<Vec<Spanned<i64>>>>>,
    #[serde(default)]
    buries: Vec<Spanned<i64>>,
    #[serde(default)]
    deposes: Vec<Spanned<i64>>,
    #[serde(default)]
    dead: Vec<Spanned<i64>>,
    #[serde(default)]
    cancels: Vec<Spanned<i64>>,
    #[serde(default)]
    streams: Vec<Spanned<i64>>,
    #[serde(default)]
    twins: Vec<Spanned<i64>>,
    #[serde(default)]
    hearts: Vec<Spanned<i64>>,
    #[serde(default)]
    rests: Option<Spanned<u32>>,
    #[serde(default)]
    sweepers: Option<Spanned<u32>>,
    #[serde(default)]
    mutant: Option<MutantTable>,
    #[serde(default)]
    write: Option<Spanned<String>>,
    #[serde(default)]
    broken_store: Option<Spanned<String>>,
    #[serde(default)]
    faults: FaultTable,
    expect: Spanned<BTreeMap<Spanned<String>, Spanned<String>>>,
    engine: Spanned<Vec<Spanned<Engine>>>,
}

/// What is changed about the design, in the words of `doorway mutants`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum MutantTable {
    Command { command: String, change: Spanned<String> },
    NoIndex { collection: String, index: String },
}

impl MutantTable {
    fn mutation(&self) -> Result<Mutation, Wrong> {
        Ok(match self {
            MutantTable::Command { command, change } => Mutation::Command {
                command: command.as_str().into(),
                change: change.get_ref().parse().map_err(|why: String| Wrong::at(change, why))?,
            },
            MutantTable::NoIndex { collection, index } => Mutation::NoIndex {
                collection: collection.as_str().into(),
                index: index.as_str().into(),
            },
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FaultTable {
    #[serde(default)]
    crashes: u32,
    #[serde(default)]
    unknown_outcomes: u32,
    #[serde(default)]
    redeliveries: u32,
    #[serde(default)]
    stale_reads: u32,
    #[serde(default)]
    failovers: u32,
    #[serde(default)]
    retryable_writes: Option<Spanned<bool>>,
    #[serde(default)]
    gone_for_good: bool,
    #[serde(default)]
    among: Option<Spanned<Vec<Spanned<String>>>>,
}

impl FaultTable {
    fn faults(&self, model: &Model) -> Result<Faults, Wrong> {
        let faults = Faults::default()
            .crashes(self.crashes)
            .unknown_outcomes(self.unknown_outcomes)
            .redeliveries(self.redeliveries)
            .stale_reads(self.stale_reads)
            .failovers(self.failovers);
        let faults = if self.gone_for_good { faults.without_restart() } else { faults };
        let faults = match &self.retryable_writes {
            Some(retries) if *retries.get_ref() && self.failovers == 0 => {
                let why = "retryable-writes says what happens at a failover, and failovers is 0";
                return Err(Wrong::at(retries, why));
            }
            Some(retries) if *retries.get_ref() => faults.retryable_writes(),
            _ => faults,
        };
        let Some(among) = &self.among else { return Ok(faults) };
        if among.get_ref().is_empty() {
            return Err(Wrong::at(among, "among names no process: nothing goes wrong"));
        }
        let names = model.process_names();
        let known: Vec<(&str, ())> = names.iter().map(|name| (&**name, ())).collect();
        let one = |name: &Spanned<String>| {
            one_of("process", name, &known).map(|()| name.get_ref().clone())
        };
        let among: Vec<String> = among.get_ref().iter().map(one).collect::<Result<_, _>>()?;
        Ok(faults.among(among))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Engine {
    run: Spanned<String>,
    #[serde(default)]
    executions: Option<Spanned<u32>>,
    #[serde(default)]
    seed: Option<Spanned<u64>>,
    #[serde(default)]
    depth: Option<Spanned<u32>>,
    #[serde(default)]
    thorough: bool,
    #[serde(default)]
    accepts: Option<Spanned<String>>,
}

impl Model {
    /// Reads a model file. Its name is that of the file, without `.toml`.
    ///
    /// # Errors
    ///
    /// [`ModelError`], with the place where there is one.
    pub fn read(path: &Path) -> Result<Model, ModelError> {
        Model::read_with_text(path).map(|(model, _)| model)
    }

    /// The same, with the text of the file.
    ///
    /// # Errors
    ///
    /// [`ModelError`], with the place where there is one.
    pub fn read_with_text(path: &Path) -> Result<(Model, String), ModelError> {
        let file = path.display().to_string();
        let name = path.file_stem().map_or_else(|| file.clone(), |n| n.to_string_lossy().into());
        let wrong = |message: String, help: Option<String>| ModelError {
            file: file.clone(),
            text: String::new(),
            span: None,
            message,
            help,
        };
        let bytes = std::fs::read(path).map_err(|error| {
            let help = "`doorway models` lists the models that are built in".to_owned();
            wrong(format!("cannot be read: {error}"), Some(help))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            wrong(format!("is not text: byte {valid} is not UTF-8"), None)
        })?;
        Ok((Model::parse(&name, &file, &text)?, text))
    }

    /// Reads a model from the text of a file.
    ///
    /// # Errors
    ///
    /// [`ModelError`], with the place where there is one.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Model, ModelError> {
        let read = || -> Result<Model, Wrong> {
            if text.trim().is_empty() {
                return Err(Wrong::nowhere("is empty").help("see models/ for models to start from"));
            }
            let file: File = toml::from_str(text).map_err(|error| Wrong {
                span: error.span(),
                message: in_words(error.message()),
                help: None,
            })?;
            file.model(name)
        };
        read().map_err(|Wrong { span, message, help }| {
            let (file, text) = (file.to_owned(), text.to_owned());
            ModelError { file, text, span, message, help }
        })
    }
}

/// A message without the names that types have in this crate.
fn in_words(message: &str) -> String {
    let types = ["expected i64", "expected u32", "expected u64"];
    types
        .iter()
        .fold(message.to_owned(), |text, name| text.replace(name, "expected a whole number"))
}

impl File {
    fn model(self, name: &str) -> Result<Model, Wrong> {
        let design = one_of("design", &self.design, &Subject::all())?;
        let system = self.system(design)?;
        let (managed, served) = match system {
            SystemKind::Callers => (false, false),
            SystemKind::Queued => (false, true),
            _ => (true, true),
        };
        let sizes = Sizes {
            managers: self.processes(managed, "managers", self.managers.as_ref())?,
            workers: self.processes(served, "workers", self.workers.as_ref())?,
            tasks: size("tasks", &self.tasks)?,
            resources: size("resources", &self.resources)?,
        };
        let mut model = Model {
            name: name.to_owned(),
            design,
            system,
            sizes,
            wants: self.wants(system, sizes)?,
            needs: self.needs(design, sizes)?,
            buries: workers(&self.buries, system, sizes)?,
            deposes: self.deposes(design, sizes)?,
            dead: self.dead(design, system, sizes)?,
            cancels: self.cancels(design, sizes)?,
            streams: self.streams(system, sizes)?,
            twins: self.twins(design, sizes)?,
            hearts: self.hearts(design, sizes)?,
            guards: self.guards()?,
            sweepers: self.sweepers(design)?,
            mutant: self.mutant.as_ref().map(MutantTable::mutation).transpose()?,
            write: (self.write.as_ref())
                .map(|name| one_of("write", name, &[("primary", WriteConcern::Primary)]))
                .transpose()?,
            broken_store: (self.broken_store.as_ref())
                .map(|name| {
                    one_of("broken-store", name, &[("counts-twice", BrokenStore::CountsTwice)])
                })
                .transpose()?,
            expect: self.expect()?,
            engines: self.engines()?,
            faults: Faults::default(),
            about: self.about,
        };
        model.faults = self.faults.faults(&model)?;
        Ok(model)
    }

    fn system(&self, design: Subject) -> Result<SystemKind, Wrong> {
        if design.has_callers() {
            return one_of("system", &self.system, &[("callers", SystemKind::Callers)]);
        }
        let full = ("full", SystemKind::Full);
        let inline = ("inline", SystemKind::Inline);
        let submitters = ("submitters", SystemKind::Submitters);
        let queued = ("queued", SystemKind::Queued);
        let known = match design {
            Subject::Doorway => &[full, submitters, queued][..],
            // Without managers none of them is active.
            Subject::Reserving(Design::HotSpare) => &[full],
            _ => &[full, inline],
        };
        one_of("system", &self.system, known)
    }

    /// The number of managers or workers, where there are any.
    fn processes(
        &self,
        are_there: bool,
        what: &str,
        number: Option<&Spanned<i64>>,
    ) -> Result<NonZeroU32, Wrong> {
        match (number, are_there) {
            (Some(number), true) => size(what, number),
            (None, false) => Ok(NonZeroU32::MIN),
            (Some(number), false) => {
                let system = self.system.get_ref();
                let help = match system.as_str() {
                    "queued" => "the tasks are in their lists from the start",
                    _ => "each task has a caller of its own",
                };
                Err(Wrong::at(number, format!("a system of {system} has no {what}")).help(help))
            }
            (None, true) => Err(Wrong::at(&self.system, format!("this system needs {what}"))
                .help(format!("for example {what} = 2"))),
        }
    }

    fn needs(&self, design: Subject, sizes: Sizes) -> Result<Vec<Vec<NonZeroU32>>, Wrong> {
        let Some(needs) = &self.needs else { return Ok(Vec::new()) };
        if !design.has_callers() {
            return Err(Wrong::at(needs, "needs is for a system of callers only")
                .help("elsewhere a task needs one resource: see wants"));
        }
        if needs.get_ref().len() != sizes.tasks.get() as usize {
            let (given, tasks) = (needs.get_ref().len(), sizes.tasks);
            return Err(Wrong::at(needs, format!("needs is for {given} tasks of {tasks}")));
        }
        let number = |one: &Spanned<i64>| up_to("a resource", one, sizes.resources);
        let all = needs.get_ref().iter();
        all.map(|numbers| numbers.iter().map(number).collect()).collect()
    }

    fn wants(&self, system: SystemKind, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        let Some(wants) = &self.wants else { return Ok(Vec::new()) };
        if system == SystemKind::Callers {
            return Err(Wrong::at(wants, "wants is not for a system of callers").help(
                "needs gives the resources of each task, for example needs = [[1], [1, 2]]",
            ));
        }
        if system == SystemKind::Inline {
            return Err(Wrong::at(wants, "wants is for a full system only").help(
                "in an inline system task k of manager m wants resource (m + k) mod resources",
            ));
        }
        if wants.get_ref().len() != sizes.tasks.get() as usize {
            let (given, tasks) = (wants.get_ref().len(), sizes.tasks);
            return Err(Wrong::at(
                wants,
                format!("wants gives {given} resources for {tasks} tasks"),
            ));
        }
        wants.get_ref().iter().map(|number| up_to("a resource", number, sizes.resources)).collect()
    }

    fn dead(
        &self,
        design: Subject,
        system: SystemKind,
        sizes: Sizes,
    ) -> Result<Vec<NonZeroU32>, Wrong> {
        match self.dead.first() {
            Some(first) if !matches!(design, Subject::Reserving(_)) => Err(Wrong::at(
                first,
                "who is dead from the start never comes, for work or for a turn",
            )
            .help("let a worker crash: crashes = 1 under [faults]")),
            _ => workers(&self.dead, system, sizes),
        }
    }

    fn deposes(&self, design: Subject, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        match self.deposes.first() {
            Some(first) if design != Subject::Reserving(Design::HotSpare) => {
                Err(Wrong::at(first, "only a hot spare takes the place of a manager")
                    .help("elsewhere what it held is delivered again: redeliveries = 1"))
            }
            _ => {
                let managers = sizes.managers;
                self.deposes.iter().map(|number| up_to("a manager", number, managers)).collect()
            }
        }
    }

    fn cancels(&self, design: Subject, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        match self.cancels.first() {
            Some(first) if !matches!(design, Subject::Doorway | Subject::Lock) => {
                Err(Wrong::at(first, "only the doorway and the lock have a cancel"))
            }
            _ => self.cancels.iter().map(|number| up_to("a task", number, sizes.tasks)).collect(),
        }
    }

    fn streams(&self, system: SystemKind, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        let Some(first) = self.streams.first() else { return Ok(Vec::new()) };
        if system != SystemKind::Inline {
            return Err(Wrong::at(first, "streams is for an inline system only")
                .help("there each manager has tasks of its own"));
        }
        let endless = |engine: &&Spanned<Engine>| engine.get_ref().run.get_ref() != "explore";
        if let Some(engine) = self.engine.get_ref().iter().find(endless) {
            return Err(Wrong::at(&engine.get_ref().run, "a run of a stream has no end")
                .help("take explore, which visits states"));
        }
        self.streams.iter().map(|number| up_to("a manager", number, sizes.managers)).collect()
    }

    fn twins(&self, design: Subject, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        match self.twins.first() {
            Some(first) if design != Subject::Doorway => {
                Err(Wrong::at(first, "only a worker of the doorway is told from its twin"))
            }
            _ => self.twins.iter().map(|number| up_to("a worker", number, sizes.workers)).collect(),
        }
    }

    fn hearts(&self, design: Subject, sizes: Sizes) -> Result<Vec<NonZeroU32>, Wrong> {
        match self.hearts.first() {
            Some(first) if design != Subject::Doorway => {
                Err(Wrong::at(first, "only a worker of the doorway has a heart"))
            }
            _ => {
                self.hearts.iter().map(|number| up_to("a worker", number, sizes.workers)).collect()
            }
        }
    }

    fn guards(&self) -> Result<Guards, Wrong> {
        let Some(rests) = &self.rests else { return Ok(Guards::LeftOut) };
        if *rests.get_ref() > MOST {
            return Err(Wrong::at(rests, format!("rests must be from 0 to {MOST}")));
        }
        let others = self.engine.get_ref().iter().map(|engine| &engine.get_ref().run);
        match others.into_iter().find(|run| run.get_ref() != "explore") {
            Some(other) => {
                Err(Wrong::at(other, "this engine runs no guards, and rests says that they run")
                    .help("only explore does"))
            }
            None => Ok(Guards::Run { rests: *rests.get_ref() }),
        }
    }

    fn sweepers(&self, design: Subject) -> Result<Option<u32>, Wrong> {
        match &self.sweepers {
            Some(sweepers) if design != Subject::Doorway => {
                Err(Wrong::at(sweepers, "only the doorway has a sweep"))
            }
            Some(sweepers) if *sweepers.get_ref() > MOST => {
                Err(Wrong::at(sweepers, format!("sweepers must be from 0 to {MOST}")))
            }
            sweepers => Ok(sweepers.as_ref().map(|sweepers| *sweepers.get_ref())),
        }
    }

    fn expect(&self) -> Result<Vec<(String, Expect)>, Wrong> {
        if self.expect.get_ref().is_empty() {
            return Err(Wrong::at(&self.expect, "expect names no property: nothing is checked"));
        }
        let all =
            property::all().into_iter().chain(property::of_endless_runs()).collect::<Vec<_>>();
        let known: Vec<(&str, ())> = (all.iter().map(|property| property.name()))
            .chain(property::OF_GRAPHS.iter().map(|(name, _)| *name))
            .map(|name| (name, ()))
            .collect();
        let verdicts = [("verified", Expect::Verified), ("violated", Expect::Violated)];
        (self.expect.get_ref().iter())
            .map(|(name, verdict)| {
                one_of("property", name, &known)?;
                Ok((name.get_ref().clone(), one_of("verdict", verdict, &verdicts)?))
            })
            .collect()
    }

    fn engines(&self) -> Result<Vec<EngineChoice>, Wrong> {
        if self.engine.get_ref().is_empty() {
            return Err(Wrong::at(&self.engine, "engine names no engine: nothing is run"));
        }
        self.engine.get_ref().iter().map(|engine| engine.get_ref().choice()).collect()
    }
}

impl Engine {
    fn choice(&self) -> Result<EngineChoice, Wrong> {
        let accepts_inconclusive = match &self.accepts {
            None => false,
            Some(verdict) => one_of("accepts", verdict, &[("inconclusive", true)])?,
        };
        Ok(EngineChoice { engine: self.kind()?, thorough: self.thorough, accepts_inconclusive })
    }

    fn kind(&self) -> Result<EngineKind, Wrong> {
        type Make = fn(&Engine) -> Result<EngineKind, Wrong>;
        let kinds: [(&str, Make); 5] = [
            ("explore", |engine| engine.exhaustive(EngineKind::Explore)),
            ("loom", |engine| engine.exhaustive(EngineKind::Loom)),
            ("shuttle-dfs", |engine| engine.exhaustive(EngineKind::ShuttleDfs)),
            ("shuttle-random", |engine| {
                let (executions, seed) = engine.sampled()?;
                engine.no_depth()?;
                Ok(EngineKind::ShuttleRandom { executions, seed })
            }),
            ("shuttle-pct", |engine| {
                let (executions, seed) = engine.sampled()?;
                let depth = engine.depth.as_ref().map_or(3, |depth| *depth.get_ref());
                Ok(EngineKind::ShuttlePct { executions, seed, depth: depth.max(1) })
            }),
        ];
        one_of("engine", &self.run, &kinds)?(self)
    }

    fn exhaustive(&self, kind: EngineKind) -> Result<EngineKind, Wrong> {
        let why = "is for shuttle-random and shuttle-pct: this engine makes every run";
        if let Some(executions) = &self.executions {
            return Err(Wrong::at(executions, format!("executions {why}")));
        }
        if let Some(seed) = &self.seed {
            return Err(Wrong::at(seed, format!("seed {why}")));
        }
        self.no_depth()?;
        Ok(kind)
    }

    fn no_depth(&self) -> Result<(), Wrong> {
        let wrong = |depth| Err(Wrong::at(depth, "depth is for shuttle-pct only"));
        self.depth.as_ref().map_or(Ok(()), wrong)
    }

    fn sampled(&self) -> Result<(u32, u64), Wrong> {
        match &self.executions {
            Some(executions) if *executions.get_ref() > 0 => {
                Ok((*executions.get_ref(), self.seed.as_ref().map_or(1, |seed| *seed.get_ref())))
            }
            Some(none) => Err(Wrong::at(none, "executions of 0 would check nothing")),
            None => Err(Wrong::at(&self.run, "this engine needs a number of executions")
                .help("for example executions = 10_000")),
        }
    }
}

/// The value that a name stands for.
fn one_of<T: Clone>(what: &str, name: &Spanned<String>, known: &[(&str, T)]) -> Result<T, Wrong> {
    let found = known.iter().find(|(known, _)| known == name.get_ref());
    found.map(|(_, value)| value.clone()).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        Wrong::at(name, format!("unknown {what} {:?}", name.get_ref()))
            .help(format!("one of {}", names.join(", ")))
    })
}

/// The numbers of workers, which only a full system has, or of callers.
fn workers(
    numbers: &[Spanned<i64>],
    system: SystemKind,
    sizes: Sizes,
) -> Result<Vec<NonZeroU32>, Wrong> {
    match (numbers.first(), system) {
        (Some(first), SystemKind::Inline) => {
            Err(Wrong::at(first, "an inline system has no workers to bury")
                .help("take system = \"full\""))
        }
        (_, SystemKind::Callers) => {
            numbers.iter().map(|number| up_to("a caller", number, sizes.tasks)).collect()
        }
        _ => numbers.iter().map(|number| up_to("a worker", number, sizes.workers)).collect(),
    }
}

fn size(what: &str, number: &Spanned<i64>) -> Result<NonZeroU32, Wrong> {
    checked(*number.get_ref(), MOST)
        .ok_or_else(|| Wrong::at(number, format!("{what} must be from 1 to {MOST}")))
}

fn up_to(what: &str, number: &Spanned<i64>, most: NonZeroU32) -> Result<NonZeroU32, Wrong> {
    checked(*number.get_ref(), most.get())
        .ok_or_else(|| Wrong::at(number, format!("{what} here is a number from 1 to {most}")))
}

fn checked(number: i64, most: u32) -> Option<NonZeroU32> {
    let number = u32::try_from(number).ok().filter(|number| *number <= most)?;
    NonZeroU32::new(number)
}

impl Sizes {
    /// Sets one of the sizes by its name in a model file: `managers`, `workers`, `tasks` or
    /// `resources`.
    ///
    /// # Errors
    ///
    /// What is wrong, for people to read: an unknown name, or a number that is not from 1 to
    /// [`MOST`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let size = match name {
            "managers" => &mut self.managers,
            "workers" => &mut self.workers,
            "tasks" => &mut self.tasks,
            "resources" => &mut self.resources,
            _ => {
                return Err(format!(
                    "unknown number {name:?}: one of managers, workers, tasks, resources"
                ));
            }
        };
        let number = value.trim().parse().ok().and_then(|number| checked(number, MOST));
        *size = number.ok_or_else(|| format!("{name} must be from 1 to {MOST}, not {value:?}"))?;
        Ok(())
    }
}
