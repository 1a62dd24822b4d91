//! How long it takes to the first counterexample of each model that is broken, with all its properties
//! asked for: from the model to the run, in one thread.
//!
//! `cargo bench --bench falls`
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use doorway::check::engine::explore::{ExploreOptions, Reductions, explore};
use doorway::check::{Coverage, Verdict};
use doorway::model::{Expect, Model, property, shipped};

fn main() {
    let mut all: Vec<_> = shipped().unwrap().iter().filter_map(fall).collect();
    all.sort();
    println!("{:>8}  {:<28} {:>8}  {:>5}  property", "seconds", "model", "states", "steps");
    for (time, model, states, steps, property) in &all {
        println!("{:8.3}  {model:<28} {states:>8}  {steps:>5}  {property}", time.as_secs_f64());
    }
    let slow = all.iter().filter(|(time, ..)| *time >= Duration::from_secs(1)).count();
    println!("{} broken models, {slow} of them in a second or more", all.len());
}

/// How long it takes until the first property that is expected to fall has fallen.
fn fall(model: &Model) -> Option<(Duration, String, u64, usize, String)> {
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
    let began = Instant::now();
    let report = explore(&model.system().unwrap(), &options).unwrap();
    let time = began.elapsed();
    let Coverage::States { states, .. } = report.coverage else { panic!("an explorer") };
    let mut found = report.findings.iter().filter(|one| one.verdict == Verdict::Violated);
    let found = found.find_map(|finding| finding.counterexample.as_ref());
    let found = found.unwrap_or_else(|| panic!("nothing falls in {}", model.name));
    Some((time, model.name.clone(), states, found.steps.len(), found.property.to_string()))
}
