//! `conversions`: sales and leads, and the verdicts of people on them. Approve and reject are idempotent by
//! nature: the verdict stands once, and repeating it moves no money again; with an `Idempotency-Key` the answer
//! is the same, too.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::once::{done, once_if_asked};
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText, Money};
use crate::domain::id::Id;
use crate::domain::ledger::{self, Status};
use crate::domain::money;
use crate::domain::rates::Quoted;
use crate::store::Transaction;
use crate::store::conversions::{self, Filter, Judged, Verdict};
use crate::store::keys::Role;
use crate::store::page::{At, Page, Scope};

/// One sale or lead of one order in one program, whatever the number and channel of its hits.
#[derive(Serialize, ToSchema)]
pub(super) struct Conversion {
    id: IdText,
    /// In order of arrival.
    hit_ids: Vec<IdText>,
    program_id: IdText,
    /// None when nobody referred it.
    affiliate_id: Option<IdText>,
    /// As the shop knows it.
    order_id: Option<String>,
    /// `sale` or `lead`.
    #[schema(example = "sale")]
    kind: String,
    #[schema(value_type = String, example = "19.95")]
    amount: Decimal,
    /// Of the amount; ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// What was booked for the affiliate.
    commission: Money,
    /// Less what was taken back.
    commission_net: Money,
    /// Where the commission's money is.
    #[schema(schema_with = shown::status)]
    status: &'static str,
    /// Whether the shop vouched for it, by signature or key.
    verified: bool,
    /// By what evidence: `click_token`, `coupon` or `cookie`; of a renewal, `customer`: by whom its customer came.
    attributed_by: Option<String>,
    click_id: Option<IdText>,
    received_at: Timestamp,
    /// Stable codes, which INTEGRATION.md explains.
    reasons: Vec<String>,
    /// Waits for approval by hand; time alone does not release it.
    held: bool,
    /// When it becomes payable by itself.
    hold_until: Timestamp,
    /// What the person wrote who rejected it; not told to affiliates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<String>,
    /// What others have of it: other touches, and recruiters. Affiliates are told their own.
    shares: Vec<Share>,
    /// The rate that the commission was exchanged by; none where it was not.
    exchange: Option<ExchangedBy>,
}

/// Another's part of a conversion.
#[derive(Serialize, ToSchema)]
pub(super) struct Share {
    affiliate_id: IdText,
    /// `touch` or `level`.
    #[schema(example = "level")]
    kind: &'static str,
    /// Of a level: 1 recruited the conversion's affiliate, 2 him, and so on.
    level: Option<i16>,
    commission: Money,
    commission_net: Money,
    #[schema(schema_with = shown::status)]
    status: &'static str,
}

/// A rate of exchange that was used.
#[derive(Serialize, ToSchema)]
pub(super) struct ExchangedBy {
    /// How many of the commission's currency one of the sale's is.
    #[schema(value_type = String, example = "1.0871")]
    rate: Decimal,
    /// The day that it was quoted for.
    #[schema(value_type = String, format = Date, example = "2026-09-18")]
    on: Date,
    /// Who quoted it.
    #[schema(example = "ECB")]
    source: String,
}

/// `GET conversions`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let rows = conversions::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let (program_id, affiliate_id) = call::owners(query);
    let filter = Filter {
        program_id,
        affiliate_id,
        order_id: query.optional("order_id", rules::ORDER_ID),
        status: query.optional("status", rules::STATUS),
        from: query.optional("from", rules::MOMENT),
        to: query.optional("to", rules::MOMENT),
    };
    (page, filter)
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
    let reason = reason(&mut body);
    body.finish()?;
    judge(call, id, Verdict::Reject(&reason)).await
}

pub(super) fn reason(body: &mut Input) -> String {
    body.required("reason", rules::REMARK)
}

async fn judge(call: &Call<'_>, id: Id, verdict: Verdict<'_>) -> Answered {
    let work = async |tx: &Transaction<'_>| {
        let seen = async || find_at(tx, call.scope(), id).await;
        // Here, so that a call that was done is answered as before, though it changed the tag.
        let look = async || seen().await.map(|c| (view(call.role, &c), c.revision));
        let only_at = call.only_at(look).await?;
        match conversions::judge(tx, call.scope(), id, (verdict, only_at)).await? {
            Judged::Done => Ok(done(&view(call.role, &seen().await?))),
            Judged::NotFound => Err(Refusal::NotFound),
            Judged::Changed => Err(Refusal::Changed),
            Judged::TooLate(status) => {
                let detail = match status {
                    Status::Paid => "Something of it was paid out.".to_owned(),
                    status => format!("The conversion is {}.", status.code()),
                };
                Err(Refusal::Conflict("conversion_not_pending", detail))
            }
            Judged::Disputed => {
                let detail =
                    "A chargeback is open; nothing is paid until it is decided.".to_owned();
                Err(Refusal::Conflict("chargeback_open", detail))
            }
        }
    };
    once_if_asked(call, work).await
}

/// A conversion that the one who asks may see.
pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<conversions::Conversion, Refusal> {
    find_at(call.store(), call.scope(), id).await
}

async fn find_at<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    id: Id,
) -> Result<conversions::Conversion, Refusal> {
    only(conversions::select(at, scope, Page::one(id), &Filter::default()).await?)
}

/// An affiliate is told that a sale was rejected, not what the advertiser wrote about it.
pub(super) fn view(role: Role, c: &conversions::Conversion) -> Conversion {
    let told = c.status == Status::Rejected && !matches!(role, Role::Affiliate(_));
    Conversion {
        id: IdText(c.id),
        hit_ids: c.hit_ids.iter().copied().map(IdText).collect(),
        program_id: IdText(c.program_id),
        affiliate_id: c.affiliate_id.map(IdText),
        order_id: c.order_id.clone(),
        kind: c.kind.clone(),
        amount: c.amount.amount,
        currency: c.amount.currency.code(),
        commission: c.commission.into(),
        commission_net: net(c.commission, c.reversed, c.status).into(),
        status: c.status.code(),
        verified: c.verified,
        attributed_by: c.attributed_by.clone(),
        click_id: c.click_id.map(IdText),
        received_at: c.received_at,
        reasons: c.reasons.clone(),
        held: c.held,
        hold_until: c.hold_until,
        rejection: c.rejection.clone().filter(|_| told),
        shares: c.shares.iter().map(share).collect(),
        exchange: c.exchange.clone().map(|Quoted { rate, on, source }| ExchangedBy {
            rate,
            on,
            source,
        }),
    }
}

/// Another's part, as it is told.
pub(super) fn share(share: &ledger::Share) -> Share {
    let (kind, level) = share.kind.code();
    Share {
        affiliate_id: IdText(share.affiliate_id),
        kind,
        level,
        commission: share.commission.into(),
        commission_net: net(share.commission, share.reversed, share.status).into(),
        status: share.status.code(),
    }
}

/// What is left of a commission.
fn net(commission: money::Money, reversed: Decimal, status: Status) -> money::Money {
    match status {
        Status::Rejected | Status::Reversed => money::Money::zero(commission.currency),
        _ => money::Money::rounded(commission.amount - reversed, commission.currency),
    }
}
