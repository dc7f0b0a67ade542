//! Durable frames on local disk: what the edge has answered is here until PostgreSQL has committed it.
//! Takes encoded hits, hands on frames. One writer thread gathers hits into a frame, writes it into a
//! preallocated segment and calls fdatasync once; only then do its waiters learn of success. Knows
//! neither Redis nor PostgreSQL.

mod reader;
mod recover;
mod scan;
mod segment;
mod spare;
mod writer;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tokio::sync::{mpsc, oneshot, watch};

use crate::dir_lock::DirLock;
use crate::domain::frame;
use crate::domain::hit::{Hit, Kind};
use crate::domain::id::{self, Id};

pub use reader::{Cursor, OwnedFrame};
use segment::Segment;

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where its files are.
    pub dir: PathBuf,
    /// The node in the ids of its hits.
    pub edge_number: u16,
    /// Bytes of one segment.
    pub segment_bytes: u64,
    /// Bytes of all segments. Beyond 90 % of it only hits that bring a secret are taken, beyond 95 % none.
    pub bytes_max: u64,
    /// Bytes that the disk is to keep free: what lies between them and the journal may be less than its
    /// `bytes_max`, and is its quota then.
    pub disk_reserve_bytes: u64,
}

/// The journal cannot be used.
#[derive(Debug)]
pub struct Error {
    /// What was being done.
    pub operation: &'static str,
    /// Where.
    pub path: PathBuf,
    source: std::io::Error,
}

impl Error {
    fn at(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error { operation, path, source }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "journal: {} {}: {}", self.operation, self.path.display(), self.source)
    }
}

impl std::error::Error for Error {}

/// Why a hit was not made durable. The caller is told 503 and may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The journal's quota is used up.
    Full,
    /// Writing or fdatasync failed.
    Failed,
    /// The journal is closing.
    Closed,
}

impl Refused {
    /// The stable name, for metrics.
    pub fn code(self) -> &'static str {
        ["journal_full", "journal_failed", "journal_closed"][self as usize]
    }
}

/// What is on disk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Extent {
    /// The first hit that is kept, and the one after the last that is durable.
    pub first_seq: i64,
    pub end_seq: i64,
    pub frames: u64,
    pub bytes: u64,
}

/// A journal; cheap to clone.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    edge_id: i64,
    last_id: AtomicI64,
    /// Of the quota, in percent.
    used_percent: AtomicU64,
    /// Bytes that the journal may have: as it was told, or as the disk has left.
    quota: AtomicU64,
    /// What lies below is in PostgreSQL, as last heard.
    committed: AtomicI64,
    pending: Mutex<Pending>,
    arrived: Condvar,
    segments: Mutex<Segments>,
    /// The last spare segment was taken.
    spare_wanted: Condvar,
    durable: watch::Sender<i64>,
    /// Held for the journal's life: one process a directory.
    _lock: DirLock,
}

/// Bytes after which a frame takes no further hit. One hit may be larger.
const FRAME_BYTES: usize = 256 << 10;
/// Of the quota, in percent: from here on only hits that bring a shop's secret are taken, so that a flood of
/// what anybody can send leaves room for them; and from here on none.
const SECRET_PERCENT: u64 = 90;
const ALL_PERCENT: u64 = 95;
/// Hits that a frame has at most.
const FRAME_HITS_MAX: u32 = 4096;

/// A frame that waits to be written.
#[derive(Default)]
struct Filling {
    buffer: Vec<u8>,
    count: u32,
    /// The ticket of its last hit.
    end: u64,
}

/// Hits that wait to be durable.
#[derive(Default)]
struct Pending {
    /// Frames that are full.
    full_frames: VecDeque<Filling>,
    frame: Filling,
    /// Hits ever appended: a hit's ticket is its place in this count.
    tickets: u64,
    relays: Vec<mpsc::UnboundedSender<Verdict>>,
    /// The writer sleeps until a hit arrives. Telling it costs a system call, also when it does not listen.
    idle: bool,
    /// The last frame could not be made durable.
    failing: bool,
    /// The writer has ended, and why hits are refused from now on.
    closed: bool,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Pending {
    fn push(&mut self, hit: &Hit<'_>) {
        if self.frame.buffer.len() >= FRAME_BYTES || self.frame.count >= FRAME_HITS_MAX {
            let full = std::mem::take(&mut self.frame);
            self.full_frames.push_back(full);
            frame::start(&mut self.frame.buffer);
        }
        frame::push(&mut self.frame.buffer, hit);
        self.tickets += 1;
        self.frame.count += 1;
        self.frame.end = self.tickets;
    }
}

/// All tickets up to `end`, that had no verdict yet, are durable or refused.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    end: u64,
    outcome: Result<(), Refused>,
}

#[derive(Default)]
struct Segments {
    list: VecDeque<Arc<Segment>>,
    frames: u64,
    /// Files that are released or prepared, to be used without preallocating.
    spare: Vec<PathBuf>,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock is held is a bug in this module; its data are consistent at every step.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Journal {
    /// Opens the journal in its directory, made if missing: recovers what is there and starts to write.
    pub fn open(options: Options) -> Result<Self, Error> {
        let recovered = recover::recover(&options)?;
        let (durable, _) = watch::channel(recovered.end_seq);
        let shared = Arc::new(Shared {
            edge_id: recovered.edge_id,
            last_id: AtomicI64::new(recovered.last_id),
            used_percent: AtomicU64::new(0),
            quota: AtomicU64::new(options.bytes_max),
            committed: AtomicI64::new(0),
            pending: Mutex::default(),
            arrived: Condvar::new(),
            segments: Mutex::new(recovered.segments),
            spare_wanted: Condvar::new(),
            durable,
            _lock: recovered.lock,
            options,
        });
        frame::start(&mut lock(&shared.pending).frame.buffer);
        let writer = writer::start(shared.clone(), recovered.end_seq)?;
        lock(&shared.pending).threads = vec![writer, spare::start(shared.clone())?];
        Ok(Journal { shared })
    }

    /// The journal's own id, made with it.
    pub fn edge_id(&self) -> i64 {
        self.shared.edge_id
    }

    /// The node in its hits' ids.
    pub fn edge_number(&self) -> u16 {
        self.shared.options.edge_number
    }

    /// An id for a hit that arrived at `now_ms`.
    pub fn next_id(&self, now_ms: i64) -> Id {
        let next = |last| Some(id::next(last, self.shared.options.edge_number, now_ms));
        let last = self.shared.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let last = last.unwrap_or_else(|last| last);
        id::next(last, self.shared.options.edge_number, now_ms)
    }

    /// An appender for the calling runtime; its waiters are woken from inside that runtime, once a frame.
    /// `count` hears of every hit once, also of one whose caller has gone meanwhile.
    pub fn appender(&self, count: Count) -> Appender {
        let (relay, verdicts) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(tell(verdicts, waiting.clone(), count));
        let mut pending = lock(&self.shared.pending);
        pending.relays.push(relay);
        Appender { shared: self.shared.clone(), waiting, count }
    }

    /// Moves when hits have become durable: the sequence number after the last.
    pub fn durable(&self) -> watch::Receiver<i64> {
        self.shared.durable.subscribe()
    }

    /// What is on disk.
    pub fn extent(&self) -> Extent {
        let segments = lock(&self.shared.segments);
        Extent {
            first_seq: segments.list.front().map_or(0, |segment| segment.first_seq),
            end_seq: *self.shared.durable.borrow(),
            frames: segments.frames,
            bytes: segments.list.iter().map(|segment| segment.end()).sum(),
        }
    }

    /// Takes the measure of the disk anew: others use it too.
    pub fn measure(&self) {
        self.shared.measure(&lock(&self.shared.segments));
    }

    /// How much of the quota is used, in percent.
    pub fn used_percent(&self) -> u64 {
        self.shared.used_percent.load(Ordering::Relaxed)
    }

    /// Whether hits are accepted now.
    pub fn is_writable(&self) -> bool {
        let pending = lock(&self.shared.pending);
        self.used_percent() < ALL_PERCENT && !pending.failing && !pending.closed
    }

    /// Files that were found damaged and are kept for a person to look at.
    pub fn damaged_files(&self) -> usize {
        recover::damaged_files(&self.shared.options.dir)
    }

    /// Lets go of what lies wholly below `watermark`: PostgreSQL has it.
    pub fn release(&self, watermark: i64) -> Result<(), Error> {
        self.shared.release(watermark)
    }

    /// Writes what is pending, fsyncs and ends the threads. Later hits are refused.
    pub fn close(&self) {
        lock(&self.shared.pending).closed = true;
        lock(&self.shared.segments).closed = true;
        self.shared.arrived.notify_all();
        self.shared.spare_wanted.notify_all();
        let threads = std::mem::take(&mut lock(&self.shared.pending).threads);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// One runtime's way into the journal.
#[derive(Clone)]
pub struct Appender {
    shared: Arc<Shared>,
    waiting: Arc<Mutex<VecDeque<Waiter>>>,
    count: Count,
}

/// Hears what became of a hit of a kind.
pub type Count = fn(Kind, Result<(), Refused>);

/// One hit's ticket, its kind, and where its caller waits.
type Waiter = (u64, Kind, oneshot::Sender<Result<(), Refused>>);

/// A hit on its way to the disk.
#[must_use]
pub struct Appending(Result<oneshot::Receiver<Result<(), Refused>>, Refused>);

impl Appending {
    /// Returns when the hit is on disk, or will not be.
    pub async fn done(self) -> Result<(), Refused> {
        self.0?.await.unwrap_or(Err(Refused::Closed))
    }
}

impl Appender {
    /// Hands a hit to the writer. One that brings its shop's secret finds room for longer.
    pub fn append(&self, hit: &Hit<'_>, from_shop: bool) -> Appending {
        let refuse = |refused: &Refused| (self.count)(hit.kind, Err(*refused));
        Appending(self.enqueue(hit, from_shop).inspect_err(refuse))
    }

    fn enqueue(
        &self,
        hit: &Hit<'_>,
        from_shop: bool,
    ) -> Result<oneshot::Receiver<Result<(), Refused>>, Refused> {
        let (tell, told) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        let mut pending = lock(&self.shared.pending);
        if pending.closed {
            return Err(Refused::Closed);
        }
        let bound = if from_shop { ALL_PERCENT } else { SECRET_PERCENT };
        if self.shared.used_percent.load(Ordering::Relaxed) >= bound {
            return Err(Refused::Full);
        }
        pending.push(hit);
        waiting.push_back((pending.tickets, hit.kind, tell));
        if std::mem::take(&mut pending.idle) {
            self.shared.arrived.notify_one();
        }
        Ok(told)
    }
}

/// Passes verdicts on to the waiters of one runtime, from inside it.
async fn tell(
    mut verdicts: mpsc::UnboundedReceiver<Verdict>,
    waiting: Arc<Mutex<VecDeque<Waiter>>>,
    count: Count,
) {
    while let Some(verdict) = verdicts.recv().await {
        let mut waiting = lock(&waiting);
        while waiting.front().is_some_and(|(ticket, ..)| *ticket <= verdict.end) {
            if let Some((_, kind, tell)) = waiting.pop_front() {
                count(kind, verdict.outcome);
                // Nobody listens when the client has gone; the hit is kept all the same.
                let _ = tell.send(verdict.outcome);
            }
        }
    }
}
