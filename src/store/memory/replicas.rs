//! What the other members of a replica set have: only where failovers or stale reads are asked for.
//!
//! The log of a replica set is one sequence, and a member has a beginning of it. So what a member
//! has is the whole content as it was at some time, and to have a write is to have all before it.
//! Two members are kept: the slowest one of the majority, and one that lags behind as it likes.
//!
//! *The majority* catches up with the primary in one step, at any time; that it may do so write by write is the
//! same as to have done so earlier, but for a read that falls between. Where drivers send a write again, it has each
//! write at once, but in a *stretch* in which the primary is cut off, which ends with a failover or without.
//!
//! *The one that lags* has all, until there is something that it does not have: it stays as it was just
//! before that. What does not change then it has as the others have it, so where it is asked only once more, the
//! collections that change are remembered and no others. It learns what a majority has as it catches up: a
//! majority read that it answers is of that, and no failover takes it back (manual,
//! *reference/read-concern-majority*). Between two reads that it answers it gets nothing, or all that there is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::state::{State, Tables};
use crate::store::Text;

/// What the other members have.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(super) struct Replicas {
    /// What a majority has, so that it outlives a failover.
    majority: Option<Tables>,
    /// Whether something was written since, be it that all is as it was by now.
    is_ahead: bool,
    lag: Lag,
    /// Whether drivers send a write again that a failover took back.
    retries: bool,
    /// Of each stretch of the log that has ended, with a failover or, where writes are sent again, without:
    /// whether it was lost.
    ended: Vec<bool>,
}

/// How a member lags behind.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
enum Lag {
    #[default]
    Not,
    /// It does not get what changes next; whether all that it has matters then, or what changes.
    Soon {
        all: bool,
    },
    Behind(Behind),
}

/// What a member has that lags behind.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Behind {
    content: Tables,
    /// Whether that is all collections, so that one that is not there is empty.
    all: bool,
    /// Of that what it knows a majority to have, where that is tracked.
    known: Option<Tables>,
    /// Whether it has answered a read since.
    is_asked: bool,
}

impl State {
    /// From now on a write is only on the primary until a majority has it.
    pub(crate) fn track_majority(&mut self) {
        let tables = self.tables.clone();
        self.set_majority(Some(tables));
    }

    fn set_majority(&mut self, majority: Option<Tables>) {
        let replicas = self.replicas_mut();
        (replicas.majority, replicas.is_ahead) = (majority, false);
    }

    /// The primary has written something.
    pub(super) fn note_write(&mut self) {
        if self.majority().is_some() && !self.is_ahead_of_majority() {
            self.replicas_mut().is_ahead = true;
        }
    }

    /// Whether a member can begin to lag behind: it does not, or was asked since it did.
    pub(crate) fn may_lag(&self) -> bool {
        match self.replicas.as_deref().map(|replicas| &replicas.lag) {
            None | Some(Lag::Not) => true,
            Some(Lag::Soon { .. }) => false,
            Some(Lag::Behind(behind)) => behind.is_asked,
        }
    }

    /// A member has all that there is, and does not get what changes next. `all`: it is asked more than once.
    pub(crate) fn lag(&mut self, all: bool) {
        self.replicas_mut().lag = Lag::Soon { all };
    }

    /// Notices what a member does not get that lags behind from the next change on; before, it was so.
    pub(crate) fn notice_lag(&mut self, before: &State) {
        let replicas = before.replicas.as_deref();
        let Some(&Lag::Soon { all }) = replicas.map(|replicas| &replicas.lag) else { return };
        let changed = self.changed_since(before);
        if changed.is_empty() {
            return;
        }
        let remembered = |tables: &Tables| match all {
            true => tables.clone(),
            false => only(tables, &changed),
        };
        let content = remembered(&before.tables);
        let known = before.majority().map(remembered);
        self.replicas_mut().lag = Lag::Behind(Behind { content, all, known, is_asked: false });
    }

    /// The collections in which the primary, or a majority, has something else by now.
    fn changed_since(&self, before: &State) -> Vec<Text> {
        let pairs = [(&self.tables, &before.tables), (self.of_majority(), before.of_majority())];
        let changed = pairs.into_iter().filter(|(ours, theirs)| !ours.ptr_eq(theirs));
        let names = changed.flat_map(|(ours, theirs)| {
            let names = ours.keys().chain(theirs.keys());
            names.filter(move |name| !has_same(ours, theirs, name))
        });
        BTreeSet::from_iter(names).into_iter().cloned().collect()
    }

    /// Nobody asks any more what the member has that lags behind.
    pub(crate) fn forget_lagging(&mut self) {
        self.replicas_mut().lag = Lag::Not;
    }

    /// The member that lags behind has answered, and may be asked again.
    pub(crate) fn ask_lagging(&mut self) {
        if let Lag::Behind(behind) = &mut self.replicas_mut().lag {
            behind.is_asked = true;
        }
    }

    /// No failover comes any more.
    pub(crate) fn forget_majority(&mut self) {
        self.set_majority(None);
    }

    /// Whether a failover now would lose something.
    pub(crate) fn is_ahead_of_majority(&self) -> bool {
        self.replicas.as_ref().is_some_and(|replicas| replicas.is_ahead)
    }

    /// Drivers send a write again that a failover took back.
    pub(crate) fn retry_writes(&mut self) {
        self.replicas_mut().retries = true;
    }

    /// Whether the primary is cut off, so that a majority gets nothing new.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.retries_writes() && self.majority().is_some()
    }

    /// A majority has it all.
    pub(crate) fn replicate(&mut self) {
        if self.is_ahead_of_majority() {
            match self.retries_writes() {
                true => self.end_stretch(false),
                false => self.track_majority(),
            }
        }
    }

    /// The primary is gone, and what a majority does not have is lost.
    pub(crate) fn fail_over(&mut self) {
        if let Some(majority) = self.majority().cloned() {
            self.tables = majority;
            match self.retries_writes() {
                true => self.end_stretch(true),
                false => {
                    self.track_majority();
                    self.replicas_mut().ended.push(true);
                }
            }
        }
    }

    fn end_stretch(&mut self, is_lost: bool) {
        self.set_majority(None);
        self.replicas_mut().ended.push(is_lost);
    }

    /// The content as the member has it that lags behind, where that differs in a collection.
    pub(crate) fn as_lagging(&self, collection: &Text) -> Option<State> {
        let Lag::Behind(Behind { content, all, known, .. }) = &self.replicas.as_ref()?.lag else {
            return None;
        };
        let lags = |theirs: &Tables, ours: &Tables| {
            (*all || theirs.contains_key(collection)) && !has_same(theirs, ours, collection)
        };
        let known_then = known.as_ref().unwrap_or(content);
        if !lags(content, &self.tables) && !lags(known_then, self.of_majority()) {
            return None;
        }
        let mut state = State { tables: content.clone(), ..State::default() };
        if known.is_some() {
            state.replicas_mut().majority.clone_from(known);
        }
        Some(state)
    }

    /// How many stretches of the log have ended: failovers, and times that a majority caught up where
    /// drivers send writes again.
    pub(super) fn term(&self) -> usize {
        self.ended().len()
    }

    /// Whether a stretch has ended without a failover.
    pub(super) fn is_kept(&self, term: usize) -> bool {
        self.ended().get(term) == Some(&false)
    }

    /// Whether there was a failover since.
    pub(super) fn has_failed_over_since(&self, term: usize) -> bool {
        self.ended().iter().skip(term).any(|is_lost| *is_lost)
    }

    /// Whether drivers send a write again that a failover took back.
    pub(super) fn retries_writes(&self) -> bool {
        self.replicas.as_ref().is_some_and(|replicas| replicas.retries)
    }

    fn ended(&self) -> &[bool] {
        self.replicas.as_ref().map_or(&[], |replicas| &replicas.ended)
    }

    /// What a majority has, where that is tracked.
    pub(super) fn majority(&self) -> Option<&Tables> {
        self.replicas.as_ref()?.majority.as_ref()
    }

    /// What a majority has: where that is not tracked, what the primary has.
    fn of_majority(&self) -> &Tables {
        self.majority().unwrap_or(&self.tables)
    }

    /// What each member has, to change in place.
    pub(super) fn contents_mut(&mut self) -> impl Iterator<Item = &mut Tables> {
        let others = self.replicas.as_mut().map(Arc::make_mut);
        let others = others.into_iter().flat_map(|Replicas { majority, lag, .. }| {
            let behind = match lag {
                Lag::Behind(Behind { content, known, .. }) => [Some(content), known.as_mut()],
                Lag::Not | Lag::Soon { .. } => [None, None],
            };
            behind.into_iter().chain([majority.as_mut()]).flatten()
        });
        std::iter::once(&mut self.tables).chain(others)
    }

    /// What each member has.
    pub(super) fn contents(&self) -> impl Iterator<Item = &Tables> {
        let others = self.replicas.as_deref().into_iter();
        let others = others.flat_map(|Replicas { majority, lag, .. }| {
            let behind = match lag {
                Lag::Behind(Behind { content, known, .. }) => [Some(content), known.as_ref()],
                Lag::Not | Lag::Soon { .. } => [None, None],
            };
            behind.into_iter().chain([majority.as_ref()]).flatten()
        });
        std::iter::once(&self.tables).chain(others)
    }

    fn replicas_mut(&mut self) -> &mut Replicas {
        Arc::make_mut(self.replicas.get_or_insert_default())
    }
}

/// Some of the collections. One that nobody made is empty.
fn only(tables: &Tables, names: &[Text]) -> Tables {
    let mut some = Tables::default();
    for name in names {
        some.insert(name.clone(), tables.get(name).cloned().unwrap_or_default());
    }
    some
}

/// Whether a collection is the same in both.
fn has_same(one: &Tables, other: &Tables, name: &Text) -> bool {
    match (one.get(name), other.get(name)) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        (one, other) => one.or(other).is_none_or(|table| table.is_trace_of_nothing()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doc;
    use crate::store::filter::by_id;
    use crate::store::{Command, Concern, Operation, Projection, ReadConcern, Reply, WriteConcern};

    fn sees(mut state: State, read: ReadConcern) -> bool {
        let operation = Operation::FindOne { filter: by_id("a"), projection: Projection::All };
        let concern = Concern { read, ..Concern::default() };
        let found = state.execute(Command { collection: "c".into(), operation, concern });
        matches!(found, Ok(Reply::Document(Some(_))))
    }

    /// Does it; a member that is about to lag behind does not get it.
    fn changed(state: &mut State, change: impl FnOnce(&mut State)) {
        let before = state.clone();
        change(state);
        state.notice_lag(&before);
    }

    fn insert(state: &mut State, collection: &str, id: &str) {
        changed(state, |state| state.insert(collection, doc! {"_id": id}).unwrap());
    }

    #[test]
    fn of_a_majority_read_the_member_that_lags_shows_nothing_that_may_be_lost() {
        let mut state = State::new();
        state.track_majority();
        insert(&mut state, "c", "a");
        state.lag(false);
        changed(&mut state, State::replicate);
        let member = || state.as_lagging(&"c".into()).unwrap();
        assert!(sees(member(), ReadConcern::Local), "it has the write");
        assert!(!sees(member(), ReadConcern::Majority), "and does not know that a majority has it");
        state.lag(false);
        insert(&mut state, "c", "b");
        assert!(sees(state.as_lagging(&"c".into()).unwrap(), ReadConcern::Majority));
    }

    #[test]
    fn a_member_lags_in_what_changes_next_and_in_all_where_it_is_asked_again() {
        for all in [false, true] {
            let mut state = State::new();
            state.lag(all);
            insert(&mut state, "other", "b");
            insert(&mut state, "c", "a");
            let (other, c) = (state.as_lagging(&"other".into()), state.as_lagging(&"c".into()));
            let is_empty = other.is_some_and(|member| member.get("other", &"b".into()).is_none());
            assert!(is_empty, "a collection that nobody made is empty");
            assert_eq!(c.is_some_and(|member| !sees(member, ReadConcern::Local)), all);
            assert!(!state.may_lag());
            state.ask_lagging();
            assert!(state.may_lag());
        }
    }

    #[test]
    fn after_the_last_failover_a_majority_has_all() {
        let mut state = State::new();
        state.track_majority();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        state.fail_over();
        state.forget_majority();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        assert!(!state.is_ahead_of_majority() && sees(state, ReadConcern::Majority));
    }

    fn remove(state: &mut State, id: &str) {
        let operation = Operation::DeleteOne { filter: by_id(id) };
        let concern = Concern { write: WriteConcern::Primary, ..Concern::default() };
        state.execute(Command { collection: "c".into(), operation, concern }).unwrap();
    }

    #[test]
    fn what_was_written_and_undone_is_lost_by_a_failover_all_the_same() {
        let mut state = State::new();
        state.track_majority();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        remove(&mut state, "a");
        assert!(state.is_ahead_of_majority());
        state.replicate();
        assert!(!state.is_ahead_of_majority());
    }

    #[test]
    fn a_member_lags_behind_a_majority_that_the_primary_has_left_behind() {
        let mut state = State::new();
        state.retry_writes();
        state.lag(false);
        insert(&mut state, "c", "a");
        state.track_majority();
        remove(&mut state, "a");
        assert!(sees(state.clone(), ReadConcern::Majority), "the primary says what a majority has");
        assert!(!sees(state.as_lagging(&"c".into()).unwrap(), ReadConcern::Majority));
    }

    #[test]
    fn where_writes_are_retried_a_majority_has_all_but_in_a_stretch() {
        let mut state = State::new();
        state.retry_writes();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        assert!(!state.is_cut_off() && sees(state.clone(), ReadConcern::Majority));
        state.track_majority();
        state.insert("c", doc! {"_id": "b"}).unwrap();
        assert!(state.is_cut_off() && state.is_ahead_of_majority());
        let mut lost = state.clone();
        lost.fail_over();
        assert!(lost.get("c", &"b".into()).is_none() && !lost.is_kept(0) && !lost.is_cut_off());
        assert!(lost.has_failed_over_since(0) && !lost.has_failed_over_since(1));
        state.replicate();
        assert!(state.get("c", &"b".into()).is_some() && state.is_kept(0) && !state.is_cut_off());
        assert!(!state.has_failed_over_since(0));
    }
}
