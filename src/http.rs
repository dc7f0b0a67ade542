//! What all servers share: replies, bodies, problem+json, limits; below it the shell that serves them. Knows
//! nothing of what is served.

mod accept;
pub mod budget;
pub mod chunks;
pub mod door;
pub mod forwarded;
pub mod lines;
pub mod outgoing;
pub mod plain;
mod proxy;
mod serve;
pub mod tls;

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::Serialize;

pub use door::Door;
pub use serve::{http1_shell, serve, serve_plain};

/// Bytes of a body, at most.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// Bytes of a query string, at most.
pub const QUERY_BYTES_MAX: usize = 8 << 10;
/// Bytes of all header names and values, at most.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Headers of a reply, as a rule.
const HEADERS_USUAL: usize = 8;
/// How long a connection without a request is kept open when its server is to stop: the request may be on
/// its way, and would be lost.
const ON_THE_WAY: Duration = Duration::from_millis(500);

tokio::task_local! {
    /// Whether the body of the request that this task answers has not been read to its end.
    static UNREAD: Cell<bool>;
}

/// A reply whose body is at hand.
pub type Reply = Response<Full<Bytes>>;

/// The limits of one listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; more wait in the listen queue.
    pub connections_max: usize,
    /// For a request's head, for an idle connection, and for a peer that takes nothing of its answer.
    pub header_timeout: Duration,
    /// For requests in flight when the process is asked to stop.
    pub drain: Duration,
}

/// The other end of a connection, written down once for all its requests.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address; an IPv4 one as such, however it came.
    pub ip: IpAddr,
    /// The same as text.
    pub text: Arc<str>,
}

impl Peer {
    /// The address of a socket's other end.
    pub fn of(address: SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        let text = match ip {
            IpAddr::V4(ip) => dotted(ip.octets()),
            IpAddr::V6(ip) => ip.to_string(),
        };
        Peer { ip, text: text.into() }
    }
}

/// An IPv4 address as text, in a tenth of the steps that formatting takes: each connection has one.
fn dotted(octets: [u8; 4]) -> String {
    let mut text = String::with_capacity(16);
    for octet in octets {
        if !text.is_empty() {
            text.push('.');
        }
        for (from, unit) in [(100, 100), (10, 10), (0, 1)] {
            if octet >= from {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

/// Why a body could not be read.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BodyFault {
    TooLarge,
    TimedOut,
    Broken,
}

impl BodyFault {
    /// 413, 408 or 400.
    pub fn status(&self) -> StatusCode {
        match self {
            BodyFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyFault::TimedOut => StatusCode::REQUEST_TIMEOUT,
            BodyFault::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a whole body of at most `bytes_max` within `timeout`.
pub async fn read_body(
    body: Incoming,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, BodyFault> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyFault::TooLarge);
    }
    match tokio::time::timeout(timeout, Limited::new(body, bytes_max).collect()).await {
        Err(_) => Err(BodyFault::TimedOut),
        Ok(Ok(collected)) => {
            let _ = UNREAD.try_with(|unread| unread.set(false));
            Ok(collected.to_bytes())
        }
        Ok(Err(e)) if e.is::<http_body_util::LengthLimitError>() => Err(BodyFault::TooLarge),
        Ok(Err(_)) => Err(BodyFault::Broken),
    }
}

/// What is wrong with the size of a request's head, if anything: 414 or 431.
pub fn head_fault<B>(request: &Request<B>) -> Option<StatusCode> {
    if request.uri().query().is_some_and(|query| query.len() > QUERY_BYTES_MAX) {
        return Some(StatusCode::URI_TOO_LONG);
    }
    let bytes =
        |(name, value): (&header::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let total: usize = request.headers().iter().map(bytes).sum();
    (total > HEADER_BYTES_MAX).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

/// A header's value as text, empty when absent or not ASCII.
pub fn header_text<'a, B>(request: &'a Request<B>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A reply with a body of a type.
pub fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.reserve(HEADERS_USUAL);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// A file to be saved under a name of plain letters.
pub fn saved(name: &str, content_type: &'static str, content: Vec<u8>) -> Reply {
    let mut reply = reply(StatusCode::OK, content_type, content);
    let headers = reply.headers_mut();
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// A JSON reply.
pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    json_text(status, serde_json::to_vec(value).unwrap_or_default())
}

/// A JSON reply whose body is written already.
pub fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = reply(status, "application/json", body);
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// One field that is wrong, and how: the `errors` of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) or the parameter's name.
    pub pointer: String,
    /// For a person.
    pub detail: String,
}

/// A problem (RFC 9457) with a stable code.
pub fn problem(status: StatusCode, code: &str, detail: &str, errors: &[FieldError]) -> Reply {
    let mut problem = serde_json::json!({
        "type": format!("urn:tributary:problem:{code}"),
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    if !errors.is_empty() {
        problem["errors"] = serde_json::json!(errors);
    }
    let mut reply = reply(status, "application/problem+json", problem.to_string());
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// 503: the answer took too long, and nobody knows how far it came.
pub fn too_late() -> Reply {
    let detail =
        "This took too long. What was asked for may have been done: look before you try again.";
    let mut reply = problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail, &[]);
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    reply
}

/// 429: a budget is spent.
pub fn too_many(spent: budget::Spent) -> Reply {
    let detail = "These are too many requests; try again later. Nothing was done or counted.";
    let mut reply = problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail, &[]);
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(spent.0));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_written() {
        for octets in [[0, 0, 0, 0], [127, 0, 0, 1], [10, 99, 100, 101], [255, 9, 200, 30]] {
            let (plain, text) = (IpAddr::from(octets), IpAddr::from(octets).to_string());
            assert_eq!(*Peer::of((plain, 1).into()).text, *text);
        }
        let mapped = "[::ffff:10.0.0.1]:1".parse().unwrap();
        assert_eq!(&*Peer::of(mapped).text, "10.0.0.1");
    }
}
