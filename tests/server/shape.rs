//! What shape a command of the protocol has: what is done to which collection by which conditions,
//! without the values.

use doorway::store::mongo::driver::bson::{Bson, Document};

/// The shape of a command to the server; `None` for one that is about no documents.
pub(crate) fn shape(command: &Document) -> Option<String> {
    let (name, collection) = command.iter().next()?;
    let first = |list: &str, part: &str| {
        let statement = command.get_array(list).ok()?.first()?.as_document()?;
        statement.get(part).map(fields)
    };
    let of =
        |parts: &[Option<String>]| parts.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let told = match name.as_str() {
        "insert" => String::new(),
        "find" => of(&[command.get("filter").map(fields), command.get("sort").map(fields)]),
        "update" => of(&[first("updates", "q"), first("updates", "u")]),
        "delete" => of(&[first("deletes", "q")]),
        "findAndModify" => {
            of(&[command.get("query").map(fields), command.get("update").map(fields)])
        }
        _ => return None,
    };
    Some(format!("{name} {} {told}", collection.as_str()?).trim_end().to_owned())
}

/// The names in a document, those in embedded documents too.
fn fields(value: &Bson) -> String {
    match value {
        Bson::Document(document) => {
            let field = |(name, value): (&String, &Bson)| match value {
                Bson::Document(_) | Bson::Array(_) => format!("{name}: {}", fields(value)),
                _ => name.clone(),
            };
            let mut fields: Vec<String> = document.iter().map(field).collect();
            fields.sort();
            format!("{{{}}}", fields.join(", "))
        }
        Bson::Array(items) => {
            format!("[{}]", items.iter().map(fields).collect::<Vec<_>>().join(", "))
        }
        _ => "_".to_owned(),
    }
}
