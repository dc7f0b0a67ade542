//! `refunds`: what a shop paid back of its own will. One that comes before its sale stands, and awaits it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answered, Call, ok, one_more};
use super::input::Input;
use super::once::once;
use super::refusal::Refusal;
use super::rules;
use super::shown::{IdText, Money};
use super::takebacks::{self, Of, answer, find, find_named, tell};
use crate::domain::takeback::{Refund as Told, Takeback};
use crate::store::Transaction;
use crate::store::idempotency::Answer;
use crate::store::keys::Role;
use crate::store::takebacks::{self as rows, Kind};

/// Of a refund of all, where nobody gave it another name; postbacks use it, too.
const ALL: &str = "all";

/// Money that a shop paid back to a buyer, and what that took back of the commission.
#[derive(Serialize, ToSchema)]
pub(super) struct Refund {
    id: IdText,
    /// The shop's.
    #[schema(example = "R-1")]
    refund_id: String,
    program_id: IdText,
    /// None when nobody referred the sale.
    affiliate_id: Option<IdText>,
    conversion_id: IdText,
    /// As the shop knows it.
    order_id: Option<String>,
    /// None: all of the sale.
    amount: Option<Money>,
    /// Of the affiliate's commission, taken back by this refund.
    commission_reversed: Money,
    /// Nothing told of its sale yet; it counts when something does.
    awaits_sale: bool,
    /// When the sale arrived; of one that is awaited, when this did.
    ordered_at: Timestamp,
    /// The hit that told it; none where a person did.
    hit_id: Option<IdText>,
    /// What the person wrote who told it; not told to affiliates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "sent back unopened")]
    note: Option<String>,
    created_at: Timestamp,
}

/// `GET refunds`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = takebacks::asked(&mut query);
    query.finish()?;
    let of = (Kind::Refund, &filter);
    let rows = rows::select(call.store(), call.scope(), one_more(page), of).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

/// `GET refunds/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let row = find(call.store(), call.scope(), (Kind::Refund, call.id()?)).await?;
    Ok(ok(&view(call.role, &row)))
}

/// What is told.
pub(super) struct New {
    of: Of,
    refund: Told,
    note: Option<String>,
}

pub(super) fn new(body: &mut Input) -> New {
    let of = takebacks::of(body);
    let id = body.required("refund_id", rules::SHOP_ID);
    let money = body.optional("amount", rules::MONEY).flatten();
    if money.is_some() && id == ALL {
        body.fault("refund_id", "is the name of a refund of all; give this one its own");
    }
    let note = body.optional("note", rules::REMARK);
    New { of, refund: Told { id, money }, note }
}

/// `POST refunds`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = new(&mut body);
    body.finish()?;
    once(call, async |tx| refund(call, tx, &new).await).await
}

async fn refund(call: &Call<'_>, tx: &Transaction<'_>, new: &New) -> Result<Answer, Refusal> {
    let New { of, refund, note } = new;
    let takeback = Takeback::Refund(refund.clone());
    let told = tell(call, tx, of, (&takeback, note.as_deref())).await?;
    if told.conversion.order.told_money(&takeback) != Some(refund.money) {
        let detail = "A refund of this name was told before, with another amount.".to_owned();
        return Err(Refusal::Conflict("refund_exists", detail));
    }
    let named = (told.conversion.id, &*refund.id);
    let row = find_named(tx, call.scope(), Kind::Refund, named).await?;
    let location = format!("/api/v1/refunds/{}", row.id);
    Ok(answer(location, told.id.is_some(), &view(call.role, &row)))
}

fn view(role: Role, r: &rows::Takeback) -> Refund {
    let is_told = !matches!(role, Role::Affiliate(_));
    Refund {
        id: IdText(r.id),
        refund_id: r.name.clone(),
        program_id: IdText(r.program_id),
        affiliate_id: r.affiliate_id.map(IdText),
        conversion_id: IdText(r.conversion_id),
        order_id: r.order_id.clone(),
        amount: r.amount.map(Money::from),
        commission_reversed: r.reversed.into(),
        awaits_sale: r.awaits_sale,
        ordered_at: r.ordered_at,
        hit_id: r.hit_id.map(IdText),
        note: r.note.clone().filter(|_| is_told),
        created_at: r.created_at,
    }
}
