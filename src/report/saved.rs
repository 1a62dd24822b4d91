//! A counterexample as a file: with it the run can be made again, by hand-edited schedules too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::{Counterexample, Replay, StaleSchedule, System, TraceStep};
use crate::model::{Model, ModelError, property};
use crate::store::Text;

/// A counterexample with all that is needed to make its run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The model.
    pub model: SavedModel,
    /// The engine that found it.
    pub engine: String,
    /// The property that fell.
    pub property: String,
    /// Why it fell.
    pub why: String,
    /// Who takes each step, in words: it may be edited.
    pub schedule: String,
    /// What happened, to be compared with what happens when it is replayed.
    pub steps: Vec<SavedStep>,
    /// For a run without end: after how many of the steps it goes on with the others for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats_from: Option<usize>,
}

/// A model, as it was when it was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedModel {
    /// Its name.
    pub name: String,
    /// The numbers that were changed.
    pub set: BTreeMap<String, String>,
    /// The text of its file.
    pub text: String,
}

/// A step, with the word of the schedule that it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStep {
    /// The word of the schedule.
    pub choice: Text,
    /// What happened.
    #[serde(flatten)]
    pub step: TraceStep,
}

impl Saved {
    /// A counterexample that an engine found in a model.
    #[must_use]
    pub fn new(model: SavedModel, engine: &str, found: &Counterexample) -> Saved {
        let steps = found.schedule.iter().cloned().zip(found.steps.iter().cloned());
        Saved {
            model,
            engine: engine.to_owned(),
            property: found.property.to_string(),
            why: found.why.clone(),
            schedule: found.schedule.join(" "),
            steps: steps.map(|(choice, step)| SavedStep { choice, step }).collect(),
            repeats_from: found.repeats_from,
        }
    }

    /// Which model of which size it is of, and which engine found it: a heading.
    #[must_use]
    pub fn heading(&self) -> String {
        let set = self.model.set.iter().map(|(name, value)| format!(" {name}={value}"));
        format!("{}{} by {}", self.model.name, set.collect::<String>(), self.engine)
    }

    /// The schedule, word by word.
    #[must_use]
    pub fn words(&self) -> Vec<Text> {
        self.schedule.split_whitespace().map(Text::from).collect()
    }

    /// The counterexample as it was found; `None` where the schedule was edited since then.
    #[must_use]
    pub fn found(&self) -> Option<Counterexample> {
        let schedule = self.words();
        let is_as_found = schedule.iter().eq(self.steps.iter().map(|step| &step.choice));
        is_as_found.then(|| Counterexample {
            property: self.property.as_str().into(),
            why: self.why.clone(),
            schedule,
            steps: self.steps.iter().map(|saved| saved.step.clone()).collect(),
            repeats_from: self.repeats_from,
        })
    }

    /// The model, as it was when it was checked.
    ///
    /// # Errors
    ///
    /// [`ModelError`] where it is no model any more.
    pub fn model(&self, file: &str) -> Result<Model, ModelError> {
        let SavedModel { name, set, text } = &self.model;
        let mut model = Model::parse(name, &format!("the model in {file}"), text)?;
        let set = set.iter().try_for_each(|(name, value)| model.sizes.set(name, value));
        set.and_then(|()| model.fits()).map_err(|message| ModelError {
            file: file.to_owned(),
            text: String::new(),
            span: None,
            message,
            help: None,
        })?;
        Ok(model)
    }

    /// Makes the run again.
    ///
    /// # Errors
    ///
    /// At which step the system parts from what was saved, what was expected there and what came.
    pub fn replay(&self, system: &System) -> Result<Replay, String> {
        let schedule = self.words();
        match system.replay(&schedule) {
            Ok(replay) => self.compare(&schedule, &replay.steps).map(|()| replay),
            Err(stale) => Err(self.before(&schedule, system, &stale)),
        }
    }

    /// Whether the property is one that no run with an end breaks: its fall is told by the graph of
    /// all runs, and the run that was saved is the way to where it shows.
    #[must_use]
    pub fn is_of_endless_runs(&self) -> bool {
        self.repeats_from.is_some() || property::is_of_graphs(&self.property)
    }

    /// Makes a run without end again, with what repeats once more; says where it goes on for ever.
    ///
    /// # Errors
    ///
    /// At which step it does not repeat.
    pub fn goes_on(&self, system: &System) -> Result<String, String> {
        let all = self.steps.len();
        let Some(stem) = self.repeats_from.filter(|stem| *stem < all) else {
            return Ok(format!("after {all} steps"));
        };
        let mut schedule = self.words();
        schedule.extend_from_within(stem..);
        let replay = system.replay(&schedule).map_err(|stale| stale.to_string())?;
        for (step, again) in replay.steps[stem..all].iter().zip(all..) {
            if *step != replay.steps[again] {
                let (expected, got) = told_apart(step, &replay.steps[again]);
                let number = again + 1;
                return Err(format!("step {number}: expected {expected} once more, got {got}"));
            }
        }
        Ok(format!("by steps {} to {all} again and again", stem + 1))
    }

    /// The first step that differs, before one that cannot be taken.
    fn before(&self, schedule: &[Text], system: &System, stale: &StaleSchedule) -> String {
        let taken = &schedule[..stale.step - 1];
        let steps = system.replay(taken).map(|replay| replay.steps).unwrap_or_default();
        self.compare(taken, &steps).err().unwrap_or_else(|| stale.to_string())
    }

    /// Compares the steps up to where the schedule was edited.
    fn compare(&self, schedule: &[Text], steps: &[TraceStep]) -> Result<(), String> {
        let unedited =
            self.steps.iter().zip(schedule).take_while(|(saved, word)| saved.choice == **word);
        for (index, ((saved, _), step)) in unedited.zip(steps).enumerate() {
            if saved.step != *step {
                let (expected, got) = told_apart(&saved.step, step);
                return Err(format!("step {}: expected {expected}, got {got}", index + 1));
            }
        }
        Ok(())
    }
}

/// Two different steps, in as few words as tell them apart.
fn told_apart(expected: &TraceStep, got: &TraceStep) -> (String, String) {
    let asked = |step: &TraceStep| {
        let answer = step.answer.as_deref().unwrap_or("no answer yet");
        format!("{} to do {} → {answer}", step.process, step.request)
    };
    let after = |step: &TraceStep| {
        let failure = step.failure.as_ref().map(|why| format!(", stopped: {why}"));
        let changes: Vec<_> = step.changes.iter().filter_map(|one| one.after.as_ref()).collect();
        let events: Vec<_> = step.events.iter().map(ToString::to_string).collect();
        let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
        let (changes, events) = (changes.join(", "), events.join(", "));
        format!(
            "{} (changed [{changes}], told [{events}]{})",
            asked(step),
            failure.unwrap_or_default()
        )
    };
    if asked(expected) == asked(got) {
        (after(expected), after(got))
    } else {
        (asked(expected), asked(got))
    }
}
