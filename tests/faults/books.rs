//! The checker: the books against the log of what shops were told.

use std::collections::HashMap;
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
    let ok = told(Told::Ok);
    let settled_after = settle(all, ok as i64).await;
    compare(all, log).await;
    Tally { ok, failed: told(Told::Failed), unknown: told(Told::Unknown), settled_after }
}

async fn settle(all: &mut Installation, ok: i64) -> Duration {
    let (mut last, mut still, began) = (-1, Instant::now(), Instant::now());
    loop {
        all.revive().await;
        let now = all.count("select count(*) from conversions").await;
        if now != last {
            (last, still) = (now, Instant::now());
        }
        if now >= ok && still.elapsed() > Duration::from_secs(2) {
            return began.elapsed().saturating_sub(still.elapsed());
        }
        if still.elapsed() > STUCK {
            let (state, log) = (all.state().await, all.edge.plan.log.display());
            panic!("{now} of {ok} orders are in the books, and no more come: {state}; see {log}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
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
