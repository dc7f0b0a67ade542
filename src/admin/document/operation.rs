//! One operation of the document, as JSON: its parameters, its body, and every answer it may give.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::example;
use crate::admin::input::{Input, query_schema_of};
use crate::admin::rules;

/// The schemas that operations name.
pub(super) type Schemas = Map<String, Value>;

/// What is said of one route.
pub(super) struct Operation {
    summary: &'static str,
    /// Parameters of its query, as an object's schema.
    query: Option<Value>,
    /// Name and schema of the body, and whether it must be there.
    body: Option<(&'static str, Value, bool)>,
    gives: Gives,
    /// The schemas of what it gives.
    shown: Schemas,
    /// Whether `If-Match` counts.
    is_conditional: bool,
    /// Whether the state of things may forbid it.
    may_conflict: bool,
    /// Whether it is done once for a key, and whether that must be there.
    key: Option<bool>,
    /// Whether it takes a list as CSV, and gives one, if asked to.
    takes_csv: bool,
    gives_csv: bool,
    /// Whether its query names something that may not be there.
    names_things: bool,
    /// Whether what is to be made may be there already.
    may_be_known: bool,
}

enum Gives {
    List(String),
    One(String),
    Made(String),
    Changed(String),
    Report(String),
    File,
    Told(String),
    Nothing,
}

fn new(summary: &'static str, gives: Gives) -> Operation {
    Operation {
        summary,
        query: None,
        body: None,
        gives,
        shown: Schemas::new(),
        is_conditional: false,
        may_conflict: false,
        key: None,
        takes_csv: false,
        gives_csv: false,
        names_things: false,
        may_be_known: false,
    }
}

fn of<T: ToSchema>(summary: &'static str, gives: impl FnOnce(String) -> Gives) -> Operation {
    let name = T::name().into_owned();
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    schemas.push((name.clone(), T::schema()));
    let shown = schemas.into_iter().map(|(name, schema)| (name, super::schema::of(&schema)));
    Operation { shown: shown.collect(), ..new(summary, gives(name)) }
}

/// A list in pages.
pub(super) fn lists<T: ToSchema, R>(
    summary: &'static str,
    asked: impl FnOnce(&mut Input) -> R,
) -> Operation {
    Operation { query: Some(query_schema_of(asked)), ..of::<T>(summary, Gives::List) }
}

/// One object.
pub(super) fn shows<T: ToSchema>(summary: &'static str) -> Operation {
    of::<T>(summary, Gives::One)
}

/// A new object.
pub(super) fn makes<T: ToSchema>(summary: &'static str) -> Operation {
    of::<T>(summary, Gives::Made)
}

/// A changed object.
pub(super) fn changes<T: ToSchema>(summary: &'static str) -> Operation {
    Operation { is_conditional: true, ..of::<T>(summary, Gives::Changed) }
}

/// A changed object, unless its state forbids it.
pub(super) fn judges<T: ToSchema>(summary: &'static str) -> Operation {
    changes::<T>(summary).conflicts()
}

/// What became of several things.
pub(super) fn tells<T: ToSchema>(summary: &'static str) -> Operation {
    of::<T>(summary, Gives::Told)
}

/// Nothing: it is gone.
pub(super) fn deletes(summary: &'static str) -> Operation {
    Operation { is_conditional: true, ..new(summary, Gives::Nothing) }
}

/// A report, as JSON or CSV.
pub(super) fn reports<T: ToSchema, R>(
    summary: &'static str,
    asked: impl FnOnce(&mut Input) -> R,
) -> Operation {
    Operation { query: Some(query_schema_of(asked)), ..of::<T>(summary, Gives::Report) }
}

/// A changed object, once for a key.
pub(super) fn steps<T: ToSchema>(summary: &'static str) -> Operation {
    Operation { is_conditional: false, ..judges::<T>(summary).once() }
}

/// A file for other programs, as it is asked for.
pub(super) fn files<R>(summary: &'static str, asked: impl FnOnce(&mut Input) -> R) -> Operation {
    Operation { query: Some(query_schema_of(asked)), ..new(summary, Gives::File).conflicts() }
}

impl Operation {
    /// With a body.
    pub fn takes(self, name: &'static str, schema: Value) -> Self {
        Operation { body: Some((name, schema, true)), ..self }
    }

    /// With a body or without.
    pub fn may_take(self, name: &'static str, schema: Value) -> Self {
        Operation { body: Some((name, schema, false)), ..self }
    }

    /// With a file as its body, of which the query tells more.
    pub fn takes_csv<R>(self, asked: impl FnOnce(&mut Input) -> R) -> Self {
        Operation { query: Some(query_schema_of(asked)), takes_csv: true, ..self }
    }

    /// As a file, too.
    pub fn or_csv(self) -> Self {
        Operation { gives_csv: true, ..self }
    }

    /// Of what its query names.
    pub fn of_named(self) -> Self {
        Operation { names_things: true, ..self }
    }

    /// Or what was there already.
    pub fn or_known(self) -> Self {
        Operation { may_be_known: true, ..self }
    }

    /// With a schema that its body names.
    pub fn naming(mut self, name: &'static str, schema: Value) -> Self {
        self.shown.insert(name.to_owned(), schema);
        self
    }

    /// Where 409 is an answer.
    pub fn conflicts(self) -> Self {
        Operation { may_conflict: true, ..self }
    }

    /// Once for a key, which must be there.
    pub fn once(self) -> Self {
        Operation { key: Some(true), ..self.conflicts() }
    }

    /// Once for a key, where one is sent.
    pub fn may_be_once(self) -> Self {
        Operation { key: Some(false), ..self.conflicts() }
    }

    /// The schemas of what it takes and gives.
    pub fn schemas(&self) -> Schemas {
        let mut schemas = self.shown.clone();
        if let Some((name, schema, _)) = &self.body {
            schemas.insert((*name).to_owned(), schema.clone());
        }
        if let Gives::List(name) = &self.gives {
            schemas.insert(format!("{name}List"), list(name));
        }
        schemas
    }

    /// The document's operation for a path.
    pub fn json(&self, path: &str, schemas: &Schemas) -> Value {
        let mut operation =
            json!({"summary": self.summary, "responses": self.responses(path, schemas)});
        let parameters = self.parameters(path);
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        if let Some((name, _, required)) = &self.body {
            operation["requestBody"] =
                json!({"required": required, "content": content(name, schemas)});
        }
        if self.takes_csv {
            let example = "order_id,amount,currency,status\n11001,19.95,USD,paid\n";
            let file = json!({"schema": {"type": "string"}, "example": example});
            operation["requestBody"] = json!({"required": true, "content": {"text/csv": file}});
        }
        operation
    }

    fn parameters(&self, path: &str) -> Vec<Value> {
        let mut parameters = Vec::new();
        for name in ["id", "version"].iter().filter(|name| path.contains(&format!("{{{name}}}"))) {
            parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        }
        let query = self.query.as_ref().and_then(|query| query["properties"].as_object());
        for (name, schema) in query.into_iter().flatten() {
            parameters.push(match name.as_str() {
                // Of parts there is another cursor than of ids.
                "limit" | "cursor" if *schema != (rules::CURSOR_OF_PART.schema)() => {
                    json!({"$ref": format!("#/components/parameters/{name}")})
                }
                _ if self.requires(name) => {
                    json!({"name": name, "in": "query", "required": true, "schema": schema})
                }
                _ => json!({"name": name, "in": "query", "schema": schema}),
            });
        }
        if let Some(required) = self.key {
            let name = if required { "idempotency_key" } else { "idempotency_key_if_any" };
            parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        }
        match self.gives {
            _ if self.is_conditional => {
                parameters.push(json!({"$ref": "#/components/parameters/if_match"}))
            }
            Gives::One(_) => {
                parameters.push(json!({"$ref": "#/components/parameters/if_none_match"}))
            }
            _ => {}
        }
        parameters
    }

    /// Whether a parameter of the query must be there.
    fn requires(&self, name: &str) -> bool {
        let required = self.query.as_ref().and_then(|query| query["required"].as_array());
        required.is_some_and(|names| names.iter().any(|required| required == name))
    }

    fn responses(&self, path: &str, schemas: &Schemas) -> Value {
        let mut responses = Map::new();
        let (status, good) = self.good(schemas);
        if self.may_be_known {
            let content = good["content"].clone();
            let known = json!({"description": "It was there already.", "content": content});
            responses.insert("200".to_owned(), known);
        }
        responses.insert(status.to_owned(), good);
        if matches!(self.gives, Gives::One(_)) {
            let what = "It is as the tag in `If-None-Match` says.";
            let headers = json!({"ETag": {"$ref": "#/components/headers/ETag"}});
            responses.insert("304".to_owned(), json!({"description": what, "headers": headers}));
        }
        let has_body = self.body.is_some() || self.takes_csv;
        let names_things = path.contains('{') || has_body || self.names_things;
        for (status, may_be) in [
            ("400", has_body || self.key.is_some()),
            ("401", true),
            ("403", true),
            ("404", names_things),
            ("408", has_body),
            ("409", self.may_conflict),
            ("412", self.is_conditional),
            ("413", has_body),
            ("414", true),
            ("415", has_body),
            ("422", true),
            ("429", true),
            ("431", true),
            ("503", true),
        ] {
            if may_be {
                let reference = format!("#/components/responses/{status}");
                responses.insert(status.to_owned(), json!({"$ref": reference}));
            }
        }
        Value::Object(responses)
    }

    /// What it answers when all is well.
    fn good(&self, schemas: &Schemas) -> (&'static str, Value) {
        let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
        match &self.gives {
            Gives::List(name) => {
                let mut content = content(&format!("{name}List"), schemas);
                if self.gives_csv {
                    content["text/csv"] = json!({"schema": {"type": "string"}});
                }
                let headers = json!({"Link": header("Link")});
                ("200", json!({"description": "A page.", "headers": headers, "content": content}))
            }
            Gives::One(name) | Gives::Changed(name) => {
                let (content, headers) = (content(name, schemas), json!({"ETag": header("ETag")}));
                (
                    "200",
                    json!({"description": "As it is now.", "headers": headers, "content": content}),
                )
            }
            Gives::Made(name) => {
                let headers = json!({"ETag": header("ETag"), "Location": header("Location")});
                let content = content(name, schemas);
                (
                    "201",
                    json!({"description": "It was made.", "headers": headers, "content": content}),
                )
            }
            Gives::Report(name) => {
                let mut content = content(name, schemas);
                content["text/csv"] = json!({"schema": {"type": "string"}});
                ("200", json!({"description": "The report.", "content": content}))
            }
            Gives::File => {
                let text = json!({"schema": {"type": "string"}});
                let content = json!({"text/csv": text, "application/xml": text});
                ("200", json!({"description": "The file.", "content": content}))
            }
            Gives::Told(name) => (
                "200",
                json!({"description": "What became of it.", "content": content(name, schemas)}),
            ),
            Gives::Nothing => ("204", json!({"description": "It is done."})),
        }
    }
}

fn list(name: &str) -> Value {
    let next = "The `cursor` of the next page; none on the last.";
    json!({
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}},
            "next_cursor": {"type": ["string", "null"], "description": next},
        },
    })
}

fn content(name: &str, schemas: &Schemas) -> Value {
    let schema = json!({"$ref": format!("#/components/schemas/{name}")});
    let example = example::of(&schema, schemas);
    json!({"application/json": {"schema": schema, "example": example}})
}
