//! `doorway check`.

use std::time::{Duration, Instant};

use doorway::check::engine::{Cancel, Limits, Options, Progress};
use doorway::check::{Reductions, Report, Verdict};
use doorway::model::{EngineChoice, Model, Standing, property};
use doorway::report::{self, json, terminal};

use super::args::{Check, Format};
use super::models::Named;
use super::output::{self, Failure};
use super::{Exit, models, progress, room, save};

pub(crate) fn run(args: &Check) -> Result<Exit, Failure> {
    let models = models::named(&args.models, &args.sizes)?;
    let work = chosen(&models, args)?;
    args.save.as_deref().map_or(Ok(()), save::prepare)?;
    let cancel = Cancel::default();
    let on_interrupt = cancel.clone();
    ctrlc::set_handler(move || on_interrupt.cancel())
        .map_err(|error| Failure::Plain(format!("Ctrl-C cannot be handled: {error}")))?;
    let colours = output::colours();
    if args.format == Format::Text {
        output::line(terminal::heading(colours));
    }
    let began = Instant::now();
    let mut summary = Summary::default();
    for (named, choice) in &work {
        let model = &named.model;
        if cancel.is_cancelled() {
            summary.skipped += 1;
            continue;
        }
        let report = search(model, *choice, args, &cancel)?;
        summary.add(model.standing(*choice, &report), report.verdict());
        match args.format {
            Format::Json => output::line(json::object(model, *choice, &report)),
            Format::Text => {
                output::line(terminal::row(model, *choice, &report, colours));
                if !args.brief {
                    output::print(terminal::details(model, *choice, &report, colours));
                }
            }
        }
        if let Some(folder) = &args.save {
            for file in save::save(folder, named, &report)? {
                eprintln!("saved {file}");
            }
        }
    }
    if args.format == Format::Text {
        output::line(summary.sentence(models.len(), began.elapsed()));
    }
    Ok(summary.exit())
}

/// The engines to run for each model.
fn chosen<'a>(
    models: &'a [Named],
    args: &Check,
) -> Result<Vec<(&'a Named, EngineChoice)>, Failure> {
    let wanted = |choice: &EngineChoice| {
        let named = args.engine.iter().any(|name| name == choice.engine.name());
        (args.engine.is_empty() || named) && (args.thorough || !choice.thorough || named)
    };
    let work: Vec<_> = models
        .iter()
        .flat_map(|named| named.model.engines.iter().map(move |choice| (named, *choice)))
        .filter(|(_, choice)| wanted(choice))
        .collect();
    if work.is_empty() {
        return Err(Failure::Plain(match args.engine.as_slice() {
            [] => "nothing to run: the engines of these models take long, and run with --thorough"
                .into(),
            names => {
                format!("nothing to run: no model here names the engine {}", names.join(" or "))
            }
        }));
    }
    Ok(work)
}

fn search(
    model: &Model,
    choice: EngineChoice,
    args: &Check,
    cancel: &Cancel,
) -> Result<Report, Failure> {
    let system = model
        .system()
        .map_err(|error| Failure::Plain(format!("{} cannot be set up: {error}", model.name)))?;
    let options = Options {
        limits: Limits {
            time: args.max_time.map(Duration::from_secs_f64),
            executions: args.max_executions,
            states: args.max_states,
            memory: match args.max_memory {
                Some(mebibytes) => Some((mebibytes as usize) << 20),
                None => room::free_memory(),
            },
            depth: args.max_depth,
        },
        progress: Progress::default(),
        cancel: cancel.clone(),
        liveness: model
            .expect
            .iter()
            .any(|(name, _)| property::OF_GRAPHS.iter().any(|(known, _)| known == name)),
        reductions: Reductions {
            immutable_reads: args.fuse_immutable,
            symmetry: !args.no_symmetry,
            ordinals: !args.no_ordinals,
        },
        ..Options::default()
    };
    let what = format!("{} by {}", model.name, choice.engine.name());
    let report =
        progress::showing(&what, &options.progress, || choice.engine.run(&system, &options))
            .map_err(|error| Failure::Plain(format!("{what}: {error}")))?;
    match system.never_mutated() {
        Some(shape) if report.stopped.is_none() => Err(Failure::Plain(format!(
            "{}: no process sends a command of the shape `{shape}` that has what is to be changed, so \
             the mutant is none; `doorway mutants` writes the commands, and the changes that there are",
            model.name
        ))),
        _ => Ok(report),
    }
}

/// What all rows came to.
#[derive(Debug, Default)]
struct Summary {
    as_expected: usize,
    inconclusive: usize,
    not_as_expected: usize,
    skipped: usize,
    violated: usize,
    verified: usize,
}

impl Summary {
    fn add(&mut self, standing: Standing, verdict: Verdict) {
        match standing {
            Standing::AsExpected => self.as_expected += 1,
            Standing::Inconclusive => self.inconclusive += 1,
            Standing::NotAsExpected => self.not_as_expected += 1,
        }
        self.violated += usize::from(verdict == Verdict::Violated);
        self.verified += usize::from(verdict == Verdict::Verified);
    }

    fn rows(&self) -> usize {
        self.as_expected + self.inconclusive + self.not_as_expected
    }

    fn sentence(&self, models: usize, time: Duration) -> String {
        let mut parts = vec![format!("{} of {} as expected", self.as_expected, self.rows())];
        let counts = [
            (self.not_as_expected, "NOT as expected"),
            (self.inconclusive, "inconclusive"),
            (self.skipped, "not run"),
        ];
        parts.extend(counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        let kinds = format!("{} verified, {} violated", self.verified, self.violated);
        let models = if models == 1 { "1 model".into() } else { format!("{models} models") };
        format!("{models}: {} ({kinds}) in {}", parts.join(", "), report::time(time))
    }

    /// What is not as expected wins over what is not known.
    fn exit(&self) -> Exit {
        if self.not_as_expected > 0 {
            Exit::NotAsExpected
        } else if self.inconclusive + self.skipped > 0 || self.rows() == 0 {
            Exit::Inconclusive
        } else {
            Exit::AsExpected
        }
    }
}
