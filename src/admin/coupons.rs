//! `coupons`: codes that attribute a sale to an affiliate, one in a program in whatever case.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::affiliates;
use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::store::coupons::{self, Change, New};
use crate::store::page::Page;

/// A code that attributes a sale to an affiliate. In a program there is one of a code, in whatever case.
#[derive(Serialize, ToSchema)]
pub(super) struct Coupon {
    id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// What the buyer types.
    #[schema(example = "ANN10")]
    code: String,
    /// First moment at which it attributes; from ever, if there is none.
    valid_from: Option<Timestamp>,
    /// First moment at which it no longer does; after `valid_from`.
    valid_to: Option<Timestamp>,
    created_at: Timestamp,
}

/// `GET coupons`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let (program_id, affiliate_id) = call::owners(&mut query);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = coupons::select(store, scope, one_more(page), program_id, affiliate_id).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET coupons/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `POST coupons`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = new(&mut body);
    body.finish()?;
    affiliates::known(call, new.affiliate_id).await?;
    let made = coupons::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/coupons/{id}"), &view(&find(call, id).await?)))
}

pub(super) fn new(body: &mut Input) -> New {
    let new = New {
        program_id: body.required("program_id", rules::ID),
        affiliate_id: body.required("affiliate_id", rules::ID),
        code: body.required("code", rules::COUPON),
        valid_from: body.optional("valid_from", rules::MOMENT),
        valid_to: body.optional("valid_to", rules::MOMENT),
    };
    if new.valid_from.zip(new.valid_to).is_some_and(|(from, to)| from >= to) {
        body.fault("valid_to", "must be after `valid_from`");
    }
    new
}

/// `PATCH coupons/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    change.only_at =
        call.only_at(async || find(call, id).await.map(|c| (view(&c), c.revision))).await?;
    if !coupons::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(&find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        valid_from: body.change("valid_from", rules::MOMENT),
        valid_to: body.change("valid_to", rules::MOMENT),
        only_at: None,
    }
}

async fn find(call: &Call<'_>, id: Id) -> Result<coupons::Coupon, Refusal> {
    only(coupons::select(call.store(), call.scope(), Page::one(id), None, None).await?)
}

fn view(c: &coupons::Coupon) -> Coupon {
    Coupon {
        id: IdText(c.id),
        program_id: IdText(c.of.program_id),
        affiliate_id: IdText(c.of.affiliate_id),
        code: c.of.code.clone(),
        valid_from: c.of.valid_from,
        valid_to: c.of.valid_to,
        created_at: c.created_at,
    }
}
