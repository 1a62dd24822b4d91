//! One JSON object a line, for each model and engine.

use serde_json::{Map, Value, json};

use crate::check::{Coverage, Report};
use crate::model::{EngineChoice, Model, Standing};

/// What an engine says of a model, as one JSON object.
///
/// `model`, `design`, `engine`, `verdict`, `as_expected`, `properties` (name to `verdict` and
/// `expected`), `executions` and `steps` or `states`, `transitions`, `depth` and
/// `reductions` (the names of those in use), `guards_left_out`, `seconds`,
/// `stopped` (why the search did not end, or null), and `counterexamples`.
#[must_use]
pub fn object(model: &Model, choice: EngineChoice, report: &Report) -> Value {
    let mut object = Map::new();
    let standing = model.standing(choice, report);
    let property = |finding: &crate::check::Finding| {
        let expected = model.expected(&finding.property).map(|expect| expect.name());
        let value = json!({ "verdict": finding.verdict, "expected": expected });
        (finding.property.to_string(), value)
    };
    object.insert("model".into(), json!(model.name));
    object.insert("design".into(), json!(model.design.name()));
    object.insert("engine".into(), json!(report.engine));
    object.insert("verdict".into(), json!(report.verdict()));
    object.insert("as_expected".into(), json!(standing == Standing::AsExpected));
    let properties: Map<String, Value> = report.findings.iter().map(property).collect();
    object.insert("properties".into(), Value::Object(properties));
    for (name, number) in numbers(report.coverage) {
        object.insert(name.into(), json!(number));
    }
    if let Coverage::States { reductions, .. } = report.coverage {
        object.insert("reductions".into(), json!(reductions.names().collect::<Vec<_>>()));
    }
    object.insert("guards_left_out".into(), json!(report.guards_left_out));
    object.insert("seconds".into(), json!(report.time.as_secs_f64()));
    object.insert("stopped".into(), json!(report.stopped));
    let found: Vec<_> =
        report.findings.iter().filter_map(|finding| finding.counterexample.as_ref()).collect();
    object.insert("counterexamples".into(), json!(found));
    Value::Object(object)
}

fn numbers(coverage: Coverage) -> Vec<(&'static str, u64)> {
    match coverage {
        Coverage::Executions { executions, steps } => {
            vec![("executions", executions), ("steps", steps)]
        }
        Coverage::States { states, transitions, depth, .. } => {
            vec![("states", states), ("transitions", transitions), ("depth", depth)]
        }
    }
}
