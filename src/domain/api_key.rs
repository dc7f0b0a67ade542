//! The shape of an API key: `trib_`, whose it is, `_`, 43 letters and digits of chance, and a checksum of
//! six. Scanners find a leaked one by its shape, and what somebody mistyped never asks the database.

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BEGINNING: &str = "trib_";
const CHECK_CHARS: usize = 6;

/// Letters of chance in a key: 62^43 is a little more than 2^256.
pub const CHANCE_CHARS: usize = 43;

/// The key of a role that these letters of chance make.
pub fn compose(role: &str, chance: &str) -> String {
    let kind = match role {
        "operator" => "op",
        "advertiser" => "adv",
        _ => "aff",
    };
    let key = format!("{BEGINNING}{kind}_{chance}");
    let check = checksum(&key);
    key + &check
}

/// What a list shows of a key: what it begins with, and six letters of chance.
pub fn shown(key: &str) -> &str {
    let end = key.rfind('_').map_or(0, |at| at + 7);
    key.get(..end).unwrap_or(key)
}

/// Whether it can be a key at all: one that begins as ours must have its checksum. Older ones have none.
pub fn is_plausible(key: &str) -> bool {
    if !key.starts_with(BEGINNING) {
        return !key.is_empty();
    }
    let body = key.len().checked_sub(CHECK_CHARS).and_then(|at| key.split_at_checked(at));
    body.is_some_and(|(body, check)| checksum(body) == check)
}

/// CRC-32C in base 62, the least digit last.
fn checksum(text: &str) -> String {
    let mut rest = crc32c::crc32c(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = LETTERS[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_shape_and_one_wrong_letter_is_noticed() {
        let chance = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";
        let key = compose("advertiser", chance);
        assert_eq!((chance.len(), key.len()), (CHANCE_CHARS, 9 + 43 + 6));
        assert!(key.starts_with("trib_adv_0123") && is_plausible(&key));
        assert_eq!(shown(&key), "trib_adv_012345");
        for at in 5..key.len() {
            let mut wrong = key.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_plausible(std::str::from_utf8(&wrong).unwrap()), "{at}");
        }
        for key in ["trib_", "trib_op_", "", "trib_ä"] {
            assert!(!is_plausible(key), "{key}");
        }
        assert!(is_plausible("trk_of-before") && is_plausible("key-of-anna"));
    }
}
