//! The books: transfers are written here, whoever decided them, and pending money becomes payable when its
//! hold period has passed. Nothing here changes or deletes a transfer.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{During, Error, Store};
use crate::domain::id::Id;
use crate::domain::ledger::{Commission, Status, Transfer};
use crate::domain::money::{Currency, Money};
use crate::failpoint;

const POST: &str = include_str!("../../sql/ledger/post.sql");
const DUE: &str = include_str!("../../sql/ledger/due.sql");
const RELEASE: &str = include_str!("../../sql/ledger/release.sql");

/// Posts transfers; one that was posted before is left as it is. Returns how many were new.
pub async fn post(tx: &Transaction<'_>, transfers: &[Transfer]) -> Result<u64, Error> {
    if transfers.is_empty() {
        return Ok(0);
    }
    let t = transfers;
    let statement = tx.prepare_cached(POST).await.during("ledger.post")?;
    let params: super::page::Values<'_> = &[
        &t.iter().map(|t| t.conversion_id).collect::<Vec<_>>(),
        &t.iter().map(|t| t.code.code()).collect::<Vec<_>>(),
        &t.iter().map(|t| t.cause_id).collect::<Vec<_>>(),
        &t.iter().map(|t| t.debit.0.code()).collect::<Vec<_>>(),
        &t.iter().map(|t| t.debit.1).collect::<Vec<_>>(),
        &t.iter().map(|t| t.credit.0.code()).collect::<Vec<_>>(),
        &t.iter().map(|t| t.credit.1).collect::<Vec<_>>(),
        &t.iter().map(|t| t.amount.amount).collect::<Vec<_>>(),
        &t.iter().map(|t| t.amount.currency.code()).collect::<Vec<_>>(),
        &t.iter().map(|t| t.event_ms).collect::<Vec<_>>(),
    ];
    tx.execute(&statement, params).await.during("ledger.post")
}

/// Makes conversions payable whose hold period has passed at `now_ms`, at most `limit` of them, in one
/// transaction; returns how many. Skips what another worker or a person has in hand; safe to repeat.
pub async fn release_due(store: &Store, now_ms: i64, limit: usize) -> Result<usize, Error> {
    let now = Timestamp::from_millisecond(now_ms)
        .map_err(|e| Error::unreadable("ledger.due", &e.to_string()))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let released = store.transaction("ledger.release", async |tx| {
        let statement = tx.prepare_cached(DUE).await.during("ledger.due")?;
        let rows = tx.query(&statement, &[&now, &limit]).await.during("ledger.due")?;
        let booked = rows.iter().map(booked).collect::<Result<Vec<Booked>, Error>>()?;
        let transfers: Vec<Transfer> =
            booked.iter().filter_map(|b| b.commission.approve(b.cause_id, now_ms)).collect();
        let ids: Vec<Id> = booked.iter().map(|b| b.commission.conversion_id).collect();
        if post(tx, &transfers).await? != transfers.len() as u64 {
            return Err(Error::raced("ledger.release"));
        }
        if !ids.is_empty() {
            failpoint::pass("ledger.approving");
        }
        let statement = tx.prepare_cached(RELEASE).await.during("ledger.release")?;
        tx.execute(&statement, &[&ids]).await.during("ledger.release")?;
        Ok(ids.len())
    });
    let released = released.await?;
    if released > 0 {
        failpoint::pass("ledger.released");
    }
    Ok(released)
}

/// A commission in the books, its row locked.
pub(super) struct Booked {
    pub commission: Commission,
    /// The cause of its last accrual. A conversion may be booked more than once, superseded in between;
    /// an approval or rejection is one of that booking, so it carries the same cause.
    pub cause_id: Id,
}

/// Reads a locked commission.
pub(super) fn booked(row: &Row) -> Result<Booked, Error> {
    let status: &str = row.get("status");
    let status = Status::parse(status)
        .ok_or_else(|| Error::unreadable("ledger.booked", "a status that nobody knows"))?;
    Ok(Booked {
        commission: Commission {
            conversion_id: row.get("id"),
            advertiser_id: row.get("advertiser_id"),
            affiliate_id: row.get("affiliate_id"),
            amount: money(row, "commission", "commission_currency")?,
            status,
        },
        cause_id: row.get("cause_id"),
    })
}

/// An amount and its currency from two columns, with the currency's decimals.
pub(super) fn money(row: &Row, amount: &str, currency: &str) -> Result<Money, Error> {
    let code: &str = row.get(currency);
    let currency = Currency::parse(code)
        .ok_or_else(|| Error::unreadable("money", "a currency that ISO 4217 does not have"))?;
    Ok(Money::rounded(row.get(amount), currency))
}
