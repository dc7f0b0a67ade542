//! The writer thread: gathers, writes, fsyncs, tells. Success is told after fdatasync and never else; a
//! file whose write or fsync failed is never written again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::segment::{Segment, sync_dir};
use super::{Error, Filling, Refused, Segments, Shared, Verdict, lock};
use crate::domain::frame::{self, HEADER_BYTES};
use crate::failpoint;
use crate::pulse::Pulse;

/// How long hits are gathered when they come faster than frames are written.
const GATHER: Duration = Duration::from_millis(3);
/// Frames of at least so many hits mean load.
const LOAD_HITS: u32 = 4;
/// Of its quota, in percent: beyond, a segment that is committed is left for another.
const SPENT_PERCENT: u64 = 50;
/// How long the writer waits before it tries a new segment after a failure.
const RETRY: Duration = Duration::from_millis(250);

/// How long the writer waits for a hit before it says that it is there.
const IDLE: Duration = Duration::from_secs(1);
/// Longer than a disk that still works takes for a frame.
const SILENCE_MAX: Duration = Duration::from_secs(60);

struct Writer {
    shared: Arc<Shared>,
    segment: Option<Arc<Segment>>,
    next_seq: i64,
    frame: Filling,
    pulse: Pulse,
}

/// Starts the thread. `next_seq` is the sequence number of the first hit to come.
pub(super) fn start(shared: Arc<Shared>, next_seq: i64) -> Result<JoinHandle<()>, Error> {
    let dir = shared.options.dir.clone();
    let failed = Error::at("start the writer of", &dir);
    let pulse = Pulse::new("journal", SILENCE_MAX);
    let mut writer = Writer { shared, segment: None, next_seq, frame: Filling::default(), pulse };
    writer.roll(0)?;
    std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || writer.run())
        .map_err(failed)
}

impl Writer {
    fn run(mut self) {
        let mut last = (0, Instant::now());
        while self.gather(last) {
            self.pulse.beat();
            let (count, end, began) = (self.frame.count, self.frame.end, Instant::now());
            failpoint::pass("journal.gathered");
            let outcome = self.commit(count);
            lock(&self.shared.pending).failing = outcome.is_err();
            failpoint::pass("journal.telling");
            self.tell(Verdict { end, outcome });
            last = (count, began);
        }
        self.tell(Verdict { end: u64::MAX, outcome: Err(Refused::Closed) });
    }

    /// Waits for hits and takes a frame of them: at once when it is quiet, after a moment's gathering under
    /// load. False when the journal is closed and all is written.
    fn gather(&mut self, (last_count, last_began): (u32, Instant)) -> bool {
        let mut pending = lock(&self.shared.pending);
        while pending.frame.count == 0 && pending.full_frames.is_empty() {
            if pending.closed {
                return false;
            }
            if pending.failing {
                // Nobody sends hits to an edge that is not ready: it has to find out for itself.
                drop(pending);
                self.pulse.beat();
                std::thread::sleep(RETRY);
                let mended = self.segment.is_some() || self.roll(0).is_ok();
                pending = lock(&self.shared.pending);
                pending.failing = !mended;
                continue;
            }
            pending.idle = true;
            self.pulse.beat();
            let waited = self.shared.arrived.wait_timeout(pending, IDLE);
            pending = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        if last_count >= LOAD_HITS && pending.full_frames.is_empty() && !pending.closed {
            drop(pending);
            std::thread::sleep(GATHER.saturating_sub(last_began.elapsed()));
            pending = lock(&self.shared.pending);
        }
        if let Some(full) = pending.full_frames.pop_front() {
            self.frame = full;
            return true;
        }
        frame::start(&mut self.frame.buffer);
        (self.frame.count, self.frame.end) = (0, 0);
        std::mem::swap(&mut self.frame, &mut pending.frame);
        true
    }

    /// Seals the gathered hits into a frame and makes it durable.
    fn commit(&mut self, count: u32) -> Result<(), Refused> {
        frame::seal(&mut self.frame.buffer, self.shared.edge_id, self.next_seq, count);
        let end_seq = self.next_seq + i64::from(count);
        let segment = self.room((self.frame.buffer.len() + HEADER_BYTES) as u64)?;
        if let Err(error) = segment.write(&mut self.frame.buffer, end_seq) {
            tracing::error!(%error, "cannot make hits durable; they are refused");
            self.abandon();
            return Err(Refused::Failed);
        }
        self.next_seq = end_seq;
        let mut segments = lock(&self.shared.segments);
        segments.frames += 1;
        self.shared.measure(&segments);
        drop(segments);
        self.shared.durable.send_replace(end_seq);
        Ok(())
    }

    /// A segment with room for a frame; the next one when the present one is full or gone.
    fn room(&mut self, bytes: u64) -> Result<Arc<Segment>, Refused> {
        let size = self.shared.options.segment_bytes;
        let fits = |segment: &&Arc<Segment>| segment.end() + bytes <= size;
        let present = self.segment.as_ref().filter(fits).filter(|s| !self.shared.is_spent(s));
        if let Some(segment) = present {
            return Ok(segment.clone());
        }
        if let Err(error) = self.roll(bytes) {
            tracing::error!(%error, "cannot go on to a new segment; hits are refused");
            self.segment = None; // Not mended until there is another.
            std::thread::sleep(RETRY);
            return Err(Refused::Failed);
        }
        self.segment.clone().ok_or(Refused::Failed)
    }

    /// Goes on to a new segment, of at least the usual size. Refuses hits when the quota is used up.
    fn roll(&mut self, bytes: u64) -> Result<(), Error> {
        let Shared { options, .. } = &*self.shared;
        super::recover::save_floor(&self.shared)?;
        let usual = bytes <= options.segment_bytes;
        let spare = if usual { self.shared.take_spare()? } else { None };
        let size = options.segment_bytes.max(bytes.next_multiple_of(1 << 20));
        let segment = Arc::new(Segment::create(&options.dir, self.next_seq, size, spare)?);
        let mut segments = lock(&self.shared.segments);
        segments.list.push_back(segment.clone());
        self.segment = Some(segment);
        self.shared.measure(&segments);
        self.shared.spare_wanted.notify_one();
        Ok(())
    }

    /// Never again puts a frame into a file that failed. One without a good frame goes: its name is needed
    /// again, and a disk that fails for long must not fill with such files.
    fn abandon(&mut self) {
        let Some(segment) = self.segment.take() else { return };
        segment.distrust();
        if segment.end() == 0 {
            lock(&self.shared.segments).list.retain(|other| !Arc::ptr_eq(other, &segment));
            let _ = std::fs::remove_file(&segment.path);
        }
        std::thread::sleep(RETRY);
    }

    fn tell(&self, verdict: Verdict) {
        let mut pending = lock(&self.shared.pending);
        pending.relays.retain(|relay| relay.send(verdict).is_ok());
    }
}

impl Shared {
    /// Takes the measure of what is kept: whole segments, and of the newest what is written; against the
    /// quota, or against what the disk has left for us where that is less.
    pub(super) fn measure(&self, segments: &Segments) {
        let options = &self.options;
        // A spare segment does not count: on a full disk there is no room to go on to it.
        let files = segments.list.len() as u64;
        let whole = segments.list.len().saturating_sub(1) as u64 * options.segment_bytes;
        // What is committed of the newest can go as soon as there is need.
        let newest = segments.list.back().filter(|segment| !self.is_committed(segment));
        let used = whole + newest.map_or(0, |segment| segment.end());
        let free = free_bytes(&options.dir).unwrap_or(u64::MAX >> 1);
        let left = files * options.segment_bytes + free.saturating_sub(options.disk_reserve_bytes);
        let quota = options.bytes_max.min(left).max(1);
        self.quota.store(quota, Ordering::Relaxed);
        self.used_percent.store((used * 100 / quota).min(100), Ordering::Relaxed);
    }

    fn is_committed(&self, segment: &Segment) -> bool {
        segment.end_seq() <= self.committed.load(Ordering::Relaxed)
    }

    /// Whether a segment is committed and takes so much of a small quota that it had better go.
    fn is_spent(&self, segment: &Segment) -> bool {
        let share = segment.end() * 100 / self.quota.load(Ordering::Relaxed).max(1);
        share >= SPENT_PERCENT && self.is_committed(segment)
    }

    /// A file to go on to: a spare one, else the newest segment itself, if it is committed. Should the edge end
    /// before it has its new name, no segment is left, and a new journal begins: nothing was in the old one.
    fn take_spare(&self) -> Result<Option<PathBuf>, Error> {
        let mut segments = lock(&self.segments);
        if let Some(spare) = segments.spare.pop() {
            return Ok(Some(spare));
        }
        let usual = |segment: &&Arc<Segment>| {
            let length = segment.file.metadata().map_or(0, |metadata| metadata.len());
            length == self.options.segment_bytes && segment.is_trusted()
        };
        let newest = segments.list.back().filter(|newest| self.is_committed(newest));
        let Some(newest) = newest.filter(usual).filter(|newest| newest.end() > 0).cloned() else {
            return Ok(None);
        };
        segments.list.pop_back();
        segments.frames -= newest.frames().min(segments.frames);
        let spare = newest.path.with_extension("spare");
        std::fs::rename(&newest.path, &spare).map_err(Error::at("use again", &newest.path))?;
        Ok(Some(spare))
    }

    /// Lets go of segments wholly below the watermark. The newest stays: its end is where ids resume. Files
    /// are touched without the lock, for the writer needs it.
    pub(super) fn release(&self, watermark: i64) -> Result<(), Error> {
        self.committed.fetch_max(watermark, Ordering::Relaxed);
        while let Some((segment, is_spare)) = self.take_released(watermark) {
            if is_spare {
                failpoint::pass("journal.sparing");
                let spare = segment.path.with_extension("spare");
                std::fs::rename(&segment.path, &spare)
                    .map_err(Error::at("release", &segment.path))?;
                sync_dir(&self.options.dir)?;
                lock(&self.segments).spare.push(spare);
            } else {
                failpoint::pass("journal.removing");
                std::fs::remove_file(&segment.path).map_err(Error::at("remove", &segment.path))?;
                sync_dir(&self.options.dir)?;
            }
        }
        self.measure(&lock(&self.segments));
        Ok(())
    }

    /// The oldest segment, if it can go, and whether it is to be used again.
    fn take_released(&self, watermark: i64) -> Option<(Arc<Segment>, bool)> {
        let mut segments = lock(&self.segments);
        let is_newest = segments.list.len() <= 1;
        let done = segments.list.front().filter(|s| !is_newest && s.end_seq() <= watermark);
        let segment = done.cloned()?;
        segments.list.pop_front();
        segments.frames -= segment.frames().min(segments.frames);
        let usual = segment.file.metadata().is_ok_and(|m| m.len() == self.options.segment_bytes);
        let is_spare = segments.spare.len() < 2 && usual && segment.is_trusted();
        Some((segment, is_spare))
    }
}

/// Bytes that are free on a directory's disk, for whoever is not root.
pub(super) fn free_bytes(dir: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}
