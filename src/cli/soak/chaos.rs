//! What is done to processes, and when: chance by a seed.

use std::time::Duration;

use super::dice::Dice;
use super::fact::Chaos;

/// How often each thing is done on average.
const EVERY: [(Chaos, Duration); 6] = [
    (Chaos::KillWorker, Duration::from_secs(6)),
    (Chaos::KillManager, Duration::from_secs(8)),
    (Chaos::FreezeWorker, Duration::from_secs(7)),
    (Chaos::FreezeManager, Duration::from_secs(10)),
    (Chaos::KillServer, Duration::from_secs(25)),
    (Chaos::FreezeServer, Duration::from_secs(15)),
];
/// How long a child stays frozen or dead: shorter and longer than it takes to be declared dead.
const CHILD: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(7));
/// How long the server stays frozen or dead.
const SERVER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What is done now, within a time that is short against each of the periods, and for how long.
pub(crate) fn now(dice: &mut Dice, within: Duration) -> Vec<(Chaos, Duration)> {
    let comes =
        |dice: &mut Dice, every: Duration| dice.comes(within.as_secs_f64() / every.as_secs_f64());
    let chosen = EVERY.into_iter().filter(|(_, every)| comes(dice, *every)).collect::<Vec<_>>();
    chosen.into_iter().map(|(what, _)| (what, lasts(dice, what))).collect()
}

fn lasts(dice: &mut Dice, what: Chaos) -> Duration {
    let (shortest, longest) = match what {
        Chaos::KillServer | Chaos::FreezeServer => SERVER,
        _ => CHILD,
    };
    dice.between(shortest, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_plan_and_all_of_it_comes() {
        let plan = |seed| {
            let mut dice = Dice::new(seed);
            (0..6000).map(|_| now(&mut dice, Duration::from_millis(100))).collect::<Vec<_>>()
        };
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        let plan = plan(7).concat();
        for (what, every) in EVERY {
            let often = plan.iter().filter(|(one, _)| *one == what).count() as f64;
            let expected = 600.0 / every.as_secs_f64();
            assert!((expected / 2.0..expected * 2.0).contains(&often), "{what:?}: {often}");
        }
    }
}
