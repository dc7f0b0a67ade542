//! A frame and its hits: damaged bytes are no frame, and what is read is what was written. The first bytes
//! may have their checksum mended, so that what is behind it is reached.
#![no_main]

use tributary::domain::frame::{self, Frame, HEADER_BYTES, Header};
use tributary::domain::hit::Hit;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = (Header::read(bytes), Frame::read(bytes), Hit::decode(bytes));
    let count = bytes.first().map_or(1, |byte| u32::from(*byte).max(1));
    let mut sound = vec![0; HEADER_BYTES];
    sound.extend_from_slice(bytes);
    frame::seal(&mut sound, 42, 7, count);
    let read = Frame::read(&sound).expect("sealed, so sound");
    assert_eq!((read.edge_id, read.first_seq, read.bytes.len()), (42, 7, sound.len()));
    for (encoded, hit) in read.hits() {
        let Some(hit) = hit else { continue };
        let mut again = Vec::new();
        hit.encode(&mut again);
        assert_eq!(Hit::decode(&again), Some(hit));
        assert!(again.len() <= encoded.len() + 1);
    }
});
