//! The short way of a plain request: read, answered and written without hyper, which spends more on a head
//! of a dozen headers than all the rest costs. Plain is a whole `GET` in HTTP/1.1, read at once, without a
//! body and without a wish about the connection but to keep or to close it. Whatever else comes is hyper's, from its first byte on.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::task::ready;

use futures_util::FutureExt;
use http_body_util::BodyExt;
use httparse::{Header, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Limits, ON_THE_WAY, Peer, Reply};

/// Bytes read at a time, well below every limit of a head: a longer one is not plain.
const READ_BYTES: usize = 4 << 10;
/// Headers of a plain request, at most.
const HEADERS_MAX: usize = 48;

/// A plain request's head, borrowed from where it was read.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The target up to its first `?`; begins with a slash.
    pub path: &'a str,
    /// The target behind it, empty when there is none.
    pub query: &'a str,
    headers: &'a [Header<'a>],
}

impl<'a> Head<'a> {
    /// Names, in the case in which they came, and values.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.headers.iter().map(|header| (header.name, header.value))
    }
}

/// Answers a connection's plain requests, one after the other. Returns what was read of the first that is
/// not, or that `answer` does not take; nothing when the connection has ended.
pub(super) async fn serve<A, Fut>(
    stream: &mut TcpStream,
    peer: &Peer,
    limits: &Limits,
    stop: &watch::Receiver<bool>,
    answer: &A,
) -> Option<Vec<u8>>
where
    A: Fn(&Head<'_>, &Peer) -> Option<Fut>,
    Fut: Future<Output = Reply>,
{
    let mut stopping = stop.clone();
    let mut stopped = pin!(async {
        let _ = stopping.wait_for(|stop| *stop).await;
        tokio::time::sleep(ON_THE_WAY).await;
    });
    let mut idle = pin!(tokio::time::sleep(limits.header_timeout));
    let mut since = Instant::now();
    let mut read = Vec::new();
    loop {
        if read.is_empty() {
            // Room is made when something came: an idle connection holds no buffer.
            let more = poll_fn(|cx| {
                ready!(stream.poll_read_ready(cx))?;
                read.reserve_exact(READ_BYTES);
                pin!(stream.read_buf(&mut read)).poll(cx)
            });
            tokio::select! {
                biased;
                length = more => if length.ok()? == 0 { return None },
                () = &mut stopped => return None,
                // Moved on here only, for that is dearer than to look at the clock.
                () = &mut idle => match since + limits.header_timeout {
                    due if due <= Instant::now() => return None,
                    due => { idle.as_mut().reset(due); continue }
                },
            }
        }
        let Some((length, close, answering)) = take(&read, peer, answer) else { return Some(read) };
        if length == read.len() {
            read = Vec::new();
        } else {
            read.drain(..length);
        }
        let reply = answering.await;
        let last = close || *stop.borrow();
        stream.write_all(&written(reply, last)).await.ok()?;
        if last {
            return None;
        }
        since = Instant::now();
    }
}

/// Begins to answer the plain request at the start of `bytes`; its length, whether it is the last of its
/// connection, and the answer to come.
fn take<A, Fut>(bytes: &[u8], peer: &Peer, answer: &A) -> Option<(usize, bool, Fut)>
where
    A: Fn(&Head<'_>, &Peer) -> Option<Fut>,
{
    let mut room = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(bytes, &mut room);
    let Ok(Status::Complete(length)) = parsed else { return None };
    let plain = request.method == Some("GET")
        && request.version == Some(1)
        && request.headers.iter().all(|header| is_plain(header));
    let target = request.path.filter(|target| plain && target.bytes().all(is_usual))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let head = Head { path, query, headers: request.headers };
    let answering = path.starts_with('/').then(|| answer(&head, peer)).flatten()?;
    Some((length, request.headers.iter().any(closes), answering))
}

/// Whether a header leaves a request plain: it announces no body and wishes nothing of the connection.
fn is_plain(header: &Header<'_>) -> bool {
    let is = |name: &str| is_named(header.name, name);
    match header.name.len() {
        6 => !is("expect"),
        7 => !is("upgrade"),
        10 => {
            let keeps = header.value.eq_ignore_ascii_case(b"keep-alive");
            !is("connection") || keeps || closes(header)
        }
        14 => !is("content-length"),
        17 => !is("transfer-encoding"),
        _ => true,
    }
}

fn closes(header: &Header<'_>) -> bool {
    is_named(header.name, "connection") && header.value.eq_ignore_ascii_case(b"close")
}

/// Whether a header's name is `known`, letters and dashes in lower case. A name holds only what RFC 9110
/// calls a token: there, one bit is all the difference that case makes, and makes no other token the same.
pub fn is_named(name: &str, known: &str) -> bool {
    let mut bytes = name.bytes().zip(known.bytes());
    name.len() == known.len() && bytes.all(|(byte, known)| byte | 0x20 == known)
}

/// Whether a byte of a target is one that needs no judgement: RFC 3986's own, and `%`.
fn is_usual(byte: u8) -> bool {
    const USUAL: [bool; 256] = {
        let (mut usual, mut byte) = ([false; 256], 0);
        while byte < 128 {
            usual[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let (marks, mut at) = (b"-._~:/?[]@!$&'()*+,;=%", 0);
        while at < marks.len() {
            usual[marks[at] as usize] = true;
            at += 1;
        }
        usual
    };
    USUAL[usize::from(byte)]
}

/// A reply as it goes over the wire. Who answers dates it.
fn written(reply: Reply, last: bool) -> Vec<u8> {
    let (parts, mut body) = reply.into_parts();
    let frame = body.frame().now_or_never().flatten(); // A body that is at hand.
    let body = frame.and_then(|Ok(frame)| frame.into_data().ok()).unwrap_or_default();
    let mut out = Vec::with_capacity(512 + body.len());
    let mut put =
        |texts: [&[u8]; 4]| texts.into_iter().for_each(|text| out.extend_from_slice(text));
    let reason = parts.status.canonical_reason().unwrap_or("");
    put([b"HTTP/1.1 ", parts.status.as_str().as_bytes(), b" ", reason.as_bytes()]);
    for (name, value) in &parts.headers {
        put([b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()]);
    }
    if last {
        put([b"\r\nconnection: close", b"", b"", b""]);
    }
    put([b"\r\ncontent-length: ", body.len().to_string().as_bytes(), b"\r\n\r\n", &body]);
    out
}
