//! How far a search is, on standard error, where that is a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use doorway::check::engine::Progress;
use doorway::report::grouped;
use indicatif::{ProgressBar, ProgressDrawTarget};

fn how_far(progress: &Progress, time: Duration) -> String {
    if let Some(far) = progress.explored() {
        return format!(
            "{} states, {} a second, depth {}, {} to follow, {} MiB",
            grouped(far.states),
            grouped(far.rate() as u64),
            far.depth,
            grouped(far.frontier),
            grouped(far.memory as u64 >> 20),
        );
    }
    let executions = progress.executions();
    let rate = executions as f64 / time.as_secs_f64();
    format!("{} executions, {} a second", grouped(executions), grouped(rate as u64))
}

/// Runs a search, and shows meanwhile how far it is.
pub(crate) fn showing<T>(what: &str, progress: &Progress, search: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let (done, began) = (AtomicBool::new(false), Instant::now());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(100));
                bar.set_message(format!("{what}: {}", how_far(progress, began.elapsed())));
                bar.tick();
            }
        });
        let _over = Over { done: &done, bar: &bar };
        search()
    })
}

/// Ends the showing, also where the search panics: nobody waits for it then.
struct Over<'a> {
    done: &'a AtomicBool,
    bar: &'a ProgressBar,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_panics_does_not_hang() {
        let progress = Progress::default();
        let panics = || showing("a search", &progress, || -> () { panic!("on purpose") });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    }
}
