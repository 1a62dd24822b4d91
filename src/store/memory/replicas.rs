//! What the other members of a replica set have: only where failovers or stale reads are asked for.
//!
//! The log of a replica set is one sequence, and a member has a beginning of it. So what a member
//! has is the whole content as it was at some time, and to have a write is to have all before it.
//! Two members are kept: the slowest one of the majority, and one that lags behind as it likes. Each
//! catches up with the primary in one step, at any time; that it may do so write by write is the
//! same as to have done so earlier, but for a read that falls between. The one that lags learns as it catches
//! up what a majority has: a majority read that it answers is of that, and no failover takes it back (manual,
//! *reference/read-concern-majority*).

use std::sync::Arc;

use super::state::{State, Tables};

/// What the other members have.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(super) struct Replicas {
    /// What a majority has, so that it outlives a failover.
    majority: Option<Tables>,
    /// What a member has that lags behind.
    lagging: Option<Tables>,
    /// Of that what it knows a majority to have, where that is tracked.
    known: Option<Tables>,
    /// How many failovers there were.
    term: u32,
}

impl State {
    /// From now on a write is only on the primary until a majority has it.
    pub(crate) fn track_majority(&mut self) {
        let tables = self.tables.clone();
        self.replicas_mut().majority = Some(tables);
    }

    /// From now on a member lags behind.
    pub(crate) fn track_lagging(&mut self) {
        let tables = self.tables.clone();
        let replicas = self.replicas_mut();
        replicas.lagging = Some(tables);
        // Where it is not tracked a majority has what the primary has, and so has this member.
        replicas.known.clone_from(&replicas.majority);
    }

    /// Nobody asks any more what the member has that lags behind.
    pub(crate) fn forget_lagging(&mut self) {
        let replicas = self.replicas_mut();
        (replicas.lagging, replicas.known) = (None, None);
    }

    /// No failover comes any more.
    pub(crate) fn forget_majority(&mut self) {
        self.replicas_mut().majority = None;
    }

    /// Whether a failover now would lose something.
    pub(crate) fn is_ahead_of_majority(&self) -> bool {
        self.majority().is_some_and(|majority| !is_one(majority, &self.tables))
    }

    /// Whether the member that lags behind does.
    pub(crate) fn is_ahead_of_lagging(&self) -> bool {
        let Some(replicas) = &self.replicas else { return false };
        let Replicas { majority, lagging: Some(lagging), known, .. } = &**replicas else {
            return false;
        };
        let of_majority = majority.as_ref().unwrap_or(&self.tables);
        !is_one(lagging, &self.tables)
            || known.as_ref().is_some_and(|known| !is_one(known, of_majority))
    }

    /// A majority has it all.
    pub(crate) fn replicate(&mut self) {
        if self.is_ahead_of_majority() {
            self.track_majority();
        }
    }

    /// The primary is gone, and what a majority does not have is lost.
    pub(crate) fn fail_over(&mut self) {
        if let Some(majority) = self.majority().cloned() {
            self.tables = majority;
            self.replicas_mut().term += 1;
        }
    }

    /// The content as the member has it that lags behind.
    pub(crate) fn as_lagging(&self) -> Option<State> {
        let Replicas { lagging, known, .. } = &**self.replicas.as_ref()?;
        let mut state = State { tables: lagging.as_ref()?.clone(), ..State::default() };
        if known.is_some() {
            state.replicas_mut().majority.clone_from(known);
        }
        Some(state)
    }

    /// How many failovers there were.
    pub(super) fn term(&self) -> u32 {
        self.replicas.as_ref().map_or(0, |replicas| replicas.term)
    }

    /// What a majority has, where that is tracked.
    pub(super) fn majority(&self) -> Option<&Tables> {
        self.replicas.as_ref()?.majority.as_ref()
    }

    /// What each member has, to change in place.
    pub(super) fn contents_mut(&mut self) -> impl Iterator<Item = &mut Tables> {
        let replicas = self.replicas.as_mut().map(Arc::make_mut);
        let others = replicas
            .map(|members| [&mut members.majority, &mut members.lagging, &mut members.known]);
        std::iter::once(&mut self.tables).chain(others.into_iter().flatten().flatten())
    }

    /// What each member has.
    pub(super) fn contents(&self) -> impl Iterator<Item = &Tables> {
        let others = self.replicas.as_deref();
        let others = others.map(|members| [&members.majority, &members.lagging, &members.known]);
        std::iter::once(&self.tables).chain(others.into_iter().flatten().flatten())
    }

    fn replicas_mut(&mut self) -> &mut Replicas {
        Arc::make_mut(self.replicas.get_or_insert_default())
    }
}

/// Whether two contents are one; mostly they are so in memory too.
fn is_one(one: &Tables, other: &Tables) -> bool {
    one.ptr_eq(other) || one == other
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doc;
    use crate::store::filter::by_id;
    use crate::store::{Command, Concern, Operation, Projection, ReadConcern, Reply};

    fn sees(mut state: State, read: ReadConcern) -> bool {
        let operation = Operation::FindOne { filter: by_id("a"), projection: Projection::All };
        let concern = Concern { read, ..Concern::default() };
        let found = state.execute(Command { collection: "c".into(), operation, concern });
        matches!(found, Ok(Reply::Document(Some(_))))
    }

    /// With a document that only the primary has.
    fn ahead() -> State {
        let mut state = State::new();
        state.track_majority();
        state.track_lagging();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        state
    }

    #[test]
    fn of_a_majority_read_the_member_that_lags_shows_nothing_that_may_be_lost() {
        let mut state = ahead();
        state.track_lagging();
        let lagging = || state.as_lagging().unwrap();
        assert!(sees(lagging(), ReadConcern::Local) && !sees(lagging(), ReadConcern::Majority));
        assert!(!state.is_ahead_of_lagging());
        state.replicate();
        assert!(state.is_ahead_of_lagging(), "it does not know yet what a majority has");
        state.track_lagging();
        assert!(sees(state.as_lagging().unwrap(), ReadConcern::Majority));
    }

    #[test]
    fn after_the_last_failover_a_majority_has_all() {
        let mut state = ahead();
        state.fail_over();
        state.forget_majority();
        state.insert("c", doc! {"_id": "a"}).unwrap();
        assert!(!state.is_ahead_of_majority() && sees(state, ReadConcern::Majority));
    }
}
