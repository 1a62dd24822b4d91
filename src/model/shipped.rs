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
    "story-898-worker-gone"
    "story-898-pair-crash"
    "story-898-pair-worker-crash"
    "story-898-pair-worker-gone"
    "story-898-unknown"
    "story-898-redelivery"
    "story-898-failover"
    "story-898-broken-store"
    "story-898-quiet"
    "story-898-stream"
    "per-task-one-manager"
    "per-task-inline"
    "per-task-two-managers"
    "per-task-watcher"
    "per-task-manager-crash"
    "per-task-worker-crash"
    "per-task-zombie"
    "per-task-unknown"
    "per-task-redelivery"
    "per-task-failover"
    "hot-spare"
    "hot-spare-manager-crash"
    "hot-spare-worker-crash"
    "hot-spare-zombie"
    "hot-spare-unknown"
    "hot-spare-deposed"
    "hot-spare-failover"
    "doorway"
    "doorway-one-resource"
    "doorway-queued"
    "doorway-two-managers"
    "doorway-bypass"
    "doorway-cost"
    "doorway-cost-unknown"
    "doorway-cost-failover"
    "doorway-cost-crash"
    "doorway-cost-two-workers"
    "doorway-cost-unknown-failover"
    "doorway-cost-stale"
    "doorway-submitters"
    "doorway-cancel"
    "doorway-cancel-one-manager"
    "doorway-manager-crash"
    "doorway-manager-crash-one-task"
    "doorway-redelivery"
    "doorway-worker-crash"
    "doorway-worker-crash-one-task"
    "doorway-worker-gone"
    "doorway-mine-first"
    "doorway-crashes"
    "doorway-unknown"
    "doorway-unknown-one-worker"
    "doorway-unknown-one-task"
    "doorway-unknown-twice"
    "doorway-late-bind"
    "doorway-failover"
    "doorway-failover-two"
    "doorway-failover-two-managers"
    "doorway-failover-sweep"
    "doorway-stale"
    "doorway-zombie"
    "doorway-zombie-one-task"
    "doorway-failover-w1"
    "doorway-twins"
    "doorway-twins-unknown"
    "doorway-twins-failover"
    "doorway-sweepers"
    "doorway-sweep-two"
    "doorway-heart"
    "doorway-heart-crash"
    "doorway-heart-unknown"
    "doorway-heart-failover"
    "doorway-crash-unknown"
    "doorway-crash-stale"
    "doorway-crash-stale-one-task"
    "doorway-crash-zombie"
    "doorway-crash-failover"
    "doorway-unknown-failover"
    "doorway-crash-failover-one-task"
    "doorway-unknown-stale"
    "doorway-failover-stale"
    "doorway-failover-zombie"
    "doorway-stale-zombie"
    "doorway-unknown-zombie"
    "doorway-unknown-failover-one-task"
    "doorway-stale-zombie-one-task"
    "doorway-pops-tail"
    "doorway-finishes-anything"
    "doorway-arms-anything"
    "doorway-arms-any-list"
    "doorway-tokens-fall"
    "doorway-sweeps-any-binding"
    "doorway-evicts"
    "doorway-buries-the-living"
    "doorway-any-turn"
    "doorway-draws-early"
    "doorway-waits-for-others"
    "doorway-untargeted"
    "doorway-incarnations-fall"
    "doorway-old-registry"
    "doorway-registers-alone"
    "doorway-no-worker-index"
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
