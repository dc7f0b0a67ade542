//! Which conversions a verdict on many is about.

use jiff::Timestamp;

use super::page::{Scope, Values};
use super::{Error, Store};
use crate::domain::id::Id;

const PENDING: &str = include_str!("../../sql/verdicts/pending.sql");

/// Pending conversions of a program; absent is any. The time is half-open.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Id,
    pub affiliate_id: Option<Id>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub order_ids: Option<Vec<String>>,
    /// Only those made known behind this one.
    pub after: Option<Id>,
}

/// The first of them, at most `limit`, and how many more there are.
pub async fn pending(
    store: &Store,
    scope: Scope,
    filter: &Filter,
    limit: i64,
) -> Result<(Vec<Id>, i64), Error> {
    let f = filter;
    let keys = f.order_ids.as_ref().map(|ids| ids.iter().map(|id| format!("id:{id}")));
    let keys: Option<Vec<String>> = keys.map(Iterator::collect);
    let values: Values<'_> = &[
        &scope.advertiser_id,
        &f.program_id,
        &f.affiliate_id,
        &f.from,
        &f.to,
        &keys,
        &f.after,
        &limit,
    ];
    let rows = store.rows("verdicts.pending", PENDING, values).await?;
    let count: i64 = rows.first().map_or(0, |row| row.get("count"));
    let ids: Vec<Id> = rows.iter().map(|row| row.get("id")).collect();
    let left = count - i64::try_from(ids.len()).unwrap_or(count);
    Ok((ids, left))
}
