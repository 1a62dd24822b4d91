//! Random documents and commands over a small world, so that they meet each other.

use doorway::store::{
    Command, Document, Filter, Index, Operation, Operator, Path, Predicate, Projection, Returns,
    Sort, Update, Value, filter, update,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::commands::on;

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0..5_i64).prop_map(Value::Int),
        1 => Just(Value::Double(2.0)),
        2 => select(vec!["x", "y"]).prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0..4_i64).prop_map(Value::Int),
        1 => select(vec![Value::Double(1.0), Value::Double(1.5), Value::Double(f64::NAN)]),
        3 => select(vec!["s", "t", ""]).prop_map(Value::from),
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => select(vec![Value::MinKey, Value::MaxKey, Value::DateTime(0), Value::Int(i64::MAX)]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            (option::of(inner.clone()), option::of(inner)).prop_map(|(x, y)| embedded(x, y)),
        ]
    })
}

fn embedded(x: Option<Value>, y: Option<Value>) -> Value {
    let fields = [("x", x), ("y", y)].into_iter().filter_map(|(name, v)| Some((name, v?)));
    Value::Document(fields.collect())
}

pub(crate) fn document() -> impl Strategy<Value = Document> {
    let tags = vec(scalar(), 0..3);
    let fields = (id(), option::of(value()), option::of(scalar()), option::of(tags));
    (fields, option::of((option::of(scalar()), option::of(scalar())))).prop_map(
        |((id, a, n, t), d)| {
            let mut document = Document::new().with("_id", id);
            a.into_iter().for_each(|a| document.set("a", a));
            n.into_iter().for_each(|n| document.set("n", n));
            t.into_iter().for_each(|t| document.set("t", t));
            d.into_iter().for_each(|(x, y)| document.set("d", embedded(x, y)));
            document
        },
    )
}

fn path() -> impl Strategy<Value = Path> {
    select(vec!["a", "n", "t", "d", "a.x", "d.x", "d.y", "t.0", "a.0", "a.1", "a.0.x", "a.x.y"])
        .prop_map(Path::from)
}

fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        4 => value().prop_map(Predicate::Eq),
        2 => value().prop_map(Predicate::Ne),
        1 => vec(value(), 0..3).prop_map(Predicate::In),
        2 => any::<bool>().prop_map(Predicate::Exists),
        1 => (0..3_u32).prop_map(Predicate::Size),
        1 => scalar().prop_map(Predicate::Lt),
        1 => scalar().prop_map(Predicate::Lte),
        1 => scalar().prop_map(Predicate::Gt),
        1 => value().prop_map(Predicate::Gte),
        1 => select(vec![
            Predicate::Ne(Value::Null),
            Predicate::In(vec![Value::Null, 1.into()]),
            Predicate::Lte(Value::Null),
            Predicate::Gte(Value::Null),
        ]),
    ]
}

fn by_id() -> impl Strategy<Value = Filter> {
    id().prop_map(filter::by_id)
}

fn condition() -> impl Strategy<Value = Filter> {
    prop_oneof![
        4 => (path(), predicate()).prop_map(|(path, predicate)| Filter::Field(path, predicate)),
        1 => id().prop_map(|id| filter::gt("_id", id)),
    ]
    .prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::And),
            vec(inner, 1..3).prop_map(Filter::Or),
        ]
    })
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        5 => by_id(),
        2 => (by_id(), condition()).prop_map(|(id, other)| id.and(other)),
        2 => condition(),
        1 => Just(filter::all()),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    let path = prop_oneof![20 => path(), 1 => Just(Path::from("_id"))];
    (path, value(), condition(), 0..11).prop_map(|(path, value, condition, kind)| match kind {
        0 | 1 => Operator::Set(path, value),
        2 => Operator::Unset(path),
        3 => Operator::SetOnInsert(path, value),
        4 => Operator::Inc(path, if let Value::Double(_) = value { value } else { 1.into() }),
        5 => Operator::Push(path, value),
        6 => Operator::AddToSet(path, value),
        7 => Operator::Pull(path, value),
        8 => Operator::PopFirst(path),
        9 => Operator::PullMatching(path, condition),
        _ => Operator::PopLast(path),
    })
}

/// Often the field that suits the operator, else anything.
fn change() -> impl Strategy<Value = Update> {
    prop_oneof![
        2 => scalar().prop_map(|value| update::push("t", value)),
        1 => scalar().prop_map(|value| update::add_to_set("t", value)),
        2 => (0..9_i64).prop_map(|value| update::set("n", value)),
        2 => value().prop_map(|value| update::set("a", value)),
        1 => scalar().prop_map(|value| update::set("d.x", value)),
        5 => vec(operator(), 1..3).prop_map(Update::from_iter),
    ]
}

fn sort() -> impl Strategy<Value = Vec<Sort>> {
    let part = (select(vec!["n", "t", "a", "d.x", "_id"]), any::<bool>()).prop_map(|(path, up)| {
        if up { Sort::Ascending(path.into()) } else { Sort::Descending(path.into()) }
    });
    prop_oneof![2 => Just(Vec::new()), 1 => vec(part, 1..3)]
}

fn projection() -> impl Strategy<Value = Projection> {
    select(vec![
        Projection::All,
        Projection::Include(vec!["n".into(), "t".into()]),
        Projection::Include(vec!["_id".into()]),
        Projection::Exclude(vec!["a".into()]),
        Projection::Exclude(vec!["_id".into(), "d.x".into()]),
    ])
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let upsert = || prop::bool::weighted(0.3);
    let limit = option::weighted(0.3, 1..3_u32);
    let returns = select(vec![Returns::Before, Returns::After]);
    prop_oneof![
        1 => (filter(), projection())
            .prop_map(|(filter, projection)| Operation::FindOne { filter, projection }),
        2 => (filter(), sort(), limit, projection()).prop_map(
            |(filter, sort, limit, projection)| Operation::Scan { filter, sort, limit, projection }
        ),
        4 => document().prop_map(|document| Operation::InsertOne { document }),
        9 => (filter(), change(), upsert())
            .prop_map(|(filter, update, upsert)| Operation::UpdateOne { filter, update, upsert }),
        4 => (filter(), change(), sort(), upsert(), returns, projection()).prop_map(
            |(filter, update, sort, upsert, returns, projection)| Operation::FindOneAndUpdate {
                filter, update, sort, upsert, returns, projection
            }
        ),
        3 => (filter(), document(), any::<bool>(), upsert()).prop_map(
            |(filter, mut replacement, keeps_id, upsert)| {
                if keeps_id { replacement.remove("_id"); }
                Operation::ReplaceOne { filter, replacement, upsert }
            }
        ),
        1 => filter().prop_map(|filter| Operation::DeleteOne { filter }),
    ]
    .prop_map(|operation| on("c", operation))
}

pub(crate) fn indexes() -> impl Strategy<Value = Vec<Index>> {
    proptest::sample::subsequence(
        vec![
            Index::unique(["n"]).partial(filter::exists("n")),
            Index::unique(["t"]).sparse(),
            Index::unique(["d.x", "n"]).partial(filter::gt("d.x", 0)),
            Index::unique(["a", "n"]).partial(filter::exists("a").and(filter::exists("d"))),
            Index::unique(["d"]).sparse(),
            Index::unique(["a"]),
            Index::unique(["n", "d"]),
        ],
        0..3,
    )
}
