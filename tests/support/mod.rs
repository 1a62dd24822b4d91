//! What several test targets share: commands in one word, and a plain reference to compare with.

pub(crate) mod commands;
pub(crate) mod reference;
