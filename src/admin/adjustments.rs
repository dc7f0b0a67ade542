//! `adjustments`: money given or taken by hand, for a reason, or when a month was closed. Each is one transfer; what
//! was wrong is put right by another.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::once::{made, once};
use super::refusal::Refusal;
use super::rules;
use super::shown::{IdText, Money};
use crate::domain::id::Id;
use crate::domain::statement::month_name;
use crate::store::adjustments::{self, New};
use crate::store::page::Page;

/// Money given to an affiliate or taken from him, by hand or by the closing of a month; payable at once.
#[derive(Serialize, ToSchema)]
pub(super) struct Adjustment {
    id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// Below zero: taken.
    amount: Money,
    /// Told to the affiliate, too.
    #[schema(example = "bonus of the summer")]
    reason: String,
    /// Whose closing made it; absent: it was made by hand.
    #[schema(example = "2026-01")]
    month: Option<String>,
    created_at: Timestamp,
}

/// `GET adjustments`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let owners = call::owners(&mut query);
    query.finish()?;
    let rows = adjustments::select(call.store(), call.scope(), one_more(page), owners).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET adjustments/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let page = Page::one(call.id()?);
    let rows = adjustments::select(call.store(), call.scope(), page, (None, None)).await?;
    Ok(ok(&view(&only(rows)?)))
}

/// `POST adjustments`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = new(&mut body);
    body.finish()?;
    let Some(new) = new else { return Err(Refusal::NotFound) };
    let work = async |tx: &crate::store::Transaction<'_>| {
        let id = adjustments::create(tx, call.scope(), &new).await?;
        let id = id.ok_or(Refusal::Missing("/affiliate_id"))?;
        let page = Page::one(id);
        let rows = adjustments::select(tx, call.scope(), page, (None, None)).await?;
        Ok(made(format!("/api/v1/adjustments/{id}"), &view(&only(rows)?)))
    };
    once(call, work).await
}

/// What is to be made; nothing where its amount cannot be read.
pub(super) fn new(body: &mut Input) -> Option<New> {
    let program_id: Id = body.required("program_id", rules::ID);
    let affiliate_id = body.required("affiliate_id", rules::ID);
    let amount = body.required("amount", rules::SIGNED_MONEY);
    let reason = body.required("reason", rules::REMARK);
    Some(New { program_id, affiliate_id, amount: amount?, reason })
}

fn view(a: &adjustments::Adjustment) -> Adjustment {
    Adjustment {
        id: IdText(a.id),
        program_id: IdText(a.of.program_id),
        affiliate_id: IdText(a.of.affiliate_id),
        amount: a.of.amount.into(),
        reason: a.of.reason.clone(),
        month: a.month.map(month_name),
        created_at: a.created_at,
    }
}
