//! The group of all exchanges of names that some exchanges generate, with its table.
//!
//! Elements are small numbers, 0 for the one that exchanges nothing. What an element does is kept as
//! a permutation of the names, and of the processes along with theirs.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::candidates::Candidate;
use crate::store::Text;

/// So many elements at most: then the table of products takes 8 MiB. Beyond, exchanges are left
/// out, which is sound: fewer states count as one.
const MOST: usize = 2048;

/// The number of an element.
pub(super) type Element = u16;

/// The element that exchanges nothing.
pub(super) const NEUTRAL: Element = 0;

/// A permutation: where each thing goes.
type Permutation = Box<[u16]>;

/// A group of exchanges.
pub(super) struct Group {
    /// The exchanges that generate it.
    pub(super) generators: Vec<Candidate>,
    /// By element, what it is: a generator after an element of a lower number.
    made_of: Vec<(usize, Element)>,
    /// By generator and element.
    generated: Vec<Vec<Element>>,
    products: Vec<Element>,
    inverses: Vec<Element>,
    processes: Vec<Permutation>,
}

impl Group {
    /// What these exchanges generate, without those that make it too large.
    pub(super) fn new(candidates: &[Candidate], processes: usize) -> Group {
        let mut group = Group::generated_by(Vec::new(), processes).unwrap_or_else(Group::neutral);
        for candidate in candidates {
            let generators = group.generators.iter().chain([candidate]).cloned().collect();
            group = Group::generated_by(generators, processes).unwrap_or(group);
        }
        group.multiply();
        group
    }

    fn neutral() -> Group {
        Group {
            generators: Vec::new(),
            made_of: vec![(0, NEUTRAL)],
            generated: Vec::new(),
            products: Vec::new(),
            inverses: Vec::new(),
            processes: Vec::new(),
        }
    }

    /// Breadth first, so that each element is as few generators as can be; `None`: too many.
    fn generated_by(generators: Vec<Candidate>, processes: usize) -> Option<Group> {
        let names: BTreeSet<&Text> =
            generators.iter().flat_map(|one| one.renaming.names()).collect();
        let names: Vec<&Text> = names.into_iter().collect();
        let place = |name: &Text| names.binary_search(&name).unwrap_or_default() as u16;
        let permutation = |one: &Candidate| -> Permutation {
            names.iter().map(|name| place(&one.renaming.of_name(name))).collect()
        };
        let moves: Vec<Permutation> = generators.iter().map(permutation).collect();
        let neutral: Permutation = (0..names.len() as u16).collect();
        let mut numbers = FxHashMap::from_iter([(neutral.clone(), NEUTRAL)]);
        let mut group = Group { generators, ..Group::neutral() };
        group.generated = vec![Vec::new(); group.generators.len()];
        group.processes = vec![(0..processes as u16).collect()];
        let mut elements = vec![neutral];
        let mut element = 0;
        while element < elements.len() {
            for (number, generator) in moves.iter().enumerate() {
                let next: Permutation =
                    elements[element].iter().map(|to| generator[*to as usize]).collect();
                let known = numbers.get(&next).copied().unwrap_or(elements.len() as Element);
                if known as usize == elements.len() {
                    if elements.len() == MOST {
                        return None;
                    }
                    numbers.insert(next.clone(), known);
                    elements.push(next);
                    group.made_of.push((number, element as Element));
                    let to = &group.generators[number].processes;
                    let processes = group.processes[element].iter();
                    group.processes.push(processes.map(|p| to[*p as usize] as u16).collect());
                }
                group.generated[number].push(known);
            }
            element += 1;
        }
        Some(group)
    }

    fn multiply(&mut self) {
        let order = self.order();
        self.products = (0..order as Element).collect();
        for element in 1..order {
            let (generator, before) = self.made_of[element];
            for other in 0..order {
                let product = self.products[before as usize * order + other];
                self.products.push(self.generated[generator][product as usize]);
            }
        }
        let inverse = |row: &[Element]| row.iter().position(|product| *product == NEUTRAL);
        let rows = self.products.chunks(order);
        self.inverses = rows.map(|row| inverse(row).unwrap_or_default() as Element).collect();
    }

    /// How many elements there are.
    pub(super) fn order(&self) -> usize {
        self.made_of.len()
    }

    /// All of them, the neutral one first.
    pub(super) fn elements(&self) -> impl Iterator<Item = Element> + use<> {
        0..self.order() as Element
    }

    /// What each element but the neutral one is: a generator after an element before it.
    pub(super) fn made_of(&self, element: Element) -> (usize, Element) {
        self.made_of[element as usize]
    }

    /// A generator after an element.
    pub(super) fn generated(&self, generator: usize, element: Element) -> Element {
        self.generated[generator][element as usize]
    }

    /// The first element after the second.
    #[inline]
    pub(super) fn product(&self, one: Element, other: Element) -> Element {
        self.products[one as usize * self.made_of.len() + other as usize]
    }

    #[inline]
    pub(super) fn inverse(&self, element: Element) -> Element {
        self.inverses[element as usize]
    }

    /// Where an element takes each process.
    #[inline]
    pub(super) fn processes(&self, element: Element) -> &[u16] {
        &self.processes[element as usize]
    }

    /// Where each element takes each of some things, given where each generator takes them.
    pub(super) fn permutations(&self, generators: &[Vec<u32>], things: usize) -> Vec<Permutation> {
        let mut all: Vec<Permutation> = vec![(0..things as u16).collect()];
        for element in self.elements().skip(1) {
            let (generator, before) = self.made_of(element);
            let to = &generators[generator];
            let next = all[before as usize].iter().map(|thing| to[*thing as usize] as u16);
            let next = next.collect();
            all.push(next);
        }
        all
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.products.len() + self.order() * 64) * size_of::<Element>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::renaming::Renaming;
    use super::*;

    /// The exchange of each two neighbours among so many processes.
    fn neighbours(count: usize) -> Vec<Candidate> {
        let name = |process: usize| -> Text { format!("p{process}").into() };
        let exchange = |one: usize| {
            let mut renaming = Renaming::default();
            assert!(renaming.exchange(&name(one), &name(one + 1)));
            let mut processes: Vec<usize> = (0..count).collect();
            processes.swap(one, one + 1);
            Candidate { renaming, processes }
        };
        (0..count - 1).map(exchange).collect()
    }

    #[test]
    fn all_permutations_are_products_of_exchanges() {
        let group = Group::new(&neighbours(5), 5);
        assert_eq!(group.order(), 120);
        let all: BTreeSet<&[u16]> = group.elements().map(|g| group.processes(g)).collect();
        assert_eq!(all.len(), 120);
        for one in group.elements() {
            assert_eq!(group.product(one, group.inverse(one)), NEUTRAL);
            for other in group.elements() {
                let product = group.processes(group.product(one, other));
                let (one, other) = (group.processes(one), group.processes(other));
                assert!((0..5).all(|p| product[p] == one[other[p] as usize]));
            }
        }
    }

    #[test]
    fn a_group_that_would_be_too_large_is_made_of_fewer_exchanges() {
        assert_eq!(Group::new(&neighbours(9), 9).order(), 1440, "6 of them, and 2 of the rest");
        assert_eq!(Group::new(&[], 3).order(), 1);
    }
}
