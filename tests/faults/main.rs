//! Faults under load, on servers and roles of their own, each a process: what can die is killed, what can
//! fill is filled. A client logs what it was told of every order; afterwards each order that was answered is
//! one conversion, no order is two, and the ledger is what the log says.
//!
//! `make faults` is the short form, and part of `make test`; `make soak MINUTES=30` the long one.
#![allow(clippy::unwrap_used, missing_docs, dead_code)]

mod books;
mod clock;
mod connections;
mod damage;
mod disk;
mod failpoints;
mod installation;
mod kills;
mod load;
mod mounts;
mod once;
mod ops;
mod postgres;
mod power;
mod redis;
mod restarts;
mod role;

use std::time::Duration;

/// The minutes that the long form is to take; none in the short form.
pub fn long() -> Option<Duration> {
    let minutes = std::env::var("TRIBUTARY_SOAK_MINUTES").ok()?.parse::<u64>().ok()?;
    Some(Duration::from_secs(minutes * 60))
}

/// How often a fault is tried: `short` times, or in the long form `often`.
pub fn rounds(short: usize, often: usize) -> usize {
    if long().is_some() { often } else { short }
}

/// xorshift64*: who dies when. The same seed, the same deaths.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}
