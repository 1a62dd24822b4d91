//! The models that the command line names.

use std::collections::BTreeMap;
use std::path::Path;

use doorway::model::{Model, shipped, shipped_text};

use super::args::Sizes;
use super::output::Failure;

/// A model that the command line names.
pub(crate) struct Named {
    pub(crate) model: Model,
    /// The text of its file.
    pub(crate) text: String,
    /// The numbers that the command line changes.
    pub(crate) set: BTreeMap<String, String>,
}

/// The models of these names or files, with their numbers changed as told.
pub(crate) fn named(names: &[String], sizes: &Sizes) -> Result<Vec<Named>, Failure> {
    let shipped: Vec<Named> = shipped()?.into_iter().map(built_in).collect();
    let mut models = if names.is_empty() {
        shipped
    } else {
        names.iter().map(|name| one(name, &shipped)).collect::<Result<_, _>>()?
    };
    for named in &mut models {
        for (name, value) in &sizes.settings {
            set(&mut named.model, name, value)?;
            named.set.insert(name.clone(), value.clone());
        }
    }
    Ok(models)
}

fn built_in(model: Model) -> Named {
    let text = shipped_text(&model.name).unwrap_or_default().to_owned();
    Named { model, text, set: BTreeMap::new() }
}

fn one(name: &str, shipped: &[Named]) -> Result<Named, Failure> {
    if let Some(named) = shipped.iter().find(|named| named.model.name == name) {
        return Ok(built_in(named.model.clone()));
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some() || path.components().count() > 1 || path.exists();
    if is_file {
        let (model, text) = Model::read_with_text(path)?;
        return Ok(Named { model, text, set: BTreeMap::new() });
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
