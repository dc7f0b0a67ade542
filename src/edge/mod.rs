//! The public edge: request to hit to answer. Keeps the request as it came, answers after it is on disk,
//! and leaves every decision to the worker; what it tells the caller early, it computes with the same pure
//! functions. Never waits for PostgreSQL or Redis.

pub mod budgets;
mod click;
mod conversion;
mod visit;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use ipnet::IpNet;
use tokio::time::Instant;

use crate::domain::catalog::Catalog;
use crate::domain::hit::{self, Kind};
use crate::domain::token::Keys;
use crate::failpoint;
use crate::http::lines::Lines;
use crate::http::plain::Head;
use crate::http::{self, Peer, Reply};
use crate::journal::{Appender, Appending, Journal, Refused};
use crate::telemetry;
use budgets::Budgets;
use visit::Visit;

/// The script that shops put on their pages.
const TAG: &str = include_str!("tag.js");
/// Seconds after which a refused caller should try again.
const RETRY_AFTER: &str = "5";

/// How long ago the catalog may have been compared with the database's; it is each second.
const CATALOG_AGE_MAX_MS: i64 = 10_000;
/// Of the journal's quota, in percent: what may be used when hits of codes that an edge with an older catalog
/// does not know are still taken without a bound. The rest is for those that it knows.
const STRANGERS_PERCENT: u64 = 50;

/// What an edge needs. One a runtime.
pub struct Edge {
    /// Where hits become durable.
    pub appender: Appender,
    /// For ids.
    pub journal: Journal,
    /// The snapshot in use.
    pub catalog: Arc<ArcSwap<Catalog>>,
    /// When it was last known to be the database's, in milliseconds since 1970; 0: not since the start.
    pub catalog_read_ms: Arc<AtomicI64>,
    /// For click tokens.
    pub keys: Keys,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many hits are let in.
    pub budgets: Arc<Budgets>,
    /// For a request's body.
    pub body_timeout: Duration,
}

/// The edge's routes, as metrics name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Click,
    Tracking,
    Postback,
    Tag,
    Other,
}

impl Route {
    /// The route of a path, and the code in it.
    fn of(path: &str) -> (Route, &str) {
        if let Some(code) = path.strip_prefix("/t/") {
            (Route::Tracking, code.strip_suffix(".gif").unwrap_or(code))
        } else if let Some(code) = path.strip_prefix("/c/") {
            (Route::Click, code)
        } else if let Some(code) = path.strip_prefix("/postback/") {
            (Route::Postback, code)
        } else if path == "/tag.js" {
            (Route::Tag, "")
        } else {
            (Route::Other, "")
        }
    }

    fn template(self) -> &'static str {
        ["/c/{link}", "/t/{code}", "/postback/{code}", "/tag.js", "other"][self as usize]
    }

    fn allows(self) -> &'static str {
        ["GET, HEAD", "GET, HEAD, POST", "GET, POST", "GET, HEAD", ""][self as usize]
    }
}

/// An answer, ready, that leaves when its hit is on disk.
struct Answer {
    appending: Option<Appending>,
    lines: Lines,
    /// What leaves instead when the hit is refused.
    refused: fn(Lines) -> Lines,
}

impl Answer {
    fn after(appending: Appending, lines: Lines, refused: fn(Lines) -> Lines) -> Self {
        Answer { appending: Some(appending), lines, refused }
    }

    fn at_once(lines: Lines) -> Self {
        Answer { appending: None, lines, refused: |lines| lines }
    }

    async fn leave(self) -> Lines {
        let Some(appending) = self.appending else { return self.lines };
        match appending.done().await {
            Ok(()) => self.lines,
            Err(_) => (self.refused)(self.lines),
        }
    }
}

impl Edge {
    /// Whether hits of codes that are not in the catalog are bounded. Not while there may be codes that the
    /// edge has not heard of.
    fn bounds_strangers(&self, visit: &Visit<'_>) -> bool {
        let age_ms = visit.now_ms - self.catalog_read_ms.load(Ordering::Relaxed);
        age_ms <= CATALOG_AGE_MAX_MS || self.journal.used_percent() >= STRANGERS_PERCENT
    }

    /// Answers one request.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Reply {
        let began = Instant::now();
        let route = Route::of(request.uri().path()).0;
        let method = telemetry::method(request.method().as_str());
        let reply = self.route(route, request, peer).await;
        leaving(route, method, reply.status(), began.elapsed());
        reply
    }

    /// Answers a plain request, unless it is a postback, and tells when the answer was ready. The hit is
    /// handed on before this returns.
    pub fn answer_plain(
        &self,
        head: &Head<'_>,
        peer: &Peer,
    ) -> Option<impl Future<Output = (Lines, Instant)> + use<>> {
        let began = Instant::now();
        let route = Route::of(head.path).0;
        if matches!(route, Route::Postback | Route::Other) {
            return None; // Read once, on the long way.
        }
        let visit = Visit::plain(head, peer, &self.trusted_proxies);
        let mut answer = match route {
            Route::Tracking => self.pixel(&visit),
            Route::Click => self.click(&visit),
            _ => Answer::at_once(tag()),
        };
        visit.date(|date| answer.lines.put("date", date));
        Some(async move {
            let lines = answer.leave().await;
            let ready_at = Instant::now();
            leaving(route, "GET", lines.status, ready_at - began);
            (lines, ready_at)
        })
    }

    async fn route(&self, route: Route, request: Request<Incoming>, peer: Peer) -> Reply {
        if let Some(status) = http::head_fault(&request) {
            return page(status, "The request is too large.").into();
        }
        let trusted = &self.trusted_proxies;
        match (route, request.method()) {
            (Route::Tracking, &Method::GET | &Method::HEAD) => {
                let parts = request.into_parts().0;
                self.pixel(&Visit::new(&parts, &peer, trusted)).leave().await.into()
            }
            (Route::Click, &Method::GET | &Method::HEAD) => {
                let parts = request.into_parts().0;
                self.click(&Visit::new(&parts, &peer, trusted)).leave().await.into()
            }
            (Route::Tracking, &Method::POST) => self.form(request, peer).await.into(),
            (Route::Postback, &Method::GET | &Method::POST) => self.postback(request, peer).await,
            (Route::Tag, &Method::GET | &Method::HEAD) => tag().into(),
            (Route::Other, _) => page(StatusCode::NOT_FOUND, "There is nothing here.").into(),
            (route, _) => {
                let text = "This method is not used here.";
                let mut lines = page(StatusCode::METHOD_NOT_ALLOWED, text);
                lines.put("allow", route.allows());
                lines.into()
            }
        }
    }
}

/// An answer is ready and leaves next.
fn leaving(route: Route, method: &'static str, status: StatusCode, took: Duration) {
    failpoint::pass("edge.answering");
    telemetry::request(route.template(), method, status.as_u16(), took);
}

/// Counts a hit, made durable or refused: for the edge's appender.
pub fn count(kind: Kind, kept: Result<(), Refused>) {
    match kept {
        Ok(()) => telemetry::received(kind).increment(1),
        Err(refused) => telemetry::refused(refused.code()).increment(1),
    }
}

fn tag() -> Lines {
    let known = "content-type: text/javascript; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
        cache-control: public, max-age=3600\r\ncross-origin-resource-policy: cross-origin\r\n";
    Lines::new(StatusCode::OK, known, TAG)
}

/// A small page for a person that says one thing. `text` is ours, never a stranger's.
fn page(status: StatusCode, text: &str) -> Lines {
    page_of(status, text, text)
}

/// A small page; its body is HTML whose values are escaped.
fn page_of(status: StatusCode, title: &str, body: &str) -> Lines {
    let known = "content-type: text/html; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
        cache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\n";
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><p>{body}</p></html>"
    );
    Lines::new(status, known, html)
}

/// The hit could not be made durable: nobody is told that it was.
fn unavailable(mut lines: Lines) -> Lines {
    lines.status = StatusCode::SERVICE_UNAVAILABLE;
    lines.put("retry-after", RETRY_AFTER);
    lines
}

/// The kind of a hit of a route.
fn kind_of(route: Route, method: hit::Method) -> Kind {
    match (route, method) {
        (Route::Click, _) => Kind::Click,
        (Route::Postback, _) => Kind::Postback,
        (_, hit::Method::Post) => Kind::Form,
        _ => Kind::Pixel,
    }
}
