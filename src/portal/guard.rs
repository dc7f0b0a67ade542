//! The walls that need no database: requests that another site makes a browser send are told apart, and
//! every reply carries the headers that keep scripts, frames and caches of others out.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use serde_json::Value;

use crate::http::{self, Reply, header_text};
use crate::telemetry;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                   report-uri /csp-report";
/// Whoever came once by https comes by nothing else for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Whether a request that changes something comes from a page of ours, or from no page at all: by
/// `Sec-Fetch-Site`, by `Origin` from browsers that lack it; what sends neither is no browser.
pub fn is_own<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    if headers.contains_key("sec-fetch-site") {
        return matches!(header_text(request, "sec-fetch-site"), "same-origin" | "none");
    }
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let host = header_text(request, "host");
    let origin = header_text(request, "origin").split_once("://").map_or("", |(_, host)| host);
    !host.is_empty() && origin.eq_ignore_ascii_case(host)
}

const REPORT_BYTES_MAX: usize = 16 << 10;

/// Counts a report. Of what it says, only the name of the rule is told: the rest is a stranger's.
pub async fn report(body: Incoming, timeout: Duration) -> Reply {
    let read = http::read_body(body, REPORT_BYTES_MAX, timeout).await.unwrap_or_default();
    let report: Value = serde_json::from_slice(&read).unwrap_or_default();
    let directive = report["csp-report"]["effective-directive"].as_str().unwrap_or("");
    let is_name =
        directive.len() <= 40 && directive.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    tracing::debug!(directive = if is_name { directive } else { "" }, "a page broke its policy");
    telemetry::csp_report();
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// Puts the headers on; a reply that says how it may be cached keeps that.
pub fn harden(mut reply: Reply, is_https: bool) -> Reply {
    if is_https {
        reply.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    for (name, value) in HEADERS {
        reply.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_our_own_may_change_anything() {
        for (headers, expected) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://here.example:8081")], false),
            (&[("sec-fetch-site", "\u{e9}")], false),
            (&[("origin", "https://here.example:8081")], true),
            (&[("origin", "https://HERE.example:8081")], true),
            (&[("origin", "https://here.example")], false),
            (&[("origin", "https://there.example")], false),
            (&[("origin", "null")], false),
        ] {
            let mut request = Request::builder().header("host", "here.example:8081");
            for (name, value) in headers {
                request = request.header(*name, value.as_bytes());
            }
            assert_eq!(is_own(&request.body(()).unwrap()), expected, "{headers:?}");
        }
    }
}
