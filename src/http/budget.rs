//! How many requests a second somebody may make, and how long he waits beyond: by `governor`, in memory, for
//! each process by itself.

use std::hash::Hash;
use std::num::NonZeroU32;

use governor::clock::{Clock, MonotonicClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::telemetry;

/// Seconds' worth that may be spent at once.
pub const BURST_SECONDS: u32 = 5;

/// Requests a second for each key. A budget without a limit costs nothing.
pub struct Budget<K: Hash + Eq + Clone> {
    name: &'static str,
    limiter: Option<RateLimiter<K, DashMapStateStore<K>, MonotonicClock>>,
}

/// It is spent: whole seconds until there is some again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent(pub u64);

impl<K: Hash + Eq + Clone> Budget<K> {
    /// `per_second` for each key; 0 is no limit. The name is its label in metrics.
    pub fn new(name: &'static str, per_second: u32) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|per_second| {
            let burst =
                per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
            RateLimiter::dashmap_with_clock(
                Quota::per_second(per_second).allow_burst(burst),
                MonotonicClock,
            )
        });
        Budget { name, limiter }
    }

    /// Spends one request of `key`'s.
    pub fn spend(&self, key: &K) -> Result<(), Spent> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(key).map_err(|until| {
            telemetry::rate_limited(self.name).increment(1);
            Spent(until.wait_time_from(MonotonicClock.now()).as_secs() + 1)
        })
    }

    /// Forgets who has all of it again: within seconds of his last request. To be called now and then.
    pub fn sweep(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.limiter.as_ref().map_or(0, |limiter| limiter.len())
    }

    /// Whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_budget_is_spent_and_comes_back() {
        let budget = Budget::new("junk_address", 20);
        let spent = (0..200).filter(|_| budget.spend(&1).is_ok()).count();
        assert!((100..=104).contains(&spent), "five seconds' worth at once: {spent}");
        assert_eq!(budget.spend(&1), Err(Spent(1)));
        assert_eq!(budget.spend(&2), Ok(()), "another's is his own");
        std::thread::sleep(Duration::from_millis(120));
        assert_eq!(budget.spend(&1), Ok(()));
        assert!(Budget::new("junk", 0).spend(&1).is_ok(), "no limit");
    }

    #[test]
    fn who_has_not_come_lately_is_forgotten() {
        let budget = Budget::new("junk_address", 100);
        for key in 0..10_000 {
            assert_eq!(budget.spend(&key), Ok(()));
        }
        assert_eq!(budget.len(), 10_000);
        std::thread::sleep(Duration::from_millis(50));
        budget.sweep();
        assert!(budget.is_empty(), "{} are remembered", budget.len());
    }
}
