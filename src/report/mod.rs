//! Reports: for people on a terminal or in a browser, for machines as JSON.

pub mod html;
pub mod json;
#[cfg(feature = "cli")]
pub mod saved;
pub mod terminal;

use std::time::Duration;

pub use crate::check::told::grouped;

use crate::check::Coverage;

/// How much was searched, for people to read.
#[must_use]
pub fn coverage(coverage: Coverage) -> String {
    match coverage {
        Coverage::Executions { executions, .. } => format!("{} executions", grouped(executions)),
        Coverage::States { states, .. } => format!("{} states", grouped(states)),
    }
}

/// A time, for people to read: with a unit that leaves few digits.
#[must_use]
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.0995 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 99.5 => format!("{seconds:.1} s"),
        seconds => {
            let seconds = seconds.round() as u64;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_with_few_digits() {
        let told = |seconds| time(Duration::from_secs_f64(seconds));
        assert_eq!(told(0.0994), "99 ms");
        assert_eq!(told(0.0996), "0.1 s");
        assert_eq!(told(99.4), "99.4 s");
        assert_eq!(told(119.7), "2 min 0 s");
        assert_eq!(told(185.0), "3 min 5 s");
    }

    #[test]
    fn thousands_stand_between_commas() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }
}
