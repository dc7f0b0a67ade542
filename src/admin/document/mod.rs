//! The OpenAPI document of the API, at `/openapi.json`, and the same to read, at `/docs`; both for anybody.
//! Put together once from the table of routes, from what the resources read, and from the structs that they
//! show: there is nothing to keep in step by hand.

use std::sync::LazyLock;

use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::routes::{self, Action};
use super::{call, etag};
use crate::http::{self, Reply};

mod components;
mod example;
mod operation;
mod page;
mod paying;
mod said;
mod schema;
mod takebacks;

use operation::Schemas;

/// For those who begin.
const DESCRIPTION: &str = "\
The JSON API of a Tributary installation. Ids and amounts are texts, times are RFC 3339 in UTC, money is \
`{\"amount\":\"19.95\",\"currency\":\"USD\"}`.\n\n\
Lists are cut into pages, newest first: `next_cursor`, and the header `Link` with `rel=\"next\"`, lead on. \
What is made meanwhile neither shifts nor repeats a row.\n\n\
An object's `ETag` goes back as `If-None-Match`, to be sent it only if it changed, or as `If-Match`, to change \
it only if nobody else has: of two who try, one is answered 412.\n\n\
A key has scopes: `read`, to look; `catalog`, to change what is sold and how; `money`, to approve and reject, \
adjust, exchange and pay; \
`people`, for users, invitations, keys and the audit log. Each operation names the one that it needs; without \
it the answer is 403, `scope_missing`.\n\n\
Every refusal is `application/problem+json` with a stable `code`; what is another's is not there: 404. Unknown \
fields and parameters are refused. `HEAD` is answered as `GET`; another method than those that a path has with \
405, and `OPTIONS` says which it has.";

const SCRIPTLESS: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
                          form-action 'none'; frame-ancestors 'none'";

/// The document, and what is made of it.
struct Served {
    json: String,
    page: String,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let document = document();
    Served { json: document.to_string(), page: page::of(&document) }
});

/// Whether a path is one of the document's.
pub(super) fn serves(path: &str) -> bool {
    path == "/openapi.json" || path == "/docs" || path == page::STYLE_PATH
}

/// Answers for one of those paths.
pub(super) fn answer(method: &Method, path: &str) -> Reply {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return super::otherwise(method, &["GET"]);
    }
    let (content_type, content) = match path {
        "/openapi.json" => ("application/json", &*SERVED.json),
        "/docs" => ("text/html; charset=utf-8", &*SERVED.page),
        _ => ("text/css; charset=utf-8", page::STYLE),
    };
    let mut reply = http::reply(StatusCode::OK, content_type, content);
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SCRIPTLESS));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    headers.insert(opener, HeaderValue::from_static("same-origin"));
    call::tagged(reply, &etag::of(content.as_bytes()))
}

/// The whole document.
fn document() -> Value {
    let operations: Vec<_> = routes::entries().map(|e| (e, said::operation(e.3))).collect();
    let mut schemas: Schemas = operations.iter().flat_map(|(_, o)| o.schemas()).collect();
    schemas.insert("Problem".to_owned(), components::problem());
    described(&mut schemas);
    let mut paths = Map::new();
    for ((method, path, whom, action), operation) in operations {
        let mut operation = operation.json(path, &schemas);
        operation["operationId"] = json!(operation_id(action));
        operation["tags"] = json!([tag(path)]);
        let scope = action.needs().code();
        operation["description"] = json!(format!("{} Needs the scope `{scope}`.", whom.text()));
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method.to_lowercase()] = operation;
    }
    let mut components = components::components();
    components["schemas"] = Value::Object(schemas);
    let tags = said::TAGS.map(|(name, what)| json!({"name": name, "description": what}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tributary",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The admin listener that serves this document."}],
        "security": [{"key": []}],
        "tags": tags,
        "paths": paths,
        "components": components,
    })
}

/// `LinksCreate` to `links_create`, and `Paying(PayoutsPay)` to `payouts_pay`.
fn operation_id(action: Action) -> String {
    let (mut id, name) = (String::new(), format!("{action:?}"));
    let name = name.rsplit('(').next().unwrap_or_default().trim_end_matches(')');
    for c in name.chars() {
        if c.is_ascii_uppercase() && !id.is_empty() {
            id.push('_');
        }
        id.push(c.to_ascii_lowercase());
    }
    id
}

/// The resource of a path: `/api/v1/RESOURCE/…`.
fn tag(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or("")
}

/// Fields of bodies are described as those of the same name of the object that is made or changed.
fn described(schemas: &mut Schemas) {
    let shown = schemas.clone();
    for (name, schema) in schemas {
        let object = name.strip_prefix("New").or(name.strip_suffix("Change"));
        let Some(told) = object.and_then(|object| shown.get(object)) else { continue };
        let fields = page::fields_of(told, &shown);
        let variants = match schema.get_mut("oneOf").and_then(Value::as_array_mut) {
            Some(variants) => variants.iter_mut().collect(),
            None => vec![schema],
        };
        let properties = variants.into_iter().filter_map(|v| v["properties"].as_object_mut());
        for (name, property) in properties.flatten() {
            let Some((_, told)) = fields.iter().find(|(field, _)| field == name) else { continue };
            for key in ["description", "examples"] {
                if let Some(told) = told.get(key).filter(|_| property.get(key).is_none()) {
                    property[key] = told.clone();
                }
            }
        }
    }
}
