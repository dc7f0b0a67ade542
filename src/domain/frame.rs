//! A frame: the hits of one fsync. The unit that is journalled, queued, claimed and acknowledged.
//!
//! Layout, little-endian: magic u32, payload length u32, CRC32C u32 of all that follows it, edge id i64,
//! first sequence number i64, number of hits u32, then the payload: `length u32, encoded hit` each.

use super::hit::{self, Hit};

/// "TRF1"
const MAGIC: u32 = u32::from_le_bytes(*b"TRF1");
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 4 + 4 + 4 + 8 + 8 + 4;
const CHECKED_FROM: usize = 12;
/// Bytes that a hit takes at least.
pub const HIT_BYTES_MIN: usize = 4 + hit::HEAD_BYTES;

/// A whole frame, borrowed from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The journal that it comes from.
    pub edge_id: i64,
    /// Sequence number, within that journal, of its first hit.
    pub first_seq: i64,
    /// How many hits it holds.
    pub count: u32,
    /// All its bytes, header included.
    pub bytes: &'a [u8],
}

/// Starts a frame in an empty buffer: room for the header, which [`seal`] writes.
pub fn start(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.resize(HEADER_BYTES, 0);
}

/// Appends one hit to a started frame.
pub fn push(buffer: &mut Vec<u8>, hit: &Hit<'_>) {
    let at = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    hit.encode(buffer);
    let length = (buffer.len() - at - 4) as u32;
    buffer[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

/// Writes the header of a started frame. Nothing is appended after this.
pub fn seal(buffer: &mut [u8], edge_id: i64, first_seq: i64, count: u32) {
    let length = (buffer.len() - HEADER_BYTES) as u32;
    buffer[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    buffer[4..8].copy_from_slice(&length.to_le_bytes());
    buffer[12..20].copy_from_slice(&edge_id.to_le_bytes());
    buffer[20..28].copy_from_slice(&first_seq.to_le_bytes());
    buffer[28..32].copy_from_slice(&count.to_le_bytes());
    let crc = crc32c::crc32c(&buffer[CHECKED_FROM..]);
    buffer[8..12].copy_from_slice(&crc.to_le_bytes());
}

/// What a frame's header says, whether or not the frame is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Header {
    pub payload_bytes: u32,
    pub crc: u32,
    pub edge_id: i64,
    pub first_seq: i64,
    pub count: u32,
}

impl Header {
    /// Reads the header at the start of `bytes`; `None` when there is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES)?;
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i]));
        let long = |at: usize| i64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| header[at + i]));
        (word(0) == MAGIC && word(28) > 0).then(|| Header {
            payload_bytes: word(4),
            crc: word(8),
            edge_id: long(12),
            first_seq: long(20),
            count: word(28),
        })
    }
}

impl<'a> Frame<'a> {
    /// Reads the frame at the start of `bytes`; `None` when there is no whole, undamaged one.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::read(bytes)?;
        let whole = bytes.get(..HEADER_BYTES.checked_add(header.payload_bytes as usize)?)?;
        let Header { edge_id, first_seq, count, .. } = header;
        let sound = crc32c::crc32c(&whole[CHECKED_FROM..]) == header.crc;
        sound.then_some(Frame { edge_id, first_seq, count, bytes: whole })
    }

    /// The hits in order, each with its encoded bytes; `None` in place of one that cannot be decoded.
    pub fn hits(&self) -> impl Iterator<Item = (&'a [u8], Option<Hit<'a>>)> + use<'a> {
        let mut rest = &self.bytes[HEADER_BYTES..];
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (hit, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some((hit, Hit::decode(hit)))
        })
    }

    /// The sequence number after its last hit.
    pub fn end_seq(&self) -> i64 {
        self.first_seq + i64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hit::{Kind, Method, Part};
    use super::*;

    fn sealed() -> Vec<u8> {
        let mut buffer = Vec::new();
        start(&mut buffer);
        for n in 0..3 {
            let mut hit = Hit::new(n, 5, Kind::Pixel, Method::Get);
            hit.set(Part::Query, b"amount=1");
            push(&mut buffer, &hit);
        }
        seal(&mut buffer, 42, 7, 3);
        buffer
    }

    #[test]
    fn a_frame_comes_back_with_its_hits() {
        let bytes = sealed();
        let frame = Frame::read(&bytes).unwrap();
        assert_eq!((frame.edge_id, frame.first_seq, frame.end_seq()), (42, 7, 10));
        let ids: Vec<_> = frame.hits().map(|(_, hit)| hit.unwrap().id).collect();
        assert_eq!(ids, [0, 1, 2]);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = sealed();
        for cut in 0..bytes.len() {
            assert_eq!(Frame::read(&bytes[..cut]), None);
        }
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Frame::read(&bad), None, "bit {bit}");
        }
    }
}
