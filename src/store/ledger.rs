//! The books: posting transfers.

use deadpool_postgres::Transaction;
use tokio_postgres::types::ToSql;

use super::{During, Error};
use crate::domain::ledger::Transfer;

const POST: &str = include_str!("../../sql/ledger/post.sql");

/// Posts transfers; one that was posted before is left as it is. Returns how many were new.
pub async fn post(tx: &Transaction<'_>, transfers: &[Transfer]) -> Result<u64, Error> {
    if transfers.is_empty() {
        return Ok(0);
    }
    let t = transfers;
    let statement = tx.prepare_cached(POST).await.during("ledger.post")?;
    let params: &[&(dyn ToSql + Sync)] = &[
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

/// stub
pub async fn release_due(_store: &super::Store, _now_ms: i64, _limit: i64) -> Result<usize, Error> {
    Ok(0)
}
