//! What a server refuses before it looks at a document, and what the emulator cannot answer.

use crate::store::{
    Command, Covers, Document, Filter, Index, Operation, Operator, Path, Predicate, Projection,
    Sort, StoreError, Update, Value,
};

/// The largest document, in bytes of BSON (manual, *reference/limits*).
pub(super) const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The most levels of documents and arrays in a document, itself included (manual,
/// *reference/limits*).
const MAX_DEPTH: usize = 100;

type Checked = Result<(), StoreError>;

/// Checks a command as a whole.
pub(super) fn command(command: &Command) -> Checked {
    collection(&command.collection)?;
    match &command.operation {
        Operation::FindOne { filter, projection } => {
            self::filter(filter)?;
            self::projection(projection)
        }
        Operation::Scan { filter, sort, limit, projection } => {
            if *limit == Some(0) {
                return invalid("a limit of 0 (a server takes it for no limit)");
            }
            self::filter(filter)?;
            self::sort(sort)?;
            self::projection(projection)
        }
        Operation::InsertOne { document } => stored_document(document),
        Operation::UpdateOne { filter, update, upsert } => {
            self::filter(filter)?;
            self::update(update)?;
            super::upsert::check(filter, *upsert)
        }
        Operation::FindOneAndUpdate { filter, update, sort, upsert, projection, .. } => {
            self::filter(filter)?;
            self::update(update)?;
            self::sort(sort)?;
            self::projection(projection)?;
            super::upsert::check(filter, *upsert)
        }
        Operation::ReplaceOne { filter, replacement, upsert } => {
            self::filter(filter)?;
            names_and_depth(replacement, 1)?;
            super::upsert::check(filter, *upsert)
        }
        Operation::DeleteOne { filter } => self::filter(filter),
    }
}

/// Checks the name of a collection (manual, *reference/limits*, naming restrictions).
pub(super) fn collection(name: &str) -> Checked {
    if is_plain(name) {
        return Ok(());
    }
    if name.is_empty() || name.contains(['\0', '$']) || name.starts_with('.') {
        return invalid(format!("a collection of the name {name:?}"));
    }
    if name.starts_with("system.") {
        return unsupported(format!("the server's own collection {name}"));
    }
    Ok(())
}

/// Checks a document as it would be stored, with its `_id`.
pub(super) fn stored_document(document: &Document) -> Checked {
    names_and_depth(document, 1)?;
    no_clock(document)?;
    size(document)?;
    match document.id() {
        None => invalid("a document without _id (a driver would invent one)"),
        Some(id) => self::id(id),
    }
}

/// Refuses a timestamp of zero: a server puts its clock in the place of one that it inserts (manual,
/// *reference/bson-types*, timestamps).
fn no_clock(document: &Document) -> Checked {
    match document.iter().find(|(_, value)| matches!(value, Value::Timestamp(0))) {
        Some((name, _)) => unsupported(format!("a timestamp of zero in {name}")),
        None => Ok(()),
    }
}

/// `_id` may be of any type but an array (manual, *core/document*).
pub(super) fn id(id: &Value) -> Checked {
    match id {
        Value::Array(_) => invalid("an array as _id"),
        _ => Ok(()),
    }
}

/// Checks the size of a document.
pub(super) fn size(document: &Document) -> Checked {
    match document.bson_size() {
        bytes if bytes > MAX_DOCUMENT_BYTES => {
            Err(StoreError::too_large(bytes, MAX_DOCUMENT_BYTES))
        }
        _ => Ok(()),
    }
}

/// Checks the names of fields and the depth. A server stores some names with dots and dollars and
/// refuses others, by place and version; none is supported here.
pub(super) fn names_and_depth(document: &Document, depth: usize) -> Checked {
    within_depth(depth)?;
    document.iter().try_for_each(|(name, value)| {
        if is_plain(name) {
            return self::value(value, depth + 1);
        }
        if name.contains('\0') {
            return invalid(format!("the field name {name:?}"));
        }
        if name.is_empty() || name.starts_with('$') || name.contains('.') {
            return unsupported(format!("a field of the name {name:?}"));
        }
        self::value(value, depth + 1)
    })
}

/// Checks a value that stands at this depth.
pub(super) fn value(value: &Value, depth: usize) -> Checked {
    match value {
        Value::Document(document) => names_and_depth(document, depth),
        Value::Array(items) => {
            within_depth(depth)?;
            items.iter().try_for_each(|item| self::value(item, depth + 1))
        }
        _ => Ok(()),
    }
}

fn within_depth(depth: usize) -> Checked {
    if depth > MAX_DEPTH {
        return invalid(format!("more than {MAX_DEPTH} levels in a document"));
    }
    Ok(())
}

fn filter(filter: &Filter) -> Checked {
    filter_at(filter, 1)
}

fn filter_at(filter: &Filter, depth: usize) -> Checked {
    within_depth(depth)?;
    match filter {
        Filter::Field(path, predicate) => {
            plain_path(path)?;
            no_null_at_a_number(path, predicate)?;
            self::predicate(predicate)
        }
        Filter::Or(any) if any.is_empty() => invalid("$or of nothing"),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| filter_at(part, depth + 1))
        }
    }
}

fn predicate(predicate: &Predicate) -> Checked {
    match predicate {
        Predicate::Exists(_) | Predicate::Size(_) => Ok(()),
        Predicate::Eq(operand) | Predicate::Ne(operand) => value(operand, 1),
        Predicate::In(operands) => operands.iter().try_for_each(|operand| value(operand, 1)),
        Predicate::Lt(operand)
        | Predicate::Lte(operand)
        | Predicate::Gt(operand)
        | Predicate::Gte(operand) => match operand {
            Value::MinKey | Value::MaxKey | Value::Array(_) => {
                unsupported(format!("a comparison with a {}", operand.type_name()))
            }
            _ => value(operand, 1),
        },
    }
}

/// Refuses a null where a path has a number: whether it matches an array that is too short is not
/// shown.
fn no_null_at_a_number(path: &Path, predicate: &Predicate) -> Checked {
    let has_null = match predicate {
        Predicate::Exists(_) | Predicate::Size(_) => false,
        Predicate::In(operands) => operands.contains(&Value::Null),
        Predicate::Eq(operand)
        | Predicate::Ne(operand)
        | Predicate::Lt(operand)
        | Predicate::Lte(operand)
        | Predicate::Gt(operand)
        | Predicate::Gte(operand) => *operand == Value::Null,
    };
    if has_null && path.segments().any(is_number) {
        return unsupported(format!("null at a number in the path {path}"));
    }
    Ok(())
}

/// Whether a name is letters and underscores, as nearly all are, so that no rule can be against it.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Checks a path in a filter, a sort or a projection.
fn plain_path(path: &Path) -> Checked {
    if is_plain(path.as_str()) {
        return Ok(());
    }
    if path.segments().any(|name| name.is_empty() || name.starts_with('$') || name.contains('\0')) {
        return unsupported(format!("the path {:?}", path.as_str()));
    }
    Ok(())
}

/// Checks a path of which a server's answer is uncertain where it has a number.
fn path_without_numbers(path: &Path) -> Checked {
    plain_path(path)?;
    if path.segments().any(is_number) {
        return unsupported(format!("a number in the path {path}"));
    }
    Ok(())
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

fn sort(keys: &[Sort]) -> Checked {
    let paths: Vec<&Path> = keys.iter().map(super::sorting::path).collect();
    paths.iter().try_for_each(|path| path_without_numbers(path))?;
    apart(&paths, |a, b| unsupported(format!("a sort by both {a} and {b}")))
}

/// Checks a projection (manual, *reference/method/db.collection.find*: path collisions, error
/// 31249).
fn projection(projection: &Projection) -> Checked {
    let paths = match projection {
        Projection::All => return Ok(()),
        Projection::Include(paths) if paths.is_empty() => {
            return invalid("a projection to no field (a server takes it for all fields)");
        }
        Projection::Include(paths) => {
            if let Some(path) = paths.iter().find(|p| p.root() == "_id" && p.as_str() != "_id") {
                return unsupported(format!("a projection to {path}"));
            }
            paths
        }
        Projection::Exclude(paths) => paths,
    };
    paths.iter().try_for_each(path_without_numbers)?;
    let paths: Vec<&Path> = paths.iter().collect();
    apart(&paths, |a, b| invalid(format!("a projection with both {a} and {b}")))
}

/// Checks an update: at least one operator (a server takes `{}` for a whole replacement), no two on one path (error 40,
/// *ConflictingUpdateOperators*).
fn update(update: &Update) -> Checked {
    if update.operators().is_empty() {
        return invalid("an update without an operator");
    }
    update.operators().iter().try_for_each(operator)?;
    if update.operators().len() == 1 {
        return Ok(());
    }
    let paths: Vec<&Path> = update.operators().iter().map(Operator::path).collect();
    apart(&paths, |a, b| invalid(format!("an update of {b} would conflict with that of {a}")))
}

fn operator(operator: &Operator) -> Checked {
    update_path(operator.path())?;
    match operator {
        Operator::Inc(_, Value::Int(_) | Value::Ordinal(_) | Value::Double(_)) => Ok(()),
        Operator::Inc(_, amount) => invalid(format!("$inc by a {}", amount.type_name())),
        Operator::Pull(_, Value::Document(_)) => {
            unsupported("$pull of a document, which a server takes for a query")
        }
        Operator::PullMatching(_, filter) => fields_only(filter),
        Operator::Set(_, operand)
        | Operator::SetOnInsert(_, operand)
        | Operator::Push(_, operand)
        | Operator::AddToSet(_, operand)
        | Operator::Pull(_, operand) => value(operand, 1),
        Operator::Unset(_) | Operator::PopFirst(_) | Operator::PopLast(_) => Ok(()),
    }
}

/// Checks the query of a `$pull`: fields of the element only, of which a server surely makes what a
/// find does.
fn fields_only(filter: &Filter) -> Checked {
    match filter {
        Filter::Field(..) => self::filter(filter),
        Filter::And(parts) if !parts.is_empty() => parts.iter().try_for_each(fields_only),
        Filter::And(_) | Filter::Or(_) => unsupported(format!("$pull of {filter}")),
    }
}

/// Checks the path of an operator: no empty name (error 56, *EmptyFieldName*), no positional
/// operator, no number that is not written as BSON writes it.
fn update_path(path: &Path) -> Checked {
    if is_plain(path.as_str()) {
        return Ok(());
    }
    if path.segments().any(str::is_empty) {
        return invalid(format!("the update path {:?} has an empty name", path.as_str()));
    }
    if path.segments().any(|name| name.len() > 1 && name.starts_with('0') && is_number(name)) {
        return unsupported(format!("a number with a leading zero in the path {path}"));
    }
    plain_path(path)
}

/// Checks that no path leads through another one.
fn apart(paths: &[&Path], refuse: impl Fn(&Path, &Path) -> Checked) -> Checked {
    for (index, path) in paths.iter().enumerate() {
        if let Some(other) = paths[..index].iter().find(|other| other.conflicts_with(path)) {
            return refuse(other, path);
        }
    }
    Ok(())
}

/// Checks the definition of an index.
pub(super) fn index(index: &Index) -> Checked {
    let fields: Vec<&Path> = index.fields.iter().collect();
    if fields.is_empty() || index.name.is_empty() {
        return invalid("an index without a field or a name");
    }
    if &*index.name == "_id_" || fields.iter().any(|field| field.root() == "_id") {
        return unsupported("an index on _id besides the one that is always there");
    }
    fields.iter().try_for_each(|field| path_without_numbers(field))?;
    apart(&fields, |a, b| unsupported(format!("an index on both {a} and {b}")))?;
    match &index.covers {
        Covers::All | Covers::Sparse => Ok(()),
        Covers::Partial(filter) => {
            self::filter(filter)?;
            partial_filter(filter)
        }
    }
}

/// Checks that a partial index's expression is one that a server accepts (manual,
/// *core/index-partial*).
fn partial_filter(filter: &Filter) -> Checked {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().try_for_each(partial_filter),
        Filter::Field(_, Predicate::Ne(_) | Predicate::Exists(false) | Predicate::Size(_)) => {
            invalid(format!("{filter} in a partial index"))
        }
        Filter::Field(..) => Ok(()),
    }
}

fn invalid(why: impl Into<String>) -> Checked {
    Err(StoreError::invalid(why.into()))
}

fn unsupported(what: impl Into<String>) -> Checked {
    Err(StoreError::unsupported(what.into()))
}
