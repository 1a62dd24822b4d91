//! The emulator once more, as plainly as can be: a list of documents, each command in one go, no
//! index, no phases, nothing shared with the emulator but the vocabulary. Written to be read, and to
//! be wrong in other places than the emulator.
#![allow(dead_code)]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use doorway::store::{
    Command, Covers, Document, Filter, Index, Operation, Operator, Path, Predicate, Projection,
    Reply, Returns, Sort, Text, Update, Updated, Value,
};

/// The kind of error that a command ends with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    Duplicate(String),
    ImmutableId,
    Invalid,
}

/// One collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) documents: Vec<Document>,
    pub(crate) indexes: Vec<Index>,
}

/// The fields of a document without their order.
pub(crate) fn fields(document: &Document) -> BTreeMap<Text, Value> {
    document.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Reference {
    pub(crate) fn execute(&mut self, command: &Command) -> Result<Reply, Fault> {
        match &command.operation {
            Operation::FindOne { filter, projection } => {
                let found = self.documents.iter().find(|d| matches(filter, d));
                Ok(Reply::Document(found.map(|document| project(projection, document))))
            }
            Operation::Scan { filter, sort, limit, projection } => {
                let mut found: Vec<&Document> =
                    self.documents.iter().filter(|d| matches(filter, d)).collect();
                refuse_parallel(sort, &found)?;
                found.sort_by(|a, b| sort_order(sort, a, b));
                let limit = limit.map_or(usize::MAX, |limit| limit as usize);
                let shown = found.into_iter().take(limit).map(|d| project(projection, d));
                Ok(Reply::Documents(shown.collect()))
            }
            Operation::InsertOne { document } => {
                self.put(None, document.clone())?;
                Ok(Reply::Inserted)
            }
            Operation::DeleteOne { filter } => {
                let position = self.documents.iter().position(|d| matches(filter, d));
                position.map(|position| self.documents.remove(position));
                Ok(Reply::Deleted(position.is_some().into()))
            }
            Operation::UpdateOne { filter, update, upsert } => {
                refuse_conflicts(update)?;
                let position = self.documents.iter().position(|d| matches(filter, d));
                let (before, after) =
                    self.change(position, *upsert, filter, false, |document, insert| {
                        apply(update, document, insert)
                    })?;
                Ok(Reply::Updated(counts(position, before, after)))
            }
            Operation::ReplaceOne { filter, replacement, upsert } => {
                let position = self.documents.iter().position(|d| matches(filter, d));
                let (before, after) =
                    self.change(position, *upsert, filter, true, |document, _| {
                        let mut new = replacement.clone();
                        if let (Some(id), None) = (document.id(), new.id()) {
                            new.set("_id", id);
                        }
                        Ok(new)
                    })?;
                Ok(Reply::Updated(counts(position, before, after)))
            }
            Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection } => {
                refuse_conflicts(update)?;
                let matching =
                    self.documents.iter().enumerate().filter(|(_, d)| matches(filter, d));
                let mut best: Vec<(usize, &Document)> = matching.collect();
                refuse_parallel(sort, &best.iter().map(|(_, d)| *d).collect::<Vec<_>>())?;
                best.sort_by(|(_, a), (_, b)| sort_order(sort, a, b));
                let position = best.first().map(|(position, _)| *position);
                let (before, after) =
                    self.change(position, *upsert, filter, false, |document, insert| {
                        apply(update, document, insert)
                    })?;
                let shown = if *returns == Returns::Before { before } else { after };
                Ok(Reply::Document(shown.map(|document| project(projection, &document))))
            }
        }
    }

    /// Changes the document at a position, or upserts one; returns it before and after.
    fn change(
        &mut self,
        position: Option<usize>,
        upsert: bool,
        filter: &Filter,
        whole: bool,
        change: impl Fn(&Document, bool) -> Result<Document, Fault>,
    ) -> Result<(Option<Document>, Option<Document>), Fault> {
        let before = position.map(|position| self.documents[position].clone());
        if before.is_none() && !upsert {
            return Ok((None, None));
        }
        let start = match &before {
            Some(before) => before.clone(),
            None => fixed_by(filter, whole)?,
        };
        let after = change(&start, before.is_none())?;
        if let Some(id) = start.id()
            && after.id() != Some(id)
        {
            return Err(Fault::ImmutableId);
        }
        self.put(position, after.clone())?;
        Ok((before, Some(after)))
    }

    /// Puts in a document, in the place of the one at a position if there is one.
    fn put(&mut self, position: Option<usize>, document: Document) -> Result<(), Fault> {
        let mut next = self.clone();
        if matches!(document.id(), None | Some(Value::Array(_))) {
            return Err(Fault::Invalid);
        }
        if let Some(position) = position {
            next.documents.remove(position);
        }
        next.documents.push(document);
        next.documents.sort_by(|a, b| a.id().unwrap().compare(b.id().unwrap()));
        if let Some(broken) = next.broken_index()? {
            return Err(Fault::Duplicate(broken));
        }
        *self = next;
        Ok(())
    }

    /// The first index of which two documents have a key in common.
    pub(crate) fn broken_index(&self) -> Result<Option<String>, Fault> {
        let ids: Vec<&Value> = self.documents.iter().filter_map(Document::id).collect();
        for (i, a) in ids.iter().enumerate() {
            if ids[..i].iter().any(|b| a.compare(b).is_eq()) {
                return Ok(Some("_id_".into()));
            }
        }
        for index in &self.indexes {
            let mut seen: Vec<Vec<Slot>> = Vec::new();
            for document in &self.documents {
                let keys = keys(index, document)?;
                let same = |a: &Vec<Slot>, b: &Vec<Slot>| {
                    a.iter().zip(b).all(|(a, b)| compare_slots(a, b).is_eq())
                };
                if keys.iter().any(|key| seen.iter().any(|other| same(key, other))) {
                    return Ok(Some(index.name.to_string()));
                }
                seen.extend(keys);
            }
        }
        Ok(None)
    }
}

fn counts(position: Option<usize>, before: Option<Document>, after: Option<Document>) -> Updated {
    let changed = before.as_ref().map(fields) != after.as_ref().map(fields);
    match (position, after) {
        (Some(_), _) => Updated { matched: 1, modified: changed.into(), upserted: None },
        (None, Some(after)) => Updated { matched: 0, modified: 0, upserted: after.id().cloned() },
        (None, None) => Updated::default(),
    }
}

// Matching: first all values that a path leads to, then the predicate on each.

pub(crate) fn matches(filter: &Filter, document: &Document) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|filter| matches(filter, document)),
        Filter::Or(any) => any.iter().any(|filter| matches(filter, document)),
        Filter::Field(path, Predicate::Ne(value)) => {
            !matches(&Filter::Field(path.clone(), Predicate::Eq(value.clone())), document)
        }
        Filter::Field(path, Predicate::Exists(false)) => {
            !matches(&Filter::Field(path.clone(), Predicate::Exists(true)), document)
        }
        Filter::Field(path, Predicate::Size(size)) => {
            let arrays = reach(&Value::Document(document.clone()), &segments(path));
            arrays.iter().any(|value| match value {
                Some(Value::Array(items)) => items.len() == *size as usize,
                _ => false,
            })
        }
        Filter::Field(path, predicate) => {
            let whole = Value::Document(document.clone());
            let mut values = reach(&whole, &segments(path));
            // An array that a number has selected is not taken apart.
            let elements: Vec<Option<Value>> = reach_but(&whole, &segments(path), true)
                .iter()
                .filter_map(|value| value.as_ref()?.as_array().map(<[Value]>::to_vec))
                .flatten()
                .map(Some)
                .collect();
            values.extend(elements);
            values.iter().any(|value| satisfies(predicate, value.as_ref()))
        }
    }
}

fn segments(path: &Path) -> Vec<&str> {
    path.as_str().split('.').collect()
}

/// The values at a path, arrays not taken apart at its end; `None` for a missing one.
fn reach(value: &Value, path: &[&str]) -> Vec<Option<Value>> {
    reach_but(value, path, false)
}

/// The same, but for the elements that the last part of the path selects by their number.
fn reach_but(value: &Value, path: &[&str], no_elements: bool) -> Vec<Option<Value>> {
    let [name, rest @ ..] = path else { return vec![Some(value.clone())] };
    match value {
        Value::Document(document) => match document.get(name) {
            Some(inner) => reach_but(inner, rest, no_elements),
            None => vec![None],
        },
        Value::Array(items) => {
            let mut reached = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let selected = index.to_string() == *name;
                if matches!(item, Value::Document(_)) {
                    reached.extend(reach_but(item, path, no_elements));
                }
                if selected && rest.is_empty() && !no_elements {
                    reached.push(Some(item.clone()));
                }
                if selected
                    && !rest.is_empty()
                    && matches!(item, Value::Document(_) | Value::Array(_))
                {
                    reached.extend(reach_but(item, rest, no_elements));
                }
            }
            reached
        }
        _ => vec![None],
    }
}

fn satisfies(predicate: &Predicate, value: Option<&Value>) -> bool {
    let or_null = value.cloned().unwrap_or(Value::Null);
    let nan = |value: &Value| float(value).is_some_and(f64::is_nan);
    let ordered = |operand: &Value| match or_null.same_bracket(operand) {
        true if nan(&or_null) == nan(operand) => Some(or_null.compare(operand)),
        _ => None,
    };
    match predicate {
        Predicate::Eq(operand) => or_null.compare(operand) == Ordering::Equal,
        Predicate::In(operands) => operands.iter().any(|o| or_null.compare(o) == Ordering::Equal),
        Predicate::Exists(_) => value.is_some(),
        Predicate::Lt(operand) => ordered(operand) == Some(Ordering::Less),
        Predicate::Gt(operand) => ordered(operand) == Some(Ordering::Greater),
        Predicate::Lte(o) => matches!(ordered(o), Some(Ordering::Less | Ordering::Equal)),
        Predicate::Gte(o) => matches!(ordered(o), Some(Ordering::Greater | Ordering::Equal)),
        Predicate::Ne(_) | Predicate::Size(_) => unreachable!("handled by the caller"),
    }
}

// Indexes and sorts: what a document has at a path.

#[derive(Clone, Debug)]
enum Slot {
    Missing,
    EmptyArray,
    Value(Value),
}

fn compare_slots(a: &Slot, b: &Slot) -> Ordering {
    let rank = |slot: &Slot| match slot {
        Slot::Value(Value::MinKey) => 0,
        Slot::EmptyArray => 1,
        _ => 2,
    };
    let value = |slot: &Slot| match slot {
        Slot::Value(value) => value.clone(),
        _ => Value::Null,
    };
    rank(a).cmp(&rank(b)).then_with(|| value(a).compare(&value(b)))
}

fn slots(document: &Document, path: &Path) -> Vec<Slot> {
    let mut slots = Vec::new();
    for value in reach(&Value::Document(document.clone()), &segments(path)) {
        match value {
            None => slots.push(Slot::Missing),
            Some(Value::Array(items)) if items.is_empty() => slots.push(Slot::EmptyArray),
            Some(Value::Array(items)) => slots.extend(items.iter().cloned().map(Slot::Value)),
            Some(value) => slots.push(Slot::Value(value)),
        }
    }
    slots
}

fn is_array(document: &Document, path: &Path) -> bool {
    reach(&Value::Document(document.clone()), &segments(path))
        .iter()
        .any(|value| matches!(value, Some(Value::Array(_))))
}

fn keys(index: &Index, document: &Document) -> Result<Vec<Vec<Slot>>, Fault> {
    let columns: Vec<Vec<Slot>> = index.fields.iter().map(|field| slots(document, field)).collect();
    let covered = match &index.covers {
        Covers::All => true,
        Covers::Sparse => columns.iter().flatten().any(|slot| !matches!(slot, Slot::Missing)),
        Covers::Partial(filter) => matches(filter, document),
    };
    if !covered {
        return Ok(Vec::new());
    }
    if index.fields.iter().filter(|field| is_array(document, field)).count() > 1 {
        return Err(Fault::Invalid);
    }
    let mut keys = vec![Vec::new()];
    for column in columns {
        let longer = |slot: &Slot| {
            let slot = slot.clone();
            keys.iter().map(move |key| [key.clone(), vec![slot.clone()]].concat())
        };
        keys = column.iter().flat_map(longer).collect();
    }
    Ok(keys)
}

fn refuse_parallel(sort: &[Sort], documents: &[&Document]) -> Result<(), Fault> {
    let arrays = |document: &&Document| {
        let path = |part: &Sort| match part {
            Sort::Ascending(path) | Sort::Descending(path) => path.clone(),
        };
        sort.iter().filter(|part| is_array(document, &path(part))).count()
    };
    if documents.iter().any(|d| arrays(d) > 1) { Err(Fault::Invalid) } else { Ok(()) }
}

fn sort_order(sort: &[Sort], a: &Document, b: &Document) -> Ordering {
    for part in sort {
        let (path, up) = match part {
            Sort::Ascending(path) => (path, true),
            Sort::Descending(path) => (path, false),
        };
        let end = |document: &Document| {
            let slots = slots(document, path).into_iter();
            if up { slots.min_by(compare_slots) } else { slots.max_by(compare_slots) }
                .unwrap_or(Slot::Missing)
        };
        let order = compare_slots(&end(a), &end(b));
        let order = if up { order } else { order.reverse() };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

// Updates: the value at a path is taken out, changed, and put back.

fn refuse_conflicts(update: &Update) -> Result<(), Fault> {
    let paths: Vec<Vec<&str>> = update.operators().iter().map(|o| segments(o.path())).collect();
    for (i, a) in paths.iter().enumerate() {
        if paths[..i].iter().any(|b| a.starts_with(b) || b.starts_with(a)) {
            return Err(Fault::Invalid);
        }
    }
    if paths.is_empty() { Err(Fault::Invalid) } else { Ok(()) }
}

fn apply(update: &Update, document: &Document, inserts: bool) -> Result<Document, Fault> {
    let mut operators = update.operators().to_vec();
    operators.sort_by_key(|operator| operator.path().as_str().to_owned());
    let mut whole = Value::Document(document.clone());
    for operator in &operators {
        if !inserts && matches!(operator, Operator::SetOnInsert(..)) {
            continue;
        }
        let path = segments(operator.path());
        match alter(Some(whole.clone()), &path, creates(operator), operator) {
            Ok(changed) => whole = changed.unwrap(),
            Err(NotDone::BadPath) if matches!(operator, Operator::Unset(_)) => {}
            Err(_) => return Err(Fault::Invalid),
        }
    }
    Ok(whole.as_document().unwrap().clone())
}

fn creates(operator: &Operator) -> bool {
    !matches!(
        operator,
        Operator::Unset(_)
            | Operator::Pull(..)
            | Operator::PullMatching(..)
            | Operator::PopFirst(_)
            | Operator::PopLast(_)
    )
}

enum NotDone {
    BadPath,
    BadType,
}

/// What comes to stand where `here` stands, once the operator was applied below it.
fn alter(
    here: Option<Value>,
    path: &[&str],
    creates: bool,
    operator: &Operator,
) -> Result<Option<Value>, NotDone> {
    let [name, rest @ ..] = path else { return operate(here, operator) };
    match here {
        None if !creates => Ok(None),
        None => alter(Some(Document::new().into()), path, creates, operator),
        Some(Value::Document(mut document)) => {
            match alter(document.get(name).cloned(), rest, creates, operator)? {
                Some(value) => document.set(*name, value),
                None => {
                    document.remove(name);
                }
            }
            Ok(Some(document.into()))
        }
        Some(Value::Array(items)) => {
            let index: usize = name.parse().map_err(|_| NotDone::BadPath)?;
            let mut items = items.to_vec();
            let was_there = index < items.len();
            match alter(items.get(index).cloned(), rest, creates, operator)? {
                None if was_there => items[index] = Value::Null,
                None => {}
                Some(value) => {
                    while items.len() <= index {
                        items.push(Value::Null);
                    }
                    items[index] = value;
                }
            }
            Ok(Some(items.into()))
        }
        Some(_) => Err(NotDone::BadPath),
    }
}

fn operate(old: Option<Value>, operator: &Operator) -> Result<Option<Value>, NotDone> {
    let items = match &old {
        Some(Value::Array(items)) => Some(items.to_vec()),
        _ => None,
    };
    let not_array = old.is_some() && items.is_none();
    Ok(match operator {
        Operator::Set(_, value) | Operator::SetOnInsert(_, value) => Some(value.clone()),
        Operator::Unset(_) => None,
        Operator::Inc(_, amount) => Some(match (old, amount) {
            (None, amount) => amount.clone(),
            (Some(Value::Int(a)), Value::Int(b)) => {
                Value::Int(a.checked_add(*b).ok_or(NotDone::BadType)?)
            }
            (Some(a), b) => Value::Double(
                float(&a).ok_or(NotDone::BadType)? + float(b).ok_or(NotDone::BadType)?,
            ),
        }),
        _ if not_array => return Err(NotDone::BadType),
        Operator::Push(_, value) => {
            let mut items = items.unwrap_or_default();
            items.push(value.clone());
            Some(items.into())
        }
        Operator::AddToSet(_, value) => {
            let mut items = items.unwrap_or_default();
            if !items.iter().any(|item| item.compare(value).is_eq()) {
                items.push(value.clone());
            }
            Some(items.into())
        }
        Operator::Pull(_, value) => items.map(|mut items| {
            items.retain(|item| !item.compare(value).is_eq());
            items.into()
        }),
        Operator::PullMatching(_, filter) => items.map(|mut items| {
            items.retain(|item| !item.as_document().is_some_and(|one| matches(filter, one)));
            items.into()
        }),
        Operator::PopFirst(_) => items.map(|items| items[1.min(items.len())..].to_vec().into()),
        Operator::PopLast(_) => items.map(|mut items| {
            items.pop();
            items.into()
        }),
    })
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

/// The document that an upsert starts with; a whole replacement takes the `_id` only.
fn fixed_by(filter: &Filter, whole: bool) -> Result<Document, Fault> {
    let mut fixed = Vec::new();
    collect_equalities(filter, &mut fixed);
    fixed.retain(|(path, _)| !whole || path.as_str() == "_id");
    fixed.sort_by_key(|(path, _)| path.as_str().to_owned());
    let update: Update =
        fixed.iter().map(|(path, value)| Operator::Set(path.clone(), value.clone())).collect();
    if fixed.is_empty() {
        return Ok(Document::new());
    }
    refuse_conflicts(&update)?;
    apply(&update, &Document::new(), true)
}

fn collect_equalities(filter: &Filter, fixed: &mut Vec<(Path, Value)>) {
    match filter {
        Filter::And(all) => all.iter().for_each(|filter| collect_equalities(filter, fixed)),
        Filter::Field(path, Predicate::Eq(value)) => fixed.push((path.clone(), value.clone())),
        _ => {}
    }
}

// Projection: one path after another is taken out; only whole fields are kept by inclusion.

fn project(projection: &Projection, document: &Document) -> Document {
    match projection {
        Projection::All => document.clone(),
        Projection::Exclude(paths) => {
            let mut whole = Value::Document(document.clone());
            for path in paths {
                whole = without(&whole, &segments(path));
            }
            whole.as_document().unwrap().clone()
        }
        Projection::Include(paths) => {
            let top = |name: &str| name == "_id" || paths.iter().any(|path| path.as_str() == name);
            document.iter().filter(|(n, _)| top(n)).map(|(n, v)| (n.clone(), v.clone())).collect()
        }
    }
}

fn without(value: &Value, path: &[&str]) -> Value {
    match value {
        Value::Document(document) => {
            let mut document = document.clone();
            match (path, document.get(path[0]).cloned()) {
                ([name], Some(_)) => drop(document.remove(name)),
                ([name, rest @ ..], Some(inner)) => document.set(*name, without(&inner, rest)),
                _ => {}
            }
            document.into()
        }
        Value::Array(items) => {
            items.iter().map(|item| without(item, path)).collect::<Vec<_>>().into()
        }
        scalar => scalar.clone(),
    }
}
