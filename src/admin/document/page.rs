//! The document as a page, to read: every operation, every object. Made of the document alone, so it says
//! the same.

use askama::Template;
use serde_json::Value;

use super::example::{kind_of, resolved};
use super::operation::Schemas;

/// Where the page's style sheet is.
pub(super) const STYLE_PATH: &str = "/docs/docs.css";
/// The style sheet.
pub(super) const STYLE: &str = include_str!("../assets/docs.css");

/// Words of an enumeration that are shown; of more, how many there are.
const WORDS_MAX: usize = 16;

/// How a file is sent, for a shell.
const FILE: &str = " \\\n  -H 'Content-Type: text/csv' -T orders.csv";

#[derive(Template)]
#[template(path = "docs.html", config = "src/admin/askama.toml")]
struct Page {
    version: String,
    paragraphs: Vec<Vec<Piece>>,
    resources: Vec<Resource>,
    refusals: Vec<Answer>,
    objects: Vec<Object>,
}

/// A part of a sentence.
struct Piece {
    is_code: bool,
    text: String,
}

struct Resource {
    name: String,
    about: Vec<Piece>,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: Vec<Piece>,
    whom: Vec<Piece>,
    parameters: Vec<Field>,
    /// Fields of the body, for each kind that it may be.
    bodies: Vec<Vec<Field>>,
    request: String,
    /// When all is well.
    answers: Vec<Answer>,
    /// Statuses of refusals.
    refusals: Vec<String>,
}

struct Field {
    name: String,
    kind: Kind,
    place: &'static str,
    is_required: bool,
    about: Vec<Piece>,
}

/// What a field holds.
struct Kind {
    text: String,
    /// The object that it is, or that it is a list of.
    object: Option<String>,
}

struct Answer {
    status: String,
    about: Vec<Piece>,
    object: Option<String>,
    example: Option<String>,
}

struct Object {
    name: String,
    about: Vec<Piece>,
    /// Its fields, for each kind that it may be.
    variants: Vec<Vec<Field>>,
}

/// The page of a document.
pub(super) fn of(document: &Value) -> String {
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let told = text(&document["info"]["description"]);
    let tags = document["tags"].as_array().into_iter().flatten();
    let page = Page {
        version: text(&document["info"]["version"]),
        paragraphs: told.split("\n\n").map(pieces).collect(),
        resources: tags.map(|tag| resource(tag, document, &schemas)).collect(),
        refusals: answers(&document["components"]["responses"], document),
        objects: objects(&schemas),
    };
    page.render().unwrap_or_default()
}

fn resource(tag: &Value, document: &Value, schemas: &Schemas) -> Resource {
    let name = text(&tag["name"]);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, said) in methods.as_object().into_iter().flatten() {
            if said["tags"][0] == *name {
                let method = method.to_uppercase();
                operations.push(operation((&method, path), said, (document, schemas)));
            }
        }
    }
    Resource { about: pieces(&text(&tag["description"])), name, operations }
}

fn operation(
    (method, path): (&str, &str),
    said: &Value,
    (document, schemas): (&Value, &Schemas),
) -> Operation {
    let parameters = said["parameters"].as_array().into_iter().flatten();
    let content = &said["requestBody"]["content"]["application/json"];
    let bodies = content.get("schema").map(|body| variants(resolved(body, schemas), schemas));
    let all = answers(&said["responses"], document).into_iter();
    let (refusals, answers): (Vec<_>, Vec<_>) =
        all.partition(|a| a.status.starts_with('4') || a.status.starts_with('5'));
    Operation {
        id: text(&said["operationId"]),
        method: method.to_owned(),
        path: path.to_owned(),
        summary: pieces(&text(&said["summary"])),
        whom: pieces(&text(&said["description"])),
        parameters: parameters.map(|p| parameter(pointed(p, document), schemas)).collect(),
        bodies: bodies.unwrap_or_default(),
        request: curl(method, path, &content["example"])
            + if said["requestBody"]["content"]["text/csv"].is_object() { FILE } else { "" },
        answers,
        refusals: refusals.into_iter().map(|refusal| refusal.status).collect(),
    }
}

/// What a reference into the components leads to.
fn pointed<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn parameter(said: &Value, schemas: &Schemas) -> Field {
    let place = match said["in"].as_str() {
        Some("path") => "path",
        Some("header") => "header",
        _ => "query",
    };
    let about = said.get("description").unwrap_or(&said["schema"]["description"]);
    Field {
        name: text(&said["name"]),
        kind: kind(&said["schema"], schemas),
        place,
        is_required: said["required"] == true,
        about: pieces(&text(about)),
    }
}

/// The request for a shell, with the example's body.
fn curl(method: &str, path: &str, example: &Value) -> String {
    let mut line = format!("curl -s https://admin.example{path} -H \"Authorization: Bearer $KEY\"");
    if method != "GET" {
        line = line.replacen("curl -s", &format!("curl -s -X {method}"), 1);
    }
    if !example.is_null() {
        let body = serde_json::to_string_pretty(example).unwrap_or_default();
        line.push_str(&format!(" \\\n  --json '{body}'"));
    }
    line
}

fn answers(responses: &Value, document: &Value) -> Vec<Answer> {
    let responses = responses.as_object().into_iter().flatten();
    responses.map(|(status, said)| answer(status, pointed(said, document))).collect()
}

fn answer(status: &str, said: &Value) -> Answer {
    let content = &said["content"]["application/json"];
    let example = content.get("example").and_then(|e| serde_json::to_string_pretty(e).ok());
    let name = content["schema"]["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    Answer {
        status: status.to_owned(),
        about: pieces(&text(&said["description"])),
        object: name.map(|name| name.strip_suffix("List").unwrap_or(name).to_owned()),
        example,
    }
}

/// What is shown by its fields: not the lists, which are all alike, nor the plain bodies, which stand with
/// what takes them, nor ids.
fn objects(schemas: &Schemas) -> Vec<Object> {
    let shown = schemas.iter().filter(|(name, schema)| {
        schema.get("additionalProperties").is_none_or(|more| *more != false)
            && schema["type"] != "string"
            && !name.ends_with("List")
    });
    let object = |(name, schema): (&String, &Value)| Object {
        name: name.clone(),
        about: pieces(&text(&schema["description"])),
        variants: variants(schema, schemas),
    };
    shown.map(object).collect()
}

fn variants(schema: &Value, schemas: &Schemas) -> Vec<Vec<Field>> {
    match schema["oneOf"].as_array() {
        Some(variants) => variants.iter().map(|variant| fields(variant, schemas)).collect(),
        None => vec![fields(schema, schemas)],
    }
}

fn fields(schema: &Value, schemas: &Schemas) -> Vec<Field> {
    let required = required_of(schema, schemas);
    let mut fields: Vec<Field> = fields_of(schema, schemas)
        .into_iter()
        .map(|(name, schema)| Field {
            kind: kind(&schema, schemas),
            place: "",
            is_required: required.contains(&name),
            about: pieces(&text(&schema["description"])),
            name,
        })
        .collect();
    fields.sort_by_key(|field| !field.is_required);
    fields
}

/// The fields of an object, also of one that is put together of several.
pub(super) fn fields_of(schema: &Value, schemas: &Schemas) -> Vec<(String, Value)> {
    let schema = resolved(schema, schemas);
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<_> = own.map(|(name, field)| (name.clone(), field.clone())).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fields.extend(fields_of(part, schemas));
    }
    fields
}

fn required_of(schema: &Value, schemas: &Schemas) -> Vec<String> {
    let schema = resolved(schema, schemas);
    let own = schema["required"].as_array().into_iter().flatten();
    let mut names: Vec<String> = own.map(text).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        names.extend(required_of(part, schemas));
    }
    names
}

fn kind(schema: &Value, schemas: &Schemas) -> Kind {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return match schemas.get(name) {
            Some(schema) if schema["type"] == "string" => {
                Kind { text: "id".to_owned(), object: None }
            }
            _ => Kind { text: String::new(), object: Some(name.to_owned()) },
        };
    }
    let choice = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
    if let Some(choice) = choice {
        let some = choice.iter().find(|kind| kind["type"] != "null").unwrap_or(&Value::Null);
        let inner = match choice.len() {
            3.. => Kind { text: "day or time".to_owned(), object: None },
            _ if some["format"] == "date" => Kind { text: "day or time".to_owned(), object: None },
            _ => kind(some, schemas),
        };
        let or_null = choice.iter().any(|kind| kind["type"] == "null");
        return Kind { text: with_null(inner.text, or_null), ..inner };
    }
    let or_null = schema["type"].as_array().is_some();
    match kind_of(schema) {
        "array" => {
            let of = kind(&schema["items"], schemas);
            Kind { text: format!("list of {}", of.text), object: of.object }
        }
        plain => Kind { text: with_null(plain_kind(plain, schema), or_null), object: None },
    }
}

fn with_null(text: String, or_null: bool) -> String {
    if or_null { format!("{text} or null").trim().to_owned() } else { text }
}

fn plain_kind(kind: &str, schema: &Value) -> String {
    if let Some(word) = schema.get("const") {
        return word.as_str().map_or_else(|| word.to_string(), |word| format!("“{word}”"));
    }
    let words = schema["enum"].as_array().map(|words| words.iter().filter(|word| !word.is_null()));
    if let Some(words) = words {
        let words: Vec<String> = words.map(text).collect();
        let shown = words.iter().take(WORDS_MAX).cloned().collect::<Vec<_>>().join(", ");
        let such = schema["examples"].get(0).map_or(shown.clone(), text);
        let all = words.len() <= WORDS_MAX;
        return if all { shown } else { format!("one of {}, such as {such}", words.len()) };
    }
    let (least, most) = (&schema["minimum"], &schema["maximum"]);
    match (kind, schema["format"].as_str()) {
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", _) => match schema["maxLength"].as_u64() {
            Some(most) => format!("text, at most {most} characters"),
            None => "text".to_owned(),
        },
        ("integer", _) if !most.is_null() => format!("whole number, {least} to {most}"),
        ("integer", _) => "whole number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("null", _) => "null".to_owned(),
        _ => "object".to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// A sentence, cut at its backticks.
fn pieces(text: &str) -> Vec<Piece> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| Piece { is_code: at % 2 == 1, text: part.to_owned() }).collect()
}
