//! The mutants that no model kills, each with the reason why that is no matter.

use serde::Deserialize;

use super::ModelError;
use crate::check::mutation::Mutation;
use crate::store::Text;

/// A mutant that no model kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harmless {
    /// The mutant.
    pub mutation: Mutation,
    /// Why it does no harm.
    pub why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    harmless: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    command: Text,
    change: Vec<String>,
    why: String,
}

const NAME: &str = "models/mutants/harmless.toml";
const TEXT: &str = include_str!("../../models/mutants/harmless.toml");

/// The mutants of the doorway that no model kills.
///
/// # Errors
///
/// [`ModelError`] where the list, which is built in, is not one.
pub fn harmless() -> Result<Vec<Harmless>, ModelError> {
    let wrong = |message: String| ModelError {
        file: NAME.into(),
        text: TEXT.into(),
        span: None,
        message,
        help: None,
    };
    let file: File = toml::from_str(TEXT).map_err(|error| wrong(error.to_string()))?;
    let mut all = Vec::new();
    for Entry { command, change, why } in file.harmless {
        for change in change {
            let change = change.parse().map_err(wrong)?;
            let mutation = Mutation::Command { command: command.clone(), change };
            all.push(Harmless { mutation, why: why.clone() });
        }
    }
    Ok(all)
}
