//! The books: transfers are written here, whoever decided them, and pending money becomes payable when its
//! hold period has passed. Nothing here changes or deletes a transfer.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{During, Error, Store};
use crate::domain::id::Id;
use crate::domain::ledger::{Account, Code, Transfer};
use crate::domain::money::{Currency, Money};
use crate::failpoint;

const POST: &str = include_str!("../../sql/ledger/post.sql");
const POST_RATED: &str = include_str!("../../sql/ledger/post_rated.sql");
const DUE: &str = include_str!("../../sql/ledger/due.sql");
const RELEASE: &str = include_str!("../../sql/ledger/release.sql");
const RELEASE_SHARES: &str = include_str!("../../sql/ledger/release_shares.sql");

/// Posts transfers; one that was posted before is left as it is. Returns how many were new.
pub async fn post(tx: &Transaction<'_>, transfers: &[Transfer]) -> Result<u64, Error> {
    if transfers.is_empty() {
        return Ok(0);
    }
    let columns = Columns::of(transfers);
    let mut params = columns.params();
    if transfers.iter().all(|transfer| transfer.rated.is_none()) {
        let operation = "ledger.post";
        let statement = tx.prepare_cached(POST).await.during(operation)?;
        return tx.execute(&statement, &params).await.during(operation);
    }
    let operation = "ledger.post_rated";
    let rated = || transfers.iter().map(|transfer| transfer.rated.as_ref());
    let rate: Vec<Option<Decimal>> = rated().map(|rated| Some(rated?.rate)).collect();
    let on_date: Vec<Option<Date>> = rated().map(|rated| Some(rated?.on_date)).collect();
    let source: Vec<Option<&str>> = rated().map(|rated| Some(&*rated?.source)).collect();
    params.extend([&rate as &(dyn ToSql + Sync), &on_date, &source]);
    let statement = tx.prepare_cached(POST_RATED).await.during(operation)?;
    tx.execute(&statement, &params).await.during(operation)
}

/// Transfers as the columns of a statement.
struct Columns(Vec<Box<dyn ToSql + Sync + Send>>);

impl Columns {
    fn of(t: &[Transfer]) -> Self {
        Columns(vec![
            Box::new(t.iter().map(|t| t.conversion_id).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.program_id).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.part).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.code.code()).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.cause_id).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.debit.0.code()).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.debit.1).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.credit.0.code()).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.credit.1).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.amount.amount).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.amount.currency.code()).collect::<Vec<_>>()),
            Box::new(t.iter().map(|t| t.event_ms).collect::<Vec<_>>()),
        ])
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
    }
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
        let ids: Vec<Id> = rows.iter().map(|row| row.get("id")).collect();
        let causes: HashMap<Id, Id> =
            rows.iter().map(|row| (row.get("id"), row.get("cause_id"))).collect();
        let statement = tx.prepare_cached(RELEASE_SHARES).await.during("ledger.release_shares")?;
        let shares = tx.query(&statement, &[&ids]).await.during("ledger.release_shares")?;
        let own = rows.iter().map(|row| approval(row, 0, &causes, now_ms));
        let others = shares.iter().map(|row| approval(row, row.get("part"), &causes, now_ms));
        let transfers: Vec<Option<Transfer>> = own.chain(others).collect::<Result<_, _>>()?;
        let transfers: Vec<Transfer> = transfers.into_iter().flatten().collect();
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

/// The approval of a share that became payable; none when nothing is left of it.
fn approval(
    row: &Row,
    part: i16,
    causes: &HashMap<Id, Id>,
    event_ms: i64,
) -> Result<Option<Transfer>, Error> {
    let (conversion_id, affiliate_id): (Id, Option<Id>) = (row.get("id"), row.get("affiliate_id"));
    let amount = money(row, "commission", "commission_currency")?;
    let Some(affiliate_id) = affiliate_id.filter(|_| !amount.amount.is_zero()) else {
        return Ok(None);
    };
    Ok(Some(Transfer {
        conversion_id: Some(conversion_id),
        program_id: row.get("program_id"),
        part,
        code: Code::Approve,
        cause_id: causes.get(&conversion_id).copied().unwrap_or(conversion_id),
        debit: (Account::AffiliatePending, affiliate_id),
        credit: (Account::AffiliatePayable, affiliate_id),
        amount,
        rated: None,
        event_ms,
    }))
}

/// An amount and its currency from two columns, with the currency's decimals.
pub(super) fn money(row: &Row, amount: &str, currency: &str) -> Result<Money, Error> {
    let code: &str = row.get(currency);
    let currency = Currency::parse(code)
        .ok_or_else(|| Error::unreadable("money", "a currency that ISO 4217 does not have"))?;
    Ok(Money::rounded(row.get(amount), currency))
}
