//! What the operations of the document have in common: parameters, headers, problems, and who may ask.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use crate::admin::rules;

/// Statuses of problems: the code that stands in the example, and what it means.
const PROBLEMS: [(&str, &str, &str); 14] = [
    (
        "400",
        "invalid_json",
        "The body is not JSON, or broke off; or the `Idempotency-Key` is missing (`idempotency_key_missing`) or cannot be read (`idempotency_key_invalid`).",
    ),
    ("401", "unauthorized", "There is no key, or none that is good."),
    (
        "403",
        "forbidden",
        "The key's role does not allow this (`forbidden`), or it lacks the scope (`scope_missing`).",
    ),
    ("404", "not_found", "There is no such thing for you; `errors` tells which field named it."),
    ("408", "body_too_slow", "The body did not come in time."),
    (
        "409",
        "already_exists",
        "The state of things forbids it: `already_exists`, `already_used`, `balance_too_low`, `chargeback_exists`, `chargeback_in_other_status`, `chargeback_open`, `conversion_not_pending`, `disabled`, `idempotency_key_in_use`, `lines_unreadable`, `not_compared`, `not_rotatable`, `nothing_to_pay`, `nothing_to_refund`, `payees_incomplete`, `payer_incomplete`, `payout_in_other_status`, `payout_outdated`, `rate_exists`, `rate_missing`, `rate_unlikely`, `recruiter_cycle`, `refund_currency_differs`, `refund_exists`, `too_many_reconciliations`, `yourself`.",
    ),
    ("412", "precondition_failed", "It no longer is as `If-Match` says."),
    (
        "413",
        "body_too_large",
        "The body is larger than 64 KiB; a list of orders, than `--upload-bytes-max`.",
    ),
    ("414", "head_too_large", "The query is longer than 8 KiB."),
    (
        "415",
        "unsupported_media_type",
        "The body is not `application/json`; a list of orders, not `text/csv`.",
    ),
    (
        "422",
        "invalid_fields",
        "Fields or parameters are wrong; `errors` names all of them. Or the `Idempotency-Key` was used for another call: `idempotency_key_reused`. Nothing was done.",
    ),
    ("429", "rate_limited", "Too many requests; try again after `Retry-After`."),
    ("431", "head_too_large", "The headers are larger than 16 KiB."),
    ("503", "unavailable", "The database is not available; try again after `Retry-After`."),
];

/// All of them but the schemas.
pub(super) fn components() -> Value {
    json!({
        "parameters": parameters(),
        "headers": headers(),
        "responses": responses(),
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, or the operator's first key."}},
    })
}

fn parameters() -> Value {
    let version = json!({"type": "string", "pattern": "^[1-9][0-9]{0,8}$", "examples": ["1"]});
    let tags = "Do it only if it still is what has this `ETag`; else 412. Without it, what is there is changed as it is.";
    let known = "Send it only if it no longer is what has this `ETag`; else 304.";
    let tag = json!({"type": "string", "examples": ["\"0123456789abcdef0123456789abcdef\""]});
    let mut limit = (rules::LIMIT.schema)();
    limit["default"] = json!(rules::LIMIT_USUAL);
    json!({
        "id": {"name": "id", "in": "path", "required": true, "schema": rules::id_schema()},
        "version": {"name": "version", "in": "path", "required": true, "schema": version},
        "limit": {"name": "limit", "in": "query", "description": "Rows at most.", "schema": limit},
        "cursor": {"name": "cursor", "in": "query", "description": "The `next_cursor` of the page before.", "schema": (rules::CURSOR.schema)()},
        "if_match": {"name": "If-Match", "in": "header", "description": tags, "schema": tag},
        "idempotency_key": key(true),
        "idempotency_key_if_any": key(false),
        "if_none_match": {"name": "If-None-Match", "in": "header", "description": known, "schema": tag},
    })
}

fn key(required: bool) -> Value {
    let what = "Tells this call from others of yours: sent again with the same key, it is answered as before \
                (`Idempotent-Replayed: true`), and nothing is done. In quotes, as RFC 8941 writes a string, it is the same. Kept for 90 days; a refused call is not.";
    let text = json!({
        "type": "string", "pattern": "^([!#-~][!-~]{0,254}|\"([!#-\\[\\]-~]|\\\\[\"\\\\]){1,255}\")$",
        "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    });
    json!({"name": "Idempotency-Key", "in": "header", "required": required, "description": what, "schema": text})
}

fn headers() -> Value {
    let text =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "ETag": text("A strong tag of the object as you see it."),
        "Link": text("Where the next page is, `rel=\"next\"`; absent on the last."),
        "Location": text("Where the object is."),
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
        "WWW-Authenticate": text("`Bearer`."),
    })
}

fn responses() -> Value {
    let response = |(status, code, what): (&str, &str, &str)| {
        let number = StatusCode::from_bytes(status.as_bytes()).unwrap_or_default();
        let example = json!({
            "type": format!("urn:tributary:problem:{code}"),
            "title": number.canonical_reason(),
            "status": number.as_u16(),
            "detail": what,
            "code": code,
        });
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let content = json!({"application/problem+json": {"schema": schema, "example": example}});
        let mut response = json!({"description": what, "content": content});
        let header = match status {
            "401" => Some("WWW-Authenticate"),
            "429" | "503" => Some("Retry-After"),
            _ => None,
        };
        if let Some(name) = header {
            response["headers"] = json!({name: {"$ref": format!("#/components/headers/{name}")}});
        }
        (status.to_owned(), response)
    };
    Value::Object(PROBLEMS.map(response).into_iter().collect::<Map<_, _>>())
}

/// What every refusal looks like (RFC 9457).
pub(super) fn problem() -> Value {
    let pointer = "In a body a JSON pointer (RFC 6901), of a query the parameter's name.";
    json!({
        "type": "object",
        "description": "Why a request was not done (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "description": "`urn:tributary:problem:` and the code."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For a person."},
            "code": {"type": "string", "description": "Stable."},
            "errors": {"type": "array", "description": "The fields that are wrong.", "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": pointer},
                    "detail": {"type": "string", "description": "What the value must be."},
                },
            }},
        },
    })
}
