//! Everything killed at random under load, on servers of its own: edge, worker, Redis, PostgreSQL, by SIGKILL,
//! and started again. A client logs what it was told of every order; afterwards each order that was answered
//! is one conversion, no order is two, and the ledger is what the log says.
//!
//! `make soak MINUTES=30`; without, 20 seconds. A fixed seed decides who dies when.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tributary::dev::{client, servers};
use tributary::roles;
use tributary::store::{Store, migrate};

/// How long everything is killed, unless `TRIBUTARY_SOAK_MINUTES` says longer.
const SECONDS: u64 = 20;
const CLIENTS: u64 = 8;
const TOKEN_KEYS: &str = "k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SEED: &str = include_str!("it/cases/seed.sql");

/// What a client was told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Ok,
    Failed,
    /// No answer: it may count or not.
    Unknown,
}

/// xorshift64*: who dies when.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

/// A role in a process of its own, started again when it was killed.
struct Role {
    name: &'static str,
    flags: Vec<(String, String)>,
    child: Child,
}

impl Role {
    fn start(name: &'static str, flags: &[(&str, String)]) -> Role {
        let flags: Vec<(String, String)> =
            flags.iter().map(|(flag, value)| (format!("--{flag}"), value.clone())).collect();
        Role { child: Role::spawn(name, &flags), name, flags }
    }

    fn spawn(name: &str, flags: &[(String, String)]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        let log = std::env::temp_dir().join(format!("tributary-soak-{}.log", std::process::id()));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.arg(name).env_clear().stdin(Stdio::null()).stderr(log);
        command.args(flags.iter().flat_map(|(flag, value)| [flag, value]));
        command.spawn().unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn revive(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            self.child = Role::spawn(self.name, &self.flags);
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
}

/// The whole installation, and what was told of it.
struct Installation {
    servers: servers::Servers,
    roles: [Role; 2],
    edge_url: String,
    store: Store,
}

impl Installation {
    async fn start() -> Installation {
        let dir = std::env::temp_dir().join(format!("tributary-soak-{}", std::process::id()));
        let servers = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
        let store = Store::new(&servers.database_url, 2).unwrap();
        migrate::run(&store).await.unwrap();
        execute(&servers.database_url, SEED).await;
        let given = |listen: &[(&'static str, String)]| {
            let mut flags = vec![
                ("database-url", servers.database_url.clone()),
                ("redis-url", servers.redis_url.clone()),
                ("token-keys", TOKEN_KEYS.to_owned()),
                ("journal-dir", dir.join("journal").display().to_string()),
                ("journal-segment-bytes", (1 << 20).to_string()),
                ("ops-listen", free_address()),
            ];
            flags.extend_from_slice(listen);
            flags
        };
        let edge = free_address();
        let roles = [
            Role::start("edge", &given(&[("edge-listen", edge.clone())])),
            Role::start("worker", &given(&[])),
        ];
        Installation { servers, roles, edge_url: format!("http://{edge}"), store }
    }

    /// A visitor's cookie, as soon as the edge knows the link.
    async fn cookie(&self) -> String {
        let began = Instant::now();
        loop {
            let answer = client::send("GET", &format!("{}/c/blog", self.edge_url), &[], b"").await;
            let cookie = answer.ok().and_then(|a| a.header("set-cookie").map(str::to_owned));
            if let Some(cookie) = cookie {
                return cookie.split(';').next().unwrap().to_owned();
            }
            assert!(began.elapsed() < Duration::from_secs(20), "the edge does not serve");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Kills one at random, or all at once, and starts them again.
    async fn strike(&mut self, dice: &mut Dice) -> usize {
        let [postgres, redis] = self.servers.pids();
        let victims = match dice.roll(9) {
            0..2 => vec![0],
            2..4 => vec![1],
            4..6 => vec![2],
            6..8 => vec![3],
            _ => vec![0, 1, 2, 3],
        };
        for victim in &victims {
            match victim {
                0 => self.roles[0].kill(),
                1 => self.roles[1].kill(),
                2 => kill(redis),
                _ => kill(postgres),
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(300))).await;
        self.revive().await;
        victims.len()
    }

    async fn revive(&mut self) {
        self.servers.revive().await.unwrap();
        for role in &mut self.roles {
            role.revive();
        }
    }

    /// Where hits are, for whoever has to find out why they are not in the books.
    async fn state(&self) -> String {
        let sql = "
            select 'hits ' || outcome || ' ' || count(*) from hits group by outcome
            union all select 'edge ' || edge_id || ' watermark ' || watermark from edges
            union all select 'lost ' || first_seq || ' ' || hits from losses
            union all select 'frame ' || min(first_seq) || ' to ' || max(first_seq + hits) from frames
            union all select 'dead ' || error from (select error from dead_letters limit 3) d";
        let rows = rows(&self.servers.database_url, sql).await;
        let rows = rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default());
        rows.collect::<Vec<_>>().join("; ")
    }

    async fn count(&self, sql: &str) -> i64 {
        rows(&self.servers.database_url, sql).await[0].get(0)
    }
}

async fn execute(database_url: &str, sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

async fn rows(database_url: &str, sql: &str) -> Vec<tokio_postgres::Row> {
    let (client, connection) =
        tokio_postgres::connect(database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query(sql, &[]).await.unwrap()
}

type Log = Arc<Mutex<HashMap<String, Told>>>;

/// Sends orders one after the other, each once more when it failed, and logs what it was told.
async fn shop(edge_url: String, cookie: String, number: u64, log: Log, stop: Arc<AtomicBool>) {
    static ORDERS: AtomicU64 = AtomicU64::new(0);
    while !stop.load(Ordering::Relaxed) {
        let order = format!("{number}-{}", ORDERS.fetch_add(1, Ordering::Relaxed));
        let url = format!("{edge_url}/t/shop.gif?amount=10.00&id={order}");
        let headers = [("cookie", cookie.as_str())];
        let sent = client::send("GET", &url, &headers, b"");
        let told = match tokio::time::timeout(Duration::from_secs(5), sent).await {
            Ok(Ok(answer)) if answer.status == 200 => Told::Ok,
            Ok(Ok(answer)) if answer.status == 503 => Told::Failed,
            _ => Told::Unknown,
        };
        log.lock().unwrap().insert(order, told);
        // Many shops, none in a hurry: the books are to keep up between two deaths.
        tokio::time::sleep(Duration::from_millis(if told == Told::Ok { 5 } else { 20 })).await;
    }
}

fn duration() -> Duration {
    let minutes = std::env::var("TRIBUTARY_SOAK_MINUTES").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(minutes.map_or(SECONDS, |minutes: u64| minutes * 60))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_and_nothing_counts_twice() {
    let mut all = Installation::start().await;
    let cookie = all.cookie().await;
    let (log, stop) = (Log::default(), Arc::new(AtomicBool::new(false)));
    let shops: Vec<_> = (0..CLIENTS)
        .map(|n| {
            tokio::spawn(shop(all.edge_url.clone(), cookie.clone(), n, log.clone(), stop.clone()))
        })
        .collect();
    let (mut dice, mut kills, began) = (Dice(0xFA11_FA11), 0, Instant::now());
    let length = duration();
    while began.elapsed() < length {
        tokio::time::sleep(Duration::from_millis(200 + dice.roll(800))).await;
        kills += all.strike(&mut dice).await;
    }
    stop.store(true, Ordering::Relaxed);
    for shop in shops {
        shop.await.unwrap();
    }
    let log = log.lock().unwrap().clone();
    let ok = log.values().filter(|told| **told == Told::Ok).count() as i64;
    let unknown = log.values().filter(|told| **told == Told::Unknown).count() as i64;
    settle(&mut all, ok).await;
    check(&all, &log).await;
    println!("{kills} kills in {} s: {ok} answered, {unknown} unknown", began.elapsed().as_secs());
    assert!(kills >= 10 && ok > 100, "{kills} kills, {ok} answers");
}

/// Waits until the books have what was answered and do not grow any more.
async fn settle(all: &mut Installation, ok: i64) {
    let (mut last, mut still) = (-1, Instant::now());
    loop {
        all.revive().await;
        let now = all.count("select count(*) from conversions").await;
        if now != last {
            (last, still) = (now, Instant::now());
        }
        if now >= ok && still.elapsed() > Duration::from_secs(3) {
            return;
        }
        // What a dead worker held is taken over after a good minute.
        let stuck = still.elapsed() > Duration::from_secs(120);
        assert!(
            !stuck,
            "{now} of {ok} orders are in the books, and no more come: {}",
            all.state().await
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Against the log: answered orders are there, and nothing is there that was not sent; the money is right.
async fn check(all: &Installation, log: &HashMap<String, Told>) {
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
            Told::Failed | Told::Unknown => assert!(count <= 1, "{order} counts {count} times"),
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
