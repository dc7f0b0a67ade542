//! A request's head, read by the short way and by hyper. What the short way takes, both must understand
//! alike: who could make them differ could hide one request in another.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tributary::http::{self, Limits, plain};

/// What comes behind it, to see where each of the two believes that it ends.
const NEXT: &str = "/next-request";

/// A request as a parser understood it. Headers are sorted by name; of one name they keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body_bytes: usize,
}

/// Compares the two: nothing when the head is none for the short way, else whether it is the last of its
/// connection; or what they do not agree on.
pub fn compare(bytes: &[u8]) -> Result<Option<bool>, String> {
    // Room that an answer has made larger is read into, too.
    let bytes = &bytes[..bytes.len().min(2 * plain::READ_BYTES)];
    let Some((length, close, short)) = plain::take(bytes, |head| Some(by_short(head))) else {
        return Ok(None);
    };
    let next = format!("GET {NEXT} HTTP/1.1\r\nHost: x\r\n\r\n");
    let long = by_hyper(&[&bytes[..length], next.as_bytes()].concat());
    let expected = if close { 1 } else { 2 };
    if long.first() != Some(&short) {
        return Err(format!("short: {short:?}\nhyper: {long:?}"));
    }
    if long.len() != expected || long.get(1).is_some_and(|second| second.path != NEXT) {
        return Err(format!("{expected} requests, not {long:?}"));
    }
    Ok(Some(close))
}

fn by_short(head: &plain::Head<'_>) -> Understood {
    let headers = head.headers().map(|(name, value)| (name, value.to_vec()));
    Understood {
        method: "GET".to_owned(),
        path: head.path.to_owned(),
        query: head.query.to_owned(),
        headers: sorted(headers),
        body_bytes: 0,
    }
}

fn sorted<'a>(headers: impl Iterator<Item = (&'a str, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let lower = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    let mut sorted: Vec<_> = lower.collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    sorted
}

/// The requests that hyper, as the product sets it up, finds in what one connection sends.
fn by_hyper(bytes: &[u8]) -> Vec<Understood> {
    thread_local!(static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap());
    let header_timeout = Duration::from_secs(5);
    let limits = Limits { connections_max: 1, header_timeout, drain: header_timeout };
    let seen = RefCell::new(Vec::new());
    let answer = service_fn(|request| {
        let seen = &seen;
        async move {
            let request = understood(request).await;
            seen.borrow_mut().push(request);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let io = tokio::io::join(Cursor::new(bytes.to_vec()), tokio::io::sink());
    RUNTIME.with(|runtime| {
        let serving =
            async { http::http1_shell(&limits).serve_connection(TokioIo::new(io), answer).await };
        let _ = runtime.block_on(serving);
    });
    seen.into_inner()
}

async fn understood(request: Request<Incoming>) -> Understood {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().len());
    let headers = parts.headers.iter();
    Understood {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: sorted(headers.map(|(name, value)| (name.as_str(), value.as_bytes().to_vec()))),
        body_bytes: body.unwrap_or(usize::MAX),
    }
}
