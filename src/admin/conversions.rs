//! `conversions`: sales and leads, and the verdicts of people on them. Approve and reject are idempotent by
//! nature: the verdict stands once, whatever the `Idempotency-Key`, and repeating it moves no money again.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, list, ok, one_more, only};
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::domain::ledger::Status;
use crate::domain::money::Money;
use crate::store::conversions::{self, Conversion, Filter, Judged, Verdict};
use crate::store::keys::Role;
use crate::store::page::Page;

/// `GET conversions`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let filter = Filter {
        program_id: query.optional("program_id", rules::identity),
        affiliate_id: query.optional("affiliate_id", rules::identity),
        order_id: query.optional("order_id", rules::order_id),
        status: query.optional("status", rules::status),
        from: query.optional("from", rules::moment),
        to: query.optional("to", rules::moment),
    };
    query.finish()?;
    let rows = conversions::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

/// `GET conversions/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(call.role, &find(call, call.id()?).await?)))
}

/// `POST conversions/{id}/approve`
pub(super) async fn approve(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    if !call.body.is_empty() {
        call.body()?.finish()?;
    }
    judge(call, id, Verdict::Approve).await
}

/// `POST conversions/{id}/reject`
pub(super) async fn reject(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let reason = body.required("reason", rules::remark);
    body.finish()?;
    judge(call, id, Verdict::Reject(&reason)).await
}

async fn judge(call: &Call<'_>, id: Id, verdict: Verdict<'_>) -> Answered {
    match conversions::judge(call.store(), call.scope(), id, verdict).await? {
        Judged::Done => Ok(ok(&view(call.role, &find(call, id).await?))),
        Judged::NotFound => Err(Refusal::NotFound),
        Judged::TooLate(status) => {
            let detail = format!("The conversion is {}.", status.code());
            Err(Refusal::Conflict("conversion_not_pending", detail))
        }
    }
}

/// A conversion that the one who asks may see.
pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<Conversion, Refusal> {
    let filter = Filter::default();
    only(conversions::select(call.store(), call.scope(), Page::one(id), &filter).await?)
}

/// An affiliate is told that a sale was rejected, not what the advertiser wrote about it.
pub(super) fn view(role: Role, c: &Conversion) -> Value {
    let taken_back = matches!(c.status, Status::Rejected | Status::Reversed);
    let net = if taken_back { Money::zero(c.commission.currency) } else { c.commission };
    let mut value = json!({
        "id": call::text(c.id),
        "hit_ids": c.hit_ids.iter().copied().map(call::text).collect::<Vec<_>>(),
        "program_id": call::text(c.program_id),
        "affiliate_id": call::opt(c.affiliate_id),
        "order_id": c.order_id,
        "kind": c.kind,
        "amount": c.amount.amount.to_string(),
        "currency": c.amount.currency,
        "commission": c.commission,
        "commission_net": net,
        "status": c.status.code(),
        "verified": c.verified,
        "attributed_by": c.attributed_by,
        "click_id": call::opt(c.click_id),
        "received_at": c.received_at,
        "reasons": c.reasons,
        "held": c.held,
        "hold_until": c.hold_until,
    });
    let told = c.status == Status::Rejected && !matches!(role, Role::Affiliate(_));
    if let Some(rejection) = c.rejection.as_ref().filter(|_| told) {
        value["rejection"] = json!(rejection);
    }
    value
}
