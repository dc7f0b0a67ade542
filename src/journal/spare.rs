//! The spare thread: keeps a segment ready, so that the writer goes on to it without preallocating. It writes
//! with pauses, for it shares the disk with the writer; where it is too slow, the writer helps itself.

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::segment::{preallocate, sync_dir};
use super::writer::free_bytes;
use super::{Error, Segments, Shared, lock};

/// Between two pieces of a segment.
const PAUSE: Duration = Duration::from_millis(5);
/// Until it is looked again whether there is room for a spare segment.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Starts the thread.
pub(super) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let dir = shared.options.dir.clone();
    let run = move || {
        for number in 0_u64.. {
            if !shared.wait_for_want() {
                return;
            }
            if let Err(error) = shared.prepare(number) {
                tracing::warn!(%error, "cannot prepare a segment");
                std::thread::sleep(LOOK_EVERY);
            }
        }
    };
    let spawned = std::thread::Builder::new().name("journal-spare".to_owned()).spawn(run);
    spawned.map_err(Error::at("start the spare thread of", &dir))
}

impl Shared {
    /// Waits until there is no spare segment and room for one; false when the journal is closed.
    fn wait_for_want(&self) -> bool {
        let mut segments = lock(&self.segments);
        loop {
            let is_wanted = segments.spare.is_empty() && self.has_room(&segments);
            if segments.closed || is_wanted {
                return !segments.closed;
            }
            let waited = self.spare_wanted.wait_timeout(segments, LOOK_EVERY);
            segments = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn has_room(&self, segments: &Segments) -> bool {
        let options = &self.options;
        let files = segments.list.len() as u64 + 1;
        let free = free_bytes(&options.dir).unwrap_or(0);
        files * options.segment_bytes <= options.bytes_max
            && free >= options.disk_reserve_bytes.saturating_add(options.segment_bytes)
    }

    fn prepare(&self, number: u64) -> Result<(), Error> {
        let dir = &self.options.dir;
        let path = dir.join(format!("prepared-{number}.spare"));
        let is_wanted = |file: &std::fs::File| {
            let synced = file.sync_data();
            std::thread::sleep(PAUSE);
            synced.map(|()| !lock(&self.segments).closed)
        };
        if preallocate(&path, self.options.segment_bytes, is_wanted)?.is_some() {
            sync_dir(dir)?;
            let mut segments = lock(&self.segments);
            segments.spare.push(path);
            self.measure(&segments);
        }
        Ok(())
    }
}
