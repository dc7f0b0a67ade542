//! Shops that send orders, and the log of what they were told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tributary::dev::client;

use crate::installation::Installation;

/// What a shop was told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Ok,
    Failed,
    /// No answer: it may count or not.
    Unknown,
}

pub type Log = HashMap<String, Told>;

/// What shops do.
pub struct Manner {
    /// Where they send to: to the next when one refuses the connection.
    pub edge_urls: Vec<String>,
    pub shops: u64,
    /// Between two orders of a shop.
    pub pause: Duration,
    /// Bytes of a request that mean nothing: they fill journals.
    pub padding: usize,
}

/// Shops at work.
pub struct Load {
    shared: Arc<Shared>,
    shops: Vec<JoinHandle<()>>,
}

struct Shared {
    manner: Manner,
    cookie: String,
    log: Mutex<Log>,
    stop: AtomicBool,
    orders: AtomicU64,
    /// Of successes.
    waits: Mutex<Vec<Duration>>,
}

impl Load {
    /// So many shops, each sending one order after the other with a pause between two.
    pub async fn start(at: &Installation, shops: u64, pause: Duration) -> Load {
        let edge_urls = vec![at.edge_url.clone()];
        Load::of(at, Manner { edge_urls, shops, pause, padding: 0 }).await
    }

    /// Shops of a manner of their own.
    pub async fn of(at: &Installation, manner: Manner) -> Load {
        let count = manner.shops;
        let shared = Arc::new(Shared {
            manner,
            cookie: at.cookie().await,
            log: Mutex::default(),
            stop: AtomicBool::new(false),
            orders: AtomicU64::new(0),
            waits: Mutex::default(),
        });
        let shops = (0..count).map(|_| tokio::spawn(shop(shared.clone()))).collect();
        Load { shared, shops }
    }

    /// How many orders were told so by now.
    pub fn told(&self, told: Told) -> usize {
        self.shared.log.lock().unwrap().values().filter(|one| **one == told).count()
    }

    /// The orders that were answered by now.
    pub fn answered(&self) -> Vec<String> {
        let log = self.shared.log.lock().unwrap();
        log.iter().filter(|(_, told)| **told == Told::Ok).map(|(order, _)| order.clone()).collect()
    }

    /// The longest that an order waited for its success since this or `waits` was last asked.
    pub fn slowest_ok(&self) -> Duration {
        self.waits().1
    }

    /// How long an order waited for its success, as a rule and at the longest, since this was last asked.
    pub fn waits(&self) -> (Duration, Duration) {
        let mut waits = std::mem::take(&mut *self.shared.waits.lock().unwrap());
        waits.sort();
        let at = |index: usize| waits.get(index).copied().unwrap_or_default();
        (at(waits.len() / 2), at(waits.len().saturating_sub(1)))
    }

    /// Ends the load; what was told.
    pub async fn end(self) -> Log {
        self.shared.stop.store(true, Ordering::Relaxed);
        for shop in self.shops {
            shop.await.unwrap();
        }
        std::mem::take(&mut *self.shared.log.lock().unwrap())
    }
}

async fn shop(shared: Arc<Shared>) {
    let padding = "x".repeat(shared.manner.padding);
    while !shared.stop.load(Ordering::Relaxed) {
        let number = shared.orders.fetch_add(1, Ordering::Relaxed);
        let order = format!("o-{number}");
        let path = format!("/t/shop.gif?amount=10.00&id={order}&note={padding}");
        let (began, told) = (Instant::now(), order_at(&shared, number as usize, &path).await);
        shared.log.lock().unwrap().insert(order, told);
        if told == Told::Ok {
            shared.waits.lock().unwrap().push(began.elapsed());
        }
        let pause = if told == Told::Ok { shared.manner.pause } else { Duration::from_millis(20) };
        tokio::time::sleep(pause).await;
    }
}

/// Sends an order to one edge after the other, until one does not refuse the connection.
async fn order_at(shared: &Shared, first: usize, path: &str) -> Told {
    let urls = &shared.manner.edge_urls;
    let headers = [("cookie", shared.cookie.as_str())];
    for at in 0..urls.len() {
        let url = format!("{}{path}", urls[(first + at) % urls.len()]);
        let sent = client::send("GET", &url, &headers, b"");
        match tokio::time::timeout(Duration::from_secs(5), sent).await {
            Ok(Ok(answer)) if answer.status == 200 => return Told::Ok,
            Ok(Ok(answer)) if answer.status == 503 => return Told::Failed,
            Ok(Err(error)) if error.contains("Connection refused") => {}
            _ => return Told::Unknown,
        }
    }
    Told::Unknown
}
