//! How long a process waits between two attempts.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long a process waits between two attempts: about twice as long each time, within bounds.
///
/// A wait is drawn from the upper half of what it may be at most. So a process looks again at the
/// latest after `most`, and costs the store at most one attempt each half of it while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest that the first wait may be.
    pub first: Duration,
    /// The longest that any wait may be.
    pub most: Duration,
    /// How many times as fast the periods pass of which algorithms speak, as that of a heartbeat:
    /// 1 in production, more where a test has no time. All processes of a system need the same.
    pub haste: u32,
}

impl Default for Pace {
    /// From 5 ms up to the 250 ms that story #898 sleeps between two attempts.
    fn default() -> Pace {
        let (first, most) = (Duration::from_millis(5), Duration::from_millis(250));
        Pace { first, most, haste: 1 }
    }
}

impl Pace {
    pub(super) fn rest(&self, period: Duration) -> Duration {
        period / self.haste.max(1)
    }

    /// The longest that a wait may be, after so many others.
    fn bound(&self, waits: u32) -> Duration {
        let doubled = 1_u32.checked_shl(waits).map(|times| self.first.saturating_mul(times));
        doubled.unwrap_or(self.most).min(self.most)
    }
}

/// How often a process has waited in vain.
#[derive(Debug)]
pub(super) struct Backoff {
    waits: AtomicU32,
    /// The number of waits when the last round of the loop ended.
    last_round: AtomicU32,
    random: AtomicU64,
}

impl Default for Backoff {
    fn default() -> Backoff {
        let random = AtomicU64::new(RandomState::new().hash_one(0));
        Backoff { waits: AtomicU32::new(0), last_round: AtomicU32::new(0), random }
    }
}

impl Backoff {
    /// How long to wait now.
    pub(super) fn next(&self, pace: &Pace) -> Duration {
        let waits = self.waits.load(Ordering::Relaxed);
        self.waits.store(waits.saturating_add(1), Ordering::Relaxed);
        let half = pace.bound(waits) / 2;
        half + half.mul_f64(self.fraction())
    }

    pub(super) fn start_over(&self) {
        self.waits.store(0, Ordering::Relaxed);
        self.last_round.store(0, Ordering::Relaxed);
    }

    /// Starts over after a round without a wait.
    pub(super) fn end_round(&self) {
        let waits = self.waits.load(Ordering::Relaxed);
        if self.last_round.swap(waits, Ordering::Relaxed) == waits {
            self.start_over();
        }
    }

    /// A number from 0 up to 1: SplitMix64 (Steele, Lea, Flood, *Fast splittable pseudorandom number
    /// generators*, OOPSLA 2014).
    fn fraction(&self) -> f64 {
        let step = 0x9E37_79B9_7F4A_7C15_u64;
        let state = self.random.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_waits_is_too_many() {
        let (pace, backoff) = (Pace::default(), Backoff::default());
        backoff.waits.store(u32::MAX - 1, Ordering::Relaxed);
        for _ in 0..3 {
            let wait = backoff.next(&pace);
            assert!(wait >= pace.most / 2 && wait <= pace.most, "{wait:?}");
        }
        let long = Pace { first: Duration::MAX / 2, ..pace };
        assert_eq!(long.bound(5), pace.most);
        assert_eq!(Pace { haste: 0, ..pace }.rest(pace.most), pace.most);
    }

    #[test]
    fn two_processes_do_not_wait_alike() {
        let pace = Pace::default();
        let waits = |backoff: &Backoff| (0..8).map(|_| backoff.next(&pace)).collect::<Vec<_>>();
        assert_ne!(waits(&Backoff::default()), waits(&Backoff::default()));
    }
}
