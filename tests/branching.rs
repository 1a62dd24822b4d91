//! Processes that go by what they are answered, against a search that knows nothing of doorway.
//!
//! A process is a small machine without loops: where it stands it reads a register, writes one or adds
//! to one, and goes on by the answer; it may crash, and begins again. Many ways lead to one place, so the
//! explorer takes many for one; a search by hand over the registers and the places says what every run
//! comes to.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use doorway::check::engine::explore::{ExploreOptions, Reductions, explore};
use doorway::check::{Cx, Faults, Guards, Messages, Outcome, Process, System, World};
use doorway::doc;
use doorway::store::filter::by_id;
use doorway::store::memory::State;
use doorway::store::update::{inc, set};
use doorway::store::{Document, Store, StoreError, Value};

const REGISTERS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Act {
    Read,
    /// Writes 0 or 1, and goes on in the first way.
    Write(bool),
    /// Adds one, and goes by what was there before.
    Add,
}

/// One place: what is done with which register, and where it goes on when that is even or odd.
#[derive(Clone, Copy, Debug)]
struct Place {
    act: Act,
    register: usize,
    next: [usize; 2],
}

/// Past its places it ends, and past that it fails.
type Machine = Vec<Place>;

/// A run of one machine after another, until one fails.
type Program = Vec<Machine>;

/// A machine of so many places, each of which leads on.
fn machine() -> impl Strategy<Value = Machine> {
    let act = prop_oneof![
        4 => Just(Act::Read),
        2 => any::<bool>().prop_map(Act::Write),
        2 => Just(Act::Add),
    ];
    vec((act, 0..REGISTERS, any::<[prop::sample::Index; 2]>()), 1..5).prop_map(|places| {
        let count = places.len();
        let place = |(number, (act, register, next)): (usize, (_, _, [prop::sample::Index; 2]))| {
            let next = next.map(|next| number + 1 + next.index(count - number + 1));
            Place { act, register, next }
        };
        places.into_iter().enumerate().map(place).collect()
    })
}

fn register(number: usize) -> String {
    format!("register-{number}")
}

async fn run(cx: Cx, machine: Machine) -> Result<(), StoreError> {
    let registers = cx.collection::<Document>("registers");
    let value = |found: Option<Document>| found?.get("n")?.as_int();
    let mut at = 0;
    while let Some(Place { act, register: of, next }) = machine.get(at) {
        let of = by_id(register(*of));
        let answer = match act {
            Act::Read => value(registers.find_one(of).await?),
            Act::Write(bit) => {
                registers.update_one(of, set("n", i64::from(*bit))).await?;
                Some(0)
            }
            Act::Add => value(registers.find_one_and_update(of, inc("n", 1)).await?),
        };
        at = next[answer.unwrap() as usize % 2];
    }
    if at == machine.len() {
        return Ok(());
    }
    // An error of the store, as any other would do.
    registers.insert_one(&doc! {"_id": register(0)}).await
}

fn system(programs: &[Program], crashes: u32) -> System {
    let mut store = State::new();
    for number in 0..REGISTERS {
        store.insert("registers", doc! {"_id": register(number), "n": 0}).unwrap();
    }
    let process = |(number, program): (usize, &Program)| {
        let process = Process::new(format!("process-{number}"));
        program
            .iter()
            .cloned()
            .fold(process, |process, machine| process.then(move |cx: Cx| run(cx, machine.clone())))
    };
    System {
        name: "machines".into(),
        world: World { store, messages: Messages::default() },
        history: Vec::new(),
        processes: programs.iter().enumerate().map(process).collect(),
        properties: Vec::new(),
        broken_store: None,
        faults: Faults::default().crashes(crashes),
        commands: Default::default(),
        guards: Guards::LeftOut,
    }
}

/// The registers, and whether each process failed.
type End = (Vec<i64>, Vec<bool>);

/// Where a process stands: in which machine at which place. It fails at the one past the end, by a step that
/// leads past that.
type Stands = (usize, usize);

/// The registers, where each process stands, and how many crashes are left.
type Global = (Vec<i64>, Vec<Stands>, u32);

/// What every run comes to, by hand.
fn by_hand(programs: &[Program], crashes: u32) -> BTreeSet<End> {
    let start = (vec![0; REGISTERS], vec![(0, 0); programs.len()], crashes);
    let (mut seen, mut open) = (BTreeSet::from([start.clone()]), vec![start]);
    let mut ends = BTreeSet::new();
    while let Some(state) = open.pop() {
        let all = 0..programs.len();
        let steps: Vec<Global> =
            all.clone().filter_map(|process| step(programs, &state, process)).collect();
        if steps.is_empty() {
            let failed = |(stands, program): (&Stands, &Program)| stands.0 < program.len();
            ends.insert((state.0.clone(), state.1.iter().zip(programs).map(failed).collect()));
        }
        let crashes = all.filter_map(|process| crash(programs, &state, process));
        for next in steps.into_iter().chain(crashes) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    ends
}

fn step(programs: &[Program], state: &Global, process: usize) -> Option<Global> {
    let (mut registers, mut stands, crashes) = state.clone();
    let (machine, at) = stands[process];
    let places = programs[process].get(machine)?;
    let Some(Place { act, register, next }) = places.get(at) else {
        stands[process] = (machine, places.len() + 2);
        return (at == places.len() + 1).then_some((registers, stands, crashes));
    };
    let before = registers[*register];
    let (after, to) = match act {
        Act::Read => (before, next[before as usize % 2]),
        Act::Write(bit) => (i64::from(*bit), next[0]),
        Act::Add => (before + 1, next[before as usize % 2]),
    };
    registers[*register] = after;
    stands[process] = if to == places.len() { (machine + 1, 0) } else { (machine, to) };
    Some((registers, stands, crashes))
}

/// A process that can go on begins again.
fn crash(programs: &[Program], state: &Global, process: usize) -> Option<Global> {
    step(programs, state, process)?;
    let (registers, mut stands, crashes) = state.clone();
    stands[process] = (0, 0);
    Some((registers, stands, crashes.checked_sub(1)?))
}

fn explored(system: &System, reductions: Reductions) -> BTreeSet<End> {
    let options = ExploreOptions { outcomes: true, reductions, ..Default::default() };
    let report = explore(system, &options).unwrap();
    assert!(!report.cut_short);
    report.outcomes.unwrap().iter().map(end).collect()
}

fn end(outcome: &Outcome) -> End {
    let value = |number| {
        let id = Value::from(register(number));
        outcome.store.get("registers", &id).unwrap().get("n").unwrap().as_int().unwrap()
    };
    let failed = outcome.processes.iter().map(|process| process.starts_with("failed"));
    ((0..REGISTERS).map(value).collect(), failed.collect())
}

fn compare(programs: &[Program], crashes: u32) {
    let (system, hand) = (system(programs, crashes), by_hand(programs, crashes));
    for symmetry in [false, true] {
        let reductions = Reductions { symmetry, ..Reductions::default() };
        assert_eq!(explored(&system, reductions), hand, "symmetry: {symmetry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn machines_come_to_what_they_come_to_by_hand(
        programs in vec(vec(machine(), 1..3), 2..4),
        crashes in 0..2_u32,
    ) {
        compare(&programs, crashes);
    }

    #[test]
    fn so_do_those_that_are_alike(
        program in vec(machine(), 1..3),
        count in 2..4_usize,
        crashes in 0..2_u32,
    ) {
        compare(&vec![program; count], crashes);
    }
}

#[test]
fn what_is_known_by_hand_is_so() {
    let add = Place { act: Act::Add, register: 0, next: [1, 2] };
    let both = [vec![vec![add]], vec![vec![add]]];
    assert_eq!(by_hand(&both, 0).len(), 2, "either is second, and fails");
    let ends = by_hand(&both, 1);
    assert!(
        ends.contains(&(vec![3, 0], vec![false, false])),
        "who is about to fail adds once more"
    );
    assert_eq!(ends.len(), 3);
}
