//! A run as text: one numbered line for each step, and under it what came of it.

use std::fmt::{self, Write as _};

use super::trace::{Change, Counterexample, Replay, TraceStep};
use super::verdict::{Coverage, Report, Verdict};
use crate::env::Event;
use crate::store::Text;

/// What a part of the text is, for whoever gives each a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The name of a property that fell.
    Fallen,
    /// Why it fell.
    Why,
    /// What a process told.
    Event,
    /// The error with which a process stopped.
    Failure,
    /// What changed in the store, and what else is beside the point at a first look.
    Aside,
}

/// How a part of the text is shown.
pub type Painter<'a> = &'a dyn Fn(Part, String) -> String;

/// Shown without colours.
pub const PLAIN: fn(Part, String) -> String = |_, text| text;

/// The steps of a run, numbered: who asked what, the reply, what was told and what changed.
#[must_use]
pub fn steps(steps: &[TraceStep], paint: Painter<'_>) -> String {
    let width = steps.iter().map(|step| step.process.chars().count()).max().unwrap_or(0);
    let margin = " ".repeat(8 + width);
    let mut text = String::new();
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        let _ = writeln!(text, "  {number:>4}  {:<width$}  {}", step.process, step.request);
        for line in under(step, paint) {
            let _ = writeln!(text, "{margin}  {line}");
        }
    }
    text
}

/// What fell in a run, and its steps; all of them fell in the same run.
#[must_use]
pub fn counterexample(fallen: &[&Counterexample], paint: Painter<'_>) -> String {
    let mut text = String::new();
    for found in fallen {
        let name = paint(Part::Fallen, format!("violated {}", found.property));
        let why = paint(Part::Why, found.why.clone());
        let _ = writeln!(text, "  {name} after {} steps: {why}", found.steps.len());
    }
    text.push_str(&fallen.first().map_or_else(String::new, |one| steps(&one.steps, paint)));
    text
}

/// The two steps of a run that collide, by their numbers from 1: that at which a property falls, and the
/// last one of another process that has to do with what the reason names, and the last does not.
///
/// `None` where the reason names nobody else: no process is in the way, say, when one waits for ever.
#[must_use]
pub fn collision(steps: &[TraceStep], why: &str) -> Option<(usize, usize)> {
    let (last, before) = steps.split_last()?;
    let is_named = |name: &str| {
        let in_name = |letter: char| letter.is_alphanumeric() || "-_/#.".contains(letter);
        !name.is_empty() && why.split(|letter| !in_name(letter)).any(|word| word == name)
    };
    let other = before.iter().rposition(|step| {
        let names = names(step).into_iter();
        step.process != last.process
            && names.filter(|name| is_named(name)).any(|name| !self::names(last).contains(&name))
    })?;
    Some((other + 1, steps.len()))
}

/// Who takes a step, and what it tells of.
fn names(step: &TraceStep) -> Vec<&str> {
    let told = step.events.iter().flat_map(|event| event.fields.iter());
    let told = told.filter_map(|(_, value)| value.as_str());
    told.chain([&*step.process]).collect()
}

/// The properties that fell by a run that is not there to be told.
pub fn untold(report: &Report) -> impl Iterator<Item = &Text> {
    let fallen = report.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
    fallen.filter(|finding| finding.counterexample.is_none()).map(|finding| &finding.property)
}

/// What is told of such a property.
#[must_use]
pub fn without_run(property: &str, paint: Painter<'_>) -> String {
    let name = paint(Part::Fallen, format!("violated {property}"));
    format!("  {name}, by a run that a limit left no time to retrace\n")
}

/// The counterexamples, those with the same run together.
#[must_use]
pub fn by_run(report: &Report) -> Vec<Vec<&Counterexample>> {
    let mut groups: Vec<Vec<&Counterexample>> = Vec::new();
    for found in report.findings.iter().filter_map(|finding| finding.counterexample.as_ref()) {
        match groups.iter_mut().find(|group| group[0].schedule == found.schedule) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    groups
}

/// A number with commas between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The lines under a step.
fn under(step: &TraceStep, paint: Painter<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    match &step.answer {
        Some(answer) if answer == "done" => {}
        Some(answer) => lines.push(format!("→ {answer}")),
        None => lines.push(paint(Part::Aside, "… goes on".into())),
    }
    lines.extend(step.changes.iter().map(|one| paint(Part::Aside, change(one))));
    lines.extend(step.events.iter().map(|one| paint(Part::Event, format!("* {}", event(one)))));
    lines.extend(step.failure.iter().map(|why| paint(Part::Failure, format!("✗ {why}"))));
    lines
}

fn change(change: &Change) -> String {
    let collection = &change.collection;
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("+ {collection} {after}"),
        (Some(before), None) => format!("- {collection} {before}"),
        (Some(before), Some(after)) => format!("~ {collection} {before} ⇒ {after}"),
        (None, None) => String::new(),
    }
}

/// An event, for people to read. One of a task reads like a sentence; any other is its name and
/// its fields.
#[must_use]
pub fn event(event: &Event) -> String {
    let Some(task) = event.text("task") else { return event.to_string() };
    let worker = event.text("worker").map(|worker| format!(" on {worker}"));
    format!("{task} {}{}", event.name, worker.unwrap_or_default())
}

/// The run that breaks the property, step by step, without colours.
impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&counterexample(&[self], &PLAIN))
    }
}

/// The run, step by step, and what fell in it.
impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&steps(&self.steps, &PLAIN))?;
        for (property, after, why) in &self.fallen {
            writeln!(f, "  violated {property} after {after} steps: {why}")?;
        }
        if self.fallen.is_empty() {
            let end = if self.complete { "the run is over" } else { "the run could go on" };
            writeln!(f, "  no property fell; {end}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Coverage::Executions { executions, steps } => {
                write!(f, "{} executions of {} steps", grouped(executions), grouped(steps))
            }
            Coverage::States { states, transitions, depth, reductions } => {
                let (states, transitions) = (grouped(states), grouped(transitions));
                write!(f, "{states} states, {transitions} transitions, depth {depth}")?;
                reductions.names().try_for_each(|name| write!(f, ", reduced by {name}"))
            }
        }
    }
}
