//! A run as one self-contained HTML page: a sequence diagram to step through, and beside it the
//! documents as they are after each step.
//!
//! All of it is in the markup, so that it reads, prints and is searched without a script; the
//! script shows one step at a time and hides what is of other times.

mod diagram;
mod documents;
mod escaped;

use std::fmt;

use diagram::Diagram;
use documents::Documents;
use escaped::Escaped;

use crate::check::{Counterexample, Kind, Replay, TraceStep, told};
use crate::store::Text;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page of a run. Shown, it is the text of an HTML file, which needs no other.
///
/// ```
/// use doorway::check::{Check, Cx};
/// use doorway::env::Env;
/// use doorway::report::html::Page;
///
/// let checked = Check::new("two at once")
///     .processes(["a", "b"], |cx: Cx| async move { cx.within("printer", async {}).await })
///     .always("exclusive", |world| world.inside("printer") <= 1)
///     .explore();
/// let found = checked.counterexample("exclusive").expect("nothing keeps them apart");
/// let page = Page::of(found).headed("two at once").to_string();
/// assert!(page.contains("enter printer"));
/// // std::fs::write("exclusive.html", page)
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    heading: String,
    steps: Vec<TraceStep>,
    schedule: Vec<Text>,
    fallen: Vec<Fallen>,
    repeats_from: Option<usize>,
}

/// A property that fell.
#[derive(Clone, Debug)]
struct Fallen {
    property: Text,
    after: usize,
    why: String,
}

impl Page {
    /// The page of a counterexample.
    #[must_use]
    pub fn of(found: &Counterexample) -> Page {
        let (property, why) = (found.property.clone(), found.why.clone());
        Page {
            heading: "A run that breaks a property".into(),
            steps: found.steps.clone(),
            schedule: found.schedule.clone(),
            fallen: vec![Fallen { property, after: found.steps.len(), why }],
            repeats_from: found.repeats_from.filter(|stem| *stem < found.steps.len()),
        }
    }

    /// The page of a run that a schedule gave, whatever fell in it.
    #[must_use]
    pub fn of_replay(schedule: &[Text], replay: &Replay) -> Page {
        let fallen = replay.fallen.iter().cloned();
        Page {
            heading: "A run".into(),
            steps: replay.steps.clone(),
            schedule: schedule.to_vec(),
            fallen: fallen.map(|(property, after, why)| Fallen { property, after, why }).collect(),
            repeats_from: None,
        }
    }

    /// The same page with this heading: say, what was checked.
    #[must_use]
    pub fn headed(mut self, heading: &str) -> Page {
        self.heading = heading.to_owned();
        self
    }

    /// The properties that fell after so many steps.
    fn falls(&self, after: usize) -> impl Iterator<Item = &Fallen> {
        self.fallen.iter().filter(move |fallen| fallen.after == after)
    }

    /// With which step this one collides.
    fn collides(&self, number: usize) -> Option<usize> {
        self.fallen
            .iter()
            .find_map(|Fallen { after, why, .. }| {
                let is_of_run = self.repeats_from.is_none() && *after <= self.steps.len();
                let (one, other) =
                    is_of_run.then(|| told::collision(&self.steps[..*after], why))??;
                [(one, other), (other, one)].into_iter().find(|(this, _)| *this == number)
            })
            .map(|(_, other)| other)
    }

    /// What the schedule says that a step is.
    fn kind(&self, index: usize) -> Kind {
        self.schedule.get(index).map_or(Kind::Step, |word| Kind::of_word(word))
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            include_str!("page.html"),
            heading = Escaped(&self.heading),
            style = STYLE,
            verdicts = Verdicts(self),
            schedule = Escaped(self.schedule.join(" ")),
            diagram = Diagram::new(self),
            documents = Documents::of(&self.steps),
            script = SCRIPT,
        )
    }
}

/// What fell, or that nothing did.
struct Verdicts<'a>(&'a Page);

impl fmt::Display for Verdicts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Fallen { property, after, why } in &self.0.fallen {
            let (property, why) = (Escaped(property), Escaped(why));
            writeln!(
                f,
                r#"<p><b class="bad">violated {property}</b> after {after} steps: {why}</p>"#
            )?;
        }
        if self.0.fallen.is_empty() {
            writeln!(f, "<p>No property fell in this run.</p>")?;
        }
        Ok(())
    }
}
