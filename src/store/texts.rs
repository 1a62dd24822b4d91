//! The texts within data, to be changed in place: how names are exchanged for other names.

use std::sync::Arc;

use super::{
    Command, Document, Filter, Operation, Operator, Predicate, Reply, StoreError, Text, Update,
    Updated, Value,
};

/// Data with texts in it.
pub(crate) trait Texts {
    /// Shows each text, in an order that depends on the shape of the data only. Names of fields
    /// within a path are none: they are part of the shape.
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text));
}

impl Texts for Text {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        change(self);
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.iter_mut().for_each(|item| item.each_text(change));
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.iter_mut().for_each(|item| item.each_text(change));
    }
}

impl<T: Texts, E: Texts> Texts for Result<T, E> {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Ok(value) => value.each_text(change),
            Err(error) => error.each_text(change),
        }
    }
}

impl<A: Texts, B: Texts> Texts for (A, B) {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.0.each_text(change);
        self.1.each_text(change);
    }
}

impl Texts for Value {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Value::String(text) => change(text),
            Value::Document(document) => document.each_text(change),
            Value::Array(items) => Arc::make_mut(items).each_text(change),
            _ => {}
        }
    }
}

/// Fields that were in the order of their names are so afterwards.
impl Texts for Document {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        let was_sorted = self.is_sorted();
        self.change_fields(|name, value| {
            change(name);
            value.each_text(change);
        });
        if was_sorted {
            self.sort_fields();
        }
    }
}

impl Texts for Predicate {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Predicate::Eq(value)
            | Predicate::Ne(value)
            | Predicate::Lt(value)
            | Predicate::Lte(value)
            | Predicate::Gt(value)
            | Predicate::Gte(value) => value.each_text(change),
            Predicate::In(values) => values.each_text(change),
            Predicate::Exists(_) | Predicate::Size(_) => {}
        }
    }
}

impl Texts for Filter {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Filter::Field(_, predicate) => predicate.each_text(change),
            Filter::And(parts) | Filter::Or(parts) => parts.each_text(change),
        }
    }
}

impl Texts for Operator {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Operator::Set(_, value)
            | Operator::SetOnInsert(_, value)
            | Operator::Inc(_, value)
            | Operator::Push(_, value)
            | Operator::AddToSet(_, value)
            | Operator::Pull(_, value) => value.each_text(change),
            Operator::PullMatching(_, filter) => filter.each_text(change),
            Operator::Unset(_) | Operator::PopFirst(_) | Operator::PopLast(_) => {}
        }
    }
}

impl Texts for Update {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.operators_mut().for_each(|operator| operator.each_text(change));
    }
}

impl Texts for Operation {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Operation::FindOne { filter, .. }
            | Operation::Scan { filter, .. }
            | Operation::DeleteOne { filter } => filter.each_text(change),
            Operation::InsertOne { document } => document.each_text(change),
            Operation::UpdateOne { filter, update, .. }
            | Operation::FindOneAndUpdate { filter, update, .. } => {
                filter.each_text(change);
                update.each_text(change);
            }
            Operation::ReplaceOne { filter, replacement, .. } => {
                filter.each_text(change);
                replacement.each_text(change);
            }
        }
    }
}

impl Texts for Command {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        change(&mut self.collection);
        self.operation.each_text(change);
    }
}

impl Texts for Reply {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        match self {
            Reply::Document(document) => document.each_text(change),
            Reply::Documents(documents) => documents.each_text(change),
            Reply::Updated(Updated { upserted, .. }) => upserted.each_text(change),
            Reply::Inserted | Reply::Deleted(_) => {}
        }
    }
}

impl Texts for StoreError {
    fn each_text(&mut self, change: &mut dyn FnMut(&mut Text)) {
        self.texts_mut().into_iter().flatten().for_each(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc;
    use crate::store::filter::by_id;
    use crate::store::update::push;

    fn swapped<T: Texts>(mut data: T) -> T {
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
    fn fields_stay_in_the_order_of_their_names() {
        assert_eq!(swapped(doc! {"a": 1, "c": 2}), doc! {"b": 1, "c": 2});
        assert_eq!(swapped(doc! {"a": 1, "b": 2}), doc! {"a": 2, "b": 1});
        assert_eq!(swapped(doc! {"c": 1, "a": 2}), doc! {"c": 1, "b": 2});
    }
}
