//! What a model is about.

use crate::reservation::Design;
use crate::reservation::several::Way;

/// What a model is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A design in which managers reserve a worker and send the task there.
    Reserving(Design),
    /// The [`doorway`](crate::reservation::doorway), in which workers come for work.
    Doorway,
    /// The [`lock`](crate::reservation::doorway::lock), whose callers run their tasks themselves.
    Lock,
    /// A wrong way to several resources for one task.
    Several(Way),
}

impl Subject {
    /// Every subject, with the name that a model calls it by.
    #[must_use]
    pub fn all() -> Vec<(&'static str, Subject)> {
        let reserving = Design::ALL.map(|(name, design)| (name, Subject::Reserving(design)));
        let several = Way::ALL.map(|(name, way)| (name, Subject::Several(way)));
        [("doorway", Subject::Doorway), ("lock", Subject::Lock)]
            .into_iter()
            .chain(reserving)
            .chain(several)
            .collect()
    }

    /// The name that a model calls it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        let all = Subject::all();
        all.iter().find(|(_, subject)| *subject == self).map_or("", |(name, _)| name)
    }

    /// Whether each task has a caller of its own, and there are no managers and workers.
    #[must_use]
    pub fn has_callers(self) -> bool {
        matches!(self, Subject::Lock | Subject::Several(_))
    }
}

impl From<Design> for Subject {
    fn from(design: Design) -> Subject {
        Subject::Reserving(design)
    }
}
