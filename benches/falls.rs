//! How long it takes to the first counterexample of each model of which something falls, with all its
//! properties asked for: from the model to the run, in one thread. A time is that of the processor where
//! the system tells it, else by the clock.
//!
//! A design is *broken* where something about it is wrong, so that it has to be found soon. The others are
//! the doorway and the lock as they are, with what no protocol can give (docs/ALGORITHM.md, "What cannot be had"):
//! they are as large as what is verified there beside asks for.
//!
//! `cargo bench --bench falls -- [MODEL ...]`, names of models that are built in, or files; else all.
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use doorway::check::engine::explore::{ExploreOptions, Reductions, explore};
use doorway::check::{Coverage, Verdict};
use doorway::model::{Expect, Model, Subject, property, shipped};

/// The first counterexample of a model.
struct Fall {
    time: Duration,
    model: String,
    is_broken: bool,
    states: u64,
    steps: usize,
    property: String,
}

fn main() {
    let models = models().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(2)
    });
    let mut all: Vec<Fall> = models.iter().filter_map(fall).collect();
    all.sort_by(|a, b| (a.time, &a.model).cmp(&(b.time, &b.model)));
    println!("{:>8}  {:<44} {:>8}  {:>5}  property", "seconds", "model", "states", "steps");
    for Fall { time, model, is_broken, states, steps, property } in &all {
        let cannot_be_had = if *is_broken { "" } else { " (cannot be had)" };
        let seconds = time.as_secs_f64();
        println!("{seconds:8.2}  {model:<44} {states:>8}  {steps:>5}  {property}{cannot_be_had}");
    }
    summary("broken designs", all.iter().filter(|fall| fall.is_broken));
    summary("models of what cannot be had", all.iter().filter(|fall| !fall.is_broken));
}

fn summary<'a>(what: &str, falls: impl Iterator<Item = &'a Fall>) {
    let falls: Vec<&Fall> = falls.collect();
    let slow = falls.iter().filter(|fall| fall.time >= Duration::from_secs(1)).count();
    print!("{} {what}, {slow} of them in a second or more", falls.len());
    match falls.last() {
        Some(Fall { time, model, .. }) => println!(": at most {:.2}, {model}", time.as_secs_f64()),
        None => println!(),
    }
}

/// The models that are asked for: all that are built in, or those that are named.
fn models() -> Result<Vec<Model>, String> {
    let built_in = shipped().map_err(|why| why.to_string())?;
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.is_empty() {
        return Ok(built_in);
    }
    let named = |word: &String| match built_in.iter().find(|model| model.name == *word) {
        Some(model) => Ok(model.clone()),
        None if word.ends_with(".toml") => {
            Model::read(Path::new(word)).map_err(|why| format!("{word}: {why}"))
        }
        None => Err(format!("no model is called {word}: `doorway models` lists them")),
    };
    words.iter().map(named).collect()
}

/// Whether it is not the doorway or the lock as they are, or not on a store that does as it says.
fn is_broken(model: &Model) -> bool {
    !matches!(model.design, Subject::Doorway | Subject::Lock)
        || model.mutant.is_some()
        || model.write.is_some()
        || model.broken_store.is_some()
}

/// How long it takes until the first property that is expected to fall has fallen.
fn fall(model: &Model) -> Option<Fall> {
    let falls = model.expect.iter().filter(|(_, expect)| *expect == Expect::Violated);
    let falls: Vec<&str> = falls.map(|(name, _)| name.as_str()).collect();
    let liveness = !falls.is_empty() && falls.iter().all(|name| property::is_of_graphs(name));
    let options = ExploreOptions {
        threads: NonZeroUsize::MIN,
        first_fall: true,
        liveness,
        reductions: Reductions { symmetry: true, ..Reductions::default() },
        ..ExploreOptions::default()
    };
    falls.first()?;
    let (began, used) = (Instant::now(), of_the_processor());
    let report = explore(&model.system().unwrap(), &options).unwrap();
    let used = of_the_processor().zip(used).map(|(after, before)| after.saturating_sub(before));
    let time = used.unwrap_or_else(|| began.elapsed());
    let Coverage::States { states, .. } = report.coverage else { panic!("an explorer") };
    let mut found = report.findings.iter().filter(|one| one.verdict == Verdict::Violated);
    let found = found.find_map(|finding| finding.counterexample.as_ref());
    let found = found.unwrap_or_else(|| panic!("nothing falls in {}", model.name));
    let (steps, property) = (found.steps.len(), found.property.to_string());
    let (model, is_broken) = (model.name.clone(), is_broken(model));
    Some(Fall { time, model, is_broken, states, steps, property })
}

/// The processor's time that this process has had, of its own and in the system: proc(5) tells it in
/// ticks of a hundredth of a second.
fn of_the_processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit(')').next()?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|word| word.parse::<u64>());
    Some(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>().ok()?))
}
