//! The explorer and its peers on the reference model, side by side.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- [rounds=3] [with=NAME,..] [SIZE ..]`
//!
//! In each round every contender explores each size in a process of its own, one after another, so
//! that a ratio is between two runs that had the machine as it was then. It fails if the counts
//! differ. loom and shuttle run only where there are two tasks, and in the first round only: more
//! they do not end, and what they take is another order of magnitude.

mod contender;
mod machine;
mod process;
mod spin;

use std::process::ExitCode;

use contender::{Contender, Explored};
use machine::Machine;

/// Sizes that show each contender.
const SIZES: [&str; 4] = ["2x1x2x2", "2x1x1x2", "6x1x2x2", "5x2x2x2"];
/// User time is told to a hundredth of a second: a ratio of less than so much of it says little.
const ENOUGH: f64 = 0.1;

/// One contender on one size, in every round.
type Row = (&'static str, Contender, Vec<Explored>);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match &words[..] {
        [word, name, size] if word == process::ALONE => explore_alone(name, size),
        words => compare(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn explore_alone(name: &str, size: &str) -> Result<(), String> {
    let known = Contender::ALL.iter().find(|(known, _)| *known == name);
    let (_, contender) = known.ok_or(format!("{name}: no such contender"))?;
    println!("{}", process::line(&contender.explore(size.parse()?)?));
    Ok(())
}

fn compare(words: &[String]) -> Result<(), String> {
    let (mut rounds, mut wanted, mut sizes) = (3_usize, None, Vec::new());
    for word in words {
        if let Some(number) = word.strip_prefix("rounds=") {
            rounds = number.parse().map_err(|error| format!("{word}: {error}"))?;
        } else if let Some(names) = word.strip_prefix("with=") {
            wanted = Some(names.split(',').collect::<Vec<_>>());
        } else {
            sizes.push(word.parse::<Machine>()?);
        }
    }
    if sizes.is_empty() {
        sizes = SIZES.iter().map(|size| size.parse()).collect::<Result<_, _>>()?;
    }
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|names| names.contains(&name));
    if is_wanted("spin") && !spin::is_there() {
        println!("spin was not found: it is left out (the Debian package is called spin)");
    }
    for machine in sizes {
        let taking_part = Contender::ALL.into_iter().filter(|(name, contender)| {
            is_wanted(name)
                && (*contender != Contender::Spin || spin::is_there())
                && (!contender.runs_threads() || machine.managers * machine.tasks <= 2)
        });
        let mut rows: Vec<Row> =
            taking_part.map(|(name, contender)| (name, contender, Vec::new())).collect();
        for round in 0..rounds {
            for (name, contender, runs) in &mut rows {
                if round == 0 || !contender.runs_threads() {
                    runs.push(process::measure(name, machine)?);
                }
            }
        }
        show(machine, &rows);
        check_counts(machine, &rows)?;
    }
    Ok(())
}

/// Every contender that came to its end has to have seen as many states, and counted as many
/// transitions.
fn check_counts(machine: Machine, rows: &[Row]) -> Result<(), String> {
    let ended = rows.iter().flat_map(|(name, contender, runs)| {
        runs.iter().filter(|run| run.ended).map(move |run| (*name, *contender, *run))
    });
    let mut first: Option<(&str, Explored)> = None;
    for (name, contender, run) in ended {
        let (known, expected) = *first.get_or_insert((name, run));
        let transitions = contender.runs_threads() || run.transitions == expected.transitions;
        if run.states != expected.states || !transitions {
            return Err(format!(
                "the counts differ on {machine}: {known} has {} states and {} transitions, {name} \
                 has {} and {}",
                expected.states, expected.transitions, run.states, run.transitions
            ));
        }
    }
    Ok(())
}

fn show(machine: Machine, rows: &[Row]) {
    println!("{machine} (managers x tasks of each x resources x workers)");
    println!(
        "  {:<18} {:>11} {:>12} {:>11} {:>9} {:>9} {:>9} {:>8}  time / doorway's",
        "", "states", "transitions", "executions", "user s", "clock s", "peak MiB", "B/state"
    );
    let ours = rows.iter().find(|(_, contender, _)| *contender == Contender::Doorway(1));
    for (name, contender, runs) in rows {
        let Some(last) = runs.last() else { continue };
        let or_none = |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
        let middle = |of: fn(&Explored) -> f64| median(runs.iter().map(of).collect());
        let bytes = if last.bytes == 0.0 { "-".into() } else { format!("{:.1}", last.bytes) };
        println!(
            "  {name:<18} {:>11} {:>12} {:>11} {:>9.2} {:>9.3} {:>9.1} {bytes:>8}  {}",
            last.states,
            or_none(last.transitions),
            or_none(last.executions),
            middle(|run| run.user),
            middle(|run| run.seconds),
            middle(|run| run.peak),
            ratio(*contender, runs, ours.map(|(.., runs)| runs.as_slice()).unwrap_or_default()),
        );
    }
}

/// The median of the rounds' ratios of user time, with the least and the greatest; by the clock
/// where it is short, or of two threads.
fn ratio(contender: Contender, runs: &[Explored], ours: &[Explored]) -> String {
    let mut ratios: Vec<f64> = runs
        .iter()
        .zip(ours)
        .map(|(run, our)| {
            let by_user = contender != Contender::Doorway(2) && our.user >= ENOUGH;
            if by_user { run.user / our.user } else { run.seconds / our.seconds }
        })
        .collect();
    if ratios.is_empty() {
        return String::new();
    }
    ratios.sort_by(f64::total_cmp);
    let (least, greatest) = (ratios[0], ratios[ratios.len() - 1]);
    let ended = if runs.iter().all(|run| run.ended) { "" } else { "more than " };
    format!("{ended}{:.1} ({least:.1} to {greatest:.1})", median(ratios))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => 0.0,
        many if many % 2 == 0 => f64::midpoint(numbers[middle - 1], numbers[middle]),
        _ => numbers[middle],
    }
}
