//! `api-keys`: of the operator all, of an advertiser his own. A key is shown once, when it is made; after that
//! only its first characters.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::people::{self, Standing};
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::domain::rights::Rights;
use crate::random;
use crate::store::api_keys::{self, Holder};
use crate::store::keys::Role;
use crate::store::page::Page;

/// A key, without the key.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKey {
    id: IdText,
    #[serde(flatten)]
    standing: Standing,
    /// For people's eyes; may be empty.
    name: String,
    /// The key's first characters.
    #[schema(example = "trib_adv_0aB1cD")]
    prefix: String,
    /// From then on it opens nothing.
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
    /// The key that it was made to follow.
    follows: Option<IdText>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// A key just made, with the key: it is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyWithKey {
    #[serde(flatten)]
    shown: ApiKey,
    /// What goes behind `Authorization: Bearer`.
    key: String,
}

/// `GET api-keys`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = api_keys::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET api-keys/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let key = find(call, call.id()?).await?;
    let tag = call::tag_of(&lasting(&key));
    Ok(call::always_sent(call::tagged(ok(&view(&key)), &tag)))
}

/// `POST api-keys`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let New { role, scopes, name, expires_at } = new(&mut body, people::own(call));
    body.finish()?;
    let rights = people::given(call, role, scopes);
    people::manages(call, role, rights)?;
    let key = random::key(role.columns().0)?;
    let holder = Holder { role, rights, name, expires_at };
    let id = api_keys::create(call.store(), &holder, &key).await?;
    told(call, id, key).await
}

pub(super) struct New {
    role: Role,
    scopes: Option<Rights>,
    name: String,
    expires_at: Option<Timestamp>,
}

/// `own` is the advertiser who asks.
pub(super) fn new(body: &mut Input, own: Option<Id>) -> New {
    let (role, scopes) = people::wanted(body, own);
    let name = body.optional("name", rules::NAME).unwrap_or_default();
    New { role, scopes, name, expires_at: body.optional("expires_at", rules::MOMENT) }
}

/// `POST api-keys/{id}/rotate`: another key in its place; the two are good side by side for a while.
pub(super) async fn rotate(call: &Call<'_>) -> Answered {
    let mut seconds = rules::OVERLAP_SECONDS_USUAL;
    if !call.body.is_empty() {
        let mut body = call.body()?;
        seconds = overlap(&mut body);
        body.finish()?;
    }
    let former = find(call, call.id()?).await?;
    people::manages(call, former.of.role, former.of.rights)?;
    let key = random::key(former.of.role.columns().0)?;
    match api_keys::rotate(call.store(), &former, &key, seconds).await? {
        Some(id) => told(call, id, key).await,
        None => {
            let detail = "The key is not good any more, or two are good already: revoke one first.";
            Err(Refusal::Conflict("not_rotatable", detail.to_owned()))
        }
    }
}

/// Seconds that the former key goes on.
pub(super) fn overlap(body: &mut Input) -> i64 {
    let (rule, usual) = (rules::OVERLAP_SECONDS, rules::OVERLAP_SECONDS_USUAL);
    body.optional_or("expires_in_seconds", rule, usual)
}

/// `DELETE api-keys/{id}`: revoked for good; again is the same.
pub(super) async fn revoke(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let key = find(call, call.id()?).await?;
    people::manages(call, key.of.role, key.of.rights)?;
    let only_at = call.only_at(async || Ok((lasting(&key), key.revision))).await?;
    if !api_keys::revoke(call.store(), key.id, only_at).await? {
        return Err(Refusal::not_changed(only_at));
    }
    Ok(call::no_content())
}

/// A key just made.
async fn told(call: &Call<'_>, id: Id, key: String) -> Answered {
    let key_made = find(call, id).await?;
    let (shown, tag) = (view(&key_made), call::tag_of(&lasting(&key_made)));
    let reply = created(&format!("/api/v1/api-keys/{id}"), &ApiKeyWithKey { shown, key });
    // The tag of what `GET` shows from now on.
    Ok(call::tagged(reply, &tag))
}

async fn find(call: &Call<'_>, id: Id) -> Result<api_keys::ApiKey, Refusal> {
    only(api_keys::select(call.store(), call.scope(), Page::one(id)).await?)
}

/// What the tag is of: a key in use would be another one each minute, and could not be revoked as it was seen.
fn lasting(k: &api_keys::ApiKey) -> ApiKey {
    ApiKey { last_used_at: None, ..view(k) }
}

fn view(k: &api_keys::ApiKey) -> ApiKey {
    ApiKey {
        id: IdText(k.id),
        standing: people::standing(k.of.role, k.of.rights),
        name: k.of.name.clone(),
        prefix: k.prefix.clone(),
        expires_at: k.of.expires_at,
        last_used_at: k.last_used_at,
        follows: k.follows.map(IdText),
        revoked_at: k.revoked_at,
        created_at: k.created_at,
    }
}
