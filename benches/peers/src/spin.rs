//! SPIN, on `reference.pml`: the verifier that it writes, compiled to be as fast as it can be.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::contender::Explored;
use crate::machine::Machine;
use crate::process::user_time_of_children;

/// What the verifier is compiled with: no reduction, as with the others.
const COMPILED: [&str; 4] = ["-O2", "-DNOREDUCE", "-DSAFETY", "-w"];

/// Whether there is a SPIN.
pub fn is_there() -> bool {
    Command::new("spin").arg("-V").output().is_ok_and(|output| output.status.success())
}

/// Writes and compiles the verifier; only the search itself is timed.
pub fn explore(machine: Machine) -> Result<Explored, String> {
    let folder = std::env::temp_dir().join(format!("peers-spin-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let explored = explore_in(&folder, machine);
    fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    explored
}

fn explore_in(folder: &Path, machine: Machine) -> Result<Explored, String> {
    let Machine { managers, tasks, resources, workers } = machine;
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/reference.pml");
    let sizes = [('M', managers), ('K', tasks), ('R', resources), ('W', workers)]
        .map(|(name, number)| format!("-D{name}={number}"));
    run(Command::new("spin").args(sizes).args(["-a", model]).current_dir(folder))?;
    run(Command::new("gcc").args(COMPILED).args(["-o", "pan", "pan.c"]).current_dir(folder))?;
    let (began, before) = (Instant::now(), user_time_of_children());
    let said = run(Command::new("./pan").arg("-m1000000").current_dir(folder))?;
    let seconds = began.elapsed().as_secs_f64();
    let user = user_time_of_children() - before;
    let number = |what: &str| {
        let line = said.lines().find(|line| line.contains(what));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        number.ok_or(format!("SPIN did not say {what}:\n{said}"))
    };
    let states = number("states, stored")?;
    let bytes = number("actual memory usage for states")? * 1024.0 * 1024.0 / states;
    // The start is one of its transitions.
    let transitions = number("transitions (= stored+matched)")? as u64 - 1;
    let ended = said.contains("errors: 0") && !said.contains("not completed");
    let peak = number("total actual memory usage")?;
    let (states, executions) = (states as u64, 0);
    Ok(Explored { states, transitions, executions, ended, bytes, seconds, user, peak })
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(format!("{command:?}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr)))
}
