//! The texts and ordinals within data, to be changed in place: how names are exchanged for other names,
//! and ordinals are numbered anew.

use std::sync::Arc;

use super::{
    Command, Document, Filter, Operation, Operator, Ordinal, Predicate, Reply, StoreError, Text,
    Update, Updated, Value,
};

/// A text or an ordinal.
pub(crate) enum Atom<'a> {
    Text(&'a mut Text),
    Ordinal(&'a mut Ordinal),
}

/// Data with texts and ordinals in it.
pub(crate) trait Atoms {
    /// Shows each of them, in an order that depends on the shape of the data only. Names of fields
    /// within a path are none: they are part of the shape.
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>));

    /// Shows each text, and the name of the scale of each ordinal.
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.each_atom(&mut |atom| match atom {
            Atom::Text(text) => change(text),
            Atom::Ordinal(ordinal) => ordinal.scale.iter_mut().for_each(&mut *change),
        });
    }

    /// Shows each ordinal.
    fn each_ordinal(&mut self, change: &mut dyn FnMut(&mut Ordinal)) {
        self.each_atom(&mut |atom| {
            if let Atom::Ordinal(ordinal) = atom {
                change(ordinal);
            }
        });
    }
}

impl Atoms for Text {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        change(Atom::Text(self));
    }
}

impl Atoms for Ordinal {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        change(Atom::Ordinal(self));
    }
}

impl<T: Atoms> Atoms for Vec<T> {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.iter_mut().for_each(|item| item.each_atom(change));
    }
}

impl<T: Atoms> Atoms for Option<T> {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.iter_mut().for_each(|item| item.each_atom(change));
    }
}

impl<T: Atoms, E: Atoms> Atoms for Result<T, E> {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Ok(value) => value.each_atom(change),
            Err(error) => error.each_atom(change),
        }
    }
}

impl<A: Atoms, B: Atoms> Atoms for (A, B) {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.0.each_atom(change);
        self.1.each_atom(change);
    }
}

impl Atoms for Value {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Value::String(text) => text.each_atom(change),
            Value::Ordinal(ordinal) => change(Atom::Ordinal(Arc::make_mut(ordinal))),
            Value::Document(document) => document.each_atom(change),
            Value::Array(items) => Arc::make_mut(items).each_atom(change),
            _ => {}
        }
    }
}

/// Fields that were in the order of their names are so afterwards.
impl Atoms for Document {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        let was_sorted = self.is_sorted();
        self.change_fields(|name, value| {
            name.each_atom(change);
            value.each_atom(change);
        });
        if was_sorted {
            self.sort_fields();
        }
    }
}

impl Atoms for Predicate {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Predicate::Eq(value)
            | Predicate::Ne(value)
            | Predicate::Lt(value)
            | Predicate::Lte(value)
            | Predicate::Gt(value)
            | Predicate::Gte(value) => value.each_atom(change),
            Predicate::In(values) => values.each_atom(change),
            Predicate::Exists(_) | Predicate::Size(_) => {}
        }
    }
}

impl Atoms for Filter {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Filter::Field(_, predicate) => predicate.each_atom(change),
            Filter::And(parts) | Filter::Or(parts) => parts.each_atom(change),
        }
    }
}

impl Atoms for Operator {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Operator::Set(_, value)
            | Operator::SetOnInsert(_, value)
            | Operator::Inc(_, value)
            | Operator::Push(_, value)
            | Operator::AddToSet(_, value)
            | Operator::Pull(_, value) => value.each_atom(change),
            Operator::PullMatching(_, filter) => filter.each_atom(change),
            Operator::Unset(_) | Operator::PopFirst(_) | Operator::PopLast(_) => {}
        }
    }
}

impl Atoms for Update {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.operators_mut().for_each(|operator| operator.each_atom(change));
    }
}

impl Atoms for Operation {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Operation::FindOne { filter, .. }
            | Operation::Scan { filter, .. }
            | Operation::DeleteOne { filter } => filter.each_atom(change),
            Operation::InsertOne { document } => document.each_atom(change),
            Operation::UpdateOne { filter, update, .. }
            | Operation::FindOneAndUpdate { filter, update, .. } => {
                filter.each_atom(change);
                update.each_atom(change);
            }
            Operation::ReplaceOne { filter, replacement, .. } => {
                filter.each_atom(change);
                replacement.each_atom(change);
            }
        }
    }
}

impl Atoms for Command {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.collection.each_atom(change);
        self.operation.each_atom(change);
    }
}

impl Atoms for Reply {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        match self {
            Reply::Document(document) => document.each_atom(change),
            Reply::Documents(documents) => documents.each_atom(change),
            Reply::Updated(Updated { upserted, .. }) => upserted.each_atom(change),
            Reply::Inserted | Reply::Deleted(_) => {}
        }
    }
}

impl Atoms for StoreError {
    fn each_atom(&mut self, change: &mut dyn FnMut(Atom<'_>)) {
        self.texts_mut().into_iter().flatten().for_each(|text| text.each_atom(change));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc;
    use crate::store::filter::by_id;
    use crate::store::update::push;

    fn swapped<T: Atoms>(mut data: T) -> T {
        data.each_text(&mut |text| match &**text {
            "a" => *text = "b".into(),
            "b" => *text = "a".into(),
            _ => {}
        });
        data
    }

    #[test]
    fn names_are_exchanged_wherever_data_has_them() {
        let update = |id: &str, task: &str| Operation::UpdateOne {
            filter: by_id(id),
            update: push("tasks", doc! {"of": task}),
            upsert: false,
        };
        assert_eq!(swapped(update("a", "b")), update("b", "a"));
        let reply = |name: &str| Reply::Documents(vec![doc! {"_id": 1, "in": [name, "c"]}]);
        assert_eq!(swapped(reply("a")), reply("b"));
        assert_eq!(
            swapped(StoreError::duplicate_key("a", "_id_")),
            StoreError::duplicate_key("b", "_id_"),
        );
    }

    #[test]
    fn the_scale_of_an_ordinal_is_a_name() {
        assert_eq!(swapped(doc! {"x": Ordinal::first("a")}), doc! {"x": Ordinal::first("b")});
    }

    #[test]
    fn ordinals_are_changed_wherever_data_has_them() {
        let first = || Ordinal::first("s");
        let mut reply = Reply::Documents(vec![doc! {"_id": first(), "x": [first()], "y": 1}]);
        let mut shown = 0;
        reply.each_ordinal(&mut |ordinal| {
            shown += 1;
            ordinal.number += shown;
        });
        let number = |value: &Value| value.as_int();
        let Reply::Documents(documents) = reply else { return };
        assert_eq!(documents[0].iter().map(|(_, value)| number(value)).max(), Some(Some(2)));
        assert_eq!(shown, 2);
    }

    #[test]
    fn fields_stay_in_the_order_of_their_names() {
        assert_eq!(swapped(doc! {"a": 1, "c": 2}), doc! {"b": 1, "c": 2});
        assert_eq!(swapped(doc! {"a": 1, "b": 2}), doc! {"a": 2, "b": 1});
        assert_eq!(swapped(doc! {"c": 1, "a": 2}), doc! {"c": 1, "b": 2});
    }
}
