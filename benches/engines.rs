//! How many executions a second the engines on threads make, on the reference model.
//!
//! `cargo bench --bench engines`. An execution is one run of the whole system: two managers reserve
//! one resource and release it.
#![allow(missing_docs)]

use doorway::check::Coverage;
use doorway::check::engine::{Options, loom, shuttle};
use doorway::model::shipped;

fn main() {
    let models = shipped().expect("the shipped models are sound");
    let model = models.iter().find(|model| model.name == "reference").expect("a shipped model");
    let system = model.system().expect("a sound model");
    let options = Options::default();
    for _ in 0..3 {
        for report in [
            loom::check(&system, &options),
            shuttle::check(&system, shuttle::Choose::DepthFirst, &options),
            shuttle::check(
                &system,
                shuttle::Choose::Random { executions: 5_000, seed: 1 },
                &options,
            ),
        ] {
            let Coverage::Executions { executions, steps } = report.coverage else { continue };
            let seconds = report.time.as_secs_f64();
            println!(
                "{:<15} {:>6} executions, {:>7.0} a second, {:>9.0} steps a second",
                report.engine,
                executions,
                executions as f64 / seconds,
                steps as f64 / seconds,
            );
        }
    }
}
