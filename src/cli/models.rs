//! The models that the command line names.

use std::path::Path;

use doorway::model::{Model, shipped};

use super::args::Sizes;
use super::output::Failure;

/// The models of these names or files, with their numbers changed as told.
pub(crate) fn named(names: &[String], sizes: &Sizes) -> Result<Vec<Model>, Failure> {
    let shipped = shipped()?;
    let mut models = if names.is_empty() {
        shipped
    } else {
        names.iter().map(|name| one(name, &shipped)).collect::<Result<_, _>>()?
    };
    for model in &mut models {
        for (name, value) in &sizes.settings {
            set(model, name, value)?;
        }
    }
    Ok(models)
}

fn one(name: &str, shipped: &[Model]) -> Result<Model, Failure> {
    if let Some(model) = shipped.iter().find(|model| model.name == name) {
        return Ok(model.clone());
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some() || path.components().count() > 1 || path.exists();
    if is_file {
        return Ok(Model::read(path)?);
    }
    Err(Failure::Plain(format!(
        "no model named {name:?} is built in; `doorway models` lists them, and a file ends in .toml"
    )))
}

fn set(model: &mut Model, name: &str, value: &str) -> Result<(), Failure> {
    let plain = |why: String| Failure::Plain(format!("--set {name}={value}: {why}"));
    model.sizes.set(name, value).map_err(plain)?;
    model.fits().map_err(|why| plain(format!("{why}, in {}", model.name)))
}
