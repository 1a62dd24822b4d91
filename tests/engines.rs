//! The engines against each other and against known counts.
#![allow(missing_docs)]

use std::num::NonZeroU32;

use doorway::check::engine::{Options, loom, shuttle};
use doorway::check::{Coverage, Report, System, Verdict};
use doorway::model::{Expect, Model, Sizes, SystemKind};
use doorway::reservation::Design;

fn size(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("a size is not zero")
}

fn reference(managers: u32, tasks: u32, resources: u32, workers: u32) -> System {
    let sizes = Sizes {
        managers: size(managers),
        workers: size(workers),
        tasks: size(tasks),
        resources: size(resources),
    };
    let model = Model {
        name: "reference".into(),
        about: String::new(),
        design: Design::Story898,
        system: SystemKind::Inline,
        sizes,
        wants: Vec::new(),
        buries: Vec::new(),
        dead: Vec::new(),
        faults: Default::default(),
        broken_store: None,
        expect: ["exclusivity", "one-resource-per-worker", "no-leak", "once", "no-deadlock"]
            .map(|name| (name.to_owned(), Expect::Verified))
            .to_vec(),
        engines: Vec::new(),
    };
    model.system().expect("a sound model")
}

fn executions(report: &Report) -> u64 {
    match report.coverage {
        Coverage::Executions { executions, .. } => executions,
        Coverage::States { .. } => panic!("an engine of executions"),
    }
}

#[test]
fn quick() {
    for (m, t, r, w) in [(2, 2, 1, 2)] {
        let system = reference(m, t, r, w);
        let options = Options { outcomes: true, ..Options::default() };
        let by_loom = loom::check(&system, &options);
        println!(
            "{m}x{t}x{r}x{w} loom {} {:?} {:?} {:?}",
            executions(&by_loom),
            by_loom.time,
            by_loom.verdict(),
            by_loom.stopped
        );
        for f in &by_loom.findings {
            if let Some(c) = &f.counterexample {
                println!("{} {}", c.property, c.why);
                for (i, s) in c.steps.iter().enumerate() {
                    println!(
                        "{} {} {} -> {:?} {:?}",
                        i + 1,
                        s.process,
                        s.request,
                        s.answer,
                        s.events.iter().map(|e| e.to_string()).collect::<Vec<_>>()
                    );
                }
            }
        }
        if m * t > 2 {
            continue;
        }
        let by_shuttle = shuttle::check(&system, shuttle::Choose::DepthFirst, &options);
        println!(
            "  shuttle {} {:?} {:?} {:?}",
            executions(&by_shuttle),
            by_shuttle.time,
            by_shuttle.verdict(),
            by_shuttle.stopped
        );
        assert!(by_loom.outcomes == by_shuttle.outcomes, "differ");
        println!("  outcomes {}", by_loom.outcomes.map_or(0, |all| all.len()));
        assert_eq!(by_loom.findings.len(), 5);
        let _ = Verdict::Verified;
    }
}
