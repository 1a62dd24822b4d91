//! What can be changed about a command.

use std::fmt;
use std::str::FromStr;

use crate::store::filter::{Filter, Predicate, all};
use crate::store::update::{Operator, Update};
use crate::store::{Command, Value};
use crate::store::{Operation, ReadConcern, WriteConcern};

/// What is changed about a command. What is numbered is counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Without one clause of the filter.
    DropClause(usize),
    /// A clause is widened: `$lt` to `$lte`, and `$gt` to `$gte`.
    WidenClause(usize),
    /// Without one operator of the update.
    DropOperator(usize),
    /// An operator does the opposite: the other end, the other sign, at every time and not at the
    /// insert only, or at the insert only where it was at every time.
    TurnOperator(usize),
    /// Without one key of the sort.
    DropSort(usize),
    /// Without the limit.
    DropLimit,
    /// No document is inserted where none matches.
    NoUpsert,
    /// The document is returned as it was, and not as it is.
    ReturnsBefore,
    /// Not sent: a read finds nothing, and a write is taken as done.
    Skip,
    /// Sent after the request that follows it, and taken as done before.
    Swap,
    /// An unknown outcome is taken as done.
    UnknownIsDone,
    /// An unknown outcome is taken as not done.
    UnknownIsNotDone,
    /// As an object mapper's `save()`: the document is read, changed, and written back whole.
    Save,
    /// Acknowledged when the primary has it.
    WeakWrite,
    /// Answered with what may be stale, or rolled back.
    WeakRead,
}

/// More parts than this no command here has that is to be changed.
const MOST: usize = 16;

impl Change {
    /// Every change that such a command can have.
    #[must_use]
    pub fn of(command: &Command) -> Vec<Change> {
        let strong = match command.operation.is_write() {
            true => command.concern.write != WriteConcern::Primary,
            false => command.concern.read != ReadConcern::Local,
        };
        let mut changes: Vec<Change> = Change::every().collect();
        changes.retain(|change| match change {
            Change::WeakWrite | Change::WeakRead => strong && change.fits(&command.operation),
            _ => change.fits(&command.operation),
        });
        changes
    }

    fn every() -> impl Iterator<Item = Change> {
        let numbered = [
            Change::DropClause,
            Change::WidenClause,
            Change::DropOperator,
            Change::TurnOperator,
            Change::DropSort,
        ];
        let others = [
            Change::DropLimit,
            Change::NoUpsert,
            Change::ReturnsBefore,
            Change::Skip,
            Change::Swap,
            Change::UnknownIsDone,
            Change::UnknownIsNotDone,
            Change::Save,
            Change::WeakWrite,
            Change::WeakRead,
        ];
        numbered.into_iter().flat_map(|kind| (1..=MOST).map(kind)).chain(others)
    }

    /// Whether there is something about such an operation that it changes.
    pub(super) fn fits(self, operation: &Operation) -> bool {
        let clauses = operation.filter().map(clauses).unwrap_or_default();
        let operators = operation.update().map(Update::operators).unwrap_or_default();
        let is_insert = matches!(operation, Operation::InsertOne { .. });
        let changes_and_reads = matches!(operation, Operation::FindOneAndUpdate { .. });
        match self {
            Change::DropClause(number) => number <= clauses.len(),
            Change::WidenClause(number) => {
                number <= clauses.len() && widened(&clauses[number - 1]).is_some()
            }
            Change::DropOperator(number) => number <= operators.len(),
            Change::TurnOperator(number) => {
                let upserts = operation.is_upsert();
                number <= operators.len() && turned(&operators[number - 1], upserts).is_some()
            }
            Change::DropSort(number) => number <= sort(operation),
            Change::DropLimit => matches!(operation, Operation::Scan { limit: Some(_), .. }),
            Change::NoUpsert => operation.is_upsert(),
            Change::ReturnsBefore => {
                use crate::store::Returns::After;
                matches!(operation, Operation::FindOneAndUpdate { returns: After, .. })
            }
            Change::Skip => true,
            Change::Swap => operation.is_write() && !changes_and_reads,
            Change::UnknownIsDone | Change::WeakWrite => operation.is_write(),
            Change::UnknownIsNotDone => operation.is_write() && !is_insert,
            Change::Save => !operators.is_empty() && !operation.is_upsert(),
            Change::WeakRead => !operation.is_write(),
        }
    }

    /// The command, changed. What is more than another command is left to the edge.
    #[must_use]
    pub fn apply(self, command: &Command) -> Command {
        let mut changed = command.clone();
        match self {
            Change::WeakWrite => changed.concern.write = WriteConcern::Primary,
            Change::WeakRead => changed.concern.read = ReadConcern::Local,
            _ => self.change(&mut changed.operation),
        }
        changed
    }

    fn change(self, operation: &mut Operation) {
        let upserts = operation.is_upsert();
        match (self, operation) {
            (
                Change::DropClause(number) | Change::WidenClause(number),
                Operation::FindOne { filter, .. }
                | Operation::Scan { filter, .. }
                | Operation::UpdateOne { filter, .. }
                | Operation::FindOneAndUpdate { filter, .. }
                | Operation::ReplaceOne { filter, .. }
                | Operation::DeleteOne { filter },
            ) => {
                let widen = matches!(self, Change::WidenClause(_));
                *filter = with_clause(filter, number - 1, widen);
            }
            (
                Change::DropOperator(number) | Change::TurnOperator(number),
                Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. },
            ) => {
                let mut operators = update.operators().to_vec();
                match self {
                    Change::TurnOperator(_) => {
                        if let Some(turned) = turned(&operators[number - 1], upserts) {
                            operators[number - 1] = turned;
                        }
                    }
                    _ => {
                        operators.remove(number - 1);
                    }
                }
                *update = operators.into_iter().collect();
            }
            (
                Change::DropSort(number),
                Operation::Scan { sort, .. } | Operation::FindOneAndUpdate { sort, .. },
            ) => {
                sort.remove(number - 1);
            }
            (Change::DropLimit, Operation::Scan { limit, .. }) => *limit = None,
            (
                Change::NoUpsert,
                Operation::UpdateOne { upsert, .. }
                | Operation::FindOneAndUpdate { upsert, .. }
                | Operation::ReplaceOne { upsert, .. },
            ) => *upsert = false,
            (Change::ReturnsBefore, Operation::FindOneAndUpdate { returns, .. }) => {
                *returns = crate::store::Returns::Before;
            }
            _ => {}
        }
    }
}

fn sort(operation: &Operation) -> usize {
    match operation {
        Operation::Scan { sort, .. } | Operation::FindOneAndUpdate { sort, .. } => sort.len(),
        _ => 0,
    }
}

/// The parts that a filter is put together of.
fn clauses(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.clone(),
        one @ Filter::Field(..) => vec![one.clone()],
    }
}

/// A filter with one of its clauses widened, or without it.
fn with_clause(filter: &Filter, number: usize, widen: bool) -> Filter {
    let mut parts = clauses(filter);
    let wider = widened(&parts[number]).filter(|_| widen);
    match wider {
        Some(wider) => parts[number] = wider,
        None => {
            parts.remove(number);
        }
    }
    match filter {
        Filter::Or(_) => Filter::Or(parts),
        _ if parts.is_empty() => all(),
        _ => Filter::And(parts),
    }
}

fn widened(clause: &Filter) -> Option<Filter> {
    let Filter::Field(path, predicate) = clause else { return None };
    let wider = match predicate {
        Predicate::Lt(value) => Predicate::Lte(value.clone()),
        Predicate::Gt(value) => Predicate::Gte(value.clone()),
        _ => return None,
    };
    Some(Filter::Field(path.clone(), wider))
}

fn turned(operator: &Operator, upserts: bool) -> Option<Operator> {
    Some(match operator {
        Operator::PopFirst(path) => Operator::PopLast(path.clone()),
        Operator::PopLast(path) => Operator::PopFirst(path.clone()),
        Operator::Inc(path, by @ (Value::Int(_) | Value::Ordinal(_))) => {
            Operator::Inc(path.clone(), Value::Int(-by.as_int()?))
        }
        Operator::SetOnInsert(path, value) => Operator::Set(path.clone(), value.clone()),
        Operator::Set(path, value) if upserts => Operator::SetOnInsert(path.clone(), value.clone()),
        _ => return None,
    })
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::DropClause(number) => write!(f, "without clause {number}"),
            Change::WidenClause(number) => write!(f, "clause {number} widened"),
            Change::DropOperator(number) => write!(f, "without operator {number}"),
            Change::TurnOperator(number) => write!(f, "operator {number} turned"),
            Change::DropSort(number) => write!(f, "without sort key {number}"),
            Change::DropLimit => f.write_str("without limit"),
            Change::NoUpsert => f.write_str("without upsert"),
            Change::ReturnsBefore => f.write_str("returns the version before"),
            Change::Skip => f.write_str("not sent"),
            Change::Swap => f.write_str("sent after the next request"),
            Change::UnknownIsDone => f.write_str("an unknown outcome taken as done"),
            Change::UnknownIsNotDone => f.write_str("an unknown outcome taken as not done"),
            Change::Save => f.write_str("as save()"),
            Change::WeakWrite => f.write_str("acknowledged by the primary alone"),
            Change::WeakRead => f.write_str("read without a concern"),
        }
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Change, String> {
        Change::every().find(|change| change.to_string() == text).ok_or_else(|| {
            let others = "without clause 1, clause 1 widened, without operator 1, \
                operator 1 turned, not sent, as save()";
            format!("unknown change {text:?}: one like {others}")
        })
    }
}
