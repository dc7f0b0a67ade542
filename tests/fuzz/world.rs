//! What a hit is decided by: the world of the tests, built once, with a true token of Ann's.
#![allow(dead_code)]

#[path = "../it/world.rs"]
mod story;

use std::sync::OnceLock;

use tributary::domain::catalog::Catalog;
use tributary::domain::hit::{Hit, Kind, Method, PARTS, Part};
use tributary::domain::id::{self, Id};
use tributary::domain::sign;
use tributary::domain::token::Keys;

/// When everything arrives: a day after Ann's click.
pub const AT_MS: i64 = story::T0 + story::DAY;

pub struct World {
    pub catalog: Catalog,
    pub keys: Keys,
    /// Ann's.
    pub token: String,
    /// What the shop's server proves itself by.
    bearer: String,
}

pub fn get() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut rows = story::rows();
        rows.tracking_codes[0].redirect_url = Some("https://shop.example/{id}".to_owned());
        let keys = story::keys();
        let token = story::click_token(story::ANN, story::T0, 1).sign(&keys);
        let bearer = sign::digest_hex(story::SECRET.as_bytes());
        World { catalog: rows.into(), keys, token, bearer }
    })
}

pub fn id() -> Id {
    id::next(0, 7, AT_MS)
}

/// A hit out of bytes: kind, method, which code, whether the server proves itself; then parts, each after
/// its number and its length.
pub fn hit(bytes: &[u8]) -> Hit<'_> {
    let at = |index: usize| usize::from(bytes.get(index).copied().unwrap_or(0));
    let method = [Method::Get, Method::Post, Method::Head][at(1) % 3];
    let mut hit = Hit::new(id(), AT_MS, Kind::ALL[at(0) % 5], method);
    let mut rest = bytes.get(4..).unwrap_or_default();
    while let [part, length, tail @ ..] = rest {
        let (value, tail) = tail.split_at(tail.len().min(usize::from(*length) * 2));
        hit.set(PARTS[usize::from(*part) % PARTS.len()], value);
        rest = tail;
    }
    if at(2) % 8 != 0 {
        hit.set(Part::Code, [&b"shop"[..], b"ann", b"other"][at(2) % 3]);
    }
    if at(3) % 2 == 1 {
        hit.set(Part::BearerHash, get().bearer.as_bytes());
    }
    hit
}

/// Whether a hit that counts was proved to be the shop's: by its secret, which no fuzzer guesses.
pub fn is_vouched(hit: &Hit<'_>) -> bool {
    hit.kind == Kind::Postback && hit.text(Part::BearerHash) == get().bearer
}
