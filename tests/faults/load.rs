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

/// Shops at work.
pub struct Load {
    shared: Arc<Shared>,
    shops: Vec<JoinHandle<()>>,
}

struct Shared {
    edge_url: String,
    cookie: String,
    pause: Duration,
    log: Mutex<Log>,
    stop: AtomicBool,
    orders: AtomicU64,
    slowest_ok_ms: AtomicU64,
}

impl Load {
    /// So many shops, each sending one order after the other with a pause between two.
    pub async fn start(at: &Installation, shops: u64, pause: Duration) -> Load {
        let shared = Arc::new(Shared {
            edge_url: at.edge_url.clone(),
            cookie: at.cookie().await,
            pause,
            log: Mutex::default(),
            stop: AtomicBool::new(false),
            orders: AtomicU64::new(0),
            slowest_ok_ms: AtomicU64::new(0),
        });
        let shops = (0..shops).map(|_| tokio::spawn(shop(shared.clone()))).collect();
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

    /// The longest that an order waited for its success since this was last asked.
    pub fn slowest_ok(&self) -> Duration {
        Duration::from_millis(self.shared.slowest_ok_ms.swap(0, Ordering::Relaxed))
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
    while !shared.stop.load(Ordering::Relaxed) {
        let order = format!("o-{}", shared.orders.fetch_add(1, Ordering::Relaxed));
        let url = format!("{}/t/shop.gif?amount=10.00&id={order}", shared.edge_url);
        let headers = [("cookie", shared.cookie.as_str())];
        let (sent, began) = (client::send("GET", &url, &headers, b""), Instant::now());
        let told = match tokio::time::timeout(Duration::from_secs(5), sent).await {
            Ok(Ok(answer)) if answer.status == 200 => Told::Ok,
            Ok(Ok(answer)) if answer.status == 503 => Told::Failed,
            _ => Told::Unknown,
        };
        shared.log.lock().unwrap().insert(order, told);
        if told == Told::Ok {
            let waited = began.elapsed().as_millis() as u64;
            shared.slowest_ok_ms.fetch_max(waited, Ordering::Relaxed);
        }
        let pause = if told == Told::Ok { shared.pause } else { Duration::from_millis(20) };
        tokio::time::sleep(pause).await;
    }
}
