//! The command line, as a built binary.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn doorway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorway"));
    command.env_remove("COLUMNS").env_remove("NO_COLOR");
    command
}

fn run(words: &[&str]) -> Output {
    doorway().args(words).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A file of a test, in a folder of its own.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// A small model with one word of it replaced.
fn model(replaced: &str, by: &str) -> String {
    let text = doorway::model::shipped_text("reference").unwrap();
    assert_eq!(text.matches(replaced).count(), 1, "{replaced}");
    text.replace(replaced, by)
}

/// The command ends with 2 and one error, which says this, and nothing else.
fn assert_refused(output: &Output, says: &[&str]) {
    let (text, shown) = (err(output), err(output).chars().take(2_000).collect::<String>());
    assert_eq!(code(output), 2, "{shown}");
    assert_eq!(out(output), "", "{shown}");
    assert!(!text.contains("panicked"), "{shown}");
    let errors = text.lines().filter(|line| line.starts_with("error:") || line.contains("× "));
    assert_eq!(errors.count(), 1, "not one error: {shown}");
    assert!(text.len() < 2_000, "{} bytes: {shown}", text.len());
    for word in says {
        assert!(text.contains(word), "{word:?} is not in: {shown}");
    }
}

// Bad input.

#[test]
fn a_bad_model_file_is_one_clear_error() {
    let brackets = format!("about = {}", "[".repeat(100_000));
    let tables = format!("{}a = 1", "[".repeat(100_000));
    let nested = format!("a = {}{}", "{b = ".repeat(100_000), "1");
    let dotted = format!("{}c = 1", "a.".repeat(100_000));
    let junk: Vec<u8> = (0..4_096_u32).map(|n| (n * 193 % 256) as u8).collect();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("unknown-key.toml", model("tasks = 1", "taskz = 1").into(), &["taskz", "unknown field"]),
        (
            "unknown-design.toml",
            model("design = \"story-898\"", "design = \"story-899\"").into(),
            &["unknown design \"story-899\"", "one of ", "story-898-save"],
        ),
        (
            "no-worker.toml",
            model("workers = 2", "workers = 0").into(),
            &["workers must be from 1 to"],
        ),
        ("less.toml", model("workers = 2", "workers = -1").into(), &["workers must be from 1 to"]),
        ("many.toml", model("workers = 2", "workers = 99999999999999999999").into(), &["workers"]),
        (
            "words.toml",
            model("workers = 2", "workers = \"two\"").into(),
            &["workers", "whole number"],
        ),
        ("empty.toml", Vec::new(), &["is empty"]),
        ("blank.toml", b"\n \n".to_vec(), &["is empty"]),
        ("junk.toml", junk, &["is not text", "UTF-8"]),
        ("zeros.toml", vec![0; 4_096], &["zeros.toml"]),
        ("brackets.toml", brackets.into(), &["brackets.toml"]),
        ("tables.toml", tables.into(), &["tables.toml"]),
        ("nested.toml", nested.into(), &["nested.toml"]),
        ("dotted.toml", dotted.into(), &["dotted.toml"]),
    ];
    for (name, bytes, says) in cases {
        let path = file(name, bytes);
        assert_refused(&run(&["check", &path]), says);
        assert_refused(&run(&["replay", &path, "manager-1"]), says);
    }
}

#[test]
fn a_model_error_points_at_the_line_and_the_word() {
    let path = file("points.toml", model("design = \"story-898\"", "design = \"story-899\""));
    let output = run(&["check", &path]);
    assert_refused(&output, &["points.toml:3:10", "design = \"story-899\"", "here"]);
}

#[test]
fn a_model_that_is_not_there_is_one_clear_error() {
    assert_refused(
        &run(&["check", "no/such/model.toml"]),
        &["no/such/model.toml", "cannot be read"],
    );
    assert_refused(
        &run(&["check", "story-900"]),
        &["\"story-900\"", "`doorway models` lists them"],
    );
    assert_refused(&run(&["check", env!("CARGO_TARGET_TMPDIR")]), &["cannot be read"]);
    assert_refused(&run(&["replay", "no.json"]), &["no.json"]);
}

#[test]
fn a_bad_number_or_word_on_the_command_line_is_one_clear_error() {
    let set = |setting: &'static str| run(&["check", "reference", "--set", setting]);
    assert_refused(&set("workers=0"), &["--set workers=0", "from 1 to"]);
    assert_refused(&set("workers=-1"), &["--set workers=-1", "from 1 to"]);
    assert_refused(&set("wrokers=1"), &["unknown number \"wrokers\"", "managers, workers"]);
    assert_refused(&set("workers"), &["NAME=N"]);
    assert_refused(&run(&["check", "--engine", "spin"]), &["spin"]);
    assert_refused(&run(&["check", "--max-executions", "0"]), &["--max-executions"]);
    assert_refused(&run(&["chekc"]), &["chekc"]);
}

#[test]
fn a_number_that_is_none_is_told_what_is_wanted() {
    let largest = run(&["mutants", "--largest", "x"]);
    assert_refused(&largest, &["'x' for '--largest", "give a whole number from 1 on"]);
    let memory = run(&["check", "--max-memory", "0"]);
    assert_refused(&memory, &["'0' for '--max-memory", "give a whole number from 1 to 16777216"]);
}

#[test]
fn a_mutant_that_changes_nothing_is_one_clear_error() {
    let refused = |name: &str, mutant: &str, says: &[&str]| {
        let whole = model("[expect]", &format!("{mutant}\n\n[expect]"));
        let words = ["check", &file(name, whole), "--engine", "explore", "--format", "json"];
        assert_refused(&run(&words), says);
    };
    let command =
        "[mutant.command]\ncommand = \"nothing.find_one({_id: ?})\"\nchange = \"not sent\"";
    let says = ["no process sends a command of the shape `nothing.find_one({_id: ?})`", "mutants"];
    refused("no-such-command.toml", command, &says);
    let index = "[mutant.no-index]\ncollection = \"reserved_resources\"\nindex = \"name_1\"";
    let says = ["there is no index name_1 on reserved_resources", "there is worker_name_1 on"];
    refused("no-such-index.toml", index, &says);
    let text = doorway::model::shipped_text("doorway-sweeps-successor").unwrap();
    let path = file("no-such-clause.toml", text.replace("without clause 2", "without clause 9"));
    let output = run(&["check", &path, "--format", "json"]);
    assert_refused(&output, &["that has what is to be changed, so the mutant is none"]);
}

// Exit codes.

/// Checks the reference model with that in place of this.
fn check_model(name: &str, replaced: &str, by: &str, words: &[&str]) -> Output {
    let path = file(name, model(replaced, by));
    run(&[&["check", &path], words].concat())
}

const WRONG: [&str; 2] = ["no-leak = \"verified\"", "no-leak = \"violated\""];

#[test]
fn the_exit_code_says_what_it_came_to() {
    let [right, wrong] = WRONG;
    let as_expected = run(&["check", "reference"]);
    assert_eq!(code(&as_expected), 0, "{}", err(&as_expected));
    assert!(out(&as_expected).contains("3 of 3 as expected"), "{}", out(&as_expected));
    let not = check_model("not-as-expected.toml", right, wrong, &["--engine", "explore"]);
    assert_eq!(code(&not), 1);
    assert!(out(&not).contains("1 NOT as expected"), "{}", out(&not));
    let few = ["--engine", "loom", "--max-executions", "2"];
    let inconclusive = run(&[&["check", "reference"], &few[..]].concat());
    assert_eq!(code(&inconclusive), 3);
    assert!(out(&inconclusive).contains("1 inconclusive"), "{}", out(&inconclusive));
    assert_eq!(code(&run(&["check", "--bogus"])), 2);
    assert_eq!(code(&run(&[])), 2);
    assert_eq!(code(&run(&["--version"])), 0);
}

#[test]
fn what_is_not_as_expected_wins_over_what_is_inconclusive() {
    let broken =
        file("broken.toml", model("exclusivity = \"verified\"", "exclusivity = \"violated\""));
    // loom is cut short in the one, and the explorer is not in the other.
    let limits = ["--engine", "loom", "--engine", "explore", "--max-executions", "2"];
    let output = run(&[&["check", "reference", &broken], &limits[..]].concat());
    let text = out(&output);
    assert!(text.contains("1 NOT as expected") && text.contains("inconclusive"), "{text}");
    assert_eq!(code(&output), 1);
}

// JSON.

fn lines(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn json_has_one_object_a_line_for_each_model_and_engine() {
    let output = run(&["check", "reference", "story-898-save", "--format", "json"]);
    let rows = lines(&output);
    let engines = |model: &str| -> Vec<&str> {
        let of_model = rows.iter().filter(|row| row["model"] == model);
        of_model.map(|row| row["engine"].as_str().unwrap()).collect()
    };
    assert_eq!(engines("reference"), ["explore", "loom", "shuttle-dfs"]);
    assert_eq!(rows.len(), engines("reference").len() + engines("story-898-save").len());
    for row in &rows {
        let is_reference = row["model"] == "reference";
        let design = if is_reference { "story-898" } else { "story-898-save" };
        assert_eq!(row["design"], design);
        assert_eq!(row["verdict"], if is_reference { "verified" } else { "violated" });
        assert_eq!(row["as_expected"], true);
        assert!(row["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{row}");
        assert!(row["stopped"].is_null(), "{row}");
        let counts: &[&str] =
            if row["engine"] == "explore" { &["states", "transitions"] } else { &["executions"] };
        let is_count = |name: &&str| row[*name].as_u64().is_some_and(|count| count > 1);
        assert!(counts.iter().all(is_count), "{row}");
    }
}

#[test]
fn json_says_of_each_property_the_verdict_and_what_was_expected() {
    let rows = lines(&run(&["check", "story-898-save", "--engine", "explore", "--format", "json"]));
    let properties = rows[0]["properties"].as_object().unwrap();
    let model = doorway::model::shipped().unwrap();
    let model = model.iter().find(|model| model.name == "story-898-save").unwrap();
    let names: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(names, model.expect.iter().map(|(name, _)| name.as_str()).collect());
    for (name, said) in properties {
        assert_eq!(said["verdict"], said["expected"], "{name}");
        assert_eq!(said["expected"], model.expected(name).unwrap().name(), "{name}");
    }
    assert_eq!(properties["kept"]["verdict"], "violated");
    let found = rows[0]["counterexamples"].as_array().unwrap();
    assert!(found.iter().any(|one| one["property"] == "kept"), "{found:?}");
}

#[test]
fn json_and_exit_code_agree_where_something_is_not_as_expected() {
    let [right, wrong] = WRONG;
    let words = ["--engine", "explore", "--format", "json"];
    let output = check_model("json.toml", right, wrong, &words);
    let rows = lines(&output);
    assert_eq!((code(&output), &rows[0]["as_expected"]), (1, &Value::Bool(false)));
    assert_eq!(rows[0]["properties"]["no-leak"]["expected"], "violated");
}

// Numbers, lists and help.

#[test]
fn the_numbers_of_a_model_can_be_set() {
    let states = |settings: &[&str]| {
        let words = ["check", "reference", "--engine", "explore", "--format", "json"];
        let output = run(&[&words[..], settings].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        lines(&output)[0]["states"].as_u64().unwrap()
    };
    let whole = |settings: &[&str]| states(&[&["--no-symmetry"], settings].concat());
    // What a hand-written model has in these sizes: see tests/explore.rs.
    assert_eq!(whole(&[]), 67);
    assert_eq!(whole(&["--set", "workers=1"]), 57);
    assert_eq!(whole(&["--set", "resources=2", "--set", "workers=2"]), 50);
    assert!(whole(&["--set", "managers=3"]) > 800);
    assert!(states(&["--set", "managers=3"]) < 200);
}

#[test]
fn the_verdict_names_the_reductions_in_use() {
    let reductions = |model: &str, words: &[&str]| {
        let check = ["check", model, "--engine", "explore", "--format", "json"];
        lines(&run(&[&check[..], words].concat()))[0]["reductions"].clone()
    };
    assert_eq!(reductions("reference", &[]), serde_json::json!(["symmetry"]));
    assert_eq!(reductions("reference", &["--no-symmetry"]), serde_json::json!([]));
    assert_eq!(reductions("story-898-one-manager", &[]), serde_json::json!([]), "it has none");
    let fused = serde_json::json!(["immutable-reads", "symmetry"]);
    assert_eq!(reductions("reference", &["--fuse-immutable"]), fused);
    let without = reductions("doorway-cost", &["--fuse-immutable", "--no-symmetry"]);
    assert_eq!(without, serde_json::json!([]), "nothing there never changes");
    let output = run(&["check", "reference", "--engine", "explore"]);
    assert!(out(&output).contains("reduced by symmetry"), "{}", out(&output));
}

#[test]
fn every_model_is_listed_in_both_formats() {
    let text = run(&["models"]);
    let listed: BTreeSet<&str> =
        out(&text).lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names =
        names.filter_map(|name| name.to_string_lossy().strip_suffix(".toml").map(str::to_owned));
    let files: BTreeSet<String> = names.collect();
    assert_eq!(listed, files.iter().map(String::as_str).collect());
    let rows = lines(&run(&["models", "--format", "json"]));
    let in_json: BTreeSet<&str> = rows.iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert_eq!(in_json, listed);
    let says = |row: &Value| row["about"].as_str().is_some_and(|about| !about.is_empty());
    assert!(rows.iter().all(says), "each says what it is about");
}

#[test]
fn help_teaches() {
    let helps = [
        ("help", &["--help"][..]),
        ("help-check", &["check", "--help"]),
        ("help-replay", &["replay", "--help"]),
    ];
    for (name, words) in helps {
        let output = run(words);
        assert_eq!(code(&output), 0);
        insta::assert_snapshot!(name, out(&output));
    }
}

// Replay.

#[test]
fn a_schedule_is_made_again_and_a_stale_one_says_where_it_parts() {
    let schedule = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        run(&[&["replay", "reference"], &words[..]].concat())
    };
    let right = schedule("manager-1 manager-2");
    assert_eq!(code(&right), 0, "{}", err(&right));
    assert!(out(&right).contains("no property fell; the run could go on"), "{}", out(&right));
    assert_refused(
        &schedule("manager-1 manager-9"),
        &[
            "step 2: expected a step of manager-9, but there is no such process",
            "manager-1, manager-2",
        ],
    );
    let alone = ["manager-1"; 6].join(" ");
    assert_refused(&schedule(&alone), &["step 6: expected a step of manager-1", "ended"]);
    assert_refused(&run(&["replay", "reference"]), &["give the process that takes each step"]);
}

#[test]
fn what_check_prints_as_the_way_to_replay_a_violation_does_so() {
    let checked = run(&["check", "story-898-save", "--engine", "explore"]);
    let told = out(&checked).lines().find_map(|line| line.split("replay: doorway ").nth(1));
    let words: Vec<&str> = told.expect("a way to replay").split(' ').collect();
    let replayed = run(&words);
    assert_eq!(code(&replayed), 1, "{}", err(&replayed));
    assert!(out(&replayed).contains("violated "), "{}", out(&replayed));
}

#[test]
fn a_run_is_written_as_a_page() {
    let page = file("run.html", "written over");
    let written = run(&["replay", "reference", "manager-1", "--html", &page, "manager-2"]);
    assert_eq!((code(&written), err(&written)), (0, &*format!("saved {page}\n")));
    assert!(out(&written).contains("no property fell; the run could go on"), "{}", out(&written));
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!DOCTYPE html>") && text.contains("id=\"step-2\""), "{text}");
    let nowhere = run(&["replay", "reference", "manager-1", "--html", "no/such/folder/run.html"]);
    assert_refused(&nowhere, &["no/such/folder/run.html: "]);
}

// Colours and pipes.

/// What a command writes to a terminal, its errors and progress left out.
#[cfg(target_os = "linux")]
fn on_a_terminal(no_color: Option<&str>) -> String {
    let line = format!(
        "{} check story-898-save --engine explore 2>/dev/null",
        env!("CARGO_BIN_EXE_doorway")
    );
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env_remove("NO_COLOR").stdin(Stdio::null());
    script.envs(no_color.map(|value| ("NO_COLOR", value)));
    let output = script.output().expect("`script` of util-linux, which gives a command a terminal");
    assert!(output.status.success(), "{}", err(&output));
    out(&output).to_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn colours_are_for_terminals_and_for_those_who_do_not_forbid_them() {
    let is_coloured = |text: &str| text.contains("\x1b[");
    let coloured = on_a_terminal(None);
    assert!(is_coloured(&coloured) && coloured.contains("violated"), "{coloured}");
    assert!(is_coloured(&on_a_terminal(Some(""))), "an empty NO_COLOR forbids nothing");
    let plain = on_a_terminal(Some("1"));
    assert!(!is_coloured(&plain) && plain.contains("violated"), "{plain}");
    let piped = run(&["check", "story-898-save", "--engine", "explore"]);
    assert!(!is_coloured(out(&piped)) && !is_coloured(err(&piped)));
}

#[test]
fn whoever_reads_no_further_ends_the_command() {
    let mut child = doorway().arg("models").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
