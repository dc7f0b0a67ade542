//! Serves a listener: each connection past its door, then by the short way where it may, by hyper's HTTP/1.1
//! otherwise, or by hyper's HTTP/2 where TLS agreed on that.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{Either, Empty};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::accept::connections;
use super::door::Door;
use super::tls::Tls;
use super::{HEADER_BYTES_MAX, Limits, Peer, Reply, UNREAD, lines, plain};

/// Headers of a request, at most.
const HEADERS_MAX: usize = 100;
/// Bytes that a connection buffers; a longer request head is answered 431 by hyper.
const BUFFER_BYTES_MAX: usize = 96 << 10;
/// Requests that one HTTP/2 connection may have going on.
const STREAMS_MAX: u32 = 100;
/// Requests that an HTTP/2 peer may have taken back, or spoilt, before we are through with them; with one
/// more he is sent away. Each costs us more than him.
const RESETS_MAX: usize = 20;
/// Bytes that an HTTP/2 peer may send before we have taken them: of one body, and of all, which is the least
/// that the protocol knows. There may be as many as `connections_max` who do.
const STREAM_WINDOW_BYTES: u32 = 16 << 10;
const CONNECTION_WINDOW_BYTES: u32 = (64 << 10) - 1;
/// Bytes of an answer that wait for an HTTP/2 peer to take them, for each request.
const SEND_BYTES_MAX: usize = 16 << 10;
/// How often an HTTP/2 peer that says nothing while he waits is asked whether he is there, and how long he
/// has to say so.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Serves a listener until `stop` turns true, then lets what is in flight finish. In flight is what a client
/// may have sent by then: also what nobody has accepted or read yet.
pub async fn serve<F, Fut, B>(
    listener: TcpListener,
    door: impl Into<Door>,
    stop: watch::Receiver<bool>,
    answer: F,
) where
    F: Fn(Request<Incoming>, Peer) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let shell = Shell::new(door.into(), stop.clone(), answer);
    let limits = shell.door.limits;
    let connection = |stream: TcpStream, from: SocketAddr, watcher: Watcher| {
        let shell = shell.clone();
        async move {
            let Some((stream, peer, _seat)) = shell.door.enter(stream, from).await else { return };
            match &shell.door.tls {
                Some(tls) => shell.secured(stream, peer, tls, watcher).await,
                None => shell.http1(TokioIo::new(stream), peer, watcher).await,
            }
        }
    };
    connections(listener, limits, stop, connection).await;
}

/// Serves like [`serve`], and plain requests that `short` takes by the short way, where there is no TLS.
pub async fn serve_plain<F, Fut, S, Short>(
    listener: TcpListener,
    door: impl Into<Door>,
    stop: watch::Receiver<bool>,
    (answer, short): (F, S),
) where
    F: Fn(Request<Incoming>, Peer) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
    S: Fn(&plain::Head<'_>, &Peer) -> Option<Short> + Send + Sync + 'static,
    Short: Future<Output = (lines::Lines, Instant)> + Send + 'static,
{
    let shell = Shell::new(door.into(), stop.clone(), answer);
    let (limits, short) = (shell.door.limits, Arc::new(short));
    let connection = |stream: TcpStream, from: SocketAddr, watcher: Watcher| {
        let (shell, short) = (shell.clone(), short.clone());
        async move {
            let Some(entered) = shell.door.enter(stream, from).await else { return };
            let (mut stream, peer, _seat) = entered;
            // On the heap what most connections never come to.
            if let Some(tls) = &shell.door.tls {
                return Box::pin(shell.secured(stream, peer, tls, watcher)).await;
            }
            let rest = plain::serve(&mut stream, &peer, &limits, &shell.stop, &*short).await;
            let Some(read) = rest else { return };
            let (reader, writer) = stream.into_split();
            let io = tokio::io::join(std::io::Cursor::new(read).chain(reader), writer);
            Box::pin(shell.http1(TokioIo::new(io), peer, watcher)).await;
        }
    };
    connections(listener, limits, stop, connection).await;
}

/// What the connections of a listener have in common.
struct Shell<F> {
    door: Door,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    stop: watch::Receiver<bool>,
    answer: F,
}

impl<F, Fut, B> Shell<F>
where
    F: Fn(Request<Incoming>, Peer) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    fn new(door: Door, stop: watch::Receiver<bool>, answer: F) -> Arc<Self> {
        let (http1, http2) = (http1_shell(&door.limits), http2_shell());
        Arc::new(Shell { door, http1, http2, stop, answer })
    }

    async fn http1<I>(self: &Arc<Self>, io: I, peer: Peer, watcher: Watcher)
    where
        I: Read + Write + Unpin + 'static,
    {
        let _ = watcher.watch(self.http1.serve_connection(io, self.service(peer))).await;
    }

    /// Answers; the last answer of a connection says so: when its server is to stop, and when it left a part
    /// of the request unread, for then nobody can tell where the next one begins.
    fn service(
        self: &Arc<Self>,
        peer: Peer,
    ) -> impl Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
    + use<F, Fut, B> {
        let shell = self.clone();
        service_fn(move |request: Request<Incoming>| {
            let (shell, has_body) = (shell.clone(), !request.body().is_end_stream());
            let answering = (shell.answer)(request, peer.clone());
            async move {
                let (mut reply, unread) = match has_body {
                    true => unread(answering).await,
                    false => (answering.await, false),
                };
                if unread || *shell.stop.borrow() {
                    let close = HeaderValue::from_static("close");
                    reply.headers_mut().insert(header::CONNECTION, close);
                }
                Ok(reply)
            }
        })
    }

    /// Over TLS, in the protocol that the handshake agreed on.
    async fn secured(self: &Arc<Self>, stream: TcpStream, peer: Peer, tls: &Tls, watcher: Watcher) {
        match tls.accept(stream).await {
            None => self.door.refused("tls"),
            Some(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.http2(TokioIo::new(stream), peer).await;
                drop(watcher); // It counts until here, and has nothing to tell that `stop` does not.
            }
            Some(stream) => self.http1(TokioIo::new(stream), peer, watcher).await,
        }
    }

    /// HTTP/2, until the peer goes, or brings no request for as long as an HTTP/1.1 connection may idle: he
    /// is told then, and has as long again to take what is on its way.
    async fn http2<I>(self: &Arc<Self>, io: I, peer: Peer)
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let (shell, activity) = (self.clone(), Activity::new());
        let active = activity.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            like_http1(&mut request);
            let is_head = request.method() == Method::HEAD;
            let (guard, answering) = (active.begin(), (shell.answer)(request, peer.clone()));
            answering.map(move |reply| {
                drop(guard);
                Ok::<_, Infallible>(if is_head {
                    bodiless(reply)
                } else {
                    reply.map(Either::Right)
                })
            })
        });
        let mut connection = pin!(self.http2.serve_connection(io, service));
        let (mut stop, idle_max) = (self.stop.clone(), self.door.limits.header_timeout);
        let mut due = Instant::now() + idle_max;
        while due > Instant::now() {
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = stop.wait_for(|stop| *stop) => break,
                () = sleep_until(due) => due = activity.idle_since() + idle_max,
            }
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(idle_max, connection).await;
    }
}

/// Awaits an answer, and tells whether it left its request's body unread.
async fn unread<B>(answering: impl Future<Output = Response<B>>) -> (Response<B>, bool) {
    let noted = async { (answering.await, UNREAD.with(Cell::get)) };
    UNREAD.scope(Cell::new(true), noted).await
}

/// hyper's HTTP/1.1 with the limits that hold for all.
pub fn http1_shell(limits: &Limits) -> http1::Builder {
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

/// hyper's HTTP/2 with the limits that hold for all. h2 itself bounds CONTINUATION frames by the size of the
/// list of headers, and what HPACK makes of them.
fn http2_shell() -> http2::Builder<TokioExecutor> {
    let mut shell = http2::Builder::new(TokioExecutor::new());
    shell
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    shell
}

/// Says a request of HTTP/2 as HTTP/1.1 does: the authority as `Host` (RFC 9113, 8.3.1), and the cookie in
/// one piece (8.2.3).
fn like_http1(request: &mut Request<Incoming>) {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let headers = request.headers_mut();
    if let Some(Ok(host)) = authority.map(HeaderValue::try_from) {
        headers.insert(header::HOST, host);
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(|v| v.as_bytes()).collect();
    if crumbs.len() > 1
        && let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, cookie);
    }
}

/// The answer to `HEAD`: the length of a body, and none. In HTTP/1.1 hyper sees to that itself.
fn bodiless<B: Body<Data = Bytes>>(reply: Response<B>) -> Response<Either<Empty<Bytes>, B>> {
    let (mut head, body) = reply.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, Either::Left(Empty::new()))
}

/// Since when a connection has had no request; and how many it has.
#[derive(Clone)]
struct Activity(Arc<Mutex<(usize, Instant)>>);

impl Activity {
    fn new() -> Self {
        Activity(Arc::new(Mutex::new((0, Instant::now()))))
    }

    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (change(now.0), Instant::now());
    }

    /// A request goes on until what is returned is dropped.
    fn begin(&self) -> impl Drop + Send + use<> {
        struct Ongoing(Activity);
        impl Drop for Ongoing {
            fn drop(&mut self) {
                self.0.change(|going_on| going_on.saturating_sub(1));
            }
        }
        self.change(|going_on| going_on + 1);
        Ongoing(self.clone())
    }

    fn idle_since(&self) -> Instant {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            (0, since) => since,
            _ => Instant::now(),
        }
    }
}
