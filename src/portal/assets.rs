//! The style sheet and the one script, inside the binary. A page asks for them with a digest of their
//! content, so a browser may keep them for ever.

use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::page::Refusal;
use crate::domain::sign;
use crate::http::{self, Reply};

const CSS: &str = include_str!("assets/portal.css");
const JS: &str = include_str!("assets/portal.js");

static CSS_URL: LazyLock<String> = LazyLock::new(|| url("portal.css", CSS));
static JS_URL: LazyLock<String> = LazyLock::new(|| url("portal.js", JS));

/// Where the style sheet is.
pub fn css_url() -> &'static str {
    &CSS_URL
}

/// Where the script is.
pub fn js_url() -> &'static str {
    &JS_URL
}

/// Answers with an asset.
pub fn answer(name: &str) -> Result<Reply, Refusal> {
    let (content_type, content) = match name {
        "portal.css" => ("text/css; charset=utf-8", CSS),
        "portal.js" => ("text/javascript; charset=utf-8", JS),
        _ => return Err(Refusal::NotFound),
    };
    let mut reply = http::reply(StatusCode::OK, content_type, content);
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    reply.headers_mut().insert(header::CACHE_CONTROL, forever);
    Ok(reply)
}

fn url(name: &str, content: &str) -> String {
    format!("/assets/{name}?v={}", &sign::digest_hex(content.as_bytes())[..16])
}
