//! Updates as a server takes them.

use mongodb::bson::{Bson, Document};

use super::bson::value_to_bson;
use super::query::filter;
use crate::store::{Operator, StoreError, Update, Value};

/// An update: one document of fields for each operator.
///
/// # Errors
///
/// `is_invalid` where it has no operator (a server takes that for a whole document) or one of them
/// has a path twice; `is_unsupported` for a `$pull` of a document, which a server takes for a query.
pub(super) fn update(update: &Update) -> Result<Document, StoreError> {
    if update.operators().is_empty() {
        return Err(StoreError::invalid("an update without an operator"));
    }
    let mut whole = Document::new();
    for operator in update.operators() {
        let (name, operand) = sent(operator)?;
        let fields =
            whole.entry(name.to_owned()).or_insert_with(|| Bson::Document(Document::new()));
        let path = operator.path().as_str();
        if let Bson::Document(fields) = fields
            && fields.insert(path, operand).is_some()
        {
            return Err(StoreError::invalid(format!("{name} of {path} twice")));
        }
    }
    Ok(whole)
}

/// The name of an operator, with its operand.
fn sent(operator: &Operator) -> Result<(&'static str, Bson), StoreError> {
    Ok(match operator {
        Operator::Set(_, value) => ("$set", value_to_bson(value)?),
        Operator::Unset(_) => ("$unset", Bson::String(String::new())),
        Operator::SetOnInsert(_, value) => ("$setOnInsert", value_to_bson(value)?),
        Operator::Inc(_, amount) => ("$inc", value_to_bson(amount)?),
        Operator::Push(_, value) => ("$push", value_to_bson(value)?),
        Operator::AddToSet(_, value) => ("$addToSet", value_to_bson(value)?),
        Operator::Pull(path, Value::Document(_)) => {
            let text = format!("$pull of a document from {path}, which a server takes for a query");
            return Err(StoreError::unsupported(text));
        }
        Operator::Pull(_, value) => ("$pull", value_to_bson(value)?),
        Operator::PullMatching(_, query) => ("$pull", Bson::Document(filter(query)?)),
        Operator::PopFirst(_) => ("$pop", Bson::Int32(-1)),
        Operator::PopLast(_) => ("$pop", Bson::Int32(1)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mongodb::bson::doc;

    use super::*;
    use crate::store::filter::eq;
    use crate::store::update::{pop_first, pop_last, pull, pull_matching, push, set};

    #[test]
    fn operators_of_one_name_are_put_together() {
        let unbind = set("a", 1).pop_first("t").set("b.c", "x").unset("w").inc("n", 2);
        let expected = doc! {
            "$set": {"a": 1_i64, "b.c": "x"},
            "$pop": {"t": -1},
            "$unset": {"w": ""},
            "$inc": {"n": 2_i64},
        };
        assert_eq!(update(&unbind).unwrap(), expected);
        let rest = pop_last("a").set_on_insert("b", 1).push("c", 1).add_to_set("d", 1).pull("e", 1);
        let expected = doc! {
            "$pop": {"a": 1},
            "$setOnInsert": {"b": 1_i64},
            "$push": {"c": 1_i64},
            "$addToSet": {"d": 1_i64},
            "$pull": {"e": 1_i64},
        };
        assert_eq!(update(&rest).unwrap(), expected);
    }

    #[test]
    fn a_pull_by_a_query_is_sent_as_one() {
        let sent = update(&pull_matching("t", eq("n", 1).and(eq("m", "x")))).unwrap();
        assert_eq!(sent, doc! {"$pull": {"t": {"n": 1_i64, "m": "x"}}});
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert!(update(&push("t", 1).push("t", 2)).unwrap_err().is_invalid());
        assert!(update(&pop_first("t").pop_last("t")).unwrap_err().is_invalid());
        assert!(update(&Update::default()).unwrap_err().is_invalid());
        assert!(update(&pull("t", crate::doc! {"a": 1})).unwrap_err().is_unsupported());
        assert!(update(&push("t", crate::doc! {"$each": [1]})).unwrap_err().is_invalid());
    }
}
