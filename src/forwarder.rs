//! Runs beside the edge, on a thread of its own: journal to queue, and the watermark back. Forwards frames
//! in order, lets the journal go of what PostgreSQL has committed, and forwards again what the queue lost.
//! The edge itself never waits for any of it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::failpoint;
use crate::journal::{Cursor, Journal, OwnedFrame};
use crate::pulse::Pulse;
use crate::queue::{self, EntryId, Queue};
use crate::store::{Store, settle};
use crate::telemetry;

/// Frames sent to Redis in one round trip.
const FRAMES_MAX: usize = 128;
/// How long frames are gathered when one follows the other: a round trip for several costs no more.
const GATHER: Duration = Duration::from_millis(10);
/// How often the watermark is asked for, and the queue looked after.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// For the watermark: a database that hangs is no reason to hang with it.
const WATERMARK_TIMEOUT: Duration = Duration::from_secs(10);
/// What goes on and on is said so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);
/// Longer than any of what the loops here wait for.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Pauses after a failure, from the first to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Frames in flight that are remembered one by one; beyond, neighbours are remembered as one.
const SENT_MAX: usize = 262_144;
/// Of the journal's quota, in percent: from here on it is said.
const WARN_PERCENT: u64 = 80;
/// So many times in a row hits must be found missing before they are sent again: the watermark that is
/// known here is a moment old.
const MISSING_MAX: u32 = 3;

/// What forwarding takes.
#[allow(missing_docs)]
pub struct Forwarder {
    pub journal: Journal,
    pub queue: Queue,
    pub store: Store,
    /// When the stream takes so many bytes in Redis, the rest waits in the journal.
    pub stream_bytes_max: u64,
}

impl Forwarder {
    /// Forwards until `stop`, and then what is durable by then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (tell, watermark) = watch::channel(None);
        let keeper = keep_watermark(self.journal.clone(), self.store, tell, stop.clone());
        let keeper = tokio::spawn(keeper);
        let measuring = tokio::spawn(measure_disk(self.journal.clone()));
        let pulse = Pulse::new("forwarder", SILENCE_MAX);
        let mut durable = self.journal.durable();
        let mut state = Forward::new(self.queue, self.stream_bytes_max, watermark);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.beat();
            durable.borrow_and_update();
            let next = state.forward_or_pause(&self.journal, &mut stop).await;
            if *stop.borrow() && (next.is_none() || state.pause > PAUSE) {
                break;
            }
            tokio::select! {
                biased;
                _ = look.tick() => state.look().await,
                () = sleep(next.unwrap_or_default()), if next.is_some() => {}
                _ = durable.changed(), if next.is_none() => {}
                _ = stop.changed() => {}
            }
        }
        keeper.abort();
        measuring.abort();
    }
}

struct Forward {
    queue: Queue,
    cursor: Cursor,
    /// What was sent and may not be committed: the hit after each frame, and the frame's entry.
    sent: VecDeque<(i64, EntryId)>,
    missing: u32,
    /// The watermark when the queue was last looked at.
    looked_at: i64,
    pause: Duration,
    watermark: watch::Receiver<Option<i64>>,
    /// Bytes that the stream takes, as last measured, with what was sent since.
    stream_bytes: u64,
    stream_bytes_max: u64,
    complained: Instant,
}

impl Forward {
    fn new(queue: Queue, stream_bytes_max: u64, watermark: watch::Receiver<Option<i64>>) -> Self {
        Forward {
            queue,
            cursor: Cursor::at(0),
            sent: VecDeque::new(),
            missing: 0,
            looked_at: -1,
            pause: PAUSE,
            watermark,
            stream_bytes: 0,
            stream_bytes_max,
            complained: Instant::now() - COMPLAIN_EVERY,
        }
    }

    /// Sends the next frames; when to send again, if there may be more. After a failure it pauses, ever
    /// longer, but not when it is to stop.
    async fn forward_or_pause(
        &mut self,
        journal: &Journal,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Duration> {
        match self.forward(journal).await {
            Ok(frames) => {
                self.pause = PAUSE;
                let gather = if frames < FRAMES_MAX { GATHER } else { Duration::ZERO };
                (frames > 0).then_some(gather)
            }
            Err(error) => {
                tracing::warn!(%error, "cannot forward hits; the journal keeps them");
                let _ = tokio::time::timeout(self.pause, stop.wait_for(|stop| *stop)).await;
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                Some(Duration::ZERO)
            }
        }
    }

    /// Sends the next frames; how many there were. After a failure the same frames are sent again.
    async fn forward(
        &mut self,
        journal: &Journal,
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        if self.stream_bytes >= self.stream_bytes_max {
            return Ok(0);
        }
        let mut next = self.cursor;
        let frames = journal.read(&mut next, FRAMES_MAX)?;
        if !frames.is_empty() {
            failpoint::pass("forwarder.sending");
            let sent = self.queue.forward(frames.iter().map(|frame| &frame.bytes[..])).await;
            let sent = sent.inspect_err(|e| telemetry::queue_error(e.operation).increment(1))?;
            failpoint::pass("forwarder.sent");
            self.remember(&frames, sent);
            failpoint::pass("forwarder.remembered");
        }
        self.cursor = next;
        Ok(frames.len())
    }

    fn remember(&mut self, frames: &[OwnedFrame], entries: Vec<EntryId>) {
        let watermark = self.watermark.borrow().unwrap_or(0);
        while self.sent.front().is_some_and(|(end_seq, _)| *end_seq <= watermark) {
            self.sent.pop_front();
        }
        for (frame, entry) in frames.iter().zip(entries) {
            if self.sent.len() >= SENT_MAX {
                self.sent.pop_back();
            }
            self.stream_bytes += frame.bytes.len() as u64;
            self.sent.push_back((frame.first_seq + i64::from(frame.count), entry));
        }
    }

    /// Looks after the queue: how much is in it, and whether it lost anything.
    async fn look(&mut self) {
        if let Err(error) = self.measure().await {
            self.stream_bytes = 0; // What cannot be measured has no bound.
            self.complain(&error);
        }
        match self.has_lost().await {
            Ok(true) => self.missing += 1,
            Ok(false) => self.missing = 0,
            Err(error) => self.complain(&error),
        }
        let watermark = self.looked_at;
        if self.missing >= MISSING_MAX {
            tracing::warn!(
                from = watermark,
                to = self.cursor.seq,
                "the queue lost hits; they are sent again"
            );
            self.cursor = Cursor::at(watermark);
            self.sent.clear();
            self.missing = 0;
        }
    }

    fn complain(&mut self, error: &queue::Error) {
        telemetry::queue_error(error.operation).increment(1);
        if self.complained.elapsed() > COMPLAIN_EVERY {
            self.complained = Instant::now();
            tracing::warn!(%error, "cannot look after the stream");
        }
    }

    async fn measure(&mut self) -> Result<(), queue::Error> {
        let was_full = self.stream_bytes >= self.stream_bytes_max;
        self.stream_bytes = self.queue.bytes().await?;
        telemetry::queue_bytes(self.stream_bytes);
        if self.stream_bytes >= self.stream_bytes_max && !was_full {
            let bytes = self.stream_bytes;
            tracing::warn!(
                bytes,
                "the stream is full: hits are not settled; the journal keeps them"
            );
        }
        Ok(())
    }

    /// An entry stays in the stream until its hits are committed. When the watermark stands still before a
    /// hit that was sent, and nobody has or will get the entry that holds it, the queue lost it.
    async fn has_lost(&mut self) -> Result<bool, queue::Error> {
        let Some(watermark) = *self.watermark.borrow() else { return Ok(false) };
        let stands_still = watermark == self.looked_at && watermark < self.cursor.seq;
        self.looked_at = watermark;
        let entry = self.sent.iter().find(|(end_seq, _)| *end_seq > watermark);
        match entry.filter(|_| stands_still) {
            Some((_, entry)) => Ok(!self.queue.carries(*entry).await?),
            None => Ok(false),
        }
    }
}

/// Others use the disk too; room that is made is to be seen soon, whatever PostgreSQL and Redis do.
async fn measure_disk(journal: Journal) {
    loop {
        journal.measure();
        sleep(LOOK_EVERY).await;
    }
}

/// Asks how far the books are, and lets the journal go of what is in them.
async fn keep_watermark(
    journal: Journal,
    store: Store,
    tell: watch::Sender<Option<i64>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut complained = Instant::now() - COMPLAIN_EVERY;
    let mut warned = complained;
    let pulse = Pulse::new("watermark", SILENCE_MAX);
    loop {
        pulse.beat();
        let asked = settle::watermark(&store, journal.edge_id());
        match tokio::time::timeout(WATERMARK_TIMEOUT, asked).await {
            Ok(Ok(watermark)) => {
                tell.send_replace(Some(watermark));
                failpoint::pass("forwarder.told");
                let end_seq = journal.extent().end_seq;
                if watermark > end_seq {
                    // Cut short, or restored: workers settle its hits as another journal's meanwhile.
                    tracing::error!(
                        watermark,
                        end_seq,
                        "the journal ends before what the books have of it"
                    );
                } else if let Err(error) = journal.release(watermark) {
                    tracing::warn!(%error, "cannot let go of a segment");
                }
            }
            Ok(Err(error)) if complained.elapsed() > COMPLAIN_EVERY => {
                complained = Instant::now();
                tracing::warn!(%error, "cannot ask for the watermark; the journal keeps everything");
            }
            Ok(Err(_)) | Err(_) => {}
        }
        let extent = journal.extent();
        telemetry::journal_used(journal.used_percent());
        telemetry::damaged(journal.damaged_files());
        if journal.used_percent() >= WARN_PERCENT && warned.elapsed() > COMPLAIN_EVERY {
            warned = Instant::now();
            tracing::warn!(
                percent = journal.used_percent(),
                "the journal fills: hits are not settled"
            );
        }
        let committed = tell.borrow().unwrap_or(extent.first_seq);
        telemetry::journal(extent.frames, extent.bytes, (extent.end_seq - committed).max(0));
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
