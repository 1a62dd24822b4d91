//! A persistent map in the order of its keys.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::ops::Bound;
use std::sync::Arc;

use im::OrdMap;

/// The most entries that are kept in one piece.
const FEW: usize = 16;

/// A persistent map in the order of its keys: a clone is a pointer copy.
///
/// Few entries are one sorted piece, which a write copies where it is shared; more are an
/// [`OrdMap`], of which it copies some nodes. A node of that has room for 64 entries, and models
/// have few documents.
#[derive(Clone)]
pub(super) struct Map<K, V>(Form<K, V>);

#[derive(Clone)]
enum Form<K, V> {
    Few(Arc<Vec<(K, V)>>),
    Many(OrdMap<K, V>),
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Form::Few(entries) => Some(&entries[find(entries, key).ok()?].1),
            Form::Many(entries) => entries.get(key),
        }
    }

    /// What a key stands for, to be changed in place; nothing is copied where it is not there.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        match &mut self.0 {
            Form::Few(entries) => {
                let place = find(entries, key).ok()?;
                Some(&mut Arc::make_mut(entries)[place].1)
            }
            Form::Many(entries) => entries.get_mut(key),
        }
    }

    /// Puts in an entry, in the place of the one with an equal key if there is one.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match &mut self.0 {
            Form::Few(entries) => match find(entries, &key) {
                Ok(place) => Arc::make_mut(entries)[place].1 = value,
                Err(place) if entries.len() < FEW => {
                    Arc::make_mut(entries).insert(place, (key, value));
                }
                Err(_) => {
                    let entries = mem::take(Arc::make_mut(entries));
                    let mut entries: OrdMap<K, V> = entries.into_iter().collect();
                    entries.insert(key, value);
                    self.0 = Form::Many(entries);
                }
            },
            Form::Many(entries) => {
                entries.insert(key, value);
            }
        }
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        match &mut self.0 {
            Form::Few(entries) => {
                if let Ok(place) = find(entries, key) {
                    Arc::make_mut(entries).remove(place);
                }
            }
            Form::Many(entries) => {
                entries.remove(key);
                // Not at once, so that a map at the border is not made over by each write.
                if entries.len() <= FEW / 2 {
                    self.0 = Form::Few(Arc::new(mem::take(entries).into_iter().collect()));
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Few(entries) => entries.is_empty(),
            Form::Many(entries) => entries.is_empty(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Form::Few(entries) => entries.len(),
            Form::Many(entries) => entries.len(),
        }
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The entry with the greatest key.
    pub(super) fn last(&self) -> Option<(&K, &V)> {
        match &self.0 {
            Form::Few(entries) => entries.last().map(pair),
            Form::Many(entries) => entries.get_max().map(pair),
        }
    }

    /// The entry with the least key that is greater than this one; of all, without one.
    pub(super) fn next(&self, after: Option<&K>) -> Option<(&K, &V)> {
        match (&self.0, after) {
            (Form::Few(entries), None) => entries.first().map(pair),
            (Form::Few(entries), Some(after)) => {
                let place = find(entries, after).map_or_else(|place| place, |place| place + 1);
                entries.get(place).map(pair)
            }
            (Form::Many(entries), None) => entries.get_min().map(pair),
            (Form::Many(entries), Some(after)) => {
                entries.range((Bound::Excluded(after), Bound::Unbounded)).next()
            }
        }
    }

    /// The entries in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (few, many) = match &self.0 {
            Form::Few(entries) => (Some(entries.iter().map(pair)), None),
            Form::Many(entries) => (None, Some(entries.iter())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Whether two maps are one in memory: then they are equal.
    pub(super) fn ptr_eq(&self, other: &Map<K, V>) -> bool {
        match (&self.0, &other.0) {
            (Form::Few(ours), Form::Few(theirs)) => Arc::ptr_eq(ours, theirs),
            (Form::Many(ours), Form::Many(theirs)) => ours.ptr_eq(theirs),
            _ => false,
        }
    }
}

/// Where a key is, or where it would have to be.
fn find<K: Borrow<Q>, V, Q: Ord + ?Sized>(entries: &[(K, V)], key: &Q) -> Result<usize, usize> {
    entries.binary_search_by(|(known, _)| known.borrow().cmp(key))
}

fn pair<K, V>((key, value): &(K, V)) -> (&K, &V) {
    (key, value)
}

impl<K: Ord + Clone, V: Clone> Default for Map<K, V> {
    fn default() -> Map<K, V> {
        Map(Form::Few(Arc::default()))
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Map<K, V>) -> bool {
        self.ptr_eq(other)
            || match (&self.0, &other.0) {
                // It passes over the nodes that the two share.
                (Form::Many(ours), Form::Many(theirs)) => ours == theirs,
                _ => self.len() == other.len() && self.iter().eq(other.iter()),
            }
    }
}

impl<K: Ord + Clone, V: Clone + Eq> Eq for Map<K, V> {}

impl<K: Ord + Clone, V: Clone + Ord> PartialOrd for Map<K, V> {
    fn partial_cmp(&self, other: &Map<K, V>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord + Clone, V: Clone + Ord> Ord for Map<K, V> {
    fn cmp(&self, other: &Map<K, V>) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl<K: Ord + Clone + Hash, V: Clone + Hash> Hash for Map<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|entry| entry.hash(state));
    }
}

impl<K: Ord + Clone + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use proptest::prelude::*;
    use rustc_hash::FxHasher;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Change {
        Insert(u8, u8),
        Remove(u8),
        Add(u8),
    }

    /// More keys than are kept in one piece, so that maps grow and shrink over the border.
    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let key = || 0..3 * FEW as u8;
        let change = prop_oneof![
            4 => (key(), any::<u8>()).prop_map(|(key, value)| Change::Insert(key, value)),
            3 => key().prop_map(Change::Remove),
            2 => key().prop_map(Change::Add),
        ];
        proptest::collection::vec(change, 0..200)
    }

    fn apply(change: Change, map: &mut Map<u8, u8>, plain: &mut BTreeMap<u8, u8>) {
        match change {
            Change::Insert(key, value) => {
                map.insert(key, value);
                plain.insert(key, value);
            }
            Change::Remove(key) => {
                map.remove(&key);
                plain.remove(&key);
            }
            Change::Add(key) => {
                if let Some(value) = map.get_mut(&key) {
                    *value = value.wrapping_add(1);
                }
                plain.entry(key).and_modify(|value| *value = value.wrapping_add(1));
            }
        }
    }

    fn assert_is(map: &Map<u8, u8>, plain: &BTreeMap<u8, u8>) {
        assert!(map.iter().eq(plain.iter()));
        assert_eq!((map.len(), map.is_empty()), (plain.len(), plain.is_empty()));
        assert_eq!(map.last(), plain.last_key_value());
        assert_eq!(map.next(None), plain.first_key_value());
        for key in 0..3 * FEW as u8 {
            assert_eq!(map.get(&key), plain.get(&key));
            let after = plain.range((Bound::Excluded(key), Bound::Unbounded)).next();
            assert_eq!(map.next(Some(&key)), after);
        }
    }

    proptest! {
        #[test]
        fn it_is_as_a_plain_map(changes in changes()) {
            let (mut map, mut plain) = (Map::default(), BTreeMap::new());
            for change in changes {
                let (snapshot, copy) = (map.clone(), plain.clone());
                apply(change, &mut map, &mut plain);
                assert_is(&map, &plain);
                assert_is(&snapshot, &copy);
            }
            // The same content from below the border, whatever form it has come to.
            let again = plain.iter().fold(Map::default(), |mut map, (key, value)| {
                map.insert(*key, *value);
                map
            });
            prop_assert_eq!(&map, &again);
            prop_assert!(map.cmp(&again).is_eq());
            let hasher = BuildHasherDefault::<FxHasher>::default();
            prop_assert_eq!(hasher.hash_one(&map), hasher.hash_one(&again));
            map.insert(255, 0);
            prop_assert_ne!(&map, &again);
        }
    }
}
