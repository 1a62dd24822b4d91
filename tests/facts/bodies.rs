//! What shows each fact, on any store. Each call makes collections of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use doorway::doc;
use doorway::store::filter::{all, by_id, eq, exists, gte, lt, lte, missing, ne};
use doorway::store::update::{pop_first, pop_last, pull_matching, push, set, set_on_insert, unset};
use doorway::store::{
    Command, Document, Filter, Index, Operation, Projection, Provision, Reply, Returns, Sort,
    StoreError, Update, Updated, Value,
};

use crate::commands::on;

/// A collection that no other call uses.
struct Fresh<'a, S> {
    store: &'a S,
    name: String,
}

impl<'a, S: Provision> Fresh<'a, S> {
    async fn new(store: &'a S, indexes: &[Index]) -> Self {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("fact_{now}_{call}");
        store.provision(&name, indexes).await.unwrap();
        Fresh { store, name }
    }

    async fn with(self, documents: impl IntoIterator<Item = Document>) -> Self {
        for document in documents {
            self.insert(document).await.unwrap();
        }
        self
    }

    async fn execute(&self, operation: Operation) -> Result<Reply, StoreError> {
        let command: Command = on(&self.name, operation);
        self.store.execute(command).await
    }

    async fn insert(&self, document: Document) -> Result<Reply, StoreError> {
        self.execute(Operation::InsertOne { document }).await
    }

    async fn update(&self, filter: Filter, update: Update) -> Result<Updated, StoreError> {
        self.write(Operation::UpdateOne { filter, update, upsert: false }).await
    }

    async fn upsert(&self, filter: Filter, update: Update) -> Result<Updated, StoreError> {
        self.write(Operation::UpdateOne { filter, update, upsert: true }).await
    }

    async fn write(&self, operation: Operation) -> Result<Updated, StoreError> {
        match self.execute(operation).await? {
            Reply::Updated(updated) => Ok(updated),
            other => panic!("{other}"),
        }
    }

    async fn find_and_update(
        &self,
        filter: Filter,
        update: Update,
        sort: Vec<Sort>,
    ) -> Result<Option<Document>, StoreError> {
        let (returns, projection, upsert) = (Returns::After, Projection::All, false);
        let operation =
            Operation::FindOneAndUpdate { filter, update, sort, upsert, returns, projection };
        match self.execute(operation).await? {
            Reply::Document(document) => Ok(document),
            other => panic!("{other}"),
        }
    }

    async fn find(&self, filter: Filter, sort: Vec<Sort>) -> Vec<Document> {
        let operation = Operation::Scan { filter, sort, limit: None, projection: Projection::All };
        match self.execute(operation).await.unwrap() {
            Reply::Documents(documents) => documents,
            other => panic!("{other}"),
        }
    }

    /// The `_id`s of the documents that match, in their order.
    async fn ids(&self, filter: Filter) -> Vec<Value> {
        self.ids_by(filter, Sort::ascending("_id")).await
    }

    async fn ids_by(&self, filter: Filter, sort: Vec<Sort>) -> Vec<Value> {
        self.find(filter, sort).await.iter().map(|d| d.id().unwrap().clone()).collect()
    }

    async fn field(&self, id: impl Into<Value>, name: &str) -> Option<Value> {
        self.find(by_id(id), Vec::new()).await.first()?.get(name).cloned()
    }
}

fn values<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Vec<Value> {
    values.into_iter().map(Into::into).collect()
}

fn counts(matched: u64, modified: u64) -> Updated {
    Updated { matched, modified, upserted: None }
}

/// The name of the index that refused a write.
fn index<T: std::fmt::Debug>(refused: Result<T, StoreError>) -> String {
    refused.unwrap_err().duplicate_index().unwrap().to_owned()
}

pub(crate) async fn a_write_to_one_document_is_all_or_nothing<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1, "a": 1, "z": 1}]).await;
    let half = set("a", 2).push("z", 1);
    assert!(c.update(by_id(1), half).await.unwrap_err().is_invalid());
    assert_eq!(c.field(1, "a").await, Some(1.into()));
}

pub(crate) async fn an_update_whose_filter_no_longer_matches_is_not_applied<S: Provision>(
    store: &S,
) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1, "owner": "a"}]).await;
    let take = |from: &str, to: &str| (by_id(1).and(eq("owner", from)), set("owner", to));
    let (filter, update) = take("a", "b");
    assert_eq!(c.update(filter, update).await.unwrap(), counts(1, 1));
    let (filter, update) = take("a", "c");
    assert_eq!(c.update(filter, update).await.unwrap(), counts(0, 0));
    assert_eq!(c.field(1, "owner").await, Some("b".into()));
}

pub(crate) async fn find_and_modify_takes_the_first_of_the_sort<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await;
    let c = c.with([doc! {"_id": 1, "n": 3}, doc! {"_id": 2, "n": 1}, doc! {"_id": 3, "n": 2}]);
    let c = c.await;
    let take = || c.find_and_update(missing("taken"), set("taken", true), Sort::ascending("n"));
    let mut taken = Vec::new();
    while let Some(document) = take().await.unwrap() {
        taken.push(document.id().unwrap().clone());
    }
    assert_eq!(taken, values([2, 3, 1]));
}

pub(crate) async fn an_upsert_inserts_what_the_filter_fixes<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await;
    let filter = by_id("r").and(eq("owner.name", "a")).and(ne("tasks", "t"));
    let update = || push("tasks", "t").set_on_insert("turn", 0);
    let upserted = Updated { matched: 0, modified: 0, upserted: Some("r".into()) };
    assert_eq!(c.upsert(filter, update()).await.unwrap(), upserted);
    assert_eq!(c.field("r", "owner").await, Some(doc! {"name": "a"}.into()));
    assert_eq!(c.field("r", "tasks").await, Some(["t"].into()));
    assert_eq!(c.field("r", "turn").await, Some(0.into()));
    let again = set_on_insert("turn", 9).push("tasks", "u");
    assert_eq!(c.upsert(by_id("r"), again).await.unwrap(), counts(1, 1));
    assert_eq!(c.field("r", "turn").await, Some(0.into()));
}

pub(crate) async fn an_upsert_guarded_by_ne_fails_on_a_duplicate_id<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": "r", "tasks": ["t"]}]).await;
    let guarded = c.upsert(by_id("r").and(ne("tasks", "t")), push("tasks", "t")).await;
    assert_eq!(index(guarded), "_id_");
    assert_eq!(c.field("r", "tasks").await, Some(["t"].into()));
}

pub(crate) async fn a_unique_index_takes_missing_for_null<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[Index::unique(["w"])]).await.with([doc! {"_id": 1}]).await;
    assert_eq!(index(c.insert(doc! {"_id": 2}).await), "w_1");
    assert_eq!(index(c.insert(doc! {"_id": 3, "w": Value::Null}).await), "w_1");
    c.insert(doc! {"_id": 4, "w": "a"}).await.unwrap();
    assert_eq!(index(c.update(by_id(4), unset("w")).await), "w_1");
    assert_eq!(c.field(4, "w").await, Some("a".into()));
}

pub(crate) async fn a_sparse_index_skips_missing_but_not_null<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[Index::unique(["w"]).sparse()]).await;
    let c = c.with([doc! {"_id": 1}, doc! {"_id": 2}, doc! {"_id": 3, "w": Value::Null}]).await;
    assert_eq!(index(c.insert(doc! {"_id": 4, "w": Value::Null}).await), "w_1");
}

pub(crate) async fn a_partial_index_skips_what_its_filter_excludes<S: Provision>(store: &S) {
    let only_active = Index::unique(["w"]).partial(eq("active", true));
    let c = Fresh::new(store, &[only_active]).await;
    let c = c.with([doc! {"_id": 1, "w": 1, "active": true}, doc! {"_id": 2, "w": 1}]).await;
    assert_eq!(index(c.update(by_id(2), set("active", true)).await), "w_1");
    assert_eq!(c.update(by_id(1), set("active", false)).await.unwrap(), counts(1, 1));
    assert_eq!(c.update(by_id(2), set("active", true)).await.unwrap(), counts(1, 1));
}

pub(crate) async fn a_compound_index_binds_the_combination<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[Index::unique(["a", "b"])]).await;
    let c = c.with([doc! {"_id": 1, "a": 1, "b": 1}, doc! {"_id": 2, "a": 1}]).await;
    c.insert(doc! {"_id": 3, "a": 1, "b": 2}).await.unwrap();
    assert_eq!(index(c.insert(doc! {"_id": 4, "a": 1, "b": 1}).await), "a_1_b_1");
    assert_eq!(index(c.insert(doc! {"_id": 5, "a": 1, "b": Value::Null}).await), "a_1_b_1");
}

pub(crate) async fn a_unique_index_on_an_array_binds_each_element<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[Index::unique(["t"])]).await;
    let c = c.with([doc! {"_id": 1, "t": ["a", "a", "b"]}, doc! {"_id": 2, "t": ["c"]}]).await;
    assert_eq!(index(c.update(by_id(2), push("t", "b")).await), "t_1");
    assert_eq!(index(c.insert(doc! {"_id": 3, "t": "a"}).await), "t_1");
    assert_eq!(c.update(by_id(1), pop_last("t")).await.unwrap(), counts(1, 1));
    assert_eq!(c.update(by_id(2), push("t", "b")).await.unwrap(), counts(1, 1));
}

pub(crate) async fn a_duplicate_key_names_its_index_from_every_command<S: Provision>(store: &S) {
    let named = Index { name: "one_worker".into(), ..Index::unique(["w"]) };
    let c = Fresh::new(store, &[named]).await;
    let c = c.with([doc! {"_id": 1, "w": 1}, doc! {"_id": 2, "w": 2}]).await;
    assert_eq!(index(c.insert(doc! {"_id": 1, "w": 3}).await), "_id_");
    assert_eq!(index(c.insert(doc! {"_id": 3, "w": 1}).await), "one_worker");
    assert_eq!(index(c.update(by_id(2), set("w", 1)).await), "one_worker");
    assert_eq!(index(c.upsert(by_id(3), set("w", 1)).await), "one_worker");
    let modified = c.find_and_update(by_id(2), set("w", 1), Vec::new()).await;
    assert_eq!(index(modified), "one_worker");
    assert_eq!(c.ids(all()).await, values([1, 2]));
}

pub(crate) async fn null_matches_missing_and_exists_tells_them_apart<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await;
    let c = c.with([doc! {"_id": 1}, doc! {"_id": 2, "f": Value::Null}, doc! {"_id": 3, "f": 0}]);
    let c = c.await;
    assert_eq!(c.ids(eq("f", Value::Null)).await, values([1, 2]));
    assert_eq!(c.ids(ne("f", Value::Null)).await, values([3]));
    assert_eq!(c.ids(lte("f", Value::Null)).await, values([1, 2]));
    assert_eq!(c.ids(exists("f")).await, values([2, 3]));
    assert_eq!(c.ids(missing("f")).await, values([1]));
}

pub(crate) async fn a_comparison_stays_in_its_type<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await;
    let mixed = [doc! {"_id": 1}, doc! {"_id": 2, "f": Value::Null}, doc! {"_id": 3, "f": "0"}];
    let c = c.with(mixed).await.with([doc! {"_id": 4, "f": Value::DateTime(1)}]).await;
    let c = c.with([doc! {"_id": 5, "f": 5}, doc! {"_id": 6, "f": true}]).await;
    assert_eq!(c.ids(lte("f", 5)).await, values([5]));
    assert_eq!(c.ids(gte("f", -1)).await, values([5]));
    assert_eq!(c.ids(lt("f", Value::DateTime(2))).await, values([4]));
}

pub(crate) async fn a_sort_goes_through_the_types<S: Provision>(store: &S) {
    let in_order = [
        Value::MinKey,
        Value::Null,
        Value::Int(-1),
        Value::Double(0.5),
        Value::Int(1),
        "a".into(),
        doc! {"a": 1}.into(),
        Value::Binary(vec![1].into()),
        Value::ObjectId([0; 12]),
        false.into(),
        true.into(),
        Value::DateTime(0),
        Value::Timestamp(1),
        Value::MaxKey,
    ];
    let c = Fresh::new(store, &[]).await;
    let reversed = in_order.iter().enumerate().rev();
    let c = c.with(reversed.map(|(id, value)| doc! {"_id": id as i64, "f": value})).await;
    let ids: Vec<i64> = (0..in_order.len() as i64).collect();
    assert_eq!(c.ids_by(all(), Sort::ascending("f")).await, values(ids.clone()));
    let down = c.ids_by(all(), Sort::descending("f")).await;
    assert_eq!(down, values(ids.into_iter().rev()));
}

pub(crate) async fn integers_and_doubles_are_one_kind_of_number<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[Index::unique(["n"])]).await.with([doc! {"_id": 1, "n": 1}]).await;
    assert_eq!(c.ids(eq("n", 1.0)).await, values([1]));
    assert_eq!(index(c.insert(doc! {"_id": 2, "n": 1.0}).await), "n_1");
    assert_eq!(index(c.insert(doc! {"_id": 1.0, "n": 2}).await), "_id_");
}

pub(crate) async fn an_id_never_changes<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1, "a": 1}]).await;
    assert!(c.update(by_id(1), set("_id", 2)).await.unwrap_err().is_immutable_id());
    assert!(c.update(by_id(1), unset("_id")).await.unwrap_err().is_immutable_id());
    let replacement = doc! {"_id": 2};
    let replaced = Operation::ReplaceOne { filter: by_id(1), replacement, upsert: false };
    assert!(c.write(replaced).await.unwrap_err().is_immutable_id());
    assert_eq!(c.update(by_id(1), set("_id", 1)).await.unwrap(), counts(1, 0));
    assert_eq!(c.field(1, "a").await, Some(1.into()));
}

pub(crate) async fn an_id_is_unique_and_no_array<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": "a"}]).await;
    assert_eq!(index(c.insert(doc! {"_id": "a"}).await), "_id_");
    assert!(c.insert(doc! {"_id": [1]}).await.unwrap_err().is_invalid());
    c.insert(doc! {"_id": Value::Null}).await.unwrap();
    c.insert(doc! {"_id": doc! {"a": 1, "b": 2}}).await.unwrap();
    c.insert(doc! {"_id": doc! {"b": 2, "a": 1}}).await.unwrap();
    assert_eq!(index(c.insert(doc! {"_id": doc! {"a": 1, "b": 2}}).await), "_id_");
}

pub(crate) async fn a_document_is_at_most_16_mib<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await;
    let document = |bytes: usize| doc! {"_id": "r", "t": ["x".repeat(bytes)]};
    let overhead = document(0).bson_size();
    let limit = 16 * 1024 * 1024;
    assert!(c.insert(document(limit - overhead + 1)).await.unwrap_err().is_too_large());
    c.insert(document(limit - overhead)).await.unwrap();
    assert!(c.update(by_id("r"), push("t", "y")).await.unwrap_err().is_too_large());
    let Some(Value::Array(items)) = c.field("r", "t").await else { panic!("no array") };
    assert_eq!(items.len(), 1);
}

pub(crate) async fn push_appends_in_the_order_of_the_writes<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1}]).await;
    for task in ["c", "a", "b", "a"] {
        assert_eq!(c.update(by_id(1), push("t", task)).await.unwrap(), counts(1, 1));
    }
    assert_eq!(c.field(1, "t").await, Some(["c", "a", "b", "a"].into()));
}

pub(crate) async fn pull_takes_the_documents_that_match<S: Provision>(store: &S) {
    let entries = [doc! {"n": 1, "r": ["a"]}, doc! {"n": 2, "r": ["a", "b"]}];
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1, "t": entries.clone()}]).await;
    assert_eq!(c.update(by_id(1), pull_matching("t", eq("n", 3))).await.unwrap(), counts(1, 0));
    assert_eq!(c.update(by_id(1), pull_matching("t", eq("r", "b"))).await.unwrap(), counts(1, 1));
    assert_eq!(c.field(1, "t").await, Some([entries[0].clone()].into()));
    assert_eq!(c.update(by_id(1), push("t", 1)).await.unwrap(), counts(1, 1));
    assert_eq!(c.update(by_id(1), pull_matching("t", eq("n", 1))).await.unwrap(), counts(1, 1));
    assert_eq!(c.field(1, "t").await, Some([1].into()));
}

pub(crate) async fn pop_takes_the_first_or_the_last<S: Provision>(store: &S) {
    let c = Fresh::new(store, &[]).await.with([doc! {"_id": 1, "t": ["a", "b", "c"]}]).await;
    assert_eq!(c.update(by_id(1), pop_first("t")).await.unwrap(), counts(1, 1));
    assert_eq!(c.field(1, "t").await, Some(["b", "c"].into()));
    assert_eq!(c.update(by_id(1), pop_last("t")).await.unwrap(), counts(1, 1));
    assert_eq!(c.update(by_id(1), pop_last("t")).await.unwrap(), counts(1, 1));
    assert_eq!(c.update(by_id(1), pop_last("t")).await.unwrap(), counts(1, 0));
    assert_eq!(c.update(by_id(1), pop_first("none")).await.unwrap(), counts(1, 0));
    assert_eq!(c.field(1, "t").await, Some(Vec::<Value>::new().into()));
}
