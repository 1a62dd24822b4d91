//! The coarsest partition of an automaton's nodes (Moore, *Gedanken-experiments on sequential
//! machines*, 1956): two nodes are in one block if no sequence of answers tells them apart.

use rustc_hash::FxHashMap;

/// The block of each node.
///
/// `outputs`: what a node shows; `None` for a node about which not all is known, which stays by
/// itself. `successors`: for each answer, in one order, what is told and where it leads.
pub(super) fn coarsest_partition<S, I>(outputs: &[Option<u32>], successors: S) -> Vec<u32>
where
    S: Fn(usize) -> I,
    I: Iterator<Item = (u32, usize)>,
{
    let by_itself = |node: usize| (1, node as u32);
    let mut blocks = number(
        (outputs.iter().enumerate())
            .map(|(node, output)| output.map_or(by_itself(node), |output| (0, output))),
    );
    let mut count = 0;
    while count != distinct(&blocks) {
        count = distinct(&blocks);
        blocks = number((0..outputs.len()).map(|node| {
            let next: Vec<(u32, u32)> =
                successors(node).map(|(told, to)| (told, blocks[to])).collect();
            (blocks[node], next)
        }));
    }
    blocks
}

/// Numbers things from 0, equal ones alike.
fn number<T: Eq + std::hash::Hash>(things: impl Iterator<Item = T>) -> Vec<u32> {
    let mut numbers = FxHashMap::default();
    things
        .map(|thing| {
            let next = numbers.len() as u32;
            *numbers.entry(thing).or_insert(next)
        })
        .collect()
}

fn distinct(blocks: &[u32]) -> u32 {
    blocks.iter().max().map_or(0, |greatest| greatest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(outputs: &[Option<u32>], edges: &[&[(u32, usize)]]) -> Vec<u32> {
        coarsest_partition(outputs, |node| edges[node].iter().copied())
    }

    #[test]
    fn nodes_that_no_answers_tell_apart_are_one() {
        let edges: [&[_]; 4] = [&[(0, 2)], &[(0, 3)], &[], &[]];
        assert_eq!(partition(&[Some(1), Some(1), Some(2), Some(2)], &edges), [0, 0, 1, 1]);
    }

    #[test]
    fn a_difference_later_on_splits() {
        let edges: [&[_]; 4] = [&[(0, 2)], &[(0, 3)], &[], &[]];
        assert_eq!(partition(&[Some(1), Some(1), Some(2), Some(3)], &edges), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_told_on_the_way_splits() {
        let edges: [&[_]; 3] = [&[(7, 2)], &[(8, 2)], &[]];
        assert_eq!(partition(&[Some(1), Some(1), Some(2)], &edges), [0, 1, 2]);
    }

    #[test]
    fn a_node_about_which_not_all_is_known_stays_by_itself() {
        assert_eq!(partition(&[None, None, Some(1), Some(1)], &[&[], &[], &[], &[]]), [0, 1, 2, 2]);
    }

    #[test]
    fn loops_are_one_node_as_long_as_they_look_alike() {
        let edges: [&[_]; 3] = [&[(0, 1)], &[(0, 2)], &[(0, 0)]];
        assert_eq!(partition(&[Some(1), Some(1), Some(1)], &edges), [0, 0, 0]);
    }
}
