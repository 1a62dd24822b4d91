//! How far a search is, on standard error, where that is a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use doorway::check::engine::Progress;
use doorway::report::grouped;
use indicatif::{ProgressBar, ProgressDrawTarget};

/// Runs a search, and shows meanwhile how far it is.
pub(crate) fn showing<T>(what: &str, progress: &Progress, search: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let (done, began) = (AtomicBool::new(false), Instant::now());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(100));
                let executions = progress.executions();
                let rate = executions as f64 / began.elapsed().as_secs_f64();
                bar.set_message(format!(
                    "{what}: {} executions, {} a second",
                    grouped(executions),
                    grouped(rate as u64)
                ));
                bar.tick();
            }
        });
        let found = search();
        done.store(true, Ordering::Relaxed);
        bar.finish_and_clear();
        found
    })
}
