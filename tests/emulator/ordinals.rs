//! An ordinal is the integer that it is on a server: random commands cannot tell them apart.

use doorway::store::memory::State;
use doorway::store::{
    Command, Document, Filter, Operation, Operator, Predicate, Reply, Updated, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::support::generate::{command, document, indexes};

/// The value with each integer as an ordinal.
fn ordinal(value: &Value) -> Value {
    match value {
        Value::Int(number) => {
            let json = json!({"$ordinal": {"of": "numbers", "number": number.to_string()}});
            serde_json::from_value(json).unwrap()
        }
        other => inside(other, ordinal),
    }
}

/// The value with each ordinal as an integer.
fn plain(value: &Value) -> Value {
    match value {
        Value::Ordinal(_) => value.as_int().unwrap().into(),
        other => inside(other, plain),
    }
}

fn inside(value: &Value, change: fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(change).collect::<Vec<Value>>().into(),
        Value::Document(document) => inside_document(document, change).into(),
        other => other.clone(),
    }
}

fn inside_document(document: &Document, change: fn(&Value) -> Value) -> Document {
    document.iter().map(|(name, value)| (name.clone(), change(value))).collect()
}

fn in_filter(filter: &Filter) -> Filter {
    match filter {
        Filter::And(parts) => Filter::And(parts.iter().map(in_filter).collect()),
        Filter::Or(parts) => Filter::Or(parts.iter().map(in_filter).collect()),
        Filter::Field(path, predicate) => {
            let predicate = match predicate {
                Predicate::Eq(value) => Predicate::Eq(ordinal(value)),
                Predicate::Ne(value) => Predicate::Ne(ordinal(value)),
                Predicate::Lt(value) => Predicate::Lt(ordinal(value)),
                Predicate::Lte(value) => Predicate::Lte(ordinal(value)),
                Predicate::Gt(value) => Predicate::Gt(ordinal(value)),
                Predicate::Gte(value) => Predicate::Gte(ordinal(value)),
                Predicate::In(values) => Predicate::In(values.iter().map(ordinal).collect()),
                other => other.clone(),
            };
            Filter::Field(path.clone(), predicate)
        }
    }
}

fn in_operator(operator: &Operator) -> Operator {
    match operator {
        Operator::Set(path, value) => Operator::Set(path.clone(), ordinal(value)),
        Operator::SetOnInsert(path, value) => Operator::SetOnInsert(path.clone(), ordinal(value)),
        Operator::Inc(path, value) => Operator::Inc(path.clone(), ordinal(value)),
        Operator::Push(path, value) => Operator::Push(path.clone(), ordinal(value)),
        Operator::AddToSet(path, value) => Operator::AddToSet(path.clone(), ordinal(value)),
        Operator::Pull(path, value) => Operator::Pull(path.clone(), ordinal(value)),
        Operator::PullMatching(path, filter) => {
            Operator::PullMatching(path.clone(), in_filter(filter))
        }
        other => other.clone(),
    }
}

fn in_command(command: &Command) -> Command {
    let mut command = command.clone();
    match &mut command.operation {
        Operation::FindOne { filter, .. }
        | Operation::Scan { filter, .. }
        | Operation::DeleteOne { filter } => *filter = in_filter(filter),
        Operation::InsertOne { document } => *document = inside_document(document, ordinal),
        Operation::UpdateOne { filter, update, .. }
        | Operation::FindOneAndUpdate { filter, update, .. } => {
            *filter = in_filter(filter);
            *update = update.operators().iter().map(in_operator).collect();
        }
        Operation::ReplaceOne { filter, replacement, .. } => {
            *filter = in_filter(filter);
            *replacement = inside_document(replacement, ordinal);
        }
    }
    command
}

fn plain_reply(reply: Reply) -> Reply {
    let plain_document = |document: &Document| inside_document(document, plain);
    match reply {
        Reply::Document(document) => Reply::Document(document.as_ref().map(plain_document)),
        Reply::Documents(all) => Reply::Documents(all.iter().map(plain_document).collect()),
        Reply::Updated(Updated { matched, modified, upserted }) => {
            Reply::Updated(Updated { matched, modified, upserted: upserted.as_ref().map(plain) })
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_command_tells_an_ordinal_from_its_integer(
        indexes in indexes(),
        documents in vec(document(), 0..5),
        commands in vec(command(), 1..5),
        in_documents: bool,
        in_commands: bool,
    ) {
        let (mut state, mut other) = (State::new(), State::new());
        for (state, is_other) in [(&mut state, false), (&mut other, in_documents)] {
            state.provision("c", &indexes).unwrap();
            for document in &documents {
                let change = if is_other { ordinal } else { plain };
                let _ = state.insert("c", inside_document(document, change));
            }
        }
        for command in commands {
            let other_command = if in_commands { in_command(&command) } else { command.clone() };
            let reply = state.execute(command);
            let other_reply = other.execute(other_command).map(plain_reply);
            prop_assert_eq!(reply, other_reply);
            prop_assert_eq!(state.dump(), inside_document(&other.dump(), plain));
        }
    }
}

#[test]
fn the_next_one_is_counted_up_on_its_scale() {
    use doorway::doc;
    use doorway::store::filter::by_id;
    use doorway::store::update::next;
    use doorway::store::{Ordinal, Projection, Returns};
    let mut state = State::new();
    let mut draw = || {
        let operation = Operation::FindOneAndUpdate {
            filter: by_id("c"),
            update: next("n", "tickets"),
            sort: Vec::new(),
            upsert: true,
            returns: Returns::After,
            projection: Projection::All,
        };
        let concern = Default::default();
        state.execute(Command { collection: "counters".into(), operation, concern }).unwrap()
    };
    let first = doc! {"_id": "c", "n": Ordinal::first("tickets")};
    assert_eq!(draw(), Reply::Document(Some(first)), "where there is none, the first");
    let Reply::Document(Some(second)) = draw() else { panic!() };
    assert_eq!(second.get("n").unwrap().as_int(), Some(2));
    let json = serde_json::to_value(&second).unwrap();
    assert_eq!(json["n"], json!({"$ordinal": {"of": "tickets", "number": "2"}}));
}
