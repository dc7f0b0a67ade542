//! Runs beside the edge, on a thread of its own: journal to queue, and the watermark back. Forwards frames
//! in order, lets the journal go of what PostgreSQL has committed, and forwards again what the queue lost.
//! The edge itself never waits for any of it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::journal::{Cursor, Journal};
use crate::queue::{EntryId, Queue};
use crate::store::{Store, settle};
use crate::telemetry;

/// Frames sent to Redis in one round trip.
const FRAMES_MAX: usize = 128;
/// How often the watermark is asked for.
const WATERMARK_EVERY: Duration = Duration::from_millis(500);
/// Pauses after a failure, from the first to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Batches in flight that are remembered one by one; beyond, neighbours are remembered as one.
const SENT_MAX: usize = 4_096;
/// Of the journal's quota, in percent: from here on it is said.
const WARN_PERCENT: u64 = 80;
/// So many times in a row hits must be found missing before they are sent again: the watermark that is
/// known here is a moment old.
const MISSING_MAX: u32 = 3;

/// Forwards until `stop`, and then what is durable by then.
pub async fn run(
    journal: Journal,
    mut queue: Queue,
    store: Store,
    mut stop: watch::Receiver<bool>,
) {
    let (tell, watermark) = watch::channel(None);
    let keeper = tokio::spawn(keep_watermark(journal.clone(), store, tell, stop.clone()));
    let mut durable = journal.durable();
    let mut state = Forward {
        cursor: Cursor::at(0),
        sent: VecDeque::new(),
        missing: 0,
        looked_at: -1,
        pause: PAUSE,
        watermark,
    };
    let mut look = interval(WATERMARK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        durable.borrow_and_update();
        let more = match state.forward(&journal, &mut queue).await {
            Ok(more) => {
                state.pause = PAUSE;
                more
            }
            Err(error) => {
                tracing::warn!(%error, "cannot forward hits; the journal keeps them");
                tokio::time::sleep(state.pause).await;
                state.pause = (state.pause * 2).min(PAUSE_MAX);
                true
            }
        };
        if *stop.borrow() && (!more || state.pause > PAUSE) {
            break;
        }
        tokio::select! {
            biased;
            _ = look.tick() => state.look_for_missing(&mut queue).await,
            () = std::future::ready(()), if more => {}
            _ = durable.changed() => {}
            _ = stop.changed() => {}
        }
    }
    keeper.abort();
}

struct Forward {
    cursor: Cursor,
    /// What was sent and may not be committed: the hit after each batch, and the batch's last entry.
    sent: VecDeque<(i64, EntryId)>,
    missing: u32,
    /// The watermark when the queue was last looked at.
    looked_at: i64,
    pause: Duration,
    watermark: watch::Receiver<Option<i64>>,
}

impl Forward {
    /// Sends the next frames; whether there were any. After a failure the same frames are sent again.
    async fn forward(
        &mut self,
        journal: &Journal,
        queue: &mut Queue,
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let mut next = self.cursor;
        let frames = journal.read(&mut next, FRAMES_MAX)?;
        if !frames.is_empty() {
            let sent = queue.forward(frames.iter().map(|frame| &frame.bytes[..])).await;
            let sent = sent.inspect_err(|e| telemetry::queue_error(e.operation).increment(1))?;
            self.remember(next.seq, sent);
        }
        self.cursor = next;
        Ok(!frames.is_empty())
    }

    fn remember(&mut self, end_seq: i64, entry: Option<EntryId>) {
        let watermark = self.watermark.borrow().unwrap_or(0);
        while self.sent.front().is_some_and(|(end_seq, _)| *end_seq <= watermark) {
            self.sent.pop_front();
        }
        let Some(entry) = entry else { return };
        if self.sent.len() >= SENT_MAX {
            self.sent.pop_back();
        }
        self.sent.push_back((end_seq, entry));
    }

    /// An entry stays in the stream until its hits are committed. When the watermark stands still before a
    /// hit that was sent, and the entry that holds it is not there, the queue lost it.
    async fn look_for_missing(&mut self, queue: &mut Queue) {
        let Some(watermark) = *self.watermark.borrow() else { return };
        let entry =
            self.sent.iter().find(|(end_seq, _)| *end_seq > watermark).map(|(_, entry)| *entry);
        let stands_still = watermark == self.looked_at && watermark < self.cursor.seq;
        self.looked_at = watermark;
        let lost = match entry.filter(|_| stands_still) {
            Some(entry) => match queue.has(entry).await {
                Ok(has) => !has,
                Err(error) => {
                    telemetry::queue_error(error.operation).increment(1);
                    false
                }
            },
            None => false,
        };
        self.missing = if lost { self.missing + 1 } else { 0 };
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
}

/// Asks how far the books are, and lets the journal go of what is in them.
async fn keep_watermark(
    journal: Journal,
    store: Store,
    tell: watch::Sender<Option<i64>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut complained = Instant::now() - Duration::from_secs(60);
    let mut warned = complained;
    loop {
        match settle::watermark(&store, journal.edge_id()).await {
            Ok(watermark) => {
                tell.send_replace(Some(watermark));
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
            Err(error) if complained.elapsed() > Duration::from_secs(10) => {
                complained = Instant::now();
                tracing::warn!(%error, "cannot ask for the watermark; the journal keeps everything");
            }
            Err(_) => {}
        }
        let extent = journal.extent();
        telemetry::journal_used(journal.used_percent());
        if journal.used_percent() >= WARN_PERCENT && warned.elapsed() > Duration::from_secs(10) {
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
            () = tokio::time::sleep(WATERMARK_EVERY) => {}
        }
    }
}
