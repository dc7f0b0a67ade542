//! Where a measure is taken: a fresh PostgreSQL and Redis, a program with a link and a code, and the roles
//! that are asked for, each in a process of its own on free ports.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};
use tributary::dev::client;
use tributary::dev::servers::{self, Servers};

use crate::Result;

const TOKEN_KEYS: &str = "bench:HaREsOZigXuM6wvVijvasXlycZpc5Yp--JL-ZfB2Afo";
const SEED: &str = include_str!("../../tests/it/cases/seed.sql");
/// What `docs/OPERATING.md` asks of a PostgreSQL that has much to do.
const POSTGRES: &str =
    "shared_buffers=2GB max_wal_size=8GB checkpoint_timeout=15min wal_compression=lz4";
/// One order each, from 1 on within a round: what a shop sends.
pub const PIXEL: &str = "/t/shop.gif?amount=19.95&currency=USD&id=";
pub const CLICK: &str = "/c/blog?s1=";

/// The tributary that is measured: ours, or another version's to compare it with.
fn program() -> PathBuf {
    let other = std::env::var_os("BENCH_TRIBUTARY");
    other.map_or_else(|| env!("CARGO_BIN_EXE_tributary").into(), PathBuf::from)
}

/// A process that ends with us.
pub struct Process {
    child: Child,
    pub port: u16,
    ops_port: u16,
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A metric without labels, as the process tells it.
    pub async fn gauge(&self, name: &str) -> Result<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.ops_port);
        let text = client::send("GET", &url, &[], b"").await?.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.ok_or_else(|| format!("no metric {name}"))?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The servers, and what it takes to start roles beside them.
pub struct Stage {
    pub dir: PathBuf,
    pub database: Client,
    servers: Servers,
}

impl Stage {
    /// Both servers with an empty schema, the seed in it.
    pub async fn set() -> Result<Stage> {
        let stage = Stage::bare().await?;
        stage.database.batch_execute(SEED).await?;
        if let Ok(terms) = std::env::var("BENCH_TERMS") {
            let values: &[&(dyn ToSql + Sync)] = &[&terms];
            stage.database.execute("update plans set terms = $1::text::jsonb", values).await?;
        }
        Ok(stage)
    }

    /// Both servers with an empty schema.
    pub async fn bare() -> Result<Stage> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tributary-bench-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let mut servers = servers::claim(&dir)?.start_for_a_while().await?;
        tune(&mut servers).await?;
        let mut migrate = Command::new(program());
        migrate.args(["migrate", "--database-url", &servers.database_url]).stdout(Stdio::null());
        if !migrate.status()?.success() {
            return Err("the schema was not made".into());
        }
        let database = connect(&servers.database_url).await?;
        Ok(Stage { dir, database, servers })
    }

    /// A connection more.
    pub async fn connect(&self) -> Result<Client> {
        connect(&self.servers.database_url).await
    }

    pub fn database_url(&self) -> &str {
        &self.servers.database_url
    }

    pub fn redis_url(&self) -> &str {
        &self.servers.redis_url
    }

    /// The first process of PostgreSQL.
    pub fn postgres(&self) -> u32 {
        self.servers.pids()[0]
    }

    pub fn redis(&self) -> u32 {
        self.servers.pids()[1]
    }

    /// An edge that knows the link.
    pub async fn edge(&self) -> Result<Process> {
        let edge = self.role("edge")?;
        self.cookie(&edge).await?;
        Ok(edge)
    }

    pub fn worker(&self) -> Result<Process> {
        self.role("worker")
    }

    fn role(&self, role: &str) -> Result<Process> {
        let (port, ops_port) = (free_port()?, free_port()?);
        let mut command = Command::new(program());
        command.arg(role).args(["--edge-listen", &format!("127.0.0.1:{port}")]);
        command.args(["--ops-listen", &format!("127.0.0.1:{ops_port}")]);
        let (database_url, redis_url) = (&self.servers.database_url, &self.servers.redis_url);
        command.args(["--database-url", database_url, "--redis-url", redis_url]);
        command.args(["--token-keys", TOKEN_KEYS, "--log", "error"]);
        // Idle connections have to stay while they are measured.
        command.args(["--header-timeout-seconds", "120"]);
        command.arg("--journal-dir").arg(self.dir.join("journal")).stdout(Stdio::null());
        Ok(Process { child: command.spawn()?, port, ops_port })
    }

    /// A visitor's cookie, as soon as the edge knows the link.
    pub async fn cookie(&self, edge: &Process) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/c/blog", edge.port);
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let Ok(answer) = client::send("GET", &url, &[], b"").await else { continue };
            if let (302, Some(cookie)) = (answer.status, answer.header("set-cookie")) {
                return Ok(cookie.split(';').next().unwrap_or("").to_owned());
            }
        }
        Err("the edge does not serve".into())
    }

    /// A number that one query tells.
    pub async fn count(&self, sql: &str) -> Result<i64> {
        Ok(self.database.query_one(sql, &[]).await?.get(0))
    }

    /// Takes it down, and what it held.
    pub async fn strike(self) {
        self.servers.stop().await;
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Sets what PostgreSQL is to have, and starts it again with that.
async fn tune(servers: &mut Servers) -> Result<()> {
    let database = connect(&servers.database_url).await?;
    for setting in POSTGRES.split(' ') {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        database.batch_execute(&format!("alter system set {name} = '{value}'")).await?;
    }
    let before = servers.pids()[0];
    // SIGINT: it breaks connections off and ends.
    Command::new("kill").args(["-INT", &before.to_string()]).status()?;
    while servers.pids()[0] == before {
        tokio::time::sleep(Duration::from_millis(50)).await;
        servers.revive().await?;
    }
    Ok(())
}

/// nginx with one process: an empty image below `/t/`, a redirect below `/c/`, a buffered access log.
pub fn nginx(dir: &Path) -> Result<Process> {
    let (at, port) = (dir.join("nginx"), free_port()?);
    fs::create_dir_all(&at)?;
    let path = at.display();
    let config = format!(
        "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
         events {{ worker_connections 4096; }}
         http {{
           access_log {path}/access.log combined buffer=64k flush=1s;
           client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;
           uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
           keepalive_requests 1000000000;
           server {{
             listen 127.0.0.1:{port};
             location /t/ {{ empty_gif; }}
             location /c/ {{ return 302 https://shop.example/; }}
           }}
         }}"
    );
    let file = at.join("nginx.conf");
    fs::write(&file, config)?;
    let started = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn();
    let child = started.map_err(|e| format!("nginx: {e} (`make bench` installs it)"))?;
    std::thread::sleep(Duration::from_millis(300));
    Ok(Process { child, port, ops_port: 0 })
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
