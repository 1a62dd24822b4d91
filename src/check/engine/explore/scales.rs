//! Scales: which ordinals are alive in a part of a state, and how they are numbered anew.
//!
//! Of an [`Ordinal`] code knows the order only, so a state behaves as each other one in which its
//! ordinals are in the same order, but for one thing: the store makes the next one by counting up.
//! What is counted up may come to pass all that is above it. So the distances from the least counter
//! of a scale upwards are kept, and what is below that is made dense. The first ordinal is a constant
//! of the code and stays what it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::memory::State;
use crate::store::{Atom, Atoms, Ordinal, Path, Text};

/// The fields that are counted up: each a collection and a path.
pub(super) type Counters = BTreeSet<(Text, Path)>;

/// The ordinals that are alive in something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Alive(BTreeMap<Text, Scale>);

/// Those of one scale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Scale {
    numbers: BTreeSet<i64>,
    /// The least that a counter has.
    counter: Option<i64>,
}

/// New numbers for ordinals, in the same order: for each scale, for all that are alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Renumbering(Vec<(Text, Vec<(i64, i64)>)>);

/// The ordinals of one scale further apart, but for the distances that count.
pub(super) struct Stretch<'a> {
    scale: &'a Text,
    /// The least counter: above it distances stay.
    floor: i64,
    factor: i64,
}

/// Whether there are ordinals in something.
pub(super) fn has_ordinals<T: Atoms + Clone>(thing: &T) -> bool {
    let (mut thing, mut found) = (thing.clone(), false);
    thing.each_ordinal(&mut |_| found = true);
    found
}

impl Alive {
    /// Those in something in which nothing is counted up.
    pub(super) fn of<T: Atoms + Clone>(thing: &T) -> Alive {
        let mut alive = Alive::default();
        thing.clone().each_ordinal(&mut |ordinal| {
            if let Some(scale) = &ordinal.scale {
                alive.scale(scale).numbers.insert(ordinal.number);
            }
        });
        alive
    }

    /// Those in a store, with the values of its counters.
    pub(super) fn of_store(store: &State, counters: &Counters) -> Alive {
        let mut alive = Alive::of(store);
        for (collection, path) in counters {
            for Ordinal { scale, number } in store.ordinals_at(collection, path) {
                let Some(scale) = scale else { continue };
                let counter = &mut alive.scale(&scale).counter;
                *counter = Some(counter.map_or(number, |least| least.min(number)));
            }
        }
        alive
    }

    fn scale(&mut self, name: &Text) -> &mut Scale {
        self.0.entry(name.clone()).or_default()
    }

    /// Those in one or the other.
    pub(super) fn and(mut self, other: &Alive) -> Alive {
        for (name, theirs) in &other.0 {
            let ours = self.scale(name);
            ours.numbers.extend(&theirs.numbers);
            ours.counter = ours.counter.into_iter().chain(theirs.counter).min();
        }
        self
    }

    /// How they are numbered anew, but for these scales.
    pub(super) fn renumbered(&self, held: &BTreeSet<Text>) -> Renumbering {
        let of_scale = |(name, scale): (&Text, &Scale)| {
            let same = || scale.numbers.iter().map(|number| (*number, *number)).collect();
            (name.clone(), if held.contains(name) { same() } else { scale.renumbered() })
        };
        Renumbering(self.0.iter().map(of_scale).collect())
    }

    /// The scales of which a counter has come to be below the least of before, or where there was none; with
    /// whether there was one.
    pub(super) fn set_back(&self, before: &Alive) -> impl Iterator<Item = (Text, bool)> {
        self.0.iter().filter_map(|(name, scale)| {
            let counter = scale.counter?;
            let least = before.0.get(name).and_then(|before| before.counter);
            let is_set_back = least.is_none_or(|least| counter < least);
            is_set_back.then(|| (name.clone(), least.is_some()))
        })
    }

    /// The scales of which something is alive above the least counter, or above the first where there is no
    /// counter; with whether there is one.
    pub(super) fn passed(&self) -> impl Iterator<Item = (Text, bool)> {
        self.0.iter().filter_map(|(name, scale)| {
            let least = scale.counter.unwrap_or(Ordinal::FIRST);
            let is_above = scale.numbers.last() > Some(&least);
            is_above.then(|| (name.clone(), scale.counter.is_some()))
        })
    }

    /// Some ways to set them further apart, under which code has to do the same.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Stretch<'_>> {
        // The first tells odd from even and neighbours from others, the second what is large.
        const FACTORS: [i64; 2] = [2, 1_000_003];
        let of_scale = |(scale, Scale { numbers, counter }): (_, &Scale)| {
            let floor = counter.unwrap_or(i64::MAX);
            let moves = numbers.last() > Some(&Ordinal::FIRST) && floor > Ordinal::FIRST;
            let factors = FACTORS.into_iter().filter(move |_| moves);
            factors.map(move |factor| Stretch { scale, floor, factor })
        };
        self.0.iter().flat_map(of_scale)
    }
}

impl Scale {
    fn renumbered(&self) -> Vec<(i64, i64)> {
        let floor = self.counter.unwrap_or(i64::MAX).max(Ordinal::FIRST);
        let (mut next, mut pairs) = (Ordinal::FIRST + 1, Vec::with_capacity(self.numbers.len()));
        for number in &self.numbers {
            let new = match *number {
                number if number <= Ordinal::FIRST => number,
                number if number < floor => {
                    next += 1;
                    next - 1
                }
                number if floor == Ordinal::FIRST => number,
                number => next + (number - floor),
            };
            pairs.push((*number, new));
        }
        pairs
    }
}

impl Renumbering {
    /// Whether all stay what they are.
    pub(super) fn is_identity(&self) -> bool {
        self.0.iter().all(|(_, pairs)| pairs.iter().all(|(from, to)| from == to))
    }

    /// The same for those alone that are alive in something.
    pub(super) fn of_those(&self, alive: &Alive) -> Renumbering {
        let of_scale = |(name, Scale { numbers, .. }): (&Text, &Scale)| {
            let pairs = numbers.iter().map(|number| (*number, self.number(name, *number)));
            (name.clone(), pairs.collect())
        };
        Renumbering(alive.0.iter().map(of_scale).collect())
    }

    /// Whether these are what it is for.
    pub(super) fn is_for(&self, alive: &Alive) -> bool {
        let from = |pairs: &[(i64, i64)]| pairs.iter().map(|(from, _)| *from).collect::<Vec<_>>();
        let ours = self.0.iter().map(|(name, pairs)| (name, from(pairs)));
        ours.eq(alive.0.iter().map(|(name, scale)| (name, scale.numbers.iter().copied().collect())))
    }

    /// The same with the new numbers.
    pub(super) fn of<T: Atoms + Clone>(&self, thing: &T) -> T {
        renumber(thing, |scale, number| self.number(scale, number))
    }

    fn number(&self, scale: &Text, number: i64) -> i64 {
        let pairs = self.0.iter().find(|(name, _)| name == scale).map(|(_, pairs)| &pairs[..]);
        let place = |pairs: &[(i64, i64)]| pairs.binary_search_by_key(&number, |pair| pair.0);
        let found = pairs.and_then(|pairs| Some(pairs[place(pairs).ok()?].1));
        found.unwrap_or(number)
    }
}

/// The names of the scales.
impl Atoms for Renumbering {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.0.iter_mut().for_each(|(name, _)| name.each_atom(change));
        self.0.sort();
    }
}

impl Stretch<'_> {
    /// The same with the new numbers.
    pub(super) fn of<T: Atoms + Clone>(&self, thing: &T) -> T {
        let number =
            |scale: &Text, number| if scale == self.scale { self.number(number) } else { number };
        renumber(thing, number)
    }

    fn number(&self, number: i64) -> i64 {
        let more = |number: i64| (number - Ordinal::FIRST).saturating_mul(self.factor - 1);
        number.saturating_add(more(number.min(self.floor).max(Ordinal::FIRST)))
    }
}

fn renumber<T: Atoms + Clone>(thing: &T, number: impl Fn(&Text, i64) -> i64) -> T {
    let mut thing = thing.clone();
    thing.each_ordinal(&mut |ordinal| {
        if let Some(scale) = &ordinal.scale {
            ordinal.number = number(scale, ordinal.number);
        }
    });
    thing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Value;
    use crate::{doc, store::Document};

    fn ordinal(scale: &str, number: i64) -> Value {
        Ordinal { scale: Some(scale.into()), number }.into()
    }

    fn alive(numbers: &[i64], counter: Option<i64>) -> Alive {
        let values: Vec<Value> = numbers.iter().map(|number| ordinal("s", *number)).collect();
        let mut alive = Alive::of(&doc! {"all": values});
        alive.scale(&"s".into()).counter = counter;
        alive
    }

    /// What the numbers become.
    fn renumbered(numbers: &[i64], counter: Option<i64>) -> Vec<i64> {
        let renumbering = alive(numbers, counter).renumbered(&BTreeSet::new());
        numbers.iter().map(|number| renumbering.number(&"s".into(), *number)).collect()
    }

    #[test]
    fn below_the_least_counter_ordinals_become_dense_and_above_it_distances_stay() {
        assert_eq!(renumbered(&[3, 7, 9], None), [2, 3, 4]);
        assert_eq!(renumbered(&[1, 7, 9], None), [1, 2, 3], "the first is a constant");
        assert_eq!(renumbered(&[3, 7, 9], Some(7)), [2, 3, 5]);
        assert_eq!(renumbered(&[7, 9], Some(7)), [2, 4]);
        assert_eq!(renumbered(&[1, 3, 9], Some(1)), [1, 3, 9]);
        assert_eq!(renumbered(&[-2, 0, 5], None), [-2, 0, 2]);
    }

    #[test]
    fn what_was_numbered_anew_is_so_for_good() {
        for counter in [None, Some(3), Some(8)] {
            let first = alive(&[1, 3, 4, 8, 11], counter);
            let renumbering = first.renumbered(&BTreeSet::new());
            let numbers = first.0["s"].numbers.iter();
            let numbers: Vec<i64> =
                numbers.map(|number| renumbering.number(&"s".into(), *number)).collect();
            let counter = counter.map(|counter| renumbering.number(&"s".into(), counter));
            assert!(alive(&numbers, counter).renumbered(&BTreeSet::new()).is_identity());
        }
        let held = BTreeSet::from(["s".into()]);
        assert!(alive(&[3, 9], None).renumbered(&held).is_identity());
    }

    #[test]
    fn each_scale_is_numbered_by_itself() {
        let document = doc! {"a": ordinal("s", 5), "b": ordinal("t", 9), "c": 9};
        let renumbering = Alive::of(&document).renumbered(&BTreeSet::new());
        let expected: Document = doc! {"a": ordinal("s", 2), "b": ordinal("t", 2), "c": 9};
        assert_eq!(renumbering.of(&document), expected);
    }

    #[test]
    fn a_stretch_keeps_the_order_the_first_and_the_distances_above_a_counter() {
        for (counter, factor) in [(None, 0), (Some(4), 0), (Some(4), 1)] {
            let alive = alive(&[1, 2, 4, 6], counter);
            let stretch = alive.stretches().nth(factor).unwrap_or_else(|| panic!("stretches"));
            let all: Vec<i64> = [1, 2, 4, 6].map(|number| stretch.number(number)).into();
            assert_eq!(all[0], 1);
            assert!(all.is_sorted_by(|a, b| a < b) && all[1] > 2, "{all:?}");
            assert_eq!(all[3] - all[2] == 2, counter.is_some());
        }
        assert_eq!(alive(&[1, 2], Some(1)).stretches().count(), 0, "all distances count");
        assert_eq!(alive(&[1], None).stretches().count(), 0, "nothing is to be moved");
    }

    #[test]
    fn a_counter_that_goes_back_is_noticed_and_what_is_above_one() {
        let back = |before: &Alive, after: &Alive| after.set_back(before).collect::<Vec<_>>();
        let (at_3, at_5, none) = (alive(&[3], Some(3)), alive(&[5], Some(5)), alive(&[], None));
        assert!(back(&at_3, &at_5).is_empty() && back(&at_3, &none).is_empty());
        assert_eq!(back(&at_5, &at_3), [("s".into(), true)]);
        assert_eq!(back(&none, &at_3), [("s".into(), false)], "there was none before");
        let passed = |numbers, counter| alive(numbers, counter).passed().map(|(_, is)| is).last();
        assert_eq!(passed(&[2, 3], Some(3)), None);
        assert_eq!(passed(&[3, 4], Some(3)), Some(true));
        assert_eq!((passed(&[1], None), passed(&[1, 2], None)), (None, Some(false)));
    }
}
