//! Stored hits found, read, and written with their new fates; what they were before is kept. What is
//! decided in between is not known here. One batch is one transaction on one snapshot: another writer
//! that was first is a lost race.

use tokio_postgres::{IsolationLevel, Row};

use super::page::Values;
use super::{During, Error, Store, Transaction};
use crate::domain::hit::Part;
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::order::Key;
use crate::domain::reason::Outcome;
use crate::domain::replay::{Cause, Change, ORDER_HITS_MAX, Stored};
use crate::domain::settlement::Fate;

const NO_TIMEOUT: &str = include_str!("../../sql/replay/no_timeout.sql");
const SELECT: &str = include_str!("../../sql/replay/select.sql");
const HITS: &str = include_str!("../../sql/replay/hits.sql");
const MEMBERS: &str = include_str!("../../sql/replay/members.sql");
const KEYS: &str = include_str!("../../sql/replay/keys.sql");
const CAUSE: &str = include_str!("../../sql/replay/cause.sql");
const RECORD: &str = include_str!("../../sql/replay/record.sql");
const RECORD_HITS: &str = include_str!("../../sql/replay/record_hits.sql");
const RECORD_CONVERSIONS: &str = include_str!("../../sql/replay/record_conversions.sql");
const UPDATE_HITS: &str = include_str!("../../sql/replay/update_hits.sql");
const DELETE_CLICKS: &str = include_str!("../../sql/replay/delete_clicks.sql");

/// Which hits are decided again. The time is that of their arrival, half-open.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Selection {
    pub from_ms: i64,
    pub to_ms: i64,
    pub program_id: Option<Id>,
    pub outcome: Option<Outcome>,
}

/// The next hits of a selection, by id from `ids.0` to before `ids.1`. May read a long time, and locks nothing.
pub async fn select(
    store: &Store,
    selection: &Selection,
    ids: (Id, Id),
    limit: i64,
) -> Result<Vec<Id>, Error> {
    let selected = store.transaction("replay.select", async |tx| {
        tx.batch_execute(NO_TIMEOUT).await.during("replay.no_timeout")?;
        let statement = tx.prepare_cached(SELECT).await.during("replay.select")?;
        let outcome = selection.outcome.map(Outcome::code);
        let Selection { from_ms, to_ms, program_id, .. } = selection;
        let params: Values<'_> = &[&ids.0, &ids.1, from_ms, to_ms, program_id, &outcome, &limit];
        tx.query(&statement, params).await.during("replay.select")
    });
    Ok(selected.await?.iter().map(|row| row.get(0)).collect())
}

/// Runs `work` on one snapshot: committed if it may write, else nothing is written.
pub async fn batch<T>(
    store: &Store,
    may_write: bool,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut client = store.client("replay").await?;
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let tx = begin.read_only(!may_write).start().await.during("replay")?;
    let done = work(&tx).await?;
    tx.commit().await.during("replay")?;
    Ok(done)
}

async fn query(
    tx: &Transaction<'_>,
    operation: &'static str,
    sql: &'static str,
    params: Values<'_>,
) -> Result<Vec<Row>, Error> {
    let statement = tx.prepare_cached(sql).await.during(operation)?;
    tx.query(&statement, params).await.during(operation)
}

/// Hits as they came, with their fates.
pub async fn hits(tx: &Transaction<'_>, ids: &[Id]) -> Result<Vec<Stored>, Error> {
    query(tx, "replay.hits", HITS, &[&ids]).await?.iter().map(stored).collect()
}

/// The hits that tell of these conversions; of each, one more than are read to tell it anew.
pub async fn members(tx: &Transaction<'_>, conversions: &[Id]) -> Result<Vec<Stored>, Error> {
    let limit = ORDER_HITS_MAX as i64 + 1;
    query(tx, "replay.members", MEMBERS, &[&conversions, &limit])
        .await?
        .iter()
        .map(stored)
        .collect()
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let unknown = || Error::unreadable("replay.hits", "an outcome that nobody knows");
    let id = row.get("id");
    let fate = Fate {
        hit: id,
        program_id: row.get("program_id"),
        affiliate_id: row.get("affiliate_id"),
        outcome: Outcome::parse(row.get("outcome")).ok_or_else(unknown)?,
        reasons: row.get("reasons"),
        conversion_id: row.get("conversion_id"),
    };
    Ok(Stored { fate, id, raw: row.get("raw") })
}

/// What these conversions are recognised by.
pub async fn keys(tx: &Transaction<'_>, conversions: &[Id]) -> Result<Vec<Key>, Error> {
    let unknown = || Error::unreadable("replay.keys", "a kind that nobody knows");
    let rows = query(tx, "replay.keys", KEYS, &[&conversions]).await?;
    let key = |row: &Row| {
        let kind = SaleKind::parse(row.get(1)).ok_or_else(unknown)?;
        Ok(Key { program_id: row.get(0), kind, text: row.get(2) })
    };
    rows.iter().map(key).collect()
}

/// What books the changes of one batch.
pub async fn cause(tx: &Transaction<'_>) -> Result<Cause, Error> {
    let rows = query(tx, "replay.cause", CAUSE, &[]).await?;
    let row = rows.first().ok_or_else(|| Error::unreadable("replay.cause", "no row"))?;
    Ok(Cause { id: row.get(0), event_ms: row.get(1) })
}

/// Keeps what hits and conversions are now, before they are changed.
pub async fn record(
    tx: &Transaction<'_>,
    replay_id: Id,
    selection: &Selection,
    hits: &[Change<Fate, Fate>],
    conversions: &[Id],
) -> Result<(), Error> {
    let Selection { from_ms, to_ms, program_id, outcome } = selection;
    let outcome = outcome.map(Outcome::code);
    let params: Values<'_> = &[&replay_id, from_ms, to_ms, program_id, &outcome];
    query(tx, "replay.record", RECORD, params).await?;
    let former: Vec<Id> = hits.iter().map(|hit| hit.before.hit).collect();
    let ids: Vec<Id> = hits.iter().map(|hit| hit.after.hit).collect();
    query(tx, "replay.record_hits", RECORD_HITS, &[&replay_id, &former, &ids]).await?;
    query(tx, "replay.record_conversions", RECORD_CONVERSIONS, &[&replay_id, &conversions]).await?;
    Ok(())
}

/// Gives hits their new fates. `hits` and `changes` are in the same order.
pub async fn update_hits(
    tx: &Transaction<'_>,
    hits: &[&Stored],
    changes: &[Change<Fate, Fate>],
) -> Result<(), Error> {
    let read: Vec<_> = hits.iter().filter_map(|stored| stored.hit()).collect();
    let code = |hit: &crate::domain::hit::Hit<'_>| hit.text(Part::Code).replace('\0', "");
    let (c, operation) = (changes, "replay.update_hits");
    let params: Values<'_> = &[
        &c.iter().map(|c| c.before.hit).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.hit).collect::<Vec<_>>(),
        &read.iter().map(|hit| hit.received_ms).collect::<Vec<_>>(),
        &read.iter().map(|hit| hit.kind.code()).collect::<Vec<_>>(),
        &read.iter().map(code).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.program_id).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.affiliate_id).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.outcome.code()).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.reasons.join(" ")).collect::<Vec<_>>(),
        &c.iter().map(|c| c.after.conversion_id).collect::<Vec<_>>(),
    ];
    let statement = tx.prepare_cached(UPDATE_HITS).await.during(operation)?;
    let written = tx.execute(&statement, params).await.during(operation)?;
    if written == changes.len() as u64 { Ok(()) } else { Err(Error::raced(operation)) }
}

/// Takes back clicks that do not count any more.
pub async fn delete_clicks(tx: &Transaction<'_>, ids: &[Id]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    query(tx, "replay.delete_clicks", DELETE_CLICKS, &[&ids]).await.map(drop)
}
