//! Conditional requests (RFC 9110, section 13). The tag of an object is a digest of how it reads for the one
//! who asks, so it changes with whatever he sees and with nothing else; of a key but for when it was used last.

use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};

use crate::domain::sign;
use crate::http::Reply;

/// Hexadecimal digits of a tag: 128 bits of a SHA-256.
const TAG_CHARS: usize = 32;

/// The strong tag of a body.
pub(super) fn of(body: &[u8]) -> String {
    format!("\"{}\"", &sign::digest_hex(body)[..TAG_CHARS])
}

/// What `If-Match` lets be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// Whatever is there.
    Absent,
    /// What has one of these tags; `*` is whatever is there, too.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Of a request.
    pub fn of<B>(request: &Request<B>) -> Self {
        match tags(request, "if-match") {
            None => IfMatch::Absent,
            Some(tags) => IfMatch::Tags(tags),
        }
    }

    /// Whether what has this tag may be changed. A weak tag matches nothing.
    pub fn allows(&self, current: &str) -> bool {
        match self {
            IfMatch::Absent => true,
            IfMatch::Tags(tags) => tags.iter().any(|t| t == current || t == "*"),
        }
    }
}

/// The tags of a header, if it was sent.
fn tags<B>(request: &Request<B>, name: &str) -> Option<Vec<String>> {
    let values = request.headers().get_all(name);
    let mut tags = None;
    for value in values {
        let text = value.to_str().unwrap_or("");
        tags.get_or_insert_with(Vec::new).extend(text.split(',').map(|tag| tag.trim().to_owned()));
    }
    tags
}

/// On a reply whose tag leaves something out.
#[derive(Clone)]
pub(super) struct AlwaysSent;

/// What a reader needs not be sent again, for he has it: 304 instead of 200.
pub(super) fn unless_known(reply: Reply, method: &Method, known: &Known) -> Reply {
    let reads = matches!(*method, Method::GET | Method::HEAD)
        && reply.extensions().get::<AlwaysSent>().is_none();
    let tag =
        reply.headers().get(header::ETAG).filter(|_| reads && reply.status() == StatusCode::OK);
    let Some(tag) = tag.filter(|tag| known.has(tag)) else { return reply };
    let mut short = Reply::default();
    *short.status_mut() = StatusCode::NOT_MODIFIED;
    short.headers_mut().insert(header::ETAG, tag.clone());
    short
}

/// The tags of `If-None-Match`.
#[derive(Debug)]
pub(super) struct Known(Vec<String>);

impl Known {
    /// Of a request.
    pub fn of<B>(request: &Request<B>) -> Self {
        Known(tags(request, "if-none-match").unwrap_or_default())
    }

    fn has(&self, current: &HeaderValue) -> bool {
        let current = current.to_str().unwrap_or("");
        self.0.iter().any(|t| t.strip_prefix("W/").unwrap_or(t) == current || t == "*")
    }
}
