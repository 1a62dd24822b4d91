//! Counterexamples as files: `doorway check --save`, and `doorway replay` of what it wrote.
#![cfg(feature = "cli")]
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn doorway(arguments: &[&str]) -> Output {
    let doorway = env!("CARGO_BIN_EXE_doorway");
    Command::new(doorway).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder of its own for a test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// Saves what one model comes to, with its numbers changed; returns the file of `exclusivity`.
fn saved(name: &str) -> PathBuf {
    let folder = folder(name);
    let model =
        ["check", "per-task-inline", "--set", "resources=1", "--engine", "explore", "--brief"];
    let into = ["--save", folder.to_str().unwrap()];
    let output = doorway(&[&model[..], &into[..]].concat());
    let file = folder.join("per-task-inline.explore.exclusivity.json");
    assert!(text(&output.stderr).contains(file.to_str().unwrap()), "{output:?}");
    file
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Changes a saved counterexample, and replays it.
fn replay(file: &Path, change: impl FnOnce(&mut Value)) -> (i32, String) {
    let mut saved = json(file);
    change(&mut saved);
    fs::write(file, saved.to_string()).unwrap();
    let output = doorway(&["replay", file.to_str().unwrap()]);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    (output.status.code().unwrap(), said)
}

#[test]
fn what_is_saved_replays_with_the_same_steps_and_sizes() {
    let file = saved("replays");
    let saved = json(&file);
    assert_eq!(saved["model"]["set"]["resources"], "1");
    assert_eq!(saved["property"], "exclusivity");
    let words = saved["schedule"].as_str().unwrap().split(' ').count();
    assert_eq!(saved["steps"].as_array().unwrap().len(), words);
    let (code, said) = replay(&file, |_| {});
    let why = saved["why"].as_str().unwrap();
    assert!(said.contains(&format!("violated exclusivity after {words} steps: {why}")), "{said}");
    assert_eq!(code, 1);
}

#[test]
fn beside_each_counterexample_is_its_page_and_replay_writes_the_same() {
    let file = saved("pages");
    let page = fs::read_to_string(file.with_extension("html")).unwrap();
    let steps = json(&file)["steps"].as_array().unwrap().len();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.contains("<title>per-task-inline resources=1 by explore</title>"), "{page}");
    assert!(
        page.contains(&format!("id=\"step-{steps}\"")) && page.contains("exclusivity</b> falls")
    );
    let other = file.with_file_name("replayed.html");
    let output = doorway(&["replay", file.to_str().unwrap(), "--html", other.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text(&output.stderr), format!("saved {}\n", other.display()));
    assert_eq!(fs::read_to_string(&other).unwrap(), page);
    replay(&file, |saved| saved["schedule"] = "manager-2 manager-1".into());
    doorway(&["replay", file.to_str().unwrap(), "--html", other.to_str().unwrap()]);
    let edited = fs::read_to_string(&other).unwrap();
    assert!(edited.contains("No property fell in this run."), "the run that was made: {edited}");
}

#[test]
fn a_run_without_end_is_saved_with_where_it_repeats() {
    let folder = folder("endless");
    let into = ["--save", folder.to_str().unwrap(), "--brief"];
    doorway(&[&["check", "story-898-stream", "--engine", "explore"], &into[..]].concat());
    let file = folder.join("story-898-stream.explore.no-livelock.json");
    assert!(json(&file)["repeats_from"].as_u64().is_some_and(|stem| stem > 0));
    let page = fs::read_to_string(file.with_extension("html")).unwrap();
    assert!(page.contains("<tbody class=\"loop\">"), "{page}");
    let other = file.with_file_name("replayed.html");
    doorway(&["replay", file.to_str().unwrap(), "--html", other.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&other).unwrap(), page);
}

#[test]
fn a_schedule_in_a_file_may_be_edited() {
    let file = saved("edited");
    let (code, said) = replay(&file, |saved| {
        let schedule = saved["schedule"].as_str().unwrap().to_owned();
        let (shorter, _) = schedule.rsplit_once(' ').unwrap();
        saved["schedule"] = shorter.into();
    });
    assert_eq!((code, said.contains("no property fell; the run could go on")), (0, true), "{said}");
    let (code, said) = replay(&file, |saved| saved["schedule"] = "manager-2 manager-1".into());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("     1  manager-2  ") && said.contains("     2  manager-1  "), "{said}");
}

#[test]
fn a_stale_one_says_where_it_parts() {
    let file = saved("stale");
    let (code, said) = replay(&file, |saved| saved["steps"][1]["answer"] = "42".into());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("step 2: expected ") && said.contains("→ 42, got "), "{said}");
    let (code, said) = replay(&saved_again(&file), |saved| {
        saved["model"]["text"] = saved["model"]["text"]
            .as_str()
            .unwrap()
            .replace("\"per-task\"", "\"story-898\"")
            .into();
    });
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("step 1: expected ") && said.contains(", got "), "{said}");
    let (code, said) = replay(&saved_again(&file), |saved| {
        saved["schedule"] = "manager-1 manager-9".into();
    });
    assert_eq!(code, 2);
    assert!(said.contains("step 2: expected a step of manager-9, but there is no such"), "{said}");
    let (code, said) = replay(&saved_again(&file), |saved| {
        saved["steps"][0]["events"] = serde_json::json!([{"name": "sneezes", "fields": {}}]);
    });
    assert_eq!(code, 2);
    assert!(said.contains("told [sneezes]"), "what differs is shown: {said}");
}

#[test]
fn the_first_step_that_differs_is_told_even_if_a_later_one_cannot_be_taken() {
    let file = saved("first");
    let (code, said) = replay(&file, |saved| {
        saved["steps"][0]["answer"] = "42".into();
        let schedule = format!("{} manager-9", saved["schedule"].as_str().unwrap());
        saved["schedule"] = schedule.into();
    });
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("step 1: expected ") && !said.contains("manager-9"), "{said}");
}

fn saved_again(file: &Path) -> PathBuf {
    saved(file.parent().unwrap().file_name().unwrap().to_str().unwrap())
}

#[test]
fn bad_files_and_bad_usage_are_told() {
    let file = saved("bad");
    let file = file.to_str().unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["replay", file, "manager-1"], "has its own schedule"),
        (&["replay", "no-such-file.json"], "no-such-file.json: "),
        (&["replay", "reference"], "give the process that takes each step"),
        (&["check", "reference", "--save", file], file),
    ];
    for (arguments, expected) in cases {
        let output = doorway(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {output:?}");
    }
    fs::write(file, "{\"model\": 1}").unwrap();
    let output = doorway(&["replay", file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is no saved counterexample: "), "{output:?}");
}

/// Saves what a model comes to of a property that no run with an end breaks.
fn endless(name: &str, model: &str, property: &str) -> PathBuf {
    let folder = folder(name);
    let into = ["--engine", "explore", "--brief", "--save", folder.to_str().unwrap()];
    doorway(&[&["check", model], &into[..]].concat());
    folder.join(format!("{model}.explore.{property}.json"))
}

#[test]
fn a_saved_run_without_end_falls_again_and_its_loop_is_made_once_more() {
    let file = endless("goes-on", "story-898-stream", "no-livelock");
    let whole = json(&file);
    let (stem, all) = (whole["repeats_from"].as_u64().unwrap(), whole["steps"].as_array().unwrap());
    let (code, said) = replay(&file, |_| {});
    let loops = format!("by steps {} to {} again and again", stem + 1, all.len());
    let why = whole["why"].as_str().unwrap();
    assert!(said.contains(&format!("violated no-livelock {loops}: {why}")), "{said}");
    assert_eq!(code, 1);
    let (code, said) = replay(&file, |saved| saved["repeats_from"] = (stem + 1).into());
    assert!(said.contains("expected a step of ") && said.contains("cannot take one"), "{said}");
    assert_eq!(code, 2);
}

#[test]
fn a_saved_way_to_where_nothing_helps_falls_again() {
    let (code, said) = replay(&endless("no-way", "story-898-last-worker-gone", "progress"), |_| {});
    assert!(said.contains("violated progress after 1 steps: from here no run comes"), "{said}");
    assert_eq!(code, 1);
}

#[test]
fn an_edited_run_does_not_say_that_it_has_no_end() {
    let file = endless("has-an-end", "story-898-stream", "no-livelock");
    let (code, said) = replay(&file, |saved| {
        let words: Vec<_> = saved["schedule"].as_str().unwrap().split(' ').collect();
        saved["schedule"] = words[..words.len() - 1].join(" ").into();
    });
    assert!(said.contains("whether no-livelock falls is not told by one run"), "{said}");
    assert!(said.contains("no property fell; the run could go on"), "{said}");
    assert_eq!(code, 0);
}
