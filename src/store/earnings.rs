//! What an affiliate's room shows: his links, and what they earned. Every statement takes the affiliate's
//! id and finds nothing that is another's.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::sales::Standing;
use super::{Error, Store};
use crate::domain::commission::Terms;
use crate::domain::id::Id;
use crate::domain::ledger::ShareKind;

const AFFILIATE: &str = include_str!("../../sql/earnings/affiliate.sql");
const LINKS: &str = include_str!("../../sql/earnings/links.sql");
const TOTALS: &str = include_str!("../../sql/earnings/totals.sql");
const CLICKS: &str = include_str!("../../sql/earnings/clicks.sql");
const DAYS: &str = include_str!("../../sql/earnings/days.sql");
const SALES: &str = include_str!("../../sql/earnings/sales.sql");
const PLANS: &str = include_str!("../../sql/earnings/plans.sql");
const SHARES: &str = include_str!("../../sql/earnings/shares.sql");

/// Whose room an affiliate's is.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Affiliate {
    pub name: String,
    pub paused: bool,
    /// When it was asked.
    pub now: Timestamp,
}

/// An affiliate's link.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Link {
    pub program: String,
    pub code: String,
    pub destination: Option<String>,
    pub paused: bool,
}

/// The terms of a program that an affiliate has to do with.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Plan {
    pub program: String,
    /// The advertiser's.
    pub currency: String,
    /// Of the plan now in force; absent when there is none, or when it is of another version.
    pub terms: Option<Terms>,
    /// That the affiliate is in.
    pub group: Option<String>,
    /// His own in the program.
    pub coupons: Vec<String>,
    /// Whether he sells there, or has shares of others' sales alone.
    pub sells: bool,
}

/// What the books hold for an affiliate in one currency.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Balance {
    pub currency: String,
    pub pending: Decimal,
    pub payable: Decimal,
    pub paid: Decimal,
}

/// Sales of one day in one currency and one status.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct SaleDay {
    pub day: Date,
    pub currency: String,
    pub commission_currency: String,
    pub status: String,
    pub conversions: i64,
    pub sales: Decimal,
    pub commission: Decimal,
}

/// A sale as its affiliate sees it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Sale {
    pub id: Id,
    pub received_at: Timestamp,
    pub timezone: String,
    pub program: String,
    pub order_id: Option<String>,
    pub amount: Decimal,
    pub currency: String,
    /// What is left of it.
    pub commission: Decimal,
    pub commission_currency: String,
    /// Without what somebody noted.
    pub standing: Standing,
    pub verified: bool,
    pub attributed_by: Option<String>,
    /// How far each chargeback is.
    pub chargebacks: Vec<String>,
}

/// What an affiliate has of another's sale.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Share {
    /// Of the sale's conversion.
    pub id: Id,
    pub at: Timestamp,
    pub timezone: String,
    pub program: String,
    pub kind: ShareKind,
    /// What is left of it.
    pub commission: Decimal,
    /// What was taken back of it.
    pub reversed: Decimal,
    pub currency: String,
    pub status: String,
}

/// An affiliate.
pub async fn affiliate(store: &Store, id: Id) -> Result<Option<Affiliate>, Error> {
    let rows = store.reporting().rows("earnings.affiliate", AFFILIATE, &[&id]).await?;
    let read = |row: &Row| Affiliate { name: row.get(0), paused: row.get(1), now: row.get(2) };
    Ok(rows.first().map(read))
}

/// An affiliate's links, so many at most.
pub async fn links(store: &Store, id: Id, limit: i64) -> Result<Vec<Link>, Error> {
    let rows = store.reporting().rows("earnings.links", LINKS, &[&id, &limit]).await?;
    let read = |row: &Row| Link {
        program: row.get(0),
        code: row.get(1),
        destination: row.get(2),
        paused: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// The terms of the programs that an affiliate has to do with, so many at most.
pub async fn plans(store: &Store, id: Id, limit: i64) -> Result<Vec<Plan>, Error> {
    let rows = store.rows("earnings.plans", PLANS, &[&id, &limit]).await?;
    let read = |row: &Row| Plan {
        program: row.get(0),
        currency: row.get(1),
        terms: super::portal::terms(row.get(2)),
        group: row.get(3),
        coupons: row.get(4),
        sells: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

/// What the books hold for an affiliate, by currency.
pub async fn totals(store: &Store, id: Id) -> Result<Vec<Balance>, Error> {
    let rows = store.reporting().rows("earnings.totals", TOTALS, &[&id]).await?;
    let read = |row: &Row| Balance {
        currency: row.get(0),
        pending: row.get(1),
        payable: row.get(2),
        paid: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// An affiliate's clicks by day; days without any are left out.
pub async fn clicks(store: &Store, id: Id, days: i32) -> Result<Vec<(Date, i64)>, Error> {
    let rows = store.reporting().rows("earnings.clicks", CLICKS, &[&id, &days]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// An affiliate's sales by day, currency and status, but for those that earn nothing any more.
pub async fn days(store: &Store, id: Id, days: i32) -> Result<Vec<SaleDay>, Error> {
    let rows = store.reporting().rows("earnings.days", DAYS, &[&id, &days]).await?;
    let read = |row: &Row| SaleDay {
        day: row.get(0),
        currency: row.get(1),
        commission_currency: row.get(2),
        status: row.get(3),
        conversions: row.get(4),
        sales: row.get(5),
        commission: row.get(6),
    };
    Ok(rows.iter().map(read).collect())
}

/// An affiliate's sales before an id, newest first.
pub async fn sales(store: &Store, id: Id, before: Id) -> Result<Vec<Sale>, Error> {
    let rows = store.reporting().rows("earnings.sales", SALES, &[&id, &before]).await?;
    let read = |row: &Row| Sale {
        id: row.get(0),
        received_at: row.get(1),
        timezone: row.get(2),
        program: row.get(3),
        order_id: row.get(4),
        amount: row.get(5),
        currency: row.get(6),
        commission: row.get(7),
        commission_currency: row.get(8),
        standing: Standing {
            status: row.get(9),
            held: row.get(10),
            hold_until: row.get(11),
            reasons: row.get(12),
            refunded: row.get(13),
            rejection: None,
        },
        verified: row.get(14),
        attributed_by: row.get(15),
        chargebacks: row.get(16),
    };
    Ok(rows.iter().map(read).collect())
}

/// What an affiliate has of others' sales before an id, newest first: all of each that it tells of.
pub async fn shares(store: &Store, id: Id, before: Id) -> Result<Vec<Share>, Error> {
    let rows = store.reporting().rows("earnings.shares", SHARES, &[&id, &before]).await?;
    let read = |row: &Row| {
        let kind = ShareKind::parse(row.get(4), row.get(5));
        Ok(Share {
            id: row.get(0),
            at: row.get(1),
            timezone: row.get(2),
            program: row.get(3),
            kind: kind.ok_or_else(|| Error::unreadable("earnings.shares", "a kind of share"))?,
            commission: row.get(6),
            reversed: row.get(7),
            currency: row.get(8),
            status: row.get(9),
        })
    };
    rows.iter().map(read).collect()
}
