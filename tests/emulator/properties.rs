//! Random commands against the plain reference, and random interleavings.

use std::cell::Cell;

use doorway::store::memory::{Access, Execution, State};
use doorway::store::{Command, Document, Filter, Index, Operation, Predicate, Reply, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::commands::content;
use crate::support::generate::{command, document, indexes};
use crate::support::reference::{Fault, Reference, fields};

/// A runner whose cases are the same in each run.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

fn seeded(indexes: &[Index], documents: Vec<Document>) -> State {
    let mut state = State::new();
    state.provision("c", indexes).unwrap();
    for document in documents {
        // Some of them break an index, or have an _id that is taken: they stay out.
        let _ = state.insert("c", document);
    }
    state
}

fn reference(state: &State, indexes: &[Index]) -> Reference {
    Reference { documents: content(state), indexes: indexes.to_vec() }
}

fn fault(error: &StoreError) -> Fault {
    if let Some(index) = error.duplicate_index() {
        Fault::Duplicate(index.into())
    } else if error.is_immutable_id() {
        Fault::ImmutableId
    } else {
        assert!(error.is_invalid(), "{error}");
        Fault::Invalid
    }
}

/// Replies as far as they can be compared: the order of a document's own fields does not count.
fn comparable(reply: &Reply) -> Reply {
    let sorted = |document: &Document| fields(document).into_iter().collect::<Document>();
    match reply {
        Reply::Document(document) => Reply::Document(document.as_ref().map(sorted)),
        Reply::Documents(documents) => Reply::Documents(documents.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn same_content(state: &State, reference: &Reference) -> Result<(), TestCaseError> {
    let emulated: Vec<_> = content(state).iter().map(fields).collect();
    let expected: Vec<_> = reference.documents.iter().map(fields).collect();
    prop_assert_eq!(emulated, expected);
    Ok(())
}

#[test]
fn replies_and_states_agree_with_the_reference() {
    let (done, changing, unsupported) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let count = |cell: &Cell<u32>, by: bool| cell.set(cell.get() + u32::from(by));
    let world = (indexes(), vec(document(), 0..5), vec(command(), 1..30));
    runner(1_500)
        .run(&world, |(indexes, documents, commands)| {
            let mut state = seeded(&indexes, documents);
            let mut reference = reference(&state, &indexes);
            for command in &commands {
                let before = state.clone();
                let copy = content(&before);
                let reply = state.execute(command.clone());
                count(&done, true);
                count(&changing, state != before);
                prop_assert_eq!(content(&before), copy, "a snapshot leaks");
                match &reply {
                    Err(error) if error.is_unsupported() => {
                        count(&unsupported, true);
                        prop_assert_eq!(&state, &before);
                        continue;
                    }
                    Err(_) => prop_assert_eq!(&state, &before, "an error changes the state"),
                    Ok(_) => {}
                }
                let expected = reference.execute(command).map(|reply| comparable(&reply));
                let reply = reply.map(|r| comparable(&r)).map_err(|error| fault(&error));
                prop_assert_eq!(reply, expected, "{}", command);
                same_content(&state, &reference)?;
                prop_assert_eq!(reference.broken_index(), Ok(None));
            }
            Ok(())
        })
        .unwrap();
    let (done, changing, unsupported) = (done.get(), changing.get(), unsupported.get());
    println!("{done} commands, {changing} changed a document, {unsupported} unsupported");
    assert!(changing * 10 >= done * 3, "only {changing} of {done} commands change a document");
    assert!(unsupported * 10 <= done, "{unsupported} of {done} commands are unsupported");
}

/// Runs executions in the order of a schedule, then each to its end.
fn interleave(
    state: &mut State,
    commands: &[Command],
    schedule: &[usize],
    mut after_step: impl FnMut(&State, Access, &State) -> Result<(), TestCaseError>,
) -> Result<Vec<Result<Reply, StoreError>>, TestCaseError> {
    let mut executions: Vec<Execution> = commands.iter().cloned().map(Execution::begin).collect();
    let mut replies = vec![None; commands.len()];
    let rest = (0..commands.len()).flat_map(|process| std::iter::repeat_n(process, 500));
    for process in schedule.iter().map(|turn| turn % commands.len()).chain(rest) {
        if replies[process].is_none() {
            let (before, access) = (state.clone(), executions[process].access());
            replies[process] = executions[process].step(state);
            after_step(&before, access, state)?;
        }
    }
    Ok(replies.into_iter().map(Option::unwrap).collect())
}

fn is_one_step(command: &Command) -> bool {
    match &command.operation {
        Operation::InsertOne { .. } => true,
        Operation::FindOne { filter, .. }
        | Operation::Scan { filter, .. }
        | Operation::DeleteOne { filter } => fixes_id(filter),
        Operation::UpdateOne { filter, upsert, .. }
        | Operation::ReplaceOne { filter, upsert, .. }
        | Operation::FindOneAndUpdate { filter, upsert, .. } => fixes_id(filter) && !upsert,
    }
}

fn fixes_id(filter: &Filter) -> bool {
    match filter {
        Filter::Field(path, Predicate::Eq(_)) => path.as_str() == "_id",
        Filter::And(parts) => parts.iter().any(fixes_id),
        _ => false,
    }
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let with_last = |order: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    orders(count - 1).into_iter().flat_map(with_last).collect()
}

#[test]
fn no_interleaving_breaks_an_index_or_writes_in_a_read_step() {
    let world = (indexes(), vec(document(), 1..5), vec(command(), 2..4), vec(0..6_usize, 0..30));
    runner(3_000)
        .run(&world, |(indexes, documents, commands, schedule)| {
            let mut state = seeded(&indexes, documents);
            interleave(&mut state, &commands, &schedule, |before, access, after| {
                prop_assert_eq!(reference(after, &indexes).broken_index(), Ok(None));
                let mut rebuilt = State::new();
                rebuilt.provision("c", &indexes).unwrap();
                content(after).into_iter().for_each(|d| rebuilt.insert("c", d).unwrap());
                prop_assert_eq!(&rebuilt, after);
                prop_assert!(access == Access::Write || before == after, "a read step writes");
                Ok(())
            })?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_one_step_each_is_as_if_in_some_order() {
    let only_one_step = command().prop_filter("one step", is_one_step);
    let world = (indexes(), vec(document(), 1..5), vec(only_one_step, 2..4), vec(0..6_usize, 0..9));
    runner(1_000)
        .run(&world, |(indexes, documents, commands, schedule)| {
            let start = seeded(&indexes, documents);
            let mut state = start.clone();
            let replies = interleave(&mut state, &commands, &schedule, |_, _, _| Ok(()))?;
            let serial = |order: Vec<usize>| {
                let mut serial = start.clone();
                let as_replied = order
                    .iter()
                    .all(|&process| serial.execute_ref(&commands[process]) == replies[process]);
                as_replied && serial == state
            };
            prop_assert!(orders(commands.len()).into_iter().any(serial));
            Ok(())
        })
        .unwrap();
}

#[test]
fn stepping_to_the_end_is_the_same_as_executing() {
    let world = (indexes(), vec(document(), 1..5), vec(command(), 1..8));
    runner(500)
        .run(&world, |(indexes, documents, commands)| {
            let mut stepped = seeded(&indexes, documents);
            let mut executed = stepped.clone();
            for command in commands {
                let one = std::slice::from_ref(&command);
                let replies = interleave(&mut stepped, one, &[], |_, _, _| Ok(()))?;
                prop_assert_eq!(&replies[0], &executed.execute(command.clone()));
                prop_assert_eq!(&stepped, &executed);
            }
            Ok(())
        })
        .unwrap();
}

/// Equality, order and hash of states are those of their contents, however they came about; with
/// more documents than one node of the tree holds.
#[test]
fn states_compare_as_their_contents() {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hash = |state: &State| {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        hasher.finish()
    };
    let with = |ids: &[i64]| {
        let mut state = State::new();
        for id in ids {
            let _ = state.insert("c", Document::new().with("_id", *id));
        }
        state
    };
    let without = |state: &State, ids: &[i64]| {
        let mut state = state.clone();
        for id in ids {
            let filter = doorway::store::filter::by_id(*id);
            state.execute(crate::support::commands::delete(filter)).unwrap();
        }
        state
    };
    let world = (vec(0..400_i64, 0..400), vec(0..400_i64, 0..400));
    runner(200)
        .run(&world, |(ids, others)| {
            let all = with(&[ids.clone(), others.clone()].concat());
            let (fewer, direct) = (without(&all, &others), without(&with(&ids), &others));
            prop_assert_eq!(&fewer, &direct);
            prop_assert_eq!(hash(&fewer), hash(&direct));
            for (a, b) in [(&fewer, &direct), (&all, &fewer), (&all, &direct)] {
                prop_assert_eq!(a == b, content(a) == content(b));
                prop_assert_eq!(a.cmp(b).is_eq(), content(a) == content(b));
                prop_assert_eq!(a.cmp(b).reverse(), b.cmp(a));
            }
            Ok(())
        })
        .unwrap();
}
