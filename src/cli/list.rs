//! `doorway models` and `doorway properties`.

use doorway::model::{property, shipped};
use serde_json::json;

use super::Exit;
use super::args::{Format, List};
use super::output::{self, Failure};

pub(crate) fn models(args: &List) -> Result<Exit, Failure> {
    for model in shipped()? {
        let engines: Vec<_> = model.engines.iter().map(|choice| choice.engine.name()).collect();
        match args.format {
            Format::Json => output::line(json!({
                "model": model.name,
                "design": model.design.name(),
                "about": model.about,
                "engines": engines,
            })),
            Format::Text => output::line(format_args!("{:<28} {}", model.name, model.about)),
        }
    }
    Ok(Exit::AsExpected)
}

pub(crate) fn properties() -> Result<Exit, Failure> {
    for property in property::all().into_iter().chain(property::of_endless_runs()) {
        output::line(format_args!("{:<24} {}", property.name(), property.says));
    }
    for (name, says) in property::OF_GRAPHS {
        output::line(format_args!("{name:<24} {says}"));
    }
    Ok(Exit::AsExpected)
}
