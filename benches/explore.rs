//! States, time and memory of the reference model, explored from the real code.
//!
//! `cargo bench --bench explore -- [full] [properties] [symmetry] [crashes=1] [unknown=1] [THREADS] [6x1x2x2 ...]`
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use doorway::check::engine::explore::{ExploreOptions, Progress, Watcher, explore};
use doorway::check::{Coverage, Faults, Reductions};
use doorway::model::{Expect, Model, Sizes, SystemKind};
use doorway::reservation::Design;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let threads = words.iter().find_map(|word| word.parse().ok()).unwrap_or(NonZeroUsize::MIN);
    let kind =
        if words.iter().any(|word| word == "full") { SystemKind::Full } else { SystemKind::Inline };
    let properties = words.iter().any(|word| word == "properties");
    let sizes: Vec<&String> = words.iter().filter(|word| word.contains('x')).collect();
    let all = ["6x1x2x2".to_owned(), "5x2x2x2".to_owned()];
    let sizes = if sizes.is_empty() { all.iter().collect() } else { sizes };
    let many = |prefix: &str| words.iter().find_map(|word| word.strip_prefix(prefix)?.parse().ok());
    let faults = Faults::default()
        .crashes(many("crashes=").unwrap_or(0))
        .unknown_outcomes(many("unknown=").unwrap_or(0));
    let symmetry = words.iter().any(|word| word == "symmetry");
    let reductions = Reductions { symmetry, ..Reductions::default() };
    let options = ExploreOptions { threads, reductions, ..ExploreOptions::default() };
    for size in sizes {
        measure(size, &options, kind, properties, &faults);
    }
}

fn measure(
    size: &str,
    options: &ExploreOptions,
    system: SystemKind,
    properties: bool,
    faults: &Faults,
) {
    let numbers: Vec<NonZeroU32> = size.split('x').map(|number| number.parse().unwrap()).collect();
    let [managers, tasks, resources, workers] = numbers[..] else { panic!("{size}") };
    let sizes = Sizes { managers, tasks, resources, workers };
    let all = doorway::model::property::of_any_design().into_iter();
    let expect =
        all.filter(|_| properties).map(|property| (property.name().to_owned(), Expect::Verified));
    let model = Model {
        name: size.to_owned(),
        about: String::new(),
        design: Design::Story898.into(),
        system,
        sizes,
        wants: Vec::new(),
        needs: Vec::new(),
        deposes: Vec::new(),
        write: None,
        buries: Vec::new(),
        dead: Vec::new(),
        cancels: Vec::new(),
        streams: Vec::new(),
        twins: Vec::new(),
        hearts: Vec::new(),
        sweepers: None,
        guards: Default::default(),
        mutant: None,
        faults: Default::default(),
        broken_store: None,
        expect: expect.collect(),
        engines: Vec::new(),
    };
    let last = Arc::new(Mutex::new(Progress::default()));
    let seen = Arc::clone(&last);
    let watcher = Watcher(Arc::new(move |progress: &Progress| *seen.lock().unwrap() = *progress));
    let options = ExploreOptions { progress: Some(watcher), ..options.clone() };
    let mut system = model.system().unwrap();
    system.faults = faults.clone();
    let began = Instant::now();
    let report = explore(&system, &options).unwrap();
    let whole = began.elapsed().as_secs_f64();
    let Coverage::States { states, transitions, depth, reductions } = report.coverage else {
        panic!()
    };
    let threads = options.threads;
    let reduced = if reductions.symmetry { " with symmetry" } else { "" };
    let last = *last.lock().unwrap();
    let seconds = report.time.as_secs_f64();
    println!(
        "{size}{reduced} on {threads}: {states} states, {transitions} transitions, depth {depth}, {seconds:.3} s, \
         {:.2}M states/s, {:.2}M transitions/s, {:.1} bytes a state, {whole:.3} s with counterexamples",
        states as f64 / seconds / 1e6,
        transitions as f64 / seconds / 1e6,
        last.memory as f64 / last.states as f64,
    );
    for finding in &report.findings {
        println!("  {}: {}", finding.property, finding.verdict);
    }
}
