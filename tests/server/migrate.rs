//! `doorway init`, `status` and `migrate`, run as a person runs them.

use std::process::{Command, Output};

use doorway::reservation::doorway::schema::{RESERVATIONS, one_reservation_per_worker};
use doorway::store::filter::by_id;
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::IndexModel;
use doorway::store::mongo::driver::bson::{Document as Bson, doc as bson};
use doorway::store::mongo::driver::options::IndexOptions;
use doorway::store::{Document, Store};

use crate::migrated;
use crate::process::{self, Server};

async fn run(server: &Server, database: &str, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorway"));
    command.args(words).args(["--uri", server.uri(), "--database", database]);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn ends_with(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    text(output)
}

/// The collection as Pulp 2 has it, with its indexes.
async fn as_of_pulp(server: &Server, database: &str) -> MongoStore {
    let store = server.store(database).await;
    store.database().drop().await.unwrap();
    migrated::leave(&store).await;
    let old = store.database().collection::<Bson>(RESERVATIONS);
    let named = |name: &str| IndexOptions::builder().name(name.to_owned()).build();
    let by = |keys, name| IndexModel::builder().keys(keys).options(named(name)).build();
    old.create_index(by(bson! {"worker_name": -1}, "worker_name_-1")).await.unwrap();
    old.create_index(by(bson! {"worker_name": 1}, "worker_name_1")).await.unwrap();
    store
}

#[tokio::test]
async fn a_database_is_set_up_again_and_again() {
    let Some(server) = process::shared().await else { return };
    let store = server.store("doorway_cli_init").await;
    store.database().drop().await.unwrap();
    let early = ends_with(&run(server, "doorway_cli_init", &["status"]).await, 2);
    assert!(early.contains("doorway init"), "{early}");
    for _ in 0..2 {
        let done = ends_with(&run(server, "doorway_cli_init", &["init"]).await, 0);
        assert!(done.contains("reserved_resources: _id_, worker_name_1"), "{done}");
    }
    store.verify(RESERVATIONS, &[one_reservation_per_worker()]).await.unwrap();
    let empty = ends_with(&run(server, "doorway_cli_init", &["status"]).await, 0);
    assert!(empty.contains("0 resources reserved; 0 workers registered"), "{empty}");
}

#[tokio::test]
async fn pulps_reservations_become_lists() {
    let Some(server) = process::shared().await else { return };
    let store = as_of_pulp(server, "doorway_migrated").await;
    for name in store.other_indexes(RESERVATIONS, &[]).await.unwrap() {
        store.drop_index(RESERVATIONS, &name).await.unwrap();
        store.drop_index(RESERVATIONS, &name).await.unwrap();
    }
    migrated::migrates(store).await;
}

#[tokio::test]
async fn a_migration_says_what_it_does_and_what_it_leaves() {
    let Some(server) = process::shared().await else { return };
    let database = "doorway_cli_migrate";
    let store = as_of_pulp(server, database).await;
    let documents = store.collection::<Document>(RESERVATIONS);
    let dry = ends_with(&run(server, database, &["migrate", "--dry-run"]).await, 1);
    assert!(dry.contains("index worker_name_-1 of reserved_resources goes"), "{dry}");
    assert!(dry.contains("c: LEFT as it is: it is bound to w3 and w4"), "{dry}");
    assert!(documents.find_one(by_id("t1")).await.unwrap().is_some(), "nothing was changed");
    let done = ends_with(&run(server, database, &["migrate"]).await, 1);
    assert!(
        done.contains("done: 4 tasks into lists, 1 reservations of story #898, 1 empty"),
        "{done}"
    );
    assert!(done.contains("cannot be made yet"), "e and f name one worker: {done}");
    for id in ["t4", "t5", "object-e", "object-f", "odd"] {
        assert_eq!(documents.delete_one(by_id(id)).await.unwrap(), 1);
    }
    let again = ends_with(&run(server, database, &["migrate"]).await, 0);
    assert!(again.contains("done: 0 tasks") && !again.contains("goes"), "{again}");
    store.verify(RESERVATIONS, &[one_reservation_per_worker()]).await.unwrap();
    let seen = ends_with(&run(server, database, &["status"]).await, 0);
    let row = seen.lines().find(|line| line.starts_with("a ")).unwrap_or_default();
    assert!(row.contains("w1 (gone)") && row.contains("2 (first: t1)"), "{seen}");
    let json = ends_with(&run(server, database, &["status", "--format", "json"]).await, 0);
    assert!(json.contains(r#"{"resource":"a","worker":"w1","is_alive":false,"tasks":["t1","t2"]"#));
}
