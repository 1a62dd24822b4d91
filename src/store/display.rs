//! How commands and replies are written for people: as in MongoDB's shell.

use std::fmt::{self, Display, Formatter};

use super::command::{Command, Operation, Projection, Reply, Returns, Sort, Updated};
use super::document::Document;
use super::filter::{Filter, Predicate};
use super::path::Path;
use super::update::{Operator, Update};
use super::value::{Text, Value};

/// Writes items between commas.
fn commas<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// `name: value`, quoted where a shell would want it.
struct Entry<'a, T>(&'a str, T);

impl<T: Display> Display for Entry<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        if !self.0.is_empty() && self.0.chars().all(plain) {
            write!(f, "{}: {}", self.0, self.1)
        } else {
            write!(f, "{:?}: {}", self.0, self.1)
        }
    }
}

/// `[a, b]`.
struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        commas(f, self.0)?;
        f.write_str("]")
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut Formatter<'_>, bytes: &[u8]| {
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        };
        match self {
            Value::MinKey => f.write_str("MinKey"),
            Value::MaxKey => f.write_str("MaxKey"),
            Value::Null => f.write_str("null"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Ordinal(ordinal) => write!(f, "{ordinal}"),
            Value::Double(number) => write!(f, "{number:?}"),
            Value::String(text) => write!(f, "{text:?}"),
            Value::Document(document) => document.fmt(f),
            Value::Array(items) => List(items).fmt(f),
            Value::Binary(bytes) => {
                f.write_str("HexData(0, \"")?;
                hex(f, bytes)?;
                f.write_str("\")")
            }
            Value::ObjectId(id) => {
                f.write_str("ObjectId(\"")?;
                hex(f, id)?;
                f.write_str("\")")
            }
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::DateTime(millis) => write!(f, "Date({millis})"),
            Value::Timestamp(stamp) => {
                write!(f, "Timestamp({}, {})", stamp >> 32, stamp & 0xFFFF_FFFF)
            }
        }
    }
}

impl Display for Document {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        commas(f, self.iter().map(|(name, value)| Entry(name, value)))?;
        f.write_str("}")
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Eq(value) => value.fmt(f),
            Predicate::Ne(value) => write!(f, "{{$ne: {value}}}"),
            Predicate::In(values) => write!(f, "{{$in: {}}}", List(values)),
            Predicate::Exists(there) => write!(f, "{{$exists: {there}}}"),
            Predicate::Size(elements) => write!(f, "{{$size: {elements}}}"),
            Predicate::Lt(value) => write!(f, "{{$lt: {value}}}"),
            Predicate::Lte(value) => write!(f, "{{$lte: {value}}}"),
            Predicate::Gt(value) => write!(f, "{{$gt: {value}}}"),
            Predicate::Gte(value) => write!(f, "{{$gte: {value}}}"),
        }
    }
}

impl Filter {
    /// The fields of a conjunction that can stand in one object: all plain and of distinct paths.
    fn as_object(&self) -> Option<Vec<Entry<'_, &Predicate>>> {
        let fields: Vec<(&Path, &Predicate)> = match self {
            Filter::Field(path, predicate) => vec![(path, predicate)],
            Filter::And(all) => all
                .iter()
                .map(|part| match part {
                    Filter::Field(path, predicate) => Some((path, predicate)),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            Filter::Or(_) => return None,
        };
        let distinct = (0..fields.len()).all(|i| (0..i).all(|j| fields[i].0 != fields[j].0));
        distinct.then(|| fields.into_iter().map(|(path, p)| Entry(path.as_str(), p)).collect())
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(fields) = self.as_object() {
            f.write_str("{")?;
            commas(f, fields)?;
            return f.write_str("}");
        }
        match self {
            Filter::Field(path, predicate) => write!(f, "{{{}}}", Entry(path.as_str(), predicate)),
            Filter::And(all) => write!(f, "{{$and: {}}}", List(all)),
            Filter::Or(any) => write!(f, "{{$or: {}}}", List(any)),
        }
    }
}

impl Operator {
    fn keyword_and_operand(&self) -> (&'static str, Entry<'_, String>) {
        let (keyword, operand) = match self {
            Operator::Set(_, value) => ("$set", value.to_string()),
            Operator::Unset(_) => ("$unset", r#""""#.to_owned()),
            Operator::SetOnInsert(_, value) => ("$setOnInsert", value.to_string()),
            Operator::Inc(_, amount) => ("$inc", amount.to_string()),
            Operator::Push(_, value) => ("$push", value.to_string()),
            Operator::AddToSet(_, value) => ("$addToSet", value.to_string()),
            Operator::Pull(_, value) => ("$pull", value.to_string()),
            Operator::PullMatching(_, filter) => ("$pull", filter.to_string()),
            Operator::PopFirst(_) => ("$pop", "-1".to_owned()),
            Operator::PopLast(_) => ("$pop", "1".to_owned()),
        };
        (keyword, Entry(self.path().as_str(), operand))
    }
}

impl Display for Update {
    /// The operators in the order of their first use, those of one keyword together.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut groups: Vec<(&str, Vec<Entry<'_, String>>)> = Vec::new();
        for (keyword, entry) in self.operators().iter().map(Operator::keyword_and_operand) {
            match groups.iter_mut().find(|(name, _)| *name == keyword) {
                Some((_, entries)) => entries.push(entry),
                None => groups.push((keyword, vec![entry])),
            }
        }
        f.write_str("{")?;
        for (index, (keyword, entries)) in groups.into_iter().enumerate() {
            write!(f, "{}{keyword}: {{", if index > 0 { ", " } else { "" })?;
            commas(f, entries)?;
            f.write_str("}")?;
        }
        f.write_str("}")
    }
}

/// `{sort: {..}, limit: 1, ..}`, written only where an option is not the default.
#[derive(Default)]
struct Options(Vec<(&'static str, String)>);

impl Options {
    fn flag(mut self, name: &'static str, on: bool) -> Options {
        if on {
            self.0.push((name, "true".into()));
        }
        self
    }

    fn sort(mut self, keys: &[Sort]) -> Options {
        if !keys.is_empty() {
            let key = |key: &Sort| match key {
                Sort::Ascending(path) => (path.as_str().to_owned(), Value::Int(1)),
                Sort::Descending(path) => (path.as_str().to_owned(), Value::Int(-1)),
            };
            self.0.push(("sort", keys.iter().map(key).collect::<Document>().to_string()));
        }
        self
    }

    fn limit(mut self, limit: Option<u32>) -> Options {
        self.0.extend(limit.map(|limit| ("limit", limit.to_string())));
        self
    }

    fn projection(mut self, projection: &Projection) -> Options {
        let (paths, shown) = match projection {
            Projection::All => return self,
            Projection::Include(paths) => (paths, 1),
            Projection::Exclude(paths) => (paths, 0),
        };
        let fields = paths.iter().map(|path| (Text::from(path.clone()), Value::Int(shown)));
        self.0.push(("projection", fields.collect::<Document>().to_string()));
        self
    }

    fn returns(mut self, returns: Returns) -> Options {
        if returns == Returns::After {
            self.0.push(("returnDocument", "\"after\"".into()));
        }
        self
    }
}

impl Display for Options {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(", {")?;
        commas(f, self.0.iter().map(|(name, value)| Entry(name, value)))?;
        f.write_str("}")
    }
}

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (arguments, options) = match self {
            Operation::FindOne { filter, projection } => {
                (vec![filter.to_string()], Options::default().projection(projection))
            }
            Operation::Scan { filter, sort, limit, projection } => (
                vec![filter.to_string()],
                Options::default().sort(sort).limit(*limit).projection(projection),
            ),
            Operation::InsertOne { document } => (vec![document.to_string()], Options::default()),
            Operation::UpdateOne { filter, update, upsert } => (
                vec![filter.to_string(), update.to_string()],
                Options::default().flag("upsert", *upsert),
            ),
            Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection } => (
                vec![filter.to_string(), update.to_string()],
                Options::default()
                    .sort(sort)
                    .flag("upsert", *upsert)
                    .returns(*returns)
                    .projection(projection),
            ),
            Operation::ReplaceOne { filter, replacement, upsert } => (
                vec![filter.to_string(), replacement.to_string()],
                Options::default().flag("upsert", *upsert),
            ),
            Operation::DeleteOne { filter } => (vec![filter.to_string()], Options::default()),
        };
        write!(f, "{}(", self.name())?;
        commas(f, arguments)?;
        write!(f, "{options})")
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.collection, self.operation)
    }
}

impl Display for Updated {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.upserted {
            Some(id) => write!(f, "upserted {id}"),
            None => write!(f, "matched {}, modified {}", self.matched, self.modified),
        }
    }
}

impl Display for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Document(None) => f.write_str("null"),
            Reply::Document(Some(document)) => document.fmt(f),
            Reply::Documents(documents) => List(documents).fmt(f),
            Reply::Inserted => f.write_str("inserted"),
            Reply::Updated(updated) => updated.fmt(f),
            Reply::Deleted(count) => write!(f, "deleted {count}"),
        }
    }
}
