//! A log for each violation, and for what looks like one and is none.

use super::*;

/// A checker that is told things one after another, and what it found.
struct Told {
    checker: Checker,
    found: Vec<Violation>,
}

fn told(keeps: Keeps) -> Told {
    Told { checker: Checker::new(keeps), found: Vec::new() }
}

impl Told {
    fn by(mut self, child: u64, facts: impl IntoIterator<Item = Fact>) -> Told {
        for fact in facts {
            // What the driver remembers is what it writes down: it goes through that each time.
            let text = serde_json::to_string(&self.checker).expect("it can be written");
            self.checker = serde_json::from_str(&text).expect("it can be read");
            let now = self.checker.now;
            self.found.extend(self.checker.take(child, now, &fact));
        }
        self
    }

    fn properties(&self) -> Vec<&'static str> {
        self.found.iter().map(|violation| violation.property).collect()
    }

    #[track_caller]
    fn holds(&self) {
        assert_eq!(self.found, [], "nothing is violated");
    }

    #[track_caller]
    fn violates(&self, expected: &[&str]) {
        assert_eq!(self.properties(), expected, "{:#?}", self.found);
    }
}

/// A task of resource 1 that is enqueued.
fn enqueued(task: u64) -> Fact {
    Fact::Enqueued { task, resource: 1 }
}

fn run(worker: &str, incarnation: i64, token: i64) -> Run {
    Run { worker: worker.into(), incarnation: Some(incarnation), token: Some(token) }
}

fn began(task: u64, token: i64) -> Fact {
    Fact::Began { task, run: run("w", 1, token) }
}

fn acted(task: u64, token: i64, accepted: bool) -> Fact {
    let effect = Effect { task, resource: 1, token: Some(token) };
    Fact::Acted { effect, accepted }
}

fn ended(task: u64) -> Fact {
    Fact::Ended { task }
}

fn status(task: u64, state: State) -> Fact {
    Fact::Status { task, state: Some(state) }
}

/// All that comes to a task that is handled as it should be.
fn handled(task: u64) -> [Fact; 5] {
    let placing = [Fact::Delivered { task }, Fact::Placing { task }, Fact::Placed { task }];
    let [delivered, placing, placed] = placing;
    [enqueued(task), delivered, placing, placed, Fact::Acknowledged { task }]
}

fn buried(worker: &str, incarnation: i64) -> Fact {
    Fact::Burying { worker: worker.into(), incarnation }
}

#[test]
fn a_worker_that_somebody_failed_to_declare_dead_is_no_excuse() {
    let meeting = |answer: Option<Fact>| {
        told(Keeps::Statuses)
            .by(1, handled(1))
            .by(1, handled(2))
            .by(2, [began(1, 1)])
            .by(4, [buried("w", 1)].into_iter().chain(answer))
            .by(3, [Fact::Began { task: 2, run: run("v", 5, 2) }])
            .by(2, [acted(1, 1, true)])
    };
    meeting(None).holds();
    meeting(Some(Fact::Buried { done: Some(true) })).holds();
    meeting(Some(Fact::Buried { done: None })).holds();
    meeting(Some(Fact::Gone { child: 4 })).holds();
    let left_alone = meeting(Some(Fact::Buried { done: Some(false) }));
    assert!(left_alone.properties().contains(&EXCLUSIVITY), "{:?}", left_alone.found);
}

#[test]
fn two_tasks_one_after_another_are_as_they_should_be() {
    let log = told(Keeps::Statuses)
        .by(1, handled(1))
        .by(1, handled(2))
        .by(2, [began(1, 1), acted(1, 1, true), ended(1), status(1, State::Finished)])
        .by(2, [began(2, 2), acted(2, 2, true), ended(2), status(2, State::Finished)]);
    log.holds();
    assert_eq!(log.checker.open().count(), 0);
    assert!(log.checker.tasks.is_empty(), "both are forgotten");
    assert_eq!(log.checker.over, [1, 2]);
}

#[test]
fn two_runs_at_once_are_seen_once_the_first_says_that_it_went_on() {
    let log = told(Keeps::Nothing)
        .by(0, [enqueued(1), enqueued(2)])
        .by(2, [began(1, 1)])
        .by(3, [began(2, 2)]);
    log.holds(); // The first may have ended, and its process have been slow to say so.
    let log = log.by(2, [ended(1)]);
    log.violates(&[EXCLUSIVITY, "fcfs-r1"]);
    assert!(log.found[0].why.contains("task-1 (resource-1) runs while task-2 runs"));
    assert!(log.found[0].lines.iter().any(|line| line.contains("child 3")), "{:?}", log.found);
}

#[test]
fn runs_of_two_resources_may_be_at_once() {
    let other = Fact::Enqueued { task: 2, resource: 2 };
    let log = told(Keeps::Nothing)
        .by(0, [enqueued(1), other])
        .by(2, [began(1, 1)])
        .by(3, [began(2, 2)])
        .by(2, [ended(1)]);
    log.holds();
}

#[test]
fn a_worker_that_was_declared_dead_may_meet_the_next_and_is_counted() {
    let meeting = |token_of_first| {
        told(Keeps::Statuses)
            .by(1, handled(1))
            .by(1, handled(2))
            .by(2, [Fact::Began { task: 1, run: run("w", 4, token_of_first) }])
            .by(1, [buried("w", 4)])
            .by(3, [Fact::Began { task: 2, run: run("v", 5, 2) }])
            .by(2, [acted(1, token_of_first, false)])
    };
    let log = meeting(1);
    log.holds();
    assert_eq!(log.checker.counts.excused, 1);
    assert_eq!(log.checker.counts.refused, 1);
    // The one that was declared dead is the later here: then it was not its turn that ended.
    assert!(meeting(3).properties().contains(&EXCLUSIVITY));
}

#[test]
fn a_worker_that_was_declared_dead_before_is_not_an_excuse_for_its_next_life() {
    let log = told(Keeps::Statuses)
        .by(1, handled(1))
        .by(1, handled(2))
        .by(1, [buried("w", 4)])
        .by(2, [Fact::Began { task: 1, run: run("w", 5, 1) }])
        .by(3, [Fact::Began { task: 2, run: run("v", 6, 2) }])
        .by(2, [acted(1, 1, true)]);
    assert!(log.properties().contains(&EXCLUSIVITY), "{:?}", log.found);
}

#[test]
fn r1_is_the_order_of_the_broker() {
    let log = told(Keeps::Nothing)
        .by(0, [enqueued(1), enqueued(2)])
        .by(2, [began(2, 1), ended(2), began(1, 2)]);
    log.violates(&["fcfs-r1"]);
}

#[test]
fn r2_is_the_order_of_the_operations() {
    let order = |first_ends: bool| {
        let [placing, placed] = [Fact::Placing { task: 1 }, Fact::Placed { task: 1 }];
        let log = told(Keeps::Nothing).by(0, [enqueued(2), enqueued(1)]).by(1, [placing]);
        let log = if first_ends { log.by(1, [placed]) } else { log };
        log.by(3, [Fact::Placing { task: 2 }, Fact::Placed { task: 2 }])
            .by(2, [began(2, 1), ended(2), began(1, 2)])
    };
    order(true).violates(&["fcfs-r2"]);
    order(false).holds(); // They were under way at once: either may be first.
}

#[test]
fn r2_is_the_order_of_the_list() {
    let log = told(Keeps::Nothing)
        .by(0, [enqueued(2), enqueued(1)])
        .by(4, [Fact::Listed { tasks: vec![1, 2] }])
        .by(2, [began(2, 1), ended(2), began(1, 2)]);
    log.violates(&["fcfs-r2"]);
}

#[test]
fn a_task_that_has_run_and_is_listed_again_does_not_come_anew() {
    let log = told(Keeps::Statuses)
        .by(1, [enqueued(1), enqueued(2), Fact::Listed { tasks: vec![1] }])
        .by(2, [began(1, 1), acted(1, 1, true), ended(1)])
        .by(2, [Fact::Listed { tasks: vec![2, 1] }, began(2, 2), ended(2)]);
    log.holds();
}

#[test]
fn r3_is_the_order_of_whole_handlings() {
    let order = |delivered_late: bool| {
        let (first, second) = (Fact::Delivered { task: 1 }, Fact::Delivered { task: 2 });
        let log = told(Keeps::Nothing).by(0, [enqueued(2), enqueued(1)]).by(1, [first]);
        let log = if delivered_late { log } else { log.by(3, [second.clone()]) };
        log.by(1, [Fact::Acknowledged { task: 1 }])
            .by(3, [second])
            .by(2, [began(2, 1), ended(2), began(1, 2)])
    };
    order(true).violates(&["fcfs-r3"]);
    order(false).holds(); // Delivered again: it does not come anew.
}

#[test]
fn a_task_runs_once() {
    let twice = told(Keeps::Nothing).by(0, [enqueued(1)]).by(2, [began(1, 1)]);
    twice.by(3, [began(1, 2)]).violates(&[ONCE]);
    let late = told(Keeps::Statuses)
        .by(1, handled(1))
        .by(2, [began(1, 1), ended(1), status(1, State::Finished)])
        .by(3, [began(1, 2)]);
    late.violates(&[ONCE]);
    assert!(late.found[0].why.contains("was done before"), "{:?}", late.found);
    let unknown = told(Keeps::Nothing).by(2, [began(9, 1)]);
    unknown.violates(&[ONCE]);
}

#[test]
fn a_task_that_is_cancelled_does_not_run() {
    let cancelled = Fact::Cancelled { task: 1 };
    let before = told(Keeps::Statuses).by(1, [enqueued(1), cancelled.clone()]).by(2, [began(1, 1)]);
    before.violates(&[ONCE]);
    let after = told(Keeps::Statuses).by(1, [enqueued(1)]).by(2, [began(1, 1)]).by(1, [cancelled]);
    after.violates(&[ONCE]);
}

#[test]
fn what_the_store_says_of_a_task_has_to_be_so() {
    let said = |state| told(Keeps::Statuses).by(1, handled(1)).by(0, [status(1, state)]);
    said(State::Waiting).holds();
    said(State::Failed).holds(); // Its worker may have died between the claim and the run.
    said(State::Finished).violates(&[ONCE]);
    let gone = Fact::Status { task: 1, state: None };
    told(Keeps::Statuses).by(1, handled(1)).by(0, [gone.clone()]).violates(&[ONCE]);
    told(Keeps::Statuses).by(1, [enqueued(1), gone]).holds(); // It is not submitted yet.
}

#[test]
fn a_run_fails_only_with_its_worker() {
    let failed = |between: Vec<Fact>| {
        let log = told(Keeps::Statuses).by(1, handled(1)).by(2, [began(1, 1)]);
        log.by(0, between).by(0, [status(1, State::Failed)])
    };
    failed(vec![]).violates(&[FENCE]);
    failed(vec![Fact::Gone { child: 2 }]).holds();
    failed(vec![buried("w", 1)]).holds();
    failed(vec![buried("w", 2)]).violates(&[FENCE]);
}

#[test]
fn a_task_that_has_failed_runs_only_on_a_worker_that_was_declared_dead() {
    let late = |before: Vec<Fact>| {
        let log = told(Keeps::Statuses).by(1, [enqueued(1), status(1, State::Failed)]);
        log.by(1, before).by(2, [began(1, 1)])
    };
    late(vec![]).violates(&[ONCE]);
    late(vec![buried("w", 1)]).holds();
}

#[test]
fn the_resource_refuses_a_token_lower_than_it_has_seen() {
    let log = told(Keeps::Statuses).by(1, handled(1)).by(1, handled(2));
    let log = log.by(2, [began(1, 5), acted(1, 5, true)]);
    let effect = |token| Effect { task: 2, resource: 1, token };
    assert!(!log.checker.accepts(effect(Some(4))));
    assert!(log.checker.accepts(effect(Some(6))) && log.checker.accepts(effect(None)));
    let refused = log.by(2, [ended(1)]).by(2, [began(2, 4), acted(2, 4, false)]);
    refused.violates(&[FENCE]);
}

#[test]
fn a_token_names_one_run() {
    let log = told(Keeps::Statuses)
        .by(1, handled(1))
        .by(1, handled(2))
        .by(2, [began(1, 5), acted(1, 5, true), ended(1)])
        .by(2, [began(2, 5), acted(2, 5, true)]);
    log.violates(&[FENCE]);
}

fn binding(resource: &str, worker: &str) -> Fact {
    let (document, resource, worker) = (resource.into(), resource.into(), worker.into());
    Fact::Binding { document, resource, worker }
}

fn bound(document: &str) -> Fact {
    Fact::Bound { document: document.into(), done: true }
}

fn unbinding(document: &str) -> Fact {
    Fact::Unbinding { document: document.into() }
}

#[test]
fn a_worker_has_one_resource_and_a_resource_one_worker() {
    let first = || told(Keeps::Nothing).by(1, [binding("r", "w"), bound("r")]);
    let double = first().by(2, [binding("s", "w"), bound("s")]);
    double.violates(&[BINDING]);
    assert_eq!(double.found[0].lines.len(), 2, "{:?}", double.found);
    first().by(2, [binding("s", "v"), bound("s")]).holds();
    let refused = Fact::Bound { document: "s".into(), done: false };
    first().by(2, [binding("s", "w"), refused]).holds();
    let (document, resource) = ("t-2".into(), "r".into());
    let other = Fact::Binding { document, resource, worker: "v".into() };
    first().by(2, [other, bound("t-2")]).violates(&[BINDING]);
}

#[test]
fn a_reservation_that_is_written_over_is_bound_twice() {
    let first = || told(Keeps::Nothing).by(1, [binding("r", "w"), bound("r")]);
    let over = first().by(2, [binding("r", "w"), bound("r")]);
    over.violates(&[BINDING]);
    assert!(over.found[0].why.contains("written over"), "{:?}", over.found);
    first().by(3, [unbinding("r")]).by(2, [binding("r", "w"), bound("r")]).holds();
}

#[test]
fn a_binding_is_certain_only_until_somebody_sets_out_to_end_it() {
    let first = || told(Keeps::Nothing).by(1, [binding("r", "w"), bound("r")]);
    first().by(3, [unbinding("r")]).by(2, [binding("s", "w"), bound("s")]).holds();
    // The answer to the binding is heard late: it may have ended since.
    let slow = told(Keeps::Nothing)
        .by(1, [binding("r", "w")])
        .by(3, [unbinding("r"), Fact::Unbound { document: "r".into() }])
        .by(2, [binding("s", "w"), bound("s")])
        .by(1, [bound("r")]);
    slow.holds();
    // A child that died has set out to end it: it may still.
    let stray = told(Keeps::Nothing).by(3, [unbinding("r")]).by(0, [Fact::Gone { child: 3 }]);
    let stray = stray.by(1, [binding("r", "w"), bound("r")]);
    stray.by(2, [binding("s", "w"), bound("s")]).holds();
}

#[test]
fn what_is_left_is_a_leak_and_what_stops_a_failure() {
    let left = Fact::Left { reservation: "{_id: \"r\"}".into() };
    told(Keeps::Statuses).by(0, [left]).violates(&[NO_LEAK]);
    told(Keeps::Statuses).by(4, [Fact::Stopped { why: "!".into() }]).violates(&[NO_FAILURE]);
}

#[test]
fn a_task_that_waits_for_too_long_is_seen() {
    let mut log = told(Keeps::Statuses).by(1, handled(1));
    let (late, patience) = (Duration::from_secs(11), Duration::from_secs(10));
    assert_eq!(log.checker.impatient(0, patience), None);
    let found = log.checker.impatient(late.as_nanos() as u64, patience);
    assert_eq!(found.map(|violation| violation.property), Some(PROGRESS));
    log = log.by(0, [status(1, State::Failed)]);
    assert_eq!(log.checker.impatient(late.as_nanos() as u64, patience), None);
}

#[test]
fn memory_does_not_grow_with_the_tasks_that_are_done() {
    let mut checker = Checker::new(Keeps::Statuses);
    let size = |checker: &Checker| serde_json::to_vec(checker).map_or(0, |bytes| bytes.len());
    let mut sizes = Vec::new();
    for task in 1..=3000 {
        let token = i64::try_from(task).expect("small");
        let mut facts = handled(task).to_vec();
        let document = doorway::store::Text::from("r");
        facts.extend([binding("r", "w"), bound("r"), buried("w", token)]);
        facts.push(Fact::Buried { done: Some(true) });
        facts.extend([began(task, token), acted(task, token, true), ended(task)]);
        facts.extend([unbinding("r"), Fact::Unbound { document }, status(task, State::Finished)]);
        for fact in facts {
            assert_eq!(checker.take(1, task, &fact), []);
        }
        assert_eq!(checker.take_over(), [task]);
        sizes.push(size(&checker));
    }
    assert!(sizes[2999] < sizes[500] + 400, "{} and then {}", sizes[500], sizes[2999]);
}

#[test]
fn after_a_restart_of_the_driver_nothing_is_concluded_from_what_was_not_heard() {
    let mut log = told(Keeps::Statuses).by(1, handled(1)).by(2, [began(1, 1)]);
    log.checker.resume(0);
    log.by(0, [status(1, State::Finished)]).holds();
}
