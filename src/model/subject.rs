//! What a model is about.

use crate::reservation::Design;

/// What a model is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A design in which managers reserve a worker and send the task there.
    Reserving(Design),
    /// The [`doorway`](crate::reservation::doorway), in which workers come for work.
    Doorway,
}

impl Subject {
    /// Every subject, with the name that a model calls it by.
    #[must_use]
    pub fn all() -> Vec<(&'static str, Subject)> {
        let reserving = Design::ALL.map(|(name, design)| (name, Subject::Reserving(design)));
        [("doorway", Subject::Doorway)].into_iter().chain(reserving).collect()
    }

    /// The name that a model calls it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Subject::Reserving(design) => design.name(),
            Subject::Doorway => "doorway",
        }
    }
}

impl From<Design> for Subject {
    fn from(design: Design) -> Subject {
        Subject::Reserving(design)
    }
}
