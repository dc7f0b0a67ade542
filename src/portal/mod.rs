//! The portal, `/`: pages for affiliates and advertisers, and for those who manage people and keys. A request
//! comes in, goes past the walls (who sends it, who is signed in, what he may, whose room it is), and a page
//! goes out. Pages need no script to be read, and hold none of their own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request};
use matchit::Params;

use crate::domain::id::{self, Id};
use crate::http::budget::Budget;
use crate::http::forwarded::neighbourhood;
use crate::http::{self, Reply};
use crate::store::Store;
use crate::store::keys::Role;

mod account;
mod adjustments;
mod advertiser;
mod affiliate;
mod assets;
mod audit_log;
mod books;
mod earned;
mod edit;
mod guard;
mod hit;
mod invitation;
mod keys;
mod once;
mod operator;
mod page;
mod password;
mod payouts;
mod people;
mod routes;
mod runs;
mod sale;
mod sales;
mod session;
mod show;
mod sign_in;
mod standing;
mod statements;
mod takebacks;
mod typed;

pub use routes::routes;

use page::Refusal;
use routes::Action;
use session::{Browser, Visitor};

/// What the pages need.
#[derive(Clone)]
pub struct Portal {
    /// The books: for nobody, until somebody is signed in.
    pub store: Store,
    /// The edge's address as the world sees it, without a slash at its end.
    pub public_base: String,
    /// The portal's own, likewise: in links for one person.
    pub admin_base: String,
    /// SHA-256 of the operator's first key, a setting.
    pub operator_key_hash: Option<[u8; 32]>,
    /// For a request's body.
    pub body_timeout: Duration,
    /// Spent by whoever tries to get in, before the books are asked.
    pub junk_address: Arc<Budget<IpAddr>>,
}

/// Answers one request for a page or an asset.
pub async fn answer(portal: &Portal, request: Request<Incoming>) -> Reply {
    let reply = route(portal, request).await.unwrap_or_else(Refusal::into_page);
    guard::harden(reply, portal.admin_base.starts_with("https://"))
}

/// The page of a request that took too long.
pub fn too_late(portal: &Portal) -> Reply {
    guard::harden(Refusal::TooLate.into_page(), portal.admin_base.starts_with("https://"))
}

async fn route(portal: &Portal, request: Request<Incoming>) -> Result<Reply, Refusal> {
    if let Some(status) = http::head_fault(&request) {
        return Err(Refusal::TooLarge(status));
    }
    let path = request.uri().path().to_owned();
    let led = routes::lead(request.method(), &path);
    match *request.method() {
        Method::GET | Method::HEAD => {}
        // Browsers send these by themselves, whatever page it was.
        Method::POST if matches!(led, Some((_, Action::PolicyReport, _))) => {}
        Method::POST if guard::is_own(&request) => {}
        Method::POST => return Err(Refusal::Foreign),
        _ => return Err(Refusal::Method),
    }
    let (right, action, params) = led.ok_or(Refusal::NotFound)?;
    let browser = Browser::of(&request);
    match right {
        None => anybody(portal, request, action, (browser, &params)).await,
        Some(right) => {
            let visitor = session::visitor(portal, browser).await?;
            if !visitor.who.rights.has(right) {
                return Err(Refusal::Lacking(right));
            }
            let asked = Asked::of(portal, request, &params).await?;
            let portal = &visitor.portal(portal);
            match action {
                Action::Home
                | Action::Lobby
                | Action::Affiliate
                | Action::Statement
                | Action::Advertiser
                | Action::Hit
                | Action::EditTrackingCode
                | Action::Books(_) => room(portal, &visitor, action, &asked).await,
                _ => tend(portal, &visitor, action, &asked).await,
            }
        }
    }
}

/// What is open to anybody.
async fn anybody(
    portal: &Portal,
    request: Request<Incoming>,
    action: Action,
    (browser, params): (Browser, &Params<'_, '_>),
) -> Result<Reply, Refusal> {
    let secret = params.get("secret").unwrap_or("");
    let query = request.uri().query().unwrap_or("").to_owned();
    if matches!(action, Action::SignIn | Action::Code | Action::Accept) {
        let address = neighbourhood(browser.address);
        portal.junk_address.spend(&address).map_err(Refusal::TooMany)?;
    }
    match action {
        Action::Asset => assets::answer(params.get("name").unwrap_or("")),
        Action::SignInForm => sign_in::form(&query),
        Action::CodeForm => sign_in::code_form(portal, &browser).await,
        Action::InvitationForm => invitation::form(portal, secret).await,
        Action::SignOut => session::sign_out(portal, &browser).await,
        Action::PolicyReport => Ok(guard::report(request.into_body(), portal.body_timeout).await),
        Action::SignIn => {
            let body = session::form_body(portal, request).await?;
            sign_in::sign_in(portal, browser, &body).await
        }
        Action::Code => {
            let body = session::form_body(portal, request).await?;
            sign_in::code(portal, browser, &body).await
        }
        Action::Accept => {
            let body = session::form_body(portal, request).await?;
            invitation::accept(portal, &browser, secret, &body).await
        }
        _ => Err(Refusal::NotFound),
    }
}

/// What somebody who is signed in asked for.
struct Asked {
    path: String,
    query: String,
    /// A form's.
    body: Bytes,
    /// Whose room it is, when it is not his own.
    whose: Option<Id>,
    /// Of the one thing that it is about.
    id: Id,
}

impl Asked {
    async fn of(
        portal: &Portal,
        request: Request<Incoming>,
        params: &Params<'_, '_>,
    ) -> Result<Asked, Refusal> {
        let known = |text: &str| id::parse(text).ok_or(Refusal::NotFound);
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or("").to_owned();
        let whose = params.get("id").map(known).transpose()?;
        let about = params.iter().find(|(name, _)| name.ends_with("_id"));
        let id = about.map_or(Ok(0), |(_, text)| known(text))?;
        let body = match *request.method() {
            Method::POST => session::form_body(portal, request).await?,
            _ => Bytes::new(),
        };
        Ok(Asked { path, query, body, whose, id })
    }
}

/// A room, if it is open to the one who is signed in.
async fn room(
    portal: &Portal,
    visitor: &Visitor,
    action: Action,
    asked: &Asked,
) -> Result<Reply, Refusal> {
    let (role, bar, query) = (visitor.who.role, visitor.bar(), &asked.query);
    let door = || match (role, asked.whose) {
        (Role::Advertiser(id), None) => Ok(advertiser::Door::own(portal.store.filter(id), bar)),
        (Role::Operator, Some(id)) => Ok(advertiser::Door::operators(id, bar)),
        _ => Err(Refusal::NotFound),
    };
    match action {
        Action::Home => Ok(page::redirect(home(role))),
        Action::Lobby if role == Role::Operator => operator::lobby(portal, bar).await,
        Action::Affiliate | Action::Statement => {
            let door = match (role, asked.whose) {
                (Role::Affiliate(id), None) => affiliate::Door::own(portal.store.filter(id), bar),
                (Role::Operator, Some(id)) => affiliate::Door::operators(id, bar),
                _ => return Err(Refusal::NotFound),
            };
            match action {
                Action::Statement => statements::own(portal, door, query).await,
                _ => affiliate::room(portal, door, query).await,
            }
        }
        Action::Advertiser => advertiser::page(portal, door()?, query).await,
        Action::Hit => hit::page(portal, &door()?, asked.id).await,
        Action::Books(books) => books::answer(books, (portal, visitor), door()?, asked).await,
        Action::EditTrackingCode => advertiser::edit(portal, &door()?, asked.id, &asked.body).await,
        _ => Err(Refusal::NotFound),
    }
}

/// One's own account, and what those tend who manage people and keys.
async fn tend(
    portal: &Portal,
    visitor: &Visitor,
    action: Action,
    asked: &Asked,
) -> Result<Reply, Refusal> {
    let Asked { query, body, id, .. } = asked;
    match action {
        Action::Account => account::page(visitor, None).await,
        Action::TotpForm => account::totp_form(visitor),
        Action::Password => account::change_password(visitor, body).await,
        Action::TotpOn => account::turn_on(visitor, body).await,
        Action::TotpOff => account::turn_off(visitor, body).await,
        Action::SignOutEverywhere => account::sign_out_everywhere(portal, visitor).await,
        Action::People => people::page(visitor, query).await,
        Action::Invite => people::invite(portal, visitor, body).await,
        Action::TakeBack => people::take_back(visitor, *id).await,
        Action::Scopes => people::set_scopes(visitor, *id, body).await,
        Action::Disable => people::disable(visitor, *id, true).await,
        Action::Enable => people::disable(visitor, *id, false).await,
        Action::Reset => people::reset(portal, visitor, *id).await,
        Action::UserTotpOff => people::totp_off(visitor, *id).await,
        Action::Keys => keys::page(visitor, query).await,
        Action::MakeKey => keys::make(visitor, body).await,
        Action::RotateKey => keys::rotate(visitor, *id).await,
        Action::RevokeKey => keys::revoke(visitor, *id).await,
        Action::AuditLog => audit_log::page(visitor, query).await,
        _ => Err(Refusal::NotFound),
    }
}

fn home(role: Role) -> &'static str {
    match role {
        Role::Operator => "/operator",
        Role::Advertiser(_) => "/advertiser",
        Role::Affiliate(_) => "/affiliate",
    }
}
