//! A run as text: one numbered line for each step, and under it what came of it.

use std::fmt::{self, Write as _};

use super::trace::{Change, Counterexample, TraceStep};
use crate::env::Event;

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

/// An event of a task reads like a sentence; any other is its name and its fields.
fn event(event: &Event) -> String {
    let Some(task) = event.text("task") else { return event.to_string() };
    let worker = event.text("worker").map(|worker| format!(" on {worker}"));
    format!("{task} {}{}", event.name, worker.unwrap_or_default())
}

/// The run that breaks the property, step by step, without colours.
impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&counterexample(&[self], &|_, text| text))
    }
}
