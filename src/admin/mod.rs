//! The admin API, `/api/v1`: JSON over the catalog and the books; and the document that tells of it. Takes a request, finds out who sends it
//! and where it leads, hands it to the resource, and turns whatever stops it into a problem. Holds no
//! state; every statement is told who asks, and PostgreSQL besides. Never writes a hit or decides a sale.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use subtle::ConstantTimeEq;

use crate::domain::{api_key, sign};
use crate::http::chunks::Chunks;
use crate::http::forwarded::Client;
use crate::http::{self, BodyFault, Reply};
use crate::store::caller::Caller;
use crate::store::keys::{self, Principal};
use crate::store::{Cause, Store};

mod adjustments;
mod advertisers;
mod affiliates;
mod api_keys;
mod audit_log;
mod call;
mod cells;
mod chargebacks;
mod conversions;
mod corrections;
mod coupons;
mod document;
mod etag;
mod exchanges;
mod explain;
mod hits;
mod input;
mod invitations;
mod links;
mod months;
mod once;
mod order_list;
mod paying;
mod payout_files;
mod payout_runs;
mod payouts;
mod people;
mod plans;
mod programs;
mod rates;
mod reconciliations;
mod refunds;
mod refusal;
mod report;
mod rights;
mod routes;
mod rules;
mod seals;
mod shares;
mod shown;
mod statements;
mod takebacks;
mod tracking_codes;
mod users;
mod verdicts;
mod walls;

pub use routes::routes;
pub use walls::Walls;

use call::Call;
use etag::{IfMatch, Known};
use once::Key;
use refusal::Refusal;
use routes::{Action, Led};

/// Times that a call which lost a race is done again.
const RACES_MAX: u32 = 5;

/// What the API needs.
pub struct Admin {
    /// The books, for nobody yet.
    pub store: Store,
    /// The edge's address as the world sees it, without a slash at its end.
    pub public_base: String,
    /// The address of the portal and this API, likewise: in links for one person.
    pub admin_base: String,
    /// SHA-256 of the operator's first key, a setting.
    pub operator_key_hash: Option<[u8; 32]>,
    /// How often somebody may ask.
    pub walls: Walls,
    /// For a request's body.
    pub body_timeout: Duration,
    /// What is too large to be a usual request, and is read as it comes.
    pub uploads: Uploads,
}

/// The limits of lists of orders.
#[derive(Debug, Clone, Copy)]
pub struct Uploads {
    /// Bytes of one, at most.
    pub bytes_max: u64,
    /// For sending one and comparing it.
    pub timeout: Duration,
}

impl Admin {
    /// How long answering a request may take: as usual, or longer where it brings what is large.
    pub fn patience(&self, request: &Request<Incoming>, usual: Duration) -> Duration {
        match routes::takes_upload(request.method().as_str(), request.uri().path()) {
            true => self.uploads.timeout + usual,
            false => usual,
        }
    }
}

/// Whether a path is the API's or its document's.
pub fn serves(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || document::serves(path)
}

/// What a path is called in metrics; there are few, whatever is asked for.
pub fn template_of(path: &str) -> &'static str {
    if document::serves(path) { "document" } else { routes::template_of(path).unwrap_or("other") }
}

/// Answers one request for a path that is served here.
pub async fn answer(admin: &Admin, request: Request<Incoming>) -> Reply {
    if let Some(status) = http::head_fault(&request) {
        return http::problem(status, "head_too_large", "The request's head is too large.", &[]);
    }
    let (method, known) = (request.method().clone(), Known::of(&request));
    let reply = match request.uri().path() {
        path if document::serves(path) => document::answer(&method, path),
        _ => answer_of_api(admin, request).await,
    };
    etag::unless_known(reply, &method, &known)
}

async fn answer_of_api(admin: &Admin, request: Request<Incoming>) -> Reply {
    let who = match authenticate(admin, &request).await {
        Ok(Some(who)) => who,
        Ok(None) => return unauthorized(),
        Err(refusal) => return refusal.reply(),
    };
    match routes::lead(request.method().as_str(), request.uri().path(), &who) {
        Led::Nowhere => Refusal::NotFound.reply(),
        Led::Otherwise(methods) => otherwise(request.method(), &methods),
        Led::Forbidden => Refusal::Forbidden.reply(),
        Led::Lacking(right) => Refusal::Lacking(right).reply(),
        Led::To(action, id, version) => {
            let call = Call {
                admin,
                store: admin.store.on_behalf_of(Caller::from(who)),
                role: who.role,
                who,
                path: request.uri().path().to_owned(),
                id,
                version,
                query: request.uri().query().unwrap_or("").to_owned(),
                content_type: http::header_text(&request, "content-type").to_owned(),
                if_match: IfMatch::of(&request),
                method: request.method().clone(),
                key: Key::of(&request),
                body: Bytes::new(),
                upload: Mutex::new(None),
            };
            carry_out(call, action, request).await.unwrap_or_else(Refusal::reply)
        }
    }
}

async fn carry_out(
    mut call: Call<'_>,
    action: Action,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    if action.takes_upload() {
        let (bytes_max, timeout) = (call.admin.uploads.bytes_max, call.admin.body_timeout);
        let chunks = Chunks::new(request.into_body(), bytes_max, timeout);
        call.upload = Mutex::new(Some(chunks.map_err(|fault| order_list::broken(&fault))?));
    } else if matches!(*request.method(), Method::POST | Method::PATCH) {
        call.no_query()?;
        let timeout = call.admin.body_timeout;
        let body = http::read_body(request.into_body(), http::BODY_BYTES_MAX, timeout).await;
        call.body = body.map_err(|fault| {
            let (code, detail) = match fault {
                BodyFault::TooLarge => ("body_too_large", "The body is larger than 64 KiB."),
                BodyFault::TimedOut => ("body_too_slow", "The body did not come in time."),
                BodyFault::Broken => ("body_broken", "The body broke off."),
            };
            Refusal::Unreadable(fault.status(), code, detail)
        })?;
    }
    // Who lost a race did nothing; but what was uploaded is read by now.
    let mut left = if action.takes_upload() { 0 } else { RACES_MAX };
    loop {
        match action.answer(&call).await {
            Err(Refusal::Store(error)) if error.cause == Cause::Race && left > 0 => left -= 1,
            answered => return answered,
        }
    }
}

/// Who sends it; nobody without a good key.
async fn authenticate(
    admin: &Admin,
    request: &Request<Incoming>,
) -> Result<Option<Principal>, Refusal> {
    let header = http::header_text(request, "authorization");
    let bearer = header.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let Some((_, key)) = bearer.filter(|(_, key)| !key.trim().is_empty()) else {
        return Ok(None);
    };
    let hash = sign::digest(key.trim().as_bytes());
    let client = request.extensions().get::<Client>().map(|client| client.0);
    admin.walls.knock(&hash, client)?;
    let principal = match admin.operator_key_hash {
        Some(operator) if bool::from(operator.ct_eq(&hash)) => Some(Principal::FIRST),
        _ if !api_key::is_plausible(key.trim()) => None,
        _ => keys::find(&admin.store, &hash).await?,
    };
    match principal {
        Some(_) => admin.walls.enter(&hash)?,
        None => admin.walls.turn_away(&hash, client)?,
    }
    Ok(principal)
}

fn unauthorized() -> Reply {
    let detail = "Send a key: `Authorization: Bearer …`.";
    let mut reply = http::problem(StatusCode::UNAUTHORIZED, "unauthorized", detail, &[]);
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    reply
}

/// Which methods there are: what `OPTIONS` asks, and what others should have.
fn otherwise(method: &Method, methods: &[&str]) -> Reply {
    let mut reply = match *method {
        Method::OPTIONS => call::no_content(),
        _ => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            http::problem(status, "method_not_allowed", "Not by this method.", &[])
        }
    };
    let mut allowed = methods.to_vec();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    if let Ok(allow) = HeaderValue::from_str(&allowed.join(", ")) {
        reply.headers_mut().insert(header::ALLOW, allow);
    }
    reply
}
