//! Which documents a filter matches.

use doorway::doc;
use doorway::store::filter::{all, eq, exists, gt, gte, is_in, lt, lte, missing, ne, size};
use doorway::store::{Filter, Value};

use crate::support::commands::{find, find_one, ids, state};

/// The `_id`s, counted from 0, of the values of `f` for which the filter matches; one more document
/// has no `f`.
fn matching<V: Into<Value>>(values: impl IntoIterator<Item = V>, filter: Filter) -> Vec<usize> {
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    let with_field = values.iter().enumerate().map(|(id, f)| doc! {"_id": id as i64, "f": f});
    let mut state = state(with_field.chain([doc! {"_id": values.len() as i64}]));
    ids(&mut state, filter).iter().map(|id| id.as_int().unwrap() as usize).collect()
}

fn array(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from(Vec::from_iter(items))
}

#[test]
fn an_array_matches_by_containing_and_as_a_whole() {
    let values = || [Value::from("a"), ["a", "b"].into(), array([["a"].into()]), ["b"].into()];
    assert_eq!(matching(values(), eq("f", "a")), [0, 1]);
    assert_eq!(matching(values(), eq("f", ["a"])), [2]);
    assert_eq!(matching(values(), eq("f", ["a", "b"])), [1]);
    assert_eq!(matching(values(), ne("f", "a")), [2, 3, 4]);
    assert_eq!(matching(values(), gt("f", "a")), [1, 3]);
}

#[test]
fn two_conditions_on_an_array_may_hold_for_two_elements() {
    let values = || [Value::from([1, 9]), 5.into()];
    assert_eq!(matching(values(), gt("f", 3).and(lt("f", 6))), [0, 1]);
}

#[test]
fn a_number_selects_an_element_or_a_field_of_that_name() {
    let nested = array([["a"].into()]);
    let values = || [["a", "b"].into(), ["b", "a"].into(), doc! {"0": "a"}.into(), nested.clone()];
    assert_eq!(matching(values(), eq("f.0", "a")), [0, 2]);
    assert_eq!(matching(values(), eq("f.0", ["a"])), [3]);
    assert_eq!(matching(values(), eq("f.00", "a")), [0_usize; 0]);
    assert_eq!(matching(values(), exists("f.1")), [0, 1]);
    assert_eq!(matching(values(), eq("f.0.0", "a")), [3]);
    let documents = || [array([doc! {"x": 1}.into(), doc! {"x": 2}.into()])];
    assert_eq!(matching(documents(), eq("f.1.x", 2)), [0]);
    assert_eq!(matching(documents(), eq("f.0.x", 2)), [0_usize; 0]);
}

#[test]
fn a_path_goes_through_the_documents_of_an_array() {
    let values = || {
        [
            array([doc! {"x": 1}.into(), doc! {"x": [2, 3]}.into()]),
            array([1.into()]),
            doc! {"x": 2}.into(),
            array([array([doc! {"x": 2}.into()])]),
        ]
    };
    assert_eq!(matching(values(), eq("f.x", 2)), [0, 2]);
    assert_eq!(matching(values(), eq("f.x", [2, 3])), [0]);
    assert_eq!(matching(values(), ne("f.x", 2)), [1, 3, 4]);
}

#[test]
fn null_matches_what_is_missing_along_a_path() {
    let values = || {
        [
            Value::Null,
            5.into(),
            doc! {}.into(),
            doc! {"x": Value::Null}.into(),
            array([]),
            array([1.into()]),
            array([doc! {"x": 1}.into(), doc! {}.into()]),
            doc! {"x": 1}.into(),
        ]
    };
    assert_eq!(matching(values(), eq("f.x", Value::Null)), [0, 1, 2, 3, 6, 8]);
    assert_eq!(matching(values(), missing("f.x")), [0, 1, 2, 4, 5, 8]);
    assert_eq!(matching(values(), eq("f", Value::Null)), [0, 8]);
    assert_eq!(matching([array([Value::Null])], eq("f", Value::Null)), [0, 1]);
}

#[test]
fn in_with_null_matches_missing() {
    let values = || [Value::from("a"), Value::Null, "b".into()];
    assert_eq!(matching(values(), is_in("f", [Value::Null, "a".into()])), [0, 1, 3]);
    assert_eq!(matching(values(), is_in("f", ["a", "b"])), [0, 2]);
    assert_eq!(matching(values(), is_in::<Value>("f", [])), [0_usize; 0]);
}

#[test]
fn comparisons_stay_within_the_type() {
    let values = || [Value::Null, 1.into(), 2.5.into(), "1".into(), true.into(), [1].into()];
    assert_eq!(matching(values(), lte("f", 1.0)), [1, 5]);
    assert_eq!(matching(values(), gt("f", 1)), [2]);
    assert_eq!(matching(values(), gte("f", "")), [3]);
    assert_eq!(matching(values(), lte("f", Value::Null)), [0, 6]);
    assert_eq!(matching(values(), gte("f", Value::Null)), [0, 6]);
    assert_eq!(matching(values(), lt("f", Value::Null)), [0_usize; 0]);
    assert_eq!(matching([doc! {"a": 1}], lt("f", doc! {"a": 2})), [0]);
}

#[test]
fn nan_equals_nan_and_compares_with_no_other_number() {
    let values = || [Value::Double(f64::NAN), 1.into()];
    assert_eq!(matching(values(), eq("f", f64::NAN)), [0]);
    assert_eq!(matching(values(), lt("f", 5)), [1]);
    assert_eq!(matching(values(), lte("f", f64::NAN)), [0]);
    assert_eq!(matching(values(), lt("f", f64::NAN)), [0_usize; 0]);
}

#[test]
fn size_counts_the_elements_of_an_array_only() {
    let values = || [["a"].into(), Value::from("a"), array([]), ["a", "b"].into()];
    assert_eq!(matching(values(), size("f", 1)), [0]);
    assert_eq!(matching(values(), size("f", 0)), [2]);
    assert_eq!(matching([array([["a"].into(), ["b"].into()])], size("f", 1)), [0_usize; 0]);
    assert_eq!(matching([array([["a"].into(), 1.into()])], size("f.0", 1)), [0]);
}

#[test]
fn an_embedded_document_is_equal_with_its_fields_in_order() {
    let values = || [doc! {"a": 1, "b": 2}, doc! {"b": 2, "a": 1}, doc! {"a": 1}];
    assert_eq!(matching(values(), eq("f", doc! {"a": 1.0, "b": 2})), [0]);
}

#[test]
fn and_or_and_nothing() {
    let values = || [1, 2, 3];
    assert_eq!(matching(values(), eq("f", 1).or(eq("f", 3))), [0, 2]);
    assert_eq!(matching(values(), ne("f", 1).and(ne("f", 3))), [1, 3]);
    assert_eq!(matching(values(), all()), [0, 1, 2, 3]);
    let mut state = state([]);
    assert!(state.execute(find(Filter::Or(vec![]))).unwrap_err().is_invalid());
}

#[test]
fn what_is_uncertain_is_refused() {
    let refused = [
        lt("f", Value::MaxKey),
        gte("f", Value::MinKey),
        lte("f", [1]),
        eq("f.0", Value::Null),
        ne("f.0.x", Value::Null),
        eq("f.", 1),
        eq("", 1),
        eq("$where", 1),
        eq("f", doc! {"$gt": 1}),
        eq("g", 1).or(all().and(eq("f..x", 1))),
    ];
    for filter in refused {
        let error = state([]).execute(find_one(filter.clone())).unwrap_err();
        assert!(error.is_unsupported(), "{filter}: {error}");
    }
}
