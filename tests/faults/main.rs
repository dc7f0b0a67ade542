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
mod dice;
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

pub use dice::Dice;

/// The minutes that the long form is to take; none in the short form.
pub fn long() -> Option<Duration> {
    let minutes = std::env::var("TRIBUTARY_SOAK_MINUTES").ok()?.parse::<u64>().ok()?;
    Some(Duration::from_secs(minutes * 60))
}

/// How often a fault is tried: `short` times, or in the long form `often`.
pub fn rounds(short: usize, often: usize) -> usize {
    if long().is_some() { often } else { short }
}
