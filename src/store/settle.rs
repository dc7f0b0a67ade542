//! One batch of frames, one transaction: claim, prefetch, apply. What is decided in between is not known
//! here. A transaction that lost a race against another writer is rolled back and done again whole.

mod orders;

use std::collections::{BTreeMap, HashSet};

use deadpool_postgres::Transaction;

use super::page::Values;
use super::{During, Error, Store};
use crate::domain::frame::Frame;
use crate::domain::hit::{Hit, Part};
use crate::domain::id::{self, Id};
use crate::domain::settlement::{Clicked, Fate};
use crate::failpoint;
pub(super) use orders::{Noted, conversion, shares, write_changed, write_noted, write_parts};
pub use orders::{find, write_conversions};

const REGISTER_EDGES: &str = include_str!("../../sql/settle/register_edges.sql");
const CLAIM_FRAMES: &str = include_str!("../../sql/settle/claim_frames.sql");
const INSERT_HITS: &str = include_str!("../../sql/settle/insert_hits.sql");
const INSERT_CLICKS: &str = include_str!("../../sql/settle/insert_clicks.sql");
const BURY: &str = include_str!("../../sql/settle/bury.sql");
const LOCK_JOURNAL: &str = include_str!("../../sql/settle/lock_journal.sql");
const CLAIM_GAP: &str = include_str!("../../sql/settle/claim_gap.sql");
const KNOWN_HITS: &str = include_str!("../../sql/settle/known_hits.sql");
const BURIED_HITS: &str = include_str!("../../sql/settle/buried_hits.sql");
const ADVANCE_WATERMARK: &str = include_str!("../../sql/settle/advance_watermark.sql");
const PRUNE_FRAMES: &str = include_str!("../../sql/settle/prune_frames.sql");
const WATERMARK: &str = include_str!("../../sql/settle/watermark.sql");

/// A hit with its place in its journal and its bytes.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Placed<'a> {
    pub edge_id: i64,
    pub seq: i64,
    pub raw: &'a [u8],
    pub hit: Hit<'a>,
}

/// Claims the frames that nobody has settled yet; hands on their keys.
pub async fn claim(tx: &Transaction<'_>, frames: &[Frame<'_>]) -> Result<Vec<(i64, i64)>, Error> {
    if frames.is_empty() {
        return Ok(Vec::new());
    }
    let edges: Vec<i64> = frames.iter().map(|f| f.edge_id).collect();
    let first_seqs: Vec<i64> = frames.iter().map(|f| f.first_seq).collect();
    let counts: Vec<i32> = frames.iter().map(|f| f.count as i32).collect();
    let journals: BTreeMap<i64, i32> = frames.iter().map(|f| (f.edge_id, node_of(f))).collect();
    let (ids, numbers): (Vec<i64>, Vec<i32>) = journals.into_iter().unzip();
    run(tx, "settle.register_edges", REGISTER_EDGES, &[&ids, &numbers]).await?;
    let statement = tx.prepare_cached(CLAIM_FRAMES).await.during("settle.claim_frames")?;
    let params: Values<'_> = &[&edges, &first_seqs, &counts];
    let rows = tx.query(&statement, params).await.during("settle.claim_frames")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The edge's number, as its hits' ids carry it.
fn node_of(frame: &Frame<'_>) -> i32 {
    let first = frame.hits().find_map(|(_, hit)| hit);
    first.map_or(0, |hit| i32::from(id::node(hit.id)))
}

/// Keeps each hit with its fate. Both are in the same order.
pub async fn insert_hits(
    tx: &Transaction<'_>,
    hits: &[Placed<'_>],
    fates: &[Fate],
) -> Result<(), Error> {
    let text = |part| hits.iter().map(|p| p.hit.text(part)).collect::<Vec<_>>();
    let codes: Vec<String> = text(Part::Code).iter().map(|code| code.replace('\0', "")).collect();
    let params: Values<'_> = &[
        &hits.iter().map(|p| p.hit.id).collect::<Vec<_>>(),
        &hits.iter().map(|p| p.edge_id).collect::<Vec<_>>(),
        &hits.iter().map(|p| p.seq).collect::<Vec<_>>(),
        &hits.iter().map(|p| p.hit.received_ms).collect::<Vec<_>>(),
        &hits.iter().map(|p| p.hit.kind.code()).collect::<Vec<_>>(),
        &codes,
        &fates.iter().map(|f| f.program_id).collect::<Vec<_>>(),
        &fates.iter().map(|f| f.affiliate_id).collect::<Vec<_>>(),
        &fates.iter().map(|f| f.outcome.code()).collect::<Vec<_>>(),
        &fates.iter().map(|f| f.reasons.join(" ")).collect::<Vec<_>>(),
        &fates.iter().map(|f| f.conversion_id).collect::<Vec<_>>(),
        &hits.iter().map(|p| p.raw).collect::<Vec<_>>(),
    ];
    run(tx, "settle.insert_hits", INSERT_HITS, params).await.map(drop)
}

/// Keeps the clicks that count.
pub async fn insert_clicks(tx: &Transaction<'_>, clicks: &[Clicked]) -> Result<(), Error> {
    if clicks.is_empty() {
        return Ok(());
    }
    let sub = |n: usize| clicks.iter().map(|c| c.sub_ids[n].as_deref()).collect::<Vec<_>>();
    let params: Values<'_> = &[
        &clicks.iter().map(|c| c.id).collect::<Vec<_>>(),
        &clicks.iter().map(|c| c.program_id).collect::<Vec<_>>(),
        &clicks.iter().map(|c| c.affiliate_id).collect::<Vec<_>>(),
        &clicks.iter().map(|c| c.link_id).collect::<Vec<_>>(),
        &clicks.iter().map(|c| c.at_ms).collect::<Vec<_>>(),
        &sub(0),
        &sub(1),
        &sub(2),
        &sub(3),
        &sub(4),
    ];
    run(tx, "settle.insert_clicks", INSERT_CLICKS, params).await.map(drop)
}

/// Keeps why a hit became a dead letter.
pub async fn bury(tx: &Transaction<'_>, hit_id: Id, error: &str) -> Result<(), Error> {
    let error: String = error.chars().filter(|c| *c != '\0').take(2_000).collect();
    run(tx, "settle.bury", BURY, &[&hit_id, &error]).await.map(drop)
}

/// Claims, of a frame without hits, the places that nobody has settled, and records them as lost; how many.
pub async fn claim_gap(tx: &Transaction<'_>, gap: &Frame<'_>) -> Result<i64, Error> {
    let edge = (vec![gap.edge_id], vec![0_i32]);
    run(tx, "settle.register_edges", REGISTER_EDGES, &[&edge.0, &edge.1]).await?;
    run(tx, "settle.lock_journal", LOCK_JOURNAL, &[&gap.edge_id]).await?;
    let statement = tx.prepare_cached(CLAIM_GAP).await.during("settle.claim_gap")?;
    let params: Values<'_> = &[&gap.edge_id, &gap.first_seq, &gap.end_seq()];
    let row = tx.query_one(&statement, params).await.during("settle.claim_gap")?;
    Ok(row.get(0))
}

/// Which of these hits are kept.
pub async fn known_hits(tx: &Transaction<'_>, ids: &[Id]) -> Result<HashSet<Id>, Error> {
    let statement = tx.prepare_cached(KNOWN_HITS).await.during("settle.known_hits")?;
    let rows = tx.query(&statement, &[&ids]).await.during("settle.known_hits")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Which of these hits, named by their places, are kept as dead letters.
pub async fn buried_hits(tx: &Transaction<'_>, hits: &[Placed<'_>]) -> Result<HashSet<Id>, Error> {
    let ids: Vec<Id> = hits.iter().map(|placed| placed.hit.id).collect();
    let raws: Vec<&[u8]> = hits.iter().map(|placed| placed.raw).collect();
    let statement = tx.prepare_cached(BURIED_HITS).await.during("settle.buried_hits")?;
    let rows = tx.query(&statement, &[&ids, &raws]).await.during("settle.buried_hits")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Moves an edge's watermark over what is committed.
pub async fn advance_watermark(store: &Store, edge_id: i64) -> Result<(), Error> {
    let client = store.client("settle.advance_watermark").await?;
    let statement =
        client.prepare_cached(ADVANCE_WATERMARK).await.during("settle.advance_watermark")?;
    client.execute(&statement, &[&edge_id]).await.during("settle.advance_watermark").map(drop)
}

/// Forgets the keys of frames long below their watermark.
pub async fn prune_frames(store: &Store) -> Result<u64, Error> {
    let client = store.client("settle.prune_frames").await?;
    let pruned = client.execute(PRUNE_FRAMES, &[]).await.during("settle.prune_frames")?;
    if pruned > 0 {
        failpoint::pass("frames.pruned");
    }
    Ok(pruned)
}

/// How far an edge's journal is committed; 0 for one that no worker has seen.
pub async fn watermark(store: &Store, edge_id: i64) -> Result<i64, Error> {
    let client = store.client("settle.watermark").await?;
    let statement = client.prepare_cached(WATERMARK).await.during("settle.watermark")?;
    let row = client.query_opt(&statement, &[&edge_id]).await.during("settle.watermark")?;
    Ok(row.map_or(0, |row| row.get(0)))
}

async fn run(
    tx: &Transaction<'_>,
    operation: &'static str,
    sql: &'static str,
    params: Values<'_>,
) -> Result<u64, Error> {
    let statement = tx.prepare_cached(sql).await.during(operation)?;
    tx.execute(&statement, params).await.during(operation)
}
