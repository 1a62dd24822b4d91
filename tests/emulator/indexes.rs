//! Unique indexes.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, exists, gt, missing, ne, size};
use doorway::store::memory::State;
use doorway::store::update::{push, set};
use doorway::store::{Document, Filter, Index, StoreError, Value};

use crate::support::commands::{delete, insert, state, update};

fn with(indexes: &[Index], documents: impl IntoIterator<Item = Document>) -> State {
    let mut state = State::new();
    state.provision("c", indexes).unwrap();
    documents.into_iter().for_each(|document| state.insert("c", document).unwrap());
    state
}

/// The index that refuses a document besides those that are there.
fn refused(state: &State, document: Document) -> Option<String> {
    let before = state.clone();
    let mut state = state.clone();
    let error = state.execute(insert(document)).err()?;
    assert_eq!(state, before, "a refused write changed the state");
    Some(error.duplicate_index().unwrap_or_else(|| panic!("{error}")).to_owned())
}

#[test]
fn the_first_index_that_is_broken_is_named() {
    let state =
        with(&[Index::unique(["b"]), Index::unique(["a"])], [doc! {"_id": 1, "a": 1, "b": 1}]);
    let name = |document| refused(&state, document);
    assert_eq!(name(doc! {"_id": 2, "a": 1, "b": 1}).as_deref(), Some("b_1"));
    assert_eq!(name(doc! {"_id": 2, "a": 1, "b": 2}).as_deref(), Some("a_1"));
    assert_eq!(name(doc! {"_id": 1, "a": 1, "b": 1}).as_deref(), Some("_id_"));
    assert_eq!(name(doc! {"_id": 2, "a": 2, "b": 2}), None);
}

#[test]
fn a_key_is_free_again_when_its_document_changes_or_goes() {
    let mut state = with(&[Index::unique(["w"])], [doc! {"_id": 1, "w": 1}]);
    state.execute(update(by_id(1), set("w", 2))).unwrap();
    assert_eq!(refused(&state, doc! {"_id": 2, "w": 1}), None);
    assert_eq!(refused(&state, doc! {"_id": 2, "w": 2}).as_deref(), Some("w_1"));
    state.execute(delete(by_id(1))).unwrap();
    assert_eq!(refused(&state, doc! {"_id": 2, "w": 2}), None);
}

#[test]
fn keys_of_equal_values_are_equal() {
    let index = || [Index::unique(["w"])];
    let equal: [(Value, Value); 5] = [
        (0.into(), Value::Double(-0.0)),
        (Value::Double(f64::NAN), Value::Double(-f64::NAN)),
        (doc! {"a": 1}.into(), doc! {"a": 1.0}.into()),
        (Value::from([doc! {"a": [1]}]), Value::from([doc! {"a": [1.0]}])),
        (Value::Double(2f64.powi(53)), (1_i64 << 53).into()),
    ];
    for (a, b) in equal {
        let state = with(&index(), [doc! {"_id": 1, "w": &a}]);
        assert_eq!(refused(&state, doc! {"_id": 2, "w": &b}).as_deref(), Some("w_1"), "{a} {b}");
    }
    let different: [(Value, Value); 4] = [
        (Value::Double(2f64.powi(53)), ((1_i64 << 53) + 1).into()),
        (doc! {"a": 1, "b": 1}.into(), doc! {"b": 1, "a": 1}.into()),
        (Value::Null, Vec::<Value>::new().into()),
        (i64::MAX.into(), Value::Double(2f64.powi(63))),
    ];
    for (a, b) in different {
        let state = with(&index(), [doc! {"_id": 1, "w": &a}]);
        assert_eq!(refused(&state, doc! {"_id": 2, "w": &b}), None, "{a} {b}");
    }
}

#[test]
fn an_empty_array_is_a_key_of_its_own() {
    let empty = Vec::<Value>::new;
    let state = with(&[Index::unique(["t"])], [doc! {"_id": 1, "t": empty()}]);
    assert_eq!(refused(&state, doc! {"_id": 2, "t": empty()}).as_deref(), Some("t_1"));
    assert_eq!(refused(&state, doc! {"_id": 2}), None);
}

#[test]
fn a_dotted_index_takes_the_field_of_each_document_in_an_array() {
    let state =
        with(&[Index::unique(["a.b"])], [doc! {"_id": 1, "a": [doc! {"b": 1}, doc! {"b": 2}]}]);
    assert_eq!(refused(&state, doc! {"_id": 2, "a": doc! {"b": 2}}).as_deref(), Some("a.b_1"));
    assert_eq!(refused(&state, doc! {"_id": 2, "a": 5}), None);
    let unclear = |a: Value| state.clone().execute(insert(doc! {"_id": 2, "a": a})).unwrap_err();
    assert!(unclear(Vec::<Value>::new().into()).is_unsupported());
    assert!(unclear([1].into()).is_unsupported());
    assert!(unclear([doc! {"b": [1]}].into()).is_unsupported());
}

#[test]
fn a_compound_index_takes_one_array() {
    let state = with(&[Index::unique(["a", "b"])], [doc! {"_id": 1, "a": [1, 2], "b": 1}]);
    assert_eq!(refused(&state, doc! {"_id": 2, "a": 2, "b": 1}).as_deref(), Some("a_1_b_1"));
    assert_eq!(refused(&state, doc! {"_id": 2, "a": 2, "b": [2, 3]}), None);
    let mut state = state;
    let parallel = state.execute(update(by_id(1), set("b", [1]))).unwrap_err();
    assert!(parallel.is_invalid(), "{parallel}");
    let mut dotted = with(&[Index::unique(["a.b", "a.c"])], []);
    let both = dotted.execute(insert(doc! {"_id": 1, "a": [doc! {"b": 1, "c": 1}]}));
    assert!(both.unwrap_err().is_unsupported());
}

#[test]
fn a_compound_sparse_index_covers_what_has_one_of_its_fields() {
    let state = with(
        &[Index::unique(["a", "b"]).sparse()],
        [doc! {"_id": 1}, doc! {"_id": 2}, doc! {"_id": 3, "a": 1}],
    );
    assert_eq!(refused(&state, doc! {"_id": 4, "a": 1}).as_deref(), Some("a_1_b_1"));
    assert_eq!(refused(&state, doc! {"_id": 4, "b": 1}), None);
}

#[test]
fn a_write_to_the_filter_of_a_partial_index_moves_its_keys() {
    let index = Index::unique(["w"]).partial(gt("n", 0));
    let mut state =
        with(&[index], [doc! {"_id": 1, "w": 1, "n": 1}, doc! {"_id": 2, "w": 1, "n": 0}]);
    let raise = update(by_id(2), set("n", 1));
    assert!(state.execute(raise.clone()).unwrap_err().is_duplicate_key());
    state.execute(update(by_id(1), set("n", 0))).unwrap();
    state.execute(raise).unwrap();
}

#[test]
fn an_update_that_leaves_a_key_is_not_in_its_own_way() {
    let mut state = with(&[Index::unique(["t"])], [doc! {"_id": 1, "t": ["a"]}]);
    state.execute(update(by_id(1), push("t", "a"))).unwrap();
    state.execute(update(by_id(1), push("t", "b"))).unwrap();
    assert_eq!(refused(&state, doc! {"_id": 2, "t": "b"}).as_deref(), Some("t_1"));
}

#[test]
fn provision_checks_the_documents_and_is_all_or_nothing() {
    let mut state = state([doc! {"_id": 1, "w": 1, "v": 1}, doc! {"_id": 2, "w": 1, "v": 2}]);
    let before = state.clone();
    let both = [Index::unique(["v"]), Index::unique(["w"])];
    assert_eq!(state.provision("c", &both).unwrap_err().duplicate_index(), Some("w_1"));
    assert_eq!(state, before);
    state.provision("c", &both[..1]).unwrap();
    assert_eq!(refused(&state, doc! {"_id": 3, "v": 2}).as_deref(), Some("v_1"));
}

#[test]
fn provision_again_changes_nothing_and_another_definition_is_refused() {
    let mut state = with(&[Index::unique(["w"])], [doc! {"_id": 1, "w": 1}]);
    let before = state.clone();
    state.provision("c", &[Index::unique(["w"])]).unwrap();
    state.provision("c", &[]).unwrap();
    assert_eq!(state, before);
    let mut provision = |index: Index| state.provision("c", &[index]).unwrap_err();
    assert!(provision(Index::unique(["w"]).sparse()).is_invalid());
    let renamed = |index: Index| Index { name: "other".into(), ..index };
    assert!(provision(renamed(Index::unique(["w"]))).is_invalid());
    assert!(provision(renamed(Index::unique(["w"]).sparse())).is_unsupported());
}

#[test]
fn definitions_that_a_server_refuses_are_refused() {
    let check = |index: Index| State::new().provision("c", &[index]);
    let partial = |filter: Filter| check(Index::unique(["w"]).partial(filter)).unwrap_err();
    assert!(partial(missing("w")).is_invalid());
    assert!(partial(all().and(ne("w", 1))).is_invalid());
    assert!(partial(size("w", 1)).is_invalid());
    assert!(check(Index::unique(["w"]).partial(exists("w").and(eq("a", 1)))).is_ok());
    let refuse = |index: Index| -> StoreError { check(index).unwrap_err() };
    assert!(refuse(Index::unique(Vec::<&str>::new())).is_invalid());
    assert!(refuse(Index::unique(["_id"])).is_unsupported());
    assert!(refuse(Index::unique(["t.0"])).is_unsupported());
    assert!(refuse(Index::unique(["w", "w"])).is_unsupported());
    assert!(State::new().provision("", &[]).unwrap_err().is_invalid());
    assert!(State::new().provision("system.users", &[]).unwrap_err().is_unsupported());
}
