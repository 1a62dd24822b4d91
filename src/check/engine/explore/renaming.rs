//! An exchange of names: of texts for texts, and of processes for processes.

use rustc_hash::FxHashMap;

use crate::store::{Atoms, Text};

/// An exchange of names, each two of them for each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Renaming {
    /// Those that stay as they are, and have to, among them.
    texts: FxHashMap<Text, Text>,
}

impl Renaming {
    /// Exchanges two names more; `false` where one of them is exchanged for another already.
    pub(super) fn exchange(&mut self, one: &Text, other: &Text) -> bool {
        let agrees = |a, b| self.texts.get(a).is_none_or(|known| known == b);
        if !agrees(one, other) || !agrees(other, one) {
            return false;
        }
        self.texts.insert(one.clone(), other.clone());
        self.texts.insert(other.clone(), one.clone());
        true
    }

    /// Exchanges the names by which two things differ that are otherwise alike; `false` where they
    /// are not.
    pub(super) fn unify<T: Atoms + Clone + Eq>(&mut self, one: &T, other: &T) -> bool {
        let ((one, names), (other, others)) = (shape(one), shape(other));
        one == other && names.iter().zip(&others).all(|(name, other)| self.exchange(name, other))
    }

    /// The same under other names.
    pub(super) fn of<T: Atoms + Clone>(&self, thing: &T) -> T {
        let mut thing = thing.clone();
        thing.each_text(&mut |text| {
            if let Some(other) = self.texts.get(text) {
                text.clone_from(other);
            }
        });
        thing
    }

    /// The name for a name.
    pub(super) fn of_name(&self, name: &Text) -> Text {
        self.texts.get(name).unwrap_or(name).clone()
    }

    /// The names that are exchanged.
    pub(super) fn names(&self) -> impl Iterator<Item = &Text> {
        self.texts.iter().filter(|(name, other)| name != other).map(|(name, _)| name)
    }

    /// How many names it says something of.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// A thing without its names, and the names.
fn shape<T: Atoms + Clone>(thing: &T) -> (T, Vec<Text>) {
    let (mut thing, mut names) = (thing.clone(), Vec::new());
    let nameless: Text = "".into();
    thing.each_text(&mut |text| names.push(std::mem::replace(text, nameless.clone())));
    (thing, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc;

    #[test]
    fn what_differs_by_names_alone_is_unified() {
        let mut renaming = Renaming::default();
        assert!(renaming.unify(&doc! {"_id": "r", "by": "a"}, &doc! {"_id": "r", "by": "b"}));
        assert_eq!(renaming.of(&doc! {"x": ["a", "b", "c"]}), doc! {"x": ["b", "a", "c"]});
        assert!(!renaming.unify(&doc! {"n": 1}, &doc! {"n": 2}));
        assert!(!renaming.unify(&doc! {"n": "a"}, &doc! {"n": "c"}), "a is exchanged for b");
        assert!(!renaming.unify(&doc! {"n": "r"}, &doc! {"n": "c"}), "r stays as it is");
    }
}
