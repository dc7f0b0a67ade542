//! The worker: frames from the queue into the books. One turn is read, claim, prefetch, decide, apply,
//! commit, acknowledge; it can be turned by hand. Never acknowledges what is not committed.

mod settling;

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use crate::domain::frame::{Frame, Header};
use crate::domain::id::Id;
use crate::domain::token::Keys;
use crate::failpoint;
use crate::queue::{self, Delivery, Queue};
use crate::store::{self, Store, ledger, settle};
use crate::telemetry;
use settling::Settler;

/// An entry that its worker did not acknowledge for so long is taken over. A transaction may take longer:
/// then two workers hold a frame, one of them claims it, and the other finds that nothing is left to do.
pub const RECLAIM_IDLE: Duration = Duration::from_secs(15);
/// How often entries are looked for that another worker left behind.
const RECLAIM_EVERY: Duration = Duration::from_secs(5);
/// How often the stream is swept, and the workers forgotten that have been gone for as long.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Hits of one transaction: enough that what it costs by itself does not count, few enough that its rows fit
/// into PostgreSQL's working memory. A frame is never cut.
const BATCH_HITS_MAX: usize = 4_096;

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
    settler: Settler,
    batch_frames_max: usize,
    /// Read and not yet acknowledged.
    carried: Vec<Delivery>,
    reclaimed_at: Instant,
    swept_at: Instant,
}

impl Worker {
    /// A worker over a store and a queue of its own.
    pub fn new(store: Store, queue: Queue, keys: Keys, batch_frames_max: usize) -> Self {
        let (settler, now) = (Settler::new(store.clone(), keys), Instant::now());
        Worker {
            store,
            queue,
            settler,
            batch_frames_max,
            carried: Vec::new(),
            reclaimed_at: now,
            swept_at: now,
        }
    }

    /// Settles what the queue has, as much as one read brings; waits up to `block` for the first frame.
    pub async fn turn(&mut self, block: Duration) -> Result<Turn, Error> {
        if self.carried.is_empty() {
            self.carried = self.receive(block).await?;
        }
        if self.carried.is_empty() {
            return Ok(Turn::Idle);
        }
        failpoint::pass("worker.read");
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
        failpoint::pass("worker.acking");
        self.queue.ack(&entries).await?;
        failpoint::pass("worker.acked");
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
            let looked_at = std::mem::replace(&mut self.reclaimed_at, Instant::now());
            let found = self.queue.reclaim(self.batch_frames_max, RECLAIM_IDLE).await?;
            if found.len() >= self.batch_frames_max {
                self.reclaimed_at = looked_at; // There may be more: they are not to wait.
            }
            telemetry::queue_frames().set(self.queue.depth().await? as f64);
            if self.swept_at.elapsed() > SWEEP_EVERY {
                self.swept_at = Instant::now();
                self.queue.sweep(SWEEP_EVERY).await?;
            }
            if !found.is_empty() {
                failpoint::pass("worker.reclaimed");
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
                    let crc = Header::read(frame.bytes).map(|header| header.crc);
                    if seen.insert((frame.edge_id, frame.first_seq, crc)) {
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
        let mut settled = 0;
        for batch in batches(&frames) {
            let began = Instant::now();
            let hits = self.settler.settle(batch).await?;
            telemetry::batch(began.elapsed(), hits);
            settled += hits;
        }
        let edges: BTreeSet<i64> = frames.iter().map(|frame| frame.edge_id).collect();
        for edge_id in edges {
            settle::advance_watermark(&self.store, edge_id).await?;
            failpoint::pass("worker.advanced");
        }
        Ok(settled)
    }
}

/// Frames in batches of about as many hits as one transaction should have.
fn batches<'a, 'f>(frames: &'a [Frame<'f>]) -> impl Iterator<Item = &'a [Frame<'f>]> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let mut hits = 0;
        let fits = rest.iter().take_while(|frame| {
            hits += frame.count as usize;
            hits <= BATCH_HITS_MAX
        });
        let fits = fits.count().max(1).min(rest.len());
        let (batch, behind) = rest.split_at(fits);
        rest = behind;
        Some(batch).filter(|batch| !batch.is_empty())
    })
}

/// The oldest hit that this process settled since this was last asked: an audit of what is new has to reach
/// back so far.
pub fn oldest_settled() -> Id {
    settling::oldest()
}

/// Commissions released in one transaction, at most.
pub const RELEASE_MAX: usize = 500;

/// Releases commissions whose hold period has passed at `now_ms`, at most `RELEASE_MAX`; returns how many.
pub async fn release(store: &Store, now_ms: i64) -> Result<usize, store::Error> {
    let released = ledger::release_due(store, now_ms, RELEASE_MAX).await?;
    telemetry::released(released as u64);
    Ok(released)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_batched_by_their_hits_and_never_cut() {
        let check = |counts: &[u32], expected: &[&[u32]]| {
            let frame = |count: &u32| Frame { edge_id: 1, first_seq: 0, count: *count, bytes: &[] };
            let frames: Vec<Frame<'_>> = counts.iter().map(frame).collect();
            let counts_of = |batch: &[Frame<'_>]| batch.iter().map(|f| f.count).collect::<Vec<_>>();
            let batches: Vec<Vec<u32>> = batches(&frames).map(counts_of).collect();
            assert_eq!(batches, expected);
        };
        check(&[], &[]);
        check(&[1, 2, 3], &[&[1, 2, 3]]);
        check(&[4_000, 96, 1], &[&[4_000, 96], &[1]]);
        check(&[0, 5_000, 0, 4_096, 0, 1], &[&[0], &[5_000], &[0, 4_096, 0], &[1]]);
    }
}
