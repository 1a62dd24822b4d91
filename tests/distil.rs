//! What a process distils from its answers, and what it forgets: `distil` and `insist`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

use doorway::check::{Check, Checked, Coverage, Cx, Faults, Guards};
use doorway::doc;
use doorway::env::{Env, Wake, distil, insist, until};
use doorway::store::filter::by_id;
use doorway::store::update::inc;
use doorway::store::{Document, Store, StoreError};

fn states(checked: &Checked) -> u64 {
    match checked.report().coverage {
        Coverage::States { states, .. } => states,
        Coverage::Executions { .. } => 0,
    }
}

fn number(found: Option<Document>) -> i64 {
    found.and_then(|found| found.get("n")?.as_int()).unwrap_or_default()
}

async fn draw(cx: &Cx) -> Result<i64, StoreError> {
    let counter = cx.collection::<Document>("counter");
    Ok(number(counter.find_one_and_update(by_id("n"), inc("n", 1)).await?))
}

/// The parity of all the numbers that it draws.
async fn parity(cx: &Cx, numbers: usize) -> Result<i64, StoreError> {
    let mut sum = 0;
    for _ in 0..numbers {
        sum += draw(cx).await?;
    }
    Ok(sum % 2)
}

/// One finds something out, and then takes two steps, of which the second says what it found; another
/// draws three numbers meanwhile.
fn finding<F, A, E>(find_out: F) -> Check
where
    F: Fn(Cx) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<i64, E>> + Send,
    E: std::fmt::Display + Send,
{
    Check::new("finding")
        .document("counter", doc! {"_id": "n", "n": 0})
        .process("p", move |cx: Cx| {
            let find_out = find_out.clone();
            async move {
                let found = find_out(cx.clone()).await?;
                cx.step("rests").await;
                cx.step(&format!("found {found}")).await;
                Ok::<(), E>(())
            }
        })
        .process("q", |cx: Cx| async move { parity(&cx, 3).await.map(|_| ()) })
}

/// Before p draws there are 4 states: q has drawn so often. Where it rests, and where it is about to say what
/// it found, there is one parity where q has not drawn yet, and else there are two; and so are there while
/// it has drawn one number of two. At its end there are 4 again.
#[test]
fn what_comes_to_one_value_is_one() {
    let check = finding(|cx| async move { distil(&cx, || parity(&cx, 2)).await });
    let checked = check.explore();
    checked.assert_verified();
    assert_eq!(states(&checked), 4 + 3 * (1 + 2 * 3) + 4);
}

/// What is found out in many ways is told apart without it, as more of them are possible than are tried out.
#[test]
fn many_ways_to_one_value_are_forgotten() {
    let whole = finding(|cx| async move { parity(&cx, 8).await }).explore();
    let by_two = |cx: Cx| async move {
        let mut sum = 0;
        for _ in 0..4 {
            sum = distil(&cx, || async { Ok::<_, StoreError>((sum + parity(&cx, 2).await?) % 2) })
                .await?;
        }
        Ok::<_, StoreError>(sum)
    };
    let distilled = finding(by_two).explore();
    whole.assert_verified();
    distilled.assert_verified();
    assert!(states(&distilled) * 2 < states(&whole), "{distilled} {whole}");
}

#[test]
fn what_it_smuggles_out_is_found_out() {
    let check = finding(|cx| async move {
        let last = AtomicI64::new(0);
        let parity = distil(&cx, || async {
            let drawn = draw(&cx).await?;
            last.store(drawn, Ordering::Relaxed);
            Ok::<_, StoreError>(drawn % 2)
        });
        Ok::<_, StoreError>(parity.await? + last.load(Ordering::Relaxed))
    });
    let refused = check.try_explore().unwrap_err().to_string();
    assert!(refused.contains("p is not a function of the answers"), "{refused}");
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip_deserializing)]
    n: i64,
}

#[derive(PartialEq, Serialize)]
struct OneWay {
    n: i64,
}

impl<'de> Deserialize<'de> for OneWay {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<OneWay, D::Error> {
        Err(serde::de::Error::custom("there is no way back"))
    }
}

/// Distils what it makes of the number that it draws.
fn distilling<T>(make: fn(i64) -> T) -> Check
where
    T: Serialize + serde::de::DeserializeOwned + PartialEq + Send + 'static,
{
    finding(move |cx| async move {
        let made = distil(&cx, || async { draw(&cx).await.map(make) }).await;
        made.map(|made| i64::from(made == make(0)))
    })
}

#[test]
fn a_value_that_its_data_does_not_give_back_is_refused() {
    let refused = |check: Check| {
        let failed = check.explore();
        let failed = failed.assert_violates("no-failure").counterexample("no-failure").unwrap();
        assert!(
            failed
                .to_string()
                .contains("p distils a value that its data (serde) does not give back"),
            "{failed}"
        );
    };
    refused(distilling(|n| Forgetful { n: n + 1 }));
    refused(distilling(|n| OneWay { n }));
    // Both are `null` in JSON.
    refused(distilling(|n| (n > 0).then_some(())));
    distilling(Some).explore().assert_verified();
}

/// Its guards and works distil: one after another, stopped before they have asked anything, or all of it.
#[test]
fn guards_and_works_that_distil_are_told_apart() {
    let found = |cx: &Cx| {
        let cx = cx.clone();
        async move { distil(&cx, || parity(&cx, 1)).await.unwrap() }
    };
    let check = finding(move |cx| async move {
        let guard = || async {
            found(&cx).await;
        };
        let first = cx.beside(guard(), found(&cx)).await;
        let second = cx.beside(guard(), found(&cx)).await;
        let nothing = cx.beside(guard(), distil(&cx, || async { Ok::<_, StoreError>(1) })).await;
        let stopped = cx.beside(async {}, found(&cx)).await.unwrap_or(1);
        let last = found(&cx).await;
        let all = [first, second, nothing.map(Result::unwrap), Some(stopped), Some(last)];
        Ok::<_, StoreError>(all.into_iter().flatten().sum::<i64>() % 2)
    });
    check.guards(Guards::Run { rests: 0 }).explore().assert_verified();
}

/// Writes to a document that is not there, until an answer comes.
async fn insist_on_nothing(cx: &Cx) {
    let counter = cx.collection::<Document>("counter");
    insist(cx, || async { counter.update_one(by_id("absent"), inc("n", 1)).await.ok() }).await;
}

/// However many answers were lost, the process stands where it stood; how many may still be lost is told
/// apart, and how many of those writes are still to come late.
#[test]
fn attempts_that_failed_are_forgotten() {
    let insisting = |unknown: u32| {
        let check = Check::new("insisting")
            .document("counter", doc! {"_id": "n", "n": 0})
            .process("p", |cx: Cx| async move {
                for _ in 0..20 {
                    insist_on_nothing(&cx).await;
                }
                cx.step("goes on").await;
            })
            .faults(Faults::default().unknown_outcomes(unknown));
        let checked = check.explore();
        checked.assert_verified();
        states(&checked)
    };
    let all = |unknown: u64| (0..=unknown).map(|lost| 1 + lost).sum::<u64>();
    let expected = [0, 1, 3].map(|unknown| 22 * all(unknown));
    assert_eq!([0, 1, 3].map(insisting), expected);
}

/// What a work has read does not wake its caller; what was read before does, be it that an attempt failed in
/// between, or that a work waited for something else.
#[test]
fn who_pauses_wakes_by_what_it_read_itself() {
    let pausing = |distils: bool| {
        Check::new("pausing")
            .document("counter", doc! {"_id": "n", "n": 0})
            .document("flag", doc! {"_id": "n", "n": 0})
            .process("p", move |cx: Cx| async move {
                let [counter, flag] =
                    ["counter", "flag"].map(|name| cx.collection::<Document>(name));
                let raised = || async {
                    match flag.find_one(by_id("n")).await.map(number) {
                        Ok(0) => Err(Wake::Changed),
                        raised => Ok(raised),
                    }
                };
                let attempt = || async {
                    let read = || async { counter.find_one(by_id("n")).await.map(number) };
                    let seen = if distils { distil(&cx, read).await } else { read().await };
                    insist_on_nothing(&cx).await;
                    distil(&cx, || until(&cx, raised)).await.unwrap();
                    if seen.unwrap() > 0 { Ok(()) } else { Err(Wake::Changed) }
                };
                until(&cx, attempt).await;
            })
            .process("q", |cx: Cx| async move { parity(&cx, 1).await.map(|_| ()) })
            .process("r", |cx: Cx| async move {
                let flag = cx.collection::<Document>("flag");
                flag.update_one(by_id("n"), inc("n", 1)).await.map(|_| ())
            })
            .faults(Faults::default().unknown_outcomes(1).among(["p"]))
    };
    pausing(false).explore().assert_verified();
    pausing(true).explore().assert_violates("no-deadlock");
}
