//! The README's table of designs under faults is what the models say.
//!
//! What a model expects is what the explorer says of it: `doorway check` holds the two together.
#![allow(missing_docs, clippy::unwrap_used)]

use doorway::model::{EngineKind, Expect, Model, shipped};

const DESIGNS: [&str; 4] = ["per-task", "story-898", "hot-spare", "doorway"];

/// What goes wrong, and the model that shows it of each design.
const ROWS: [(&str, [&str; 4]); 7] = [
    (
        "nothing, two managers",
        ["per-task-two-managers", "story-898-two-managers", "hot-spare", "doorway"],
    ),
    (
        "a manager crashes",
        [
            "per-task-manager-crash",
            "story-898-manager-crash",
            "hot-spare-manager-crash",
            "doorway-manager-crash",
        ],
    ),
    (
        "a worker crashes",
        [
            "per-task-worker-crash",
            "story-898-worker-crash",
            "hot-spare-worker-crash",
            "doorway-worker-crash",
        ],
    ),
    (
        "an answer is lost",
        ["per-task-unknown", "story-898-unknown", "hot-spare-unknown", "doorway-unknown"],
    ),
    (
        "a worker is declared dead and goes on",
        ["per-task-zombie", "story-898-zombie", "hot-spare-zombie", "doorway-zombie"],
    ),
    (
        "a manager is declared dead and goes on",
        ["per-task-redelivery", "story-898-redelivery", "hot-spare-deposed", "doorway-redelivery"],
    ),
    (
        "a failover, with `w: 1`",
        ["per-task-failover", "story-898-failover", "hot-spare-failover", "doorway-failover-w1"],
    ),
];

/// The properties of which the table tells; every model in it has to say what becomes of each.
const TOLD: [&str; 8] =
    ["exclusivity", "fcfs-r1", "fcfs-r2", "fcfs-r3", "once", "no-leak", "progress", "no-failure"];

fn model<'a>(models: &'a [Model], design: &str, name: &str) -> &'a Model {
    let model = models.iter().find(|model| model.name == name);
    let model = model.unwrap_or_else(|| panic!("{name} is not shipped"));
    assert_eq!(model.design.name(), design, "{name}");
    let explored =
        model.engines.iter().any(|one| one.engine == EngineKind::Explore && !one.thorough);
    assert!(explored, "{name} is not explored in a plain check");
    model
}

/// What is broken, or that nothing is.
fn cell(model: &Model) -> String {
    let expected =
        |name: &str| model.expected(name).unwrap_or_else(|| panic!("{} of {name}", model.name));
    let broken: Vec<&str> =
        TOLD.into_iter().filter(|name| expected(name) == Expect::Violated).collect();
    if broken.is_empty() { "all hold".into() } else { broken.join(", ") }
}

fn table(models: &[Model]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let heads = ["what goes wrong"].into_iter().chain(DESIGNS).map(str::to_owned);
    let mut table = line(heads.collect());
    table += &line(vec!["---".to_owned(); DESIGNS.len() + 1]);
    for (fault, names) in ROWS {
        let cells =
            DESIGNS.iter().zip(names).map(|(design, name)| cell(model(models, design, name)));
        table += &line([fault.to_owned()].into_iter().chain(cells).collect());
    }
    table
}

#[test]
fn the_table_in_the_readme_is_what_the_models_say() {
    let table = table(&shipped().unwrap());
    let readme = include_str!("../README.md");
    let (begin, end) = ("<!-- designs -->\n", "<!-- end of designs -->");
    let written = readme.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let (written, _) = written.expect("the README has a place for the table");
    assert!(written == table, "between {begin}and {end} the README has to have\n{table}");
}

/// What was known of each design before, from a study of its own: the model that shows
/// it, and what is broken there, if anything.
const KNOWN: [(&str, &[&str]); 14] = [
    ("per-task-one-manager", &[]),
    (
        "per-task-two-managers",
        &["exclusivity", "fcfs-r1", "fcfs-r2", "fcfs-r3", "one-worker-per-resource"],
    ),
    ("story-898-one-manager", &[]),
    ("story-898-two-managers", &["fcfs-r1", "fcfs-r2"]),
    ("story-898-stream", &["no-starvation"]),
    ("story-898-save", &["kept"]),
    ("story-898-save-two-managers", &["kept", "exclusivity"]),
    ("story-898-no-worker-index", &["one-resource-per-worker"]),
    ("story-898-manager-crash", &["once", "exclusivity"]),
    ("story-898-pair-crash", &["once", "exclusivity"]),
    ("story-898-worker-gone", &["fcfs-r3", "exclusivity", "no-leak"]),
    ("story-898-pair-worker-gone", &["fcfs-r3", "exclusivity", "no-leak"]),
    ("story-898-last-worker-gone", &["progress"]),
    ("story-898-zombie", &["exclusivity"]),
];

#[test]
fn what_was_known_of_each_design_is_what_the_models_say() {
    let models = shipped().unwrap();
    for (name, broken) in KNOWN {
        let model = models.iter().find(|model| model.name == name).expect(name);
        assert!(model.engines.iter().any(|one| one.engine == EngineKind::Explore), "{name}");
        for property in broken {
            assert_eq!(model.expected(property), Some(Expect::Violated), "{property} of {name}");
        }
        let holds = |(_, expect): &(String, Expect)| *expect == Expect::Verified;
        assert!(!broken.is_empty() || model.expect.iter().all(holds), "{name}");
    }
    let two = models.iter().find(|model| model.name == "story-898-two-managers").unwrap();
    for property in ["exclusivity", "once", "no-leak", "progress", "fcfs-r3"] {
        assert_eq!(two.expected(property), Some(Expect::Verified), "{property} with two managers");
    }
}
