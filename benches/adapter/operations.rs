//! Each kind of command by the adapter, and the same by the driver with the same options.

use doorway::doc;
use doorway::store::filter::{all, by_id, missing, ne};
use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::bson::{Document as Bson, doc as bson};
use doorway::store::mongo::driver::options::{
    Acknowledgment, CollectionOptions, ReadConcern, ReadPreference, ReturnDocument,
    SelectionCriteria, WriteConcern,
};
use doorway::store::mongo::driver::{Collection, Database};
use doorway::store::update::{inc, push, set};
use doorway::store::{
    Command, Concern, Filter, Operation, Projection, Reply, Returns, Store, Update,
};
use serde::{Deserialize, Serialize};

use crate::measure::{Ratio, Spent, in_turns, middle, ratio};
use crate::process::Server;

/// How many documents there are, all of which a scan reads.
const DOCUMENTS: usize = 100;
const BY_ADAPTER: &str = "by_adapter";
const BY_DRIVER: &str = "by_driver";

/// A document as the doorway keeps them.
#[derive(Serialize, Deserialize)]
struct Reservation {
    #[serde(rename = "_id")]
    resource: String,
    task_ids: Vec<String>,
    token: i64,
    turn: i64,
}

/// Measures all of them, and prints a table.
pub(crate) async fn compare(server: &Server, pairs: usize) {
    let store = server.store("doorway_bench").await;
    fill(store.database()).await;
    let documents = direct::<Bson>(store.database());
    println!("{pairs} pairs of each, medians in µs, ratios adapter / driver with their intervals");
    let columns = format!("{:>7} {:>7}  {:<22}", "driver", "adapter", "ratio");
    println!("{:<24} {:<40} of the client's processor", "", "by the clock");
    println!("{:<24} {columns}   {columns}", "");
    tell("driver against itself", &itself(&documents, pairs).await);
    tell("find_one by _id", &find_one(&store, &documents, pairs).await);
    tell("find_one of a struct", &find_struct(&store, pairs).await);
    tell("update_one by _id", &update_one(&store, &documents, pairs).await);
    tell("update_one, guarded push", &guarded_push(&store, &documents, pairs).await);
    tell("find_one_and_update", &find_and_update(&store, &documents, pairs).await);
    tell("insert_one, delete_one", &insert_and_delete(&store, &documents, pairs).await);
    tell("scan of 100", &scan(&store, &documents, pairs.div_ceil(4)).await);
}

fn tell(name: &str, pairs: &[[Spent; 2]]) {
    let (clock, thread) = (told(pairs, |spent| spent.clock), told(pairs, |spent| spent.processor));
    println!("{name:<24} {clock}   {thread}");
}

/// What both sides have taken, and the ratio.
fn told(pairs: &[[Spent; 2]], of: fn(&Spent) -> f64) -> String {
    let [adapter, driver] = [0, 1].map(|side| middle(pairs.iter().map(|pair| of(&pair[side]))));
    let Ratio { middle, low, high } = ratio(pairs, of);
    format!("{driver:>7.1} {adapter:>7.1}  {middle:.3} ({low:.3} to {high:.3})")
}

/// The same documents for both, in a collection each.
async fn fill(database: &Database) {
    database.drop().await.unwrap();
    let documents = || (0..DOCUMENTS).map(|number| reservation(&id(number)));
    for name in [BY_ADAPTER, BY_DRIVER] {
        database.collection(name).insert_many(documents()).await.unwrap();
    }
}

fn id(number: usize) -> String {
    format!("repo-{:06}", number % DOCUMENTS)
}

fn reservation(id: &str) -> Bson {
    bson! {"_id": id, "task_ids": ["task-1", "task-2"], "token": 1_i64, "turn": 1_i64}
}

/// The driver's handle, with the concerns that the adapter sends.
fn direct<T: Send + Sync>(database: &Database) -> Collection<T> {
    let majority = WriteConcern::builder().w(Acknowledgment::Majority).build();
    let options = CollectionOptions::builder()
        .read_concern(ReadConcern::local())
        .write_concern(majority)
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build();
    database.collection_with_options(BY_DRIVER, options)
}

async fn sent(store: &MongoStore, operation: Operation) -> Reply {
    let concern = Concern::default();
    store.execute(Command { collection: BY_ADAPTER.into(), operation, concern }).await.unwrap()
}

async fn updated(store: &MongoStore, filter: Filter, update: Update) {
    let reply = sent(store, Operation::UpdateOne { filter, update, upsert: false }).await;
    assert!(matches!(reply, Reply::Updated(updated) if updated.modified == 1));
}

async fn updated_directly(documents: &Collection<Bson>, filter: Bson, update: Bson) {
    assert_eq!(documents.update_one(filter, update).await.unwrap().modified_count, 1);
}

/// What the method itself lets two equal sides differ by.
async fn itself(documents: &Collection<Bson>, pairs: usize) -> Vec<[Spent; 2]> {
    let find = async |round| {
        assert!(documents.find_one(bson! {"_id": id(round)}).await.unwrap().is_some());
    };
    in_turns(pairs, find, find).await
}

async fn find_one(
    store: &MongoStore,
    documents: &Collection<Bson>,
    pairs: usize,
) -> Vec<[Spent; 2]> {
    let adapter = async |round| {
        let (filter, projection) = (by_id(id(round)), Projection::All);
        let found = sent(store, Operation::FindOne { filter, projection }).await;
        assert!(matches!(found, Reply::Document(Some(_))));
    };
    let driver = async |round| {
        assert!(documents.find_one(bson! {"_id": id(round)}).await.unwrap().is_some());
    };
    in_turns(pairs, adapter, driver).await
}

/// With what stands in front of the adapter: a handle on documents of a type, and serde.
async fn find_struct(store: &MongoStore, pairs: usize) -> Vec<[Spent; 2]> {
    let structs = store.collection::<Reservation>(BY_ADAPTER);
    let direct = direct::<Reservation>(store.database());
    let adapter = async |round| {
        assert!(structs.find_one(by_id(id(round))).await.unwrap().is_some());
    };
    let driver = async |round| {
        assert!(direct.find_one(bson! {"_id": id(round)}).await.unwrap().is_some());
    };
    in_turns(pairs, adapter, driver).await
}

async fn update_one(
    store: &MongoStore,
    documents: &Collection<Bson>,
    pairs: usize,
) -> Vec<[Spent; 2]> {
    let adapter = async |round| updated(store, by_id(id(round)), inc("turn", 1)).await;
    let driver = async |round| {
        updated_directly(documents, bson! {"_id": id(round)}, bson! {"$inc": {"turn": 1_i64}})
            .await;
    };
    in_turns(pairs, adapter, driver).await
}

async fn guarded_push(
    store: &MongoStore,
    documents: &Collection<Bson>,
    pairs: usize,
) -> Vec<[Spent; 2]> {
    let adapter = async |round| {
        let task = format!("pushed-{round}");
        let absent = by_id(id(round)).and(ne("task_ids", &*task));
        updated(store, absent, push("task_ids", &*task)).await;
    };
    let driver = async |round| {
        let task = format!("pushed-{round}");
        let absent = bson! {"_id": id(round), "task_ids": {"$ne": &task}};
        updated_directly(documents, absent, bson! {"$push": {"task_ids": &task}}).await;
    };
    in_turns(pairs, adapter, driver).await
}

async fn find_and_update(
    store: &MongoStore,
    documents: &Collection<Bson>,
    pairs: usize,
) -> Vec<[Spent; 2]> {
    let adapter = async |round| {
        let found = sent(
            store,
            Operation::FindOneAndUpdate {
                filter: by_id(id(round)).and(missing("worker_name")),
                update: set("token", round as i64),
                sort: Vec::new(),
                upsert: false,
                returns: Returns::After,
                projection: Projection::All,
            },
        );
        assert!(matches!(found.await, Reply::Document(Some(_))));
    };
    let driver = async |round| {
        let free = bson! {"_id": id(round), "worker_name": {"$exists": false}};
        let found = documents
            .find_one_and_update(free, bson! {"$set": {"token": round as i64}})
            .return_document(ReturnDocument::After);
        assert!(found.await.unwrap().is_some());
    };
    in_turns(pairs, adapter, driver).await
}

async fn insert_and_delete(
    store: &MongoStore,
    documents: &Collection<Bson>,
    pairs: usize,
) -> Vec<[Spent; 2]> {
    let adapter = async |round| {
        let id = format!("new-{round}");
        let document = doc! {"_id": &*id, "task_ids": ["task-1", "task-2"], "token": 1, "turn": 1};
        sent(store, Operation::InsertOne { document }).await;
        let deleted = sent(store, Operation::DeleteOne { filter: by_id(&*id) }).await;
        assert_eq!(deleted, Reply::Deleted(1));
    };
    let driver = async |round| {
        let id = format!("new-{round}");
        documents.insert_one(reservation(&id)).await.unwrap();
        let deleted = documents.delete_one(bson! {"_id": &id}).await.unwrap();
        assert_eq!(deleted.deleted_count, 1);
    };
    in_turns(pairs, adapter, driver).await
}

async fn scan(store: &MongoStore, documents: &Collection<Bson>, pairs: usize) -> Vec<[Spent; 2]> {
    let adapter = async |_| {
        let (filter, projection) = (all(), Projection::All);
        let scan = Operation::Scan { filter, sort: Vec::new(), limit: None, projection };
        let Reply::Documents(found) = sent(store, scan).await else { panic!("not a scan's reply") };
        assert_eq!(found.len(), DOCUMENTS);
    };
    let driver = async |_| {
        let mut cursor = documents.find(bson! {}).batch_size(i32::MAX as u32).await.unwrap();
        let mut found = Vec::new();
        while cursor.advance().await.unwrap() {
            found.push(cursor.deserialize_current().unwrap());
        }
        assert_eq!(found.len(), DOCUMENTS);
    };
    in_turns(pairs, adapter, driver).await
}
