//! Mutants: a design with one command changed is told from the design.

use doorway::check::engine::explore::Limits;
use doorway::check::mutation::{Change, Mutation};
use doorway::model::mutants::{Fate, Killers};
use doorway::model::{Model, harmless, shipped};

fn model(name: &str) -> Model {
    let mut all = shipped().expect("the shipped models are read");
    let at = all.iter().position(|model| model.name == name);
    all.swap_remove(at.expect("the model is shipped"))
}

fn killers(names: &[&str]) -> Killers {
    let models = names.iter().map(|name| model(name)).collect();
    Killers::prepare(models, Limits::default()).expect("the models are verified")
}

/// The fate of the one mutant that is described so.
fn fate(killers: &Killers, command: &str, change: &str) -> Fate {
    let wanted = |mutation: &Mutation| match mutation {
        Mutation::Command { command: shape, change: what } => {
            shape.starts_with(command) && what.to_string() == change
        }
        Mutation::NoIndex { .. } => false,
    };
    let mutants = killers.mutants();
    let mut found = mutants.iter().filter(|mutation| wanted(mutation));
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{command} {change} is more than one mutant");
    killers.judge(first.expect("the mutant is made")).expect("the models can be set up")
}

fn killed_by(fate: Fate) -> String {
    match fate {
        Fate::Killed { property, .. } => property,
        other => format!("{other:?}"),
    }
}

#[test]
fn mutants_are_made_of_what_is_sent_and_fall_by_the_property_of_their_guard() {
    let killers = killers(&["doorway-bypass", "doorway-one-resource"]);
    let by = |command, change| killed_by(fate(&killers, command, change));
    let lost = ["once", "kept", "queue"].map(String::from);
    assert_eq!(by("reserved_resources.find_one_and_update(", "operator 2 turned"), "tokens");
    assert_eq!(by("reserved_resources.find(", "without sort key 2"), "bypass");
    let release = "reserved_resources.update_one({_id: ?, worker_name: ?, token: ?}, {$pop: \
                   {task_ids: -1}, $unset: {worker_name: \"\"}})";
    assert!(lost.contains(&by(release, "operator 1 turned")));
    assert!(lost.contains(&by("task_status.insert_one", "not sent")));
    let told = "an unknown outcome taken as done";
    let untouched = fate(&killers, "task_status.insert_one(", told);
    assert_eq!(untouched, Fate::Survived { differs: Vec::new(), unended: Vec::new() });
}

#[test]
fn a_lost_answer_has_to_be_asked_for_again() {
    let killers = killers(&["doorway-unknown-one-worker"]);
    let by = |command, change| killed_by(fate(&killers, command, change));
    let append = "reserved_resources.update_one({_id: ?, task_ids: {$ne: ?}}";
    // A task that never came into its list is lost, and overtaken.
    let lost = ["kept", "fcfs-r1"].map(String::from);
    assert!(lost.contains(&by(append, "an unknown outcome taken as done")));
    let finish =
        "task_status.update_one({_id: ?, state: \"running\"}, {$set: {state: \"finished\"}";
    assert_eq!(by(finish, "an unknown outcome taken as done"), "queue");
}

#[test]
fn what_only_costs_more_falls_by_the_cost() {
    let killers = killers(&["doorway-cost-two-workers", "doorway-cost-unknown-failover"]);
    let by = |command, change| killed_by(fate(&killers, command, change));
    let bind = "reserved_resources.find_one_and_update({_id: ?, token: ?}";
    assert_eq!(by(bind, "an unknown outcome taken as not done"), "cost");
    let free = "reserved_resources.update_one({_id: ?, token: ?}";
    for change in [
        "an unknown outcome taken as done",
        "an unknown outcome taken as not done",
        "acknowledged by the primary alone",
    ] {
        assert_eq!(by(free, change), "cost", "{change}");
    }
}

#[test]
fn a_read_that_sends_what_nobody_looks_at_falls() {
    let killers = killers(&["doorway-sweep-two"]);
    let by = |command, change| killed_by(fate(&killers, command, change));
    assert_eq!(by("reserved_resources.find({$or", "without limit"), "targeted");
    assert_eq!(
        by("reserved_resources.find({worker_name: {$exists: true}}", "without clause 1"),
        "targeted"
    );
}

#[test]
fn a_watcher_that_errs_falls_by_the_registry() {
    let names = ["doorway-heart", "doorway-heart-crash", "doorway-heart-unknown"];
    let killers = killers(&[&names[..], &["doorway-heart-failover"]].concat());
    let by = |command, change| killed_by(fate(&killers, command, change));
    let bury = "workers.delete_one({_id: ?, incarnation: ?, beats: ?})";
    let beat = "workers.update_one({_id: ?, incarnation: ?}, {$inc";
    let register = "workers.replace_one({_id: ?, incarnation: {$lt: ?}}";
    for (command, change) in [
        (bury, "without clause 2"),
        (bury, "without clause 3"),
        (bury, "an unknown outcome taken as done"),
        (bury, "an unknown outcome taken as not done"),
        (bury, "acknowledged by the primary alone"),
        (beat, "without clause 2"),
        (beat, "operator 1 turned"),
        (beat, "an unknown outcome taken as done"),
        (beat, "an unknown outcome taken as not done"),
        (beat, "acknowledged by the primary alone"),
        (beat, "as save()"),
        (register, "clause 2 widened"),
    ] {
        assert_eq!(by(command, change), "registry", "{command}: {change}");
    }
}

#[test]
fn a_worker_that_is_there_is_not_robbed() {
    let killers = killers(&["doorway-worker-gone", "doorway-zombie-one-task"]);
    let by = |command, change| killed_by(fate(&killers, command, change));
    let free = "reserved_resources.update_one({_id: ?, token: ?}";
    assert_eq!(by(free, "without clause 2"), "no-eviction");
}

#[test]
fn a_mutant_that_heals_is_not_harmless() {
    let killers = killers(&["doorway-one-resource"]);
    let others = "reserved_resources.find({worker_name: {$exists: false}";
    let heals = fate(&killers, others, "not sent");
    let differs = vec!["doorway-one-resource".to_owned()];
    assert_eq!(heals, Fate::Survived { differs, unended: Vec::new() });
    assert!(!heals.is_harmless());
}

#[test]
fn what_is_listed_as_harmless_changes_nothing() {
    let names = ["doorway-cost-unknown-failover", "doorway-crashes", "doorway-worker-gone"];
    let killers = killers(&names);
    for known in harmless().expect("the list is read") {
        let fate = killers.judge_patiently(&known.mutation).expect("the models can be set up");
        assert!(fate.is_harmless(), "{}: {fate:?}", known.mutation);
    }
}

#[test]
fn a_change_is_read_as_it_is_written() {
    let killers = killers(&["doorway-one-resource"]);
    let mutants = killers.mutants();
    assert!(mutants.len() > 50, "{} mutants", mutants.len());
    for mutation in &mutants {
        if let Mutation::Command { change, .. } = mutation {
            assert_eq!(change.to_string().parse::<Change>().as_ref(), Ok(change));
        }
    }
    assert!(mutants.iter().any(|mutation| matches!(mutation, Mutation::NoIndex { .. })));
    assert!("without clause 0".parse::<Change>().is_err());
}

#[test]
fn a_model_that_takes_more_memory_than_there_is_is_not_left_out_in_silence() {
    let limits = Limits { memory: Some(1 << 20), ..Limits::default() };
    let unfit = Killers::prepare(vec![model("doorway")], limits).err().expect("it takes more");
    let expected = "doorway was not explored whole, as the limit of 1 MiB of memory was reached";
    assert!(unfit.to_string().starts_with(expected), "{unfit}");
    let limits = Limits { states: Some(1000), ..limits };
    let killers = Killers::prepare(vec![model("doorway")], limits).expect("it is left out");
    assert!(killers.models().is_empty());
}

#[test]
fn what_is_listed_as_harmless_is_a_mutant_of_the_doorway() {
    let all: Vec<Model> = shipped().expect("the shipped models are read");
    let of_doorway = all.into_iter().filter(|model| {
        model.design.name() == "doorway" && model.mutant.is_none() && model.name.contains("-one-")
            || model.name == "doorway-cancel-one-manager"
    });
    let limits = Limits { states: Some(50_000), ..Limits::default() };
    let killers = Killers::prepare(of_doorway.collect(), limits).expect("they are verified");
    let mutants = killers.mutants();
    for known in harmless().expect("the list is read") {
        assert!(!known.why.is_empty(), "{} has no reason", known.mutation);
        assert!(mutants.contains(&known.mutation), "{} is no mutant", known.mutation);
    }
}
