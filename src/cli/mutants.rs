//! `doorway mutants`.

use std::time::Instant;

use doorway::check::engine::explore::Limits;
use doorway::check::mutation::Mutation;
use doorway::model::mutants::{Fate, Killers};
use doorway::model::{EngineKind, Harmless, Model, Subject, harmless};
use doorway::report;
use serde_json::json;

use super::args::{Format, Mutants, Sizes};
use super::output::{self, Failure};
use super::{Exit, models, room};

pub(crate) fn run(args: &Mutants) -> Result<Exit, Failure> {
    let plain = |error: &dyn std::fmt::Display| Failure::Plain(error.to_string());
    let began = Instant::now();
    let limits = Limits { states: args.largest, memory: room::free_memory(), ..Limits::default() };
    let killers = Killers::prepare(chosen(args)?, limits).map_err(|error| plain(&error))?;
    let others = Killers::prepare(others(args)?, limits).map_err(|error| plain(&error))?;
    if killers.models().is_empty() {
        return Err(Failure::Plain("every model is larger than --largest allows".into()));
    }
    if args.format == Format::Text {
        for killer in killers.models() {
            let ((states, _), time) = (killer.graph, report::time(killer.time));
            output::line(format_args!("{:<28} {states} states, {time}", killer.model.name));
        }
    }
    let (known, mut summary) = (harmless()?, Summary::default());
    for mutation in killers.mutants() {
        let excuse = known.iter().find(|known| known.mutation == mutation);
        let named = mutation.to_string();
        let wanted = args.only.as_ref().is_none_or(|only| named.contains(only.as_str()));
        if !wanted || excuse.is_some() && !args.thorough {
            summary.left += usize::from(wanted);
            continue;
        }
        let judge = || match excuse {
            None => killers.judge(&mutation),
            Some(_) => {
                let fate = killers.judge_patiently(&mutation)?;
                Ok(fate.and(others.judge_patiently(&mutation)?))
            }
        };
        let fate = judge().map_err(|error| plain(&error))?;
        output::line(match args.format {
            Format::Json => object(&mutation, &fate, excuse).to_string(),
            Format::Text => row(&mutation, &fate, excuse),
        });
        summary.add(&fate, excuse);
    }
    if args.format == Format::Text {
        output::line(format_args!("{} in {}", summary.sentence(), report::time(began.elapsed())));
    }
    Ok(summary.exit())
}

/// The models that are to kill; by default those of the doorway that are explored in a plain check, with
/// `--thorough` also the others, and those that are made for one mutant.
fn chosen(args: &Mutants) -> Result<Vec<Model>, Failure> {
    let all = models::named(&args.models, &Sizes { settings: Vec::new() })?;
    let of_doorway = |model: &Model| model.design == Subject::Doorway;
    let is_named = |model: &Model| !args.models.is_empty() || of_doorway(model);
    let wanted = |model: &Model| is_explored(model, args) && is_named(model);
    let chosen: Vec<Model> = all.into_iter().map(|named| named.model).filter(wanted).collect();
    if chosen.is_empty() {
        return Err(Failure::Plain("no model here is explored, so none can kill a mutant".into()));
    }
    Ok(chosen)
}

fn is_explored(model: &Model, args: &Mutants) -> bool {
    let explores = |choice: &doorway::model::EngineChoice| {
        let is_wanted = !choice.thorough || args.thorough || model.mutant.is_some();
        choice.engine == EngineKind::Explore && is_wanted
    };
    model.engines.iter().any(explores)
}

/// The models of which a mutant that is listed as harmless has to leave the graph as it is too: those of
/// the lock, which send some of the doorway's commands.
fn others(args: &Mutants) -> Result<Vec<Model>, Failure> {
    if !args.thorough || !args.models.is_empty() {
        return Ok(Vec::new());
    }
    let all = models::named(&args.models, &Sizes { settings: Vec::new() })?.into_iter();
    let all = all.map(|named| named.model);
    Ok(all.filter(|model| model.design == Subject::Lock && is_explored(model, args)).collect())
}

/// Whether a mutant that no model kills is harmless, as it is listed. That is one whose graph is the same
/// in every model: if another, it does something that no property asks about, and if one was not seen
/// whole, what is in the rest nobody knows.
fn is_excused(fate: &Fate, excuse: Option<&Harmless>) -> bool {
    excuse.is_some() && fate.is_harmless()
}

fn row(mutation: &Mutation, fate: &Fate, excuse: Option<&Harmless>) -> String {
    let fate = match fate {
        Fate::Killed { property, model, steps } => {
            format!("killed    {property} in {model} after {steps} steps")
        }
        Fate::Refused { model, why } => format!("killed    refused in {model}: {why}"),
        Fate::Survived { differs, unended } => {
            let mut graphs = match differs.as_slice() {
                [] => "every graph that ended is the same".to_owned(),
                models => format!("other graphs in {}", models.join(", ")),
            };
            if !unended.is_empty() {
                graphs += &format!("; no end in {}", unended.join(", "));
            }
            let kind = if is_excused(fate, excuse) { "harmless" } else { "SURVIVED" };
            format!("{kind}  {graphs}")
        }
    };
    format!("{fate}\n            {mutation}")
}

fn object(mutation: &Mutation, fate: &Fate, excuse: Option<&Harmless>) -> serde_json::Value {
    let mut object = json!({"mutant": mutation.to_string(), "harmless": excuse.is_some()});
    let told = match fate {
        Fate::Killed { property, model, steps } => {
            json!({"fate": "killed", "property": property, "model": model, "steps": steps})
        }
        Fate::Refused { model, why } => json!({"fate": "refused", "model": model, "why": why}),
        Fate::Survived { differs, unended } => {
            json!({"fate": "survived", "other_graphs": differs, "unended": unended})
        }
    };
    if let (Some(object), serde_json::Value::Object(told)) = (object.as_object_mut(), told) {
        object.extend(told);
    }
    object
}

#[derive(Default)]
struct Summary {
    killed: usize,
    survived: usize,
    harmless: usize,
    /// Listed as harmless, and killed.
    excused_for_nothing: usize,
    /// Listed as harmless, and not put to the test.
    left: usize,
}

impl Summary {
    fn add(&mut self, fate: &Fate, excuse: Option<&Harmless>) {
        match (fate, excuse) {
            (Fate::Survived { .. }, _) if is_excused(fate, excuse) => self.harmless += 1,
            (Fate::Survived { .. }, _) => self.survived += 1,
            (_, None) => self.killed += 1,
            (_, Some(_)) => self.excused_for_nothing += 1,
        }
    }

    fn sentence(&self) -> String {
        let Summary { killed, survived, harmless, excused_for_nothing, left } = self;
        let mut sentence = format!("{killed} of {} mutants killed", killed + survived);
        let others = [
            (*harmless, "harmless as listed"),
            (*left, "listed as harmless and not run"),
            (*excused_for_nothing, "listed as harmless and KILLED"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            sentence += &format!(", {count} {what}");
        }
        sentence
    }

    fn exit(&self) -> Exit {
        if self.survived + self.excused_for_nothing > 0 {
            Exit::NotAsExpected
        } else if self.killed + self.harmless == 0 {
            Exit::Inconclusive
        } else {
            Exit::AsExpected
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(fate: &Fate) -> Exit {
        let listed = harmless().expect("the list is read").swap_remove(0);
        let mut summary = Summary::default();
        summary.add(fate, Some(&listed));
        summary.exit()
    }

    #[test]
    fn what_is_listed_as_harmless_fails_where_it_makes_a_difference() {
        let survived = |differs: &[&str], unended: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Fate::Survived { differs: names(differs), unended: names(unended) }
        };
        assert_eq!(exit(&survived(&[], &[])), Exit::AsExpected);
        assert_eq!(exit(&survived(&["doorway"], &[])), Exit::NotAsExpected);
        assert_eq!(exit(&survived(&[], &["doorway"])), Exit::NotAsExpected);
    }
}
