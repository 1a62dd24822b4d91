//! Systems that count for ever are exhausted where only the order of what they count matters, and who
//! goes by the number is found out.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};

use doorway::check::engine::Limits;
use doorway::check::engine::explore::{self, ExploreOptions, Reductions};
use doorway::check::{
    Check, Checked, Coverage, Cx, Faults, Finding, Guards, Messages, Monitor, NoDeadlock,
    NoFailure, Process, Report, Step, System, Verdict, World,
};
use doorway::doc;
use doorway::env::{Condition, Env, Event, Queues, Wake, forever, until};
use doorway::store::filter::{Filter, all, by_id, eq, lt, lte};
use doorway::store::memory::State;
use doorway::store::update::{next, set};
use doorway::store::{
    Document, Ordinal, Projection, Returns, Store, StoreError, Text, Value, WriteConcern,
};

fn first() -> Ordinal {
    Ordinal::first("tickets")
}

fn states(checked: &Checked) -> (u64, bool) {
    let Coverage::States { states, reductions, .. } = checked.report().coverage else { panic!() };
    (states, reductions.ordinals)
}

/// A lock that lets in who holds the ticket that is served.
mod lock {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Drawn {
        next: Ordinal,
    }

    pub(super) fn document() -> Document {
        doc! {"_id": "lock", "next": first(), "serving": first()}
    }

    pub(super) async fn draw(cx: &Cx, projection: Projection) -> Result<Ordinal, StoreError> {
        let locks = cx.collection::<Drawn>("locks");
        let drawn = locks.find_one_and_update(by_id("lock"), next("next", "tickets"));
        Ok(drawn.projection(projection).await?.unwrap().next)
    }

    pub(super) async fn serve_next(cx: &Cx) -> Result<(), StoreError> {
        let locks = cx.collection::<Document>("locks");
        locks.update_one(by_id("lock"), next("serving", "tickets")).await.map(drop)
    }

    /// Draws a ticket, waits until a condition on it holds, works, lets the next one in; for ever.
    pub(super) async fn turns(
        cx: Cx,
        projection: Projection,
        turn: fn(&Ordinal) -> Filter,
    ) -> Result<(), StoreError> {
        forever(&cx, || async {
            let ticket = draw(&cx, projection.clone()).await?;
            let turn = by_id("lock").and(turn(&ticket));
            cx.pause(Wake::When(vec![Condition::Some("locks".into(), turn)])).await;
            cx.within("work", async {}).await;
            serve_next(&cx).await
        })
        .await
    }

    pub(super) fn of(
        names: &[&str],
        projection: Projection,
        turn: fn(&Ordinal) -> Filter,
    ) -> Check {
        Check::new("tickets")
            .document("locks", document())
            .processes(names.iter().copied(), move |cx| turns(cx, projection.clone(), turn))
            .always("exclusive", |world| world.inside("work") <= 1)
    }
}

/// Only the ticket of what was drawn.
fn ticket_alone() -> Projection {
    Projection::Include(vec!["next".into()])
}

fn is_served(ticket: &Ordinal) -> Filter {
    eq("serving", ticket)
}

/// A lock with tickets, written down by hand: where each process stands, with what it remembers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hand {
    next: i64,
    serving: i64,
    stand: Vec<(Place, BTreeSet<i64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Draws,
    Waits(i64),
    Leaves,
    Serves,
}

impl Hand {
    /// One step of a process, if it can take one.
    fn step(&self, process: usize, remembers_all: bool) -> Option<Hand> {
        let mut after = self.clone();
        let (place, remembered) = &mut after.stand[process];
        match *place {
            Place::Draws => {
                *place = Place::Waits(self.next);
                remembered.insert(self.next);
                remembered.extend(remembers_all.then_some(self.serving));
                after.next += 1;
            }
            Place::Waits(ticket) if ticket == self.serving => *place = Place::Leaves,
            Place::Waits(_) => return None,
            Place::Leaves => *place = Place::Serves,
            Place::Serves => {
                (*place, *remembered) = (Place::Draws, BTreeSet::new());
                after.serving += 1;
            }
        }
        Some(after)
    }

    /// The same with the least numbers: the first is a constant, what is below the one that is served is
    /// dense, and above that the distances stay.
    fn canonical(&self) -> Hand {
        let remembered = self.stand.iter().flat_map(|(_, remembered)| remembered.iter().copied());
        let below: BTreeSet<i64> = remembered.filter(|n| 1 < *n && *n < self.serving).collect();
        let number = |n: i64| match below.iter().position(|b| *b == n) {
            Some(rank) => rank as i64 + 2,
            None if n == 1 || self.serving == 1 => n,
            None => n - self.serving + below.len() as i64 + 2,
        };
        let stand = |(place, remembered): &(Place, BTreeSet<i64>)| {
            let place = match *place {
                Place::Waits(ticket) => Place::Waits(number(ticket)),
                other => other,
            };
            (place, remembered.iter().map(|n| number(*n)).collect())
        };
        Hand {
            next: number(self.next),
            serving: number(self.serving),
            stand: self.stand.iter().map(stand).collect(),
        }
    }
}

/// How many states the lock has, by hand.
fn by_hand(processes: usize, remembers_all: bool) -> u64 {
    let stand = vec![(Place::Draws, BTreeSet::new()); processes];
    let initial = Hand { next: 1, serving: 1, stand };
    let (mut seen, mut open) = (BTreeSet::from([initial.clone()]), vec![initial]);
    while let Some(state) = open.pop() {
        for after in (0..processes).filter_map(|process| state.step(process, remembers_all)) {
            let after = after.canonical();
            if seen.insert(after.clone()) {
                open.push(after);
            }
        }
    }
    seen.len() as u64
}

#[test]
fn a_lock_with_tickets_for_ever_has_as_many_states_as_by_hand() {
    for names in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
        for (projection, remembers_all) in [(ticket_alone(), false), (Projection::All, true)] {
            let checked = lock::of(names, projection, is_served).explore();
            checked.assert_verified();
            assert_eq!(states(&checked), (by_hand(names.len(), remembers_all), true), "{names:?}");
        }
    }
}

#[test]
fn without_the_reduction_it_has_no_end() {
    let limits = Limits { states: Some(20_000), ..Limits::default() };
    let check = lock::of(&["a", "b"], ticket_alone(), is_served).limits(limits);
    let checked = check.clone().reduce_ordinals(false).explore();
    assert_eq!(checked.assert_inconclusive().report().findings[0].verdict, Verdict::Inconclusive);
    assert!(!states(&checked).1);
    assert!(check.explore().assert_verified().to_string().contains(", reduced by ordinals"));
}

#[test]
fn who_is_let_in_too_early_is_found() {
    let check = lock::of(&["a", "b"], ticket_alone(), |ticket| lte("serving", ticket));
    let checked = check.explore();
    let found = checked.assert_violates("exclusive").counterexample("exclusive").unwrap();
    assert_eq!(found.schedule.len(), 4, "two draw, and two enter: {found}");
    let replay = check.replay(&found.schedule.join(" "));
    assert_eq!(&*replay.fallen[0].0, "exclusive");
}

/// Works on what it holds, in a store that remembers the newest token that it saw.
async fn worker_with_tokens(cx: Cx, checks: bool) -> Result<(), StoreError> {
    let (leases, data) = (cx.collection::<Document>("leases"), cx.collection::<Document>("data"));
    forever(&cx, || async {
        let taken = leases.find_one_and_update(by_id("lease"), next("token", "tokens"));
        let taken = taken.returns(Returns::After).await?.unwrap();
        let token = taken.get("token").unwrap();
        let newest = match checks {
            true => by_id("data").and(lte("token", token)),
            false => by_id("data"),
        };
        let written = data.update_one(newest, set("token", token)).await?;
        cx.observe(Event::new("wrote").with("token", token).with("was", written.matched == 1));
        Ok(())
    })
    .await
}

/// Falls where an older token is written after a newer one.
struct InOrder;

impl Monitor for InOrder {
    fn name(&self) -> &str {
        "in-order"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events().iter().filter(|event| &*event.name == "wrote") {
            let token = event.fields.get("token").unwrap();
            if event.fields.get("was") != Some(&true.into()) {
                continue;
            }
            if memory.get("newest").is_some_and(|newest| newest.compare(token).is_gt()) {
                return Err(format!("{token} after {memory}"));
            }
            memory.set("newest", token);
        }
        Ok(())
    }
}

fn tokens(checks: bool) -> Check {
    Check::new("tokens")
        .document("leases", doc! {"_id": "lease", "token": Ordinal::first("tokens")})
        .document("data", doc! {"_id": "data", "token": Ordinal::first("tokens")})
        .processes(["a", "b"], move |cx| worker_with_tokens(cx, checks))
        .monitor(InOrder)
}

#[test]
fn an_old_token_stays_an_old_one_for_ever() {
    let checked = tokens(true).explore();
    checked.assert_verified();
    assert!(states(&checked).1);
    let checked = tokens(false).explore();
    let found = checked.assert_violates("in-order").counterexample("in-order").unwrap();
    assert_eq!(found.why, "2 after {newest: 3}", "what a run shows are the numbers that there are");
}

#[derive(Serialize, Deserialize)]
struct Heart {
    beat: Ordinal,
    seen: Option<Ordinal>,
}

/// Counts up in the document of its own name, for ever.
async fn heart(cx: Cx, scale: String) -> Result<(), StoreError> {
    let hearts = cx.collection::<Heart>("hearts");
    let me = cx.process().clone();
    let beat =
        || async { hearts.update_one(by_id(&me), next("beat", scale.as_str())).await.map(drop) };
    forever(&cx, beat).await
}

/// Looks whether a heart has beaten since the last look, for ever.
async fn watcher(cx: Cx, of: &str) -> Result<(), StoreError> {
    let hearts = cx.collection::<Heart>("hearts");
    forever(&cx, || async {
        let Heart { beat, seen } = hearts.find_one(by_id(of)).await?.unwrap();
        let is_alive = seen.is_none_or(|seen| seen < beat);
        cx.observe(Event::new(if is_alive { "alive" } else { "dead" }));
        hearts.update_one(by_id(of), set("seen", beat)).await.map(drop)
    })
    .await
}

/// Two hearts with watchers, on scales of these names.
fn hearts(scales: [&'static str; 2]) -> Check {
    let mut check = Check::new("hearts");
    for (name, scale) in ["heart-1", "heart-2"].into_iter().zip(scales) {
        check = check
            .document("hearts", doc! {"_id": name, "beat": Ordinal::first(scale)})
            .process(name, move |cx| heart(cx, scale.to_owned()))
            .process(format!("watches-{name}"), move |cx| watcher(cx, name));
    }
    check.limits(Limits { states: Some(5_000), ..Limits::default() })
}

#[test]
fn counters_that_run_by_themselves_are_on_scales_of_their_own() {
    let checked = hearts(["beats-1", "beats-2"]).explore();
    checked.assert_verified();
    let alone = Check::new("heart")
        .document("hearts", doc! {"_id": "heart-1", "beat": Ordinal::first("beats")})
        .process("heart-1", |cx| heart(cx, "beats".into()))
        .process("watches", |cx| watcher(cx, "heart-1"))
        .explore();
    alone.assert_verified();
    assert_eq!(states(&checked).0, states(&alone).0.pow(2), "they know nothing of each other");
    hearts(["beats", "beats"]).explore().assert_inconclusive();
}

#[test]
fn scales_are_exchanged_with_the_processes_that_count_on_them() {
    let names = ["heart-1", "heart-2"];
    let mut store = State::new();
    for name in names {
        let beat = Ordinal::first(format!("beats-of-{name}"));
        store.insert("hearts", doc! {"_id": name, "beat": beat}).unwrap();
    }
    let one = |name: &&'static str| {
        let name = *name;
        Process::new(name).then(move |cx: Cx| async move {
            let hearts = cx.collection::<Heart>("hearts");
            forever(&cx, || async {
                let beat = next("beat", format!("beats-of-{name}"));
                hearts.update_one(by_id(name), beat).await?;
                let Heart { beat, .. } = hearts.find_one(by_id(name)).await?.unwrap();
                hearts.update_one(by_id(name), set("seen", beat)).await.map(drop)
            })
            .await
        })
    };
    let mut system = system(&[], 0, Faults::default(), false);
    system.world.store = store;
    system.processes = names.iter().map(one).collect();
    let count = |reductions| told(&system, reductions, Default::default()).unwrap().2;
    let both = count(Reductions { ordinals: true, ..NONE });
    let alone = both.isqrt();
    assert_eq!(alone.pow(2), both, "they know nothing of each other");
    let reduced = count(Reductions { ordinals: true, symmetry: true, ..NONE });
    assert_eq!(reduced, alone * (alone + 1) / 2, "of two that are exchanged one");
}

/// What is refused, and who is named.
fn refused(check: &Check, who: &str) -> String {
    let error = check.try_explore().unwrap_err().to_string();
    assert!(error.contains(&format!("{who} goes by the number of an ordinal")), "{error}");
    error
}

/// Draws a ticket for ever and acts on it.
fn acts<F, A>(act: F) -> Check
where
    F: Fn(Cx, Ordinal) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Check::new("acts")
        .document("locks", lock::document())
        .process("p", move |cx: Cx| {
            let act = act.clone();
            async move {
                forever(&cx, || async {
                    let ticket = lock::draw(&cx, ticket_alone()).await?;
                    act(cx.clone(), ticket).await?;
                    lock::serve_next(&cx).await
                })
                .await
            }
        })
        .limits(Limits { states: Some(5_000), ..Limits::default() })
}

#[test]
fn who_takes_the_number_apart_is_refused_by_name() {
    let parity = acts(|cx, ticket| async move {
        let number: i64 = ticket.to_string().parse().unwrap();
        if number % 2 == 0 {
            cx.step("even").await;
        }
        Ok(())
    });
    let error = refused(&parity, "p");
    assert!(error.contains("that it asks `even` is expected"), "{error}");
    let limit = acts(|cx, ticket| async move {
        let value = Value::from(ticket);
        if value.as_int().unwrap() > 1_000 {
            cx.step("overflow").await;
        }
        Ok(())
    });
    let error = refused(&limit, "p");
    assert!(error.contains("it asks `overflow`"), "{error}");
    let tells = acts(|cx, ticket| async move {
        cx.observe(Event::new("drew").with("number", ticket.to_string()));
        Ok(())
    });
    refused(&tells.monitor(InOrder), "p");
    let compares = acts(|cx, _| async move {
        let locks = cx.collection::<Document>("locks");
        locks.update_one(by_id("lock").and(lt("next", 4)), set("young", true)).await.map(drop)
    });
    let error = refused(&compares, "p");
    assert!(error.contains("`locks.update_one({_id: \"lock\", next: {$lt: 4}}"), "{error}");
    let goes_back = acts(|cx, _| async move {
        let locks = cx.collection::<Document>("locks");
        let back = doorway::store::update::inc("next", -1);
        locks.update_one(by_id("lock"), back).await.map(drop)
    });
    refused(&goes_back, "p");
}

#[test]
fn so_is_a_property() {
    let check = || lock::of(&["a", "b"], ticket_alone(), is_served);
    let limit = check().always("few", |world| {
        let lock = world.get::<Document>("locks", "lock").unwrap();
        lock.get("next").unwrap().as_int().unwrap() < 1_000
    });
    refused(&limit, "few");
    /// Remembers a number.
    struct Remembers;
    impl Monitor for Remembers {
        fn name(&self) -> &str {
            "remembers"
        }
        fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
            let lock = step.world.store.get("locks", &"lock".into()).unwrap();
            memory.set("number", lock.get("next").unwrap().as_int().unwrap());
            Ok(())
        }
    }
    refused(&check().monitor(Remembers), "remembers");
    let distance = check().always("near", |world| {
        let lock = world.get::<Document>("locks", "lock").unwrap();
        let number = |field| lock.get(field).unwrap().as_int().unwrap();
        number("next") - number("serving") <= 2
    });
    distance.explore().assert_verified();
}

/// What a process does next with ordinals.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Makes the next one its own.
    Draw,
    /// Makes the next one of another scale, and writes it where an older one is.
    Beat,
    /// Makes the one that is being served its own, or another process's, and serves the next.
    Look,
    Serve,
    /// Keeps its own in a document of its name, or under it.
    Keep,
    File,
    /// The first that is filed becomes its own.
    Pick,
    /// Writes its own where an older one is.
    Renew,
    /// Stops with an error where its own is older than what is written.
    FailIfOld,
    /// Stops where its own is the one that is served.
    FailIfServed,
    Send,
    Take,
    Tell,
    /// Sets the counter back to the first.
    SetBack,
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    use Act::*;
    prop_oneof![
        6 => Just(Draw),
        2 => Just(Beat),
        2 => Just(Look),
        3 => Just(Serve),
        2 => Just(Keep),
        2 => Just(File),
        1 => Just(Pick),
        3 => Just(Renew),
        2 => Just(FailIfOld),
        2 => Just(FailIfServed),
        2 => Just(Send),
        1 => Just(Take),
        2 => Just(Tell),
        1 => Just(SetBack),
        1 => Just(Wait),
    ]
}

/// Of few kinds, so that places come to be alike that are not.
fn count() -> impl Strategy<Value = Act> {
    use Act::*;
    prop_oneof![Just(Beat), Just(Draw), Just(Serve), Just(Look), Just(Renew)]
}

async fn take(cx: &Cx, act: Act, mine: &mut Option<Value>) -> Result<(), String> {
    let counters = cx.collection::<Document>("counters");
    let (kept, filed) = (cx.collection::<Document>("kept"), cx.collection::<Document>("filed"));
    let own = mine.clone().unwrap_or(Value::Null);
    let me = cx.process();
    let draw = |field: &'static str, scale: &'static str| async move {
        let drawn = counters.find_one_and_update(by_id("c"), next(field, scale));
        let drawn = drawn.returns(Returns::After).await.ok()??;
        drawn.get(field).cloned()
    };
    let counters = cx.collection::<Document>("counters");
    match act {
        Act::Draw => *mine = draw("next", "tickets").await,
        Act::Beat => {
            let beat = draw("beat", "beats").await.unwrap_or(Value::Null);
            let older = by_id("c").and(lt("seen", &beat));
            drop(counters.update_one(older, set("seen", beat)).await);
        }
        Act::Look => {
            let found = counters.find_one(by_id("c")).await.ok().flatten();
            *mine = found.and_then(|found| found.get("serving").cloned());
        }
        Act::Serve => {
            drop(counters.update_one(by_id("c"), next("serving", "tickets")).await);
        }
        Act::Keep => {
            drop(kept.replace_one(by_id(me), doc! {"_id": me, "own": own}).upsert(true).await)
        }
        Act::File => drop(filed.insert_one(doc! {"_id": own, "by": me}).await),
        Act::Pick => {
            let first = filed.find(all()).await.ok().and_then(|all| all.into_iter().next());
            *mine = first.and_then(|first| first.id().cloned());
        }
        Act::Renew => {
            let older = by_id("c").and(lt("newest", &own));
            drop(counters.update_one(older, set("newest", own)).await);
        }
        Act::FailIfOld => {
            let newer = by_id("c").and(doorway::store::filter::gt("newest", &own));
            if counters.find_one(newer).await.is_ok_and(|found| found.is_some()) {
                return Err("old".into());
            }
        }
        Act::FailIfServed => {
            let found = counters.find_one(by_id("c")).await.ok().flatten();
            let serving = found.and_then(|found| found.get("serving").cloned());
            if serving.is_some_and(|serving| serving.compare(&own).is_eq()) {
                return Err("served".into());
            }
        }
        Act::Send => cx.send("queue", doc! {"own": own}).await,
        Act::Take => *mine = cx.take("queue").await.get("own").cloned(),
        Act::Tell => cx.observe(Event::new("wrote").with("token", own).with("was", true)),
        Act::SetBack => {
            drop(counters.update_one(by_id("c"), set("next", first())).await);
        }
        Act::Wait => {
            until(cx, || async {
                let found = counters.find_one(by_id("c")).await.ok().flatten();
                match found.is_some_and(|found| found.get("serving") > Some(&first().into())) {
                    true => Ok(()),
                    false => Err(Wake::Changed),
                }
            })
            .await;
        }
    }
    Ok(())
}

/// Some processes that do the same; what stands in one activity is forgotten in the next, and the last
/// is done once or for ever.
fn system(activities: &[Vec<Act>], processes: usize, faults: Faults, is_endless: bool) -> System {
    let mut store = State::new();
    let counters = doc! {
        "_id": "c", "next": first(), "serving": first(), "newest": first(),
        "beat": Ordinal::first("beats"), "seen": Ordinal::first("beats"),
    };
    store.insert("counters", counters).unwrap();
    let process = |number: usize| {
        let process = Process::new(format!("process-{number}"));
        let all = activities.iter().cloned().enumerate();
        all.fold(process, |process, (number, acts)| {
            let goes_on = is_endless && number + 1 == activities.len();
            process.then(move |cx: Cx| {
                let acts = acts.clone();
                async move {
                    let once = || async {
                        let mut mine = None;
                        for act in &acts {
                            take(&cx, *act, &mut mine).await?;
                        }
                        Ok::<(), String>(())
                    };
                    if !goes_on {
                        return once().await;
                    }
                    let turn = || async {
                        cx.step("turn").await;
                        once().await
                    };
                    forever(&cx, turn).await
                }
            })
        })
    };
    System {
        name: format!("{activities:?} by {processes} with {faults:?}").into(),
        world: World { store, messages: Messages::default() },
        history: Vec::new(),
        processes: (1..=processes).map(process).collect(),
        properties: vec![Arc::new(NoDeadlock), Arc::new(NoFailure), Arc::new(InOrder)],
        broken_store: None,
        faults,
        commands: Default::default(),
        guards: Guards::LeftOut,
    }
}

/// A store with its ordinals numbered from below, each scale by itself; the first stays the first.
fn dense(store: &State) -> serde_json::Value {
    type Numbers = BTreeMap<String, BTreeSet<i64>>;
    fn visit(json: &mut serde_json::Value, see: &mut dyn FnMut(&str, &mut i64)) {
        if let Some(ordinal) = json.get_mut("$ordinal") {
            let scale = ordinal["of"].as_str().unwrap().to_owned();
            let mut number = ordinal["number"].as_str().unwrap().parse().unwrap();
            see(&scale, &mut number);
            ordinal["number"] = number.to_string().into();
        } else if let Some(items) = json.as_array_mut() {
            items.iter_mut().for_each(|item| visit(item, see));
        } else if let Some(fields) = json.as_object_mut() {
            fields.values_mut().for_each(|value| visit(value, see));
        }
    }
    let mut json = serde_json::to_value(store.dump()).unwrap();
    let mut numbers = Numbers::new();
    visit(&mut json, &mut |scale, number| {
        numbers.entry(scale.to_owned()).or_default().insert(*number);
    });
    visit(&mut json, &mut |scale, number| {
        let rank = numbers[scale].iter().filter(|other| 1 < **other && *other < number).count();
        *number = if *number == 1 { 1 } else { rank as i64 + 2 };
    });
    json
}

/// The verdicts with the lengths of the runs, what the runs came to but for the numbers, and how many
/// states there are.
type Told = (Vec<(Text, Verdict, Option<usize>)>, BTreeSet<(String, Vec<String>)>, u64, bool);

/// Models with more states than this are left out.
const LARGEST: u64 = 3_000;

/// `None`: it is too large.
fn told(system: &System, reductions: Reductions, limits: explore::Limits) -> Option<Told> {
    let options = ExploreOptions { reductions, limits, outcomes: true, ..Default::default() };
    let report: Report = explore::explore(system, &options).unwrap();
    if report.cut_short && report.stopped.as_deref() != Some("every property fell") {
        return None;
    }
    let length = |one: &Finding| one.counterexample.as_ref().map(|found| found.schedule.len());
    let findings = report.findings.iter();
    let verdicts = findings.map(|one| (one.property.clone(), one.verdict, length(one))).collect();
    let outcomes = report.outcomes.iter().flatten();
    let outcomes = outcomes.map(|one| (dense(&one.store).to_string(), one.processes.clone()));
    let Coverage::States { states, reductions, .. } = report.coverage else { panic!() };
    Some((verdicts, outcomes.collect(), states, reductions.ordinals))
}

const NONE: Reductions = Reductions { immutable_reads: false, symmetry: false, ordinals: false };

/// Compares what is found with the reduction and without, alone and with symmetry; whether it was of use.
fn compare(system: &System) -> bool {
    let few = explore::Limits { states: Some(LARGEST), ..Default::default() };
    let told = |reductions, limits| told(system, reductions, limits);
    let Some(plain) = told(NONE, few) else { return false };
    let reduced = told(Reductions { ordinals: true, ..NONE }, Default::default()).unwrap();
    assert_eq!((&plain.0, &plain.1), (&reduced.0, &reduced.1), "{}", system.name);
    let both = Reductions { ordinals: true, symmetry: true, ..NONE };
    let both = told(both, Default::default()).unwrap();
    assert_eq!((&plain.0, &plain.1), (&both.0, &both.1), "with symmetry: {}", system.name);
    assert!(both.2 <= reduced.2, "{}", system.name);
    reduced.3
}

fn faults() -> impl Strategy<Value = Faults> {
    let none = Faults::default();
    prop_oneof![
        4 => Just(none.clone()),
        1 => Just(none.clone().crashes(1)),
        1 => Just(none.clone().unknown_outcomes(1)),
        1 => Just(none.clone().stale_reads(1)),
        1 => Just(none.clone().failovers(1)),
        1 => Just(none.redeliveries(1)),
    ]
}

/// So far a system is explored that has no end.
const STEPS: u64 = 8;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() }
}

/// Compares random systems; in a quarter of them, at least, the reduction has to be of use.
fn compare_many(act: impl Strategy<Value = Act>, acts: Range<usize>, activities: Range<usize>) {
    let systems = (vec(vec(act, acts), activities), 2..4_usize, faults());
    let (compared, of_use) = (Cell::new(0), Cell::new(0));
    let compare = |(activities, processes, faults): (Vec<Vec<Act>>, _, _)| {
        compared.set(compared.get() + 1);
        of_use
            .set(of_use.get() + u32::from(compare(&system(&activities, processes, faults, false))));
        Ok(())
    };
    TestRunner::new(config()).run(&systems, compare).unwrap_or_else(|error| panic!("{error}"));
    println!("of use in {} of {}", of_use.get(), compared.get());
    assert!(of_use.get() * 4 > compared.get(), "{} of {}", of_use.get(), compared.get());
}

#[test]
fn random_models_have_the_same_verdicts_and_outcomes_with_the_reduction() {
    compare_many(act(), 1..4, 1..3);
}

#[test]
fn so_have_models_that_count_on_two_scales() {
    compare_many(count(), 1..3, 2..5);
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn random_models_without_end_break_the_same_within_some_steps(
        activities in vec(vec(act(), 1..4), 1..3),
        processes in 1..3_usize,
        faults in faults(),
    ) {
        let system = system(&activities, processes, faults, true);
        let within = explore::Limits { depth: Some(STEPS), ..Default::default() };
        let falls = |reductions| {
            let options = ExploreOptions { reductions, limits: within, ..Default::default() };
            let report = explore::explore(&system, &options).unwrap();
            let length = |one: &Finding| {
                one.counterexample.as_ref().map(|found| found.schedule.len())
            };
            report.findings.iter().map(length).collect::<Vec<_>>()
        };
        let plain = falls(NONE);
        assert_eq!(falls(Reductions { ordinals: true, ..NONE }), plain, "{}", system.name);
        let both = Reductions { ordinals: true, symmetry: true, ..NONE };
        assert_eq!(falls(both), plain, "with symmetry: {}", system.name);
    }
}

/// Writes, and counts epochs only if it is not told whether that was done: no walk comes upon it.
async fn counts_late(cx: Cx) -> Result<(), StoreError> {
    let documents = cx.collection::<Document>("documents");
    documents.insert_one(doc! {"_id": cx.process()}).await.ok();
    match documents.update_one(by_id(cx.process()), set("done", true)).await {
        Err(error) if error.is_outcome_unknown() => {
            for _ in 0..3 {
                let epoch = next("n", "epochs");
                drop(documents.update_one(by_id("epoch"), epoch).upsert(true).await);
            }
            Ok(())
        }
        done => done.map(drop),
    }
}

#[test]
fn ordinals_that_turn_up_late_leave_nothing_of_before_behind() {
    let mut system = system(&[], 0, Faults::default().unknown_outcomes(1), false);
    system.world.store = State::new();
    let process = |name: &str| Process::new(name).then(counts_late);
    system.processes = vec![process("process-1"), process("process-2")];
    assert!(compare(&system));
}

#[test]
fn what_never_changes_is_numbered_anew_all_the_same() {
    let mut system = system(&[], 0, Faults::default(), false);
    let limit = r#"{"_id": "limit", "n": {"$ordinal": {"of": "tickets", "number": "3"}}}"#;
    let limit: Document = serde_json::from_str(limit).unwrap();
    system.world.store.insert("limits", limit).unwrap();
    system.world.store.declare_immutable("limits");
    let draws = Process::new("draws").then(|cx: Cx| async move {
        let counters = cx.collection::<Document>("counters");
        for _ in 0..3 {
            counters.update_one(by_id("c"), next("next", "tickets")).await?;
        }
        counters.update_one(by_id("c"), set("over", true)).await.map(drop)
    });
    let reads = Process::new("reads").then(|cx: Cx| async move {
        cx.step("rest").await;
        let limit = cx.collection::<Document>("limits").find_one(by_id("limit")).await;
        let limit = limit.unwrap().unwrap();
        let counter = cx.collection::<Document>("counters").find_one(by_id("c")).await;
        let counter = counter.unwrap().unwrap();
        let is_over = counter.get("over").is_some();
        let is_at_limit = limit.get("n").unwrap().compare(counter.get("next").unwrap()).is_eq();
        if is_over && is_at_limit { Err("it is past the limit by then") } else { Ok(()) }
    });
    system.processes = vec![draws, reads];
    for immutable_reads in [false, true] {
        let reductions = Reductions { ordinals: true, immutable_reads, symmetry: false };
        let (verdicts, _, _, is_of_use) = told(&system, reductions, Default::default()).unwrap();
        assert!(is_of_use);
        assert!(
            verdicts.iter().all(|(_, verdict, _)| *verdict == Verdict::Verified),
            "{verdicts:?}"
        );
    }
}

/// One step of a process in an activity of its own: what stands in it is forgotten in the next.
#[derive(Clone, Copy)]
enum Part {
    Draw,
    /// Draws, and keeps it in a document or a message.
    DrawAndKeep,
    DrawAndSend,
    SetBack,
    /// Draws, and stops with an error where it is the one that is kept.
    DrawAndFailIfKept,
    /// Draws, takes a message, and stops with an error where it is the one that was sent last.
    DrawAndFailIfSent,
    /// Takes a message, and stops with an error where it is not the last that was drawn.
    FailIfOlder,
    /// Draws, and tells it a step later.
    DrawAndTell,
}

fn parts(parts: &[Part]) -> Check {
    let part = |part: Part| {
        move |cx: Cx| async move {
            let counters = cx.collection::<Document>("counters");
            let counters = counters.write_concern(WriteConcern::Primary);
            let kept = cx.collection::<Document>("kept");
            let draw = counters.find_one_and_update(by_id("c"), next("next", "tickets"));
            let draw = async { draw.returns(Returns::After).await.unwrap().unwrap() };
            let drawn = |document: &Document| document.get("next").cloned().unwrap();
            match part {
                Part::Draw => drop(draw.await),
                Part::DrawAndKeep => {
                    let own = drawn(&draw.await);
                    let keep = doc! {"_id": "kept", "own": own};
                    kept.replace_one(by_id("kept"), keep).upsert(true).await.unwrap();
                }
                Part::DrawAndSend => cx.send("queue", draw.await).await,
                Part::SetBack => {
                    counters.update_one(by_id("c"), set("next", first())).await.unwrap();
                }
                Part::DrawAndFailIfKept => {
                    let own = drawn(&draw.await);
                    let kept = kept.find_one(by_id("kept")).await.unwrap().unwrap();
                    if kept.get("own") == Some(&own) {
                        return Err("kept");
                    }
                }
                Part::DrawAndFailIfSent => {
                    let own = drawn(&draw.await);
                    if drawn(&cx.take("queue").await) == own {
                        return Err("sent");
                    }
                }
                Part::FailIfOlder => {
                    let sent = drawn(&cx.take("queue").await);
                    let last = counters.find_one(by_id("c")).await.unwrap().unwrap();
                    if sent != drawn(&last) {
                        return Err("older");
                    }
                }
                Part::DrawAndTell => {
                    let own = drawn(&draw.await);
                    cx.step("a step later").await;
                    cx.observe(Event::new("wrote").with("token", own).with("was", true));
                }
            }
            Ok(())
        }
    };
    let process = parts.iter().fold(Process::new("p"), |process, one| process.then(part(*one)));
    Check::new("parts").document("counters", doc! {"_id": "c", "next": first()}).with(process)
}

#[test]
fn a_counter_that_is_set_back_does_not_come_to_another_one_than_it_would() {
    use Part::{Draw, DrawAndFailIfKept, DrawAndKeep, SetBack};
    // What is kept is 4, and is not so far above 1 that it would not come there.
    let four = [Draw, Draw, DrawAndKeep, SetBack];
    let and = |rest: &[Part]| parts(&[&four[..], rest].concat()).explore();
    and(&[Draw, DrawAndFailIfKept]).assert_verified();
    and(&[Draw, Draw, DrawAndFailIfKept]).assert_violates("no-failure");
}

#[test]
fn it_is_said_that_a_counter_is_set_back() {
    let checked = acts(|cx, ticket| async move {
        let locks = cx.collection::<Document>("locks");
        let back = set("next", first()).set("kept", ticket);
        locks.update_one(by_id("lock"), back).await?;
        lock::draw(&cx, ticket_alone()).await.map(drop)
    })
    .explore();
    let stopped = checked.assert_inconclusive().report().stopped.as_deref().unwrap();
    assert!(stopped.contains("; a counter of tickets is set back"), "{stopped}");
}

#[test]
fn what_waits_in_a_queue_is_alive() {
    use Part::{Draw, DrawAndSend, FailIfOlder};
    parts(&[Draw, DrawAndSend, FailIfOlder]).explore().assert_verified();
    parts(&[DrawAndSend, Draw, FailIfOlder]).explore().assert_violates("no-failure");
}

/// Falls where what is told is not newer than what was told before.
struct Newer;

impl Monitor for Newer {
    fn name(&self) -> &str {
        "newer"
    }

    fn step(&self, memory: &mut Document, step: &Step<'_>) -> Result<(), String> {
        for event in step.events() {
            let token = event.fields.get("token").unwrap();
            if memory.get("newest").is_some_and(|newest| newest.compare(token).is_ge()) {
                return Err(format!("{token} after {memory}"));
            }
            memory.set("newest", token);
        }
        Ok(())
    }
}

#[test]
fn what_a_property_remembers_is_alive() {
    use Part::{DrawAndTell, SetBack};
    parts(&[DrawAndTell; 4]).monitor(Newer).explore().assert_verified();
    let back = [DrawAndTell, SetBack, DrawAndTell];
    parts(&back).monitor(Newer).explore().assert_violates("newer");
}

#[test]
fn what_a_majority_has_is_alive() {
    use Part::{Draw, DrawAndFailIfSent, DrawAndSend};
    let check = parts(&[Draw, Draw, DrawAndSend, Draw, DrawAndFailIfSent]);
    let check = check.faults(Faults::default().failovers(1));
    let told = |check: &Check| {
        let checked = check.explore();
        let found = checked.counterexample("no-failure").map(|found| found.schedule.len());
        (checked.verdict(), found)
    };
    let plain = told(&check.clone().reduce_ordinals(false));
    assert_eq!(told(&check), plain);
    assert_eq!(plain.0, Verdict::Violated, "a failover after the first is drawn");
}

/// Beats for ever, whether or not it is said that the beat was written.
async fn stubborn_heart(cx: Cx) -> Result<(), StoreError> {
    let hearts = cx.collection::<Heart>("hearts");
    forever(&cx, || async {
        match hearts.update_one(by_id("heart-1"), next("beat", "beats")).await {
            Err(error) if error.is_outcome_unknown() => Ok(()),
            done => done.map(drop),
        }
    })
    .await
}

/// As [`watcher`], likewise.
async fn stubborn_watcher(cx: Cx) -> Result<(), StoreError> {
    forever(&cx, || async {
        let hearts = cx.collection::<Heart>("hearts");
        let Heart { beat, .. } = hearts.find_one(by_id("heart-1")).await?.unwrap();
        match hearts.update_one(by_id("heart-1"), set("seen", beat)).await {
            Err(error) if error.is_outcome_unknown() => Ok(()),
            done => done.map(drop),
        }
    })
    .await
}

#[test]
fn a_heart_beats_for_ever_whatever_goes_wrong() {
    let none = Faults::default();
    for faults in [
        none.clone().crashes(1),
        none.clone().unknown_outcomes(2),
        none.clone().failovers(2),
        none.clone().stale_reads(1),
    ] {
        let checked = Check::new("heart")
            .document("hearts", doc! {"_id": "heart-1", "beat": Ordinal::first("beats")})
            .process("heart-1", stubborn_heart)
            .process("watches", stubborn_watcher)
            .faults(faults)
            .limits(Limits { states: Some(50_000), ..Limits::default() })
            .explore();
        checked.assert_verified();
        assert!(states(&checked).1);
    }
}

#[test]
fn a_guard_beats_beside_the_work_for_ever() {
    let checked = lock::of(&["a"], ticket_alone(), is_served)
        .document("hearts", doc! {"_id": "heart-1", "beat": Ordinal::first("beats")})
        .process("worker", |cx: Cx| async move {
            let turn = || async {
                let hearts = cx.collection::<Heart>("hearts");
                let beat = async {
                    cx.rest(std::time::Duration::from_secs(1)).await;
                    drop(hearts.update_one(by_id("heart-1"), next("beat", "beats")).await);
                };
                let work = async {
                    let before = hearts.find_one(by_id("heart-1")).await?.unwrap();
                    let after = hearts.find_one(by_id("heart-1")).await?.unwrap();
                    cx.observe(Event::new(if before.beat < after.beat {
                        "beat"
                    } else {
                        "rested"
                    }));
                    Ok::<(), StoreError>(())
                };
                cx.beside(beat, work).await.unwrap_or(Ok(()))
            };
            forever(&cx, turn).await
        })
        .limits(Limits { states: Some(50_000), ..Limits::default() })
        .explore();
    checked.assert_verified();
}

#[test]
fn who_waits_with_a_ticket_is_served_some_time() {
    let served = |check: Check| {
        check.eventually("served", |world| world.insiders("work").iter().any(|who| &**who == "a"))
    };
    served(lock::of(&["a", "b"], ticket_alone(), is_served)).explore().assert_verified();
    let check = lock::of(&["a"], ticket_alone(), is_served).process("skips", |cx: Cx| async move {
        forever(&cx, || async {
            lock::draw(&cx, ticket_alone()).await?;
            lock::serve_next(&cx).await
        })
        .await
    });
    let check = served(check);
    let checked = check.explore();
    let found = checked.assert_violates("served").counterexample("served").unwrap();
    let cycle = &found.schedule[found.repeats_from.unwrap()..];
    let often = [&found.schedule[..], cycle, cycle].concat().join(" ");
    let replay = check.replay(&often);
    assert!(replay.steps.iter().all(|step| step.request != "enter work"), "{replay}");
}

#[test]
fn what_two_scales_have_at_once_is_numbered_as_each_has_it() {
    use Act::{Beat, Draw, Serve};
    for activities in [
        vec![vec![Beat, Serve], vec![Beat, Draw]],
        vec![vec![Beat], vec![Serve], vec![Beat], vec![Draw]],
    ] {
        for faults in [Faults::default(), Faults::default().crashes(1)] {
            compare(&system(&activities, 2, faults, false));
        }
    }
}
