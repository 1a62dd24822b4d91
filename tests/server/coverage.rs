//! Which pairs of an operator and an outcome the random commands have hit, with counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use doorway::store::memory::State;
use doorway::store::{
    Command, Covers, Document, Filter, Index, Operation, Operator, Predicate, Reply, Value,
};

use crate::agreement::{Answer, matching, only};
use crate::commands::find;

/// What is counted: a row for each operation and operator, a column for each outcome.
#[derive(Default)]
pub(crate) struct Coverage {
    hits: Mutex<BTreeMap<(&'static str, String), u64>>,
}

const OPERATIONS: [&str; 7] = [
    "find_one",
    "find",
    "insert_one",
    "update_one",
    "find_one_and_update",
    "replace_one",
    "delete_one",
];
const OPERATORS: [&str; 10] = [
    "$set",
    "$unset",
    "$setOnInsert",
    "$inc",
    "$push",
    "$addToSet",
    "$pull",
    "$pull by a query",
    "$pop -1",
    "$pop 1",
];
const PREDICATES: [&str; 9] =
    ["$eq", "$ne", "$in", "$exists", "$size", "$lt", "$lte", "$gt", "$gte"];
/// The kinds of unique indexes.
const INDEXES: [&str; 6] = ["_id", "all", "sparse", "partial", "compound", "of an array"];
/// What stands where an operator or a condition points.
const PLACES: [&str; 4] = ["null", "missing", "array", "other"];

impl Coverage {
    /// Counts what a command did.
    pub(crate) fn count(
        &self,
        before: &State,
        indexes: &[Index],
        command: &Command,
        answer: &Answer,
        after: &State,
    ) {
        let operation = &command.operation;
        let outcome = outcome(operation, before, answer, after);
        self.hit(operation.name(), outcome.to_owned());
        if let Some(name) = answer.as_ref().err().and_then(|error| error.duplicate_index()) {
            for kind in kinds(name, indexes, command, before) {
                self.hit(operation.name(), format!("duplicate key, index {kind}"));
            }
        }
        if let Some(update) = operation.update() {
            let taken = taken(before, command);
            for operator in update.operators() {
                self.hit(operator_name(operator), outcome.to_owned());
                if let Some(document) = &taken {
                    let place = place(document, operator.path().as_str());
                    self.hit(operator_name(operator), format!("on {place}"));
                }
            }
        }
        if let Some(filter) = operation.filter() {
            self.conditions(before, filter);
        }
    }

    fn conditions(&self, state: &State, filter: &Filter) {
        match filter {
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().for_each(|part| self.conditions(state, part));
            }
            Filter::Field(path, predicate) => {
                let holding = matching(state, filter).unwrap_or_default();
                for document in state.documents("c") {
                    let holds = document.id().is_some_and(|id| holding.contains(id));
                    let said = if holds { "holds" } else { "does not hold" };
                    let place = place(document, path.as_str());
                    self.hit(predicate_name(predicate), format!("{said} on {place}"));
                }
            }
        }
    }

    fn hit(&self, row: &'static str, column: String) {
        *self.hits.lock().unwrap().entry((row, column)).or_default() += 1;
    }

    /// Every pair that there can be was hit.
    pub(crate) fn assert_complete(&self) {
        let hits = self.hits.lock().unwrap();
        let missing: Vec<_> =
            expected().into_iter().filter(|pair| !hits.contains_key(pair)).collect();
        assert!(missing.is_empty(), "never hit: {missing:?}");
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hits = self.hits.lock().unwrap();
        for row in OPERATIONS.iter().chain(&OPERATORS).chain(&PREDICATES) {
            let columns = hits.iter().filter(|((of, _), _)| of == row);
            let columns: Vec<_> =
                columns.map(|((_, column), count)| format!("{column} {count}")).collect();
            writeln!(f, "  {row}: {}", columns.join(", "))?;
        }
        Ok(())
    }
}

/// Every pair that can come about.
fn expected() -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut of = |row, columns: &[&str]| {
        pairs.extend(columns.iter().map(|column| (row, (*column).to_owned())));
    };
    of("find_one", &["matched 0", "matched 1"]);
    of("find", &["matched 0", "matched 1", "matched several"]);
    of("insert_one", &["inserted", "duplicate key"]);
    of("delete_one", &["matched 0", "changed"]);
    let written = ["matched 0", "changed", "unchanged", "upserted", "duplicate key", "_id changes"];
    for row in ["update_one", "find_one_and_update"] {
        of(row, &written);
        of(row, &["refused"]);
    }
    of("replace_one", &written);
    for row in OPERATORS {
        of(row, &["matched 0", "changed", "upserted", "duplicate key", "refused"]);
        if !matches!(row, "$inc" | "$push") {
            of(row, &["unchanged"]);
        }
        of(row, &PLACES.map(|place| format!("on {place}")).each_ref().map(String::as_str));
    }
    for row in ["insert_one", "update_one", "find_one_and_update", "replace_one"] {
        let indexes = INDEXES.map(|kind| format!("duplicate key, index {kind}"));
        of(row, &indexes.each_ref().map(String::as_str));
    }
    for row in PREDICATES {
        for place in PLACES {
            of(row, &[&format!("does not hold on {place}")]);
            if can_hold(row, place) {
                of(row, &[&format!("holds on {place}")]);
            }
        }
    }
    pairs
}

/// Whether a condition can hold there: a size is that of an array, and nothing is less or greater
/// than null.
fn can_hold(predicate: &str, place: &str) -> bool {
    match predicate {
        "$size" => place == "array",
        "$lt" | "$gt" => !matches!(place, "null" | "missing"),
        _ => true,
    }
}

fn outcome(operation: &Operation, before: &State, answer: &Answer, after: &State) -> &'static str {
    let documents = |state: &State| state.documents("c").count();
    match answer {
        Err(error) if error.is_duplicate_key() => "duplicate key",
        Err(error) if error.is_immutable_id() => "_id changes",
        Err(_) => "refused",
        Ok(Reply::Inserted) => "inserted",
        Ok(Reply::Documents(found)) => match found.len() {
            0 => "matched 0",
            1 => "matched 1",
            _ => "matched several",
        },
        Ok(Reply::Document(found)) if !operation.is_write() => match found {
            None => "matched 0",
            Some(_) => "matched 1",
        },
        Ok(_) if documents(after) > documents(before) => "upserted",
        Ok(_) if after != before => "changed",
        Ok(Reply::Updated(updated)) if updated.matched == 1 => "unchanged",
        Ok(Reply::Document(Some(_))) => "unchanged",
        Ok(_) => "matched 0",
    }
}

/// Of which kinds the index of this name is.
fn kinds(name: &str, indexes: &[Index], command: &Command, state: &State) -> Vec<&'static str> {
    let Some(index) = indexes.iter().find(|index| &*index.name == name) else {
        return vec!["_id"];
    };
    let mut kinds = vec![match index.covers {
        Covers::All => "all",
        Covers::Sparse => "sparse",
        Covers::Partial(_) => "partial",
    }];
    if index.fields.len() > 1 {
        kinds.push("compound");
    }
    let written = match &command.operation {
        Operation::InsertOne { document } => Some(document.clone()),
        Operation::ReplaceOne { replacement, .. } => Some(replacement.clone()),
        _ => None,
    };
    let documents = written.into_iter().chain(state.documents("c").cloned());
    let is_array = |document: &Document| {
        index.fields.iter().any(|field| place(document, field.as_str()) == "array")
    };
    if documents.into_iter().any(|document| is_array(&document)) {
        kinds.push("of an array");
    }
    kinds
}

/// The document that a command changes, if it is the only one that matches.
fn taken(state: &State, command: &Command) -> Option<Document> {
    let ids = matching(state, command.operation.filter()?)?;
    let [id] = ids.as_slice() else { return None };
    let read = only(&find(doorway::store::filter::all()), id);
    match state.clone().execute(read) {
        Ok(Reply::Documents(found)) => found.into_iter().next(),
        _ => None,
    }
}

/// What stands at a path.
fn place(document: &Document, path: &str) -> &'static str {
    let (name, rest) = path.split_once('.').map_or((path, None), |(n, rest)| (n, Some(rest)));
    match (document.get(name), rest) {
        (None, _) => "missing",
        (Some(Value::Array(_)), _) => "array",
        (Some(Value::Document(inner)), Some(rest)) => place(inner, rest),
        (Some(_), Some(_)) => "missing",
        (Some(Value::Null), None) => "null",
        (Some(_), None) => "other",
    }
}

fn operator_name(operator: &Operator) -> &'static str {
    match operator {
        Operator::Set(..) => "$set",
        Operator::Unset(_) => "$unset",
        Operator::SetOnInsert(..) => "$setOnInsert",
        Operator::Inc(..) => "$inc",
        Operator::Push(..) => "$push",
        Operator::AddToSet(..) => "$addToSet",
        Operator::Pull(..) => "$pull",
        Operator::PullMatching(..) => "$pull by a query",
        Operator::PopFirst(_) => "$pop -1",
        Operator::PopLast(_) => "$pop 1",
    }
}

fn predicate_name(predicate: &Predicate) -> &'static str {
    match predicate {
        Predicate::Eq(_) => "$eq",
        Predicate::Ne(_) => "$ne",
        Predicate::In(_) => "$in",
        Predicate::Exists(_) => "$exists",
        Predicate::Size(_) => "$size",
        Predicate::Lt(_) => "$lt",
        Predicate::Lte(_) => "$lte",
        Predicate::Gt(_) => "$gt",
        Predicate::Gte(_) => "$gte",
    }
}
