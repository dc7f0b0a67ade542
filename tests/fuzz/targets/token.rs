//! A click token: only what was signed is believed, and it says what was signed.
#![no_main]

#[path = "../world.rs"]
mod world;

use tributary::domain::token::Token;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let world = world::get();
    let keys = &world.keys;
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(token) = Token::verify(text, keys) {
            assert_eq!(token.sign(keys), text, "one text for each token");
            assert_eq!(text, world.token, "nobody else has the key");
        }
    }
    // The same bytes as changes of a true one.
    let mut changed = world.token.as_bytes().to_vec();
    for change in bytes.chunks_exact(2) {
        let at = usize::from(change[0]) % changed.len();
        changed[at] = change[1];
    }
    if let Ok(text) = std::str::from_utf8(&changed) {
        assert_eq!(Token::verify(text, keys).is_ok(), text == world.token, "{text}");
    }
});
