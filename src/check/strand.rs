//! Strands: what of a process goes on side by side, see [`Env::beside`](crate::env::Env::beside).

/// One of the strands of a process: what it does itself, or the guard beside some work of it. Each has
/// one request under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Strand(u8);

/// A set of [`Strand`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Strands(u8);

/// Where in the tree of works and guards some code runs. A work is of the strand that began it, a guard
/// has one of its own; which one does not depend on what the others do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Branch(u8);

impl Strand {
    /// What a process does itself.
    pub(crate) const MAIN: Strand = Strand(0);
    /// So many strands a process may have.
    pub(crate) const MOST: usize = 8;

    /// The first so many.
    pub(crate) fn first(count: usize) -> impl Iterator<Item = Strand> {
        (0..count.min(Strand::MOST) as u8).map(Strand)
    }

    pub(crate) fn index(self) -> usize {
        self.0.into()
    }

    pub(crate) fn of_index(index: usize) -> Strand {
        Strand(index as u8)
    }

    /// What schedules and traces call it, after the name of its process.
    pub(crate) fn suffix(self) -> String {
        match self.0 {
            0 => String::new(),
            1 => GUARD.into(),
            number => format!("{GUARD}-{number}"),
        }
    }

    /// The strand that a name means, with the name of its process.
    pub(crate) fn of_name(name: &str) -> Option<(&str, Strand)> {
        Strand::first(Strand::MOST)
            .skip(1)
            .find_map(|strand| name.strip_suffix(&strand.suffix()).map(|process| (process, strand)))
    }
}

/// What the strand of a guard is called.
const GUARD: &str = "/guard";

impl Strands {
    pub(crate) fn add(&mut self, strand: Strand) {
        self.0 |= 1 << strand.0;
    }

    /// A number that says all of it.
    pub(crate) fn number(self) -> u32 {
        self.0.into()
    }

    pub(crate) fn has(self, strand: Strand) -> bool {
        self.0 >> strand.0 & 1 == 1
    }
}

impl Branch {
    /// Where a process begins.
    pub(crate) const TRUNK: Branch = Branch(1);

    /// Where a work goes on that begins here, and where the guard beside it does; `None` where there
    /// are too many within one another.
    pub(crate) fn fork(self) -> Option<(Branch, Branch)> {
        let work = self.0 * 2;
        (usize::from(work) < 2 * Strand::MOST).then_some((Branch(work), Branch(work + 1)))
    }

    /// The strand of the code that runs here: works within one another are of one.
    pub(crate) fn strand(self) -> Strand {
        Strand((self.0 >> self.0.trailing_zeros()) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_keeps_the_strand_and_each_guard_has_one_of_its_own() {
        let (mut branches, mut guards) = (vec![Branch::TRUNK], Vec::new());
        while let Some(branch) = branches.pop() {
            let Some((work, guard)) = branch.fork() else { continue };
            assert_eq!(work.strand(), branch.strand());
            guards.push(guard.strand());
            branches.extend([work, guard]);
        }
        guards.sort();
        assert_eq!(guards, Strand::first(Strand::MOST).skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_says_which_strand_it_is() {
        for strand in Strand::first(Strand::MOST).skip(1) {
            let name = format!("worker-1{}", strand.suffix());
            assert_eq!(Strand::of_name(&name), Some(("worker-1", strand)));
        }
        assert_eq!(Strand::of_name("worker-1"), None);
    }
}
