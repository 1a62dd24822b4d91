//! The steps of a command.

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, gt, ne};
use doorway::store::memory::{Access, Execution, State};
use doorway::store::update::{push, set};
use doorway::store::{Command, Index, Reply, Sort, StoreError};

use crate::support::commands::{
    content, delete, find, find_and_update, find_one, find_sorted, finish, go, insert, replace,
    state, update, updated, upsert,
};

fn three() -> State {
    state([doc! {"_id": 1, "n": 3}, doc! {"_id": 2, "n": 2}, doc! {"_id": 3, "n": 1}])
}

fn steps(command: Command) -> usize {
    finish(Execution::begin(command), &mut three()).0
}

/// The phases of a command, each with its access.
fn trace(state: &mut State, command: Command) -> Vec<(String, Access)> {
    let mut execution = Execution::begin(command);
    let mut phases = Vec::new();
    loop {
        phases.push((execution.phase(), execution.access()));
        if execution.step(state).is_some() {
            return phases;
        }
    }
}

#[test]
fn an_operation_by_id_is_one_step() {
    let guarded = || by_id(2).and(gt("n", 0));
    assert_eq!(steps(find_one(by_id(2))), 1);
    assert_eq!(steps(find(gt("n", 0).and(by_id(2)))), 1);
    assert_eq!(steps(update(guarded(), set("n", 1))), 1);
    assert_eq!(steps(upsert(by_id(2), set("n", 1))), 1);
    assert_eq!(steps(replace(guarded(), doc! {})), 1);
    assert_eq!(steps(delete(by_id(9))), 1);
    assert_eq!(steps(find_and_update(by_id(2), set("n", 1), Sort::ascending("n"))), 1);
    assert_eq!(steps(insert(doc! {"_id": 4})), 1);
}

#[test]
fn a_read_is_one_step_for_each_document() {
    assert_eq!(steps(find(all())), 3);
    assert_eq!(steps(find(eq("n", 9))), 3);
    assert_eq!(steps(find_sorted(all(), Sort::ascending("n"), Some(1))), 3);
    assert_eq!(steps(find_sorted(gt("n", 1), vec![], Some(2))), 2);
    assert_eq!(steps(find_one(eq("n", 2))), 2);
    assert_eq!(steps(find_one(eq("n", 9))), 3);
    assert_eq!(steps(find_one(by_id([1]))), 3, "no _id is an array");
    assert_eq!(finish(Execution::begin(find(all())), &mut State::new()).0, 1);
}

#[test]
fn a_unique_field_is_looked_up_by_a_scan() {
    let mut state = three();
    state.provision("c", &[Index::unique(["n"])]).unwrap();
    assert_eq!(finish(Execution::begin(find_one(eq("n", 1))), &mut state).0, 3);
}

#[test]
fn a_write_looks_for_its_document_and_writes_it_in_a_step_of_its_own() {
    assert_eq!(steps(update(eq("n", 2), set("x", 1))), 3);
    assert_eq!(steps(update(eq("n", 9), set("x", 1))), 3);
    assert_eq!(steps(delete(eq("n", 3))), 2);
    assert_eq!(steps(find_and_update(all(), set("x", 1), Sort::ascending("n"))), 4);
    assert_eq!(steps(find_and_update(eq("n", 9), set("x", 1), Sort::ascending("n"))), 3);
    assert_eq!(steps(upsert(eq("n", 9), set("_id", 1))), 4);
    assert_eq!(steps(upsert(by_id(9), set("x", 1))), 2);
    let upsert_by_other = upsert(eq("n", 9), set("_id", 1));
    assert_eq!(finish(Execution::begin(upsert_by_other), &mut State::new()).0, 2);
}

#[test]
fn phases_say_what_comes_next() {
    use Access::{Read, Write};
    let phase = |text: &str, access| (text.to_owned(), access);
    let found = trace(&mut three(), update(eq("n", 2), set("x", 1)));
    assert_eq!(
        found,
        [
            phase("update_one: read the first document", Read),
            phase("update_one: read after 1", Read),
            phase("update_one: check again and write 2", Write),
        ]
    );
    let upserted = trace(&mut State::new(), upsert(by_id("r"), push("t", 1)));
    assert_eq!(upserted, [phase("update_one: write \"r\"", Write), phase("upsert: insert", Write)]);
    let found = trace(&mut three(), find(by_id(1)));
    assert_eq!(found, [phase("find: read 1", Read)]);
    assert_eq!(trace(&mut three(), insert(doc! {"_id": 1}))[0].0, "insert_one: insert");
}

#[test]
fn a_malformed_command_is_refused_at_its_first_step() {
    let mut execution = Execution::begin(find_sorted(all(), vec![], Some(0)));
    assert_eq!(execution.access(), Access::Read);
    assert!(execution.phase().starts_with("find: refuse, invalid command: a limit of 0"));
    assert!(execution.step(&mut three()).unwrap().unwrap_err().is_invalid());
    assert!(execution.step(&mut three()).unwrap().unwrap_err().is_invalid(), "a step too many");
}

#[test]
fn a_scan_goes_on_with_what_is_there_by_then() {
    let mut state = three();
    let mut scan = Execution::begin(find(all()));
    go(&mut scan, &mut state);
    state.execute(delete(by_id(2))).unwrap();
    state.execute(insert(doc! {"_id": 0})).unwrap();
    state.execute(insert(doc! {"_id": 2.5})).unwrap();
    let (steps, reply) = finish(scan, &mut state);
    let Ok(Reply::Documents(documents)) = reply else { panic!("no documents") };
    let ids: Vec<String> = documents.iter().map(|d| d.id().unwrap().to_string()).collect();
    assert_eq!((steps, ids), (2, vec!["1".into(), "2.5".into(), "3".into()]));
}

#[test]
fn a_scan_whose_rest_has_gone_ends_with_an_empty_step() {
    let mut state = three();
    let mut scan = Execution::begin(find(gt("n", 2)));
    go(&mut scan, &mut state);
    state.execute(delete(by_id(2))).unwrap();
    state.execute(delete(by_id(3))).unwrap();
    assert_eq!(finish(scan, &mut state), (1, Ok(Reply::Documents(vec![doc! {"_id": 1, "n": 3}]))));
}

#[test]
fn a_candidate_that_is_lost_is_followed_by_the_next() {
    let mut state = three();
    let mut slow = Execution::begin(update(gt("n", 1), set("slow", true)));
    go(&mut slow, &mut state);
    state.execute(delete(by_id(1))).unwrap();
    go(&mut slow, &mut state);
    assert_eq!(slow.phase(), "update_one: read after 1");
    assert_eq!(finish(slow, &mut state), (2, Ok(updated(1, 1))));
    assert!(content(&state)[0].get("slow").is_some());
}

#[test]
fn an_upsert_that_lost_its_candidate_inserts() {
    for sort in [vec![], Sort::ascending("n")] {
        let mut command = find_and_update(eq("n", 1), set("by", "slow").set("_id", 9), sort);
        let doorway::store::Operation::FindOneAndUpdate { upsert, .. } = &mut command.operation
        else {
            unreachable!()
        };
        *upsert = true;
        let mut state = state([doc! {"_id": 1, "n": 1}]);
        let mut slow = Execution::begin(command);
        go(&mut slow, &mut state);
        state.execute(delete(by_id(1))).unwrap();
        go(&mut slow, &mut state);
        assert_eq!(slow.phase(), "upsert: insert");
        assert_eq!(finish(slow, &mut state), (1, Ok(Reply::Document(None))));
        assert_eq!(content(&state), [doc! {"_id": 9, "by": "slow", "n": 1}]);
    }
}

#[test]
fn an_immutable_collection_is_read_in_one_step_and_not_written() {
    let mut state = three();
    assert!(!state.is_immutable("c"));
    state.declare_immutable("c");
    assert!(state.is_immutable("c") && !state.is_immutable("other"));
    let one_step = |command: Command| finish(Execution::begin(command), &mut state.clone());
    let found = one_step(find_sorted(ne("n", 2), Sort::ascending("n"), None));
    let (one, three) = (doc! {"_id": 1, "n": 3}, doc! {"_id": 3, "n": 1});
    assert_eq!(found, (1, Ok(Reply::Documents(vec![three, one.clone()]))));
    assert_eq!(one_step(find_one(gt("n", 2))), (1, Ok(Reply::Document(Some(one)))));
    assert_eq!(one_step(find(eq("n", 9))), (1, Ok(Reply::Documents(vec![]))));
    let writes = [
        insert(doc! {"_id": 9}),
        update(by_id(1), set("n", 3)),
        update(eq("n", 9), set("n", 3)),
        upsert(by_id(9), set("n", 3)),
        replace(by_id(1), doc! {}),
        delete(by_id(9)),
        find_and_update(all(), set("n", 1), Sort::ascending("n")),
    ];
    for write in writes {
        let refused =
            |error: StoreError| error.is_invalid() && error.to_string().contains("immutable");
        assert!(one_step(write.clone()).1.is_err_and(refused), "{write}");
    }
    assert!(state.insert("c", doc! {"_id": 9}).unwrap_err().is_invalid());
}

#[test]
fn a_snapshot_does_not_see_what_comes_later() {
    let mut state = three();
    let snapshot = state.clone();
    let copy = content(&snapshot);
    state.execute(update(by_id(1), set("n", 9))).unwrap();
    state.execute(delete(by_id(2))).unwrap();
    state.execute(insert(doc! {"_id": 4})).unwrap();
    assert_eq!(content(&snapshot), copy);
    assert_ne!(state, snapshot);
}

#[test]
fn what_is_undone_is_the_same_state_again() {
    let mut state = State::new();
    state.execute(insert(doc! {"_id": 1})).unwrap();
    state.execute(delete(by_id(1))).unwrap();
    assert_eq!(state, State::new());
    state.provision("c", &[]).unwrap();
    let provisioned = state.clone();
    state.execute(insert(doc! {"_id": 1})).unwrap();
    state.execute(delete(by_id(1))).unwrap();
    assert_eq!(state, provisioned);
    assert_ne!(state, State::new());
}

#[test]
fn a_large_collection_is_scanned_from_end_to_end() {
    let mut state = state((0..1000).map(|id| doc! {"_id": id * 7 % 1000}));
    let (steps, reply) = finish(Execution::begin(find(all())), &mut state);
    let Ok(Reply::Documents(documents)) = reply else { panic!("no documents") };
    let ids: Vec<i64> = documents.iter().map(|d| d.id().unwrap().as_int().unwrap()).collect();
    assert_eq!((steps, ids), (1000, (0..1000).collect()));
}

#[test]
fn a_dump_shows_every_collection() {
    let mut state = three();
    state.insert("a", doc! {"_id": "x"}).unwrap();
    let text = r#"{a: [{_id: "x"}], c: [{_id: 1, n: 3}, {_id: 2, n: 2}, {_id: 3, n: 1}]}"#;
    assert_eq!(state.dump().to_string(), text);
    assert_eq!(state.collections().map(|name| &**name).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(state.get("a", &"x".into()), Some(&doc! {"_id": "x"}));
}
