//! What an update makes of a document.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq};
use doorway::store::update::{
    add_to_set, inc, pop_first, pop_last, pull, pull_matching, push, set, set_on_insert, unset,
};
use doorway::store::{Document, Operator, StoreError, Update, Value};

use crate::support::commands::{content, find_and_update, replace, state, update, updated};

/// The document after an update, and whether it counts as modified.
fn after(document: Document, change: Update) -> Result<(Document, bool), StoreError> {
    let mut state = state([document.with("_id", 1)]);
    let before = state.clone();
    let reply = state.execute(update(by_id(1), change));
    assert!(reply.is_ok() || state == before, "an error changed the state");
    let modified = reply? == updated(1, 1);
    assert_eq!(modified, state != before);
    let mut document = content(&state).remove(0);
    document.remove("_id");
    Ok((document, modified))
}

fn becomes(document: Document, change: Update, expected: Document) {
    let is_same = document == expected;
    let text = format!("{document} {change}");
    assert_eq!(after(document, change), Ok((expected, !is_same)), "{text}");
}

fn invalid(document: Document, change: Update) {
    let text = format!("{document} {change}");
    assert!(after(document, change).unwrap_err().is_invalid(), "{text}");
}

fn unsupported(document: Document, change: Update) {
    let text = format!("{document} {change}");
    assert!(after(document, change).unwrap_err().is_unsupported(), "{text}");
}

#[test]
fn set_replaces_creates_and_keeps() {
    becomes(doc! {"a": 1}, set("a", "x"), doc! {"a": "x"});
    becomes(doc! {"a": 1}, set("a", 1), doc! {"a": 1});
    becomes(doc! {}, set("a.b.c", 1), doc! {"a": doc! {"b": doc! {"c": 1}}});
    becomes(doc! {"a": doc! {"b": 1}}, set("a.c", 2), doc! {"a": doc! {"b": 1, "c": 2}});
    becomes(doc! {"a": [1, 2]}, set("a.1", 9), doc! {"a": [1, 9]});
}

#[test]
fn set_of_an_equal_number_of_another_type_changes_the_document() {
    assert_eq!(after(doc! {"a": 1}, set("a", 1.0)), Ok((doc! {"a": 1.0}, true)));
}

#[test]
fn set_beyond_an_array_pads_with_null() {
    let padded: [Value; 4] = [1.into(), Value::Null, Value::Null, 4.into()];
    becomes(doc! {"a": [1]}, set("a.3", 4), doc! {"a": padded});
    let within: [Value; 2] = [1.into(), doc! {"b": 2}.into()];
    becomes(doc! {"a": [1]}, set("a.1.b", 2), doc! {"a": within});
    invalid(doc! {"a": [1]}, set("a.1500002", 1));
}

#[test]
fn a_path_through_a_value_without_fields_is_not_viable() {
    for holder in [Value::from(1), Value::Null, "x".into()] {
        let document = || doc! {"a": holder.clone()};
        invalid(document(), set("a.b", 1));
        invalid(document(), push("a.b", 1));
        invalid(document(), inc("a.b", 1));
        invalid(document(), pull("a.b", 1));
        invalid(document(), pop_first("a.b"));
        becomes(document(), unset("a.b"), document());
        becomes(document(), set_on_insert("a.b", 1), document());
    }
    invalid(doc! {"a": [1]}, set("a.b", 1));
    becomes(doc! {"a": [1]}, unset("a.b"), doc! {"a": [1]});
}

#[test]
fn new_fields_stand_in_the_order_of_their_paths() {
    let given = set("a.z", 1).set("a.b", 2).set("a.10", 3).set("a.9", 4);
    becomes(doc! {}, given, doc! {"a": doc! {"9": 4, "10": 3, "b": 2, "z": 1}});
}

#[test]
fn unset_removes_a_field_and_empties_an_element() {
    becomes(doc! {"a": 1, "b": 2}, unset("a"), doc! {"b": 2});
    becomes(doc! {"a": doc! {"b": 1}}, unset("a.b"), doc! {"a": doc! {}});
    becomes(doc! {"b": 2}, unset("a"), doc! {"b": 2});
    becomes(doc! {"a": [1, 2]}, unset("a.0"), doc! {"a": [Value::Null, 2.into()]});
    becomes(doc! {"a": [1]}, unset("a.5"), doc! {"a": [1]});
    unsupported(doc! {"n": f64::NAN}, inc("n", 1));
    unsupported(doc! {"a": [Value::Null]}, unset("a.0"));
}

#[test]
fn inc_adds_and_refuses_what_is_no_number() {
    becomes(doc! {"n": 1}, inc("n", 2), doc! {"n": 3});
    becomes(doc! {"n": 1}, inc("n", 0), doc! {"n": 1});
    becomes(doc! {"n": 1}, inc("n", 0.5), doc! {"n": 1.5});
    becomes(doc! {}, inc("n", -1), doc! {"n": -1});
    assert_eq!(after(doc! {"n": 1}, inc("n", 0.0)), Ok((doc! {"n": 1.0}, true)));
    for wrong in [Value::Null, "1".into(), [1].into()] {
        invalid(doc! {"n": wrong}, inc("n", 1));
    }
    invalid(doc! {"n": 1}, inc("n", "1"));
    invalid(doc! {"n": i64::MAX}, inc("n", 1));
    invalid(doc! {"n": i64::MIN}, inc("n", -1));
}

#[test]
fn push_appends_and_refuses_what_is_no_array() {
    becomes(doc! {"t": ["a"]}, push("t", "a"), doc! {"t": ["a", "a"]});
    becomes(doc! {}, push("t", "a"), doc! {"t": ["a"]});
    becomes(doc! {"t": ["a"]}, push("t", ["b"]), doc! {"t": [Value::from("a"), ["b"].into()]});
    invalid(doc! {"t": Value::Null}, push("t", "a"));
    invalid(doc! {"t": "a"}, push("t", "a"));
}

#[test]
fn add_to_set_appends_what_is_not_there() {
    becomes(doc! {"t": ["a"]}, add_to_set("t", "b"), doc! {"t": ["a", "b"]});
    becomes(doc! {"t": [1]}, add_to_set("t", 1.0), doc! {"t": [1]});
    becomes(doc! {}, add_to_set("t", "a"), doc! {"t": ["a"]});
    let (ab, ba) = (doc! {"a": 1, "b": 1}, doc! {"b": 1, "a": 1});
    becomes(doc! {"t": [ab.clone()]}, add_to_set("t", ba.clone()), doc! {"t": [ab, ba]});
    invalid(doc! {"t": 1}, add_to_set("t", "a"));
}

#[test]
fn pull_by_a_query_removes_every_document_that_matches() {
    let (one, two) = (doc! {"n": 1, "r": ["a", "b"]}, doc! {"n": 2, "r": ["b"]});
    let both = doc! {"t": [one.clone(), two.clone()]};
    becomes(both.clone(), pull_matching("t", eq("n", 1)), doc! {"t": [two.clone()]});
    becomes(both.clone(), pull_matching("t", eq("r", "b")), doc! {"t": Vec::<Value>::new()});
    becomes(both.clone(), pull_matching("t", eq("n", 3)), both.clone());
    becomes(both, pull_matching("t", eq("r", "b").and(eq("n", 2))), doc! {"t": [one]});
    let mixed = doc! {"t": [Value::from(1), two.into()]};
    becomes(mixed, pull_matching("t", eq("n", 2)), doc! {"t": [1]});
    becomes(doc! {}, pull_matching("t", eq("n", 1)), doc! {});
    invalid(doc! {"t": "a"}, pull_matching("t", eq("n", 1)));
    unsupported(doc! {}, pull_matching("t", all()));
    unsupported(doc! {}, pull_matching("t", eq("n", 1).or(eq("n", 2))));
    let text = pull_matching("t", eq("n", 1)).set("m", 2).to_string();
    assert_eq!(text, "{$pull: {t: {n: 1}}, $set: {m: 2}}");
}

#[test]
fn pull_removes_every_equal_element() {
    becomes(doc! {"t": ["a", "b", "a"]}, pull("t", "a"), doc! {"t": ["b"]});
    becomes(doc! {"t": ["b"]}, pull("t", "a"), doc! {"t": ["b"]});
    becomes(doc! {}, pull("t", "a"), doc! {});
    let nested = doc! {"t": [Value::from(["a"]), "a".into()]};
    becomes(nested, pull("t", ["a"]), doc! {"t": ["a"]});
    invalid(doc! {"t": "a"}, pull("t", "a"));
    unsupported(doc! {"t": [doc! {"a": 1}]}, pull("t", doc! {"a": 1}));
}

#[test]
fn pop_takes_from_an_end() {
    becomes(doc! {"t": ["a", "b"]}, pop_first("t"), doc! {"t": ["b"]});
    becomes(doc! {"t": ["a", "b"]}, pop_last("t"), doc! {"t": ["a"]});
    becomes(doc! {"t": Vec::<Value>::new()}, pop_last("t"), doc! {"t": Vec::<Value>::new()});
    becomes(doc! {}, pop_first("t"), doc! {});
    becomes(doc! {"a": doc! {}}, pop_first("a.t"), doc! {"a": doc! {}});
    invalid(doc! {"t": 1}, pop_first("t"));
}

#[test]
fn set_on_insert_leaves_a_document_that_is_there() {
    becomes(doc! {"a": 1}, set_on_insert("a", 2).set("b", 1), doc! {"a": 1, "b": 1});
}

#[test]
fn conflicting_paths_are_refused() {
    invalid(doc! {}, set("a", 1).unset("a"));
    invalid(doc! {}, set("a", 1).push("a.b", 1));
    invalid(doc! {}, set("a.b", 1).set_on_insert("a", 1));
    becomes(doc! {}, set("a.b", 1).set("ab", 1), doc! {"a": doc! {"b": 1}, "ab": 1});
}

#[test]
fn malformed_updates_are_refused() {
    invalid(doc! {}, Update::default());
    invalid(doc! {}, set("", 1));
    invalid(doc! {}, set("a..b", 1));
    unsupported(doc! {}, set("a.$", 1));
    unsupported(doc! {}, set("a.$[]", 1));
    unsupported(doc! {}, set("a.01", 1));
    unsupported(doc! {}, push("a", doc! {"$each": [1]}));
    unsupported(doc! {}, set("a", doc! {"b.c": 1}));
    unsupported(doc! {}, set("a", doc! {"": 1}));
    invalid(doc! {}, set("a", doc! {"\0": 1}));
}

#[test]
fn an_id_may_be_set_to_itself_only() {
    let of = |change: Update| state([doc! {"_id": 1}]).execute(update(by_id(1), change));
    assert_eq!(of(set("_id", 1)), Ok(updated(1, 0)));
    assert!(of(set("_id", 2)).unwrap_err().is_immutable_id());
    assert!(of(Operator::Unset("_id".into()).into()).unwrap_err().is_immutable_id());
    assert!(of(set("_id", [1])).unwrap_err().is_immutable_id());
    assert!(of(set("_id", 1.0)).unwrap_err().is_unsupported());
    assert!(of(inc("_id", 1)).unwrap_err().is_immutable_id());
    let mut embedded = state([doc! {"_id": doc! {"a": 1}}]);
    let inside = update(by_id(doc! {"a": 1}), set("_id.a", 2));
    assert!(embedded.execute(inside).unwrap_err().is_immutable_id());
}

#[test]
fn a_replacement_keeps_the_id_and_nothing_else() {
    let mut state = state([doc! {"_id": 1, "a": 1, "b": 1}]);
    assert_eq!(state.execute(replace(by_id(1), doc! {"b": 2})), Ok(updated(1, 1)));
    assert_eq!(content(&state), [doc! {"_id": 1, "b": 2}]);
    assert_eq!(state.execute(replace(by_id(1), doc! {"b": 2, "_id": 1})), Ok(updated(1, 0)));
    assert!(state.execute(replace(by_id(1), doc! {"_id": 2})).unwrap_err().is_immutable_id());
    assert_eq!(state.execute(replace(by_id(2), doc! {"b": 2})), Ok(updated(0, 0)));
    assert_eq!(state.execute(replace(by_id(1), doc! {})), Ok(updated(1, 1)));
    assert_eq!(content(&state), [doc! {"_id": 1}]);
}

#[test]
fn fields_are_stored_in_one_order() {
    let mut a = state([doc! {"z": 1, "_id": 1}]);
    let mut b = state([doc! {"_id": 1}]);
    b.execute(update(by_id(1), set("z", 1))).unwrap();
    assert_eq!(a, b);
    a.execute(update(by_id(1), set("a", 1))).unwrap();
    b.execute(replace(by_id(1), doc! {"a": 1, "z": 1})).unwrap();
    assert_eq!(a, b);
}

#[test]
fn find_and_update_of_nothing_returns_nothing() {
    let command = find_and_update(by_id(1), set("a", 1), Vec::new());
    let nothing = doorway::store::Reply::Document(None);
    assert_eq!(state([]).execute(command), Ok(nothing));
}
