//! What nobody may guess: codes, secrets, keys; from the operating system's randomness.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::refusal::Refusal;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 59 bits: never the same twice by chance, short enough to read aloud.
const CODE_CHARS: usize = 10;

/// The code of a link or tracking code: letters and digits.
pub(super) fn code() -> Result<String, Refusal> {
    let mut code = String::with_capacity(CODE_CHARS);
    while code.len() < CODE_CHARS {
        let bytes: [u8; 2 * CODE_CHARS] = bytes()?;
        // 248 = 4 × 62: what lies above would make some letters likelier than others.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let letters = fair.map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        code.extend(letters.take(CODE_CHARS - code.len()));
    }
    Ok(code)
}

/// A tracking code's secret: 43 characters, 256 bits.
pub(super) fn secret() -> Result<String, Refusal> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// An API key: `trk_` and 43 characters, 256 bits.
pub(super) fn key() -> Result<String, Refusal> {
    Ok(format!("trk_{}", secret()?))
}

fn bytes<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_keys_have_their_shape() {
        let (code, key) = (code().unwrap(), key().unwrap());
        assert!(code.len() == CODE_CHARS && code.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(key.starts_with("trk_") && key.len() == 4 + 43);
        assert_ne!(code, super::code().unwrap());
    }
}
