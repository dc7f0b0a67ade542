//! Reading back: durable frames in order, from any sequence number. The live forwarder and a recovery
//! read the same way.

use std::sync::Arc;

use bytes::Bytes;
use rustix::buffer::spare_capacity;

use super::segment::Segment;
use super::{Error, Journal, lock};
use crate::domain::frame::Frame;

/// Bytes read at a time; a frame that is larger is read whole.
const READ_BYTES: usize = 1 << 20;

/// A frame and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct OwnedFrame {
    pub first_seq: i64,
    pub count: u32,
    pub bytes: Bytes,
}

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The next hit to be read.
    pub seq: i64,
    segment: i64,
    offset: u64,
}

impl Cursor {
    /// At a hit; the frame that holds it is found when it is read.
    pub fn at(seq: i64) -> Self {
        Cursor { seq, segment: -1, offset: 0 }
    }
}

impl Journal {
    /// The next durable frames from the cursor on, at most `frames_max`; none when it is at the end. A
    /// cursor before what is kept moves on to the first that is.
    pub fn read(&self, cursor: &mut Cursor, frames_max: usize) -> Result<Vec<OwnedFrame>, Error> {
        let mut frames = Vec::new();
        while let Some(segment) = self.segment_at(cursor) {
            // Asked first: once there is a segment after it, this one grows no more.
            let has_after = self.has_after(&segment);
            self.read_segment(&segment, cursor, frames_max, &mut frames)?;
            if !frames.is_empty() || cursor.offset < segment.end() || !has_after {
                break;
            }
            *cursor = Cursor::at(cursor.seq.max(segment.end_seq()));
        }
        Ok(frames)
    }

    fn segment_at(&self, cursor: &mut Cursor) -> Option<Arc<Segment>> {
        let segments = lock(&self.shared.segments);
        let list = &segments.list;
        if let Some(segment) = list.iter().find(|s| s.first_seq == cursor.segment) {
            return Some(segment.clone());
        }
        // The last segment that begins at or before the cursor and reaches it, else the first behind it.
        let reaches = |s: &&Arc<Segment>| s.end_seq() > cursor.seq;
        let segment = list.iter().find(reaches).or_else(|| list.back())?;
        *cursor = Cursor {
            seq: cursor.seq.max(segment.first_seq),
            segment: segment.first_seq,
            offset: 0,
        };
        Some(segment.clone())
    }

    fn has_after(&self, segment: &Arc<Segment>) -> bool {
        let segments = lock(&self.shared.segments);
        segments.list.back().is_some_and(|last| last.first_seq > segment.first_seq)
    }

    fn read_segment(
        &self,
        segment: &Segment,
        cursor: &mut Cursor,
        frames_max: usize,
        frames: &mut Vec<OwnedFrame>,
    ) -> Result<(), Error> {
        let mut wanted = READ_BYTES;
        while frames.is_empty() && cursor.offset < segment.end() {
            let length = ((segment.end() - cursor.offset) as usize).min(wanted);
            let bytes = Bytes::from(
                read_at(segment, cursor.offset, length)
                    .map_err(Error::at("read", &segment.path))?,
            );
            let before = cursor.offset;
            let mut rest = &bytes[..];
            while let Some(frame) = Frame::read(rest).filter(|_| frames.len() < frames_max) {
                rest = &rest[frame.bytes.len()..];
                cursor.offset += frame.bytes.len() as u64;
                if frame.end_seq() > cursor.seq {
                    cursor.seq = frame.end_seq();
                    let (first_seq, count) = (frame.first_seq, frame.count);
                    let bytes = bytes.slice_ref(frame.bytes);
                    frames.push(OwnedFrame { first_seq, count, bytes });
                }
            }
            if cursor.offset == before {
                wanted *= 2; // The frame is larger than what was read.
                if length < wanted / 2 {
                    let damaged = std::io::Error::other("a durable frame cannot be read");
                    return Err(Error::at("read", &segment.path)(damaged));
                }
            }
        }
        Ok(())
    }
}

/// Bytes of a segment, read into room that nobody has to clear before.
fn read_at(segment: &Segment, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = offset + bytes.len() as u64;
        match rustix::io::pread(&segment.file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(length); // Behind it is what nobody has been told to be durable.
    Ok(bytes)
}
