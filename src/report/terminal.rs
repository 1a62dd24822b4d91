//! Rows and counterexamples, for people on a terminal.

use std::fmt::{self, Write as _};

use super::{coverage, time};
use crate::check::told::{self, Part};
use crate::check::{Counterexample, Coverage, Report, TraceStep, Verdict};
use crate::model::{EngineChoice, Model, Standing};

/// Whether and how colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None: the output is not a terminal, or `NO_COLOR` is set.
    Off,
    /// ANSI escape sequences.
    On,
}

/// The part of a colour that it plays.
#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Doubt,
    Dim,
    Strong,
}

impl Colours {
    fn paint(self, paint: Paint, text: impl fmt::Display) -> String {
        let code = match paint {
            Paint::Good => 32,
            Paint::Bad => 31,
            Paint::Doubt => 33,
            Paint::Dim => 2,
            Paint::Strong => 1,
        };
        match self {
            Colours::Off => text.to_string(),
            Colours::On => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    fn part(self, part: Part, text: String) -> String {
        let paint = match part {
            Part::Fallen | Part::Failure => Paint::Bad,
            Part::Why | Part::Event => Paint::Strong,
            Part::Aside => Paint::Dim,
        };
        self.paint(paint, text)
    }

    fn verdict(self, verdict: Verdict, text: impl fmt::Display) -> String {
        let paint = match verdict {
            Verdict::Verified => Paint::Good,
            Verdict::Violated => Paint::Bad,
            Verdict::Inconclusive => Paint::Doubt,
        };
        self.paint(paint, text)
    }
}

/// The heading of the rows.
#[must_use]
pub fn heading(colours: Colours) -> String {
    let heading = format!(
        "{:<28} {:<15} {:<13} {:<16} {:>20} {:>8}",
        "model", "engine", "verdict", "", "searched", "time"
    );
    colours.paint(Paint::Dim, heading)
}

/// One row: what an engine says of a model, in short.
#[must_use]
pub fn row(model: &Model, choice: EngineChoice, report: &Report, colours: Colours) -> String {
    let verdict = report.verdict();
    let (paint, standing) = match model.standing(choice, report) {
        Standing::AsExpected => (Paint::Good, "as expected"),
        Standing::Inconclusive => (Paint::Doubt, "inconclusive"),
        Standing::NotAsExpected => (Paint::Bad, "NOT AS EXPECTED"),
    };
    format!(
        "{:<28} {:<15} {} {} {:>20} {:>8}",
        model.name,
        report.engine,
        colours.verdict(verdict, format!("{verdict:<13}")),
        colours.paint(paint, format!("{standing:<16}")),
        coverage(report.coverage),
        time(report.time),
    )
}

/// What an engine says of each property of a model, and each counterexample.
///
/// Properties that fall in the same run are told together.
#[must_use]
pub fn details(model: &Model, choice: EngineChoice, report: &Report, colours: Colours) -> String {
    let mut text = String::new();
    let names = |verdict: Verdict| {
        let of = report.findings.iter().filter(|finding| finding.verdict == verdict);
        of.map(|finding| &*finding.property).collect::<Vec<_>>().join(", ")
    };
    for verdict in [Verdict::Verified, Verdict::Inconclusive] {
        let names = names(verdict);
        if !names.is_empty() {
            let _ = writeln!(text, "  {} {names}", colours.verdict(verdict, verdict));
        }
    }
    if let Some(why) = &report.stopped {
        let asked = if choice.accepts_inconclusive { " (as the model asks)" } else { "" };
        let _ = writeln!(
            text,
            "  {}",
            colours.paint(Paint::Dim, format!("not every run: {why}{asked}"))
        );
    }
    let mut covered = match report.coverage {
        Coverage::States { .. } => vec![report.coverage.to_string()],
        Coverage::Executions { .. } => Vec::new(),
    };
    covered.extend(report.guards_left_out.then(|| "guards left out".to_owned()));
    if !covered.is_empty() {
        let _ = writeln!(text, "  {}", colours.paint(Paint::Dim, covered.join("; ")));
    }
    for property in told::untold(report) {
        text.push_str(&told::without_run(property, &|part, text| colours.part(part, text)));
    }
    for group in told::by_run(report) {
        text.push_str(&counterexample(&model.name, &group, colours));
    }
    text
}

fn counterexample(model: &str, group: &[&Counterexample], colours: Colours) -> String {
    let mut text = told::counterexample(group, &|part, text| colours.part(part, text));
    let replay = format!("replay: doorway replay {model} {}", group[0].schedule.join(" "));
    let _ = writeln!(text, "  {}", colours.paint(Paint::Dim, replay));
    text
}

/// The steps of a run, numbered: who asked what, the reply, what was told and what changed.
#[must_use]
pub fn steps(steps: &[TraceStep], colours: Colours) -> String {
    told::steps(steps, &|part, text| colours.part(part, text))
}
