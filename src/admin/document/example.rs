//! An example of a schema, put together from the examples of its parts.

use serde_json::{Map, Value, json};

use super::operation::Schemas;

/// An example; of an object its required fields, or all where none is.
pub(super) fn of(schema: &Value, schemas: &Schemas) -> Value {
    let schema = resolved(schema, schemas);
    if let Some(example) =
        schema["examples"].get(0).or(schema.get("const")).or(schema.get("default"))
    {
        return example.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| of(part, schemas));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    if let Some(choice) = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()) {
        let some = choice.iter().find(|kind| kind["type"] != "null");
        return some.map_or(Value::Null, |kind| of(kind, schemas));
    }
    match kind_of(schema) {
        "object" => object(schema, schemas),
        "array" => json!([of(&schema["items"], schemas)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        "string" => text(schema),
        _ => Value::Null,
    }
}

/// The schema itself where there is only its name.
pub(super) fn resolved<'a>(schema: &'a Value, schemas: &'a Schemas) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The type, of what may be null too the other one.
pub(super) fn kind_of(schema: &Value) -> &str {
    let kinds = schema["type"].as_array();
    let one = kinds.and_then(|kinds| kinds.iter().find(|kind| **kind != "null"));
    one.unwrap_or(&schema["type"]).as_str().unwrap_or("")
}

fn object(schema: &Value, schemas: &Schemas) -> Value {
    let Some(properties) = schema["properties"].as_object() else {
        return json!({});
    };
    let required = schema["required"].as_array();
    let shown = |name: &str| required.is_none_or(|names| names.iter().any(|n| n == name));
    let fields = properties.iter().filter(|(name, _)| shown(name));
    let fields: Map<String, Value> =
        fields.map(|(name, schema)| (name.clone(), of(schema, schemas))).collect();
    Value::Object(fields)
}

fn text(schema: &Value) -> Value {
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    match schema["format"].as_str() {
        Some("date-time") => json!("2026-01-31T12:00:00Z"),
        Some("date") => json!("2026-01-31"),
        _ => json!("text"),
    }
}
