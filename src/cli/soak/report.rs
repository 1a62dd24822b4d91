//! What a person sees of a soak: one live line, and a report at the end.

use std::fmt::Write;
use std::time::{Duration, Instant};

use doorway::report::{grouped, time};
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::checker::{Counts, PROPERTIES, Violation};
use super::driver::{Driver, End};
use super::fact::Chaos;
use super::is_promised;
use crate::cli::args::Soak;

/// How often the line is written where there is no terminal.
const LOGGED: Duration = Duration::from_secs(60);

/// The live line.
pub(crate) struct Live {
    bar: ProgressBar,
    logged: Instant,
}

impl Default for Live {
    fn default() -> Live {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Live { bar, logged: Instant::now() }
    }
}

impl Live {
    pub(crate) fn show(&mut self, args: &Soak, counts: &Counts, open: usize) {
        if !self.bar.is_hidden() {
            self.bar.set_message(sentence(args, counts, open));
            self.bar.tick();
        } else if self.logged.elapsed() >= LOGGED {
            self.logged = Instant::now();
            eprintln!("{}", sentence(args, counts, open));
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn sentence(args: &Soak, counts: &Counts, open: usize) -> String {
    format!(
        "{} of {}: {} tasks, {open} open, {} runs, {} kills, {} takeovers, {} lost answers, no violation",
        time(Duration::from_millis(counts.millis)),
        time(args.duration),
        grouped(counts.enqueued),
        grouped(counts.runs),
        grouped(kills(counts)),
        grouped(counts.takeovers),
        grouped(counts.unknown),
    )
}

fn kills(counts: &Counts) -> u64 {
    [Chaos::KillManager, Chaos::KillWorker, Chaos::KillServer]
        .into_iter()
        .map(|what| counts.of(what))
        .sum()
}

/// What too little of has happened for the soak to mean much.
pub(crate) fn lacks(args: &Soak, counts: &Counts) -> Vec<String> {
    let under_chaos = |least: u64| if args.chaos { least } else { 0 };
    let wanted = [
        ("runs", counts.runs, args.least_runs),
        ("kills", kills(counts), under_chaos(args.least_kills)),
        ("takeovers", counts.takeovers, under_chaos(args.least_takeovers)),
        ("lost answers", counts.unknown, under_chaos(args.least_unknown)),
        ("rebindings", counts.rebindings, args.least_rebindings),
    ];
    let lacking = wanted.into_iter().filter(|(_, seen, least)| seen < least);
    lacking.map(|(what, seen, least)| format!("{seen} {what}, {least} wanted")).collect()
}

/// The report at the end.
pub(crate) fn report(args: &Soak, driver: &Driver<'_>, end: &End) -> String {
    let counts = driver.counts();
    let mut text = String::new();
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(format!(
        "{} with {} managers and {} workers over {} resources for {}, seed {}, on {}",
        args.design.name(),
        args.managers,
        args.workers,
        args.resources,
        time(Duration::from_millis(counts.millis)),
        args.seed,
        driver.server.name(),
    ));
    line(format!(
        "  {} tasks: {} finished, {} failed with their worker, {} cancelled; {} runs, {} actions on resources",
        grouped(counts.enqueued),
        grouped(counts.finished),
        grouped(counts.failed),
        grouped(counts.cancelled),
        grouped(counts.runs),
        grouped(counts.actions),
    ));
    line(format!(
        "  {} rebindings, {} takeovers, {} lost answers, {} deliveries of messages, {} times a worker was declared dead",
        grouped(counts.rebindings),
        grouped(counts.takeovers),
        grouped(counts.unknown),
        grouped(counts.delivered),
        grouped(counts.burials),
    ));
    line(format!(
        "  workers that were declared dead and went on: {} runs met another, {} actions refused for the token",
        grouped(counts.excused),
        grouped(counts.refused),
    ));
    let chaos: Vec<String> =
        counts.chaos.iter().map(|(what, count)| format!("{} {what}", grouped(*count))).collect();
    line(format!("  {}", chaos.join(", ")));
    for property in PROPERTIES {
        line(format!("  {property:<12} {}", standing(args, counts, property, end)));
    }
    if let End::Violated(found) = end {
        found.iter().for_each(|violation| line(told(violation)));
    }
    line(conclusion(args, driver, end));
    text
}

fn standing(args: &Soak, counts: &Counts, property: &str, end: &End) -> String {
    let seen = counts.violations.get(property).copied().unwrap_or_default();
    match (is_promised(args, property), seen, end) {
        (true, 0, End::Done) => "not seen to be violated".into(),
        (true, 0, _) => "not seen to be violated so far".into(),
        (true, seen, _) => format!("VIOLATED, {seen} times"),
        (false, seen, _) => format!("not promised; seen to be violated {seen} times"),
    }
}

fn told(violation: &Violation) -> String {
    let mut text = format!("\nviolated {}: {}", violation.property, violation.why);
    for line in &violation.lines {
        let _ = write!(text, "\n  {line}");
    }
    text + "\n"
}

fn conclusion(args: &Soak, driver: &Driver<'_>, end: &End) -> String {
    match end {
        End::Violated(_) => format!("all events: {}", driver.journal().path().display()),
        End::Stopped => {
            "stopped: what was under way was not judged; the same command goes on from here".into()
        }
        End::Done => match lacks(args, driver.counts()) {
            lacks if lacks.is_empty() => "all has come to rest, and nothing was violated".into(),
            lacks => format!("too little happened: {}", lacks.join("; ")),
        },
    }
}
