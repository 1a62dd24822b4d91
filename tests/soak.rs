//! The concurrency driver: real processes over one server, under chaos, and an old design caught.
//!
//! Without a server each test says so and passes; under `DOORWAY_REQUIRE_SERVER=1` it fails.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The server that the soak itself starts.
fn server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mongod = std::env::split_paths(&path).map(|folder| folder.join("mongod"));
    let tests = std::env::var_os("HOME")
        .map(|home| Path::new(&home).join(".cache/doorway/test-server/bin/secantusd-py"));
    let found = mongod.chain(tests).find(|program| program.exists());
    let required = std::env::var("DOORWAY_REQUIRE_SERVER").is_ok_and(|value| value == "1");
    match &found {
        None if required => panic!("no MongoDB server to start: run .ci/test-server"),
        None => println!("skipped: no MongoDB server to start (run .ci/test-server)"),
        Some(_) => {}
    }
    found
}

/// A folder for one soak, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder =
            std::env::temp_dir().join(format!("doorway-soak-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn soak(server: &Path, folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorway"));
    command.arg("soak").args(words);
    command.arg("--server").arg(server).arg("--folder").arg(&folder.0).env_remove("MONGODB_URI");
    command
}

#[track_caller]
fn ends_with(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}\n{errors}");
    print!("{text}");
    text
}

#[test]
fn two_minutes_with_chaos() {
    let Some(server) = server() else { return };
    let folder = Folder::new("chaos");
    let words = ["--chaos", "--duration", "120s", "--seed", "898"];
    let done = ends_with(&soak(&server, &folder, &words).output().unwrap(), 0);
    assert!(done.contains("all has come to rest, and nothing was violated"), "{done}");
    assert!(done.contains("servers killed"), "{done}");
}

#[test]
fn an_old_design_is_caught() {
    let Some(server) = server() else { return };
    let folder = Folder::new("old");
    let words = ["--design", "per-task", "--managers", "2", "--duration", "120s"];
    let caught = ends_with(&soak(&server, &folder, &words).output().unwrap(), 1);
    assert!(caught.contains("\nviolated "), "{caught}");
    assert!(caught.contains("child "), "the lines that show it: {caught}");
}

#[test]
fn too_little_is_not_enough() {
    let Some(server) = server() else { return };
    let folder = Folder::new("little");
    let most = u64::MAX.to_string();
    let words = ["--duration", "1s", "--least-runs", &most, "--least-rebindings", "0"];
    let lacking = ends_with(&soak(&server, &folder, &words).output().unwrap(), 3);
    assert!(!lacking.contains("\nviolated "), "{lacking}");
    let wanted = format!(" runs, {most} wanted");
    assert!(
        lacking.trim_end().ends_with(&wanted),
        "it says what there was too little of: {lacking}"
    );
}

#[test]
fn it_goes_on_after_its_own_death() {
    let Some(server) = server() else { return };
    let folder = Folder::new("death");
    let words = ["--duration", "20s", "--least-runs", "20", "--least-rebindings", "1"];
    let mut first = soak(&server, &folder, &words).stdout(Stdio::null()).spawn().unwrap();
    wait_until(&mut first, || events(&folder).contains("\"ended\""));
    first.kill().unwrap();
    first.wait().unwrap();
    let before = events(&folder).matches("\"enqueued\"").count();
    assert!(before > 0);
    let other = soak(&server, &folder, &["--managers", "7"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "another soak does not go on from here");
    let done = ends_with(&soak(&server, &folder, &words).output().unwrap(), 0);
    let tasks = done.lines().find(|line| line.contains(" tasks: ")).unwrap_or_default();
    let tasks: usize = tasks.trim().split(' ').next().unwrap_or_default().parse().unwrap();
    assert!(tasks > before, "{before} before, and then {done}");
}

/// All that was written down.
fn events(folder: &Folder) -> String {
    let files = std::fs::read_dir(&folder.0).into_iter().flatten().flatten();
    let events = files.filter(|file| file.file_name().to_string_lossy().starts_with("events-"));
    events.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
}

fn wait_until(soak: &mut Child, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing happens");
        assert!(soak.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(100));
    }
}
