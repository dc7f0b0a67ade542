//! Signing in and out. A key is exchanged for a cookie of 256 random bits; the database keeps its digest
//! and asks, with every page, whether the key is still good.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::page::{self, Frame, Refusal};
use super::{Portal, home};
use crate::domain::sign;
use crate::http::{self, BODY_BYTES_MAX, Reply, header_text};
use crate::store::keys::{self, Principal, Role};
use crate::store::sessions::{self, Means};

/// `__Host-`: the browser itself sees to `Secure`, `Path=/` and no `Domain`.
const COOKIE: &str = "__Host-tributary";

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/portal/askama.toml")]
struct SignInPage {
    frame: Frame,
    refused: bool,
}

/// The page with the one field.
pub fn form() -> Result<Reply, Refusal> {
    page::html(StatusCode::OK, &SignInPage { frame: Frame::bare("Sign in"), refused: false })
}

/// Takes a key; a good one opens a session.
pub async fn sign_in(portal: &Portal, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let body = form_body(portal, request).await?;
    let key = value(&body, "key");
    let Some((role, means)) = owner(portal, &sign::digest(key.trim().as_bytes())).await? else {
        let page = SignInPage { frame: Frame::bare("Sign in"), refused: true };
        return page::html(StatusCode::UNAUTHORIZED, &page);
    };
    let mut secret = [0; 32];
    if let Err(error) = getrandom::fill(&mut secret) {
        tracing::error!(%error, "no random bits for a session");
        return Err(Refusal::Status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let secret = URL_SAFE_NO_PAD.encode(secret);
    sessions::begin(&portal.store, &sign::digest(secret.as_bytes()), means).await?;
    Ok(with_cookie(page::redirect(home(role)), &secret, ""))
}

/// Ends the session.
pub async fn sign_out(portal: &Portal, request: &Request<Incoming>) -> Result<Reply, Refusal> {
    if let Some(secret) = presented(request) {
        sessions::end(&portal.store, &sign::digest(secret.as_bytes())).await?;
    }
    Ok(with_cookie(page::redirect("/sign-in"), "", "; Max-Age=0"))
}

/// Who is signed in.
pub async fn who(
    portal: &Portal,
    request: &Request<Incoming>,
) -> Result<Option<Principal>, Refusal> {
    let Some(secret) = presented(request) else { return Ok(None) };
    let hash = sign::digest(secret.as_bytes());
    Ok(sessions::find(&portal.store, &hash, portal.operator_key_hash.as_ref()).await?)
}

/// Reads a form's body.
pub async fn form_body(
    portal: &Portal,
    request: Request<Incoming>,
) -> Result<bytes::Bytes, Refusal> {
    http::read_body(request.into_body(), BODY_BYTES_MAX, portal.body_timeout)
        .await
        .map_err(Refusal::Body)
}

/// A field of a form or query; empty when absent.
pub fn value(pairs: &[u8], name: &str) -> String {
    let mut pairs = form_urlencoded::parse(pairs);
    pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn owner(portal: &Portal, hash: &[u8; 32]) -> Result<Option<(Role, Means)>, Refusal> {
    if portal.operator_key_hash.is_some_and(|known| bool::from(known.ct_eq(hash))) {
        return Ok(Some((Role::Operator, Means::OperatorKey(*hash))));
    }
    let principal = keys::find(&portal.store, hash).await?;
    Ok(principal.and_then(|p| Some((p.role, Means::Key(p.key_id?)))))
}

/// What the cookie holds.
fn presented(request: &Request<Incoming>) -> Option<String> {
    Cookie::split_parse(header_text(request, "cookie"))
        .flatten()
        .find(|cookie| cookie.name() == COOKIE)
        .map(|cookie| cookie.value().to_owned())
}

fn with_cookie(mut reply: Reply, secret: &str, end: &str) -> Reply {
    let cookie = format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax{end}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    reply
}
