//! A reply as the text that goes over the wire: for answers of few headers, where a map of them would cost
//! more than all else. The short way writes it as it is; hyper gets it as a reply of its own kind.

use std::io::Write;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::Reply;

/// Bytes of the lines that are made for one reply, as a rule.
const MADE_USUAL: usize = 128;

/// A reply of few headers.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Its status.
    pub status: StatusCode,
    /// Headers known beforehand, and those made for this reply: `name: value` and a line's end each.
    known: &'static str,
    made: String,
    body: Bytes,
}

impl Lines {
    /// A reply with the headers `known`, each `name: value` with its line's end.
    pub fn new(status: StatusCode, known: &'static str, body: impl Into<Bytes>) -> Self {
        let made = String::with_capacity(MADE_USUAL);
        Lines { status, known, made, body: body.into() }
    }

    /// Puts a header in, that is not there yet. A value with other characters than a header may have is
    /// left out: it could say what nobody meant.
    pub fn put(&mut self, name: &'static str, value: &str) {
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            for text in [name, ": ", value, "\r\n"] {
                self.made.push_str(text);
            }
        }
    }

    /// Appends it to `out` as it goes over the wire; the last of a connection says so.
    pub(super) fn write(&self, last: bool, out: &mut Vec<u8>) {
        let reason = self.status.canonical_reason().unwrap_or("");
        let close = if last { "connection: close\r\n" } else { "" };
        let head = ["HTTP/1.1 ", self.status.as_str(), " ", reason, "\r\n"];
        for text in head.into_iter().chain([self.known, &self.made, close]) {
            out.extend_from_slice(text.as_bytes());
        }
        let _ = write!(out, "content-length: {}\r\n\r\n", self.body.len()); // Into memory: cannot fail.
        out.extend_from_slice(&self.body);
    }
}

impl From<Lines> for Reply {
    fn from(lines: Lines) -> Reply {
        let mut reply = Response::new(Full::new(lines.body));
        *reply.status_mut() = lines.status;
        for line in lines.known.lines().chain(lines.made.lines()) {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                reply.headers_mut().append(name, value);
            }
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_the_same_on_both_ways() {
        let mut lines = Lines::new(StatusCode::FOUND, "cache-control: no-store\r\n", "gone");
        lines.put("location", "https://shop.example/");
        lines.put("x-made", "a\r\nx-forged: b");
        let mut wire = Vec::new();
        lines.write(true, &mut wire);
        let expected = "HTTP/1.1 302 Found\r\ncache-control: no-store\r\n\
            location: https://shop.example/\r\nconnection: close\r\ncontent-length: 4\r\n\r\ngone";
        assert_eq!(String::from_utf8(wire).unwrap(), expected);
        let reply = Reply::from(lines);
        assert_eq!(reply.status(), StatusCode::FOUND);
        assert_eq!(reply.headers().len(), 2);
        assert_eq!(reply.headers()["cache-control"], "no-store");
        assert_eq!(reply.headers()["location"], "https://shop.example/");
    }
}
