//! Money given or taken by hand, for a reason; and what the closing of a month made.

use jiff::Timestamp;
use jiff::civil::Date;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::{At, Page, Scope, Values};
use super::{Error, Transaction};
use crate::domain::id::Id;
use crate::domain::money::Money;

const CREATE: &str = include_str!("../../sql/adjustments/create.sql");
const SELECT: &str = include_str!("../../sql/adjustments/select.sql");

/// An adjustment.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Adjustment {
    pub id: Id,
    pub of: New,
    /// The first day of the month whose closing made it; absent: it was made by hand.
    pub month: Option<Date>,
    pub created_at: Timestamp,
}

/// What can be said of one when it is made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub program_id: Id,
    pub affiliate_id: Id,
    /// Below zero: taken. Never zero.
    pub amount: Money,
    pub reason: String,
}

/// Makes one, with its transfer; returns its id. Nothing, where there is no such program for the one who asks,
/// or the affiliate has nothing to do with it.
pub async fn create(tx: &Transaction<'_>, scope: Scope, new: &New) -> Result<Option<Id>, Error> {
    let values: Values<'_> = &[
        &new.program_id,
        &scope.advertiser_id,
        &new.affiliate_id,
        &new.amount.amount,
        &new.amount.currency.code(),
        &new.reason,
    ];
    let rows = At::from(tx).rows("adjustments.create", CREATE, values).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// One or a page, of one program or affiliate, or all.
pub async fn select<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    (program_id, of_affiliate_id): (Option<Id>, Option<Id>),
) -> Result<Vec<Adjustment>, Error> {
    let filters: Values<'_> = &[&program_id, &of_affiliate_id];
    at.into().list(("adjustments.select", SELECT), (scope, page), filters, adjustment).await
}

fn adjustment(row: &Row) -> Result<Adjustment, Error> {
    Ok(Adjustment {
        id: row.get("id"),
        of: New {
            program_id: row.get("program_id"),
            affiliate_id: row.get("affiliate_id"),
            amount: money(row, "amount", "currency")?,
            reason: row.get("reason"),
        },
        month: row.get("month"),
        created_at: row.get("created_at"),
    })
}
