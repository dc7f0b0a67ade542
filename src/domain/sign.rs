//! The two secrets of a hit: the shop's signature over its fields, and the secret itself on a postback.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::reason::Reason;

/// How old a signed hit may be, in milliseconds (contract: 24 hours).
const AGE_MAX_MS: i64 = 24 * 3_600_000;
/// How far the shop's clock may be ahead of ours, in milliseconds.
const AHEAD_MAX_MS: i64 = 5 * 60_000;

/// The signature of a hit's fields, in lower-case hex: HMAC-SHA256 over `code`, `id`, `amount`,
/// `currency` and `ts`, joined by line feeds.
pub fn signature(secret: &str, fields: [&str; 5]) -> String {
    hex::encode(mac(secret, fields).finalize().into_bytes())
}

/// Checks a signature and its time stamp (Unix seconds, the last field).
pub fn check(secret: &str, fields: [&str; 5], sig: &str, received_ms: i64) -> Result<(), Reason> {
    let given = hex::decode(sig).map_err(|_| Reason::SignatureInvalid)?;
    mac(secret, fields).verify_slice(&given).map_err(|_| Reason::SignatureInvalid)?;
    let signed_ms = fields[4].parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000));
    let age_ms = signed_ms.map(|ms| received_ms.saturating_sub(ms));
    match age_ms {
        Some(age) if (-AHEAD_MAX_MS..=AGE_MAX_MS).contains(&age) => Ok(()),
        _ => Err(Reason::SignatureStale),
    }
}

/// SHA-256 of a presented secret, in hex: what is kept of a bearer.
pub fn digest_hex(secret: &[u8]) -> String {
    hex::encode(Sha256::digest(secret))
}

/// SHA-256 of a secret, as keys and sessions are stored.
pub fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whether a kept digest is that of the secret, in constant time.
pub fn is_digest_of(digest_hex: &str, secret: &str) -> bool {
    self::digest_hex(secret.as_bytes()).as_bytes().ct_eq(digest_hex.as_bytes()).into()
}

fn mac(secret: &str, fields: [&str; 5]) -> Hmac<Sha256> {
    // HMAC takes a key of any length, so this arm is never taken.
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(fields.join("\n").as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_fields_and_its_day() {
        let fields = ["shop", "11001", "19.95", "USD", "1000000"];
        let sig = signature("secret", fields);
        let day = 24 * 3_600;
        for (now_s, expected) in [
            (1_000_000, Ok(())),
            (1_000_000 + day, Ok(())),
            (1_000_000 + day + 1, Err(Reason::SignatureStale)),
            (1_000_000 - 301, Err(Reason::SignatureStale)),
        ] {
            assert_eq!(check("secret", fields, &sig, now_s * 1_000), expected, "{now_s}");
        }
        let other = ["shop", "11001", "1.95", "USD", "1000000"];
        assert_eq!(check("secret", other, &sig, 1_000_000_000), Err(Reason::SignatureInvalid));
        assert_eq!(check("other", fields, &sig, 1_000_000_000), Err(Reason::SignatureInvalid));
        assert_eq!(check("secret", fields, "zz", 1_000_000_000), Err(Reason::SignatureInvalid));
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // printf 'shop\n11001\n19.95\n\n1000000' | openssl dgst -sha256 -hmac secret
        let sig = signature("secret", ["shop", "11001", "19.95", "", "1000000"]);
        assert_eq!(sig.len(), 64);
        assert_eq!(sig, "54bd8e0edbafebc57864f4c29547e4606dce4cf2b796962dccf65e35efe6a1a8");
    }
}
