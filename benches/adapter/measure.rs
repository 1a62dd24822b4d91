//! Two ways to do the same, in turns, and how much longer one takes.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// How many pairs come before those that count: connections are made, and caches filled.
const WARMING: usize = 20;

/// What one call has taken, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    /// By the clock of the wall.
    pub(crate) clock: f64,
    /// Processor time of this thread.
    pub(crate) processor: f64,
}

/// The middle of many ratios, with the interval in which that of all lies (95 %).
pub(crate) struct Ratio {
    pub(crate) middle: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Calls the one and the other in turns, with their order turned round each time.
pub(crate) async fn in_turns(
    pairs: usize,
    one: impl AsyncFn(usize),
    other: impl AsyncFn(usize),
) -> Vec<[Spent; 2]> {
    let mut seen = Vec::with_capacity(WARMING + pairs);
    for round in 0..WARMING + pairs {
        seen.push(if round % 2 == 0 {
            let first = spent(one(round)).await;
            [first, spent(other(round)).await]
        } else {
            let first = spent(other(round)).await;
            [spent(one(round)).await, first]
        });
    }
    seen.split_off(WARMING)
}

async fn spent(call: impl Future<Output = ()>) -> Spent {
    let (began, processor) = (Instant::now(), thread_time());
    call.await;
    let processor = micros(thread_time() - processor);
    Spent { clock: micros(began.elapsed()), processor }
}

/// The processor time that this thread has had.
pub(crate) fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The median.
pub(crate) fn middle(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let numbers = sorted(numbers);
    numbers[numbers.len() / 2]
}

/// The median of the ratios of the pairs; its interval is that between two of them, by the sign
/// test, which asks nothing of how they are distributed.
pub(crate) fn ratio(pairs: &[[Spent; 2]], of: impl Fn(&Spent) -> f64) -> Ratio {
    let ratios = sorted(pairs.iter().map(|[one, other]| of(one) / of(other)));
    let (count, half) = (ratios.len(), ratios.len() as f64 / 2.0);
    let reach = 1.96 * (count as f64).sqrt() / 2.0;
    let at = |rank: f64| ratios[(rank.max(0.0) as usize).min(count - 1)];
    Ratio { middle: at(half), low: at(half - reach), high: at((half + reach).ceil()) }
}

fn sorted(numbers: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}
