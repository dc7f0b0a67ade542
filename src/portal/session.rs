//! Who is signed in. A browser's cookie holds 256 random bits; the database keeps their digest and asks, with
//! every page, whether what the session was begun with is still good. A second cookie tells a browser that
//! somebody signed in with before.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use serde_json::json;
use url::form_urlencoded;

use super::Portal;
use super::page::{self, Bar, Refusal};
use crate::domain::sign;
use crate::http::forwarded::Client;
use crate::http::{self, BODY_BYTES_MAX, Reply, header_text};
use crate::random;
use crate::store::audit_log::{self, Event};
use crate::store::caller::Caller;
use crate::store::keys::{Actor, Principal, Role};
use crate::store::page::Scope;
use crate::store::sessions::{self, Means, Session};
use crate::store::{Store, sign_ins};

/// `__Host-`: the browser itself sees to `Secure`, `Path=/` and no `Domain`.
const COOKIE: &str = "__Host-tributary";
const DEVICE: &str = "__Host-tributary-device";
const DEVICE_SECONDS: u32 = 365 * 86_400;
/// Characters of what a browser calls itself that are kept.
const AGENT_CHARS: usize = 200;

/// What a browser brought with it.
pub struct Browser {
    /// SHA-256 of its session, if it has one.
    pub session: Option<[u8; 32]>,
    /// What tells it, if it was here before.
    device: Option<String>,
    agent: String,
    /// Its address, for the audit log and for budgets.
    pub address: IpAddr,
}

impl Browser {
    /// From a request.
    pub fn of(request: &Request<Incoming>) -> Self {
        let client = request.extensions().get::<Client>();
        let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
        let device = presented(request, DEVICE).filter(|device| device.len() == 43);
        let agent = header_text(request, "user-agent").chars().take(AGENT_CHARS).collect();
        let session = presented(request, COOKIE).map(|secret| sign::digest(secret.as_bytes()));
        Browser { session, device, agent, address }
    }

    /// SHA-256 of what tells it.
    pub fn device(&self) -> Option<[u8; 32]> {
        self.device.as_ref().map(|device| sign::digest(device.as_bytes()))
    }
}

/// Somebody signed in, and with what he came.
pub struct Visitor {
    /// Who, as what, with which rights.
    pub who: Principal,
    /// His e-mail and name, if he is a user.
    pub user: Option<(String, String)>,
    /// His browser.
    pub browser: Browser,
    /// SHA-256 of his session.
    pub session: [u8; 32],
    /// The books, as he may see and change them.
    pub store: Store,
}

impl Visitor {
    /// Whose rows he may see.
    pub fn scope(&self) -> Scope {
        self.store.scope(self.who.role)
    }

    /// The portal with the books as he may see and change them.
    pub fn portal(&self, portal: &Portal) -> Portal {
        Portal { store: self.store.clone(), ..portal.clone() }
    }

    /// What the bar on top of his pages has.
    pub fn bar(&self) -> Bar {
        Bar { rights: self.who.rights, is_user: self.user.is_some() }
    }

    /// His name, for that bar.
    pub fn name(&self) -> &str {
        match (&self.user, self.who.role) {
            (Some((_, name)), _) => name,
            (None, Role::Operator) => "Operator",
            (None, _) => "With a key",
        }
    }
}

/// The session that a browser has, though its second step may be still to come.
pub async fn find(portal: &Portal, browser: &Browser) -> Result<Option<Session>, Refusal> {
    let Some(hash) = &browser.session else { return Ok(None) };
    Ok(sessions::find(&portal.store, hash, portal.operator_key_hash.as_ref()).await?)
}

/// Who is signed in.
pub async fn visitor(portal: &Portal, browser: Browser) -> Result<Visitor, Refusal> {
    let session = find(portal, &browser).await?.filter(|session| !session.waits);
    let (Some(Session { who, user, .. }), Some(hash)) = (session, browser.session) else {
        return Err(Refusal::SignedOut);
    };
    let store = portal.store.on_behalf_of(Caller::from(who));
    Ok(Visitor { who, user, browser, session: hash, store })
}

/// Begins a session in place of the one that the browser had, so that a session which somebody slipped it is
/// worth nothing; and goes on to a page.
pub async fn begin(
    portal: &Portal,
    browser: &Browser,
    means: Means,
    path: &str,
) -> Result<Reply, Refusal> {
    if let Some(former) = &browser.session {
        sessions::end(&portal.store, former).await?;
    }
    let secret = random::secret()?;
    let hash = sign::digest(secret.as_bytes());
    sessions::begin(&portal.store, &hash, means, &browser.agent).await?;
    let mut reply = page::redirect(path);
    set_cookie(&mut reply, &format!("{COOKIE}={secret}"), "");
    Ok(reply)
}

/// Knows a browser from now on, by the cookie that it has or by a new one.
pub async fn remember(
    portal: &Portal,
    browser: &Browser,
    user: crate::domain::id::Id,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let device = match &browser.device {
        Some(device) => device.clone(),
        None => URL_SAFE_NO_PAD.encode(random::bytes::<32>()?),
    };
    sign_ins::remember(&portal.store, &sign::digest(device.as_bytes()), user).await?;
    set_cookie(reply, &format!("{DEVICE}={device}"), &format!("; Max-Age={DEVICE_SECONDS}"));
    Ok(())
}

/// Ends the session.
pub async fn sign_out(portal: &Portal, browser: &Browser) -> Result<Reply, Refusal> {
    if let Some(session) = find(portal, browser).await?.filter(|session| !session.waits) {
        note(portal, ("sign_out", None), &session.who, browser).await?;
    }
    if let Some(hash) = &browser.session {
        sessions::end(&portal.store, hash).await?;
    }
    Ok(signed_out("/sign-in"))
}

/// To the first page, without a session.
pub fn signed_out(path: &str) -> Reply {
    let mut reply = page::redirect(path);
    set_cookie(&mut reply, &format!("{COOKIE}="), "; Max-Age=0");
    reply
}

/// Writes in the audit log what somebody did who is known, and by which step if he signed in.
pub async fn note(
    portal: &Portal,
    (action, step): (&'static str, Option<&str>),
    who: &Principal,
    browser: &Browser,
) -> Result<(), Refusal> {
    let mut facts = json!({"address": browser.address.to_string(), "agent": browser.agent});
    if let Some(step) = step {
        facts["step"] = json!(step);
    }
    let event = Event { action, actor: Some(who.actor), of: Some((who.actor, who.role)), facts };
    Ok(audit_log::add(&portal.store, &event).await?)
}

/// The id of a user; who signed in with a key is none.
pub fn user_id(who: &Principal) -> Option<crate::domain::id::Id> {
    match who.actor {
        Actor::User(id) => Some(id),
        _ => None,
    }
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
    values(pairs, name).next().unwrap_or_default()
}

/// All fields of a name, such as boxes that were ticked.
pub fn values<'a>(pairs: &'a [u8], name: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(pairs).filter(move |(n, _)| n == name).map(|(_, v)| v.into_owned())
}

/// What a cookie holds.
fn presented(request: &Request<Incoming>, name: &str) -> Option<String> {
    Cookie::split_parse(header_text(request, "cookie"))
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

fn set_cookie(reply: &mut Reply, pair: &str, end: &str) {
    let cookie = format!("{pair}; Path=/; Secure; HttpOnly; SameSite=Lax{end}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        reply.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
