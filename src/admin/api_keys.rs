//! `api-keys`: the operator's. A key is shown once, when it is made; after that only its first characters.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::input::Input;
use super::random;
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::domain::sign;
use crate::store::api_keys::{self, ApiKey, Holder};
use crate::store::page::Page;

/// Characters of a key that a list shows.
const PREFIX_CHARS: usize = 8;

/// `GET api-keys`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = api_keys::select(call.store(), one_more(page)).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET api-keys/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST api-keys`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let holder = holder(&mut body);
    body.finish()?;
    let key = random::key()?;
    let hash = sign::digest(key.as_bytes());
    let id = api_keys::create(call.store(), &holder, &key[..PREFIX_CHARS], &hash).await?;
    let mut value = find(call, id).await?;
    value["key"] = json!(key);
    Ok(created(&format!("/api/v1/api-keys/{id}"), &value))
}

/// A key belongs to exactly the owner that its role names.
fn holder(body: &mut Input) -> Holder {
    let role = body.required("role", rules::role);
    let owner = match role.as_str() {
        "advertiser" => Some("advertiser_id"),
        "affiliate" => Some("affiliate_id"),
        _ => None,
    };
    let known = !role.is_empty();
    let mut owned = |name: &str| {
        if owner == Some(name) {
            return Some(body.required(name, rules::identity));
        }
        let stray = body.optional(name, rules::identity);
        if known && stray.is_some() {
            body.fault(name, "does not belong to this role");
        }
        None
    };
    let (advertiser_id, affiliate_id) = (owned("advertiser_id"), owned("affiliate_id"));
    let name = body.optional("name", rules::name).unwrap_or_default();
    Holder { role, advertiser_id, affiliate_id, name }
}

/// `DELETE api-keys/{id}`: revoked for good; again is the same.
pub(super) async fn revoke(call: &Call<'_>) -> Answered {
    if !api_keys::revoke(call.store(), call.id()?).await? {
        return Err(Refusal::NotFound);
    }
    Ok(call::no_content())
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, Refusal> {
    Ok(view(&only(api_keys::select(call.store(), Page::one(id)).await?)?))
}

fn view(k: &ApiKey) -> Value {
    json!({
        "id": call::text(k.id),
        "role": k.of.role,
        "advertiser_id": call::opt(k.of.advertiser_id),
        "affiliate_id": call::opt(k.of.affiliate_id),
        "name": k.of.name,
        "prefix": k.prefix,
        "revoked_at": k.revoked_at,
        "created_at": k.created_at,
    })
}
