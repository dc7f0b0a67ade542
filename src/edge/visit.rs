//! A request, read once: the parts that a hit keeps. The only place of the edge that looks at headers, and
//! that reads the clock.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::http::request::Parts;
use hyper::{Method as HttpMethod, header};
use ipnet::IpNet;

use super::{Route, kind_of};
use crate::domain::click;
use crate::domain::hit::{Hit, Method, Part};
use crate::domain::id::Id;
use crate::domain::sign;
use crate::http::Peer;

/// Bytes kept of a header that only describes the visitor.
const TEXT_BYTES_MAX: usize = 1024;
/// Bytes kept of a code in a path: one more than a code of ours can have, so that a longer one is none.
const CODE_BYTES_MAX: usize = 65;

/// What came, and when.
pub(super) struct Visit {
    parts: Parts,
    pub now_ms: i64,
    peer: Peer,
    client: Option<String>,
    cookie: String,
    bearer_hash: String,
}

impl Visit {
    /// Reads the head of a request.
    pub fn new(parts: Parts, peer: Peer, trusted: &[IpNet]) -> Self {
        let now_ms =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        let client = client(&parts, peer.ip, trusted).map(|ip| ip.to_string());
        let bearer = parts.headers.get(header::AUTHORIZATION).map_or(&b""[..], |v| v.as_bytes());
        let scheme = bearer.split_at_checked(7).filter(|(s, _)| s.eq_ignore_ascii_case(b"bearer "));
        let bearer_hash =
            scheme.map(|(_, secret)| sign::digest_hex(secret.trim_ascii())).unwrap_or_default();
        Visit { now_ms, peer, client, cookie: cookies(&parts), bearer_hash, parts }
    }

    /// The hit that it is.
    pub fn hit<'a>(&'a self, id: Id, body: &'a [u8]) -> Hit<'a> {
        let (route, code) = Route::of(self.parts.uri.path());
        let method = match self.parts.method {
            HttpMethod::HEAD => Method::Head,
            HttpMethod::POST => Method::Post,
            _ => Method::Get,
        };
        let mut hit = Hit::new(id, self.now_ms, kind_of(route, &self.parts.method), method);
        hit.set(Part::Code, &code.as_bytes()[..code.len().min(CODE_BYTES_MAX)]);
        hit.set(Part::Path, self.parts.uri.path().as_bytes());
        hit.set(Part::Query, self.query());
        hit.set(Part::Body, body);
        hit.set(Part::Cookie, self.cookie.as_bytes());
        hit.set(Part::BearerHash, self.bearer_hash.as_bytes());
        for (name, value) in &self.parts.headers {
            let value = value.as_bytes();
            let value = &value[..value.len().min(TEXT_BYTES_MAX)];
            match name.as_str() {
                "content-type" => hit.set(Part::ContentType, value),
                "user-agent" => hit.set(Part::UserAgent, value),
                "referer" => hit.set(Part::Referer, value),
                "accept-language" => hit.set(Part::AcceptLanguage, value),
                "sec-fetch-dest" => hit.set(Part::FetchDest, value),
                "origin" => hit.set(Part::Origin, value),
                "sec-gpc" => hit.set(Part::Gpc, value),
                "sec-purpose" | "purpose" | "x-moz" => hit.set(Part::Purpose, value),
                _ => {}
            }
        }
        if click::privacy(&hit).is_none() {
            hit.set(Part::Peer, self.peer.text.as_bytes());
            hit.set(Part::Client, self.client.as_deref().unwrap_or("").as_bytes());
        }
        hit
    }

    /// The query string as sent.
    pub fn query(&self) -> &[u8] {
        self.parts.uri.query().unwrap_or("").as_bytes()
    }
}

/// Our own cookies only; what others set on this host is none of our business.
fn cookies(parts: &Parts) -> String {
    if !parts.headers.contains_key(header::COOKIE) {
        return String::new();
    }
    let headers = parts.headers.get_all(header::COOKIE).iter();
    let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let ours: Vec<&str> = pairs.map(str::trim).filter(|pair| pair.starts_with("tr_")).collect();
    ours.join("; ")
}

/// The client as the nearest proxy that is not ours names it: from the right, past trusted addresses only.
/// Nobody else's `X-Forwarded-For` is believed.
fn client(parts: &Parts, peer: IpAddr, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return None;
    }
    let headers = parts.headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> =
        headers.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).collect();
    for hop in hops.into_iter().rev() {
        let ip = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !is_trusted(&ip) {
            return Some(ip);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn visit(headers: &[(&str, &str)], peer: &str) -> Visit {
        let mut request = Request::builder().uri("/t/shop.gif?amount=1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        Visit::new(parts, Peer::of(format!("{peer}:1").parse().unwrap()), &trusted)
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        let forwarded = |chain, peer| visit(&[("x-forwarded-for", chain)], peer).client;
        assert_eq!(forwarded("1.2.3.4", "9.9.9.9"), None);
        assert_eq!(forwarded("6.6.6.6, 1.2.3.4, 10.1.1.1", "10.0.0.1").as_deref(), Some("1.2.3.4"));
        assert_eq!(forwarded("<script>, 10.1.1.1", "10.0.0.1"), None);
    }

    #[test]
    fn only_what_matters_is_kept() {
        let visit = visit(
            &[
                ("cookie", "sid=1; tr_5=abc; x=y"),
                ("authorization", "Bearer s3cret"),
                ("sec-gpc", "1"),
            ],
            "9.9.9.9",
        );
        let hit = visit.hit(1, b"");
        assert_eq!(hit.text(Part::Code), "shop");
        assert_eq!(hit.text(Part::Cookie), "tr_5=abc");
        assert_eq!(hit.text(Part::BearerHash), sign::digest_hex(b"s3cret"));
        assert_eq!(hit.text(Part::Peer), "", "the visitor asked for privacy");
    }
}
