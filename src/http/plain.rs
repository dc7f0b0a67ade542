//! The short way of a plain request: read, answered and written without hyper, which spends more on a head
//! of a dozen headers than all the rest costs. Plain is a whole `GET` in HTTP/1.1, read at once, without a
//! body and without a wish about the connection but to keep or to close it. Whatever else comes is hyper's,
//! from its first byte on.

use std::cell::Cell;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::task::ready;

use httparse::{Header, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::lines::Lines;
use super::{Limits, ON_THE_WAY, Peer};

/// Bytes read at a time, well below every limit of a head: a longer one is not plain.
pub const READ_BYTES: usize = 4 << 10;
/// Headers of a plain request, at most.
const HEADERS_MAX: usize = 48;

thread_local! {
    /// Where requests are read and answers written, one after the other: connections that wait hold none.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Gives the thread's room back, for the next to use.
fn give_back(mut room: Vec<u8>) {
    if room.capacity() <= 2 * READ_BYTES {
        room.clear();
        ROOM.set(room);
    }
}

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
/// not, or that `answer` does not take; nothing when the connection has ended. An answer comes with the
/// moment when it was ready.
pub(super) async fn serve<A, Fut>(
    stream: &mut TcpStream,
    peer: &Peer,
    limits: &Limits,
    stop: &watch::Receiver<bool>,
    answer: &A,
) -> Option<Vec<u8>>
where
    A: Fn(&Head<'_>, &Peer) -> Option<Fut>,
    Fut: Future<Output = (Lines, Instant)>,
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
            let more = poll_fn(|cx| {
                ready!(stream.poll_read_ready(cx))?;
                read = ROOM.take();
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
        let taken = take(&read, |head| answer(head, peer));
        let Some((length, close, answering)) = taken else { return Some(read) };
        if length == read.len() {
            give_back(std::mem::take(&mut read));
        } else {
            read.drain(..length);
        }
        let (lines, ready_at) = answering.await;
        let last = close || *stop.borrow();
        let mut written = ROOM.take();
        lines.write(last, &mut written);
        stream.write_all(&written).await.ok()?;
        give_back(written);
        if last {
            return None;
        }
        since = ready_at;
    }
}

/// Takes the plain request at the start of `bytes`, if `then` does; its length, whether it is the last of its
/// connection, and what `then` made of it.
pub fn take<T>(
    bytes: &[u8],
    then: impl FnOnce(&Head<'_>) -> Option<T>,
) -> Option<(usize, bool, T)> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(bytes, &mut room);
    let Ok(Status::Complete(length)) = parsed else { return None };
    let mut close = false;
    let plain = request.method == Some("GET")
        && request.version == Some(1)
        && request.headers.iter().all(|header| is_plain(header, &mut close));
    let target = request.path.filter(|target| plain && target.bytes().all(is_usual))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let head = Head { path, query, headers: request.headers };
    let made = path.starts_with('/').then(|| then(&head)).flatten()?;
    Some((length, close, made))
}

/// Whether a header leaves a request plain: it announces no body and wishes nothing of the connection, but
/// perhaps to `close` it.
fn is_plain(header: &Header<'_>, close: &mut bool) -> bool {
    let is = |name: &str| is_named(header.name, name);
    match header.name.len() {
        6 => !is("expect"),
        7 => !is("upgrade"),
        10 if is("connection") => {
            let closes = header.value.eq_ignore_ascii_case(b"close");
            *close |= closes;
            closes || header.value.eq_ignore_ascii_case(b"keep-alive")
        }
        14 => !is("content-length"),
        17 => !is("transfer-encoding"),
        _ => true,
    }
}

/// Whether a header's name is `known`, letters and dashes in lower case. A name holds only what RFC 9110
/// calls a token: there, one bit is all the difference that case makes, and makes no other token the same.
#[inline]
pub fn is_named(name: &str, known: &str) -> bool {
    let (name, known) = (name.as_bytes(), known.as_bytes());
    name.len() == known.len() && (0..name.len()).all(|at| name[at] | 0x20 == known[at])
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
