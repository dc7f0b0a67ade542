//! What nobody may guess: codes, secrets, keys; from the operating system's randomness.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::api_key::{self, CHANCE_CHARS};

/// The operating system has no randomness to give.
#[derive(Debug)]
pub struct NoRandomness;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 59 bits: never the same twice by chance, short enough to read aloud.
const CODE_CHARS: usize = 10;

/// The code of a link or tracking code: letters and digits.
pub fn code() -> Result<String, NoRandomness> {
    letters(CODE_CHARS)
}

/// A tracking code's secret, a session, or what is in a link for one person: 43 characters, 256 bits.
pub fn secret() -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// An API key of a role: 256 bits.
pub fn key(role: &str) -> Result<String, NoRandomness> {
    Ok(api_key::compose(role, &letters(CHANCE_CHARS)?))
}

/// Some bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

fn letters(count: usize) -> Result<String, NoRandomness> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let bytes: [u8; 2 * CODE_CHARS] = bytes()?;
        // 248 = 4 × 62: what lies above would make some letters likelier than others.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let letters = fair.map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        text.extend(letters.take(count - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_keys_have_their_shape() {
        let (code, key) = (code().unwrap(), key("operator").unwrap());
        assert!(code.len() == CODE_CHARS && code.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(key.starts_with("trib_op_") && api_key::is_plausible(&key));
        assert_ne!(code, super::code().unwrap());
    }
}
