//! A query string: read, shown without its secrets, and turned into sub ids.
#![no_main]

use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::{click, form, mask, redirect};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut hit = Hit::new(1, 1, Kind::Pixel, Method::Get);
    hit.set(Part::Query, bytes);
    let pairs = form::pairs(&hit).unwrap_or_default();
    assert!(pairs.len() <= 200);
    for name in ["url", "s1", "consent", "id"] {
        let _ = form::query_value(bytes, name);
    }
    assert!(click::sub_ids(&hit).iter().flatten().all(|id| id.chars().count() <= 128));
    let _ = (click::consent(&hit), redirect::fill("https://shop.example/{id}", &hit));
    let shown = mask::pairs(hit.text(Part::Query));
    let mut again = Hit::new(1, 1, Kind::Pixel, Method::Get);
    again.set(Part::Query, shown.as_bytes());
    let shown = form::pairs(&again).unwrap_or_default();
    let secret = |(name, value): &&form::Pair<'_>| mask::is_secret(name) && !value.is_empty();
    assert!(shown.iter().filter(secret).all(|(_, value)| value == mask::MASK), "{shown:?}");
});
