//! What several test targets share: commands in one word, random ones, and a plain reference to
//! compare with.

pub(crate) mod commands;
pub(crate) mod generate;
pub(crate) mod reference;
