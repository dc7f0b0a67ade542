//! How often somebody may ask. A key that is good has a budget of its own; whoever presents one that is not
//! known to be good spends the junk budget of his address before the database is asked, so that guessing
//! keys makes nobody wait who has one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::http::budget::{Budget, Spent};
use crate::http::forwarded::neighbourhood;

/// How long a key is taken for good, after it was, when it comes to whose budget is spent; whether it opens
/// anything is asked each time.
const GOOD_FOR: Duration = Duration::from_secs(600);

/// Budgets of the admin API.
pub struct Walls {
    junk_address: Arc<Budget<IpAddr>>,
    key: Budget<[u8; 32]>,
    good: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Walls {
    /// Requests a second of one key, 0 is no limit; and the budget for junk, which the portal spends too.
    pub fn new(key_per_second: u32, junk_address: Arc<Budget<IpAddr>>) -> Self {
        Walls { junk_address, key: Budget::new("api_key", key_per_second), good: Mutex::default() }
    }

    /// Somebody presents a key: before it is looked up.
    pub(super) fn knock(&self, key: &[u8; 32], client: Option<IpAddr>) -> Result<(), Spent> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.get(key).is_some_and(|since| since.elapsed() < GOOD_FOR) {
            return Ok(());
        }
        drop(good);
        client.map_or(Ok(()), |ip| self.junk_address.spend(&neighbourhood(ip)))
    }

    /// It was good: it spends its own from now on.
    pub(super) fn enter(&self, key: &[u8; 32]) -> Result<(), Spent> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).insert(*key, Instant::now());
        self.key.spend(key)
    }

    /// It opens nothing, though it may have lately: it is junk from now on, this time too.
    pub(super) fn turn_away(&self, key: &[u8; 32], client: Option<IpAddr>) -> Result<(), Spent> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        // Who is not there has paid when he knocked.
        let paid = good.remove(key).is_none_or(|since| since.elapsed() >= GOOD_FOR);
        drop(good);
        match client {
            Some(ip) if !paid => self.junk_address.spend(&neighbourhood(ip)),
            _ => Ok(()),
        }
    }

    /// Forgets who has not come lately.
    pub fn sweep(&self) {
        self.junk_address.sweep();
        self.key.sweep();
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|_, since| since.elapsed() < GOOD_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_revoked_is_junk() {
        let walls = Walls::new(1_000, Arc::new(Budget::new("junk_address", 2)));
        let from = Some("192.0.2.1".parse().unwrap());
        assert_eq!(walls.enter(&[1; 32]), Ok(()));
        let opened_nothing =
            || walls.knock(&[1; 32], from).and_then(|()| walls.turn_away(&[1; 32], from));
        let heard = (0..50).filter(|_| opened_nothing().is_ok()).count();
        assert_eq!(heard, 10, "five seconds' worth of the junk budget");
        assert!(walls.knock(&[2; 32], from).is_err(), "it is spent for all that is junk");
    }

    #[test]
    fn guessing_keys_spends_the_guessers_budget_and_nobody_elses() {
        let walls = Walls::new(1_000, Arc::new(Budget::new("junk_address", 2)));
        let (ours, guess) = ([1; 32], [2; 32]);
        let from = |ip: &str| Some(ip.parse().unwrap());
        assert_eq!(walls.knock(&ours, from("192.0.2.1")), Ok(()));
        assert_eq!(walls.enter(&ours), Ok(()));
        let guessed = (0..50).filter(|_| walls.knock(&guess, from("192.0.2.1")).is_ok()).count();
        assert_eq!(guessed, 9, "five seconds' worth, of which the first look at ours was one");
        assert_eq!(walls.knock(&ours, from("192.0.2.1")), Ok(()), "behind the same address");
        assert_eq!(walls.knock(&guess, from("192.0.2.2")), Ok(()), "another address");
    }
}
