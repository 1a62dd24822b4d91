//! Orbits: of the numbers of one component of a state, which are one under exchanges of names.
//!
//! For each orbit there is the image of its first member under each element of the group. Any other
//! member is such an image, so its own images are found by a product of two elements. A component
//! may come once for each process or queue: then an element also moves it from slot to slot.

use rustc_hash::FxHashMap;

use super::error::CheckError;
use super::group::{Element, Group, NEUTRAL};

/// Stands for the orbit of a number that has none yet.
const NONE: u32 = u32::MAX;

/// A number as a member of its orbit: the image of the first member under an element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) orbit: u32,
    pub(super) by: Element,
}

/// The orbits of one component.
#[derive(Clone, Debug, Default)]
pub(super) struct Orbits {
    order: usize,
    /// By slot and number.
    members: Vec<Vec<Member>>,
    /// By orbit and element: the image of the first member.
    images: Vec<u32>,
    /// By slot: all numbers below have an orbit.
    closed: Vec<u32>,
}

/// What one generator makes of the number in a slot; `None` where it makes nothing of it.
pub(super) type Rename<'a> =
    &'a mut dyn FnMut(usize, usize, u32) -> Result<Option<u32>, CheckError>;

impl Orbits {
    pub(super) fn new(group: &Group, slots: usize) -> Orbits {
        Orbits {
            order: group.order(),
            members: vec![Vec::new(); slots],
            images: Vec::new(),
            closed: vec![0; slots],
        }
    }

    /// The image of a number that has an orbit.
    #[inline]
    pub(super) fn image(&self, group: &Group, slot: usize, number: u32, under: Element) -> u32 {
        self.at(group, self.members[slot][number as usize], under)
    }

    /// The same of a member.
    #[inline]
    pub(super) fn at(&self, group: &Group, member: Member, under: Element) -> u32 {
        self.images[member.orbit as usize * self.order + group.product(under, member.by) as usize]
    }

    /// The orbit of a number, if it is known.
    #[inline]
    pub(super) fn member(&self, slot: usize, number: u32) -> Option<Member> {
        let member = *self.members[slot].get(number as usize)?;
        (member.orbit != NONE).then_some(member)
    }

    /// The first number in a slot that has no orbit, of so many.
    pub(super) fn open(&mut self, slot: usize, count: usize) -> Option<u32> {
        while (self.closed[slot] as usize) < count && self.member(slot, self.closed[slot]).is_some()
        {
            self.closed[slot] += 1;
        }
        ((self.closed[slot] as usize) < count).then_some(self.closed[slot])
    }

    /// How many orbits there are.
    pub(super) fn count(&self) -> usize {
        self.images.len() / self.order
    }

    /// The images of the first member of an orbit, by element.
    pub(super) fn images(&self, orbit: usize) -> &[u32] {
        &self.images[orbit * self.order..][..self.order]
    }

    /// Finds the orbit of a number. `slots`: where each element takes each slot. Returns `false`
    /// where what the generators make of the numbers is not the work of a group.
    pub(super) fn close(
        &mut self,
        group: &Group,
        slots: &dyn Fn(Element, usize) -> usize,
        (slot, number): (usize, u32),
        rename: Rename<'_>,
    ) -> Result<bool, CheckError> {
        if self.member(slot, number).is_some() {
            return Ok(true);
        }
        let orbit = self.count() as u32;
        let mut renamed = FxHashMap::default();
        let mut images = vec![number];
        for element in group.elements().skip(1) {
            let (generator, before) = group.made_of(element);
            let (from, before) = (slots(before, slot), images[before as usize]);
            let image = match renamed.get(&(generator, from, before)) {
                Some(known) => *known,
                None => {
                    let Some(image) = rename(generator, from, before)? else { return Ok(false) };
                    *renamed.entry((generator, from, before)).or_insert(image)
                }
            };
            images.push(image);
        }
        for (element, image) in group.elements().zip(&images) {
            let Member { orbit: known, by } = self.place(slots(element, slot), *image);
            if *known == NONE {
                (*known, *by) = (orbit, element);
            } else if *known != orbit || !is_alike(group, &images, *by, element) {
                return Ok(false);
            }
        }
        self.images.extend(images);
        Ok(true)
    }

    fn place(&mut self, slot: usize, number: u32) -> &mut Member {
        let members = &mut self.members[slot];
        if members.len() <= number as usize {
            members.resize(number as usize + 1, Member { orbit: NONE, by: NEUTRAL });
        }
        &mut members[number as usize]
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        let members: usize = self.members.iter().map(Vec::capacity).sum();
        members * size_of::<Member>() + self.images.capacity() * size_of::<u32>()
    }
}

/// Whether two elements that come to one image do so before each generator.
fn is_alike(group: &Group, images: &[u32], one: Element, other: Element) -> bool {
    (0..group.generators.len()).all(|generator| {
        let after = |element| images[group.generated(generator, element) as usize];
        after(one) == after(other)
    })
}
