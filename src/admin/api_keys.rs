//! `api-keys`: the operator's. A key is shown once, when it is made; after that only its first characters.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::random;
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText};
use crate::domain::id::Id;
use crate::domain::sign;
use crate::store::api_keys::{self, Holder};
use crate::store::page::Page;

/// Characters of a key that a list shows.
const PREFIX_CHARS: usize = 8;

/// A key, without the key.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKey {
    id: IdText,
    /// What it lets its holder do.
    #[schema(schema_with = shown::role)]
    role: String,
    /// Whose it is, if it is an advertiser's.
    advertiser_id: Option<IdText>,
    /// Whose it is, if it is an affiliate's.
    affiliate_id: Option<IdText>,
    /// For the operator's eyes; may be empty.
    name: String,
    /// The key's first characters.
    #[schema(example = "trk_AbCd")]
    prefix: String,
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
    let rows = api_keys::select(call.store(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET api-keys/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `POST api-keys`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let holder = holder(&mut body);
    body.finish()?;
    let key = random::key()?;
    let hash = sign::digest(key.as_bytes());
    let id = api_keys::create(call.store(), &holder, &key[..PREFIX_CHARS], &hash).await?;
    let shown = view(&find(call, id).await?);
    let tag = call::tag_of(&shown);
    let reply = created(&format!("/api/v1/api-keys/{id}"), &ApiKeyWithKey { shown, key });
    // The tag of what `GET` shows from now on.
    Ok(call::tagged(reply, &tag))
}

/// A key belongs to exactly the owner that its role names.
pub(super) fn holder(body: &mut Input) -> Holder {
    let role = body.required("role", rules::ROLE);
    let owner = match role.as_str() {
        "advertiser" => Some("advertiser_id"),
        "affiliate" => Some("affiliate_id"),
        _ => None,
    };
    let mut owned = |name: &str| {
        if owner == Some(name) {
            return Some(body.required(name, rules::ID));
        }
        body.absent(name, "does not belong to this role");
        None
    };
    let (advertiser_id, affiliate_id) = (owned("advertiser_id"), owned("affiliate_id"));
    let name = body.optional("name", rules::NAME).unwrap_or_default();
    Holder { role, advertiser_id, affiliate_id, name }
}

/// `DELETE api-keys/{id}`: revoked for good; again is the same.
pub(super) async fn revoke(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let id = call.id()?;
    let only_at =
        call.only_at(async || find(call, id).await.map(|k| (view(&k), k.revision))).await?;
    if !api_keys::revoke(call.store(), id, only_at).await? {
        return Err(Refusal::not_changed(only_at));
    }
    Ok(call::no_content())
}

async fn find(call: &Call<'_>, id: Id) -> Result<api_keys::ApiKey, Refusal> {
    only(api_keys::select(call.store(), Page::one(id)).await?)
}

fn view(k: &api_keys::ApiKey) -> ApiKey {
    ApiKey {
        id: IdText(k.id),
        role: k.of.role.clone(),
        advertiser_id: k.of.advertiser_id.map(IdText),
        affiliate_id: k.of.affiliate_id.map(IdText),
        name: k.of.name.clone(),
        prefix: k.prefix.clone(),
        revoked_at: k.revoked_at,
        created_at: k.created_at,
    }
}
