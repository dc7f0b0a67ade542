//! The checker: the books against the log of what shops were told.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tributary::roles;

use crate::installation::{Installation, rows};
use crate::load::{Log, Told};

/// The longest that the books may stand still while answered orders are missing: what a dead worker held
/// is taken over long before.
const STUCK: Duration = Duration::from_secs(90);

/// What a run came to.
#[derive(Debug)]
pub struct Tally {
    pub ok: usize,
    pub failed: usize,
    pub unknown: usize,
    /// From the end of the load until all was in the books.
    pub settled_after: Duration,
}

/// Waits until the books have what was answered and do not grow any more, starting again what has ended;
/// then holds them against the log: answered orders are there once, no other order is there twice, nothing
/// is there that was not sent, the money is right, and every invariant holds.
pub async fn check(all: &mut Installation, log: &Log) -> Tally {
    let told = |told| log.values().filter(|one| **one == told).count();
    let ok: Vec<String> =
        log.iter().filter(|(_, t)| **t == Told::Ok).map(|(order, _)| order.clone()).collect();
    let settled_after = settle(all, &ok).await;
    compare(all, log).await;
    Tally { ok: ok.len(), failed: told(Told::Failed), unknown: told(Told::Unknown), settled_after }
}

async fn settle(all: &mut Installation, ok: &[String]) -> Duration {
    let (mut growth, began) = (Growth::new(), Instant::now());
    loop {
        all.revive().await;
        let now = growth.now(all, ok.len()).await;
        let is_still = growth.since.elapsed() > Duration::from_secs(2);
        // Orders without an answer may be there in place of answered ones: those are looked for.
        if now >= ok.len() && is_still && missing(all, ok).await == 0 {
            return began.elapsed().saturating_sub(growth.since.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until these orders are in the books, while others come; how long it took.
pub async fn wait_for(all: &Installation, orders: &[String]) -> Duration {
    let (mut growth, began) = (Growth::new(), Instant::now());
    // Counting is cheap; only then is it looked whether they are the right ones.
    while growth.now(all, orders.len()).await < orders.len() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let enough = Instant::now();
    while missing(all, orders).await > 0 {
        assert!(enough.elapsed() < STUCK, "orders do not come: {}", all.state().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    began.elapsed()
}

/// How many of these orders are not in the books.
async fn missing(all: &Installation, orders: &[String]) -> usize {
    let booked = rows(&all.servers.database_url, "select order_id from conversions").await;
    let booked: HashSet<String> = booked.iter().map(|row| row.get(0)).collect();
    orders.iter().filter(|order| !booked.contains(*order)).count()
}

/// How many conversions there are, and since when there are so many.
struct Growth {
    conversions: usize,
    since: Instant,
}

impl Growth {
    fn new() -> Growth {
        Growth { conversions: 0, since: Instant::now() }
    }

    /// Looks; gives up when there have been no more for too long.
    async fn now(&mut self, all: &Installation, wanted: usize) -> usize {
        let now = all.count("select count(*) from conversions").await as usize;
        if now != self.conversions {
            (self.conversions, self.since) = (now, Instant::now());
        }
        if self.since.elapsed() > STUCK {
            let (state, log) = (all.state().await, all.edge.plan.log.display());
            panic!(
                "{now} of {wanted} orders are in the books, and no more come: {state}; see {log}"
            );
        }
        now
    }
}

async fn compare(all: &Installation, log: &Log) {
    let sql = "select order_id, count(*) from conversions group by 1";
    let booked: HashMap<String, i64> = rows(&all.servers.database_url, sql)
        .await
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    for (order, told) in log {
        let count = booked.get(order).copied().unwrap_or(0);
        match told {
            Told::Ok => assert_eq!(count, 1, "{order} was answered"),
            Told::Failed => assert_eq!(count, 0, "{order} was refused"),
            Told::Unknown => assert!(count <= 1, "{order} counts {count} times"),
        }
    }
    assert!(booked.keys().all(|order| log.contains_key(order)), "an order that nobody sent");
    let orders = booked.len() as i64;
    let accrued = "select coalesce(sum(amount), 0)::bigint from transfers where credit_account = 'affiliate_pending'";
    assert_eq!(all.count(accrued).await, orders, "1.00 for each order");
    for (invariant, rows) in roles::audit(&all.store).await.unwrap() {
        assert_eq!(rows, 0, "{invariant}");
    }
}
