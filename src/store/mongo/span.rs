//! What is told of each command to whoever listens: never the content of a document.

use std::future::Future;

use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::store::{Command, Reply, StoreError};

/// Runs a command in a span that says what it was and how it ended.
pub(super) async fn traced<F>(command: &Command, sent: F) -> Result<Reply, StoreError>
where
    F: Future<Output = Result<Reply, StoreError>>,
{
    let (collection, operation) = (&*command.collection, command.operation.name());
    let span =
        info_span!("mongodb", collection, operation, outcome = Empty, index = Empty, count = Empty);
    let reply = sent.instrument(span.clone()).await;
    record(&span, &reply);
    reply
}

fn record(span: &Span, reply: &Result<Reply, StoreError>) {
    match reply {
        Ok(reply) => {
            span.record("outcome", "done").record("count", count(reply));
        }
        Err(error) => {
            span.record("outcome", error.kind());
            if let Some(index) = error.duplicate_index() {
                span.record("index", index);
            }
        }
    }
}

/// How many documents a reply is about.
fn count(reply: &Reply) -> u64 {
    match reply {
        Reply::Document(document) => document.is_some().into(),
        Reply::Documents(documents) => documents.len() as u64,
        Reply::Inserted => 1,
        Reply::Updated(updated) => updated.matched + u64::from(updated.upserted.is_some()),
        Reply::Deleted(count) => *count,
    }
}
