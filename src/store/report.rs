//! Reports over clicks and conversions. Amounts of different currencies are never added.

use jiff::Timestamp;
use jiff::civil::Date;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::Scope;
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::money::Money;

const COMMISSIONS: &str = include_str!("../../sql/report/commissions.sql");

/// A bound of a report's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// This very moment.
    Moment(Timestamp),
    /// The first moment of a day, in the time zone of each program's advertiser.
    Day(Date),
}

/// What a report is about. The time is half-open.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Question {
    /// `day`, `program`, `link`, or `s1` to `s5`.
    pub group_by: String,
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    /// Absent: 30 days before the end.
    pub from: Option<Bound>,
    /// Absent: until now and beyond.
    pub to: Option<Bound>,
    /// Rows at most.
    pub limit: i64,
}

/// One group in one currency of sales and one of commissions.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Line {
    /// The day, the id, or the sub id; absent where a sale or click has none.
    pub key: Option<String>,
    pub sums: Sums,
}

/// Numbers that may be added.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Sums {
    /// Counted in the line of the advertiser's currency.
    pub clicks: i64,
    /// But for the rejected and the reversed.
    pub conversions: i64,
    /// Of those conversions.
    pub sales: Money,
    pub pending: Money,
    pub payable: Money,
    pub paid: Money,
    /// Commissions that were rejected or reversed.
    pub reversed: Money,
}

/// The lines of the commissions report, in order of their keys.
pub async fn commissions(
    store: &Store,
    scope: Scope,
    question: &Question,
) -> Result<Vec<Line>, Error> {
    let q = question;
    let affiliate_id = scope.affiliate_id.or(q.affiliate_id);
    if q.affiliate_id.is_some_and(|asked| affiliate_id != Some(asked)) {
        return Ok(Vec::new()); // Another's, of whom an affiliate is told nothing.
    }
    let (from, from_day) = split(q.from);
    let (to, to_day) = split(q.to);
    let values: super::page::Values<'_> = &[
        &q.group_by,
        &scope.advertiser_id,
        &affiliate_id,
        &q.program_id,
        &from,
        &from_day,
        &to,
        &to_day,
        &q.limit,
    ];
    let rows = store.reporting().rows("report.commissions", COMMISSIONS, values).await?;
    rows.iter().map(line).collect()
}

fn split(bound: Option<Bound>) -> (Option<Timestamp>, Option<Date>) {
    match bound {
        Some(Bound::Moment(moment)) => (Some(moment), None),
        Some(Bound::Day(day)) => (None, Some(day)),
        None => (None, None),
    }
}

fn line(row: &Row) -> Result<Line, Error> {
    let commission = |name| money(row, name, "commission_currency");
    Ok(Line {
        key: row.get("key"),
        sums: Sums {
            clicks: row.get("clicks"),
            conversions: row.get("conversions"),
            sales: money(row, "sales", "currency")?,
            pending: commission("pending")?,
            payable: commission("payable")?,
            paid: commission("paid")?,
            reversed: commission("reversed")?,
        },
    })
}
