//! Filters, sorts and projections as a server takes them.

use mongodb::bson::{Bson, Document, doc};

use super::bson::value_to_bson;
use crate::store::{Filter, Path, Predicate, Projection, Sort, StoreError};

/// A filter. Its conditions stand side by side where no two are of one name, else in an `$and`.
pub(super) fn filter(filter: &Filter) -> Result<Document, StoreError> {
    let parts = match filter {
        Filter::Field(path, predicate) => {
            return Ok(doc! {path.as_str(): self::predicate(predicate)?});
        }
        Filter::Or(parts) => return Ok(doc! {"$or": each(parts)?}),
        Filter::And(parts) => parts,
    };
    let mut together = Document::new();
    for part in each(parts)? {
        for (name, condition) in part {
            if together.insert(name, condition).is_some() {
                return Ok(doc! {"$and": each(parts)?});
            }
        }
    }
    Ok(together)
}

fn each(parts: &[Filter]) -> Result<Vec<Document>, StoreError> {
    parts.iter().map(filter).collect()
}

fn predicate(predicate: &Predicate) -> Result<Bson, StoreError> {
    let operator = |name: &str, operand| Bson::Document(doc! {name: operand});
    Ok(match predicate {
        Predicate::Eq(value) => match value_to_bson(value)? {
            document @ Bson::Document(_) => operator("$eq", document),
            other => other,
        },
        Predicate::Ne(value) => operator("$ne", value_to_bson(value)?),
        Predicate::In(values) => {
            let values = values.iter().map(value_to_bson).collect::<Result<Vec<_>, _>>()?;
            operator("$in", Bson::Array(values))
        }
        Predicate::Exists(there) => operator("$exists", Bson::Boolean(*there)),
        Predicate::Size(elements) => operator("$size", Bson::Int64((*elements).into())),
        Predicate::Lt(value) => operator("$lt", value_to_bson(value)?),
        Predicate::Lte(value) => operator("$lte", value_to_bson(value)?),
        Predicate::Gt(value) => operator("$gt", value_to_bson(value)?),
        Predicate::Gte(value) => operator("$gte", value_to_bson(value)?),
    })
}

/// A sort; `None` where there is none.
pub(super) fn sort(keys: &[Sort]) -> Result<Option<Document>, StoreError> {
    let direction = |key: &Sort| match key {
        Sort::Ascending(path) => (path.as_str().to_owned(), Bson::Int32(1)),
        Sort::Descending(path) => (path.as_str().to_owned(), Bson::Int32(-1)),
    };
    let sort: Document = keys.iter().map(direction).collect();
    if sort.len() < keys.len() {
        return Err(StoreError::invalid("a sort with one field twice"));
    }
    Ok(Some(sort).filter(|sort| !sort.is_empty()))
}

/// A projection; `None` for the whole document.
pub(super) fn projection(projection: &Projection) -> Result<Option<Document>, StoreError> {
    match projection {
        Projection::All => Ok(None),
        Projection::Include(paths) if paths.is_empty() => {
            Err(StoreError::invalid("a projection to no field (a server takes it for all fields)"))
        }
        Projection::Include(paths) => fields(paths, 1).map(Some),
        Projection::Exclude(paths) => fields(paths, 0).map(Some),
    }
}

fn fields(paths: &[Path], shown: i32) -> Result<Document, StoreError> {
    let fields: Document =
        paths.iter().map(|path| (path.as_str().to_owned(), Bson::Int32(shown))).collect();
    if fields.len() < paths.len() {
        return Err(StoreError::invalid("a projection with one field twice"));
    }
    Ok(fields)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doc as document;
    use crate::store::filter::{all, by_id, eq, exists, gt, is_in, lt, missing, ne, size};

    fn sent(filter: Filter) -> String {
        super::filter(&filter).unwrap().to_string()
    }

    #[test]
    fn conditions_stand_side_by_side() {
        let guarded = by_id("r").and(ne("tasks", "t")).and(missing("dead"));
        assert_eq!(
            super::filter(&guarded).unwrap(),
            doc! {"_id": "r", "tasks": {"$ne": "t"}, "dead": {"$exists": false}}
        );
        assert_eq!(super::filter(&all()).unwrap(), doc! {});
    }

    #[test]
    fn two_conditions_on_one_path_are_both_sent() {
        let between = gt("n", 1).and(lt("n", 5));
        let parts = vec![doc! {"n": {"$gt": 1_i64}}, doc! {"n": {"$lt": 5_i64}}];
        assert_eq!(super::filter(&between).unwrap(), doc! {"$and": parts});
        let any = || eq("a", 1).or(exists("b"));
        let twice = any().and(any()).and(by_id(1));
        assert!(sent(twice).starts_with(r#"{ "$and": [{ "$or": "#));
    }

    #[test]
    fn an_embedded_document_is_a_value_and_no_operator() {
        let embedded = eq("a", document! {"x": 1});
        assert_eq!(super::filter(&embedded).unwrap(), doc! {"a": {"$eq": {"x": 1_i64}}});
        let operator = eq("a", document! {"$gt": 1});
        assert!(super::filter(&operator).unwrap_err().is_invalid());
    }

    #[test]
    fn lists_and_sizes() {
        let listed = is_in("a", [1, 2]).and(size("t", 3));
        let expected = doc! {"a": {"$in": [1_i64, 2_i64]}, "t": {"$size": 3_i64}};
        assert_eq!(super::filter(&listed).unwrap(), expected);
    }

    #[test]
    fn what_a_document_cannot_say_twice_is_refused() {
        let twice = [Sort::Ascending("a".into()), Sort::Descending("a".into())];
        assert!(sort(&twice).unwrap_err().is_invalid());
        let twice = Projection::Include(vec!["a".into(), "a".into()]);
        assert!(projection(&twice).unwrap_err().is_invalid());
        assert!(projection(&Projection::Include(Vec::new())).unwrap_err().is_invalid());
        assert_eq!(projection(&Projection::All).unwrap(), None);
        assert_eq!(sort(&[]).unwrap(), None);
    }
}
