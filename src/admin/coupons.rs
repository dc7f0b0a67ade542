//! `coupons`: codes that attribute a sale to an affiliate, one in a program in whatever case.

use serde_json::{Value, json};

use super::affiliates;
use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::store::coupons::{self, Change, Coupon, New};
use crate::store::page::Page;

/// `GET coupons`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let program_id = query.optional("program_id", rules::identity);
    let affiliate_id = query.optional("affiliate_id", rules::identity);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = coupons::select(store, scope, one_more(page), program_id, affiliate_id).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET coupons/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST coupons`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = New {
        program_id: body.required("program_id", rules::identity),
        affiliate_id: body.required("affiliate_id", rules::identity),
        code: body.required("code", rules::coupon),
        valid_from: body.optional("valid_from", rules::moment),
        valid_to: body.optional("valid_to", rules::moment),
    };
    if new.valid_from.zip(new.valid_to).is_some_and(|(from, to)| from >= to) {
        body.fault("valid_to", "must be after `valid_from`");
    }
    body.finish()?;
    affiliates::known(call, new.affiliate_id).await?;
    let made = coupons::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/coupons/{id}"), &find(call, id).await?))
}

/// `PATCH coupons/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = Change {
        valid_from: body.change("valid_from", rules::moment),
        valid_to: body.change("valid_to", rules::moment),
    };
    body.finish()?;
    if !coupons::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::NotFound);
    }
    Ok(ok(&find(call, id).await?))
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, Refusal> {
    let rows = coupons::select(call.store(), call.scope(), Page::one(id), None, None).await?;
    Ok(view(&only(rows)?))
}

fn view(c: &Coupon) -> Value {
    json!({
        "id": call::text(c.id),
        "program_id": call::text(c.of.program_id),
        "affiliate_id": call::text(c.of.affiliate_id),
        "code": c.of.code,
        "valid_from": c.of.valid_from,
        "valid_to": c.of.valid_to,
        "created_at": c.created_at,
    })
}
