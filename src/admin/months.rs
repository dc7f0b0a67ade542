//! `months`: what the closing of an affiliate's month came to, and how.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, one_more};
use super::shown::{IdText, Money};
use crate::domain::statement::month_name;
use crate::store::months::{self, Closed};

/// A closing of an affiliate's month in one currency. The last one of a month holds; each books what those before it did
/// not.
#[derive(Serialize, ToSchema)]
pub(super) struct MonthClosing {
    id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// In the advertiser's time zone.
    #[schema(example = "2026-01")]
    month: String,
    /// 1, 2, …: how often it was closed.
    #[schema(example = 1)]
    number: i32,
    /// What tiers, bonuses and the cap give beside the commissions. Below zero: the cap cuts.
    due: Money,
    /// By the closings before.
    booked_before: Money,
    /// Of the difference, payable at once; absent when there is none.
    adjustment_id: Option<IdText>,
    /// The arithmetic: what there is of it in this currency.
    #[schema(example = json!(["12 % of 1200.00 USD rather than 10 %: 24.00 USD more"]))]
    lines: Vec<String>,
    closed_at: Timestamp,
}

/// `GET months`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let owners = call::owners(&mut query);
    query.finish()?;
    let rows = months::select(call.store(), call.scope(), one_more(page), owners).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

fn view(c: &Closed) -> MonthClosing {
    MonthClosing {
        id: IdText(c.id),
        program_id: IdText(c.program_id),
        affiliate_id: IdText(c.affiliate_id),
        month: month_name(c.month),
        number: c.number,
        due: c.due.into(),
        booked_before: c.booked_before.into(),
        adjustment_id: c.adjustment_id.map(IdText),
        lines: c.lines.clone(),
        closed_at: c.closed_at,
    }
}
