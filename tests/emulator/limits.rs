//! What may not be stored.

use doorway::doc;
use doorway::store::filter::by_id;
use doorway::store::update::{push, set};
use doorway::store::{Document, Filter, StoreError, Value};

use crate::support::commands::{find, insert, on, replace, state, update, upsert};

fn refused(document: Document) -> StoreError {
    let mut state = state([]);
    let before = state.clone();
    let error = state.execute(insert(document)).unwrap_err();
    assert_eq!(state, before);
    error
}

#[test]
fn a_document_needs_an_id_that_is_no_array() {
    assert!(refused(doc! {"a": 1}).is_invalid());
    assert!(refused(doc! {"_id": [1]}).is_invalid());
}

#[test]
fn sixteen_mebibytes_are_the_limit() {
    const LIMIT: usize = 16_777_216;
    let of = |bytes: usize| {
        let overhead = doc! {"_id": 1, "s": ""}.bson_size();
        doc! {"_id": 1, "s": "x".repeat(bytes - overhead)}
    };
    assert!(refused(of(LIMIT + 1)).is_too_large());
    let full = of(LIMIT);
    assert_eq!(full.bson_size(), LIMIT);
    let mut state = state([full]);
    let before = state.clone();
    for write in [update(by_id(1), push("t", 1)), replace(by_id(1), of(LIMIT + 1))] {
        assert!(state.execute(write).unwrap_err().is_too_large());
    }
    assert!(state.execute(upsert(by_id(2), set("s", of(LIMIT)))).unwrap_err().is_too_large());
    assert_eq!(state, before);
}

#[test]
fn a_hundred_levels_are_the_limit() {
    let deep = |levels: usize| {
        (2..levels).fold(Value::from(doc! {"x": 1}), |inner, level| {
            if level % 2 == 0 { Value::from([inner]) } else { doc! {"x": inner}.into() }
        })
    };
    let mut state = state([doc! {"_id": 1, "d": deep(100)}]);
    assert!(refused(doc! {"_id": 2, "d": deep(101)}).is_invalid());
    assert!(state.execute(update(by_id(1), set("d.a", deep(101)))).unwrap_err().is_invalid());
    let set_inside = update(by_id(1), set("d.0", deep(100)));
    assert!(state.execute(set_inside).unwrap_err().is_invalid(), "101 levels by an update");
    let deep_filter = (0..101).fold(by_id(1), |filter, _| Filter::And(vec![filter]));
    assert!(state.execute(find(deep_filter)).unwrap_err().is_invalid());
}

#[test]
fn a_timestamp_of_zero_would_become_the_servers_clock() {
    assert!(refused(doc! {"_id": 1, "at": Value::Timestamp(0)}).is_unsupported());
    let mut state = state([doc! {"_id": 1, "at": Value::Timestamp(1)}]);
    assert!(state.execute(update(by_id(1), set("at", Value::Timestamp(0)))).is_err());
}

#[test]
fn names_that_a_server_takes_for_something_else_are_refused() {
    assert!(refused(doc! {"_id": 1, "$a": 1}).is_unsupported());
    assert!(refused(doc! {"_id": 1, "a.b": 1}).is_unsupported());
    assert!(refused(doc! {"_id": 1, "": 1}).is_unsupported());
    assert!(refused(doc! {"_id": 1, "a\0": 1}).is_invalid());
    assert!(refused(doc! {"_id": 1, "a": [doc! {"$b": 1}]}).is_unsupported());
}

#[test]
fn names_of_collections() {
    let operation = || find(by_id(1)).operation;
    let refused = |name: &str| state([]).execute(on(name, operation())).unwrap_err();
    assert!(refused("").is_invalid());
    assert!(refused("a$b").is_invalid());
    assert!(refused("a\0b").is_invalid());
    assert!(refused("system.indexes").is_unsupported());
}
