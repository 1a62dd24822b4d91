//! The sequence diagram: a table with a row for each step and a column for each lifeline.

use std::collections::BTreeSet;
use std::fmt;

use super::documents::Diff;
use super::{Escaped, Fallen, Page};
use crate::check::{Asked, Change, DATABASE, Kind, TraceStep, told};

/// The diagram of a run.
pub(super) struct Diagram<'a> {
    page: &'a Page,
    /// The names of the processes; their lifelines come first.
    processes: Vec<&'a str>,
    /// Whether the queues have a lifeline, after that of the database.
    has_queues: bool,
}

impl<'a> Diagram<'a> {
    pub(super) fn new(page: &'a Page) -> Diagram<'a> {
        let names: BTreeSet<&str> = page.steps.iter().map(|step| &*step.process).collect();
        Diagram {
            page,
            processes: names.into_iter().filter(|name| *name != DATABASE).collect(),
            has_queues: page.steps.iter().any(|step| step.asked == Asked::Queues),
        }
    }

    fn lifelines(&self) -> impl Iterator<Item = &str> {
        let queues = self.has_queues.then_some("queues");
        self.processes.iter().copied().chain([DATABASE]).chain(queues)
    }

    /// The columns of whoever takes a step, and of whom it asks.
    fn ends(&self, step: &TraceStep) -> (usize, Option<usize>) {
        let database = self.processes.len();
        let process = self.processes.iter().position(|name| **name == *step.process);
        let asked = match step.asked {
            Asked::Nobody => None,
            Asked::Store => Some(database),
            Asked::Queues => Some(database + 1),
        };
        (process.unwrap_or(database), asked)
    }

    /// A row over the whole width.
    fn wide(&self, f: &mut fmt::Formatter<'_>, class: &str, at: usize, text: &str) -> fmt::Result {
        let width = self.lifelines().count() + 2;
        writeln!(f, r#"<tr class="{class}" data-at="{at}"><td colspan="{width}">{text}</td></tr>"#)
    }

    fn falls(&self, f: &mut fmt::Formatter<'_>, after: usize) -> fmt::Result {
        self.page.falls(after).try_for_each(|Fallen { property, why, .. }| {
            let (property, why) = (Escaped(property), Escaped(why));
            self.wide(f, "falls", after, &format!("✗ <b>{property}</b> falls here: {why}"))
        })
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, index: usize, step: &TraceStep) -> fmt::Result {
        let (number, kind) = (index + 1, self.page.kind(index));
        let (class, collides) = (Class(kind), self.page.collides(number));
        let marked = if collides.is_some() { " collides" } else { "" };
        writeln!(f, r#"<tr class="{class}{marked}" id="step-{number}" data-at="{number}">"#)?;
        let label =
            format!(r##"<a href="#step-{number}" aria-label="step {number}">{number}</a>"##);
        writeln!(f, r#"<th scope="row">{label}</th>"#)?;
        self.arrows(f, step)?;
        write!(f, "<td>")?;
        what(f, kind, step)?;
        if let Some(other) = collides {
            write!(
                f,
                r##"<p class="bad">⚡ collides with <a href="#step-{other}">step {other}</a></p>"##
            )?;
        }
        writeln!(f, "</td>\n</tr>")
    }

    /// A cell for each lifeline, with its part of the arrows there and back.
    fn arrows(&self, f: &mut fmt::Formatter<'_>, step: &TraceStep) -> fmt::Result {
        let (from, to) = self.ends(step);
        let back = if step.answer.is_some() { r#"<i class="back"></i>"# } else { "" };
        for column in 0..self.lifelines().count() {
            let part = match to {
                None if column == from => "at",
                Some(_) if column == from => "from",
                Some(to) if column == to => "to",
                Some(to) if (from..to).contains(&column) => "over",
                _ => "",
            };
            match part {
                "" => write!(f, r#"<td class="life"></td>"#)?,
                "at" => write!(f, r#"<td class="life at"></td>"#)?,
                part => write!(f, r#"<td class="life {part}"><i class="there"></i>{back}</td>"#)?,
            }
        }
        writeln!(f)
    }
}

impl fmt::Display for Diagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<thead><tr><th scope="col">step</th>"#)?;
        for name in self.lifelines() {
            write!(f, r#"<th scope="col" class="life">{}</th>"#, Escaped(name))?;
        }
        writeln!(f, r#"<th scope="col">what happens</th></tr></thead>"#)?;
        writeln!(f, "<tbody>")?;
        self.falls(f, 0)?;
        let last = self.page.steps.len();
        for (index, step) in self.page.steps.iter().enumerate() {
            if self.page.repeats_from == Some(index) {
                writeln!(f, "</tbody>\n<tbody class=\"loop\">")?;
                self.wide(f, "ring", index + 1, &again(index + 1, last))?;
            }
            self.step(f, index, step)?;
            if index + 1 < last {
                self.falls(f, index + 1)?;
            }
        }
        if let Some(stem) = self.page.repeats_from {
            self.wide(f, "ring", last, &format!("↻ and on with step {}", stem + 1))?;
            writeln!(f, "</tbody>\n<tbody>")?;
        }
        if last > 0 {
            self.falls(f, last)?;
        }
        writeln!(f, "</tbody>")
    }
}

/// That steps repeat.
fn again(first: usize, last: usize) -> String {
    if first == last {
        format!("↻ step {first} comes again and again, for ever")
    } else {
        format!("↻ steps {first} to {last} come again and again, for ever")
    }
}

/// How a row looks: a fault apart from what comes sooner or later.
struct Class(Kind);

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Step => write!(f, "step"),
            kind if kind.is_due() => write!(f, "step due {}", kind.name()),
            kind => write!(f, "step fault {}", kind.name()),
        }
    }
}

/// What happens in a step, in words.
fn what(f: &mut fmt::Formatter<'_>, kind: Kind, step: &TraceStep) -> fmt::Result {
    let (process, request) = (Escaped(&step.process), Escaped(&step.request));
    write!(f, r#"<p><b>{process}</b> "#)?;
    if kind != Kind::Step {
        write!(f, r#"<span class="badge">{}</span> "#, kind.name())?;
    }
    write!(f, "<code>{request}</code></p>")?;
    match step.answer.as_deref() {
        None => write!(f, r#"<p class="aside">… goes on</p>"#)?,
        Some("done") => {}
        Some(answer) => write!(f, "<p>→ <code>{}</code></p>", Escaped(answer))?,
    }
    step.changes.iter().try_for_each(|one| change(f, one))?;
    for event in &step.events {
        write!(f, r#"<p class="event">* {}</p>"#, Escaped(told::event(event)))?;
    }
    step.failure
        .iter()
        .try_for_each(|why| write!(f, r#"<p class="bad">✗ stops: {}</p>"#, Escaped(why)))
}

/// What changed in a document, field by field.
fn change(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    let sign = match (&change.before, &change.after) {
        (None, _) => "+",
        (_, None) => "-",
        _ => "~",
    };
    let id = change.after.as_ref().or(change.before.as_ref()).and_then(|document| document.id());
    let id = id.map(ToString::to_string).unwrap_or_default();
    write!(f, "<p>{sign} {} <code>{}</code></p><dl>", Escaped(&change.collection), Escaped(id))?;
    for field in Diff::between(change.before.as_ref(), change.after.as_ref()).changed() {
        write!(f, "<div><dt>{}</dt> <dd>", Escaped(field.name))?;
        if let Some(before) = field.before {
            write!(f, "<del>{}</del>", Escaped(before))?;
        }
        if field.before.is_some() && field.after.is_some() {
            write!(f, " ⇒ ")?;
        }
        if let Some(after) = field.after {
            write!(f, "<ins>{}</ins>", Escaped(after))?;
        }
        write!(f, "</dd></div>")?;
    }
    write!(f, "</dl>")
}
