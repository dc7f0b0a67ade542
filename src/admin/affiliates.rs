//! `affiliates`: made and changed by the operator; an affiliate sees himself, an advertiser those who have a
//! link or coupon in his programs, without their e-mail.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::store::affiliates::{self, Affiliate, Change};
use crate::store::page::Page;

/// `GET affiliates`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = affiliates::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET affiliates/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST affiliates`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let name = body.required("name", rules::name);
    let email = body.required("email", rules::email);
    body.finish()?;
    let id = affiliates::create(call.store(), &name, &email).await?;
    Ok(created(&format!("/api/v1/affiliates/{id}"), &find(call, id).await?))
}

/// `PATCH affiliates/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = Change {
        name: body.replacement("name", rules::name),
        email: body.replacement("email", rules::email),
        paused: body.replacement("paused", rules::boolean),
    };
    body.finish()?;
    if !affiliates::update(call.store(), id, &change).await? {
        return Err(Refusal::NotFound);
    }
    Ok(ok(&find(call, id).await?))
}

/// Refuses a body that names an affiliate whom the one who asks does not know: an advertiser may guess an id,
/// and the links or coupons of his programs would tell him whose it is.
pub(super) async fn known(call: &Call<'_>, id: Id) -> Result<(), Refusal> {
    let rows = affiliates::select(call.store(), call.scope(), Page::one(id)).await?;
    if rows.is_empty() { Err(Refusal::Missing("/affiliate_id")) } else { Ok(()) }
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, Refusal> {
    let rows = affiliates::select(call.store(), call.scope(), Page::one(id)).await?;
    Ok(view(&only(rows)?))
}

fn view(a: &Affiliate) -> Value {
    let mut value = json!({
        "id": call::text(a.id),
        "name": a.name,
        "paused": a.paused_at.is_some(),
        "created_at": a.created_at,
    });
    if let Some(email) = &a.email {
        value["email"] = json!(email);
    }
    value
}
