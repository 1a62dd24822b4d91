//! The shortest run that breaks a property: the search once more, with a way back from each
//! state, until the first depth at which the property falls.

use super::error::CheckError;
use super::limits::{Progress, Watch};
use super::pack::{Layout, Packed};
use super::search::moved;
use super::space::{Notes, Space};
use super::table::{Insert, Table};
use crate::check::fault::Choice;

/// The shortest schedule by which a property falls; `None` where a limit is reached before, or
/// the states are too wide for it.
///
/// # Errors
///
/// That no run breaks it: then the search that said so was wrong.
pub(super) fn schedule(
    space: &mut Space<'_>,
    watch: &Watch,
    property: usize,
) -> Result<Option<Vec<Choice>>, CheckError> {
    loop {
        let reductions = space.exact();
        space.reset(&[property], reductions);
        match Retrace::<2>::run(space, watch, property)? {
            Trail::Found(schedule) => return Ok(Some(schedule)),
            Trail::Stopped => return Ok(None),
            Trail::NotFound => {
                return Err(CheckError::unfounded(space.system.properties[property].name()));
            }
            Trail::Again => {}
        }
    }
}

enum Trail {
    Found(Vec<Choice>),
    /// A limit was reached before, or the states are too wide.
    Stopped,
    /// The search has ended.
    NotFound,
    /// The search has to begin again with what it has learnt.
    Again,
}

/// A search that keeps for each state from which one it came.
struct Retrace<'a, 's, const N: usize> {
    space: &'a mut Space<'s>,
    property: usize,
    layout: Layout,
    table: Table<N>,
    states: Vec<Packed<N>>,
    /// For each state the one before it, and the number of the choice.
    came_by: Vec<(u32, u32)>,
}

impl<'a, 's, const N: usize> Retrace<'a, 's, N> {
    fn run(space: &'a mut Space<'s>, watch: &Watch, property: usize) -> Result<Trail, CheckError> {
        let initial = space.initial()?;
        if space.is_stale() {
            return Ok(Trail::Again);
        }
        if !space.judge.fallen().is_empty() {
            return Ok(Trail::Found(Vec::new()));
        }
        let Some(layout) = Layout::plan(&space.counts(), N) else { return Ok(Trail::Stopped) };
        let key = space.pack::<N>(&layout, &initial);
        let mut table = Table::with_capacity(1 << 12);
        table.insert(&key, Table::hash(&key));
        let (states, came_by) = (vec![key], vec![(0, 0)]);
        Retrace { space, property, layout, table, states, came_by }.search(watch)
    }

    fn search(mut self, watch: &Watch) -> Result<Trail, CheckError> {
        let mut state = 0;
        while state < self.states.len() {
            let branching = self.space.branching();
            let wanted = self.states.len() + branching;
            if self.table.capacity() < wanted {
                let larger = wanted.max(self.table.capacity() + self.table.capacity() / 2);
                let left = watch.limits().memory.map(|limit| {
                    let others = self.progress(watch).memory - self.table.bytes();
                    Table::<N>::affordable(limit.saturating_sub(others))
                });
                self.table.grow(left.map_or(larger, |left| left.min(larger)));
            }
            if self.table.capacity() < wanted {
                return Ok(Trail::Stopped);
            }
            if let Some(trail) = self.expand(state)? {
                return Ok(trail);
            }
            state += 1;
            if state.is_multiple_of(1024) && watch.stop(&self.progress(watch)).is_some() {
                return Ok(Trail::Stopped);
            }
        }
        Ok(Trail::NotFound)
    }

    /// Expands one state; says so where the property falls or the search cannot go on.
    fn expand(&mut self, state: usize) -> Result<Option<Trail>, CheckError> {
        loop {
            let (mut found, mut notes) = (Vec::new(), Notes::default());
            let (state_key, visit) = (&self.states[state], |next| found.push(next));
            let successors = self.space.successors(&self.layout, state_key, &mut notes, visit);
            self.space.note_all(notes);
            match successors {
                None => {
                    if let Some(trail) = self.learn(state)? {
                        return Ok(Some(trail));
                    }
                }
                Some(goes_on) => {
                    for (choice, key) in found {
                        if self.table.insert(&key, Table::hash(&key)) {
                            self.states.push(key);
                            self.came_by.push((state as u32, choice));
                        }
                    }
                    let falls = !goes_on && self.falls_at_end(state)?;
                    return Ok(falls.then(|| Trail::Found(self.way_to(state))));
                }
            }
        }
    }

    /// Finds out what was not known of a state: one choice after another, so that it is known
    /// which broke the property.
    fn learn(&mut self, state: usize) -> Result<Option<Trail>, CheckError> {
        let key = self.states[state];
        let global = self.space.unpack(&self.layout, &key);
        for choice in self.space.open_choices(&self.layout, &key) {
            self.space.learn_one(choice, &global)?;
            if self.space.is_stale() {
                return Ok(Some(Trail::Again));
            }
            if !self.space.judge.fallen().is_empty() {
                let mut schedule = self.way_to(state);
                schedule.push(choice);
                return Ok(Some(Trail::Found(schedule)));
            }
        }
        let counts = self.space.counts();
        if !self.layout.fits(&counts) {
            let Some(layout) = Layout::plan(&counts, N) else { return Ok(Some(Trail::Stopped)) };
            let old = std::mem::replace(&mut self.layout, layout);
            let change = |key: &Packed<N>| moved(key, &old, &self.layout);
            self.table.rebuild(change);
            self.states.iter_mut().for_each(|key| *key = change(key));
        }
        Ok(None)
    }

    fn falls_at_end(&self, state: usize) -> Result<bool, CheckError> {
        let global = self.space.unpack(&self.layout, &self.states[state]);
        Ok(!self.space.end(&global, |property| property == self.property)?.is_empty())
    }

    fn way_to(&self, state: usize) -> Vec<Choice> {
        way_to(&self.came_by, state)
    }

    fn progress(&self, watch: &Watch) -> Progress {
        let states = self.states.len();
        Progress {
            memory: self.table.bytes() + states * (size_of::<Packed<N>>() + 8) + self.space.bytes(),
            time: watch.elapsed(),
            ..Progress::default()
        }
    }
}

/// The schedule that leads to a state, where for each there is the one before it, and the number of the choice.
pub(super) fn way_to(came_by: &[(u32, u32)], mut state: usize) -> Vec<Choice> {
    let mut way = Vec::new();
    while state != 0 {
        let (before, choice) = came_by[state];
        way.push(Choice::of_number(choice));
        state = before as usize;
    }
    way.reverse();
    way
}
