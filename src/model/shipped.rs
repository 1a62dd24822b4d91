//! The models that are built in: those of the folder `models/`.

use super::{Model, ModelError};

macro_rules! models {
    ($($name:literal)*) => {
        /// The name and the text of each file in `models/`.
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../models/", $name, ".toml")))),*];
    };
}

models! {
    "reference"
    "story-898-two-resources"
    "story-898-two-tasks-each"
    "story-898-three-managers"
    "story-898-one-manager"
    "story-898-two-managers"
    "story-898-save"
    "story-898-save-two-managers"
    "story-898-no-worker-index"
    "story-898-read-then-delete"
    "story-898-zombie"
    "story-898-last-worker-gone"
    "story-898-manager-crash"
    "story-898-worker-crash"
    "story-898-broken-store"
    "story-898-quiet"
    "story-898-stream"
    "per-task-one-manager"
    "per-task-inline"
    "per-task-two-managers"
    "per-task-watcher"
    "doorway"
    "doorway-one-resource"
    "doorway-bypass"
    "doorway-submitters"
    "doorway-cancel"
    "doorway-manager-crash"
    "doorway-worker-crash"
    "doorway-unknown"
    "doorway-zombie"
    "doorway-twins"
    "doorway-sweepers"
    "doorway-pops-tail"
    "doorway-finishes-anything"
    "doorway-arms-anything"
    "doorway-tokens-fall"
    "doorway-sweeps-any-binding"
    "doorway-any-turn"
    "lock"
    "lock-several"
    "lock-leave"
    "lock-crash"
    "lock-gone"
    "lock-unknown"
    "lock-zombie"
    "several-list-by-list"
    "several-one-by-one"
}

/// The text of a model that is built in.
#[must_use]
pub fn shipped_text(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The models that are built in, in the order in which they are best read.
///
/// # Errors
///
/// [`ModelError`] where one of the files is not a model.
pub fn shipped() -> Result<Vec<Model>, ModelError> {
    let parse =
        |(name, text): &(&str, &str)| Model::parse(name, &format!("models/{name}.toml"), text);
    FILES.iter().map(parse).collect()
}
