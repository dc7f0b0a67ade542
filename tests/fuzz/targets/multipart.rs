//! A body of any kind: multipart, JSON, urlencoded, text. The first byte says which, and how the boundary
//! is given.
#![no_main]

use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::{form, mask};

const TYPES: [&str; 6] = [
    "multipart/form-data; boundary=X",
    "multipart/form-data; boundary=\"a b\"",
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain;charset=UTF-8",
    "",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    let (content_type, body) = match usize::from(*which) {
        // The type itself is a stranger's, too.
        which if which >= 128 => {
            let cut = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
            (&rest[..cut], &rest[cut..])
        }
        which => (TYPES[which % TYPES.len()].as_bytes(), rest),
    };
    let mut hit = Hit::new(1, 1, Kind::Form, Method::Post);
    hit.set(Part::ContentType, content_type);
    hit.set(Part::Body, body);
    assert!(form::pairs(&hit).unwrap_or_default().len() <= 200);
    let _ = mask::body(hit.text(Part::ContentType), hit.text(Part::Body));
});
