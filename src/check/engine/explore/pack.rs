//! A global state as a few words: the small number of each component in a field of its own.
//!
//! The packing is exact: two states have one key if and only if they are equal. How many numbers
//! a component takes is not known before the search has ended, so fields are wider than needed at
//! first, and [`Layout::plan`] is asked again when one has become too narrow.

/// How many bits of a word are used: the last one says whether a slot of the table is taken.
pub(super) const WORD: u32 = 63;

/// A key: a packed state.
pub(super) type Packed<const N: usize> = [u64; N];

/// Where in a key a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    word: u32,
    shift: u32,
    mask: u64,
}

impl Field {
    #[inline]
    pub(super) fn get<const N: usize>(self, key: &Packed<N>) -> u32 {
        (key[self.word::<N>()] >> self.shift & self.mask) as u32
    }

    #[inline]
    pub(super) fn put<const N: usize>(self, key: &mut Packed<N>, value: u32) {
        let word = &mut key[self.word::<N>()];
        *word = *word & !(self.mask << self.shift) | u64::from(value) << self.shift;
    }

    /// The same where it is known what is there.
    #[inline]
    pub(super) fn change<const N: usize>(self, key: &mut Packed<N>, from: u32, to: u32) {
        key[self.word::<N>()] ^= u64::from(from ^ to) << self.shift;
    }

    #[inline]
    fn word<const N: usize>(self) -> usize {
        if N == 1 { 0 } else { self.word as usize }
    }

    fn fits(self, count: usize) -> bool {
        count <= 1 || count as u64 - 1 <= self.mask
    }
}

/// Where each component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// One for each process.
    pub(super) locals: Vec<Field>,
    pub(super) scene: Field,
    /// One for each queue.
    pub(super) queues: Vec<Field>,
    pub(super) faults: Field,
}

/// How many numbers each component has by now; 0 for one that is not expected to have any but one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) locals: Vec<usize>,
    pub(super) scene: usize,
    pub(super) queues: Vec<usize>,
    pub(super) faults: usize,
}

/// The numbers of which a key is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    pub(super) locals: Vec<u32>,
    pub(super) scene: u32,
    pub(super) queues: Vec<u32>,
    pub(super) faults: u32,
}

impl Layout {
    /// A layout in so many words, with room to grow; `None` if they are too few.
    pub(super) fn plan(counts: &Counts, words: usize) -> Option<Layout> {
        let needs: Vec<u32> = counts.all().map(bits).collect();
        let mut used = vec![0; words];
        let mut places = vec![0; needs.len()];
        let mut widest_first: Vec<usize> = (0..needs.len()).collect();
        widest_first.sort_by_key(|field| std::cmp::Reverse(needs[*field]));
        for field in widest_first {
            let word = (0..words).find(|word| used[*word] + needs[field] <= WORD)?;
            used[word] += needs[field];
            places[field] = word;
        }
        let grows: Vec<bool> = counts.all().map(|count| count > 0).collect();
        Some(Layout::with_widths(counts, &widen(needs, &grows, &places, &used), &places, words))
    }

    fn with_widths(counts: &Counts, widths: &[u32], places: &[usize], words: usize) -> Layout {
        let mut ends = vec![0; words];
        let mut fields = widths.iter().zip(places).map(|(width, word)| {
            let shift = ends[*word];
            ends[*word] += width;
            Field { word: *word as u32, shift: shift.min(WORD), mask: (1 << width) - 1 }
        });
        let mut next = || fields.next().unwrap_or(Field { word: 0, shift: 0, mask: 0 });
        let (scene, faults) = (next(), next());
        let queues = counts.queues.iter().map(|_| next()).collect();
        let locals = counts.locals.iter().map(|_| next()).collect();
        Layout { locals, scene, queues, faults }
    }

    /// Every field, in one order.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        let shared = [self.scene, self.faults].into_iter();
        shared.chain(self.queues.iter().copied()).chain(self.locals.iter().copied())
    }

    /// Whether every number fits in its field.
    pub(super) fn fits(&self, counts: &Counts) -> bool {
        self.scene.fits(counts.scene)
            && self.faults.fits(counts.faults)
            && self.locals.iter().zip(&counts.locals).all(|(field, count)| field.fits(*count))
            && self.queues.iter().zip(&counts.queues).all(|(field, count)| field.fits(*count))
    }

    pub(super) fn pack<const N: usize>(&self, numbers: &Numbers) -> Packed<N> {
        let mut key = [0; N];
        self.scene.put(&mut key, numbers.scene);
        self.faults.put(&mut key, numbers.faults);
        self.queues
            .iter()
            .zip(&numbers.queues)
            .for_each(|(field, queue)| field.put(&mut key, *queue));
        self.locals
            .iter()
            .zip(&numbers.locals)
            .for_each(|(field, local)| field.put(&mut key, *local));
        key
    }

    pub(super) fn unpack<const N: usize>(&self, key: &Packed<N>) -> Numbers {
        Numbers {
            locals: self.locals.iter().map(|field| field.get(key)).collect(),
            scene: self.scene.get(key),
            queues: self.queues.iter().map(|field| field.get(key)).collect(),
            faults: self.faults.get(key),
        }
    }
}

impl Counts {
    /// Those that grow most first.
    fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let shared = [self.scene, self.faults].into_iter();
        shared.chain(self.queues.iter().copied()).chain(self.locals.iter().copied())
    }

    /// How many bits a state takes at least.
    pub(super) fn bits(&self) -> u32 {
        self.all().map(bits).sum()
    }
}

/// How many bits so many numbers take.
fn bits(count: usize) -> u32 {
    count.max(1).next_power_of_two().trailing_zeros()
}

/// Hands out what is left of each word, a bit at a time; what every process shares is to grow
/// most, so it comes twice in a round.
fn widen(mut widths: Vec<u32>, grows: &[bool], places: &[usize], used: &[u32]) -> Vec<u32> {
    const SHARED: usize = 2;
    const WIDEST: u32 = 30;
    let mut left: Vec<u32> = used.iter().map(|used| WORD - used).collect();
    let fields = (0..widths.len()).chain(0..SHARED.min(widths.len()));
    let round: Vec<usize> = fields.filter(|field| grows[*field]).collect();
    loop {
        let mut handed_out = false;
        for field in &round {
            let left = &mut left[places[*field]];
            if *left > 0 && widths[*field] < WIDEST {
                *left -= 1;
                widths[*field] += 1;
                handed_out = true;
            }
        }
        if !handed_out {
            return widths;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(locals: &[usize], scene: usize) -> Counts {
        Counts { locals: locals.to_vec(), scene, queues: Vec::new(), faults: 0 }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let counts = counts(&[17, 4, 300], 100_000);
        let layout = Layout::plan(&counts, 1).expect("fits");
        let numbers =
            Numbers { locals: vec![16, 3, 299], scene: 99_999, queues: Vec::new(), faults: 0 };
        assert_eq!(layout.unpack::<1>(&layout.pack(&numbers)), numbers);
        assert!(layout.fits(&counts));
    }

    #[test]
    fn a_state_that_is_too_wide_takes_more_words() {
        let counts = counts(&[1 << 20; 3], 1 << 20);
        assert_eq!(Layout::plan(&counts, 1), None);
        let layout = Layout::plan(&counts, 2).expect("fits");
        let numbers = Numbers {
            locals: vec![0xF_FFFF, 0, 0xA_BCDE],
            scene: 0xF_0F0F,
            queues: vec![],
            faults: 0,
        };
        assert_eq!(layout.unpack::<2>(&layout.pack(&numbers)), numbers);
    }

    #[test]
    fn a_field_that_has_become_too_narrow_is_noticed() {
        let layout = Layout::plan(&counts(&[4; 20], 4), 1).expect("fits");
        assert!(layout.fits(&counts(&[8; 20], 4)));
        assert!(!layout.fits(&counts(&[4, 64], 4)));
    }
}
