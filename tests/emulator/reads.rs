//! What a read returns: order, limit, projection.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, gt};
use doorway::store::{Document, Operation, Projection, Reply, Sort, StoreError, Value};

use crate::support::commands::{find, find_one, find_sorted, on, state};

fn documents(reply: Result<Reply, StoreError>) -> Vec<Document> {
    match reply.unwrap() {
        Reply::Documents(documents) => documents,
        other => panic!("{other}"),
    }
}

/// The `_id`s of all documents in the order of a sort.
fn sorted(values: impl IntoIterator<Item = Document>, sort: Vec<Sort>) -> Vec<i64> {
    let found = documents(state(values).execute(find_sorted(all(), sort, None)));
    found.iter().map(|document| document.id().unwrap().as_int().unwrap()).collect()
}

#[test]
fn a_scan_goes_in_the_order_of_the_ids() {
    let mixed =
        [doc! {"_id": "b"}, doc! {"_id": 2}, doc! {"_id": "a"}, doc! {"_id": 1.5}, doc! {"_id": 1}];
    let found = documents(state(mixed).execute(find(all())));
    let ids: Vec<String> =
        found.iter().map(|document| document.id().unwrap().to_string()).collect();
    assert_eq!(ids, ["1", "1.5", "2", "\"a\"", "\"b\""]);
}

#[test]
fn find_one_returns_the_first_by_id() {
    let mut state =
        state([doc! {"_id": 2, "a": 1}, doc! {"_id": 1, "a": 0}, doc! {"_id": 3, "a": 1}]);
    let first = state.execute(find_one(eq("a", 1)));
    assert_eq!(first, Ok(Reply::Document(Some(doc! {"_id": 2, "a": 1}))));
    assert_eq!(state.execute(find_one(eq("a", 5))), Ok(Reply::Document(None)));
    assert_eq!(state.execute(find_one(by_id(9))), Ok(Reply::Document(None)));
}

#[test]
fn a_sort_is_stable_and_missing_is_null() {
    let documents = || {
        [
            doc! {"_id": 1, "n": 2},
            doc! {"_id": 2},
            doc! {"_id": 3, "n": Value::Null},
            doc! {"_id": 4, "n": 1},
            doc! {"_id": 5, "n": 2.0},
        ]
    };
    assert_eq!(sorted(documents(), Sort::ascending("n")), [2, 3, 4, 1, 5]);
    assert_eq!(sorted(documents(), Sort::descending("n")), [1, 5, 4, 2, 3]);
    let two = [Sort::descending("n"), Sort::descending("_id")].concat();
    assert_eq!(sorted(documents(), two), [5, 1, 4, 3, 2]);
}

#[test]
fn an_array_sorts_by_its_least_or_its_greatest_element() {
    let documents = || {
        [
            doc! {"_id": 1, "t": [1, 9]},
            doc! {"_id": 2, "t": 5},
            doc! {"_id": 3, "t": [6, 2]},
            doc! {"_id": 4, "t": Vec::<Value>::new()},
            doc! {"_id": 5},
        ]
    };
    assert_eq!(sorted(documents(), Sort::ascending("t")), [4, 5, 1, 3, 2]);
    assert_eq!(sorted(documents(), Sort::descending("t")), [1, 3, 2, 5, 4]);
}

#[test]
fn two_arrays_cannot_be_sorted_by() {
    let both = [Sort::ascending("a"), Sort::ascending("b")].concat();
    for filter in [all(), by_id(1)] {
        let mut state = state([doc! {"_id": 1, "a": [1], "b": [1]}]);
        let error = state.execute(find_sorted(filter, both.clone(), None)).unwrap_err();
        assert!(error.is_unsupported());
    }
}

#[test]
fn a_limit_takes_the_first_of_the_order() {
    let mut state =
        state([doc! {"_id": 1, "n": 3}, doc! {"_id": 2, "n": 1}, doc! {"_id": 3, "n": 2}]);
    let first = documents(state.execute(find_sorted(gt("n", 1), Sort::ascending("n"), Some(1))));
    assert_eq!(first, [doc! {"_id": 3, "n": 2}]);
    let two = documents(state.execute(find_sorted(all(), vec![], Some(2))));
    assert_eq!(two.len(), 2);
    assert!(state.execute(find_sorted(all(), vec![], Some(0))).unwrap_err().is_invalid());
}

fn projected(document: Document, projection: Projection) -> Result<Document, StoreError> {
    let operation = Operation::FindOne { filter: all(), projection };
    match state([document]).execute(on("c", operation))? {
        Reply::Document(Some(document)) => Ok(document),
        other => panic!("{other}"),
    }
}

fn include<const N: usize>(paths: [&str; N]) -> Projection {
    Projection::Include(paths.map(Into::into).into())
}

fn exclude<const N: usize>(paths: [&str; N]) -> Projection {
    Projection::Exclude(paths.map(Into::into).into())
}

#[test]
fn a_projection_shows_or_hides_fields() {
    let document = || doc! {"_id": 1, "a": 1, "ab": 2, "b": 3};
    assert_eq!(projected(document(), include(["a"])), Ok(doc! {"_id": 1, "a": 1}));
    assert_eq!(projected(document(), include(["b", "_id"])), Ok(doc! {"_id": 1, "b": 3}));
    assert_eq!(projected(document(), exclude(["a", "_id"])), Ok(doc! {"ab": 2, "b": 3}));
    assert_eq!(projected(document(), exclude([])), Ok(document()));
}

#[test]
fn a_dotted_projection_goes_through_documents_and_arrays() {
    let t = [Value::from(doc! {"x": 1, "y": 2}), 5.into(), doc! {"y": 3}.into()];
    let document = || doc! {"_id": 1, "a": doc! {"x": 1, "y": 2}, "s": 1, "t": t.clone()};
    let shown = doc! {"_id": 1, "a": doc! {"x": 1}, "t": [doc! {"x": 1}, doc! {}]};
    assert_eq!(projected(document(), include(["a.x", "t.x", "s.x"])), Ok(shown));
    let t = [Value::from(doc! {"y": 2}), 5.into(), doc! {"y": 3}.into()];
    let hidden = doc! {"_id": 1, "a": doc! {"y": 2}, "s": 1, "t": t};
    assert_eq!(projected(document(), exclude(["a.x", "t.x", "s.x"])), Ok(hidden));
}

#[test]
fn projections_that_contradict_themselves_are_refused() {
    let refused = |projection| projected(doc! {"_id": 1}, projection).unwrap_err();
    assert!(refused(include([])).is_invalid());
    assert!(refused(include(["a", "a.b"])).is_invalid());
    assert!(refused(exclude(["a", "a"])).is_invalid());
    assert!(refused(include(["_id.a"])).is_unsupported());
    assert!(refused(include(["a.0"])).is_unsupported());
    assert!(refused(include(["a."])).is_unsupported());
}
