//! The click token: signed proof of a click. It travels as a cookie and in the landing URL, so a sale
//! carries its own evidence and nothing has to be looked up, whatever arrives first.
//!
//! Text form `1.{key id}.{base64url of payload and tag}`; the payload is the ids of click, program, link
//! and affiliate, big-endian; the tag the first 16 bytes of HMAC-SHA256 over all before it. The time of
//! the click is in the click's id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::id::{self, Id};
use super::reason::Reason;

const PAYLOAD_BYTES: usize = 4 * 8;
const TAG_BYTES: usize = 16;
/// Longer than any token there can be; what is longer is not looked at.
pub const TEXT_BYTES_MAX: usize = 128;

/// What a click token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Token {
    pub click_id: Id,
    pub program_id: Id,
    pub link_id: Id,
    pub affiliate_id: Id,
}

/// The signing keys: the first signs, all verify. An older one is dropped when its tokens have expired.
#[derive(Clone)]
pub struct Keys(Vec<(String, Hmac<Sha256>)>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

impl Keys {
    /// Reads `id:base64url of 32 bytes`, comma-separated, newest first.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<(String, Hmac<Sha256>)> = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (id, key) = entry.split_once(':').ok_or("a key is `id:base64url`")?;
            let good_id = (1..=16).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            if !good_id || keys.iter().any(|(other, _)| other == id) {
                return Err("a key id is 1 to 16 letters or digits, and unique".to_owned());
            }
            let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).unwrap_or_default();
            if key.len() != 32 || key.iter().all(|byte| *byte == key[0]) {
                return Err(format!("key `{id}` is not base64url of 32 random bytes"));
            }
            let mac = Hmac::new_from_slice(&key).map_err(|e| e.to_string())?;
            keys.push((id.to_owned(), mac));
        }
        if keys.is_empty() { Err("there is no key".to_owned()) } else { Ok(Keys(keys)) }
    }
}

impl Token {
    /// The text form, signed with the newest key.
    pub fn sign(&self, keys: &Keys) -> String {
        let (key_id, mac) = &keys.0[0];
        let mut bytes = [0; PAYLOAD_BYTES + TAG_BYTES];
        let ids = [self.click_id, self.program_id, self.link_id, self.affiliate_id];
        for (slot, id) in bytes.chunks_exact_mut(8).zip(ids) {
            slot.copy_from_slice(&id.to_be_bytes());
        }
        let tag = tag(mac, key_id, &bytes[..PAYLOAD_BYTES]).finalize().into_bytes();
        bytes[PAYLOAD_BYTES..].copy_from_slice(&tag[..TAG_BYTES]);
        let mut text = String::with_capacity(TEXT_BYTES_MAX);
        text.push_str("1.");
        text.push_str(key_id);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// Reads and verifies the text form, in constant time where it matters.
    pub fn verify(text: &str, keys: &Keys) -> Result<Self, Reason> {
        let malformed = Reason::TokenMalformed;
        let rest = text.strip_prefix("1.").ok_or(malformed)?;
        let (key_id, encoded) = rest.split_once('.').ok_or(malformed)?;
        let mut bytes = [0; PAYLOAD_BYTES + TAG_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).map_err(|_| malformed)?;
        if length != bytes.len() || text.len() > TEXT_BYTES_MAX {
            return Err(malformed);
        }
        let known = keys.0.iter().find(|(id, _)| id == key_id);
        let (_, mac) = known.ok_or(Reason::TokenKeyUnknown)?;
        let (payload, given) = bytes.split_at(PAYLOAD_BYTES);
        tag(mac, key_id, payload).verify_truncated_left(given).map_err(|_| Reason::TokenForged)?;
        let long =
            |at: usize| i64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| payload[at + i]));
        Ok(Token {
            click_id: long(0),
            program_id: long(8),
            link_id: long(16),
            affiliate_id: long(24),
        })
    }

    /// When the click happened, by the edge's clock, in milliseconds since 1970.
    pub fn clicked_ms(&self) -> i64 {
        id::time_ms(self.click_id)
    }
}

fn tag(mac: &Hmac<Sha256>, key_id: &str, payload: &[u8]) -> Hmac<Sha256> {
    let mut mac = mac.clone();
    mac.update(b"click.1.");
    mac.update(key_id.as_bytes());
    mac.update(b".");
    mac.update(payload);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(text: &str) -> Keys {
        Keys::parse(text).unwrap()
    }

    const OLD: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const NEW: &str = "b:HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const TOKEN: Token = Token { click_id: 1 << 40, program_id: 2, link_id: 3, affiliate_id: 4 };

    #[test]
    fn keys_rotate() {
        let text = TOKEN.sign(&keys(OLD));
        let both = keys(&format!("{NEW},{OLD}"));
        assert_eq!(Token::verify(&text, &both), Ok(TOKEN));
        assert!(TOKEN.sign(&both).starts_with("1.b."));
        assert_eq!(Token::verify(&text, &keys(NEW)), Err(Reason::TokenKeyUnknown));
        let swapped = text.replace("1.a.", "1.b.");
        assert_eq!(Token::verify(&swapped, &both), Err(Reason::TokenForged));
    }

    #[test]
    fn weak_keys_are_refused() {
        for text in
            ["", "a", "a:", "a:AAAA", &format!("{OLD},{OLD}"), &format!("a:{}", "A".repeat(43))]
        {
            assert!(Keys::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(at in 0usize..68, byte in 0x21u8..0x7f) {
            let keys = keys(OLD);
            let text = TOKEN.sign(&keys);
            let mut changed = text.clone().into_bytes();
            prop_assume!(at < changed.len() && changed[at] != byte);
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert!(Token::verify(&changed, &keys).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            prop_assert!(Token::verify(&text, &keys(OLD)).is_err());
        }
    }
}
