//! Each operation is one command to the server, with its concern and nothing that was not said.

use std::sync::{Arc, Mutex};

use doorway::doc;
use doorway::store::filter::{all, by_id, eq};
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::bson::{Bson, Document as Sent, doc as bson};
use doorway::store::mongo::driver::event::EventHandler;
use doorway::store::mongo::driver::event::command::{CommandEvent, CommandStartedEvent};
use doorway::store::mongo::driver::{Client, options::ClientOptions};
use doorway::store::update::{push, set};
use doorway::store::{
    Command, Concern, Operation, Projection, ReadConcern, Returns, Sort, Store, WriteConcern,
};

use crate::process;

type Log = Arc<Mutex<Vec<CommandStartedEvent>>>;

/// A store whose commands are written down as they are sent.
async fn listened_to(uri: &str) -> (MongoStore, Log) {
    let log = Log::default();
    let heard = Arc::clone(&log);
    let mut options = ClientOptions::parse(uri).await.unwrap();
    options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event {
            heard.lock().unwrap().push(started);
        }
    }));
    let client = Client::with_options(options).unwrap();
    (MongoStore::new(client.database("doorway_monitoring")), log)
}

/// One operation of each kind, with the name of its command.
fn every_operation() -> Vec<(&'static str, Operation)> {
    let (filter, projection) = (|| eq("n", 1), Projection::Include(vec!["n".into()]));
    let (sort, upsert, returns) = (Sort::descending("n"), true, Returns::After);
    vec![
        ("insert", Operation::InsertOne { document: doc! {"_id": 1, "n": 1} }),
        ("find", Operation::FindOne { filter: filter(), projection: projection.clone() }),
        (
            "find",
            Operation::Scan {
                filter: all(),
                sort: sort.clone(),
                limit: Some(2),
                projection: projection.clone(),
            },
        ),
        ("update", Operation::UpdateOne { filter: filter(), update: push("t", 1), upsert }),
        (
            "findAndModify",
            Operation::FindOneAndUpdate {
                filter: by_id(2),
                update: set("n", 2),
                sort,
                upsert,
                returns,
                projection,
            },
        ),
        ("update", Operation::ReplaceOne { filter: by_id(3), replacement: doc! {"n": 3}, upsert }),
        ("delete", Operation::DeleteOne { filter: by_id(3) }),
    ]
}

/// What of a command is about the operation, without its collection and the session.
fn essential(event: &CommandStartedEvent) -> Sent {
    let session = [
        "$readPreference",
        "lsid",
        "$clusterTime",
        "txnNumber",
        "$db",
        "readConcern",
        "writeConcern",
    ];
    let command = event.command.clone().into_iter();
    command.filter(|(name, _)| !session.contains(&name.as_str())).skip(1).collect()
}

#[tokio::test]
async fn every_operation_is_one_command() {
    let Some(server) = process::shared().await else { return };
    let (store, log) = listened_to(server.uri()).await;
    store.database().drop().await.unwrap();
    let expected = [
        bson! {"documents": [{"_id": 1_i64, "n": 1_i64}], "ordered": true},
        bson! {"filter": {"n": 1_i64}, "projection": {"n": 1}, "limit": 1_i64, "singleBatch": true},
        bson! {"filter": {}, "batchSize": i32::MAX, "limit": 2_i64, "projection": {"n": 1}, "sort": {"n": -1}},
        bson! {"updates": [{"q": {"n": 1_i64}, "u": {"$push": {"t": 1_i64}}, "upsert": true}], "ordered": true},
        bson! {"query": {"_id": 2_i64}, "update": {"$set": {"n": 2_i64}}, "fields": {"n": 1}, "new": true, "sort": {"n": -1}, "upsert": true},
        bson! {"updates": [{"q": {"_id": 3_i64}, "u": {"n": 3_i64}, "upsert": true}], "ordered": true},
        bson! {"deletes": [{"q": {"_id": 3_i64}, "limit": 1}], "ordered": true},
    ];
    for ((name, operation), expected) in every_operation().into_iter().zip(expected) {
        log.lock().unwrap().clear();
        let concern = Concern::default();
        let command = Command { collection: "c".into(), operation, concern };
        store.execute(command.clone()).await.unwrap();
        let sent = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(sent.len(), 1, "{command}: {sent:?}");
        assert_eq!(sent[0].command_name, name, "{command}");
        assert_eq!(sorted(essential(&sent[0])), sorted(expected), "{command}");
    }
}

/// The order of a command's options does not count.
fn sorted(command: Sent) -> Vec<(String, Bson)> {
    let mut options: Vec<_> = command.into_iter().collect();
    options.sort_by(|(a, _), (b, _)| a.cmp(b));
    options
}

#[tokio::test]
async fn each_concern_is_said_with_each_command() {
    let Some(server) = process::shared().await else { return };
    let (store, log) = listened_to(server.uri()).await;
    let reads = [
        (ReadConcern::Local, "local"),
        (ReadConcern::Majority, "majority"),
        (ReadConcern::Linearizable, "linearizable"),
    ];
    let writes =
        [(WriteConcern::Primary, Bson::Int32(1)), (WriteConcern::Majority, "majority".into())];
    for (read, read_name) in reads {
        for (write, write_name) in &writes {
            for (_, operation) in every_operation() {
                log.lock().unwrap().clear();
                let concern = Concern { read, write: *write };
                let is_write = operation.is_write();
                let command = Command { collection: "concerns".into(), operation, concern };
                // Whether a server has them all is its own affair: here it counts what is sent.
                let _ = store.execute(command).await;
                let sent = log.lock().unwrap()[0].command.clone();
                if is_write {
                    assert_eq!(sent.get("writeConcern"), Some(&bson! {"w": write_name}.into()));
                    assert!(sent.contains_key("txnNumber"), "a write that is not tried again");
                } else {
                    let said = sent.get_document("readConcern").unwrap().get_str("level");
                    assert_eq!(said.unwrap(), read_name);
                }
            }
        }
    }
}
