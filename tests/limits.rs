//! Limits hold, and what was found before is told.
#![allow(missing_docs, clippy::unwrap_used)]

use std::num::NonZeroU32;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorway::check::engine::explore::{
    ExploreOptions, Limits, NO_LIVELOCK, PROGRESS, Progress, Watcher, explore,
};
use doorway::check::{Coverage, Report, System, Verdict};
use doorway::model::{Model, property, shipped};
use serde_json::Value;

/// A model of 146 million states.
const LARGE: [&str; 8] = [
    "reference",
    "--no-symmetry",
    "--set",
    "managers=6",
    "--set",
    "tasks=2",
    "--set",
    "resources=2",
];

fn check(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorway"));
    command.args(["check", "--engine", "explore", "--format", "json"]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The one row of a check that came to no end, without a word of error.
fn inconclusive(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["verdict"], "inconclusive");
    row
}

/// Runs a command, and says how much memory it had at its peak, in MiB.
#[cfg(target_os = "linux")]
fn with_peak(mut command: Command) -> (Output, f64) {
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let peak = Arc::new(Mutex::new(0.0));
    let (seen, is_over) = (Arc::clone(&peak), Arc::new(AtomicBool::new(false)));
    let over = Arc::clone(&is_over);
    let watching = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
            kib.iter().for_each(|kib| *seen.lock().unwrap() = kib / 1024.0);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let output = child.wait_with_output().unwrap();
    is_over.store(true, Ordering::Relaxed);
    watching.join().unwrap();
    let peak = *peak.lock().unwrap();
    (output, peak)
}

#[test]
#[cfg(target_os = "linux")]
fn a_search_among_many_million_states_stays_within_64_mib() {
    let (_, without) = with_peak(check(&["reference"]));
    let (output, peak) = with_peak(check(&[&LARGE[..], &["--max-memory", "64"]].concat()));
    let row = inconclusive(&output);
    assert_eq!(row["stopped"], "the limit of 64 MiB of memory was reached");
    let states = row["states"].as_u64().unwrap();
    assert!(states > 1_500_000, "{states} states, at some 35 bytes each");
    assert!(peak - without <= 64.0 * 1.05, "{peak} MiB, and {without} without states");
}

#[test]
fn a_search_among_many_million_states_ends_after_two_seconds() {
    let row = inconclusive(&check(&[&LARGE[..], &["--max-time", "2"]].concat()).output().unwrap());
    assert_eq!(row["stopped"], "the limit of 2.0 s was reached");
    let seconds = row["seconds"].as_f64().unwrap();
    assert!((2.0..3.0).contains(&seconds), "{seconds} s");
}

#[test]
#[cfg(unix)]
fn ctrl_c_gives_what_was_found_so_far() {
    let mut command = check(&LARGE);
    let child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let interrupted = Instant::now();
    let row = inconclusive(&child.wait_with_output().unwrap());
    assert!(interrupted.elapsed() < Duration::from_secs(2), "{:?}", interrupted.elapsed());
    assert_eq!(row["stopped"], "it was cancelled");
    assert!(row["states"].as_u64().unwrap() > 1, "{row}");
    let inconclusive = |said: &Value| said["verdict"] == "inconclusive";
    assert!(row["properties"].as_object().unwrap().values().all(inconclusive), "{row}");
}

fn model(name: &str) -> Model {
    shipped().unwrap().into_iter().find(|model| model.name == name).unwrap()
}

fn system(name: &str) -> System {
    model(name).system().unwrap()
}

/// Explores; says as well how much memory the search said that it took, at most.
fn run(system: &System, limits: Limits, cancelled_after: u64) -> (Report, usize) {
    let (most, cancel) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (seen, over) = (Arc::clone(&most), Arc::clone(&cancel));
    let watcher = Watcher(Arc::new(move |progress: &Progress| {
        seen.fetch_max(progress.memory, Ordering::Relaxed);
        over.fetch_or(progress.states > cancelled_after, Ordering::Relaxed);
    }));
    let progress = Some(watcher);
    let options = ExploreOptions { limits, progress, cancel, liveness: true, ..Default::default() };
    (explore(system, &options).unwrap(), most.load(Ordering::Relaxed))
}

/// The verdict of each property: whether a run is there that breaks it.
fn told(report: &Report, property: &str) -> (Verdict, bool) {
    let finding = report.of(property).unwrap();
    (finding.verdict, finding.counterexample.is_some())
}

#[test]
fn what_fell_before_a_search_was_cancelled_is_told_with_its_run() {
    let (report, _) = run(&system("doorway-manager-crash"), Limits::default(), 50_000);
    assert_eq!(report.stopped.as_deref(), Some("it was cancelled"));
    assert_eq!(told(&report, "fcfs-r1"), (Verdict::Violated, true));
    assert_eq!(told(&report, "exclusivity"), (Verdict::Inconclusive, false));
}

/// It is cancelled when a pass has ended, and the next one has visited one state.
#[test]
fn who_cancels_a_pass_that_has_just_begun_is_told_how_far_the_search_came() {
    let (report, _) = run(&system("doorway-worker-crash"), Limits::default(), 1_000);
    assert_eq!(report.stopped.as_deref(), Some("it was cancelled"));
    let Coverage::States { states, depth, .. } = report.coverage else { panic!("an explorer") };
    assert!(states > 1_000 && depth > 0, "{states} states");
}

#[test]
fn what_fell_before_the_time_was_over_is_told_with_its_run() {
    let time = Some(Duration::from_secs(1));
    let limits = Limits { time, ..Limits::default() };
    let began = Instant::now();
    let (report, _) = run(&system("doorway-stale-three-tasks"), limits, u64::MAX);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(report.stopped.as_deref(), Some("the limit of 1.0 s was reached"));
    assert_eq!(told(&report, "fcfs-r1"), (Verdict::Violated, true));
}

/// The graph for liveness takes more than the search, where properties remember little. What the search
/// has found stays.
#[test]
fn a_limit_that_is_reached_on_the_graph_leaves_liveness_open_and_says_so() {
    let mut model = model("reference");
    model.sizes.managers = NonZeroU32::new(5).unwrap();
    let system = model.system().unwrap();
    let of_graphs = |name: &str| [PROGRESS, NO_LIVELOCK, "no-starvation"].contains(&name);
    let (whole, most) = run(&system, Limits::default(), u64::MAX);
    let limits = Limits { memory: Some(most + most / 50), ..Limits::default() };
    let (report, _) = run(&system, limits, u64::MAX);
    assert!(report.stopped.as_ref().unwrap().contains("MiB of memory"), "{:?}", report.stopped);
    assert!(report.cut_short);
    for finding in &report.findings {
        let expected = match &*finding.property {
            name if of_graphs(name) => Verdict::Inconclusive,
            name => whole.of(name).unwrap().verdict,
        };
        assert_eq!(finding.verdict, expected, "{}", finding.property);
    }
    assert!(property::OF_GRAPHS.iter().all(|(name, _)| of_graphs(name)));
}
