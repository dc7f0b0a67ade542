//! `payouts`: what an affiliate is paid at once, and where it stands. People move it on; each step is done once.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::once::{done, once};
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText, Money};
use crate::domain::id::Id;
use crate::domain::payout::Step;
use crate::http::FieldError;
use crate::store::page::{At, Page, Scope};
use crate::store::payouts::{self, Filter, Outdated, Said, Stepped, Which};

/// All that is owed to an affiliate in one program and one currency, as a run found it.
#[derive(Serialize, ToSchema)]
pub(super) struct Payout {
    id: IdText,
    run_id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// The sum of its items.
    amount: Money,
    #[schema(schema_with = shown::payout_status)]
    status: &'static str,
    /// How many ledger rows it is made of.
    #[schema(example = 12)]
    items: i64,
    /// Of whoever paid it.
    reference: Option<String>,
    /// Why it failed.
    reason: Option<String>,
    created_at: Timestamp,
    approved_at: Option<Timestamp>,
    paid_at: Option<Timestamp>,
    /// When it failed or was cancelled.
    closed_at: Option<Timestamp>,
}

/// A ledger row of a payout.
#[derive(Serialize, ToSchema)]
pub(super) struct PayoutItem {
    /// Of the transfer.
    id: IdText,
    /// What moved the money: `approve`, `reverse`, `adjust`, …
    #[schema(example = "approve")]
    code: String,
    /// Below zero: taken.
    amount: Money,
    /// None where it is of no conversion.
    conversion_id: Option<IdText>,
    /// As the shop knows it.
    order_id: Option<String>,
    event_at: Timestamp,
    /// When the payout failed or was cancelled: another may hold the row since.
    released_at: Option<Timestamp>,
}

/// `GET payouts`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let rows = payouts::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let (program_id, affiliate_id) = call::owners(query);
    let filter = Filter {
        program_id,
        affiliate_id,
        status: query.optional("status", rules::PAYOUT_STATUS),
        run_id: query.optional("run_id", rules::ID),
    };
    (page, filter)
}

/// `GET payouts/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call.store(), call.scope(), call.id()?).await?)))
}

/// `GET payouts/{id}/items`
pub(super) async fn items(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    find(call.store(), call.scope(), id).await?;
    let rows = payouts::items(call.store(), call.scope(), id, one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view_item))
}

/// `POST payouts/{id}/approve`
pub(super) async fn approve(call: &Call<'_>) -> Answered {
    nothing_said(call)?;
    step(call, Step::Approve, Said::default()).await
}

/// `POST payouts/{id}/pay`
pub(super) async fn pay(call: &Call<'_>) -> Answered {
    let reference = said(call, reference)?;
    step(call, Step::Pay, Said { reference: reference.as_deref(), reason: None }).await
}

/// `POST payouts/{id}/fail`
pub(super) async fn fail(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let reason = reason(&mut body);
    body.finish()?;
    step(call, Step::Fail, Said { reference: None, reason: Some(&reason) }).await
}

/// `POST payouts/{id}/cancel`
pub(super) async fn cancel(call: &Call<'_>) -> Answered {
    nothing_said(call)?;
    step(call, Step::Cancel, Said::default()).await
}

/// Refuses fields where there are none.
fn nothing_said(call: &Call<'_>) -> Result<(), Refusal> {
    said(call, |_| ())
}

/// What a body says; it needs not be there.
pub(super) fn said<R: Default>(
    call: &Call<'_>,
    read: impl FnOnce(&mut Input) -> R,
) -> Result<R, Refusal> {
    if call.body.is_empty() {
        return Ok(R::default());
    }
    let mut body = call.body()?;
    let said = read(&mut body);
    body.finish()?;
    Ok(said)
}

pub(super) fn reference(body: &mut Input) -> Option<String> {
    body.optional("reference", rules::REFERENCE)
}

pub(super) fn reason(body: &mut Input) -> String {
    body.required("reason", rules::REMARK)
}

async fn step(call: &Call<'_>, step: Step, said: Said<'_>) -> Answered {
    let id = call.id()?;
    let work = async |tx: &crate::store::Transaction<'_>| match payouts::step(
        tx,
        call.scope(),
        Which::One(id),
        (step, said),
    )
    .await?
    {
        Stepped::Done(_) => Ok(done(&view(&find(tx, call.scope(), id).await?))),
        Stepped::NotFound => Err(Refusal::NotFound),
        Stepped::Not(status) => {
            let detail = format!("The payout is {}.", status.code());
            Err(Refusal::Conflict("payout_in_other_status", detail))
        }
        Stepped::Outdated(outdated) => Err(refusal(outdated)),
    };
    once(call, work).await
}

/// Of an approval: each payout that is outdated, and by how much.
pub(super) fn refusal(outdated: Vec<Outdated>) -> Refusal {
    let detail = "More went back since than came: cancel what is named, and run the payouts again.";
    let fault = |outdated: Outdated| FieldError {
        pointer: format!("/payouts/{}", outdated.payout_id),
        detail: format!(
            "affiliate {}: by now it would be {} {} less",
            outdated.affiliate_id,
            outdated.less.amount,
            outdated.less.currency.code()
        ),
    };
    Refusal::Blocked("payout_outdated", detail, outdated.into_iter().map(fault).collect())
}

/// A payout that the one who asks may see.
async fn find<'a>(at: impl Into<At<'a>>, scope: Scope, id: Id) -> Result<payouts::Payout, Refusal> {
    only(payouts::select(at, scope, Page::one(id), &Filter::default()).await?)
}

pub(super) fn view(p: &payouts::Payout) -> Payout {
    Payout {
        id: IdText(p.id),
        run_id: IdText(p.run_id),
        program_id: IdText(p.program_id),
        affiliate_id: IdText(p.affiliate_id),
        amount: p.amount.into(),
        status: p.status.code(),
        items: p.items,
        reference: p.reference.clone(),
        reason: p.reason.clone(),
        created_at: p.created_at,
        approved_at: p.approved_at,
        paid_at: p.paid_at,
        closed_at: p.closed_at,
    }
}

fn view_item(i: &payouts::Item) -> PayoutItem {
    PayoutItem {
        id: IdText(i.id),
        code: i.code.clone(),
        amount: i.amount.into(),
        conversion_id: i.conversion_id.map(IdText),
        order_id: i.order_id.clone(),
        event_at: i.event_at,
        released_at: i.released_at,
    }
}
