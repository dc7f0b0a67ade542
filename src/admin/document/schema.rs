//! The schemas of what the API shows, as `utoipa` derives them from the structs, finished: a field that is
//! always there is said to be, and examples are written as OpenAPI 3.1 writes them.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

/// The JSON of a derived schema.
pub(super) fn of(schema: &RefOr<Schema>) -> Value {
    let mut value = json!(schema);
    finish(&mut value);
    value
}

fn finish(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(finish),
        Value::Object(fields) => {
            let is_schema = ["type", "$ref", "oneOf"].iter().any(|name| fields.contains_key(*name));
            if is_schema && let Some(example) = fields.remove("example") {
                fields.insert("examples".to_owned(), json!([example]));
            }
            fields.values_mut().for_each(finish);
        }
        _ => {}
    }
    // What may be left out is never null, and what may be null is never left out; unless the schema itself says
    // how many fields there are.
    let object = value.get("minProperties").is_none().then(|| value["properties"].as_object());
    let always = object.flatten().map(|properties| {
        let nullable = properties.iter().filter(|(_, schema)| admits_null(schema));
        nullable.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    });
    for name in always.into_iter().flatten() {
        require(value, name);
    }
}

fn admits_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null" || kind["type"] == "null";
    let among = |key: &str| schema[key].as_array().is_some_and(|kinds| kinds.iter().any(is_null));
    among("type") || among("oneOf") || among("anyOf")
}

fn require(object: &mut Value, name: String) {
    let mut required: Vec<String> = object
        .get("required")
        .and_then(|names| serde_json::from_value(names.clone()).ok())
        .unwrap_or_default();
    required.push(name);
    required.sort_unstable();
    required.dedup();
    object["required"] = json!(required);
}
