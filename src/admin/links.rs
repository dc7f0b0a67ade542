//! `links`: an affiliate's way into a program. Made by the operator and by the program's advertiser.

use serde_json::{Value, json};

use super::affiliates;
use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::random;
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::domain::snippet;
use crate::store::links::{self, Change, Link, New};
use crate::store::page::Page;

/// `GET links`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let program_id = query.optional("program_id", rules::identity);
    let affiliate_id = query.optional("affiliate_id", rules::identity);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = links::select(store, scope, one_more(page), program_id, affiliate_id).await?;
    Ok(list(page, &rows, |row| row.id, |row| view(call, row)))
}

/// `GET links/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST links`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let program_id = body.required("program_id", rules::identity);
    let affiliate_id = body.required("affiliate_id", rules::identity);
    let destination = body.optional("destination", rules::address);
    let code = body.optional("code", rules::code);
    body.finish()?;
    affiliates::known(call, affiliate_id).await?;
    let code = code.map_or_else(random::code, Ok)?;
    let new = New { program_id, affiliate_id, code, destination };
    let made = links::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/links/{id}"), &find(call, id).await?))
}

/// `PATCH links/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = Change {
        destination: body.change("destination", rules::address),
        paused: body.replacement("paused", rules::boolean),
    };
    body.finish()?;
    if !links::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::NotFound);
    }
    Ok(ok(&find(call, id).await?))
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, Refusal> {
    let rows = links::select(call.store(), call.scope(), Page::one(id), None, None).await?;
    Ok(view(call, &only(rows)?))
}

fn view(call: &Call<'_>, l: &Link) -> Value {
    json!({
        "id": call::text(l.id),
        "program_id": call::text(l.program_id),
        "affiliate_id": call::text(l.affiliate_id),
        "code": l.code,
        "url": snippet::link_url(&call.admin.public_base, &l.code),
        "destination": l.destination,
        "paused": l.paused_at.is_some(),
        "created_at": l.created_at,
    })
}
