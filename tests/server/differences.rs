//! Where a server that is used for tests is known not to do as MongoDB does.
//!
//! Each entry says what the server does instead in terms of the emulator, as exactly as can be, so
//! that nothing else passes for it.

use doorway::store::memory::State;
use doorway::store::{
    Command, Document, Filter, Index, Operation, Operator, Path, Predicate, Reply, Returns,
    StoreError, Update, Value, update,
};

use crate::agreement::{Answer, allowed, alternatives};
use crate::explain::{self, Same};

/// One command that was answered otherwise than the emulator allows.
pub(crate) struct Case<'a> {
    pub(crate) before: &'a State,
    pub(crate) indexes: &'a [Index],
    pub(crate) command: &'a Command,
    pub(crate) answer: &'a Answer,
    /// What the server has after it.
    pub(crate) content: &'a [Document],
}

/// A known difference.
pub(crate) struct Known {
    /// The server.
    pub(crate) server: &'static str,
    /// What it does.
    pub(crate) what: &'static str,
    /// What MongoDB does, and where that stands.
    pub(crate) source: &'static str,
    /// Whether the difference is this one.
    explains: fn(&Case<'_>) -> bool,
}

/// The facts that do not hold on a server: the server, the fact, and what it does. Such a fact has to
/// fail there, so that the list stays true.
pub(crate) const FACTS: &[(&str, &str, &str)] = &[(
    "SecantusDB",
    "an_id_is_unique_and_no_array",
    "it stores a document whose `_id` is an array",
)];

/// The known differences in the answer to one command.
pub(crate) const KNOWN: &[Known] = &[
    Known {
        server: "SecantusDB",
        what: "of several unique indexes that a write breaks it names another one",
        source: "which one is named is not documented; mongod looks at `_id` first, then at the \
                 others in the order in which they were made",
        explains: names_another_index,
    },
    Known {
        server: "SecantusDB",
        what: "two operators on one path are refused only once a document matches",
        source: "error 40, ConflictingUpdateOperators: mongod refuses the command as it reads it",
        explains: conflicts_later,
    },
    Known {
        server: "SecantusDB",
        what: "$pop and $pull with a path through a value that can hold no field do nothing",
        source: "error 28, PathNotViable; server source, modifier_node.cpp",
        explains: leaves_alone_what_is_not_viable,
    },
    Known {
        server: "SecantusDB",
        what: "an upsert inserts a document whose `_id` is an array",
        source: "MongoDB manual, core/document",
        explains: has_an_array_as_id,
    },
    Known {
        server: "SecantusDB",
        what: "it stores a document of which two fields of an index are arrays",
        source: "MongoDB manual, core/indexes/index-types/index-multikey, compound multikey indexes",
        explains: has_parallel_arrays,
    },
    Known {
        server: "SecantusDB",
        what: "a replacement with upsert is refused where the filter fixes a path twice",
        source: "of the filter mongod takes `_id` only into a replacement; server source, \
                 update_driver.cpp and path_support.cpp",
        explains: refuses_a_path_twice,
    },
    Known {
        server: "SecantusDB",
        what: "$pull by a query with $and is refused",
        source: "MongoDB manual, reference/operator/update/pull; server source, pull_node.cpp",
        explains: refuses_a_conjunction,
    },
    Known {
        server: "SecantusDB",
        what: "$unset removes an `_id` that is null",
        source: "MongoDB manual, core/document: `_id` is immutable",
        explains: has_no_id,
    },
];

/// Every known difference of the server that CI has: what it does, and what MongoDB does.
pub(crate) fn all() -> Vec<(&'static str, &'static str)> {
    let facts = FACTS.iter().map(|(_, fact, what)| (*what, *fact));
    let answers = KNOWN.iter().map(|known| (known.what, known.source));
    let order = [(ORDER, "in the order of their paths: MongoDB manual, reference/operator/update")];
    let at_once = AT_ONCE.iter().map(|(_, what, source)| (*what, *source));
    facts.chain(answers).chain(order).chain(at_once).collect()
}

/// The known difference that a case is one of.
pub(crate) fn known(server: &str, case: &Case<'_>) -> Option<&'static Known> {
    let alternatives = alternatives(case.before, case.command);
    let is_one = |known: &&Known| {
        let explains = |command| (known.explains)(&Case { command, ..*case });
        known.server == server && alternatives.iter().any(explains)
    };
    KNOWN.iter().find(is_one)
}

/// The order in which a server is known to put the fields of an embedded document otherwise.
pub(crate) const ORDER: &str = "two operators on fields of one embedded document are applied in the \
     order in which they are given";

/// Whether the server is known to put embedded fields in another order after this command, which no
/// answer tells at once: so it is not sent.
pub(crate) fn is_in_another_order(server: &str, command: &Command) -> bool {
    let Some(update) = update_of(&command.operation) else { return false };
    let mut paths: Vec<&Path> = update.operators().iter().map(Operator::path).collect();
    fixed(filter_of(&command.operation), &mut paths);
    let dotted: Vec<&Path> = paths.into_iter().filter(|path| path.segments().count() > 1).collect();
    let same_root = |n: usize| dotted[..n].iter().any(|other| other.root() == dotted[n].root());
    server == "SecantusDB" && (1..dotted.len()).any(same_root)
}

/// The paths that an equality of the filter fixes: an upsert inserts them.
fn fixed<'a>(filter: Option<&'a Filter>, paths: &mut Vec<&'a Path>) {
    match filter {
        Some(Filter::Field(path, Predicate::Eq(_))) => paths.push(path),
        Some(Filter::And(parts)) => parts.iter().for_each(|part| fixed(Some(part), paths)),
        _ => {}
    }
}

/// What the server is known to do otherwise where commands run at once.
pub(crate) const AT_ONCE: &[(&str, &str, &str)] = &[
    (
        "SecantusDB",
        "findAndModify that another write overtakes answers with the document before that write",
        "MongoDB manual, reference/command/findAndModify: the document before the modification",
    ),
    (
        "SecantusDB",
        "an upsert by findAndModify that the server tries again after a duplicate key answers null, \
         though it changes a document",
        "MongoDB manual, reference/command/findAndModify: null only where nothing was found",
    ),
];

/// How answers are compared to commands that ran at once, with the known differences of a server.
pub(crate) fn same_at_once(server: &str) -> Option<Same> {
    (server == "SecantusDB").then_some(|command, theirs, ours| {
        explain::same(command, theirs, ours)
            || named(theirs).is_some() && named(ours).is_some()
            || is_another_image(command, theirs, ours)
    })
}

/// Whether a find-and-update answers with the right document, but not as it was, or with none
/// where it may have been tried again.
fn is_another_image(command: &Command, theirs: &Answer, ours: &Answer) -> bool {
    let Operation::FindOneAndUpdate { upsert, returns, .. } = &command.operation else {
        return false;
    };
    match (theirs, ours) {
        (Ok(Reply::Document(None)), Ok(Reply::Document(Some(_)))) => *upsert,
        (Ok(Reply::Document(Some(theirs))), Ok(Reply::Document(Some(ours)))) => {
            *returns == Returns::Before && theirs.id() == ours.id()
        }
        _ => false,
    }
}

/// Whether the emulator would allow the answer to this command, on this content.
fn would_allow(before: &State, command: &Command, answer: &Answer) -> bool {
    allowed(before, command).is_some_and(|allowed| !allowed.after(before, answer).is_empty())
}

/// Whether the emulator would answer this to another command, and would leave what the server left.
fn would_do(case: &Case<'_>, command: &Command) -> bool {
    let states =
        allowed(case.before, command).map(|allowed| allowed.after(case.before, case.answer));
    states.is_some_and(|states| states.iter().any(|s| s.documents("c").eq(case.content)))
}

/// The index that the answer names is broken too: it is the one that is named where it is the first,
/// and the documents have other `_id`s.
fn names_another_index(case: &Case<'_>) -> bool {
    let ours = case.before.clone().execute_ref(case.command);
    let (Some(ours), Some(theirs)) = (named(&ours), named(case.answer)) else { return false };
    let (mut first, rest): (Vec<Index>, Vec<Index>) =
        case.indexes.iter().cloned().partition(|index| &*index.name == theirs);
    first.extend(rest.into_iter().filter(|index| &*index.name != ours));
    let documents = case.before.documents("c").cloned();
    let documents: Vec<Document> = match ours {
        "_id_" => documents.zip(0..).map(|(document, n)| renamed(document, n)).collect(),
        _ => documents.collect(),
    };
    let Some(state) = rebuilt(&first, documents) else { return false };
    let cannot_say = allowed(&state, case.command).is_none();
    cannot_say || would_allow(&state, case.command, case.answer)
}

fn named(answer: &Answer) -> Option<&str> {
    answer.as_ref().err().and_then(StoreError::duplicate_index)
}

fn renamed(document: Document, number: u8) -> Document {
    document.with("_id", Value::ObjectId([number; 12]))
}

/// A database with this content; `None` where the emulator does not take it.
pub(crate) fn rebuilt(
    indexes: &[Index],
    documents: impl IntoIterator<Item = Document>,
) -> Option<State> {
    let mut state = State::new();
    state.provision("c", indexes).ok()?;
    for document in documents {
        state.insert("c", document).ok()?;
    }
    Some(state)
}

fn conflicts_later(case: &Case<'_>) -> bool {
    let Some(update) = update_of(&case.command.operation) else { return false };
    let paths: Vec<&Path> = update.operators().iter().map(Operator::path).collect();
    let conflict =
        (1..paths.len()).any(|n| paths[..n].iter().any(|other| other.conflicts_with(paths[n])));
    conflict && would_allow(case.before, &with_update(case.command, idle(0)), case.answer)
}

fn leaves_alone_what_is_not_viable(case: &Case<'_>) -> bool {
    let Some(update) = update_of(&case.command.operation) else { return false };
    let mut left_out = Update::default();
    for (operator, number) in update.operators().iter().zip(0..) {
        let refused = is_pop_or_pull(operator) && is_refused(case, operator);
        let kept = if refused { idle(number) } else { operator.clone().into() };
        left_out = left_out.operators().iter().chain(kept.operators()).cloned().collect();
    }
    let rest = with_update(case.command, left_out);
    let cannot_say = allowed(case.before, &rest).is_none();
    rest != *case.command && (cannot_say || would_do(case, &rest))
}

/// It has one, or was kept from it by an index only.
fn has_an_array_as_id(case: &Case<'_>) -> bool {
    let ours = case.before.clone().execute_ref(case.command);
    let refused = ours.is_err_and(|error| error.is_invalid());
    let writes_id = |update: &Update| update.operators().iter().any(|o| o.path().as_str() == "_id");
    let kept_from_it =
        named(case.answer).is_some() && update_of(&case.command.operation).is_some_and(writes_id);
    let has = case.content.iter().filter_map(Document::id).any(|id| id.as_array().is_some());
    refused && (has || kept_from_it)
}

/// The emulator refuses a document that the server has.
fn has_parallel_arrays(case: &Case<'_>) -> bool {
    let mut state = State::new();
    state.provision("c", case.indexes).is_ok_and(|()| {
        case.content.iter().any(|document| {
            state.insert("c", document.clone()).is_err_and(|error| {
                error.is_invalid() && error.to_string().contains("parallel arrays")
            })
        })
    })
}

fn refuses_a_path_twice(case: &Case<'_>) -> bool {
    matches!(case.command.operation, Operation::ReplaceOne { upsert: true, .. })
        && refused_for(case, "is matched twice")
}

fn refuses_a_conjunction(case: &Case<'_>) -> bool {
    let is_one = |operator: &Operator| match operator {
        Operator::PullMatching(_, filter) => filter.to_string().contains("$and"),
        _ => false,
    };
    update_of(&case.command.operation).is_some_and(|update| update.operators().iter().any(is_one))
        && refused_for(case, "unknown operator: $and")
}

/// The server refused the command for this reason, and changed nothing.
fn refused_for(case: &Case<'_>, why: &str) -> bool {
    let refused = case.answer.as_ref().is_err_and(|error| error.to_string().contains(why));
    refused && case.before.documents("c").eq(case.content)
}

/// It has one without, or gave another in its place where it inserted.
fn has_no_id(case: &Case<'_>) -> bool {
    let ours = case.before.clone().execute_ref(case.command);
    ours.is_err_and(|error| {
        error.is_immutable_id() && error.to_string().contains("null would be removed")
    })
}

fn is_pop_or_pull(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::PopFirst(_)
            | Operator::PopLast(_)
            | Operator::Pull(..)
            | Operator::PullMatching(..)
    )
}

/// Whether the emulator refuses an operator by itself.
fn is_refused(case: &Case<'_>, operator: &Operator) -> bool {
    let alone = with_update(case.command, operator.clone().into());
    case.before.clone().execute_ref(&alone).is_err_and(|error| error.is_invalid())
}

/// An update that does nothing.
fn idle(number: u32) -> Update {
    update::unset(format!("nothing_{number}"))
}

fn filter_of(operation: &Operation) -> Option<&Filter> {
    match operation {
        Operation::UpdateOne { filter, .. } | Operation::FindOneAndUpdate { filter, .. } => {
            Some(filter)
        }
        _ => None,
    }
}

fn update_of(operation: &Operation) -> Option<&Update> {
    match operation {
        Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. } => {
            Some(update)
        }
        _ => None,
    }
}

fn with_update(command: &Command, new: Update) -> Command {
    let mut command = command.clone();
    if let Operation::UpdateOne { update, .. } | Operation::FindOneAndUpdate { update, .. } =
        &mut command.operation
    {
        *update = new;
    }
    command
}
