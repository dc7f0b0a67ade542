//! How long it takes to refuse a secret does not tell how much of it was right. Measured, and therefore no test:
//! `make attack` runs it, alone, and `tidy` sees to it that secrets are compared by nothing else.
#![allow(clippy::float_arithmetic)] // Statistics, not money.

use std::hint::black_box;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tributary::domain::sign;
use tributary::domain::token::{Keys, Token};

use super::{Dice, many};
use crate::world::*;

/// Beyond this, Welch's t says that two samples are of different populations (as in dudect).
const T_MAX: f64 = 4.5;
/// The share that is looked at; the slowest are left out: they are the machine's.
const KEPT: f64 = 0.9;

struct Sample {
    count: f64,
    mean: f64,
    variance: f64,
}

fn sample(mut nanoseconds: Vec<u64>, limit: u64) -> Sample {
    nanoseconds.retain(|n| *n <= limit);
    let count = nanoseconds.len() as f64;
    let mean = nanoseconds.iter().sum::<u64>() as f64 / count;
    let squares = nanoseconds.iter().map(|n| (*n as f64 - mean).powi(2)).sum::<f64>();
    Sample { count, mean, variance: squares / (count - 1.0) }
}

/// Welch's t of two kinds of input, taken in turns that nothing predicts.
fn welch(name: &str, rounds: usize, kinds: [&[String]; 2], refuse: impl Fn(&str)) -> f64 {
    let mut dice = Dice(7);
    let mut taken = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    for _ in 0..2 * rounds {
        let kind = dice.below(2);
        let input = dice.pick(kinds[kind]);
        let began = Instant::now();
        refuse(black_box(input));
        taken[kind].push(began.elapsed().as_nanos() as u64);
    }
    let mut all: Vec<u64> = taken.concat();
    all.sort_unstable();
    let limit = all[(all.len() as f64 * KEPT) as usize];
    let [a, b] = taken.map(|times| sample(times, limit));
    let t = (a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt();
    println!(
        "{name}: {} and {} samples, {:.1} and {:.1} ns, t = {t:.2}",
        a.count, b.count, a.mean, b.mean
    );
    t
}

/// Byte strings that are right but for the last byte, and wrong from the first one on.
fn kinds(right: &[u8], from: usize, text: impl Fn(&[u8]) -> String) -> [Vec<String>; 2] {
    let wrong = |at: usize| {
        let change = |by: u8| {
            let mut bytes = right.to_vec();
            bytes[at] ^= by;
            text(&bytes)
        };
        (1..=255).map(change).collect()
    };
    [wrong(right.len() - 1), wrong(from)]
}

fn measured() -> Vec<(&'static str, f64)> {
    let keys: Keys = keys();
    let token = click_token(ANN, T0, 1).sign(&keys);
    let bytes = URL_SAFE_NO_PAD.decode(&token[5..]).unwrap();
    let tokens = kinds(&bytes, 32, |bytes| format!("1.k1.{}", URL_SAFE_NO_PAD.encode(bytes)));
    let fields = ["shop", "1", "1", "USD", "1790000000"];
    let signature = hex::decode(sign::signature(SECRET, fields)).unwrap();
    let signatures = kinds(&signature, 0, |bytes| hex::encode(bytes));
    let digest = hex::decode(sign::digest_hex(SECRET.as_bytes())).unwrap();
    let digests = kinds(&digest, 0, |bytes| hex::encode(bytes));
    let rounds = many(1_000, 200_000);
    let refused = |is: bool| assert!(!black_box(is));
    vec![
        (
            "click token",
            welch("click token", rounds, [&tokens[0], &tokens[1]], |text| {
                refused(Token::verify(text, &keys).is_ok());
            }),
        ),
        (
            "signature",
            welch("signature", rounds, [&signatures[0], &signatures[1]], |text| {
                refused(sign::check(SECRET, fields, text, 1_790_000_000_000).is_ok());
            }),
        ),
        (
            "bearer",
            welch("bearer", rounds, [&digests[0], &digests[1]], |text| {
                refused(sign::is_digest_of(text, SECRET));
            }),
        ),
    ]
}

#[test]
#[ignore = "a measurement, which wants the machine for itself: make attack"]
fn refusing_takes_the_same_time_however_much_was_right() {
    // A machine that does something else for a moment is not a leak: that would show each time.
    let mut leaking = vec!["click token", "signature", "bearer"];
    for _ in 0..3 {
        let found = measured();
        let over = |name: &&str| found.iter().any(|(n, t)| n == name && t.abs() >= T_MAX);
        leaking.retain(|name| over(name));
        if leaking.is_empty() {
            return;
        }
    }
    panic!("time tells how much was right: {leaking:?}");
}

#[test]
fn the_measurement_sees_a_comparison_that_ends_early() {
    let right = [7u8; 4_096];
    let [late, early] = kinds(&right, 0, |bytes| hex::encode(bytes));
    let right = hex::encode(right);
    // Byte by byte, ending at the first that differs.
    let naive = |text: &str| {
        let same = text.bytes().zip(right.bytes()).all(|(a, b)| a == b);
        assert!(!black_box(same));
    };
    assert!(welch("a naive comparison", 1_000, [&late, &early], naive).abs() > T_MAX);
}
