//! What only another client between two steps shows: on the emulator's steps. The list gives each its
//! title.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, exists, lt, ne};
use doorway::store::memory::{Execution, State};
use doorway::store::update::{push, set, set_on_insert, unset};
use doorway::store::{Index, Reply, Sort, Value};

use crate::commands::{
    content, delete, find, find_and_update, finish, go, ids, insert, state, update, updated,
    upsert, upserted,
};

pub(crate) fn an_update_checks_its_filter_again_on_the_current_document() {
    let mut state = state([doc! {"_id": 1, "free": true}, doc! {"_id": 2, "free": true}]);
    let take = |by: &str| update(eq("free", true), set("free", false).set("by", by));
    let mut slow = Execution::begin(take("slow"));
    go(&mut slow, &mut state);
    assert_eq!(state.execute(take("fast")), Ok(updated(1, 1)));
    assert_eq!(finish(slow, &mut state).1, Ok(updated(1, 1)));
    assert_eq!(ids(&mut state, eq("by", "fast")), [1.into()]);
    assert_eq!(ids(&mut state, eq("by", "slow")), [2.into()]);
}

pub(crate) fn an_update_that_lost_its_only_candidate_matches_nothing() {
    let mut state = state([doc! {"_id": 1, "free": true}]);
    let mut slow = Execution::begin(update(eq("free", true), set("by", "slow")));
    go(&mut slow, &mut state);
    state.execute(update(by_id(1), set("free", false))).unwrap();
    assert_eq!(finish(slow, &mut state), (1, Ok(updated(0, 0))));
    let mut slow = Execution::begin(delete(eq("free", false)));
    go(&mut slow, &mut state);
    state.execute(delete(by_id(1))).unwrap();
    assert_eq!(finish(slow, &mut state), (1, Ok(Reply::Deleted(0))));
}

pub(crate) fn find_and_modify_keeps_its_record_when_the_sort_key_moves() {
    let mut state = state([doc! {"_id": 1, "at": 1}, doc! {"_id": 2, "at": 2}]);
    let take = find_and_update(all(), set("taken", true), Sort::ascending("at"));
    let mut slow = Execution::begin(take);
    go(&mut slow, &mut state);
    go(&mut slow, &mut state);
    state.execute(update(by_id(1), set("at", 3))).unwrap();
    let before = Reply::Document(Some(doc! {"_id": 1, "at": 3}));
    assert_eq!(finish(slow, &mut state), (1, Ok(before)));
    assert_eq!(ids(&mut state, exists("taken")), [1.into()]);
}

pub(crate) fn find_and_modify_with_a_sort_does_not_go_on_to_the_second() {
    let mut state = state([doc! {"_id": 1, "at": 1}, doc! {"_id": 2, "at": 2}]);
    let take = || find_and_update(ne("taken", true), set("taken", true), Sort::ascending("at"));
    let mut slow = Execution::begin(take());
    go(&mut slow, &mut state);
    go(&mut slow, &mut state);
    assert!(matches!(state.execute(take()), Ok(Reply::Document(Some(_)))));
    assert_eq!(finish(slow, &mut state), (1, Ok(Reply::Document(None))));
    assert_eq!(ids(&mut state, eq("taken", true)), [1.into()]);
}

pub(crate) fn two_upserts_insert_twice_without_a_unique_index() {
    let run = |indexes: &[Index]| {
        let mut state = State::new();
        state.provision("c", indexes).unwrap();
        let by = |id: &str| upsert(eq("resource", "r"), set_on_insert("_id", id));
        let (mut a, mut b) = (Execution::begin(by("a")), Execution::begin(by("b")));
        go(&mut a, &mut state);
        go(&mut b, &mut state);
        (finish(a, &mut state).1, finish(b, &mut state).1, content(&state).len())
    };
    assert_eq!(run(&[]), (Ok(upserted("a")), Ok(upserted("b")), 2));
    let unique = Index::unique(["resource"]);
    assert_eq!(run(&[unique]), (Ok(upserted("a")), Ok(updated(1, 0)), 1));
}

pub(crate) fn an_upsert_by_its_unique_key_is_retried() {
    let mut state = State::new();
    let command = || upsert(by_id("r"), push("tasks", "t"));
    let (mut a, mut b) = (Execution::begin(command()), Execution::begin(command()));
    go(&mut a, &mut state);
    go(&mut b, &mut state);
    assert_eq!(finish(a, &mut state), (1, Ok(upserted("r"))));
    assert_eq!(finish(b, &mut state), (2, Ok(updated(1, 1))));
    assert_eq!(content(&state), [doc! {"_id": "r", "tasks": ["t", "t"]}]);
}

pub(crate) fn an_upsert_with_another_condition_is_not_retried() {
    let guards = [
        by_id("r").and(ne("tasks", "t")),
        by_id("r").and(eq("owner", "a")),
        by_id("r").and(lt("n", 1)),
    ];
    for guard in guards {
        let mut state = State::new();
        let mut slow = Execution::begin(upsert(guard, push("tasks", "t")));
        go(&mut slow, &mut state);
        state.execute(insert(doc! {"_id": "r"})).unwrap();
        let (steps, reply) = finish(slow, &mut state);
        assert_eq!((steps, reply.unwrap_err().duplicate_index()), (1, Some("_id_")));
    }
}

pub(crate) fn an_upsert_that_breaks_another_index_is_not_retried() {
    let mut state = State::new();
    state.provision("c", &[Index::unique(["w"])]).unwrap();
    let mut slow = Execution::begin(upsert(by_id("r"), set("w", 1)));
    go(&mut slow, &mut state);
    state.execute(insert(doc! {"_id": "s", "w": 1})).unwrap();
    assert_eq!(finish(slow, &mut state).1.unwrap_err().duplicate_index(), Some("w_1"));
}

pub(crate) fn an_upsert_whose_update_brings_the_colliding_value_is_not_retried() {
    let mut state = State::new();
    state.provision("c", &[Index::unique(["w"])]).unwrap();
    state.execute(insert(doc! {"_id": "s", "w": 2})).unwrap();
    let slow = Execution::begin(upsert(eq("w", 1), set("w", 2).set("_id", "r")));
    assert_eq!(finish(slow, &mut state).1.unwrap_err().duplicate_index(), Some("w_1"));
}

pub(crate) fn an_upsert_by_all_fields_of_a_compound_index_is_retried() {
    let run = |filter| {
        let mut state = State::new();
        state.provision("c", &[Index::unique(["a", "b"])]).unwrap();
        let mut slow = Execution::begin(upsert(filter, set("_id", 1)));
        go(&mut slow, &mut state);
        state.execute(insert(doc! {"_id": 2, "a": 1, "b": Value::Null})).unwrap();
        finish(slow, &mut state).1
    };
    let both = eq("b", Value::Null).and(eq("a", 1.0));
    assert!(run(both).unwrap_err().is_immutable_id(), "it found the document by then");
    assert_eq!(run(eq("a", 1)).unwrap_err().duplicate_index(), Some("a_1_b_1"));
}

pub(crate) fn a_scan_is_no_snapshot() {
    let mut state = state([doc! {"_id": 1, "at": "here"}, doc! {"_id": 2, "at": "there"}]);
    let mut scan = Execution::begin(find(eq("at", "here")));
    go(&mut scan, &mut state);
    state.execute(update(by_id(1), set("at", "there"))).unwrap();
    state.execute(update(by_id(2), set("at", "here"))).unwrap();
    let never = vec![doc! {"_id": 1, "at": "here"}, doc! {"_id": 2, "at": "here"}];
    assert_eq!(finish(scan, &mut state), (1, Ok(Reply::Documents(never))));
}

pub(crate) fn a_scan_misses_a_document_that_moves_behind_it() {
    let mut state = state([doc! {"_id": 2}, doc! {"_id": 3, "me": true}]);
    let mut scan = Execution::begin(find(exists("me")));
    go(&mut scan, &mut state);
    state.execute(insert(doc! {"_id": 1, "me": true})).unwrap();
    state.execute(update(by_id(3), unset("me"))).unwrap();
    assert_eq!(finish(scan, &mut state).1, Ok(Reply::Documents(vec![])));
    assert_eq!(ids(&mut state, exists("me")), [1.into()]);
}

pub(crate) fn pushes_stand_in_the_order_of_their_writes() {
    let mut state = state([doc! {"_id": 1, "kind": "list"}]);
    let late = |task: &str| update(eq("kind", "list"), push("tasks", task));
    let (mut first, mut second) =
        (Execution::begin(late("first")), Execution::begin(late("second")));
    go(&mut first, &mut state);
    go(&mut second, &mut state);
    finish(second, &mut state).1.unwrap();
    finish(first, &mut state).1.unwrap();
    assert_eq!(content(&state)[0].get("tasks"), Some(&["second", "first"].into()));
}

pub(crate) fn a_sweep_between_two_steps_takes_the_candidate() {
    let mut state = state([doc! {"_id": "lease", "expires": Value::DateTime(1)}]);
    let mut renew = Execution::begin(update(exists("expires"), set("expires", Value::DateTime(9))));
    go(&mut renew, &mut state);
    let sweep = delete(lt("expires", Value::DateTime(5)));
    assert_eq!(state.execute(sweep), Ok(Reply::Deleted(1)));
    assert_eq!(finish(renew, &mut state), (1, Ok(updated(0, 0))));
}
