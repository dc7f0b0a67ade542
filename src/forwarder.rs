//! Runs beside the edge: journal to queue, and the watermark back. Forwards frames in order, lets the
//! journal go of what PostgreSQL has committed, and forwards again what the queue lost. The edge itself
//! never waits for any of it.

use std::time::Duration;

use tokio::sync::watch;

use crate::journal::{Cursor, Journal};
use crate::queue::Queue;
use crate::store::{Store, settle};
use crate::telemetry;

/// Frames sent to Redis in one round trip.
const FRAMES_MAX: usize = 128;
/// How often the watermark is asked for.
const WATERMARK_EVERY: Duration = Duration::from_millis(500);
/// Pauses after a failure, from the first to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// So many times in a row the queue must be found empty while hits are missing from the books, before
/// they are sent again: a worker may be between its commit and the watermark.
const MISSING_MAX: u32 = 3;

/// Forwards until `stop`, and then what is durable by then.
pub async fn run(
    journal: Journal,
    mut queue: Queue,
    store: Store,
    mut stop: watch::Receiver<bool>,
) {
    let (rewind, rewound) = watch::channel(None);
    let keeper = tokio::spawn(keep_watermark(journal.clone(), store, rewind, stop.clone()));
    let mut durable = journal.durable();
    let mut state = Forward { cursor: Cursor::at(0), missing: 0, pause: PAUSE, watermark: rewound };
    loop {
        durable.borrow_and_update();
        match state.forward(&journal, &mut queue).await {
            Ok(true) => continue,
            Ok(false) => state.pause = PAUSE,
            Err(error) => {
                tracing::warn!(%error, "cannot forward hits; the journal keeps them");
                tokio::time::sleep(state.pause).await;
                state.pause = (state.pause * 2).min(PAUSE_MAX);
            }
        }
        if *stop.borrow() {
            break;
        }
        tokio::select! {
            _ = durable.changed() => {}
            _ = stop.changed() => {}
            () = tokio::time::sleep(WATERMARK_EVERY) => state.look_for_missing(&mut queue).await,
        }
    }
    keeper.abort();
}

struct Forward {
    cursor: Cursor,
    missing: u32,
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
            sent.inspect_err(|error| telemetry::queue_error(error.operation).increment(1))?;
        }
        self.cursor = next;
        Ok(!frames.is_empty())
    }

    /// The queue is empty and yet hits that were sent are not in the books: it lost them.
    async fn look_for_missing(&mut self, queue: &mut Queue) {
        let Some(watermark) = *self.watermark.borrow() else { return };
        let empty = queue.depth().await.is_ok_and(|depth| depth == 0);
        if !empty || watermark >= self.cursor.seq {
            self.missing = 0;
            return;
        }
        self.missing += 1;
        if self.missing >= MISSING_MAX {
            tracing::warn!(
                from = watermark,
                to = self.cursor.seq,
                "the queue lost hits; they are sent again"
            );
            self.cursor = Cursor::at(watermark);
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
    loop {
        match settle::watermark(&store, journal.edge_id()).await {
            Ok(watermark) => {
                tell.send_replace(Some(watermark));
                if let Err(error) = journal.release(watermark) {
                    tracing::warn!(%error, "cannot let go of a segment");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot ask for the watermark; the journal keeps everything");
            }
        }
        let extent = journal.extent();
        let committed = tell.borrow().unwrap_or(extent.first_seq);
        telemetry::journal(extent.frames, extent.bytes, extent.end_seq - committed);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(WATERMARK_EVERY) => {}
        }
    }
}
