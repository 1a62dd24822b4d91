//! The explorer against counts that independent tools agree on.
#![allow(missing_docs, clippy::unwrap_used)]

use std::future::Future;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorway::check::engine::explore::{
    ExploreOptions, Limits, NO_LIVELOCK, PROGRESS, Reductions, explore,
};
use doorway::check::{
    Coverage, Cx, Faults, Messages, NoFailure, Outcome, Process, Report, System, Verdict, World,
};
use doorway::doc;
use doorway::env::{Condition, Env, Event, Queues, Wake, forever, until};
use doorway::model::{Expect, Model, Sizes, SystemKind};
use doorway::reservation::Design;
use doorway::store::filter::{by_id, eq};
use doorway::store::memory::State;
use doorway::store::update::set;
use doorway::store::{Document, Store};

fn sizes([managers, tasks, resources, workers]: [u32; 4]) -> Sizes {
    let size = |number| NonZeroU32::new(number).unwrap();
    Sizes {
        managers: size(managers),
        tasks: size(tasks),
        resources: size(resources),
        workers: size(workers),
    }
}

fn model(design: Design, system: SystemKind, numbers: [u32; 4], properties: &[&str]) -> Model {
    Model {
        name: "test".into(),
        about: String::new(),
        design: design.into(),
        system,
        sizes: sizes(numbers),
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
        expect: properties.iter().map(|name| ((*name).to_owned(), Expect::Verified)).collect(),
        engines: Vec::new(),
    }
}

fn run(model: &Model, threads: usize) -> Report {
    let threads = NonZeroUsize::new(threads).unwrap();
    explore(&model.system().unwrap(), &ExploreOptions { threads, ..ExploreOptions::default() })
        .unwrap()
}

fn counts(report: &Report) -> (u64, u64) {
    let Coverage::States { states, transitions, .. } = report.coverage else { panic!() };
    (states, transitions)
}

fn reference(numbers: [u32; 4], threads: usize) -> (u64, u64) {
    counts(&run(&model(Design::Story898, SystemKind::Inline, numbers, &[]), threads))
}

#[test]
fn the_reference_model_has_exactly_the_states_of_a_hand_written_one() {
    for (numbers, expected) in [
        ([2, 1, 1, 1], (57, 94)),
        ([2, 1, 1, 2], (67, 108)),
        ([2, 1, 2, 2], (50, 82)),
        ([2, 2, 1, 2], (360, 668)),
        ([3, 1, 1, 2], (893, 2_205)),
        ([3, 1, 2, 2], (621, 1_528)),
        ([4, 2, 2, 2], (246_293, 926_728)),
        ([5, 1, 2, 2], (98_669, 415_841)),
    ] {
        assert_eq!(reference(numbers, 1), expected, "{numbers:?}");
    }
}

#[test]
fn the_larger_reference_models_have_them_too() {
    assert_eq!(reference([6, 1, 2, 2], 1), (1_248_736, 6_392_988));
    assert_eq!(reference([5, 2, 2, 2], 2), (6_049_326, 28_605_221));
}

#[test]
fn counts_do_not_depend_on_the_number_of_threads() {
    for threads in [1, 2, 3] {
        assert_eq!(reference([4, 2, 2, 2], threads), (246_293, 926_728));
    }
}

const ALL: [&str; 11] = [
    "exclusivity",
    "one-worker-per-resource",
    "one-resource-per-worker",
    "fcfs-r1",
    "fcfs-r2",
    "fcfs-r3",
    "once",
    "no-leak",
    "loud",
    "no-deadlock",
    "no-failure",
];

/// Which properties of a system fall, each with a counterexample that replays.
fn fallen(model: &Model, threads: usize) -> Vec<String> {
    let report = run(model, threads);
    let system = model.system().unwrap();
    assert_eq!(report.stopped, None);
    let violated = report.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
    violated
        .map(|finding| {
            let found = finding.counterexample.as_ref().expect("a counterexample");
            let replay = system.replay(&found.schedule).expect("it replays");
            let fell = replay.fallen.iter().find(|(name, ..)| **name == *finding.property);
            assert_eq!(fell.expect("it falls").1, found.schedule.len(), "{}", finding.property);
            finding.property.to_string()
        })
        .collect()
}

#[test]
fn the_broken_designs_fall_and_the_story_stands() {
    let inline = |design, numbers| fallen(&model(design, SystemKind::Inline, numbers, &ALL), 1);
    assert_eq!(inline(Design::Story898, [2, 1, 1, 2]), ["fcfs-r1", "fcfs-r2"]);
    assert!(inline(Design::PerTask, [2, 1, 1, 2]).contains(&"exclusivity".to_owned()));
    assert!(inline(Design::Save, [2, 1, 1, 2]).contains(&"fcfs-r2".to_owned()));
    assert!(
        inline(Design::NoWorkerIndex, [2, 1, 2, 2]).contains(&"one-resource-per-worker".to_owned())
    );
    assert!(inline(Design::ReadThenDelete, [3, 1, 1, 2]).contains(&"exclusivity".to_owned()));
}

#[test]
fn immutable_reads_are_fused_without_a_change_of_any_verdict() {
    let reductions = Reductions { immutable_reads: true, ..Reductions::default() };
    for (_, design) in Design::ALL {
        for (kind, numbers) in [
            (SystemKind::Inline, [2, 1, 1, 2]),
            (SystemKind::Inline, [3, 1, 2, 2]),
            (SystemKind::Full, [2, 2, 3, 1]),
        ] {
            let system = model(design, kind, numbers, &ALL).system().unwrap();
            let options = ExploreOptions { outcomes: true, ..ExploreOptions::default() };
            let whole = explore(&system, &options).unwrap();
            let fused = explore(&system, &ExploreOptions { reductions, ..options }).unwrap();
            let findings = |report: &Report| -> Vec<_> {
                let findings = report.findings.iter();
                findings
                    .map(|f| (f.property.clone(), f.verdict, f.counterexample.clone()))
                    .collect()
            };
            assert_eq!(findings(&whole), findings(&fused), "{design:?} {numbers:?}");
            assert_eq!(whole.outcomes, fused.outcomes, "{design:?} {numbers:?}");
            assert!(counts(&fused).0 < counts(&whole).0, "{design:?} {numbers:?}");
        }
    }
}

#[test]
fn a_full_system_is_exhausted_with_all_its_properties() {
    let full = model(Design::Story898, SystemKind::Full, [2, 2, 2, 2], &ALL);
    assert_eq!(fallen(&full, 1), [""; 0]);
    let one_resource = model(Design::Story898, SystemKind::Full, [2, 2, 3, 1], &ALL);
    assert_eq!(fallen(&one_resource, 2), [""; 0]);
    assert_eq!(counts(&run(&full, 1)), counts(&run(&full, 2)));
}

/// A store with one document, and a process of an own body.
fn own<F, A>(body: F) -> System
where
    F: Fn(Cx) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut store = State::new();
    store.insert("counters", doc! {"_id": "c", "n": 0}).unwrap();
    System {
        name: "own".into(),
        world: World { store, messages: Messages::default() },
        history: Vec::new(),
        processes: vec![Process::new("own").then(body)],
        properties: vec![Arc::new(NoFailure)],
        broken_store: None,
        commands: Default::default(),
        guards: Default::default(),
        faults: Faults::default(),
    }
}

fn refused(system: &System) -> String {
    let error = explore(system, &ExploreOptions::default()).unwrap_err();
    assert_eq!(error.process().map(|name| &**name), Some("own"));
    error.to_string()
}

#[test]
fn a_process_that_draws_from_shared_memory_is_refused_by_name() {
    let shared = Arc::new(AtomicUsize::new(0));
    let system = own(move |cx| {
        let turn = shared.fetch_add(1, Ordering::Relaxed);
        async move {
            cx.step(&format!("turn {turn}")).await;
            Ok(())
        }
    });
    let why = refused(&system);
    assert!(why.contains("asks `turn 0`") || why.contains("asks `turn 1`"), "{why}");
}

#[test]
fn a_process_that_looks_at_the_clock_only_when_it_ends_is_refused() {
    let system = own(|cx| async move {
        cx.step("first").await;
        let now = std::time::Instant::now();
        std::thread::sleep(std::time::Duration::from_micros(1));
        cx.observe(Event::new("took").with("nanos", now.elapsed().as_nanos() as i64));
        Ok(())
    });
    assert!(refused(&system).contains("tells [took"));
}

#[test]
fn a_process_that_carries_something_over_a_boundary_is_refused() {
    let system = own(|cx| async move {
        let turns = AtomicUsize::new(0);
        forever(&cx, || async {
            let turn = turns.fetch_add(1, Ordering::Relaxed).min(5);
            cx.step(if turn < 5 { "early" } else { "late" }).await;
            Ok::<(), String>(())
        })
        .await
    });
    assert!(refused(&system).contains("asks `late`"));
}

/// Whichever of two processes is first sends two numbers: 1 and 1, or 3 and 3; but 3 and 2 if it has
/// crashed on the way. The receiver stops with an error after 1 and 2, which nobody sends.
fn two_of_a_kind(senders: [&str; 2]) -> System {
    let send = |cx: Cx| async move {
        let first = cx.collection::<Document>("first");
        let mine = doc! {"_id": "first", "who": cx.process()};
        let is_new = first.insert_one(&mine).await.is_ok();
        if !is_new && first.find_one(by_id("first")).await.unwrap() != Some(mine) {
            return;
        }
        let numbers = match (&**cx.process(), is_new) {
            ("ones", _) => [1, 1],
            (_, true) => [3, 3],
            (_, false) => [3, 2],
        };
        for n in numbers {
            cx.send("numbers", doc! {"n": n}).await;
        }
    };
    let receive = |cx: Cx| async move {
        let first = cx.take("numbers").await;
        let second = cx.take("numbers").await;
        let number = |message: Document| message.get("n").and_then(|n| n.as_int());
        match (number(first), number(second)) {
            (Some(1), Some(2)) => Err("what nobody sends"),
            _ => Ok(()),
        }
    };
    let mut system = own(|_| async { Ok(()) });
    system.processes = senders.map(|name| Process::new(name).then(send)).into();
    system.processes.push(Process::new("receiver").then(receive));
    system.properties = vec![Arc::new(NoFailure)];
    system.faults = Faults::default().crashes(1).among(["threes"]);
    system
}

/// The walks ahead of a search have no faults, so they do not see the 2; and until it comes, nothing
/// tells a receiver of 1 from one of 3.
#[test]
fn what_is_found_before_it_is_known_who_differs_fells_nothing() {
    for senders in [["ones", "threes"], ["threes", "ones"]] {
        let options = ExploreOptions { outcomes: true, ..Default::default() };
        let report = explore(&two_of_a_kind(senders), &options).unwrap();
        assert_eq!(report.verdict(), Verdict::Verified, "{report:?}");
        let failed = |outcome: &Outcome| outcome.processes.iter().any(|end| end.contains("sends"));
        assert!(!report.outcomes.unwrap().iter().any(failed));
    }
}

#[test]
fn limits_stop_the_search_and_say_so() {
    let model = model(Design::Story898, SystemKind::Inline, [5, 2, 2, 2], &["no-deadlock"]);
    let system = model.system().unwrap();
    let stop = |limits: Limits| {
        let report = explore(&system, &ExploreOptions { limits, ..Default::default() }).unwrap();
        assert_eq!(report.verdict(), Verdict::Inconclusive);
        (report.stopped.clone().unwrap().to_string(), counts(&report).0, report.time)
    };
    let none = Limits::default();
    let (why, states, _) = stop(Limits { states: Some(100_000), ..none });
    assert!(why.contains("100000 states") && states < 105_000, "{why} {states}");
    let (why, states, _) = stop(Limits { memory: Some(32 << 20), ..none });
    assert!(why.contains("32 MiB") && states > 500_000, "{why} {states}");
    let (why, _, time) = stop(Limits { time: Some(Duration::from_millis(200)), ..none });
    assert!(why.contains("0.2 s") && time < Duration::from_millis(400), "{why} {time:?}");
    let (why, ..) = stop(Limits { depth: Some(10), ..none });
    assert!(why.contains("10 steps"), "{why}");
}

#[test]
fn a_search_ends_when_all_has_fallen_and_not_before() {
    let run = |properties: &[&str]| {
        let model = model(Design::PerTask, SystemKind::Inline, [2, 1, 1, 2], properties);
        let report = explore(&model.system().unwrap(), &ExploreOptions::default()).unwrap();
        (report.verdict(), report.stopped.map(|why| why.to_string()))
    };
    let fell = Some("every property fell".to_owned());
    assert_eq!(run(&["exclusivity"]), (Verdict::Violated, fell));
    assert_eq!(run(&["exclusivity", "loud"]), (Verdict::Violated, None));
}

#[test]
fn a_search_that_is_cancelled_says_so() {
    let options = ExploreOptions::default();
    options.cancel.store(true, Ordering::Relaxed);
    let model = model(Design::Story898, SystemKind::Inline, [3, 1, 1, 2], &["no-deadlock"]);
    let report = explore(&model.system().unwrap(), &options).unwrap();
    assert_eq!(report.stopped.as_deref(), Some("it was cancelled"));
    assert_eq!(report.verdict(), Verdict::Inconclusive);
}

#[test]
fn a_crash_that_frees_nothing_is_found_with_its_words() {
    let model = model(Design::Story898, SystemKind::Inline, [2, 1, 2, 1], &["no-deadlock"]);
    let mut system = model.system().unwrap();
    system.faults = Faults::default().crashes(1).without_restart();
    let report = explore(&system, &ExploreOptions::default()).unwrap();
    let found = report.of("no-deadlock").unwrap().counterexample.clone().unwrap();
    assert!(found.schedule.iter().any(|word| word.starts_with("crash:manager-")));
    let replay = system.replay(&found.schedule).unwrap();
    assert_eq!(replay.fallen[0].0.as_ref(), "no-deadlock");
}

#[test]
fn malformed_systems_are_refused() {
    let mut system = own(|_| async { Ok(()) });
    system.processes.push(system.processes[0].clone());
    let error = explore(&system, &ExploreOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "two processes are called own");
    system.processes.clear();
    let error = explore(&system, &ExploreOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "the system has no process");
}

fn with_liveness(system: &System) -> Report {
    explore(system, &ExploreOptions { liveness: true, ..ExploreOptions::default() }).unwrap()
}

/// A process that tries again and again until the counter is `n`, and is always awake.
async fn spin_until(cx: Cx, n: i64) -> Result<(), String> {
    until(&cx, || async {
        let counters = cx.collection::<doorway::store::Document>("counters");
        match counters.find_one(eq("_id", "c").and(eq("n", n))).await {
            Ok(Some(_)) => Ok(Ok(())),
            Ok(None) => Err(Wake::When(vec![Condition::Some("counters".into(), eq("_id", "c"))])),
            Err(error) => Ok(Err(error.to_string())),
        }
    })
    .await
}

#[test]
fn to_spin_for_ever_is_a_livelock_with_stem_and_cycle() {
    let system = own(|cx| spin_until(cx, 1));
    let report = with_liveness(&system);
    for property in [PROGRESS, NO_LIVELOCK] {
        assert_eq!(report.of(property).unwrap().verdict, Verdict::Violated, "{property}");
    }
    let found = report.of(NO_LIVELOCK).unwrap().counterexample.clone().unwrap();
    let stem = found.repeats_from.unwrap();
    assert!(stem < found.schedule.len());
    let mut twice = found.schedule.clone();
    twice.extend_from_slice(&found.schedule[stem..]);
    assert!(!system.replay(&twice).unwrap().complete);
}

#[test]
fn to_spin_until_another_acts_is_none_as_the_other_gets_its_turn() {
    let mut system = own(|cx| spin_until(cx, 1));
    system.processes.push(Process::new("other").then(|cx: Cx| async move {
        let counters = cx.collection::<doorway::store::Document>("counters");
        counters.update_one(eq("_id", "c"), set("n", 1)).await.map(|_| ())
    }));
    let report = with_liveness(&system);
    assert_eq!(report.of(PROGRESS).unwrap().verdict, Verdict::Verified);
    assert_eq!(report.of(NO_LIVELOCK).unwrap().verdict, Verdict::Verified);
    system.faults = Faults::default().crashes(1).without_restart().among(["other"]);
    let report = with_liveness(&system);
    assert_eq!(report.of(PROGRESS).unwrap().verdict, Verdict::Violated);
    assert_eq!(report.of(NO_LIVELOCK).unwrap().verdict, Verdict::Violated);
}

#[test]
fn the_story_makes_progress_and_a_crash_that_leaves_a_reservation_ends_it() {
    let model = model(Design::Story898, SystemKind::Inline, [2, 1, 2, 1], &["no-deadlock"]);
    let mut system = model.system().unwrap();
    let report = with_liveness(&system);
    assert_eq!(report.verdict(), Verdict::Verified);
    assert_eq!(report.findings.len(), 3);
    system.faults = Faults::default().crashes(1).without_restart();
    let report = with_liveness(&system);
    assert_eq!(report.of(PROGRESS).unwrap().verdict, Verdict::Violated);
    assert_eq!(report.of(NO_LIVELOCK).unwrap().verdict, Verdict::Verified);
}
