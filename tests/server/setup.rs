//! A server that is not as it has to be: one clear error each, and nothing half done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorway::doc;
use doorway::store::filter::exists;
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::bson::{Document as BsonDocument, doc as bson};
use doorway::store::{Document, Index, Provision, Store, StoreError};

use crate::process::{self, Server};
use crate::proxy::{Action, Proxy};

fn one_worker() -> Index {
    Index::unique(["w"]).partial(exists("w"))
}

#[tokio::test]
async fn indexes_are_made_once() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_setup_once").await;
    store.database().drop().await.unwrap();
    let indexes = [one_worker(), Index::unique(["a", "b"]).sparse()];
    let missing = store.verify("c", &indexes).await.unwrap_err();
    assert!(missing.is_refused() && missing.to_string().contains("w_1"), "{missing}");
    assert!(missing.to_string().contains("provision"), "{missing}");
    store.provision("c", &indexes).await.unwrap();
    store.provision("c", &indexes).await.unwrap();
    store.verify("c", &indexes).await.unwrap();
}

#[tokio::test]
async fn another_index_of_the_name_is_refused_and_left_alone() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_setup_other").await;
    store.database().drop().await.unwrap();
    store.provision("c", &[Index::unique(["w"])]).await.unwrap();
    let new = Index::unique(["n"]);
    for refused in [
        store.provision("c", &[new.clone(), one_worker()]).await,
        store.verify("c", &[one_worker()]).await,
    ] {
        let refused = refused.unwrap_err();
        assert!(refused.is_invalid(), "{refused}");
        assert!(refused.to_string().contains(r#"dropIndex("w_1")"#), "{refused}");
    }
    assert!(store.verify("c", &[new]).await.unwrap_err().is_refused(), "half done");
    store.verify("c", &[Index::unique(["w"])]).await.unwrap();
}

#[tokio::test]
async fn an_index_that_the_documents_break_is_not_made() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_setup_broken").await;
    store.database().drop().await.unwrap();
    let documents = store.collection::<Document>("c");
    documents.insert_one(doc! {"_id": 1, "w": "a"}).await.unwrap();
    documents.insert_one(doc! {"_id": 2, "w": "a"}).await.unwrap();
    let broken = store.provision("c", &[one_worker()]).await.unwrap_err();
    assert_eq!(broken.duplicate_index(), Some("w_1"), "{broken}");
    assert!(store.verify("c", &[one_worker()]).await.unwrap_err().is_refused());
}

#[tokio::test]
async fn a_server_that_is_down_is_one_error_in_time() {
    let began = Instant::now();
    let uri = "mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=300";
    let error = MongoStore::connect(uri, "d").await.unwrap_err();
    assert!(error.is_not_done() && error.to_string().contains("is the server up"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_uri_that_is_none_is_invalid() {
    let error = MongoStore::connect("http://127.0.0.1", "d").await.unwrap_err();
    assert!(error.is_invalid(), "{error}");
}

/// The error of a connection on which the server answers one command otherwise; nothing is written.
async fn answering(
    server: &Server,
    command: &'static str,
    change: fn(&mut BsonDocument),
) -> StoreError {
    let database = format!("doorway_setup_{command}");
    let plan = move |sent: &BsonDocument| match sent.contains_key(command) {
        true => Action::Change(change),
        false => Action::Pass,
    };
    let proxy = Proxy::before(server.address(), Arc::new(plan)).await;
    let error = MongoStore::connect(&proxy.uri("&serverSelectionTimeoutMS=3000"), &database).await;
    let error = error.unwrap_err();
    let truth = server.store(&database).await;
    let collections = truth.database().list_collection_names().await.unwrap();
    assert!(collections.is_empty(), "half done: {collections:?}");
    error
}

#[tokio::test]
async fn an_older_server_is_refused() {
    let Some(server) = process::shared().await else { return };
    let old = |said: &mut BsonDocument| {
        said.insert("version", "4.4.29");
    };
    let error = answering(server, "buildInfo", old).await;
    assert!(error.is_refused(), "{error}");
    assert!(
        error.to_string().contains("4.4.29") && error.to_string().contains("upgrade"),
        "{error}"
    );
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    let Some(server) = process::shared().await else { return };
    let unauthorized = |said: &mut BsonDocument| {
        *said =
            bson! {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized"};
    };
    let error = answering(server, "listCollections", unauthorized).await;
    assert!(error.is_refused() && error.to_string().contains("readWrite"), "{error}");
}

#[tokio::test]
async fn a_login_that_the_server_does_not_take_is_refused() {
    let Some(server) = process::shared().await else { return };
    let uri = format!(
        "mongodb://nobody:wrong@{}/?directConnection=true&serverSelectionTimeoutMS=3000",
        server.address()
    );
    let error = MongoStore::connect(&uri, "doorway_setup_login").await.unwrap_err();
    assert!(error.is_refused() && error.to_string().contains("login"), "{error}");
}

#[tokio::test]
async fn an_index_that_was_lost_is_missed_and_made_again() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_setup_lost").await;
    store.database().drop().await.unwrap();
    store.provision("c", &[one_worker()]).await.unwrap();
    let documents = store.collection::<Document>("c");
    documents.insert_one(doc! {"_id": 1, "w": "a"}).await.unwrap();
    store.database().collection::<Document>("c").drop_index("w_1").await.unwrap();
    let lost = store.verify("c", &[one_worker()]).await.unwrap_err();
    assert!(lost.is_refused() && lost.to_string().contains("provision"), "{lost}");
    store.provision("c", &[one_worker()]).await.unwrap();
    store.verify("c", &[one_worker()]).await.unwrap();
    let taken = documents.insert_one(doc! {"_id": 2, "w": "a"}).await.unwrap_err();
    assert_eq!(taken.duplicate_index(), Some("w_1"), "{taken}");
}
