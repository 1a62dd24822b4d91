//! A contender in a process of its own, so that each starts with nothing, and its time and memory
//! are those of the process.

use std::fs;
use std::process::Command;

use crate::contender::Explored;
use crate::machine::Machine;

/// The word that has this program explore and print what came of it.
pub const ALONE: &str = "alone";

/// Has a contender explore a size in a process of its own.
pub fn measure(name: &str, machine: Machine) -> Result<Explored, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program).args([ALONE, name, &machine.to_string()]).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let explored = output.status.success().then(|| parse(said.lines().last()?)).flatten();
    explored.ok_or_else(|| {
        let complained = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = complained.lines().rev().take(8).collect();
        format!("{name} on {machine}: {}", last.into_iter().rev().collect::<Vec<_>>().join("\n"))
    })
}

/// What a process of its own prints in the end.
pub fn line(explored: &Explored) -> String {
    let Explored { states, transitions, executions, ended, bytes, seconds, user, peak } = explored;
    format!("{states} {transitions} {executions} {ended} {bytes} {seconds} {user} {peak}")
}

fn parse(line: &str) -> Option<Explored> {
    let mut words = line.split_whitespace();
    Some(Explored {
        states: words.next()?.parse().ok()?,
        transitions: words.next()?.parse().ok()?,
        executions: words.next()?.parse().ok()?,
        ended: words.next()?.parse().ok()?,
        bytes: words.next()?.parse().ok()?,
        seconds: words.next()?.parse().ok()?,
        user: words.next()?.parse().ok()?,
        peak: words.next()?.parse().ok()?,
    })
}

/// The user time of this process so far, in seconds.
pub fn user_time() -> f64 {
    ticks(11)
}

/// The same of all its children that have ended.
pub fn user_time_of_children() -> f64 {
    ticks(13)
}

/// A time of proc(5), in ticks of a hundredth of a second: the field so far behind the name.
fn ticks(field: usize) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().nth(field).and_then(|word| word.parse::<f64>().ok());
    ticks.unwrap_or_default() / 100.0
}

/// The most memory that this process had, in MiB; 0 where the system does not say.
pub fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
