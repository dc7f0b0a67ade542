//! The worker: frames from the queue into the books. One turn is read, claim, prefetch, decide, apply,
//! commit, acknowledge; it can be turned by hand. Never acknowledges what is not committed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::catalog::Catalog;
use crate::domain::frame::Frame;
use crate::domain::hit::{Hit, Kind, Method};
use crate::domain::order::Key;
use crate::domain::reason::{Outcome, Reason};
use crate::domain::settlement::{self, Fate, Read, Settlement};
use crate::domain::token::Keys;
use crate::queue::{self, Delivery, Queue};
use crate::store::settle::Placed;
use crate::store::{self, Cause, Store, catalog, ledger, settle};
use crate::telemetry;

/// An entry that its worker did not acknowledge for so long is taken over. Longer than any transaction.
pub const RECLAIM_IDLE: Duration = Duration::from_secs(60);
/// How often entries are looked for that another worker left behind.
const RECLAIM_EVERY: Duration = Duration::from_secs(15);
/// Times that a lost race is run again at once.
const RACES_MAX: u32 = 20;

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There was nothing to do.
    Idle,
    /// So many hits were settled; 0 when all that came had been settled before.
    Settled(usize),
}

/// Why a turn ended early. What it had read is kept and tried again in the next.
#[derive(Debug)]
pub enum Error {
    /// Redis did not answer.
    Queue(queue::Error),
    /// PostgreSQL did not do it.
    Store(store::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Queue(error) => error.fmt(f),
            Error::Store(error) => error.fmt(f),
        }
    }
}

impl From<queue::Error> for Error {
    fn from(error: queue::Error) -> Self {
        telemetry::queue_error(error.operation).increment(1);
        Error::Queue(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Error::Store(error)
    }
}

/// One worker.
pub struct Worker {
    store: Store,
    queue: Queue,
    keys: Keys,
    catalog: Arc<Catalog>,
    batch_frames_max: usize,
    /// Read and not yet acknowledged.
    carried: Vec<Delivery>,
    reclaimed_at: Instant,
}

impl Worker {
    /// A worker over a store and a queue of its own.
    pub fn new(store: Store, queue: Queue, keys: Keys, batch_frames_max: usize) -> Self {
        let catalog = Arc::default();
        let reclaimed_at = Instant::now();
        Worker { store, queue, keys, catalog, batch_frames_max, carried: Vec::new(), reclaimed_at }
    }

    /// Settles what the queue has, at most one batch; waits up to `block` for the first frame.
    pub async fn turn(&mut self, block: Duration) -> Result<Turn, Error> {
        if self.carried.is_empty() {
            self.carried = self.receive(block).await?;
        }
        if self.carried.is_empty() {
            return Ok(Turn::Idle);
        }
        let deliveries = std::mem::take(&mut self.carried);
        let settled = self.settle(&deliveries).await;
        let settled = match settled {
            Ok(settled) => settled,
            Err(error) => {
                self.carried = deliveries;
                return Err(error.into());
            }
        };
        let entries: Vec<String> = deliveries.into_iter().map(|d| d.entry).collect();
        self.queue.ack(&entries).await?;
        Ok(Turn::Settled(settled))
    }

    /// Takes over what other workers left behind for `idle`, to be settled in the next turns.
    pub async fn reclaim(&mut self, idle: Duration) -> Result<(), Error> {
        let found = self.queue.reclaim(self.batch_frames_max, idle).await?;
        self.carried.extend(found);
        Ok(())
    }

    async fn receive(&mut self, block: Duration) -> Result<Vec<Delivery>, Error> {
        if self.reclaimed_at.elapsed() > RECLAIM_EVERY {
            self.reclaimed_at = Instant::now();
            let found = self.queue.reclaim(self.batch_frames_max, RECLAIM_IDLE).await?;
            telemetry::queue_frames().set(self.queue.depth().await? as f64);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(self.queue.read(self.batch_frames_max, block).await?)
    }

    /// Settles the frames of these entries. What is not a frame was not written by an edge: it is said and
    /// passed over.
    async fn settle(&mut self, deliveries: &[Delivery]) -> Result<usize, store::Error> {
        let mut frames: Vec<Frame<'_>> = Vec::with_capacity(deliveries.len());
        let mut seen = HashSet::new();
        for delivery in deliveries {
            match Frame::read(&delivery.bytes) {
                Some(frame) if frame.bytes.len() == delivery.bytes.len() => {
                    if seen.insert((frame.edge_id, frame.first_seq)) {
                        frames.push(frame);
                    }
                }
                _ => {
                    tracing::error!(entry = delivery.entry, "an entry of the stream is not a frame")
                }
            }
        }
        if frames.is_empty() {
            return Ok(0);
        }
        let began = Instant::now();
        let settled = self.settle_frames(&frames).await?;
        telemetry::batch(began.elapsed(), settled);
        let edges: BTreeSet<i64> = frames.iter().map(|frame| frame.edge_id).collect();
        for edge_id in edges {
            settle::advance_watermark(&self.store, edge_id).await?;
        }
        Ok(settled)
    }

    /// One transaction; run again when another writer was first.
    async fn settle_frames(&mut self, frames: &[Frame<'_>]) -> Result<usize, store::Error> {
        let mut races = 0;
        loop {
            let version = catalog::version(&self.store).await?;
            if version != self.catalog.version {
                self.catalog = Arc::new(catalog::load(&self.store).await?.into());
            }
            let settlement = self.transact(frames).await;
            match settlement {
                Ok(fates) => {
                    for fate in &fates {
                        telemetry::settled(fate.outcome).increment(1);
                    }
                    return Ok(fates.len());
                }
                Err(error) if error.cause == Cause::Retry && races < RACES_MAX => {
                    telemetry::settle_error("retry").increment(1);
                    races += 1;
                    // Two workers that collided do not collide again in step.
                    let jitter = u64::from(std::process::id() % 7) + u64::from(races);
                    tokio::time::sleep(Duration::from_millis(jitter)).await;
                }
                Err(error) => {
                    telemetry::settle_error("fault").increment(1);
                    return Err(error);
                }
            }
        }
    }

    async fn transact(&self, frames: &[Frame<'_>]) -> Result<Vec<Fate>, store::Error> {
        let (catalog, keys) = (self.catalog.clone(), &self.keys);
        let work = async |tx: &store::Transaction<'_>| {
            let claimed: HashSet<(i64, i64)> =
                settle::claim(tx, frames).await?.into_iter().collect();
            let ours = |frame: &&Frame<'_>| claimed.contains(&(frame.edge_id, frame.first_seq));
            let hits: Vec<Placed<'_>> = frames.iter().filter(ours).flat_map(placed).collect();
            if hits.is_empty() {
                return Ok(Vec::new());
            }
            let mut reads: Vec<Read> =
                hits.iter().map(|placed| read(placed, &catalog, keys)).collect();
            let mut known = settle::find(tx, &keys_of(&reads)).await?;
            let parted = settlement::part_shared(&mut reads, &known);
            known.extend(settle::find(tx, &parted).await?);
            let settled = settlement::settle(reads, known, &catalog);
            apply(tx, &hits, settled).await
        };
        self.store.transaction("settle", work).await
    }
}

/// Applies a settlement; hands on the fates in the order of the hits.
async fn apply(
    tx: &store::Transaction<'_>,
    hits: &[Placed<'_>],
    settled: Settlement,
) -> Result<Vec<Fate>, store::Error> {
    let Settlement { mut fates, clicks, conversions, transfers } = settled;
    let mut hits = hits.to_vec();
    hits.sort_by_key(|placed| placed.hit.id);
    fates.sort_by_key(|fate| fate.hit);
    settle::write_conversions(tx, &conversions).await?;
    settle::insert_hits(tx, &hits, &fates).await?;
    settle::insert_clicks(tx, &clicks).await?;
    ledger::post(tx, &transfers).await?;
    Ok(fates)
}

/// The hits of a frame with their places. One that cannot be decoded (of a newer edge, for the frame's
/// checksum is right) keeps its bytes and its place, and gets an id of its own below zero.
fn placed<'a>(frame: &Frame<'a>) -> Vec<Placed<'a>> {
    let (edge_id, first_seq) = (frame.edge_id, frame.first_seq);
    let place = |(at, (raw, hit)): (usize, (&'a [u8], Option<Hit<'a>>))| {
        let seq = first_seq + at as i64;
        let unreadable = || Hit::new(i64::MIN | (edge_id ^ seq), 0, Kind::Pixel, Method::Get);
        Placed { edge_id, seq, raw, hit: hit.unwrap_or_else(unreadable) }
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
    let keys: BTreeSet<&Key> = reads
        .iter()
        .filter_map(|read| match read {
            Read::Order(key, _) => Some(key),
            Read::Done(..) => None,
        })
        .collect();
    keys.into_iter().cloned().collect()
}

/// Releases commissions whose hold period has passed at `now_ms`; returns how many.
pub async fn release(store: &Store, now_ms: i64) -> Result<usize, store::Error> {
    let mut released = 0;
    loop {
        let some = ledger::release_due(store, now_ms, 500).await?;
        released += some;
        if some < 500 {
            telemetry::released(released as u64);
            return Ok(released);
        }
    }
}
