//! What stands in the page of a run.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/taken.rs"]
mod taken;

use doorway::check::{Check, Cx, Faults};
use doorway::doc;
use doorway::env::{Env, Event};
use doorway::report::html::Page;
use doorway::store::filter::by_id;
use doorway::store::update::set;
use doorway::store::{Document, Store, StoreError, Value};

use taken::{again_and_again, once};

/// What the explorer finds in a model that is built in.
#[cfg(feature = "cli")]
fn found_in(model: &str) -> Vec<doorway::check::Counterexample> {
    use doorway::check::engine::explore::{ExploreOptions, explore};
    use doorway::model::{Model, shipped_text};
    let model = Model::parse(model, model, shipped_text(model).unwrap()).unwrap();
    let options = ExploreOptions { liveness: true, ..ExploreOptions::default() };
    let report = explore(&model.system().unwrap(), &options).unwrap();
    report.findings.into_iter().filter_map(|finding| finding.counterexample).collect()
}

/// The text of a page as a reader sees it: without tags, and with what was escaped as it was.
fn read(page: &str) -> String {
    let (mut text, mut rest) = (String::new(), page);
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        rest = after.split_once('>').unwrap().1;
    }
    text += rest;
    let signs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    signs.iter().fold(text, |text, (escaped, sign)| text.replace(escaped, sign))
}

/// What stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("{from:?} is not in: {text}"));
    let rest = &text[start..];
    &rest[..rest.find(to).unwrap_or(rest.len())]
}

fn row(page: &str, number: usize) -> &str {
    between(page, &format!("id=\"step-{number}\""), "</tr>")
}

#[cfg(feature = "cli")]
#[test]
fn each_step_with_all_that_came_of_it_is_in_a_row_of_its_own() {
    use doorway::check::told;
    let models =
        ["story-898-save", "per-task-inline", "story-898-stream", "story-898-manager-crash"];
    for found in models.into_iter().flat_map(found_in) {
        let page = Page::of(&found).to_string();
        assert_eq!(page.matches("<tr class=\"step").count(), found.steps.len());
        for (index, step) in found.steps.iter().enumerate() {
            let text = read(row(&page, index + 1));
            let mut said = vec![step.process.to_string(), step.request.clone()];
            said.extend(step.answer.iter().filter(|answer| *answer != "done").cloned());
            said.extend(step.events.iter().map(told::event));
            said.extend(step.failure.iter().map(|why| why.to_string()));
            for said in said {
                assert!(text.contains(&said), "{said:?} is not in {text}");
            }
        }
        let falls = read(between(&page, "<tr class=\"falls\"", "</tr>"));
        let expected = format!("{} falls here: {}", found.property, found.why);
        assert!(falls.contains(&expected), "{falls}");
    }
}

#[test]
fn a_change_is_told_field_by_field_and_the_documents_are_as_they_are_after_each_step() {
    let checked = Check::new("changes")
        .document("c", doc! {"_id": 1, "kept": "k", "n": 1, "gone": true})
        .process("a", |cx: Cx| async move {
            let c = cx.collection::<Document>("c");
            c.replace_one(by_id(1), doc! {"_id": 1, "kept": "k", "n": 2, "new": "x"}).await?;
            c.delete_one(by_id(1)).await.map(|_| ())
        })
        .at_end("stays", |world| !world.documents::<Document>("c").is_empty())
        .explore();
    let page = Page::of(checked.counterexample("stays").unwrap()).to_string();
    let changed: Vec<String> = (1..=2).map(|number| read(row(&page, number))).collect();
    let told = changed.iter().find(|text| text.contains("~ c 1")).unwrap();
    assert!(told.contains("n 1 ⇒ 2") && told.contains("new \"x\"") && told.contains("gone true"));
    assert!(!told.contains("kept \"k\" ⇒"), "{told}");
    assert!(changed.iter().any(|text| text.contains("- c 1")), "{changed:?}");
    let documents = read(between(&page, "<aside", "</aside>"));
    let order = ["c 1", "at first", "gone true", "after step", "n 2", "after step", "not there"];
    let mut rest = documents.as_str();
    for said in order {
        rest = rest.split_once(said).unwrap_or_else(|| panic!("{said:?} is not in {rest}")).1;
    }
}

#[test]
fn nothing_from_outside_is_markup() {
    const EVIL: &str = "</script></style><script>alert('1')</script><!-- \" & {heading}";
    let value = || Value::from(EVIL);
    let checked = Check::new("evil")
        .process("<b>", move |cx: Cx| async move {
            let c = cx.collection::<Document>("<i>");
            c.insert_one(&Document::new().with("_id", EVIL).with("<u>", value())).await?;
            c.update_one(by_id(EVIL), set("<s>", value())).await?;
            cx.observe(Event::new("<em>").with("<q>", value()));
            cx.step(EVIL).await;
            Err::<(), StoreError>(StoreError::data(EVIL))
        })
        .waive("no-failure")
        .always(EVIL, |world| match world.documents::<Document>("<i>").is_empty() {
            true => Ok(()),
            false => Err(EVIL),
        })
        .at_end("<p>", |_| Err::<(), _>(EVIL))
        .explore();
    for property in [EVIL, "<p>"] {
        let page = Page::of(checked.counterexample(property).unwrap()).headed(EVIL).to_string();
        assert_eq!(page.matches("</script>").count(), 1, "its own");
        assert_eq!((page.matches("<script").count(), page.matches("</style>").count()), (1, 1));
        for tag in ["<b><", "<i>", "<u>", "<s>", "<em>", "<q>", "<p></script", "<!--", "alert('"] {
            assert!(!page.contains(tag), "{tag} is in: {page}");
        }
        assert!(read(&page).contains(EVIL), "it is shown all the same");
    }
}

#[test]
fn what_repeats_for_ever_stands_in_a_bracket() {
    let check = Check::new("lock").process("greedy", again_and_again).process("waits", once);
    let checked = check.eventually("served", |world| world.inside("served") == 1).explore();
    let found = checked.counterexample("served").unwrap();
    let (page, stem) = (Page::of(found).to_string(), found.repeats_from.unwrap());
    let bracket = between(&page, "<tbody class=\"loop\">", "</tbody>");
    assert_eq!(bracket.matches("<tr class=\"step").count(), found.steps.len() - stem);
    assert!(bracket.contains(&format!("id=\"step-{}\"", stem + 1)));
    assert!(read(bracket).contains(&format!("and on with step {}", stem + 1)));
    let mut odd = found.clone();
    odd.repeats_from = Some(found.steps.len());
    assert!(!Page::of(&odd).to_string().contains("class=\"loop\""), "nothing comes after the stem");
}

#[test]
fn what_goes_wrong_is_marked() {
    let insert =
        |cx: Cx| async move { cx.collection::<Document>("c").insert_one(&doc! {"_id": 1}).await };
    let check = Check::new("faults").process("a", insert).waive("no-failure");
    let check = check.always("never", |_| true);
    let page = |faults: Faults, schedule: &str| {
        let words: Vec<_> = schedule.split(' ').map(Into::into).collect();
        let replay = check.clone().faults(faults).replay(schedule);
        Page::of_replay(&words, &replay).to_string()
    };
    let crashed = page(Faults::default().crashes(1), "crash:a a");
    assert!(crashed.contains("<tr class=\"step fault crash\" id=\"step-1\""), "{crashed}");
    assert!(crashed.contains("<tr class=\"step\" id=\"step-2\""), "{crashed}");
    let late = page(Faults::default().unknown_outcomes(1), "late:a lands:a");
    assert!(late.contains("<tr class=\"step fault late\" id=\"step-1\""), "{late}");
    assert!(late.contains("<tr class=\"step due lands\" id=\"step-2\""), "{late}");
    assert!(read(row(&late, 1)).contains("a late not done yet, and the answer lost: c.insert_one"));
    assert!(read(row(&late, 1)).contains("unknown"), "{late}");
}

#[test]
fn a_run_in_which_nothing_falls_and_one_without_steps_have_a_page() {
    let check = Check::new("one").process("a", |cx: Cx| async move { cx.step("once").await });
    let check = check.always("never", |_| false);
    let replay = check.replay("a");
    let page = Page::of_replay(&["a".into()], &replay).to_string();
    let first = page.find("never</b> falls here").unwrap();
    assert!(first < page.find("id=\"step-1\"").unwrap(), "it falls before the first step");
    let fails = |_: Cx| async { Err::<(), _>("before its first request") };
    let checked = Check::new("one").process("a", fails).explore();
    let found = checked.counterexample("no-failure").unwrap();
    assert!(found.steps.is_empty());
    assert!(read(&Page::of(found).to_string()).contains("No step changes a document."));
    let holds = Check::new("one").process("a", |cx: Cx| async move { cx.step("once").await });
    let replay = holds.replay("a");
    let page = read(&Page::of_replay(&["a".into()], &replay).to_string());
    assert!(page.contains("No property fell in this run."));
}

#[test]
#[cfg(feature = "cli")]
fn the_two_steps_that_collide_are_marked() {
    let marked = |page: &str| -> Vec<usize> {
        let rows = page.split("<tr class=\"").skip(1).filter(|row| row.starts_with("step"));
        let all = rows.enumerate().map(|(index, row)| (index + 1, row));
        let marked = all.filter(|(_, row)| row.split('"').next().unwrap().ends_with(" collides"));
        marked.map(|(number, _)| number).collect()
    };
    for found in found_in("story-898-two-managers").into_iter().chain(found_in("per-task-inline")) {
        let page = Page::of(&found).to_string();
        let [one, other] = *marked(&page) else { panic!("{}: {page}", found.property) };
        assert_eq!(other, found.steps.len());
        let (first, last) = (&found.steps[one - 1], &found.steps[other - 1]);
        assert_ne!(first.process, last.process, "{}", found.property);
        let told = first.events.iter().flat_map(|event| event.fields.iter());
        let mut names = told.filter_map(|(_, value)| value.as_str()).chain([&*first.process]);
        assert!(names.any(|name| found.why.contains(name)), "{}: {}", found.property, found.why);
        assert!(read(row(&page, one)).contains(&format!("collides with step {other}")));
        assert!(read(row(&page, other)).contains(&format!("collides with step {one}")));
    }
    for found in found_in("story-898-stream") {
        assert!(marked(&Page::of(&found).to_string()).is_empty(), "{}", found.property);
    }
}

#[test]
fn the_page_of_a_small_counterexample() {
    let checked = Check::new("two at once")
        .processes(["a", "b"], |cx: Cx| async move {
            let locks = cx.collection::<Document>("locks");
            if locks.find_one(by_id("printer")).await?.is_none() {
                let mine = doc! {"_id": "printer", "by": cx.process()};
                locks.replace_one(by_id("printer"), mine).upsert(true).await?;
                cx.within("printer", async {}).await;
            }
            Ok::<(), StoreError>(())
        })
        .always("exclusive", |world| world.inside("printer") <= 1)
        .explore();
    let page = Page::of(checked.counterexample("exclusive").unwrap()).headed("two at once");
    let page = page.to_string();
    let head = between(&page, "<header>", "</header>");
    let main = between(&page, "<main>", "</main>");
    insta::assert_snapshot!(format!("{head}</header>\n{main}</main>\n"));
}
