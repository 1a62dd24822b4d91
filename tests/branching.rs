//! Processes that go by what they are answered, against a search that knows nothing of doorway.
//!
//! A process is a small machine without loops: where it stands it reads a register, writes one or adds
//! to one, and goes on by the answer. It may crash, and begins again; its answers get lost; members of a replica
//! set lag behind, and a failover takes back what a majority does not have. Many ways lead to one place, so the
//! explorer takes many for one; a search by hand over the registers and the places says what every run
//! comes to.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeSet, HashSet};

use proptest::collection::vec;
use proptest::prelude::*;

use doorway::check::engine::explore::{ExploreOptions, Reductions, explore};
use doorway::check::{Cx, Faults, Guards, Messages, Outcome, Process, System, World};
use doorway::doc;
use doorway::env::distil;
use doorway::store::filter::by_id;
use doorway::store::memory::State;
use doorway::store::update::{inc, set};
use doorway::store::{Document, ReadConcern, Store, WriteConcern};

const REGISTERS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Act {
    Read(ReadConcern),
    /// Writes 0 or 1, and goes on in the first way.
    Write(bool, WriteConcern),
    /// Adds one, and goes by what was there before.
    Add(WriteConcern),
}

/// One place: what is done with which register, and where it goes on when that is even or odd; in the second way where
/// it is not known what a write came to.
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

fn read() -> impl Strategy<Value = ReadConcern> {
    prop_oneof![
        2 => Just(ReadConcern::Local),
        1 => Just(ReadConcern::Majority),
        1 => Just(ReadConcern::Linearizable),
    ]
}

fn write() -> impl Strategy<Value = WriteConcern> {
    prop_oneof![3 => Just(WriteConcern::Majority), 1 => Just(WriteConcern::Primary)]
}

/// A machine of a few places, each of which leads on.
fn machine() -> impl Strategy<Value = Machine> {
    let act = prop_oneof![
        4 => read().prop_map(Act::Read),
        2 => (any::<bool>(), write()).prop_map(|(bit, concern)| Act::Write(bit, concern)),
        2 => write().prop_map(Act::Add),
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

/// Does what is to be done at a place, and goes on to the next.
async fn pass(cx: &Cx, Place { act, register: number, next }: Place) -> usize {
    let value = |found: Option<Document>| found.and_then(|found| found.get("n")?.as_int());
    let (register, of) = (cx.collection::<Document>(&register(number)), by_id("value"));
    let answer = match act {
        Act::Read(concern) => register.read_concern(concern).find_one(of).await.map(value),
        Act::Write(bit, concern) => {
            let register = register.write_concern(concern);
            register.update_one(of, set("n", i64::from(bit))).await.map(|_| Some(0))
        }
        Act::Add(concern) => {
            let register = register.write_concern(concern);
            register.find_one_and_update(of, inc("n", 1)).await.map(value)
        }
    };
    match answer {
        Err(error) if error.is_outcome_unknown() => next[1],
        answer => next[answer.unwrap().unwrap() as usize % 2],
    }
}

/// Passes so many places, each twice as many as one work that distils where it has come to.
async fn pass_some(cx: &Cx, machine: &Machine, at: usize, doublings: u32) -> usize {
    let Some(place) = machine.get(at) else { return at };
    if doublings == 0 {
        return pass(cx, *place).await;
    }
    let come = distil(cx, || async {
        let half = Box::pin(pass_some(cx, machine, at, doublings - 1)).await;
        Ok::<_, ()>(Box::pin(pass_some(cx, machine, half, doublings - 1)).await)
    });
    come.await.unwrap()
}

async fn run(cx: Cx, machine: Machine, doublings: u32) -> Result<(), String> {
    let mut at = 0;
    while at < machine.len() {
        at = pass_some(&cx, &machine, at, doublings).await;
    }
    if at == machine.len() {
        return Ok(());
    }
    cx.step("fail").await;
    Err("it came past its end".into())
}

/// Each place of a machine is passed by itself, or so many doublings of places are within works that distil.
fn system(programs: &[Program], faults: &Asked, doublings: u32) -> System {
    let mut store = State::new();
    for number in 0..REGISTERS {
        store.insert(&register(number), doc! {"_id": "value", "n": 0}).unwrap();
    }
    let process = |(number, program): (usize, &Program)| {
        let process = Process::new(format!("process-{number}"));
        program.iter().cloned().fold(process, |process, machine| {
            process.then(move |cx: Cx| run(cx, machine.clone(), doublings))
        })
    };
    System {
        name: "machines".into(),
        world: World { store, messages: Messages::default() },
        history: Vec::new(),
        processes: programs.iter().enumerate().map(process).collect(),
        properties: Vec::new(),
        broken_store: None,
        faults: faults.asked(),
        commands: Default::default(),
        guards: Guards::LeftOut,
    }
}

/// The registers, and whether each process failed.
type End = (Vec<i64>, Vec<bool>);

/// Where a process stands: in which machine at which place. It fails at the one past the end, by a step that
/// leads past that.
type Stands = (usize, usize);

/// How often what goes wrong, and whether drivers send writes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Asked {
    crashes: u32,
    unknown: u32,
    stale: u32,
    failovers: u32,
    retries: bool,
}

impl Asked {
    fn asked(self) -> Faults {
        let faults = Faults::default()
            .crashes(self.crashes)
            .unknown_outcomes(self.unknown)
            .stale_reads(self.stale)
            .failovers(self.failovers);
        if self.retries { faults.retryable_writes() } else { faults }
    }
}

/// A write that is done, and that its process is not told of yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waits {
    /// The answer.
    before: i64,
    is_kept: bool,
}

/// All that there is by hand: nothing is left out, and nobody decides before he has to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Global {
    registers: Vec<i64>,
    stands: Vec<Stands>,
    waits: Vec<Option<Waits>>,
    /// Whose write a failover has taken back, and the driver has sent again.
    again: Vec<bool>,
    /// The writes that come some time, by who asked for them where.
    late: Vec<(usize, Stands)>,
    /// What a majority has, as long as there may be a failover.
    majority: Option<Vec<i64>>,
    /// Whether something was written since.
    has_written: bool,
    /// What a member has, and what it knows a majority to have.
    member: [Vec<i64>; 2],
    left: Asked,
}

impl Global {
    fn start(programs: &[Program], faults: Asked) -> Global {
        let registers = vec![0; REGISTERS];
        Global {
            stands: vec![(0, 0); programs.len()],
            waits: vec![None; programs.len()],
            again: vec![false; programs.len()],
            late: Vec::new(),
            majority: (faults.failovers > 0).then(|| registers.clone()),
            has_written: false,
            member: [registers.clone(), registers.clone()],
            left: faults,
            registers,
        }
    }

    fn is_ahead(&self) -> bool {
        self.majority.is_some() && self.has_written
    }

    fn replicate(&mut self) {
        if self.majority.is_some() {
            (self.majority, self.has_written) = (Some(self.registers.clone()), false);
        }
        self.waits.iter_mut().flatten().for_each(|waits| waits.is_kept = true);
    }

    fn write(&mut self, place: Place) -> i64 {
        let register = &mut self.registers[place.register];
        let before = *register;
        *register = match place.act {
            Act::Write(bit, _) => i64::from(bit),
            Act::Add(_) => before + 1,
            Act::Read(_) => before,
        };
        self.has_written |= self.majority.is_some() && *register != before;
        before
    }

    fn go(&mut self, programs: &[Program], process: usize, way: usize) {
        let (machine, at) = self.stands[process];
        let places = &programs[process][machine];
        let to = places[at].next[way];
        self.stands[process] = if to == places.len() { (machine + 1, 0) } else { (machine, to) };
        (self.waits[process], self.again[process]) = (None, false);
    }

    /// What the process does next; `None` where it is about to fail.
    fn place(&self, programs: &[Program], process: usize) -> Option<Option<Place>> {
        let (machine, at) = self.stands[process];
        let places = programs[process].get(machine)?;
        (at < places.len() + 2).then(|| places.get(at).copied())
    }

    /// The process goes on.
    fn step(&self, programs: &[Program], process: usize) -> Option<Global> {
        let place = self.place(programs, process)?;
        let mut next = self.clone();
        let Some(place) = place else {
            next.stands[process].1 += 1;
            return Some(next);
        };
        let way = |value: i64| usize::from(place.reaction(value));
        if let Some(Waits { before, .. }) = self.waits[process] {
            if !self.waits[process].as_ref()?.is_kept {
                next.replicate();
            }
            next.go(programs, process, way(before));
            return Some(next);
        }
        let concern = match place.act {
            Act::Read(read) => {
                if read == ReadConcern::Linearizable {
                    next.replicate();
                }
                let majority = self.majority.as_ref().filter(|_| read == ReadConcern::Majority);
                let value = majority.unwrap_or(&self.registers)[place.register];
                next.go(programs, process, way(value));
                return Some(next);
            }
            Act::Write(_, concern) | Act::Add(concern) => concern,
        };
        let before = next.write(place);
        if concern == WriteConcern::Majority && next.is_ahead() {
            next.waits[process] = Some(Waits { before, is_kept: false });
        } else {
            next.go(programs, process, way(before));
        }
        Some(next)
    }

    /// All that goes wrong with a process.
    fn wrong(&self, programs: &[Program], process: usize) -> Vec<Global> {
        let Some(place) = self.place(programs, process) else { return Vec::new() };
        let mut all = Vec::new();
        if self.left.crashes > 0 {
            let mut next = self.clone();
            (next.stands[process], next.waits[process]) = ((0, 0), None);
            next.again[process] = false;
            next.left.crashes -= 1;
            all.push(next);
        }
        let Some(place) = place else { return all };
        let is_write = !matches!(place.act, Act::Read(_));
        if is_write && self.left.unknown > 0 {
            let mut told = self.clone();
            told.left.unknown -= 1;
            told.go(programs, process, 1);
            if self.waits[process].is_none() {
                let (mut done, mut late) = (told.clone(), told.clone());
                done.write(place);
                late.late.push((process, self.stands[process]));
                all.extend([done, late]);
            }
            // Not done, or done before.
            all.push(told);
        }
        let member = match place.act {
            Act::Read(ReadConcern::Local) => Some(0),
            Act::Read(ReadConcern::Majority) => Some(1),
            _ => None,
        };
        if let Some(member) = member.filter(|_| self.left.stale > 0) {
            let mut next = self.clone();
            next.left.stale -= 1;
            let value = self.member[member][place.register];
            next.go(programs, process, usize::from(place.reaction(value)));
            all.push(next);
        }
        all
    }

    /// What happens among the members, and of late writes.
    fn elsewhere(&self, programs: &[Program]) -> Vec<Global> {
        let mut all = Vec::new();
        for process in 0..programs.len() {
            let first = self.late.iter().position(|(whose, _)| *whose == process);
            if let Some(first) = first {
                let mut next = self.clone();
                let (whose, (machine, at)) = next.late.remove(first);
                next.write(programs[whose][machine][at]);
                all.push(next);
            }
        }
        if self.left.stale > 0 {
            let mut next = self.clone();
            let majority = self.majority.as_ref().unwrap_or(&self.registers);
            next.member = [self.registers.clone(), majority.clone()];
            all.push(next);
        }
        if self.is_ahead() {
            let mut next = self.clone();
            next.replicate();
            all.extend([next, self.failed_over(programs)]);
        }
        all
    }

    fn failed_over(&self, programs: &[Program]) -> Global {
        let mut next = self.clone();
        next.registers.clone_from(self.majority.as_ref().unwrap());
        next.has_written = false;
        next.left.failovers -= 1;
        if next.left.failovers == 0 {
            next.majority = None;
        }
        for process in 0..programs.len() {
            match &self.waits[process] {
                None => {}
                Some(waits) if waits.is_kept && self.left.retries => {}
                Some(_) if self.left.retries && !self.again[process] => {
                    next.waits[process] = None;
                    next.again[process] = true;
                }
                Some(_) => next.go(programs, process, 1),
            }
        }
        next
    }
}

impl Place {
    /// Whether it goes on in the second way where it is answered this.
    fn reaction(&self, value: i64) -> bool {
        !matches!(self.act, Act::Write(..)) && value % 2 != 0
    }
}

/// What every run comes to, by hand.
fn by_hand(programs: &[Program], faults: Asked) -> BTreeSet<End> {
    let start = Global::start(programs, faults);
    let (mut seen, mut open) = (HashSet::from([start.clone()]), vec![start]);
    let mut ends = BTreeSet::new();
    while let Some(state) = open.pop() {
        let all = 0..programs.len();
        let steps: Vec<Global> =
            all.clone().filter_map(|process| state.step(programs, process)).collect();
        if steps.is_empty() && state.late.is_empty() && !state.is_ahead() {
            let failed = |(stands, program): (&Stands, &Program)| stands.0 < program.len();
            let failed = state.stands.iter().zip(programs).map(failed).collect();
            ends.insert((state.registers.clone(), failed));
        }
        let wrong = all.flat_map(|process| state.wrong(programs, process));
        for next in steps.into_iter().chain(wrong).chain(state.elsewhere(programs)) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    ends
}

fn explored(system: &System, reductions: Reductions) -> BTreeSet<End> {
    let options = ExploreOptions { outcomes: true, reductions, ..Default::default() };
    let report = explore(system, &options).unwrap();
    assert!(!report.cut_short);
    report.outcomes.unwrap().iter().map(end).collect()
}

fn end(outcome: &Outcome) -> End {
    let value = |number| {
        let found = outcome.store.get(&register(number), &"value".into());
        found.unwrap().get("n").unwrap().as_int().unwrap()
    };
    let failed = outcome.processes.iter().map(|process| process.starts_with("failed"));
    ((0..REGISTERS).map(value).collect(), failed.collect())
}

fn compare(programs: &[Program], faults: Asked) {
    let hand = by_hand(programs, faults);
    for (symmetry, doublings) in [(false, 0), (true, 0), (true, 1), (false, 2)] {
        let reductions = Reductions { symmetry, ..Reductions::default() };
        let explored = explored(&system(programs, &faults, doublings), reductions);
        // Between a write and its acknowledgement a process crashes only where the primary is cut off, of which
        // there are as many times as failovers; by hand, at any time.
        if faults.retries && faults.crashes > 0 {
            let quiet = by_hand(programs, Asked { failovers: 0, retries: false, ..faults });
            assert!(
                explored.is_subset(&hand) && explored.is_superset(&quiet),
                "{symmetry} {doublings}"
            );
        } else {
            assert_eq!(explored, hand, "symmetry: {symmetry}, {doublings} doublings");
        }
    }
}

fn crashes(crashes: u32) -> Asked {
    Asked { crashes, ..Asked::default() }
}

/// A few faults of each kind. Where drivers send writes again a majority lags once for each failover, by hand as
/// often as it likes: only a majority read could tell.
fn faults() -> impl Strategy<Value = Asked> {
    let counts = [0..2_u32, 0..2, 0..3, 0..3];
    (counts, any::<bool>()).prop_map(|([crashes, unknown, stale, failovers], retries)| Asked {
        crashes,
        unknown,
        stale,
        failovers,
        retries: retries && failovers > 0,
    })
}

fn without_majority_reads(program: &mut Program) {
    for place in program.iter_mut().flatten() {
        if let Act::Read(concern @ ReadConcern::Majority) = &mut place.act {
            *concern = ReadConcern::Local;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn machines_come_to_what_they_come_to_by_hand(
        programs in vec(vec(machine(), 1..3), 2..4),
        count in 0..2_u32,
    ) {
        compare(&programs, crashes(count));
    }

    #[test]
    fn so_do_those_that_are_alike(
        program in vec(machine(), 1..3),
        count in 2..4_usize,
        crashed in 0..2_u32,
    ) {
        compare(&vec![program; count], crashes(crashed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn so_do_those_to_which_all_kinds_of_faults_happen(
        mut programs in vec(vec(machine(), 1), 2),
        alike in any::<bool>(),
        faults in faults(),
    ) {
        if faults.retries {
            programs.iter_mut().for_each(without_majority_reads);
        }
        if alike {
            programs[1] = programs[0].clone();
        }
        compare(&programs, faults);
    }
}

#[test]
fn what_is_known_by_hand_is_so() {
    let add = Place { act: Act::Add(WriteConcern::Majority), register: 0, next: [1, 2] };
    let both = [vec![vec![add]], vec![vec![add]]];
    assert_eq!(by_hand(&both, crashes(0)).len(), 2, "either is second, and fails");
    let ends = by_hand(&both, crashes(1));
    assert!(
        ends.contains(&(vec![3, 0], vec![false, false])),
        "who is about to fail adds once more"
    );
    assert_eq!(ends.len(), 3);
    let failover = Asked { failovers: 1, ..Asked::default() };
    let ends = by_hand(&both, failover);
    assert!(ends.contains(&(vec![1, 0], vec![true, false])), "the first is lost, and unknown");
    let retried = Asked { retries: true, ..failover };
    assert_eq!(by_hand(&both, retried), by_hand(&both, crashes(0)), "nobody notices");
}

#[test]
fn a_write_that_is_sent_again_may_come_late() {
    let majority = WriteConcern::Majority;
    let add = Place { act: Act::Add(majority), register: 1, next: [1, 1] };
    let set = Place { act: Act::Write(true, majority), register: 1, next: [2, 2] };
    let or_fail = Place { act: Act::Write(false, majority), register: 0, next: [1, 2] };
    let programs = [vec![vec![add, set]], vec![vec![or_fail]]];
    let faults = Asked { unknown: 1, failovers: 2, retries: true, ..Asked::default() };
    let late = (vec![0, 2], vec![false, true]);
    assert!(by_hand(&programs, faults).contains(&late));
    compare(&programs, faults);
}

#[test]
fn a_member_that_lags_does_so_in_several_collections() {
    let set = |register, next| Place {
        act: Act::Write(true, WriteConcern::Majority),
        register,
        next: [next, next],
    };
    let read = |concern, register, next| Place { act: Act::Read(concern), register, next };
    let reader = vec![
        read(ReadConcern::Linearizable, 1, [3, 1]),
        read(ReadConcern::Local, 0, [2, 3]),
        read(ReadConcern::Local, 1, [4, 3]),
    ];
    let programs = [vec![vec![set(0, 1), set(1, 2)]], vec![reader]];
    for (stale, fails) in [(1, false), (2, true)] {
        let faults = Asked { stale, ..Asked::default() };
        assert_eq!(by_hand(&programs, faults).contains(&(vec![1, 1], vec![false, true])), fails);
        compare(&programs, faults);
    }
}
