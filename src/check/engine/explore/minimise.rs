//! The coarsest partition of an automaton's nodes (Moore, *Gedanken-experiments on sequential
//! machines*, 1956): two nodes are in one block if no sequence of answers tells them apart.

use std::ops::Range;

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
    let mut partition = Partition::by(outputs);
    while partition.split(&successors) {}
    partition.in_order()
}

/// A partition under way. The nodes of a block stand side by side.
struct Partition {
    nodes: Vec<usize>,
    /// Of each node.
    blocks: Vec<u32>,
    /// So many blocks there are.
    count: u32,
    /// The blocks of several nodes: no other one can split.
    open: Vec<Range<usize>>,
    /// Of the nodes of one block: what follows each, all in one, and where that of each is.
    follows: Vec<(u32, u32)>,
    places: Vec<(Range<usize>, usize)>,
}

impl Partition {
    /// Nodes are in one block that show the same.
    fn by(outputs: &[Option<u32>]) -> Partition {
        let mut nodes: Vec<usize> = (0..outputs.len()).collect();
        nodes.sort_by_key(|node| outputs[*node]);
        let mut partition = Partition {
            blocks: vec![0; nodes.len()],
            nodes,
            count: 0,
            open: Vec::new(),
            follows: Vec::new(),
            places: Vec::new(),
        };
        let mut from = 0;
        while from < outputs.len() {
            let shown = outputs[partition.nodes[from]];
            let alike = partition.nodes[from..].iter().take_while(|node| outputs[**node] == shown);
            let until = from + shown.map_or(1, |_| alike.count());
            partition.close(from..until);
            from = until;
        }
        partition
    }

    /// Makes a block of some nodes that stand side by side.
    fn close(&mut self, nodes: Range<usize>) {
        self.nodes[nodes.clone()].iter().for_each(|node| self.blocks[*node] = self.count);
        self.count += 1;
        if nodes.len() > 1 {
            self.open.push(nodes);
        }
    }

    /// Splits blocks by the blocks to which answers lead; whether any has split.
    fn split<I>(&mut self, successors: &impl Fn(usize) -> I) -> bool
    where
        I: Iterator<Item = (u32, usize)>,
    {
        let before = self.count;
        for block in std::mem::take(&mut self.open) {
            self.split_one(block, successors);
        }
        self.count > before
    }

    fn split_one<I>(&mut self, block: Range<usize>, successors: &impl Fn(usize) -> I)
    where
        I: Iterator<Item = (u32, usize)>,
    {
        let Partition { nodes, blocks, follows, places, .. } = self;
        follows.clear();
        places.clear();
        for node in &nodes[block.clone()] {
            let from = follows.len();
            follows.extend(successors(*node).map(|(told, to)| (told, blocks[to])));
            places.push((from..follows.len(), *node));
        }
        let of = |place: &Range<usize>| &follows[place.clone()];
        places.sort_by(|(one, _), (other, _)| of(one).cmp(of(other)));
        let mut parts = Vec::new();
        for alike in places.chunk_by(|(one, _), (other, _)| of(one) == of(other)) {
            parts.push(alike.len());
        }
        if parts.len() == 1 {
            self.open.push(block);
            return;
        }
        let sorted = places.iter().map(|(_, node)| *node);
        nodes[block.clone()].iter_mut().zip(sorted).for_each(|(place, node)| *place = node);
        let mut from = block.start;
        for part in parts {
            self.close(from..from + part);
            from += part;
        }
    }

    /// The blocks, numbered in the order of the nodes.
    fn in_order(self) -> Vec<u32> {
        let mut numbers = FxHashMap::default();
        let number = |block| {
            let next = numbers.len() as u32;
            *numbers.entry(block).or_insert(next)
        };
        self.blocks.into_iter().map(number).collect()
    }
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

    /// All nodes at once, round by round, until none is told apart any more.
    fn by_rounds(outputs: &[Option<u32>], edges: &[Vec<(u32, usize)>]) -> Vec<u32> {
        fn numbered<T: Eq>(things: Vec<T>) -> Vec<u32> {
            let first = |thing: &T| things.iter().position(|other| other == thing);
            things.iter().map(|thing| first(thing).expect("it is one of them") as u32).collect()
        }
        let itself = |(node, output): (usize, &Option<u32>)| (*output, output.map_or(node, |_| 0));
        let mut blocks = numbered(outputs.iter().enumerate().map(itself).collect());
        for _ in outputs {
            let follows = edges.iter().map(|edges| {
                edges.iter().map(|(told, to)| (*told, blocks[*to])).collect::<Vec<_>>()
            });
            blocks = numbered(blocks.iter().copied().zip(follows).collect());
        }
        blocks
    }

    #[test]
    fn random_automata_fall_apart_as_they_do_round_by_round() {
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let mut merged = 0;
        for _ in 0..2000 {
            let nodes = 1 + random(12);
            let (mut outputs, mut edges) = (Vec::new(), Vec::<Vec<(u32, usize)>>::new());
            for node in 0..nodes {
                // Many are as one before them, but for one that they may lead to instead.
                let like = (node > 0 && random(3) > 0).then(|| random(node));
                let few = 1 + random(2);
                let mut new = || (0..few).map(|_| (random(2) as u32, random(nodes))).collect();
                edges.push(like.map_or_else(&mut new, |like| edges[like].clone()));
                outputs.push(like.map_or_else(|| Some(random(2) as u32), |like| outputs[like]));
                if random(3) == 0 {
                    edges[node][0].1 = random(nodes);
                }
                if random(12) == 0 {
                    outputs[node] = None;
                }
            }
            let (ours, rounds) = (
                coarsest_partition(&outputs, |node| edges[node].iter().copied()),
                by_rounds(&outputs, &edges),
            );
            for one in 0..nodes {
                for other in 0..one {
                    let alike = rounds[one] == rounds[other];
                    merged += usize::from(alike);
                    assert_eq!(ours[one] == ours[other], alike, "{outputs:?} {edges:?}");
                }
            }
        }
        assert!(merged > 1000, "{merged}");
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
