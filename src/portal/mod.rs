//! The portal, `/`: pages for affiliates and advertisers. A request comes in, goes past the walls (who
//! sends it, who is signed in, whose room it is), and a page goes out. One table holds all its paths. Pages need no script to be read,
//! and hold none of their own.

use std::sync::LazyLock;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use matchit::{Params, Router};

use crate::domain::id::{self, Id};
use crate::http::{self, Reply};
use crate::store::Store;
use crate::store::caller::Caller;
use crate::store::keys::Role;

mod advertiser;
mod affiliate;
mod assets;
mod edit;
mod guard;
mod hit;
mod operator;
mod page;
mod session;
mod show;

use page::Refusal;

/// What the pages need.
#[derive(Clone)]
pub struct Portal {
    /// The books: for nobody, until somebody is signed in.
    pub store: Store,
    /// The edge's address as the world sees it, without a slash at its end.
    pub public_base: String,
    /// SHA-256 of the operator's first key, a setting.
    pub operator_key_hash: Option<[u8; 32]>,
    /// For a request's body.
    pub body_timeout: std::time::Duration,
}

/// What answers a path.
#[derive(Debug, Clone, Copy)]
enum Action {
    Asset,
    SignInForm,
    SignIn,
    SignOut,
    Home,
    Lobby,
    Affiliate,
    Advertiser,
    Hit,
    EditTrackingCode,
}

/// Method, path, and what answers. A room is its owner's own, or by its id one that the operator looks into.
#[rustfmt::skip]
const TABLE: [(&str, &str, Action); 14] = [
    ("GET",  "/assets/{name}",                              Action::Asset),
    ("GET",  "/sign-in",                                    Action::SignInForm),
    ("POST", "/sign-in",                                    Action::SignIn),
    ("POST", "/sign-out",                                   Action::SignOut),
    ("GET",  "/",                                           Action::Home),
    ("GET",  "/operator",                                   Action::Lobby),
    ("GET",  "/affiliate",                                  Action::Affiliate),
    ("GET",  "/affiliate/{id}",                             Action::Affiliate),
    ("GET",  "/advertiser",                                 Action::Advertiser),
    ("GET",  "/advertiser/{id}",                            Action::Advertiser),
    ("GET",  "/advertiser/hits/{hit_id}",                   Action::Hit),
    ("GET",  "/advertiser/{id}/hits/{hit_id}",              Action::Hit),
    ("POST", "/advertiser/tracking-codes/{code_id}",        Action::EditTrackingCode),
    ("POST", "/advertiser/{id}/tracking-codes/{code_id}",   Action::EditTrackingCode),
];

static ROUTER: LazyLock<Router<&'static str>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (_, template, _) in TABLE {
        // The same template comes once for each method; the first stays.
        let _ = router.insert(template, template);
    }
    router
});

/// Every method and template of the portal.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.into_iter().map(|(method, template, _)| (method, template))
}

/// Answers one request for a page or an asset.
pub async fn answer(portal: &Portal, request: Request<Incoming>) -> Reply {
    let reply = route(portal, request).await.unwrap_or_else(Refusal::into_page);
    guard::harden(reply)
}

/// The page of a request that took too long.
pub fn too_late() -> Reply {
    guard::harden(Refusal::Status(StatusCode::SERVICE_UNAVAILABLE).into_page())
}

async fn route(portal: &Portal, request: Request<Incoming>) -> Result<Reply, Refusal> {
    if let Some(status) = http::head_fault(&request) {
        return Err(Refusal::Status(status));
    }
    let method = match *request.method() {
        Method::GET | Method::HEAD => "GET",
        Method::POST if guard::is_own(&request) => "POST",
        Method::POST => return Err(Refusal::Foreign),
        _ => return Err(Refusal::Method),
    };
    let path = request.uri().path().to_owned();
    let led = ROUTER.at(&path).ok().and_then(|matched| {
        let mut entries = TABLE.into_iter();
        let entry = entries.find(|entry| (entry.0, entry.1) == (method, *matched.value));
        Some((entry?.2, matched.params))
    });
    match led {
        Some((Action::Asset, params)) => assets::answer(params.get("name").unwrap_or("")),
        Some((Action::SignInForm, _)) => session::form(),
        Some((Action::SignIn, _)) => session::sign_in(portal, request).await,
        Some((Action::SignOut, _)) => session::sign_out(portal, &request).await,
        Some((action, params)) => room(portal, request, action, &params).await,
        None => Err(Refusal::NotFound),
    }
}

/// A room, if it is open to the one who is signed in.
async fn room(
    portal: &Portal,
    request: Request<Incoming>,
    action: Action,
    params: &Params<'_, '_>,
) -> Result<Reply, Refusal> {
    let who = session::who(portal, &request).await?.ok_or(Refusal::SignedOut)?;
    let store = portal.store.on_behalf_of(Caller::from(who));
    let portal = &Portal { store, ..portal.clone() };
    let known = |name| params.get(name).and_then(id::parse).ok_or(Refusal::NotFound);
    let whose = params.get("id").map(|_| known("id")).transpose()?;
    let query = request.uri().query().unwrap_or("").to_owned();
    match action {
        Action::Home => Ok(page::redirect(home(who.role))),
        Action::Lobby if who.role == Role::Operator => operator::lobby(portal).await,
        Action::Affiliate => {
            let door = match (who.role, whose) {
                (Role::Affiliate(id), None) => affiliate::Door::own(portal.store.filter(id)),
                (Role::Operator, Some(id)) => affiliate::Door::operators(id),
                _ => return Err(Refusal::NotFound),
            };
            affiliate::room(portal, door, &query).await
        }
        Action::Advertiser => {
            advertiser::page(portal, door(portal, who.role, whose)?, &query).await
        }
        Action::Hit => hit::page(portal, &door(portal, who.role, whose)?, known("hit_id")?).await,
        Action::EditTrackingCode => {
            let door = door(portal, who.role, whose)?;
            advertiser::edit(portal, request, &door, known("code_id")?).await
        }
        _ => Err(Refusal::NotFound),
    }
}

/// How somebody enters an advertiser's room: his own, or, the operator, anybody's.
fn door(portal: &Portal, role: Role, whose: Option<Id>) -> Result<advertiser::Door, Refusal> {
    match (role, whose) {
        (Role::Advertiser(id), None) => Ok(advertiser::Door::own(portal.store.filter(id))),
        (Role::Operator, Some(id)) => Ok(advertiser::Door::operators(id)),
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
