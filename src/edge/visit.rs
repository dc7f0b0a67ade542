//! A request, read once: the parts that a hit keeps. The only place of the edge that looks at headers, and
//! that reads the clock.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::http::request::Parts;
use ipnet::IpNet;

use super::{Route, kind_of};
use crate::domain::click;
use crate::domain::hit::{Hit, Method, PARTS, Part};
use crate::domain::id::Id;
use crate::domain::sign;
use crate::http::Peer;
use crate::http::forwarded::{client, neighbourhood};
use crate::http::plain::{Head, is_named};

/// Bytes kept of a header that only describes the visitor.
const TEXT_BYTES_MAX: usize = 1024;
/// Bytes kept of a code in a path: one more than a code of ours can have, so that a longer one is none.
const CODE_BYTES_MAX: usize = 65;

/// What came, and when.
pub(super) struct Visit<'a> {
    pub now_ms: i64,
    /// All but what is made from it: its id, its body, cookies and addresses.
    seen: Hit<'a>,
    cookie: Cow<'a, str>,
    bearer_hash: String,
    peer: &'a Peer,
    /// Who sent it, where a proxy of ours tells that.
    client: Option<Peer>,
}

impl<'a> Visit<'a> {
    /// Reads the head of a request.
    pub fn new(parts: &'a Parts, peer: &'a Peer, trusted: &[IpNet]) -> Self {
        let method = match parts.method {
            hyper::Method::HEAD => Method::Head,
            hyper::Method::POST => Method::Post,
            _ => Method::Get,
        };
        let target = (parts.uri.path(), parts.uri.query().unwrap_or(""));
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Self::read((method, target), headers, peer, trusted)
    }

    /// Reads the head of a plain request.
    pub fn plain(head: &Head<'a>, peer: &'a Peer, trusted: &[IpNet]) -> Self {
        Self::read((Method::Get, (head.path, head.query)), head.headers(), peer, trusted)
    }

    fn read(
        (method, (path, query)): (Method, (&'a str, &'a str)),
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
        peer: &'a Peer,
        trusted: &[IpNet],
    ) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = now.map_or(0, |since| since.as_millis() as i64);
        let (route, code) = Route::of(path);
        let mut seen = Hit::new(0, now_ms, kind_of(route, method), method);
        seen.set(Part::Code, &code.as_bytes()[..code.len().min(CODE_BYTES_MAX)]);
        seen.set(Part::Path, path.as_bytes());
        seen.set(Part::Query, query.as_bytes());
        let mut cookie = Cow::Borrowed("");
        let mut bearer_hash = None;
        let mut forwarded = Vec::new();
        let mut known = [false; PARTS.len()];
        for (name, value) in headers {
            match field(name) {
                // The first counts: a map of headers keeps no order between the names of one part.
                Some(Field::Part(part)) if !known[part as usize] => {
                    known[part as usize] = true;
                    seen.set(part, &value[..value.len().min(TEXT_BYTES_MAX)]);
                }
                Some(Field::Cookie) => keep_ours(&mut cookie, value),
                Some(Field::Authorization) if bearer_hash.is_none() => {
                    bearer_hash = Some(hash_bearer(value));
                }
                Some(Field::Forwarded) => forwarded.push(value),
                _ => {}
            }
        }
        let bearer_hash = bearer_hash.unwrap_or_default();
        let client = client(&forwarded, peer.ip, trusted).map(|ip| Peer::of((ip, 0).into()));
        Visit { now_ms, seen, cookie, bearer_hash, peer, client }
    }

    /// The hit that it is.
    pub fn hit<'h>(&'h self, id: Id, body: &'h [u8]) -> Hit<'h> {
        let mut hit: Hit<'h> = self.seen;
        hit.id = id;
        hit.set(Part::Body, body);
        hit.set(Part::Cookie, self.cookie.as_bytes());
        hit.set(Part::BearerHash, self.bearer_hash.as_bytes());
        if click::privacy(&hit).is_none() {
            hit.set(Part::Peer, self.peer.text.as_bytes());
            let client = self.client.as_ref().map_or("", |client| &client.text);
            hit.set(Part::Client, client.as_bytes());
        }
        hit
    }

    /// What its sender's address is counted as.
    pub fn neighbourhood(&self) -> IpAddr {
        neighbourhood(self.client.as_ref().unwrap_or(self.peer).ip)
    }

    /// When it came, as a `Date`.
    pub fn date(&self, tell: impl FnOnce(&str)) {
        // Written once a second.
        thread_local!(static LAST: RefCell<(i64, String)> =
            const { RefCell::new((-1, String::new())) });
        let second = self.now_ms / 1_000;
        LAST.with_borrow_mut(|(at, text)| {
            if *at != second {
                let time = UNIX_EPOCH + Duration::from_secs(second.unsigned_abs());
                (*at, *text) = (second, httpdate::fmt_http_date(time));
            }
            tell(text);
        });
    }
}

/// Where a header belongs.
#[derive(Clone, Copy)]
enum Field {
    Part(Part),
    Cookie,
    Authorization,
    Forwarded,
}

/// The field of a header, by its name in any case.
fn field(name: &str) -> Option<Field> {
    let known: &[(&str, Field)] = match name.len() {
        5 => &[("x-moz", Field::Part(Part::Purpose))],
        6 => &[("cookie", Field::Cookie), ("origin", Field::Part(Part::Origin))],
        7 => &[
            ("referer", Field::Part(Part::Referer)),
            ("purpose", Field::Part(Part::Purpose)),
            ("sec-gpc", Field::Part(Part::Gpc)),
        ],
        10 => &[("user-agent", Field::Part(Part::UserAgent))],
        11 => &[("sec-purpose", Field::Part(Part::Purpose))],
        12 => &[("content-type", Field::Part(Part::ContentType))],
        13 => &[("authorization", Field::Authorization)],
        14 => &[("sec-fetch-dest", Field::Part(Part::FetchDest))],
        15 => &[
            ("accept-language", Field::Part(Part::AcceptLanguage)),
            ("x-forwarded-for", Field::Forwarded),
        ],
        _ => &[],
    };
    let field = known.iter().find(|(known, _)| is_named(name, known));
    field.map(|(_, field)| *field)
}

/// A header's value, if it is text. Control characters were refused with the head.
fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|text| text.is_ascii())
}

/// Our own cookies only; what others set on this host is none of our business.
fn keep_ours<'a>(kept: &mut Cow<'a, str>, value: &'a [u8]) {
    for pair in value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        let ours = Some(pair).filter(|pair| pair.starts_with(b"tr_"));
        let Some(pair) = ours.and_then(text) else { continue };
        *kept = match &**kept {
            "" => Cow::Borrowed(pair),
            others => Cow::Owned(format!("{others}; {pair}")),
        };
    }
}

fn hash_bearer(value: &[u8]) -> String {
    let scheme = value.split_at_checked(7).filter(|(s, _)| s.eq_ignore_ascii_case(b"bearer "));
    scheme.map(|(_, secret)| sign::digest_hex(secret.trim_ascii())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::plain;
    use hyper::Request;
    use proptest::prelude::*;

    fn hit<T>(headers: &[(&str, &str)], peer: &str, look: impl FnOnce(Hit<'_>) -> T) -> T {
        let mut request = Request::builder().uri("/t/shop.gif?amount=1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let peer = Peer::of(format!("{peer}:1").parse().unwrap());
        look(Visit::new(&parts, &peer, &trusted).hit(1, b""))
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        let forwarded = |chain, peer| {
            hit(&[("x-forwarded-for", chain)], peer, |hit| hit.text(Part::Client).to_owned())
        };
        assert_eq!(forwarded("1.2.3.4", "9.9.9.9"), "");
        assert_eq!(forwarded("6.6.6.6, 1.2.3.4, 10.1.1.1", "10.0.0.1"), "1.2.3.4");
        assert_eq!(forwarded("[2001:db8::7]:4711", "10.0.0.1"), "2001:db8::7");
        assert_eq!(forwarded("<script>, 10.1.1.1", "10.0.0.1"), "");
    }

    proptest! {
        #[test]
        fn a_request_is_the_same_hit_by_the_short_way_and_by_the_long(
            target in "/[a-c%/?&=]{0,8}",
            headers in proptest::collection::vec((
                "purpose|x-moz|Sec-Purpose|COOKIE|authorization|x-forwarded-for|user-agent|sec-gpc|origin|x",
                "|1|prefetch|tr_1=a|tr_2|Bearer x|bearer  y |10[.]1[.]1[.]1|1[.]2[.]3[.]4, 10[.]0[.]0[.]9|é",
            ), 0..6),
        ) {
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let text = format!("GET {target} HTTP/1.1\r\n{}\r\n", lines.collect::<String>());
            let mut request = Request::builder().uri(&*target);
            for (name, value) in &headers {
                request = request.header(name, value.trim().as_bytes());
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            let peer = Peer::of("10.0.0.1:1".parse().unwrap());
            let long = Visit::new(&parts, &peer, &trusted);
            let alike = plain::take(text.as_bytes(), |head| {
                let short = Visit::plain(head, &peer, &trusted);
                let same_moment = |visit: &Visit<'_>| {
                    let mut bytes = Vec::new();
                    let mut hit = visit.hit(1, b"");
                    hit.received_ms = 0;
                    hit.encode(&mut bytes);
                    bytes
                };
                Some(same_moment(&short) == same_moment(&long))
            });
            prop_assert_eq!(alike.map(|(_, _, alike)| alike), Some(true), "{}", text);
        }
    }

    #[test]
    fn only_what_matters_is_kept() {
        let headers = [
            ("cookie", "sid=1; tr_5=abc; x=y"),
            ("cookie", "tr_6=def"),
            ("Authorization", "Bearer s3cret"),
            ("SEC-GPC", "1"),
        ];
        hit(&headers, "9.9.9.9", |hit| {
            assert_eq!(hit.text(Part::Code), "shop");
            assert_eq!(hit.text(Part::Cookie), "tr_5=abc; tr_6=def");
            assert_eq!(hit.text(Part::BearerHash), sign::digest_hex(b"s3cret"));
            assert_eq!(hit.text(Part::Peer), "", "the visitor asked for privacy");
        });
    }
}
