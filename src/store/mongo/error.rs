//! What an error of the driver says about the command: refused, not done, or perhaps done.
//!
//! A write is known not to be done only where the server or the driver says so. Whatever is not
//! known to be a refusal is an unknown outcome, and so is an error after a second attempt, since
//! nothing tells what became of the first.

use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error, ErrorKind, NO_WRITES_PERFORMED, WriteFailure};

use crate::store::StoreError;

/// Unique index (E11000), and its old numbers.
const DUPLICATE_KEY: [i32; 3] = [11000, 11001, 12582];
/// *ImmutableField*, and the same from `findAndModify` and from old updates.
const IMMUTABLE_ID: [i32; 3] = [66, 16836, 16837];
/// *BSONObjectTooLarge*, and of what an update or an upsert makes.
const TOO_LARGE: [i32; 4] = [10334, 17280, 17419, 17420];
/// *Unauthorized*, *AuthenticationFailed*, *AtlasError*.
const NO_RIGHT: [i32; 3] = [13, 18, 8000];
/// What is wrong with a command itself (server source, `error_codes.yml`): *BadValue*,
/// *FailedToParse*, *TypeMismatch*, *IllegalOperation*, *PathNotViable*, *ConflictingUpdateOperators*,
/// *DollarPrefixedFieldName*, *InvalidIdField*, *NotSingleValueField*, *EmptyFieldName*,
/// *DottedFieldName*, *CommandNotFound*, *InvalidOptions*, *InvalidNamespace*, *IndexOptionsConflict*,
/// *IndexKeySpecsConflict*, *CannotCreateIndex*, *DocumentValidationFailure*,
/// *CannotIndexParallelArrays*, *InvalidBSON*, *Overflow*.
const INVALID: [i32; 21] =
    [2, 9, 14, 20, 28, 40, 52, 53, 54, 56, 57, 59, 72, 73, 85, 86, 67, 121, 171, 22, 15];
/// Assertions about a command, numbered by their place in the server's source (paths that collide in a
/// projection, a bad sort): no passing condition of a server has such a number.
const INVALID_BY_PLACE: std::ops::RangeFrom<i32> = 18_000..;

/// What a server said: its code, its message, and the whole reply where the driver keeps it.
struct Said<'a> {
    code: i32,
    message: &'a str,
    reply: Option<&'a RawDocumentBuf>,
}

/// The error of a store for an error of the driver.
pub(super) fn sorted(error: &Error, collection: &str, is_write: bool) -> StoreError {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(said)) => {
            let said = Said { code: said.code, message: &said.message, reply: None };
            refused(&said, collection).unwrap_or_else(|| passing(error, is_write))
        }
        ErrorKind::Command(said) => {
            let reply = error.server_response();
            let said = Said { code: said.code, message: &said.message, reply };
            refused(&said, collection).unwrap_or_else(|| passing(error, is_write))
        }
        ErrorKind::InvalidArgument { message, .. } => StoreError::invalid(&**message),
        ErrorKind::Bson(_) if is_write => passing(error, true),
        ErrorKind::Bson(error) => StoreError::data(error.to_string()),
        ErrorKind::Authentication { message, .. } => no_login(message),
        ErrorKind::IncompatibleServer { message, .. } => StoreError::refused(&**message),
        ErrorKind::InvalidTlsConfig { message, .. } => StoreError::refused(&**message),
        ErrorKind::ServerSelection { message, .. } => no_server(message),
        ErrorKind::DnsResolve { message, .. } => StoreError::not_done(&**message),
        ErrorKind::ConnectionPoolCleared { message, .. } => StoreError::not_done(&**message),
        ErrorKind::Shutdown => StoreError::not_done("the client was shut down"),
        _ => passing(error, is_write),
    }
}

/// A refusal by the server: nothing was changed, and the same command is refused again.
fn refused(said: &Said<'_>, collection: &str) -> Option<StoreError> {
    let Said { code, message, .. } = said;
    if DUPLICATE_KEY.contains(code) {
        Some(StoreError::duplicate_key(collection, index_name(said)))
    } else if IMMUTABLE_ID.contains(code) {
        Some(StoreError::immutable_id(*message))
    } else if TOO_LARGE.contains(code) {
        Some(StoreError::over_the_limit(super::send::MAX_DOCUMENT_BYTES))
    } else if NO_RIGHT.contains(code) {
        Some(StoreError::refused(format!("{message}: give the user the role readWrite")))
    } else if INVALID.contains(code) || INVALID_BY_PLACE.contains(code) {
        Some(StoreError::invalid(*message))
    } else {
        None
    }
}

/// The name of the index that refused a write: the server says it in words, and the driver keeps
/// nothing else of an insert. Else from the fields of the key, as an index is named by default.
fn index_name(said: &Said<'_>) -> String {
    named(said.message)
        .map(str::to_owned)
        .or_else(|| said.reply.and_then(by_fields))
        .unwrap_or_else(|| "(not named)".to_owned())
}

/// The name in `E11000 duplicate key error collection: db.c index: NAME dup key: { .. }`.
fn named(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(" index: ")?;
    let end = rest.find(" dup key").or_else(|| rest.find(" collation:"))?;
    let name = &rest[..end];
    Some(name.split(" collation:").next().unwrap_or(name))
}

fn by_fields(reply: &RawDocumentBuf) -> Option<String> {
    let pattern = reply.get_document("keyPattern").ok()?;
    let fields: Vec<String> = pattern
        .into_iter()
        .map(|f| f.map(|(name, _)| format!("{name}_1")))
        .collect::<Result<_, _>>()
        .ok()?;
    match &*fields.join("_") {
        "_id_1" => Some("_id_".to_owned()),
        name => Some(name.to_owned()),
    }
}

/// An error that says nothing of the command itself.
fn passing(error: &Error, is_write: bool) -> StoreError {
    let text = words(error);
    if error.contains_label(NO_WRITES_PERFORMED) {
        StoreError::not_done(text)
    } else {
        lost(is_write, text)
    }
}

/// A reply that did not come: a read changes nothing, so it was not done.
pub(super) fn lost(is_write: bool, why: String) -> StoreError {
    if is_write { StoreError::outcome_unknown(why) } else { StoreError::not_done(why) }
}

/// The message without the driver's own debug output, and without the reply with its values.
fn words(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteConcernError(said)) => {
            format!("done, but not known to be durable (code {}): {}", said.code, said.message)
        }
        ErrorKind::Write(WriteFailure::WriteError(said)) => {
            format!("code {}: {}", said.code, said.message)
        }
        kind => kind.to_string(),
    }
}

fn no_login(message: &str) -> StoreError {
    StoreError::refused(format!(
        "the server does not take the login ({message}): look at the user, the password and authSource of the URI"
    ))
}

fn no_server(message: &str) -> StoreError {
    StoreError::not_done(format!(
        "no primary to be had: is the server up, and is the URI right? ({message})"
    ))
}
