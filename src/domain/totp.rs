//! The second step of signing in: codes that change each half minute (RFC 6238 with SHA-1, six digits and
//! 30 seconds, which every authenticator app knows). Time is an argument, as a number of steps since 1970.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Seconds of a step.
pub const STEP_SECONDS: i64 = 30;
/// Bytes of a secret: what RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step that a code is of: this one, or one beside it, for clocks differ. A code of a step up to `used`
/// was taken before, or is older than one that was.
pub fn matches(secret: &[u8], code: &str, step: i64, used: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let fits = |step: &i64| bool::from(digits(secret, *step).as_bytes().ct_eq(code.as_bytes()));
    [step, step - 1, step + 1].into_iter().filter(|step| *step > used).find(fits)
}

fn digits(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let mac = mac.finalize().into_bytes();
    // RFC 4226, 5.3: four bytes from where the last half byte points.
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// Base 32 without padding (RFC 4648), as authenticator apps take a secret.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut five = [0; 8];
        five[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(five);
        let letter = |at: usize| char::from(LETTERS[(bits >> (35 - 5 * at)) as usize & 31]);
        text.extend((0..(chunk.len() * 8).div_ceil(5)).map(letter));
    }
    text
}

/// What an authenticator app reads, by hand or as a picture.
pub fn uri(secret: &[u8], email: &str) -> String {
    let label: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    format!("otpauth://totp/Tributary:{label}?secret={}&issuer=Tributary", base32(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B: the last six digits of its eight.
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000_i64, "353130"),
        ] {
            assert_eq!(digits(secret, seconds / STEP_SECONDS), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_once_and_only_about_its_time() {
        let secret = b"12345678901234567890";
        assert_eq!(matches(secret, "287 082", 1, 0), Some(1));
        assert_eq!(matches(secret, "287082", 2, 0), Some(1));
        assert_eq!(matches(secret, "287082", 0, -2), Some(1));
        assert_eq!(matches(secret, "287082", 3, 0), None, "too old");
        assert_eq!(matches(secret, "287082", 1, 1), None, "used");
        for code in ["", "287083", "2870820", "28708", "２８７０８２"] {
            assert_eq!(matches(secret, code, 1, 0), None, "{code}");
        }
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let uri = uri(b"12345678901234567890", "a+b@c.example");
        assert_eq!(
            uri,
            "otpauth://totp/Tributary:a%2Bb%40c.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tributary"
        );
    }
}
