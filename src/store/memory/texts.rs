//! The texts within a state and within a command under way: see [`Texts`].

use std::sync::Arc;

use super::execution::Execution;
use super::key::Key;
use super::phase::Phase;
use super::state::{State, Tables};
use crate::store::{Text, Texts};

impl Texts for Key {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        let Some(mut value) = self.to_value() else { return };
        value.each_text(change);
        *self = Key::new(&value);
    }
}

impl Texts for Phase {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Phase::Refused(error) => error.each_text(change),
            Phase::Point(id) | Phase::Write { id, .. } => id.each_text(change),
            Phase::Read { after, found } => {
                after.each_text(change);
                found.each_text(change);
            }
            Phase::Seek { after } => after.each_text(change),
            Phase::Pick { after, best } => {
                after.each_text(change);
                best.each_text(change);
            }
            Phase::Acknowledge(answer) => answer.each_text(change),
            Phase::Insert | Phase::Upsert | Phase::Over => {}
        }
    }
}

impl Texts for Execution {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        let (command, phase) = self.parts_mut();
        command.each_text(change);
        phase.each_text(change);
    }
}

/// What indexes are called and cover stays as it is.
impl Texts for State {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.contents_mut().for_each(|tables| *tables = with_texts_changed(tables, change));
    }
}

fn with_texts_changed(tables: &Tables, change: &mut dyn FnMut(&mut Text)) -> Tables {
    let mut changed = Tables::default();
    for (name, table) in tables.iter() {
        let mut name = name.clone();
        change(&mut name);
        let other = table.with_texts_changed(change).map(Arc::new);
        changed.insert(name, other.unwrap_or_else(|| Arc::clone(table)));
    }
    changed
}
