//! The document tells of every route and nothing else, and the answers are as it says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tributary::admin;

use super::{World, call, get, header, ids, make};
use crate::harness;

async fn document(world: &World) -> Value {
    let answer =
        harness::http("GET", &format!("{}/openapi.json", world.app.admin_url), &[], b"").await;
    assert_eq!((answer.status, header(&answer, "content-type")), (200, Some("application/json")));
    answer.json()
}

#[tokio::test]
async fn every_route_is_in_the_document_and_nothing_else() {
    let world = World::start().await;
    let document = document(&world).await;
    let mut told = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            told.insert((method.to_uppercase(), path.clone()));
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
            for field in ["summary", "description", "tags", "responses"] {
                assert!(operation.get(field).is_some(), "{method} {path} has no {field}");
            }
        }
    }
    let rotate = &document["paths"]["/api/v1/api-keys/{id}/rotate"]["post"]["description"];
    assert!(rotate.as_str().unwrap().ends_with("Needs the scope `people`."), "{rotate}");
    let there = admin::routes().map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(told, there.collect());
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let world = World::start().await;
    let document = document(&world).await;
    let (mut waiting, mut references) = (vec![&document], BTreeSet::new());
    while let Some(value) = waiting.pop() {
        references.extend(value.get("$ref").and_then(Value::as_str));
        match value {
            Value::Array(values) => waiting.extend(values),
            Value::Object(fields) => waiting.extend(fields.values()),
            _ => {}
        }
    }
    assert!(references.len() > 30, "{}", references.len());
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(references.contains(&*reference), "nobody names {name}");
    }
}

#[tokio::test]
async fn the_page_tells_of_every_operation_and_runs_nothing() {
    let world = World::start().await;
    let document = document(&world).await;
    let url = |path: &str| format!("{}{path}", world.app.admin_url);
    let page = harness::http("GET", &url("/docs"), &[], b"").await;
    assert_eq!(page.status, 200);
    let csp = header(&page, "content-security-policy").unwrap();
    assert!(csp.starts_with("default-src 'none'; style-src 'self'") && !csp.contains("unsafe"));
    let text = page.text();
    for inline in ["<script", "<style", "style=", "javascript:", "http-equiv"] {
        assert!(!text.contains(inline), "{inline}");
    }
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(text.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
    let links = text.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
    for link in links.collect::<BTreeSet<_>>() {
        match link.strip_prefix('#') {
            Some(id) => assert!(text.contains(&format!("id=\"{id}\"")), "{link}"),
            None if link.starts_with("data:") => {}
            None => assert_eq!(harness::http("GET", &url(link), &[], b"").await.status, 200),
        }
    }
}

/// What is wrong with a value, by a schema of the document; fields that it does not tell of are wrong, too.
fn faults(value: &Value, schema: &Value, document: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(value, document.pointer(&reference[1..]).unwrap(), document);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choice) = schema[key].as_array() {
            let fits = choice.iter().any(|schema| faults(value, schema, document).is_empty());
            return if fits { vec![] } else { vec![format!("{value} is none of {schema}")] };
        }
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return vec![format!("{value} is not one of {words:?}")];
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => vec![json!("object")],
        kind => vec![kind.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !kinds.contains(&json!(kind)) {
        return vec![format!("{value} is a {kind}, not {kinds:?}")];
    }
    let mut found = Vec::new();
    for item in value.as_array().into_iter().flatten() {
        found.extend(faults(item, &schema["items"], document));
    }
    let is_open = schema["additionalProperties"] == true;
    for (name, value) in value.as_object().into_iter().flatten().filter(|_| !is_open) {
        match field(name, schema, document) {
            Some(schema) => found.extend(faults(value, schema, document)),
            None => found.push(format!("{name} is not told of")),
        }
    }
    for name in required(schema, document).filter(|_| kind == "object") {
        if value.get(&name).is_none() {
            found.push(format!("{name} is missing"));
        }
    }
    found
}

/// The schemas that an object is put together of.
fn parts<'a>(schema: &'a Value, document: &'a Value) -> Vec<&'a Value> {
    let resolved = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    let inner = resolved["allOf"].as_array().into_iter().flatten();
    [vec![resolved], inner.flat_map(|part| parts(part, document)).collect()].concat()
}

fn field<'a>(name: &str, schema: &'a Value, document: &'a Value) -> Option<&'a Value> {
    let parts = parts(schema, document).into_iter();
    let mut found = parts.filter_map(|part| {
        let more = part.get("additionalProperties").filter(|more| more.is_object());
        part["properties"].get(name).or(more)
    });
    found.next()
}

fn required<'a>(schema: &'a Value, document: &'a Value) -> impl Iterator<Item = String> + 'a {
    let names = parts(schema, document).into_iter().flat_map(|part| part["required"].as_array());
    names.flatten().map(|name| name.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    w.book(1_003, None, "5.00", "0").await;
    w.click(1_000, &w.ann, "2026-03-01 01:00Z", "spring").await;
    let plans = format!("programs/{}/plans", w.acme.program);
    make(app, &w.operator, &plans, super::plans::full(&w.ann.id)).await;
    let recruited = json!({"recruited_by": w.bob.id, "group": "partners"});
    call(app, &w.operator, "PATCH", &format!("affiliates/{}", w.ann.id), recruited).await;
    let coupon = json!({"program_id": w.acme.program, "affiliate_id": w.ann.id, "code": "A"});
    make(app, &w.operator, "coupons", coupon).await;
    super::sql(app, super::conditional::USER).await;
    let guest = json!({"user_id": "71"});
    let invited = call(app, &w.operator, "POST", "invitations", guest).await;
    let rotate = format!("api-keys/{}/rotate", ids(&get(app, &w.operator, "api-keys").await)[0]);
    let rotated = call(app, &w.operator, "POST", &rotate, Value::Null).await;
    let document = document(&world).await;
    let mut checked = 0;
    for (answer, path) in [(invited, "invitations"), (rotated, "api-keys/{id}/rotate")] {
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        let operation = &document["paths"][format!("/api/v1/{path}")]["post"];
        checked += check(&answer, operation, &document);
    }
    for key in [&w.operator, &w.acme.key, &w.ann.key] {
        for (template, methods) in document["paths"].as_object().unwrap() {
            let lists = template.replace("{id}", &w.acme.program);
            let list = lists.trim_end_matches("/{version}").trim_start_matches("/api/v1/");
            let Some(operation) = methods.get("get").filter(|_| !template.ends_with("}")) else {
                continue;
            };
            let listed = call(app, key, "GET", list, Value::Null).await;
            checked += check(&listed, operation, &document);
            let one =
                format!("{template}/{{{}}}", if template.contains('{') { "version" } else { "id" });
            let shown = &document["paths"][&one]["get"];
            for row in listed.json()["data"].as_array().into_iter().flatten() {
                let name = if template.contains('{') {
                    row["version"].to_string()
                } else {
                    row["id"].as_str().unwrap_or("").to_owned()
                };
                if shown.is_object() {
                    let answer =
                        call(app, key, "GET", &format!("{list}/{name}"), Value::Null).await;
                    checked += check(&answer, shown, &document);
                }
            }
        }
    }
    assert!(checked > 50, "{checked} answers were checked");
    let bad = call(app, &w.operator, "POST", "links", json!({})).await;
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    assert_eq!(faults(&bad.json(), &problem, &document), Vec::<String>::new());
}

/// Checks a good answer and a refusal alike.
fn check(answer: &harness::Answer, operation: &Value, document: &Value) -> usize {
    let said = &operation["responses"][answer.status.to_string()];
    let said = match said["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => said,
    };
    let kind = header(answer, "content-type").unwrap();
    let schema = &said["content"][kind]["schema"];
    assert!(schema.is_object(), "{}: {} {kind}", operation["operationId"], answer.status);
    assert_eq!(faults(&answer.json(), schema, document), Vec::<String>::new(), "{operation}");
    1
}
