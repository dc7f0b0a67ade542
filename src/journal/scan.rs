//! Reading one segment back after any end. Frames follow one another without a gap, and what ends a segment
//! is zeroes; anything else is a frame torn by a power cut, or damage. What is whole behind it is kept, and
//! the places of what is not are filled by a frame without hits, so that they are counted as lost and the
//! watermark can pass.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::segment::{Segment, sync_dir};
use super::{Error, FRAME_HITS_MAX};
use crate::domain::frame::{self, Frame, HEADER_BYTES};
use crate::domain::id::Id;

/// Where a segment lies among the others.
pub(super) struct Place {
    pub path: PathBuf,
    pub edge_id: i64,
    pub first_seq: i64,
    /// Where the next segment begins; absent for the last.
    pub next_first: Option<i64>,
}

/// A segment as it was found.
pub(super) struct Scanned {
    pub segment: Segment,
    pub last_id: Id,
}

/// Reads a segment; mends it on disk where something is missing, and keeps the damaged file beside.
pub(super) fn scan(place: &Place) -> Result<Scanned, Error> {
    let bytes = std::fs::read(&place.path).map_err(Error::at("read", &place.path))?;
    let found = Found::of(&bytes, place);
    let mut open = OpenOptions::new();
    let (file, end) = if found.lost > 0 {
        let (path, lost) = (place.path.display(), found.lost);
        tracing::error!(%path, lost, "the journal is damaged: hits are missing");
        (mend(place, &found, bytes.len())?, found.mended.len())
    } else {
        let open = open.read(true).write(true).open(&place.path);
        (open.map_err(Error::at("open", &place.path))?, found.whole_end)
    };
    let seqs = (place.first_seq, found.seq);
    let segment = Segment::known(place.path.clone(), file, seqs, end as u64, found.frames);
    Ok(Scanned { segment, last_id: found.last_id })
}

struct Found {
    seq: i64,
    frames: u64,
    last_id: Id,
    lost: u64,
    /// Where the frames end that followed the segment's start without a gap.
    whole_end: usize,
    /// All whole frames, and frames without hits in place of the others.
    mended: Vec<u8>,
}

impl Found {
    fn of(bytes: &[u8], place: &Place) -> Self {
        let mut found = Found {
            seq: place.first_seq,
            frames: 0,
            last_id: 0,
            lost: 0,
            whole_end: 0,
            mended: Vec::new(),
        };
        let mut at = 0;
        while let Some((next, frame)) = next_frame(bytes, at, found.seq, place) {
            found.lose_until(frame.first_seq, place.edge_id);
            found.keep(&frame);
            at = next + frame.bytes.len();
            if found.lost == 0 {
                found.whole_end = at;
            }
        }
        match place.next_first {
            Some(next_first) => found.lose_until(next_first, place.edge_id),
            None if !is_end(bytes, at) => {
                let torn = torn_count(bytes, at, found.seq, place.edge_id);
                found.lose_until(found.seq + torn, place.edge_id);
            }
            None => {}
        }
        found
    }

    fn keep(&mut self, frame: &Frame<'_>) {
        let ids = frame.hits().filter_map(|(_, hit)| Some(hit?.id));
        self.last_id = ids.max().unwrap_or(0).max(self.last_id);
        self.seq = frame.end_seq();
        self.frames += 1;
        self.mended.extend_from_slice(frame.bytes);
    }

    fn lose_until(&mut self, seq: i64, edge_id: i64) {
        if seq > self.seq {
            self.mended.extend(gap(edge_id, self.seq, seq));
            self.lost += (seq - self.seq) as u64;
            self.frames += 1;
            self.seq = seq;
        }
    }
}

/// A frame that holds no hits, in place of those that are lost.
fn gap(edge_id: i64, from: i64, to: i64) -> Vec<u8> {
    let mut buffer = Vec::new();
    frame::start(&mut buffer);
    frame::seal(&mut buffer, edge_id, from, (to - from) as u32);
    buffer
}

/// The next whole frame of this journal from `at` on, if not at once then behind damage. Frames of an
/// earlier use of the file have smaller sequence numbers.
fn next_frame<'a>(
    bytes: &'a [u8],
    at: usize,
    seq: i64,
    place: &Place,
) -> Option<(usize, Frame<'a>)> {
    let fits = |frame: &Frame<'_>| {
        let before_next = place.next_first.is_none_or(|next_first| frame.end_seq() <= next_first);
        frame.edge_id == place.edge_id && frame.first_seq >= seq && before_next
    };
    let read = |at: usize| Frame::read(&bytes[at..]).filter(fits).map(|frame| (at, frame));
    if is_end(bytes, at) {
        return None;
    }
    read(at).or_else(|| (at + 1..bytes.len()).find_map(read))
}

/// Zeroes where the next frame's header would be, or no room for one.
fn is_end(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + HEADER_BYTES).is_none_or(|header| header.iter().all(|byte| *byte == 0))
}

/// How many hits a frame had of which only the header is good; the most it can have had, where that is not.
fn torn_count(bytes: &[u8], at: usize, seq: i64, edge_id: i64) -> i64 {
    let header = frame::Header::read(&bytes[at..]);
    let ours = header.filter(|h| h.edge_id == edge_id && h.first_seq == seq);
    let count = ours.map_or(FRAME_HITS_MAX, |header| header.count);
    i64::from(count.clamp(1, FRAME_HITS_MAX))
}

fn mend(place: &Place, found: &Found, size: usize) -> Result<File, Error> {
    let mut mended = found.mended.clone();
    mended.resize(size.max(mended.len() + HEADER_BYTES), 0);
    // The damaged file keeps its name until the mended one is whole on disk.
    let damaged = place.path.with_extension("damaged");
    let _ = std::fs::remove_file(&damaged);
    std::fs::hard_link(&place.path, &damaged).map_err(Error::at("keep", &place.path))?;
    write_segment(&place.path, &mended)
}

fn write_segment(path: &Path, bytes: &[u8]) -> Result<File, Error> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = open.open(&temporary)?;
        std::io::Write::write_all(&mut &file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        Ok(file)
    };
    let file = write().map_err(Error::at("write", path))?;
    path.parent().map_or(Ok(()), sync_dir)?;
    Ok(file)
}
