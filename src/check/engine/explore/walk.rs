//! Walks: random runs of the long-lived code, held against the automata.
//!
//! The automata are learnt from runs that begin at the last boundary. Code that carries something
//! over a boundary is found out only by a run that goes over many: at each step of a walk the
//! process has to ask what its automaton says.

use super::automaton::{Automaton, NodeId};
use super::error::CheckError;
use crate::check::process::Coroutine;
use crate::check::request::Answer;
use crate::check::step::{self, At, Stepped};
use crate::check::strand::Strand;
use crate::check::system::System;

/// So many walks.
const WALKS: u64 = 8;
/// So many steps each, at most.
const STEPS: usize = 400;
/// So many where ordinals turn up: each is answered in a way of its own, and all ways are learnt that there
/// were.
const STEPS_WITH_ORDINALS: usize = 100;

/// A process on a walk.
struct Walker {
    coroutine: Coroutine,
    at: At,
    node: NodeId,
}

/// Walks at random, and learns on the way.
pub(super) fn walk(system: &System, automata: &mut [Automaton]) -> Result<(), CheckError> {
    (1..=WALKS).try_for_each(|seed| walk_once(system, automata, seed))
}

fn walk_once(system: &System, automata: &mut [Automaton], seed: u64) -> Result<(), CheckError> {
    let mut random = seed;
    let mut world = system.initial_world();
    let mut rests = system.guards.rests();
    let mut walkers = Vec::with_capacity(automata.len());
    for (process, automaton) in system.processes.iter().zip(&mut *automata) {
        let (coroutine, stands, _) = Coroutine::start(process, system.guards);
        automaton.expect(automaton.start(), &stands)?;
        walkers.push(Walker { coroutine, at: stands.into(), node: automaton.start() });
    }
    for step in 0..STEPS {
        if step >= STEPS_WITH_ORDINALS && automata.iter().any(|one| one.has_ordinals) {
            break;
        }
        let can_go_on =
            |at: &At, strand| at.is_enabled(strand, &world) || rests > 0 && at.rests(strand);
        let of_process = |(process, walker): (usize, &Walker)| {
            let strands: Vec<Strand> =
                walker.at.strands().filter(|strand| can_go_on(&walker.at, *strand)).collect();
            strands.into_iter().map(move |strand| (process, strand))
        };
        let enabled: Vec<(usize, Strand)> =
            walkers.iter().enumerate().flat_map(of_process).collect();
        if enabled.is_empty() {
            break;
        }
        let (process, strand) = enabled[(next(&mut random) % enabled.len() as u64) as usize];
        let Walker { coroutine, at, node } = &mut walkers[process];
        let automaton = &mut automata[process];
        let mut differs = None;
        let mut resume = |strand: Strand, answer: Answer| {
            let (stands, told) = coroutine.resume(strand, answer.clone());
            let agrees = automaton.follow(*node, (strand, answer)).and_then(|(to, learnt)| {
                *node = to;
                automaton.expect(to, &stands)?;
                automaton.expect_told(&learnt, &told)
            });
            differs = differs.take().or(agrees.err());
            (At::from(stands), told)
        };
        if at.rests(strand) {
            rests -= 1;
            at.go_on(resume(strand, Answer::Done), &mut Stepped::default());
        } else {
            let name = &system.processes[process].name;
            step::take(&mut world, (name, strand), at, system, &mut resume);
        }
        if let Some(error) = differs {
            return Err(error);
        }
    }
    Ok(())
}

/// The next number that looks random (Marsaglia, *Xorshift RNGs*, 2003).
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random >> 8
}
