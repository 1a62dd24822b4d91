//! What an upsert inserts.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, gt, is_in, ne};
use doorway::store::memory::State;
use doorway::store::update::{push, set, set_on_insert, unset};
use doorway::store::{
    Document, Filter, Operation, Projection, Reply, Returns, StoreError, Update, Value,
};

use crate::support::commands::{content, on, upsert, upserted};

fn inserted(filter: Filter, update: Update) -> Result<Document, StoreError> {
    let mut state = State::new();
    let reply = state.execute(upsert(filter, update));
    match content(&state).pop() {
        Some(document) => {
            assert_eq!(reply, Ok(upserted(document.id().unwrap())));
            Ok(document)
        }
        None => {
            assert_eq!(state, State::new(), "a refused upsert leaves nothing");
            Err(reply.unwrap_err())
        }
    }
}

#[test]
fn the_equalities_of_the_filter_become_fields() {
    let filter = by_id(1).and(eq("a.b", 1).and(eq("a.c", 2))).and(gt("n", 5)).and(ne("t", "x"));
    let expected = doc! {"_id": 1, "a": doc! {"b": 1, "c": 2}, "s": 1, "t": ["y"]};
    assert_eq!(inserted(filter, push("t", "y").set("s", 1)), Ok(expected));
}

#[test]
fn null_and_whole_values_become_fields_too() {
    let filter = by_id(1).and(eq("a", Value::Null)).and(eq("t", ["x"]));
    assert_eq!(
        inserted(filter, set("s", 1)),
        Ok(doc! {
            "_id": 1, "a": Value::Null, "s": 1, "t": ["x"]
        })
    );
}

#[test]
fn a_choice_fixes_nothing() {
    let filter = by_id(1).and(eq("a", 1).or(eq("b", 1))).and(is_in("c", [1, 2]));
    assert_eq!(inserted(filter, set("s", 1)), Ok(doc! {"_id": 1, "s": 1}));
}

#[test]
fn the_update_changes_what_the_filter_fixes() {
    assert_eq!(inserted(by_id(1).and(eq("a", 1)), set("a", 2)), Ok(doc! {"_id": 1, "a": 2}));
    assert_eq!(inserted(by_id(1).and(eq("a", 1)), unset("a")), Ok(doc! {"_id": 1}));
    assert!(inserted(by_id(1).and(eq("a", 1)), push("a", 2)).unwrap_err().is_invalid());
}

#[test]
fn the_id_comes_from_the_filter_or_the_update_and_stays() {
    assert_eq!(inserted(eq("a", 1), set_on_insert("_id", 7)), Ok(doc! {"_id": 7, "a": 1}));
    assert_eq!(inserted(all(), set("_id", 7)), Ok(doc! {"_id": 7}));
    assert!(inserted(by_id(1), set("_id", 2)).unwrap_err().is_immutable_id());
    assert!(inserted(by_id(1), unset("_id")).unwrap_err().is_immutable_id());
    assert!(inserted(eq("a", 1), set("b", 1)).unwrap_err().is_unsupported());
    assert!(inserted(all(), set("_id", [1])).unwrap_err().is_invalid());
}

#[test]
fn a_filter_that_fixes_a_path_twice_is_refused() {
    let twice = by_id(1).and(eq("a", 1)).and(eq("a", 2));
    assert!(inserted(twice, set("s", 1)).unwrap_err().is_unsupported());
    let through = by_id(1).and(eq("a", doc! {"b": 1})).and(eq("a.b", 1));
    assert!(inserted(through, set("s", 1)).unwrap_err().is_unsupported());
    assert!(inserted(eq("_id.a", 1), set("s", 1)).unwrap_err().is_invalid());
}

#[test]
fn a_filter_that_a_server_may_simplify_is_refused() {
    let simplifiable = [
        by_id(1).and(is_in("a", [1])),
        by_id(1).and(is_in("a", [Value::Int(1), Value::Double(1.0)])),
        by_id(1).and(Filter::Or(vec![eq("a", 1)])),
        by_id(1).and(eq("a", 1).or(eq("a", 1))),
        by_id(1).and(eq("a", 1)).and(eq("a", 1)),
    ];
    for filter in simplifiable {
        let error = inserted(filter.clone(), set("s", 1)).unwrap_err();
        assert!(error.is_unsupported(), "{filter}: {error}");
    }
}

fn replaced(filter: Filter, replacement: Document) -> Result<Document, StoreError> {
    let mut state = State::new();
    state.execute(on("c", Operation::ReplaceOne { filter, replacement, upsert: true }))?;
    Ok(content(&state).remove(0))
}

#[test]
fn a_replacement_takes_the_id_of_the_filter_and_no_other_field() {
    let filter = || by_id(1).and(eq("a", 1));
    assert_eq!(replaced(filter(), doc! {"b": 1}), Ok(doc! {"_id": 1, "b": 1}));
    assert_eq!(replaced(filter(), doc! {"_id": 1}), Ok(doc! {"_id": 1}));
    assert_eq!(replaced(eq("a", 1), doc! {"_id": 2}), Ok(doc! {"_id": 2}));
    assert!(replaced(filter(), doc! {"_id": 2}).unwrap_err().is_immutable_id());
    assert!(replaced(eq("a", 1), doc! {"b": 1}).unwrap_err().is_unsupported());
}

#[test]
fn find_and_update_returns_nothing_before_and_the_document_after() {
    let reply = |returns| {
        let (filter, update, sort) = (by_id(1), set("a", 1).set("b", 2), Vec::new());
        let projection = Projection::Include(vec!["a".into()]);
        let operation =
            Operation::FindOneAndUpdate { filter, update, sort, upsert: true, returns, projection };
        State::new().execute(on("c", operation))
    };
    assert_eq!(reply(Returns::Before), Ok(Reply::Document(None)));
    assert_eq!(reply(Returns::After), Ok(Reply::Document(Some(doc! {"_id": 1, "a": 1}))));
}
