//! The hyper shell that all servers share: accept, caps, timeouts, drain, bodies, problem+json. Knows
//! nothing of what is served.

pub mod lines;
pub mod plain;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use serde::Serialize;
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, interval};

use crate::pulse::Pulse;

/// Bytes of a body, at most.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// Bytes of a query string, at most.
pub const QUERY_BYTES_MAX: usize = 8 << 10;
/// Bytes of all header names and values, at most.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Headers of a request, at most.
const HEADERS_MAX: usize = 100;
/// Headers of a reply, as a rule.
const HEADERS_USUAL: usize = 8;
/// Bytes that a connection buffers; a longer request head is answered 431 by hyper.
const BUFFER_BYTES_MAX: usize = 96 << 10;

/// A runtime that has not turned for so long answers nobody.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long a connection without a request is kept open when its server is to stop: the request may be on
/// its way, and would be lost.
const ON_THE_WAY: Duration = Duration::from_millis(500);

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

/// Serves a listener until `stop` turns true, then lets what is in flight finish. In flight is what a client
/// may have sent by then: also what nobody has accepted or read yet.
pub async fn serve<F, Fut, B>(
    listener: TcpListener,
    limits: Limits,
    stop: watch::Receiver<bool>,
    answer: F,
) where
    F: Fn(Request<Incoming>, Peer) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (shell, stopping) = (shell(&limits), stop.clone());
    let connection = |stream: TcpStream, peer: Peer, watcher: Watcher| {
        let service = service(answer.clone(), peer, stopping.clone());
        watcher.watch(shell.serve_connection(TokioIo::new(stream), service)).map(drop)
    };
    connections(listener, limits, stop, connection).await;
}

/// Serves like [`serve`], and plain requests that `short` takes by the short way.
pub async fn serve_plain<F, Fut, S, Short>(
    listener: TcpListener,
    limits: Limits,
    stop: watch::Receiver<bool>,
    (answer, short): (F, S),
) where
    F: Fn(Request<Incoming>, Peer) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
    S: Fn(&plain::Head<'_>, &Peer) -> Option<Short> + Clone + Send + Sync + 'static,
    Short: Future<Output = (lines::Lines, Instant)> + Send + 'static,
{
    let (shell, stopping) = (shell(&limits), stop.clone());
    let connection = |mut stream: TcpStream, peer: Peer, watcher: Watcher| {
        let (answer, short) = (answer.clone(), short.clone());
        let (shell, stop) = (shell.clone(), stopping.clone());
        async move {
            let rest = plain::serve(&mut stream, &peer, &limits, &stop, &short).await;
            let Some(read) = rest else { return };
            let (reader, writer) = stream.into_split();
            let io = tokio::io::join(std::io::Cursor::new(read).chain(reader), writer);
            let service = service(answer, peer, stop);
            // On the heap: most connections never come here.
            let _ =
                Box::pin(watcher.watch(shell.serve_connection(TokioIo::new(io), service))).await;
        }
    };
    connections(listener, limits, stop, connection).await;
}

/// hyper with the limits that hold for all.
fn shell(limits: &Limits) -> http1::Builder {
    let mut shell = http1::Builder::new();
    shell
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        // Who has said all he has to say may still listen.
        .half_close(true);
    shell
}

/// Answers by `answer`; the last answer of a connection, when its server is to stop, says so.
fn service<F, Fut, B>(
    answer: F,
    peer: Peer,
    stopping: watch::Receiver<bool>,
) -> impl Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Send
where
    F: Fn(Request<Incoming>, Peer) -> Fut + Send,
    Fut: Future<Output = Response<B>> + Send,
    B: Body,
{
    service_fn(move |request| {
        let (answer, stopping) = (answer(request, peer.clone()), stopping.clone());
        answer.map(move |mut reply| {
            if *stopping.borrow() {
                let close = HeaderValue::from_static("close");
                reply.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(reply)
        })
    })
}

/// Accepts connections and runs each in a task of its own; one that breaks is the client's affair, for what
/// matters was journalled or refused.
async fn connections<C, Fut>(
    listener: TcpListener,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    connection: C,
) where
    C: Fn(TcpStream, Peer, Watcher) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    inherit(&listener, &limits);
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let take = |(stream, peer, slot): Accepted| {
        // On the heap: it is large, and is moved a dozen times before it runs.
        let connection = Box::pin(connection(stream, Peer::of(peer), graceful.watcher()));
        tokio::spawn(connection.map(move |()| drop(slot)));
    };
    let (pulse, mut beat) = (Pulse::new("accept", SILENCE_MAX), interval(SILENCE_MAX / 10));
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = beat.tick() => {
                pulse.beat();
                continue;
            }
            accepted = accept(&listener, &slots) => accepted,
        };
        accepted.into_iter().for_each(&take);
        // Whoever waits beside him, until the runtime wants its turn.
        while let Some(accepted) = accept(&listener, &slots).now_or_never() {
            accepted.into_iter().for_each(&take);
        }
    }
    accept_queued(listener, &slots).into_iter().for_each(&take);
    // All slots are free when all connections have ended.
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(ON_THE_WAY, slots.acquire_many(all)).await;
    let _ = tokio::time::timeout(limits.drain, graceful.shutdown()).await;
}

/// What connections inherit from their listener: answers leave at once, and a slow reader has his time
/// limited, which nobody else does.
fn inherit(listener: &TcpListener, limits: &Limits) {
    let socket = SockRef::from(listener);
    let inherited = socket.set_tcp_nodelay(true);
    let inherited =
        inherited.and_then(|()| socket.set_tcp_user_timeout(Some(limits.header_timeout)));
    if let Err(error) = inherited {
        tracing::warn!(%error, "cannot limit the time of slow readers");
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Closes a listener, and hands on whom it had not accepted yet: they would be reset.
fn accept_queued(listener: TcpListener, slots: &Arc<Semaphore>) -> Vec<Accepted> {
    let mut queued = Vec::new();
    let Ok(listener) = listener.into_std() else { return queued };
    while let Ok(slot) = slots.clone().try_acquire_owned() {
        let Ok((stream, peer)) = listener.accept() else { break };
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        queued.extend(stream.map(|stream| (stream, peer, slot)));
    }
    queued
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<Accepted> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            // Out of file descriptors, as a rule: others must close first.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
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
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
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

/// A JSON reply.
pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).unwrap_or_default();
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
