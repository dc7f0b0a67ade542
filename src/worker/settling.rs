//! Frames into the books, whatever is in them. A batch is one transaction; one that fails is halved until
//! the frame that fails is alone, and of that frame the hits that fail alone become dead letters: kept with
//! the error, for all to see. None stops the ones behind it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::domain::catalog::Catalog;
use crate::domain::frame::Frame;
use crate::domain::hit::{Hit, Kind, Method};
use crate::domain::id::Id;
use crate::domain::lookups::Aid;
use crate::domain::order::Key;
use crate::domain::reason::{Outcome, Reason};
use crate::domain::settlement::{self, Fate, Read, Settlement};
use crate::domain::token::Keys;
use crate::failpoint;
use crate::store::settle::Placed;
use crate::store::{self, Cause, Store, catalog, ledger, rates, settle, ties};
use crate::telemetry;

/// Times that a lost race is run again at once.
const RACES_MAX: u32 = 20;
/// Times that a frame may fail alone before its hits are settled one by one.
const FAULTS_MAX: u32 = 5;

/// What it takes to settle.
pub(super) struct Settler {
    store: Store,
    keys: Keys,
    catalog: Arc<Catalog>,
}

impl Settler {
    pub fn new(store: Store, keys: Keys) -> Self {
        Settler { store, keys, catalog: Arc::default() }
    }

    /// Settles frames; returns how many hits. Fails only where trying again later is right.
    pub async fn settle(&mut self, frames: &[Frame<'_>]) -> Result<usize, store::Error> {
        let mut faults = 0;
        loop {
            match self.settle_together(frames).await {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) if frames.len() > 1 => {
                    tracing::warn!(%error, frames = frames.len(), "a batch failed; it is halved");
                    let (first, second) = frames.split_at(frames.len() / 2);
                    let first = Box::pin(self.settle(first)).await?;
                    return Ok(first + Box::pin(self.settle(second)).await?);
                }
                Err(error) if faults + 1 < FAULTS_MAX => {
                    tracing::warn!(%error, faults, "a frame failed alone; it is tried again");
                    faults += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(_) => return self.settle_apart(&frames[0]).await,
                Ok(settled) => return Ok(settled),
            }
        }
    }

    /// One transaction; run again when another writer was first.
    async fn settle_together(&mut self, frames: &[Frame<'_>]) -> Result<usize, store::Error> {
        let mut races = 0;
        loop {
            self.refresh_catalog().await?;
            let work = async |tx: &store::Transaction<'_>| {
                let hits = claim(tx, frames).await?;
                failpoint::pass("worker.claimed");
                let fates = self.settle_hits(tx, &hits).await;
                failpoint::pass("worker.committing");
                fates
            };
            match self.store.transaction("settle", work).await {
                Ok(fates) => {
                    failpoint::pass("worker.committed");
                    return Ok(count(&fates));
                }
                Err(error) if error.cause == Cause::Race && races < RACES_MAX => {
                    telemetry::settle_error("retry").increment(1);
                    races += 1;
                    // Two workers that collided do not collide again in step.
                    let jitter = u64::from(std::process::id() % 7) + u64::from(races);
                    tokio::time::sleep(Duration::from_millis(jitter)).await;
                }
                Err(error) => {
                    let cause = if error.is_passing() { "retry" } else { "fault" };
                    telemetry::settle_error(cause).increment(1);
                    return Err(error);
                }
            }
        }
    }

    /// A frame's hits one by one, in one transaction: what fails alone is a dead letter.
    async fn settle_apart(&mut self, frame: &Frame<'_>) -> Result<usize, store::Error> {
        failpoint::pass("worker.parting");
        self.refresh_catalog().await?;
        let work = async |tx: &store::Transaction<'_>| {
            let mut fates = Vec::new();
            for placed in claim(tx, std::slice::from_ref(frame)).await? {
                let hit = std::slice::from_ref(&placed);
                let attempt =
                    async |part: &store::Transaction<'_>| self.settle_hits(part, hit).await;
                match store::attempt(tx, attempt).await {
                    Ok(settled) => fates.extend(settled),
                    Err(error) if error.is_passing() => return Err(error),
                    Err(error) => fates.push(bury(tx, placed, &error).await?),
                }
            }
            Ok(fates)
        };
        self.store.transaction("settle.apart", work).await.map(|fates| count(&fates))
    }

    async fn refresh_catalog(&mut self) -> Result<(), store::Error> {
        if catalog::version(&self.store).await? != self.catalog.version {
            self.catalog = Arc::new(catalog::load(&self.store).await?.into());
        }
        Ok(())
    }

    /// Prefetch, decide, apply.
    async fn settle_hits(
        &self,
        tx: &store::Transaction<'_>,
        hits: &[Placed<'_>],
    ) -> Result<Vec<Fate>, store::Error> {
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let mut reads: Vec<Read> =
            hits.iter().map(|placed| read(placed, &self.catalog, &self.keys)).collect();
        let mut known = settle::find(tx, &keys_of(&reads)).await?;
        let parted = settlement::part_shared(&mut reads, &known);
        known.extend(settle::find(tx, &parted).await?);
        failpoint::pass("worker.prefetched");
        let mut batch = settlement::batch(reads, known, &self.catalog);
        let ties = ties::look(tx, &mut batch, &self.catalog).await?;
        let rates = rates::quotes(tx, &batch.rates_asked(&self.catalog)).await?;
        let aid = Aid { catalog: Some(&self.catalog), rates: Some(&rates), ties: Some(&ties) };
        apply(tx, hits, batch.settle(&self.catalog, aid)).await
    }
}

/// The oldest hit that this process settled since that was last asked.
static OLDEST: AtomicI64 = AtomicI64::new(Id::MAX);

/// The oldest hit that this process settled since this was last asked; an audit has to reach back so far.
pub(super) fn oldest() -> Id {
    OLDEST.swap(Id::MAX, Ordering::Relaxed)
}

fn count(fates: &[Fate]) -> usize {
    for fate in fates {
        telemetry::settled(fate.outcome).increment(1);
    }
    // An id below zero says nothing of time.
    let oldest = fates.iter().map(|fate| fate.hit).filter(|id| *id > 0).min();
    OLDEST.fetch_min(oldest.unwrap_or(Id::MAX), Ordering::Relaxed);
    fates.len()
}

/// Claims the frames that nobody has settled; their hits, each with its place. A frame without hits stands
/// for what a journal has lost.
async fn claim<'a>(
    tx: &store::Transaction<'_>,
    frames: &[Frame<'a>],
) -> Result<Vec<Placed<'a>>, store::Error> {
    let (gaps, whole): (Vec<Frame<'a>>, Vec<Frame<'a>>) =
        frames.iter().partition(|frame| frame.hits().next().is_none());
    let claimed: HashSet<(i64, i64)> = settle::claim(tx, &whole).await?.into_iter().collect();
    for gap in &gaps {
        let lost = settle::claim_gap(tx, gap).await?;
        if lost > 0 {
            tracing::error!(edge_id = gap.edge_id, lost, "a journal was damaged: hits are lost");
        }
    }
    let (ours, refused): (Vec<Frame<'a>>, Vec<Frame<'a>>) =
        whole.into_iter().partition(|frame| claimed.contains(&(frame.edge_id, frame.first_seq)));
    let mut hits: Vec<Placed<'a>> = ours.iter().flat_map(placed).collect();
    hits.extend(strangers(tx, &refused).await?);
    Ok(hits)
}

/// Of frames whose keys were claimed before, those that are not the frames which were settled then: a journal
/// that was cut short or restored gives its sequence numbers again. They are settled as another journal's.
async fn strangers<'a>(
    tx: &store::Transaction<'_>,
    refused: &[Frame<'a>],
) -> Result<Vec<Placed<'a>>, store::Error> {
    if refused.is_empty() {
        return Ok(Vec::new());
    }
    let ids_of = |frame: &Frame<'_>| -> Vec<Id> {
        frame.hits().filter_map(|(_, hit)| Some(hit?.id)).collect()
    };
    let known =
        settle::known_hits(tx, &refused.iter().flat_map(ids_of).collect::<Vec<_>>()).await?;
    let is_new = |frame: &&Frame<'_>| {
        let ids = ids_of(frame);
        !ids.is_empty() && ids.iter().all(|id| !known.contains(id))
    };
    let unknown: Vec<Frame<'a>> = refused.iter().filter(is_new).copied().collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<Placed<'_>> = unknown.iter().flat_map(graves).collect();
    let buried = settle::buried_hits(tx, &places).await?;
    let is_buried = |place: &Placed<'_>| buried.contains(&place.hit.id);
    let other = |frame: &Frame<'a>| Frame { edge_id: !frame.edge_id, ..*frame };
    let others = unknown.iter().filter(|frame| !graves(frame).iter().any(is_buried));
    let renamed: Vec<Frame<'a>> = others.map(other).collect();
    if renamed.is_empty() {
        return Ok(Vec::new());
    }
    let edge_id = !renamed[0].edge_id;
    tracing::error!(edge_id, frames = renamed.len(), "a journal gives sequence numbers again");
    let claimed: HashSet<(i64, i64)> = settle::claim(tx, &renamed).await?.into_iter().collect();
    let ours = |frame: &&Frame<'_>| claimed.contains(&(frame.edge_id, frame.first_seq));
    Ok(renamed.iter().filter(ours).flat_map(placed).collect())
}

/// Keeps a hit that cannot be settled, with the error. Its own id may be what is wrong with it.
async fn bury(
    tx: &store::Transaction<'_>,
    mut placed: Placed<'_>,
    error: &store::Error,
) -> Result<Fate, store::Error> {
    tracing::error!(%error, edge_id = placed.edge_id, seq = placed.seq, "a hit cannot be settled");
    placed.hit = unnamed(placed.edge_id, placed.seq, placed.hit.received_ms);
    let fate = Fate::new(placed.hit.id, None, Outcome::Dead, &[Reason::Unsettled]);
    settle::insert_hits(tx, &[placed], std::slice::from_ref(&fate)).await?;
    failpoint::pass("worker.burying");
    settle::bury(tx, placed.hit.id, &error.to_string()).await?;
    failpoint::pass("worker.buried");
    Ok(fate)
}

/// A frame's hits as they are named when they are buried.
fn graves<'a>(frame: &Frame<'a>) -> Vec<Placed<'a>> {
    let mut hits = placed(frame);
    for place in &mut hits {
        place.hit = unnamed(place.edge_id, place.seq, place.hit.received_ms);
    }
    hits
}

/// A hit without anything but a place; its id, below zero, is made of that.
fn unnamed<'a>(edge_id: i64, seq: i64, received_ms: i64) -> Hit<'a> {
    Hit::new(i64::MIN | (edge_id ^ seq), received_ms, Kind::Pixel, Method::Get)
}

/// Applies a settlement; hands on the fates in the order of the hits.
async fn apply(
    tx: &store::Transaction<'_>,
    hits: &[Placed<'_>],
    settled: Settlement,
) -> Result<Vec<Fate>, store::Error> {
    let Settlement { mut fates, clicks, conversions, transfers, ties: tyings } = settled;
    let mut hits = hits.to_vec();
    hits.sort_by_key(|placed| placed.hit.id);
    fates.sort_by_key(|fate| fate.hit);
    settle::write_conversions(tx, &conversions).await?;
    ties::write(tx, &tyings).await?;
    settle::insert_hits(tx, &hits, &fates).await?;
    settle::insert_clicks(tx, &clicks).await?;
    if ledger::post(tx, &transfers).await? != transfers.len() as u64 {
        return Err(store::Error::raced("ledger.post"));
    }
    Ok(fates)
}

/// The hits of a frame with their places. One that cannot be decoded (of a newer edge, for the frame's
/// checksum is right) keeps its bytes and its place, and gets an id of its own below zero.
fn placed<'a>(frame: &Frame<'a>) -> Vec<Placed<'a>> {
    let (edge_id, first_seq) = (frame.edge_id, frame.first_seq);
    let place = |(at, (raw, hit)): (usize, (&'a [u8], Option<Hit<'a>>))| {
        let seq = first_seq + at as i64;
        let hit = hit.unwrap_or_else(|| unnamed(edge_id, seq, 0));
        Placed { edge_id, seq, raw, hit }
    };
    frame.hits().enumerate().map(place).collect()
}

fn read(placed: &Placed<'_>, catalog: &Catalog, keys: &Keys) -> Read {
    if placed.hit.id < 0 {
        let reasons = [Reason::Unreadable];
        return Read::Done(Fate::new(placed.hit.id, None, Outcome::Rejected, &reasons), None);
    }
    settlement::read(&placed.hit, catalog, keys)
}

fn keys_of(reads: &[Read]) -> Vec<Key> {
    let keys: BTreeSet<&Key> = reads.iter().filter_map(Read::key).collect();
    keys.into_iter().cloned().collect()
}
