//! Properties that any system can have.

use super::monitor::{End, Monitor, Step};
use super::request::{Answer, Request};
use crate::store::filter::{Filter, Predicate};
use crate::store::{Document, Operation, Reply, Value};

/// `no-deadlock`: no process pauses for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDeadlock;

impl Monitor for NoDeadlock {
    fn name(&self) -> &str {
        "no-deadlock"
    }

    fn step(&self, _: &mut Document, _: &Step<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&self, _: &Document, end: &End<'_>) -> Result<(), String> {
        if end.stuck.is_empty() {
            return Ok(());
        }
        let wait = if end.stuck.len() == 1 { "waits" } else { "wait" };
        Err(format!("{} {wait} for what nobody will do", end.stuck.join(" and ")))
    }
}

/// `no-failure`: no process stops with an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFailure;

impl Monitor for NoFailure {
    fn name(&self) -> &str {
        "no-failure"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        match (step.process(), step.failure()) {
            (Some(process), Some(failure)) => Err(format!("{process} stopped: {failure}")),
            _ => Ok(()),
        }
    }
}

/// `loud`: a process whose update by `_id` is said to be for more than one document stops there
/// and then, with an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loud;

impl Monitor for Loud {
    fn name(&self) -> &str {
        "loud"
    }

    fn step(&self, _: &mut Document, step: &Step<'_>) -> Result<(), String> {
        let (Some(process), Some(request), Some(Answer::Store(Ok(Reply::Updated(updated))))) =
            (step.process(), step.request(), step.answer())
        else {
            return Ok(());
        };
        if updated.matched < 2 || !updates_by_id(request) || step.failure().is_some() {
            return Ok(());
        }
        Err(format!("{process} goes on after an update by _id of {} documents", updated.matched))
    }
}

fn updates_by_id(request: &Request) -> bool {
    let Request::Command(command) = request else { return false };
    match &command.operation {
        Operation::UpdateOne { filter, .. } | Operation::ReplaceOne { filter, .. } => {
            fixes_id(filter)
        }
        _ => false,
    }
}

fn fixes_id(filter: &Filter) -> bool {
    match filter {
        Filter::Field(path, Predicate::Eq(value)) => {
            path.as_str() == "_id" && !matches!(value, Value::Null)
        }
        Filter::And(all) => all.iter().any(fixes_id),
        Filter::Field(..) | Filter::Or(_) => false,
    }
}
