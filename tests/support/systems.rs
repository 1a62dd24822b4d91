//! Systems to check, and what engines say of them.
#![allow(dead_code)]

use std::num::NonZeroU32;

use doorway::check::engine::explore::explore;
use doorway::check::engine::{Options, loom, shuttle};
use doorway::check::{Coverage, Faults, Report, System};
use doorway::model::{Expect, Model, Sizes, SystemKind, property, shipped};
use doorway::reservation::Design;

/// Story #898, reserve and release: the reference model in the size managers x tasks x resources x
/// workers, with every property that it has.
pub(crate) fn reference(managers: u32, tasks: u32, resources: u32, workers: u32) -> System {
    let size = |number| NonZeroU32::new(number).unwrap();
    let sizes = Sizes {
        managers: size(managers),
        workers: size(workers),
        tasks: size(tasks),
        resources: size(resources),
    };
    system(Design::Story898, SystemKind::Inline, sizes)
}

pub(crate) fn system(design: Design, system: SystemKind, sizes: Sizes) -> System {
    let is_of_inline_systems = |name: &str| !name.starts_with("fcfs");
    let expect = property::of_any_design()
        .iter()
        .filter(|property| system == SystemKind::Full || is_of_inline_systems(property.name()))
        .map(|property| (property.name().to_owned(), Expect::Verified))
        .collect();
    let model = Model {
        name: "reference".into(),
        about: String::new(),
        design: design.into(),
        system,
        sizes,
        wants: Vec::new(),
        needs: Vec::new(),
        deposes: Vec::new(),
        write: None,
        buries: Vec::new(),
        dead: Vec::new(),
        cancels: Vec::new(),
        streams: Vec::new(),
        twins: Vec::new(),
        hearts: Vec::new(),
        sweepers: None,
        guards: Default::default(),
        mutant: None,
        faults: Faults::default(),
        broken_store: None,
        expect,
        engines: Vec::new(),
    };
    model.system().unwrap()
}

/// A model that is built in.
pub(crate) fn model(name: &str) -> Model {
    let models = shipped().unwrap();
    models.into_iter().find(|model| model.name == name).unwrap_or_else(|| panic!("no {name}"))
}

pub(crate) fn shipped_system(name: &str) -> System {
    model(name).system().unwrap()
}

/// What an engine does with a system.
pub(crate) type Engine = fn(&System, &Options) -> Report;

pub(crate) fn by_explorer(system: &System, options: &Options) -> Report {
    explore(system, &options.for_explorer()).unwrap()
}

pub(crate) fn by_loom(system: &System, options: &Options) -> Report {
    loom::check(system, options)
}

pub(crate) fn by_dfs(system: &System, options: &Options) -> Report {
    shuttle::check(system, shuttle::Choose::DepthFirst, options)
}

pub(crate) fn by_random(system: &System, options: &Options) -> Report {
    shuttle::check(system, random(1), options)
}

pub(crate) fn by_pct(system: &System, options: &Options) -> Report {
    shuttle::check(system, pct(1), options)
}

pub(crate) fn random(seed: u64) -> shuttle::Choose {
    shuttle::Choose::Random { executions: 300, seed }
}

pub(crate) fn pct(seed: u64) -> shuttle::Choose {
    shuttle::Choose::Pct { executions: 300, seed, depth: 3 }
}

/// The engines that come to an end.
pub(crate) const EXHAUSTIVE: [Engine; 2] = [by_loom, by_dfs];
pub(crate) const ALL: [Engine; 4] = [by_loom, by_dfs, by_random, by_pct];
/// The engines that make run after run, and the one that visits states.
pub(crate) const EVERY: [Engine; 5] = [by_explorer, by_loom, by_dfs, by_random, by_pct];

pub(crate) fn executions(report: &Report) -> u64 {
    match report.coverage {
        Coverage::Executions { executions, .. } => executions,
        Coverage::States { .. } => panic!("an engine of executions"),
    }
}

pub(crate) fn steps(report: &Report) -> u64 {
    match report.coverage {
        Coverage::Executions { steps, .. } => steps,
        Coverage::States { .. } => panic!("an engine of executions"),
    }
}
