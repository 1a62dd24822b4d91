//! The texts and ordinals within a state and within a command under way: see [`Atoms`].

use std::sync::Arc;

use super::execution::Execution;
use super::key::Key;
use super::phase::Phase;
use super::state::{State, Tables};
use crate::store::{Atom, Atoms};

impl Atoms for Key {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        let Some(mut value) = self.to_value() else { return };
        value.each_atom(change);
        *self = Key::new(&value);
    }
}

impl Atoms for Phase {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Phase::Refused(error) => error.each_atom(change),
            Phase::Point(id) | Phase::Write { id, .. } => id.each_atom(change),
            Phase::Read { after, found } => {
                after.each_atom(change);
                found.each_atom(change);
            }
            Phase::Seek { after } => after.each_atom(change),
            Phase::Pick { after, best } => {
                after.each_atom(change);
                best.each_atom(change);
            }
            Phase::Acknowledge(answer) => answer.each_atom(change),
            Phase::Insert | Phase::Upsert | Phase::Over => {}
        }
    }
}

impl Atoms for Execution {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        let (command, phase) = self.parts_mut();
        command.each_atom(change);
        phase.each_atom(change);
    }
}

/// What indexes are called and cover stays as it is.
impl Atoms for State {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.contents_mut().for_each(|tables| *tables = with_atoms_changed(tables, change));
    }
}

fn with_atoms_changed(tables: &Tables, change: &mut dyn FnMut(Atom<'_>)) -> Tables {
    let mut changed = Tables::default();
    for (name, table) in tables.iter() {
        let mut name = name.clone();
        name.each_atom(change);
        let other = table.with_atoms_changed(change).map(Arc::new);
        changed.insert(name, other.unwrap_or_else(|| Arc::clone(table)));
    }
    changed
}
