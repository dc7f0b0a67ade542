//! A whole installation: private PostgreSQL and Redis, an edge and a worker, each a process.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tributary::dev::{client, servers};
use tributary::store::{Store, migrate};

use crate::role::{Plan, Role};

const TOKEN_KEYS: &str = "k:3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8";
const SEED: &str = include_str!("../it/cases/seed.sql");

/// What may differ between installations.
#[derive(Default)]
pub struct Wanted {
    /// Flags of edge and worker beside the usual ones; a later one replaces a usual one.
    pub flags: Vec<(&'static str, String)>,
    /// Of the edge's process alone.
    pub edge_environment: Vec<(String, String)>,
    pub worker_environment: Vec<(String, String)>,
    /// A program that starts the edge.
    pub edge_through: Vec<String>,
    /// Where the journal is, if not beside the servers' data.
    pub journal_dir: Option<PathBuf>,
    /// Where the servers keep their data, if not in a directory that goes with them.
    pub data_dir: Option<PathBuf>,
}

pub struct Installation {
    pub servers: servers::Servers,
    pub edge: Role,
    pub worker: Role,
    /// `http://address` of the edge, and of the roles' `/metrics`.
    pub edge_url: String,
    pub edge_ops_url: String,
    pub worker_ops_url: String,
    pub store: Store,
    pub journal_dir: PathBuf,
    pub dir: PathBuf,
}

impl Installation {
    pub async fn start(wanted: Wanted) -> Installation {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tributary-faults-{}-{number}", std::process::id());
        let own_dir = wanted.data_dir.is_none();
        let dir = wanted.data_dir.clone().unwrap_or_else(|| std::env::temp_dir().join(&name));
        let claimed = servers::claim(&dir).unwrap();
        let servers = match own_dir {
            true => claimed.start_for_a_while().await.unwrap(),
            false => claimed.start().await.unwrap(),
        };
        let store = Store::new(&servers.database_url, 2).unwrap();
        migrate::run(&store).await.unwrap();
        if count(&servers.database_url, "select count(*) from programs").await == 0 {
            execute(&servers.database_url, SEED).await;
        }
        let journal_dir = wanted.journal_dir.clone().unwrap_or_else(|| dir.join("journal"));
        let [edge_at, edge_ops, worker_ops] = [(); 3].map(|()| free_address());
        let log = std::env::temp_dir().join(format!("{name}.log"));
        let plan = |name, ops: &str| {
            let usual = [
                ("database-url", servers.database_url.clone()),
                ("redis-url", servers.redis_url.clone()),
                ("token-keys", TOKEN_KEYS.to_owned()),
                ("journal-dir", journal_dir.display().to_string()),
                ("journal-segment-bytes", (1 << 20).to_string()),
                ("edge-listen", edge_at.clone()),
                ("ops-listen", ops.to_owned()),
            ];
            let replaced = |name: &str| wanted.flags.iter().any(|(flag, _)| *flag == name);
            let flags = usual.into_iter().filter(|(flag, _)| !replaced(flag));
            let flags = flags.chain(wanted.flags.iter().cloned());
            Plan {
                name,
                flags: flags.map(|(flag, value)| (format!("--{flag}"), value)).collect(),
                environment: Vec::new(),
                through: Vec::new(),
                log: log.clone(),
            }
        };
        let edge = Plan {
            environment: wanted.edge_environment.clone(),
            through: wanted.edge_through.clone(),
            ..plan("edge", &edge_ops)
        };
        let worker =
            Plan { environment: wanted.worker_environment.clone(), ..plan("worker", &worker_ops) };
        Installation {
            edge: Role::start(edge),
            worker: Role::start(worker),
            edge_url: format!("http://{edge_at}"),
            edge_ops_url: format!("http://{edge_ops}"),
            worker_ops_url: format!("http://{worker_ops}"),
            servers,
            store,
            journal_dir,
            dir,
        }
    }

    /// A visitor's cookie, as soon as the edge knows the link.
    pub async fn cookie(&self) -> String {
        let began = Instant::now();
        loop {
            let answer = client::send("GET", &format!("{}/c/blog", self.edge_url), &[], b"").await;
            let cookie = answer.ok().and_then(|a| a.header("set-cookie").map(str::to_owned));
            if let Some(cookie) = cookie {
                return cookie.split(';').next().unwrap().to_owned();
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the edge does not serve");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One more role, as planned for another but for some flags; `revive` knows nothing of it.
    pub fn another(&self, plan: &Plan, flags: &[(&str, String)]) -> Role {
        let mut plan = plan.clone();
        let ops = ("ops-listen", free_address());
        for (flag, value) in flags.iter().chain([&ops]) {
            let flag = format!("--{flag}");
            plan.flags.retain(|(other, _)| *other != flag);
            plan.flags.push((flag, value.clone()));
        }
        Role::start(plan)
    }

    /// Starts again what has ended.
    pub async fn revive(&mut self) {
        self.servers.revive().await.unwrap();
        self.edge.revive();
        self.worker.revive();
    }

    pub async fn count(&self, sql: &str) -> i64 {
        count(&self.servers.database_url, sql).await
    }

    /// A Redis command's answer, as `redis-cli` prints it.
    pub fn redis(&self, command: &[&str]) -> String {
        redis(&self.servers.redis_url, command)
    }

    /// Where hits are, for whoever has to find out why they are not in the books.
    pub async fn state(&self) -> String {
        let sql = "
            select 'hits ' || outcome || ' ' || count(*) from hits group by outcome
            union all select 'edge ' || edge_id || ' watermark ' || watermark from edges
            union all select 'lost ' || first_seq || ' ' || hits from losses
            union all select 'frame ' || min(first_seq) || ' to ' || max(first_seq + hits) from frames
            union all select 'dead ' || error from (select error from dead_letters limit 3) d";
        let rows = rows(&self.servers.database_url, sql).await;
        let mut told: Vec<String> =
            rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)).collect();
        for command in [
            &["XLEN", "tributary:hits"][..],
            &["XPENDING", "tributary:hits", "workers"],
            &["XPENDING", "tributary:hits", "workers", "-", "+", "3"],
            &["XINFO", "GROUPS", "tributary:hits"],
        ] {
            told.push(format!("{}: {}", command.join(" "), self.redis(command).replace('\n', " ")));
        }
        told.join("; ")
    }
}

/// A command's answer, as `redis-cli` prints it.
pub fn redis(url: &str, command: &[&str]) -> String {
    let (password, address) = url.strip_prefix("redis://:").unwrap().split_once('@').unwrap();
    let output = std::process::Command::new("redis-cli")
        .args(["-p", address.rsplit(':').next().unwrap()])
        .env("REDISCLI_AUTH", password)
        .args(command)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Below the ports that the system gives to clients: a role that was killed finds its own free again.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = format!("127.0.0.1:{}", 12_000 + next % 20_000);
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

pub async fn execute(database_url: &str, sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

pub async fn rows(database_url: &str, sql: &str) -> Vec<tokio_postgres::Row> {
    let (client, connection) =
        tokio_postgres::connect(database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query(sql, &[]).await.unwrap()
}

pub async fn count(database_url: &str, sql: &str) -> i64 {
    rows(database_url, sql).await[0].get(0)
}
