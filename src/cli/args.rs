//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_executions: Option<u64>,
    /// Give up an exploration after so many states.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_states: Option<u64>,
    /// Give up an exploration when its tables take so many MiB.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub(crate) max_memory: Option<u64>,
    /// Explore only states that take at most so many steps to get to.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_depth: Option<u64>,
    /// Explore with reads of collections that never change fused into the step before them.
    #[arg(long)]
    pub(crate) fuse_immutable: bool,
    /// How to report: for people, or one JSON object a line for each model and engine.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write each counterexample into a file of this folder, for `doorway replay`.
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
    /// Put those that are listed as harmless to the test as well; it takes long.
    #[arg(long)]
    pub(crate) thorough: bool,
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
A schedule says who takes each step: `manager-1 manager-2 crash:manager-1 worker-1`. It may be edited,
in a file as well; where the code does not follow it, replay says at which step they part.

Exit codes: 0 no property falls, 1 one falls, 2 the run cannot be made.")]
pub(crate) struct Replay {
    /// A file that `doorway check --save` wrote (it ends in .json), the name of a model that is
    /// built in, or a model file.
    #[arg(value_name = "FILE|MODEL")]
    pub(crate) model: String,
    /// After a model: the process that takes each step, in order.
    #[arg(value_name = "PROCESS")]
    pub(crate) schedule: Vec<String>,
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

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=N, for example managers=3")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds, for example 2.5")?;
    let sane = seconds.is_finite() && (0.0..=1e9).contains(&seconds);
    if sane { Ok(seconds) } else { Err("give a number of seconds from 0 to 1e9".into()) }
}
