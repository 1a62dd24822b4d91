//! Random commands that get in each other's way: few documents, few values, and the shapes of a
//! reservation.

use doorway::store::filter::{all, by_id, eq, exists, gt, lt, missing, ne, size};
use doorway::store::update::{add_to_set, inc, pop_first, pull, push, set, set_on_insert, unset};
use doorway::store::{
    Command, Document, Filter, Index, Operation, Projection, Returns, Sort, Update,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::commands::on;

/// The sets of indexes of which a collection has one.
pub(crate) fn index_sets() -> Vec<Vec<Index>> {
    let one_worker = || Index::unique(["w"]).partial(exists("w"));
    vec![
        vec![],
        vec![one_worker()],
        vec![Index::unique(["n"]).sparse()],
        vec![Index::unique(["w", "n"])],
    ]
}

fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c"])
}

fn worker() -> impl Strategy<Value = &'static str> {
    select(vec!["p", "q"])
}

fn task() -> impl Strategy<Value = &'static str> {
    select(vec!["s", "t"])
}

fn number() -> impl Strategy<Value = i64> {
    0..4_i64
}

pub(crate) fn document() -> impl Strategy<Value = Document> {
    let fields = (option::of(number()), option::of(worker()), option::of(vec(task(), 0..3)));
    (id(), fields).prop_map(|(id, (n, w, t))| {
        let mut document = Document::new().with("_id", id);
        n.into_iter().for_each(|n| document.set("n", n));
        w.into_iter().for_each(|w| document.set("w", w));
        t.into_iter().for_each(|t| document.set("t", t));
        document
    })
}

fn condition() -> impl Strategy<Value = Filter> {
    prop_oneof![
        3 => worker().prop_map(|w| eq("w", w)),
        2 => Just(missing("w")),
        1 => Just(exists("w")),
        2 => number().prop_map(|n| eq("n", n)),
        1 => number().prop_map(|n| lt("n", n)),
        1 => number().prop_map(|n| gt("n", n)),
        2 => task().prop_map(|t| ne("t", t)),
        1 => task().prop_map(|t| eq("t", t)),
        1 => (0..3_u32).prop_map(|n| size("t", n)),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        3 => id().prop_map(by_id),
        4 => (id(), condition()).prop_map(|(id, other)| by_id(id).and(other)),
        4 => condition(),
        1 => Just(all()),
    ]
}

fn change() -> impl Strategy<Value = Update> {
    prop_oneof![
        3 => worker().prop_map(|w| set("w", w)),
        2 => Just(unset("w")),
        2 => number().prop_map(|n| set("n", n)),
        2 => Just(inc("n", 1)),
        3 => task().prop_map(|t| push("t", t)),
        1 => task().prop_map(|t| add_to_set("t", t)),
        1 => task().prop_map(|t| pull("t", t)),
        2 => Just(pop_first("t").unset("w")),
        1 => (worker(), number()).prop_map(|(w, n)| set("w", w).set_on_insert("n", n)),
    ]
}

/// A change that may insert: by `_id`, or by another field with an `_id` of its own.
fn upsert() -> impl Strategy<Value = (Filter, Update)> {
    prop_oneof![
        2 => (id(), change()).prop_map(|(id, change)| (by_id(id), change)),
        2 => (id(), task()).prop_map(|(id, t)| (by_id(id).and(ne("t", t)), push("t", t))),
        1 => (id(), number())
            .prop_map(|(id, n)| (by_id(id).and(lt("n", n)), set("n", n))),
        1 => (worker(), id(), task())
            .prop_map(|(w, id, t)| (eq("w", w), set_on_insert("_id", id).push("t", t))),
        1 => (number(), id(), worker())
            .prop_map(|(n, id, w)| (eq("n", n), set_on_insert("_id", id).set("w", w))),
    ]
}

fn sort() -> impl Strategy<Value = Vec<Sort>> {
    let by_n = [Sort::ascending("n"), Sort::ascending("_id")].concat();
    select(vec![Vec::new(), by_n, Sort::descending("_id")])
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let returns = || select(vec![Returns::Before, Returns::After]);
    let projection = Projection::All;
    prop_oneof![
        1 => filter().prop_map(|filter| Operation::FindOne { filter, projection: Projection::All }),
        2 => (filter(), sort()).prop_map(|(filter, sort)| Operation::Scan {
            filter, sort, limit: None, projection: Projection::All
        }),
        2 => document().prop_map(|document| Operation::InsertOne { document }),
        5 => (filter(), change())
            .prop_map(|(filter, update)| Operation::UpdateOne { filter, update, upsert: false }),
        4 => upsert()
            .prop_map(|(filter, update)| Operation::UpdateOne { filter, update, upsert: true }),
        3 => (filter(), change(), sort(), returns()).prop_map(
            |(filter, update, sort, returns)| Operation::FindOneAndUpdate {
                filter, update, sort, upsert: false, returns, projection: Projection::All
            }
        ),
        2 => (upsert(), returns()).prop_map(
            move |((filter, update), returns)| Operation::FindOneAndUpdate {
                filter, update, sort: Vec::new(), upsert: true, returns,
                projection: projection.clone()
            }
        ),
        1 => (filter(), document()).prop_map(|(filter, mut replacement)| {
            replacement.remove("_id");
            Operation::ReplaceOne { filter, replacement, upsert: false }
        }),
        2 => filter().prop_map(|filter| Operation::DeleteOne { filter }),
    ]
    .prop_map(|operation| on("c", operation))
}
