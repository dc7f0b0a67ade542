//! Reading one segment back after any end. Frames follow one another without a gap, and what ends a segment
//! is zeroes; anything else is a frame torn by a power cut, or damage, and so are zeroes before a frame, and
//! a file that ends without them. What is whole behind it is kept, and the places of what is not are filled
//! by a frame without hits, so that they are counted as lost and the watermark can pass.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::segment::{Segment, sync_dir};
use super::{Error, FRAME_HITS_MAX};
use crate::domain::frame::{self, Frame, HEADER_BYTES, HIT_BYTES_MIN, Header};
use crate::domain::id::Id;

const ZEROES: [u8; 4096] = [0; 4096];

/// Where a segment lies among the others.
pub(super) struct Place {
    pub path: PathBuf,
    pub edge_id: i64,
    pub first_seq: i64,
    /// Where the next segment begins; absent for the last.
    pub next_first: Option<i64>,
    /// What a whole file has.
    pub bytes: usize,
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
                let torn = torn_count(bytes, at, found.seq, place);
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
    // Asked of the header, before the checksum of what it claims: in what is left of an earlier use are bodies
    // as strangers sent them.
    let fits = |bytes: &[u8]| {
        let header = Header::read(bytes);
        header.is_some_and(|header| {
            let end_seq = header.first_seq.saturating_add(i64::from(header.count));
            let before_next = place.next_first.is_none_or(|next_first| end_seq <= next_first);
            header.edge_id == place.edge_id && header.first_seq >= seq && before_next
        })
    };
    let mut from = at;
    while from < bytes.len() {
        if bytes[from..].starts_with(&ZEROES) {
            from += ZEROES.len(); // What was never written is most of a file.
        } else {
            let frame = Some(&bytes[from..]).filter(|rest| fits(rest)).and_then(Frame::read);
            if let Some(frame) = frame {
                return Some((from, frame));
            }
            from += 1;
        }
    }
    None
}

/// Zeroes where the next frame's header would be: they are written with each frame.
fn is_end(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + HEADER_BYTES).is_some_and(|header| header.iter().all(|byte| *byte == 0))
}

/// How many hits are missing behind the last whole frame. One frame, torn or with a bit turned, tells by its
/// header or by its hits; else it is the most that there was room for.
fn torn_count(bytes: &[u8], at: usize, seq: i64, place: &Place) -> i64 {
    if let Some(count) = one_torn(bytes, at, seq, place.edge_id) {
        return i64::from(count.clamp(1, FRAME_HITS_MAX));
    }
    let cut_short = bytes.len() < at + HEADER_BYTES || bytes.len() < place.bytes;
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let end = if cut_short { place.bytes } else { written };
    let room = end.saturating_sub(at) / HIT_BYTES_MIN;
    i64::try_from(room).unwrap_or(i64::MAX).max(i64::from(FRAME_HITS_MAX))
}

/// The number of hits of a frame behind which the segment ends.
fn one_torn(bytes: &[u8], at: usize, seq: i64, edge_id: i64) -> Option<u32> {
    let header = Header::read(bytes.get(at..)?)?;
    let end = at.checked_add(HEADER_BYTES)?.checked_add(header.payload_bytes as usize)?;
    if header.edge_id != edge_id || header.first_seq != seq || !is_end(bytes, end) {
        return None;
    }
    let frame = Frame { edge_id, first_seq: seq, count: header.count, bytes: &bytes[at..end] };
    let hits = frame.hits().take_while(|(raw, _)| raw.len() + 4 >= HIT_BYTES_MIN).count();
    Some(header.count.max(hits as u32))
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
