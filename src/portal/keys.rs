//! The page of API keys: made, followed by another, revoked. A key is shown once.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use jiff::tz::TimeZone;

use super::page::{self, Frame, Refusal};
use super::people::{self, Owner, Said};
use super::session::{Visitor, value};
use super::show::{self, Moment};
use super::typed;
use crate::domain::id::Id;
use crate::domain::person;
use crate::http::Reply;
use crate::random;
use crate::store::api_keys::{self, ApiKey, Holder};
use crate::store::keys::Principal;
use crate::store::page::Page;
use crate::store::portal::Tenant;

const PAGE_ROWS: usize = 50;
/// How long a key goes on beside its successor.
const OVERLAP_SECONDS: i64 = 24 * 3_600;

#[derive(Template)]
#[template(path = "keys.html", config = "src/portal/askama.toml")]
struct KeysPage {
    frame: Frame,
    said: Option<Said>,
    keys: Vec<KeyLine>,
    older: Option<Id>,
    owners: Vec<Owner>,
    scopes: Vec<&'static str>,
}

struct KeyLine {
    id: Id,
    prefix: String,
    name: String,
    owner: String,
    scopes: String,
    used: Option<Moment>,
    ends: Option<Moment>,
    revoked: bool,
    /// Whether the one who looks may change it.
    open: bool,
}

/// The page.
pub async fn page(visitor: &Visitor, query: &str) -> Result<Reply, Refusal> {
    show_page(visitor, typed::before(query)?, None).await
}

async fn show_page(
    visitor: &Visitor,
    before: Option<Id>,
    said: Option<Said>,
) -> Result<Reply, Refusal> {
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut keys = api_keys::select(&visitor.store, visitor.scope(), page).await?;
    let more = keys.len() > PAGE_ROWS;
    keys.truncate(PAGE_ROWS);
    let tenants = people::tenants(visitor).await?;
    let status = match &said {
        Some(said) if !said.done => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let page = KeysPage {
        frame: Frame::of("Keys", visitor.name(), false).with(visitor.bar()),
        said,
        older: keys.last().filter(|_| more).map(|key| key.id),
        keys: keys.iter().map(|key| line(&visitor.who, &tenants, key)).collect(),
        owners: people::owners(visitor, &tenants),
        scopes: visitor.who.rights.codes(),
    };
    page::html(status, &page)
}

fn line(who: &Principal, tenants: &[Tenant], key: &ApiKey) -> KeyLine {
    let moment = |at| show::moment(at, &TimeZone::UTC);
    KeyLine {
        id: key.id,
        prefix: key.prefix.clone(),
        name: key.of.name.clone(),
        owner: people::in_words(key.of.role, tenants),
        scopes: key.of.rights.codes().join(", "),
        used: key.last_used_at.map(moment),
        ends: key.of.expires_at.map(moment),
        revoked: key.revoked_at.is_some(),
        open: key.revoked_at.is_none() && who.may_manage(key.of.role, key.of.rights),
    }
}

/// Makes a key.
pub async fn make(visitor: &Visitor, body: &Bytes) -> Result<Reply, Refusal> {
    let refused = |text| show_page(visitor, None, Some(Said::refused(text)));
    let Some(role) = people::chosen(visitor, body)? else {
        return refused("Choose whose it is.").await;
    };
    let (rights, name) = (people::ticked(body, role), value(body, "name").trim().to_owned());
    if !name.is_empty() && !person::is_name(&name) {
        return refused("The name is too long.").await;
    }
    if !visitor.who.may_manage(role, rights) {
        return refused("You cannot give what you do not have.").await;
    }
    let key = random::key(role.columns().0)?;
    let holder = Holder { role, rights, name, expires_at: None };
    api_keys::create(&visitor.store, &holder, &key).await?;
    let text = "The key is made. It is shown this once: copy it now.".to_owned();
    show_page(visitor, None, Some(Said { text, done: true, secret: Some(key) })).await
}

async fn changeable(visitor: &Visitor, id: Id) -> Result<ApiKey, Refusal> {
    let found = api_keys::select(&visitor.store, visitor.scope(), Page::one(id)).await?;
    let key = found.into_iter().next().ok_or(Refusal::NotFound)?;
    let may = visitor.who.may_manage(key.of.role, key.of.rights);
    may.then_some(key).ok_or(Refusal::NotFound)
}

/// Another key in the place of one, which goes on for a day.
pub async fn rotate(visitor: &Visitor, id: Id) -> Result<Reply, Refusal> {
    let former = changeable(visitor, id).await?;
    let key = random::key(former.of.role.columns().0)?;
    let rotated = api_keys::rotate(&visitor.store, &former, &key, OVERLAP_SECONDS).await?;
    let said = match rotated {
        None => Said::refused("Two keys are good already, or this one is not. Revoke one first."),
        Some(_) => Said {
            text: format!(
                "This key follows {}…, which ends in a day. It is shown this once: copy it now.",
                former.prefix
            ),
            done: true,
            secret: Some(key),
        },
    };
    show_page(visitor, None, Some(said)).await
}

/// Revokes a key, at once and for good.
pub async fn revoke(visitor: &Visitor, id: Id) -> Result<Reply, Refusal> {
    let key = changeable(visitor, id).await?;
    api_keys::revoke(&visitor.store, id, None).await?;
    let text = format!("{}… is revoked, and whoever signed in with it is signed out.", key.prefix);
    show_page(visitor, None, Some(Said { text, done: true, secret: None })).await
}
