//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use doorway::reservation::Design;
use doorway::store::Text;

/// Checks concurrent code on a document database through every interleaving.
///
/// doorway runs the very code that runs on MongoDB against an in-memory store that behaves as
/// MongoDB does, and lets an engine decide which process takes the next step.
#[derive(Debug, Parser)]
#[command(version, about, long_about, arg_required_else_help = true)]
#[command(after_help = "\
Start here:
  doorway check                          check every model that is built in
  doorway check story-898-two-managers   check one of them, and see where it breaks
  doorway check my-model.toml            check a model of your own
  doorway models                         the models that are built in

Exit codes: 0 all as expected, 1 not as expected, 2 bad input or usage, 3 inconclusive.")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Check models: every property of each, by each engine that the model names.
    Check(Check),
    /// List the models that are built in.
    Models(List),
    /// List the properties that a model can ask for, with what each says.
    Properties,
    /// Change one command of a design at a time, and see which model notices.
    Mutants(Mutants),
    /// Make the run of a counterexample again, from a file or from a schedule, and show each step.
    Replay(Replay),
    /// Set up a database for the doorway: its collections, indexes and counters (feature `mongo`).
    Init(Database),
    /// Show who reserves what, on a database (feature `mongo`).
    Status(Status),
    /// Bring the reservations of Pulp 2 into the form of the doorway (feature `mongo`).
    Migrate(Migrate),
    /// Run managers and workers as processes over one database, and hold what happens against the
    /// properties (feature `mongo`).
    Soak(Soak),
    /// A process of a soak; the driver starts it.
    #[command(hide = true)]
    SoakChild(SoakChild),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Verdicts:
  verified      the engine made every run, and none breaks the property
  violated      a run breaks the property; it is printed, the shortest that was seen
  inconclusive  no run that was seen breaks the property, and not every run was seen

A model says which verdict it expects of each property, and by name where a search that does not
end will do. A row is `as expected` where all of that holds.

Examples:
  doorway check reference --set managers=3 --engine shuttle-dfs --max-time 10
  doorway check --format json | jq 'select(.as_expected | not)'")]
pub(crate) struct Check {
    /// Names of models that are built in, or model files [default: every model that is built in].
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    #[command(flatten)]
    pub(crate) sizes: Sizes,
    /// Run only this engine where a model names it; may be given more than once.
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Vec<String>,
    /// Also run what models keep for thorough checks; it can take many minutes.
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Give up each engine's search after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<f64>,
    /// Give up each engine's search after so many executions.
    #[arg(long, value_name = "N", value_parser = whole(1, u64::MAX))]
    pub(crate) max_executions: Option<u64>,
    /// Give up an exploration after so many states.
    #[arg(long, value_name = "N", value_parser = whole(1, u64::MAX))]
    pub(crate) max_states: Option<u64>,
    /// Give up an exploration when its tables take so many MiB [default: nine tenths of what is free].
    #[arg(long, value_name = "MIB", value_parser = whole(1, 1 << 24))]
    pub(crate) max_memory: Option<u64>,
    /// Explore only states that take at most so many steps to get to.
    #[arg(long, value_name = "STEPS", value_parser = whole(1, u64::MAX))]
    pub(crate) max_depth: Option<u64>,
    /// Explore with reads of collections that never change fused into the step before them.
    #[arg(long)]
    pub(crate) fuse_immutable: bool,
    /// Explore states that are one but for the names of interchangeable processes one by one.
    #[arg(long)]
    pub(crate) no_symmetry: bool,
    /// Explore states that are one but for the numbers of their ordinals one by one.
    #[arg(long)]
    pub(crate) no_ordinals: bool,
    /// How to report: for people, or one JSON object a line for each model and engine.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write each counterexample into this folder: a .json for `doorway replay`, and the same as a
    /// page for a browser, a .html with a sequence diagram to step through.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
    /// Only the rows: no counterexamples.
    #[arg(long)]
    pub(crate) brief: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every command that the design sends in one of the models is changed in each way that makes sense:
a clause of its filter dropped, an operator dropped or turned, the command not sent, sent too late,
written back whole as an object mapper's save() does; and each unique index is left out. A mutant is
killed by the first model in which a property falls that it expects to hold. One that survives is a
guard that nothing needs, or that no model asks for.

To see how a mutant falls, write it into a model file:
  [mutant.command]
  command = \"...\"
  change = \"without clause 2\"

Exit codes: 0 every mutant killed, or listed as harmless and so; 1 one survived; 2 bad input.")]
pub(crate) struct Mutants {
    /// Names of models that are built in, or model files [default: the models of the doorway].
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Only mutants whose description contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Put those that are listed as harmless to the test as well, in the models of the lock too, and all of
    /// them in the models that only a thorough check runs; it takes long.
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Leave out models with more states than this.
    #[arg(long, value_name = "STATES", value_parser = whole(1, u64::MAX))]
    pub(crate) largest: Option<u64>,
    /// How to report: for people, or one JSON object a line for each mutant.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// How to list: for people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A schedule says who takes each step: `manager-1 manager-2 crash:manager-1 worker-1`. It may be
edited, in a file as well; where the code does not follow it, replay says at which step they part.

Examples:
  doorway replay reference manager-1 manager-2
  doorway replay found/story-898-save.explore.kept.json --html run.html

Exit codes: 0 no property falls, 1 one falls, 2 the run cannot be made.")]
pub(crate) struct Replay {
    /// A file that `doorway check --save` wrote (it ends in .json), the name of a model that is
    /// built in, or a model file.
    #[arg(value_name = "FILE|MODEL")]
    pub(crate) model: String,
    /// After a model: the process that takes each step, in order.
    #[arg(value_name = "PROCESS")]
    pub(crate) schedule: Vec<String>,
    /// Write the run into this file, as a page for a browser with a sequence diagram to step through.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sizes: Sizes,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Change a number of each model: managers, workers, tasks or resources. What the models
    /// expect stays as it is.
    #[arg(long = "set", value_name = "NAME=N", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Where the database is.
#[derive(Debug, clap::Args)]
pub(crate) struct Database {
    /// The server, as a MongoDB connection string.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true)]
    pub(crate) uri: String,
    /// The name of the database.
    #[arg(long, default_value = "pulp_database")]
    pub(crate) database: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) database: Database,
    /// How to report: for people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stop every resource manager and worker of the old version first. Safe to run again, and to interrupt.

Exit codes: 0 all is migrated, 1 a resource was left alone, 2 it cannot be done.")]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The soak is the broker and the resources itself; the database is that of --uri (dropped at the start!),
else of a server that it starts, which is then part of the chaos. All events go to files in --folder.
Ctrl-C ends it early, with a report; a second Ctrl-C stops it at once, and so does any death: the same
command goes on from there.

Exit codes: 0 nothing violated, 1 something violated, 2 bad input or usage, 3 too little happened.

Examples:
  doorway soak --chaos --duration 1h
  doorway soak --design story-898 --managers 2       see an old design caught")]
pub(crate) struct Soak {
    /// How many resource managers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) managers: u32,
    /// How many workers.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) workers: u32,
    /// How many resources the tasks are for.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) resources: u32,
    /// How many tasks are made each second.
    #[arg(long, default_value = "20", value_parser = rate)]
    pub(crate) rate: f64,
    /// How many tasks may be open at once: then none are made for a while.
    #[arg(long, default_value_t = 100)]
    pub(crate) backlog: usize,
    /// How long: 90s, 30m, 12h, 3d.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// How long a run takes at most, in milliseconds; one in twenty takes 25 times as long.
    #[arg(long, default_value_t = 40)]
    pub(crate) run_millis: u64,
    /// Of all chance: which tasks, what is killed and when.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Kill, freeze and restart processes and the server, and lose answers.
    #[arg(long)]
    pub(crate) chaos: bool,
    /// Which design: doorway, or one of those that it replaces.
    #[arg(long, default_value = "doorway", value_parser = design)]
    pub(crate) design: SoakDesign,
    /// Stop only where this property is violated; may be given more than once.
    #[arg(long, value_name = "PROPERTY")]
    pub(crate) only: Vec<String>,
    /// A server that runs, as a MongoDB connection string.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true)]
    pub(crate) uri: Option<String>,
    /// Without --uri: the server to start [default: mongod on the path].
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) server: Option<PathBuf>,
    /// The name of the database: dropped where a soak begins.
    #[arg(long, default_value = "doorway_soak")]
    pub(crate) database: String,
    /// Where the events go, and where a soak that was stopped goes on.
    #[arg(long, default_value = "doorway-soak")]
    pub(crate) folder: PathBuf,
    /// The least number of runs, without which too little happened.
    #[arg(long, default_value_t = 100)]
    pub(crate) least_runs: u64,
    /// With chaos: the least number of kills.
    #[arg(long, default_value_t = 5)]
    pub(crate) least_kills: u64,
    /// With chaos: the least number of takeovers.
    #[arg(long, default_value_t = 3)]
    pub(crate) least_takeovers: u64,
    /// With chaos: the least number of lost answers.
    #[arg(long, default_value_t = 10)]
    pub(crate) least_unknown: u64,
    /// The least number of rebindings.
    #[arg(long, default_value_t = 10)]
    pub(crate) least_rebindings: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SoakChild {
    #[arg(long, value_enum)]
    pub(crate) role: SoakRole,
    #[arg(long)]
    pub(crate) name: Text,
    #[arg(long)]
    pub(crate) number: u64,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long, value_parser = design)]
    pub(crate) design: SoakDesign,
    #[arg(long)]
    pub(crate) database: String,
    #[arg(long)]
    pub(crate) run_millis: u64,
    #[arg(long)]
    pub(crate) haste: u32,
    #[arg(long)]
    pub(crate) loses: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SoakRole {
    Manager,
    Worker,
}

/// What a soak runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SoakDesign {
    /// The doorway.
    Doorway,
    /// A design that it replaces.
    Old(Design),
}

impl SoakDesign {
    const DOORWAY: &str = "doorway";

    #[cfg(all(unix, feature = "mongo"))]
    pub(crate) fn name(self) -> &'static str {
        match self {
            SoakDesign::Doorway => SoakDesign::DOORWAY,
            SoakDesign::Old(design) => design.name(),
        }
    }
}

fn design(text: &str) -> Result<SoakDesign, String> {
    if text == SoakDesign::DOORWAY {
        return Ok(SoakDesign::Doorway);
    }
    let known = Design::ALL.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, design)| SoakDesign::Old(design)).ok_or_else(|| {
        let names = Design::ALL.map(|(name, _)| name);
        format!("there are {}, {}", SoakDesign::DOORWAY, names.join(", "))
    })
}

/// Reads a whole number within bounds, and says of anything else what is wanted.
fn whole(least: u64, most: u64) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| match most {
            u64::MAX => format!("give a whole number from {least} on"),
            most => format!("give a whole number from {least} to {most}"),
        })
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "give a number of tasks a second, for example 20")?;
    let sane = rate.is_finite() && (0.001..=1e6).contains(&rate);
    if sane { Ok(rate) } else { Err("give a number from 0.001 to 1e6".into()) }
}

fn duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "give a number with s, m, h or d, for example 90s";
    let (number, unit) = text.split_at(text.len() - usize::from(!text.is_empty()));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(HELP.into()),
    };
    let number: u32 = number.parse().map_err(|_| HELP)?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=N, for example managers=3")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds, for example 2.5")?;
    let sane = seconds.is_finite() && (0.0..=1e9).contains(&seconds);
    if sane { Ok(seconds) } else { Err("give a number of seconds from 0 to 1e9".into()) }
}
