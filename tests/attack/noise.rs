//! Requests as nobody should send them: sound ones, written from a small grammar, then broken in one to
//! three ways that real clients, broken proxies and attackers break them. The same dice, the same bytes.

use crate::dice::Dice;

/// What there is to ask for.
pub struct Ground {
    pub wanted: &'static [(&'static str, &'static str)],
    /// For the header `Authorization`.
    pub bearers: Vec<String>,
}

/// The edge's endpoints with codes that exist, and some without.
pub const EDGE: &[(&str, &str)] = &[
    ("GET", "/t/shop.gif?amount=19.95&id=n1&currency=USD&s1=a"),
    ("GET", "/t/shop?amount={amount}&id=&coupon=BEN10&customer=a%40b&new=1&items=%5B%5D"),
    ("GET", "/c/blog?s1=a&s2=b&url=https%3A%2F%2Fshop.example%2Fp&consent=1"),
    ("HEAD", "/c/blog?s1=a"),
    ("POST", "/t/shop"),
    ("POST", "/postback/shop"),
    ("GET", "/postback/shop?amount=1&id=n2&type=lead"),
    ("GET", "/tag.js"),
    ("GET", "/t/nobody.gif?amount=1"),
    ("POST", "/c/blog"),
    ("GET", "/nothing/at/all"),
];

/// The admin's: every kind of route of the API, the portal, its assets. The ids are nobody's.
pub const ADMIN: &[(&str, &str)] = &[
    ("GET", "/api/v1/programs?limit=2&cursor=7"),
    ("POST", "/api/v1/affiliates"),
    ("POST", "/api/v1/links"),
    ("POST", "/api/v1/coupons"),
    ("PATCH", "/api/v1/programs/777888999"),
    ("GET", "/api/v1/programs/777888999/plans/7"),
    ("DELETE", "/api/v1/api-keys/777888999"),
    ("POST", "/api/v1/conversions/777888999/reject"),
    ("GET", "/api/v1/hits?outcome=rejected&from=2026-01-01T00:00:00Z"),
    ("GET", "/api/v1/reports/commissions?group_by=program&from=2026-01-01"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/advertiser?before=9"),
    ("GET", "/affiliate?days=90"),
    ("GET", "/assets/portal.css"),
    ("POST", "/sign-out"),
];

#[rustfmt::skip]
const BODIES: &[(&str, &str)] = &[
    ("application/x-www-form-urlencoded", "amount=19.95&id=n3&currency=EUR&customer=a%2Bb"),
    (
        "application/json",
        r#"{"amount":19.95,"id":"n4","new":true,"items":[{"sku":"x"}],"name":"N","email":"n@x.example","program_id":"777888999","key":"k"}"#,
    ),
    (
        "multipart/form-data; boundary=X",
        "--X\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n19.95\r\n--X\r\nContent-Disposition: form-data; name=\"id\"; filename=\"a\"\r\n\r\nn5\r\n--X--\r\n",
    ),
    ("text/plain;charset=UTF-8", "amount=1&id=n6"), ("", "key=an-unknown-key"),
];

/// Texts that parsers stumble over.
#[rustfmt::skip]
const NASTY: &[&[u8]] = &[
    b"\0", b"\r", b"\n", b"\r\n\r\n", b"\t", b"\x0b\x0c", b"\x7f", b"\x1b[31m", b"%", b"%%", b"%0", b"%zz",
    b"%00", b"%0d%0a", b"%c0%af", b"%ED%A0%80", b"%FF%FE", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80",
    b"\xf0\x9f\x92\xa9", b"../..//.\\", b"//evil.example", b"?", b"#", b"&&==;&amp;", b"{{7*7}}", b"${jndi:x}",
    b"' or 1=1--", b"<script>", b"99999999999999999999999999", b"-1", b"1e309", b"NaN", b"0x10", b"1,5",
    b"\xe2\x80\x8b", b"\xef\xbb\xbf", b" ", b"",
];

struct Draft {
    method: Vec<u8>,
    target: Vec<u8>,
    version: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    eol: &'static [u8],
}

/// One malformed request.
pub fn request(dice: &mut Dice, ground: &Ground) -> Vec<u8> {
    let mut draft = sound(dice, ground);
    for _ in 0..=dice.roll(3) {
        MUTATIONS[dice.roll(MUTATIONS.len() as u64) as usize](dice, &mut draft);
    }
    let mut bytes = draft.bytes();
    match dice.roll(8) {
        0 => flip(dice, &mut bytes),
        1 => bytes.truncate(dice.roll(bytes.len() as u64 + 1) as usize),
        2 => insert(dice, &mut bytes),
        _ => {}
    }
    bytes
}

/// Names that decide whether a head is plain, and those that leave it so.
#[rustfmt::skip]
const NAMED: &[&[u8]] = &[
    b"Connection", b"Content-Length", b"Transfer-Encoding", b"Expect", b"Upgrade", b"Connectio\x0e",
];
#[rustfmt::skip]
const HARMLESS: &[&[u8]] = &[
    b"Cookie", b"TE", b"Keep-Alive", b"Proxy-Connection", b"User-Agent", b"Purpose", b"X-Moz", b"Sec-Purpose",
    b"X-Forwarded-For", b"Authorization", b"X", b"A|b~", b"Content_Length", b"Content-Lengt", b"Expectt",
];
#[rustfmt::skip]
const VALUES: &[&[u8]] = &[
    b"close", b"Close", b"keep-alive", b"KEEP-ALIVE", b"keep-alive, close", b" close\t", b"upgrade", b"chunked", b"0", b"5", b"",
    b"a b", b"\tx", b"\xe9", b"h2c", b"100-continue", b"a,,b;c=\"d\"", b"prefetch", b"\x7f",
];
/// Of a target; the first are usual ones.
const LETTERS: &[u8] = b"/abz09-._~:?[]@!$&'()*+,;=%/?&=#\"<>\\^`{|}\x80 ";
const USUAL_LETTERS: u64 = 32;

/// A head that is plain, or nearly so: what decides whether it is stands in it often, in any spelling.
pub fn head(dice: &mut Dice) -> Vec<u8> {
    let method = if dice.roll(30) == 0 { b"POST" } else { &b"GET"[..] };
    let letters = if dice.roll(8) > 0 { USUAL_LETTERS } else { LETTERS.len() as u64 };
    let target = (0..dice.roll(30)).map(|_| LETTERS[dice.roll(letters) as usize]);
    let target = [b'/'].into_iter().chain(target).collect();
    let version = if dice.roll(12) == 0 { b"HTTP/1.0" } else { b"HTTP/1.1" };
    let mut headers = vec![(b"Host".to_vec(), b"x".to_vec())];
    if dice.roll(4) == 0 {
        headers.push((b"connection".to_vec(), one(dice, &VALUES[..4]).to_vec()));
    }
    for _ in 0..dice.roll(5) {
        let names = if dice.roll(4) > 0 { HARMLESS } else { NAMED };
        let mut name = one(dice, names).to_vec();
        if dice.roll(2) == 0 {
            name.iter_mut().for_each(|byte| {
                *byte = if dice.roll(2) == 0 {
                    byte.to_ascii_lowercase()
                } else {
                    byte.to_ascii_uppercase()
                };
            });
        }
        headers.push((name, one(dice, VALUES).to_vec()));
    }
    let eol = if dice.roll(10) == 0 { b"\n" } else { &b"\r\n"[..] };
    let (method, version) = (method.to_vec(), version.to_vec());
    let mut bytes = Draft { method, target, version, headers, body: Vec::new(), eol }.bytes();
    if dice.roll(6) == 0 {
        flip(dice, &mut bytes);
    }
    bytes
}

fn one<'a, T: ?Sized>(dice: &mut Dice, all: &[&'a T]) -> &'a T {
    all[dice.roll(all.len() as u64) as usize]
}

fn nasty(dice: &mut Dice) -> Vec<u8> {
    one(dice, NASTY).to_vec()
}

fn sound(dice: &mut Dice, ground: &Ground) -> Draft {
    let (method, target) = ground.wanted[dice.roll(ground.wanted.len() as u64) as usize];
    let mut headers = vec![(b"Host".to_vec(), b"track.example".to_vec())];
    let mut put = |name: &str, value: &str| headers.push((name.into(), value.into()));
    put("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/131.0");
    if dice.roll(2) == 0 {
        put("Cookie", "tr_3=1.k.AAAA; other=1");
    }
    if dice.roll(2) == 0 && !ground.bearers.is_empty() {
        let bearer = &ground.bearers[dice.roll(ground.bearers.len() as u64) as usize];
        put("Authorization", &format!("Bearer {bearer}"));
    }
    let mut body = Vec::new();
    if matches!(method, "POST" | "PATCH") {
        let (content_type, text) = BODIES[dice.roll(BODIES.len() as u64) as usize];
        put("Content-Type", content_type);
        put("Content-Length", &text.len().to_string());
        body = text.into();
    }
    let (method, target, version) = (method.into(), target.into(), b"HTTP/1.1".to_vec());
    Draft { method, target, version, headers, body, eol: b"\r\n" }
}

impl Draft {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            [&self.method[..], b" ", &self.target, b" ", &self.version, self.eol].concat();
        for (name, value) in &self.headers {
            bytes.extend([&name[..], b": ", value, self.eol].concat());
        }
        bytes.extend(self.eol);
        bytes.extend(&self.body);
        bytes
    }

    fn put(&mut self, name: &[u8], value: &[u8]) {
        self.headers.push((name.to_vec(), value.to_vec()));
    }

    /// Says how long the body is, instead of what was said.
    fn length(&mut self, name: &[u8], value: &[u8]) {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        self.put(name, value);
    }
}

type Mutation = fn(&mut Dice, &mut Draft);

#[rustfmt::skip]
const MUTATIONS: &[Mutation] = &[
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"", b"get", b"G\0T", b"GET GET", b"PRI", b"CONNECT", b"TRACE", b"OPTIONS", b"PUT", b"DELETE",
            b"\xff", b"POST", b"PATCH",
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"M-SEARCH", b"@",
        ];
        draft.method = one(dice, odd).to_vec();
    },
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"*", b"", b"t/shop", b"http://other.example/t/shop?amount=1", b"//t/shop", b"/t/shop/../../x",
            b"/t/", b"/c/", b"/t/%73hop", b"/t/shop%00.gif", b"/postback/", b"http://", b"http://a:b@c:99999/",
            b"/t/shop.gif.gif", b"/t//shop", b"/?", b"?", b"#", b"/t/shop#x", b"/t/\xc3\xa9", b"/t/sh op",
            b"\\t\\shop", b"/t/shop;a=b", b"/api/v1/%2e%2e/x",
        ];
        draft.target = one(dice, odd).to_vec();
    },
    |dice, draft| {
        draft.target.extend(b"&x=");
        (0..=dice.roll(3)).for_each(|_| draft.target.extend(nasty(dice)));
    },
    |dice, draft| draft.target.extend([b"&".as_slice(), &nasty(dice), b"=1"].concat()),
    |dice, draft| {
        let times = [1, 300, 3_000][dice.roll(3) as usize];
        draft.target.extend([&b"&a=1"[..], b"&id=2", b"%41"][dice.roll(3) as usize].repeat(times));
    },
    |dice, draft| draft.target.extend(vec![b'a'; [9_000, 70_000][dice.roll(2) as usize]]),
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"HTTP/1.1 ", b"", b"HTTP/1.",
            b"HTP/1.1", b"\0",
        ];
        draft.version = one(dice, odd).to_vec();
    },
    |dice, draft| draft.eol = one(dice, &[&b"\n"[..], b"\r", b"\n\r", b"\r\r\n", b"\r\n "]),
    |dice, draft| {
        let name = [&b"X"[..], &nasty(dice), b"y"].concat();
        draft.put(&name, b"1");
    },
    |dice, draft| {
        let value = [&b"a"[..], &nasty(dice), b"b"].concat();
        draft.put(b"X-Value", &value);
    },
    |_, draft| draft.put(b"X-Fold", b"a\r\n b\r\n\tc"),
    |dice, draft| {
        let (name, value) = (dice.roll(20_000) as usize, dice.roll(40_000) as usize);
        draft.put(&vec![b'n'; name + 1], &vec![b'v'; value]);
    },
    |dice, draft| {
        let count = [60, 99, 101, 500, 3_000][dice.roll(5) as usize];
        (0..count).for_each(|n: u32| draft.put(format!("X-{n}").as_bytes(), b"1"));
    },
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"0", b"1", b"70000", b"-1", b"+3", b"0x10", b"3, 3", b"3, 4", b"", b" ", b"18446744073709551616",
            b"9223372036854775807", b"1e3", b"\xff", b"3;", b"00000000000000000000003",
            b"18446744073709551615",
        ];
        let value = one(dice, odd);
        draft.length(b"Content-Length", value);
    },
    |dice, draft| {
        let value = dice.roll(200).to_string();
        draft.put(b"Content-Length", value.as_bytes());
    },
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n",
            b"FFFFFFFFFFFFFFFFF\r\nabc", b"-3\r\nabc\r\n0\r\n\r\n", b"3;x=\"\r\nabc\r\n0\r\n\r\n",
            b"3\nabc\n0\n\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\n\xff\r\n\r\n", b"3\r\nabc\r\n",
            b"\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b"7fffffffffffffff\r\nabc", b"3 \r\nabc\r\n0\r\n\r\n",
            b"00000000000000003\r\nabc\r\n0\r\n\r\n",
        ];
        let coding = one(
            dice,
            &[
                &b"chunked"[..], b"gzip", b"chunked, chunked", b"identity", b"x", b" chunked", b"CHUNKED",
            ],
        );
        draft.length(b"Transfer-Encoding", coding);
        draft.body = one(dice, odd).to_vec();
        (0..dice.roll(40)).for_each(|_| draft.body.extend_from_slice(b"1\r\nx\r\n"));
    },
    |dice, draft| {
        flip(dice, &mut draft.body);
    },
    |dice, draft| {
        insert(dice, &mut draft.body);
        let length = draft.body.len().to_string();
        draft.length(b"Content-Length", length.as_bytes());
    },
    |dice, draft| {
        draft.body.truncate(dice.roll(draft.body.len() as u64 + 1) as usize);
        let length = draft.body.len().to_string();
        draft.length(b"Content-Length", length.as_bytes());
    },
    |_, draft| {
        draft.body = vec![b'['; 60_000];
        draft.put(b"Content-Type", b"application/json");
        draft.length(b"Content-Length", b"60000");
    },
    |_, draft| {
        draft.body = b"a=1&".repeat(15_000);
        draft.length(b"Content-Length", b"60000");
    },
    |dice, draft| {
        let odd: &[&[u8]] = &[
            b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=\"",
            b"application/json; charset=utf-16", b"/", b"text/html",
            b"multipart/form-data; boundary=X; boundary=Y", b"\xc3\x28",
            b"application/x-www-form-urlencoded;;;",
        ];
        let value = one(dice, odd);
        draft.headers.retain(|(name, _)| name != b"Content-Type");
        draft.put(b"Content-Type", value);
    },
    |dice, draft| {
        let value = [
            &b"tr_3="[..],
            &nasty(dice),
            b"; tr_3; =; tr_\xc3\xa9=1; ;",
            &vec![b'c'; dice.roll(5_000) as usize],
        ]
        .concat();
        draft.put(b"Cookie", &value);
    },
    |dice, draft| {
        let value =
            [&b"Bearer "[..], &nasty(dice), &vec![b'k'; dice.roll(3_000) as usize]].concat();
        draft.put(b"Authorization", &value);
    },
    |dice, draft| {
        let odd: &[(&[u8], &[u8])] = &[
            (b"Host", b"another"), (b"Expect", b"100-continue"), (b"Expect", b"x"), (b"Upgrade", b"h2c"),
            (b"Connection", b"upgrade"), (b"Connection", b"keep-alive, close"), (b"TE", b"trailers"),
            (b"Connection", b"close"), (b"Connection", b"content-length"),
            (b"X-Forwarded-For", b"<x>, 1.2.3.4,,"), (b"Sec-Fetch-Dest", b"image"), (b"Sec-GPC", b"1"),
            (b"Range", b"bytes=0-0,1-1,-"), (b"If-Match", b"\"x"), (b"Accept-Encoding", b"gzip;q=9"),
            (b"Content-Encoding", b"gzip"), (b"Origin", b"null"),
        ];
        let (name, value) = odd[dice.roll(odd.len() as u64) as usize];
        draft.put(name, value);
    },
    |_, draft| draft.headers.clear(),
    |dice, draft| {
        draft.body.extend(nasty(dice));
        draft.body.extend(b"GARBAGE / HTTP/9\r\n\r\n");
    },
];

fn flip(dice: &mut Dice, bytes: &mut [u8]) {
    for _ in 0..=dice.roll(8) {
        if !bytes.is_empty() {
            bytes[dice.roll(bytes.len() as u64) as usize] ^= 1 << dice.roll(8);
        }
    }
}

fn insert(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = dice.roll(bytes.len() as u64 + 1) as usize;
    bytes.splice(at..at, nasty(dice));
}
