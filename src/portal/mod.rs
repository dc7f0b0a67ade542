//! The portal, `/`: pages for affiliates and advertisers. A request comes in, goes past the walls (who
//! sends it, who is signed in, whose room it is), and a page goes out. Pages need no script to be read,
//! and hold none of their own.

use hyper::body::Incoming;
use hyper::{Method, Request};

use crate::domain::id;
use crate::http::{self, Reply};
use crate::store::Store;
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
pub struct Portal {
    /// The books.
    pub store: Store,
    /// The edge's address as the world sees it, without a slash at its end.
    pub public_base: String,
    /// SHA-256 of the operator's first key, a setting.
    pub operator_key_hash: Option<[u8; 32]>,
    /// For a request's body.
    pub body_timeout: std::time::Duration,
}

/// Answers one request for a page or an asset.
pub async fn answer(portal: &Portal, request: Request<Incoming>) -> Reply {
    let reply = route(portal, request).await.unwrap_or_else(Refusal::into_page);
    guard::harden(reply)
}

async fn route(portal: &Portal, request: Request<Incoming>) -> Result<Reply, Refusal> {
    if let Some(status) = http::head_fault(&request) {
        return Err(Refusal::Status(status));
    }
    let posted = match *request.method() {
        Method::GET | Method::HEAD => false,
        Method::POST if guard::is_own(&request) => true,
        Method::POST => return Err(Refusal::Foreign),
        _ => return Err(Refusal::Method),
    };
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    match (posted, segments.as_slice()) {
        (false, ["assets", name]) => assets::answer(name),
        (false, ["sign-in"]) => session::form(),
        (true, ["sign-in"]) => session::sign_in(portal, request).await,
        (true, ["sign-out"]) => session::sign_out(portal, &request).await,
        (_, ["" | "operator" | "affiliate" | "advertiser", ..]) => {
            let role = session::role(portal, &request).await?.ok_or(Refusal::SignedOut)?;
            room(portal, request, role, (posted, &segments)).await
        }
        _ => Err(Refusal::NotFound),
    }
}

/// The room that a path names, if it is open to this role. The operator enters any room, by its id.
async fn room(
    portal: &Portal,
    request: Request<Incoming>,
    role: Role,
    (posted, segments): (bool, &[&str]),
) -> Result<Reply, Refusal> {
    let known = |text: &str| id::parse(text).ok_or(Refusal::NotFound);
    let query = request.uri().query().unwrap_or("").to_owned();
    match (role, segments) {
        (_, [""]) if !posted => Ok(page::redirect(home(role))),
        (Role::Operator, ["operator"]) if !posted => operator::lobby(portal).await,
        (Role::Affiliate(id), ["affiliate"]) if !posted => {
            affiliate::room(portal, affiliate::Door::own(id), &query).await
        }
        (Role::Operator, ["affiliate", id]) if !posted => {
            affiliate::room(portal, affiliate::Door::operators(known(id)?), &query).await
        }
        (Role::Advertiser(id), ["advertiser", rest @ ..]) => {
            let door = advertiser::Door::own(id);
            advertiser::answer(portal, request, door, (posted, rest)).await
        }
        (Role::Operator, ["advertiser", id, rest @ ..]) => {
            let door = advertiser::Door::operators(known(id)?);
            advertiser::answer(portal, request, door, (posted, rest)).await
        }
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
