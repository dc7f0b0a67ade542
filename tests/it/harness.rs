//! What the tests stand on: one private PostgreSQL and Redis for the whole run, and for each test a
//! database, a stream and a journal of its own, with the roles in this process on free ports.
#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use clap::Parser;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, OnceCell, watch};
use tokio_postgres::NoTls;

use tributary::config::{Cli, Command, Settings};
pub use tributary::dev::client::Answer;
use tributary::dev::{client, servers};
use tributary::domain::token::Keys;
use tributary::journal::Journal;
use tributary::queue::Queue;
use tributary::roles::{self, Health};
use tributary::store::{Store, migrate, settle};
use tributary::telemetry;
use tributary::worker::Worker;

const ADMIN_KEY: &str = "4c0e9a7d1b5f4be2-of-the-tests-c3d1";
/// For what takes a moment; far more than it ever should.
const PATIENCE: Duration = Duration::from_secs(20);

/// The servers of this run; they end with this process, and their directory goes with them.
struct Run {
    servers: servers::Servers,
    dir: PathBuf,
}

static RUN: OnceCell<Run> = OnceCell::const_new();
static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// The product as a test sees it: edge, admin and ops served, and a worker that only `settle` turns.
/// Dropping it stops the roles.
pub struct App {
    pub edge_url: String,
    pub admin_url: String,
    pub ops_url: String,
    pub admin_key: String,
    pub database_url: String,
    pub settings: Settings,
    pub store: Store,
    pub token_keys: Keys,
    pub journal: Journal,
    worker: Mutex<Worker>,
    stop: watch::Sender<bool>,
}

/// One advertiser with a program, one affiliate with a link into it, and their keys.
#[derive(Debug, Clone)]
pub struct Seed {
    pub advertiser_id: String,
    pub affiliate_id: String,
    pub program_id: String,
    pub link_id: String,
    pub link_code: String,
    pub tracking_code_id: String,
    /// The tracking code.
    pub code: String,
    /// The tracking code's.
    pub secret: String,
    pub advertiser_key: String,
    pub affiliate_key: String,
}

/// Sends one request; follows no redirect.
pub async fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    client::send(method, url, headers, body).await.unwrap()
}

/// An empty directory for one test.
pub fn temp_dir(name: &str) -> PathBuf {
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("tributary-{name}-{}-{number}", std::process::id()))
}

async fn run() -> &'static Run {
    RUN.get_or_init(|| async {
        let dir = temp_dir("tests");
        let servers = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
        let store = Store::new(&servers.database_url, 2).unwrap();
        migrate::run(&store).await.unwrap();
        Run { servers, dir }
    })
    .await
}

/// Runs SQL that returns nothing.
async fn execute(database_url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(sql).await
}

/// The address of another database of the same server.
fn beside(database_url: &str, name: &str) -> String {
    let (server, _) = database_url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A database of its own, with the schema in it.
async fn database(run: &Run, name: &str) -> String {
    let postgres = beside(&run.servers.database_url, "postgres");
    let create = format!("create database {name} template tributary");
    for _ in 0..100 {
        // Refused as long as the connection that migrated the template has not quite gone.
        match execute(&postgres, &create).await {
            Ok(()) => return beside(&run.servers.database_url, name),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    execute(&postgres, &create).await.unwrap();
    unreachable!("the last try either failed or was an earlier one's success")
}

/// Settings as from a command line, for one test.
async fn settings(edge_url: &str, admin_url: &str) -> Settings {
    let run = run().await;
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let database_url = database(run, &format!("test_{number}")).await;
    let journal_dir = run.dir.join(format!("journal-{number}"));
    let arguments = [
        ("database-url", database_url),
        ("database-connections-max", "4".to_owned()),
        ("redis-url", run.servers.redis_url.clone()),
        ("redis-stream", format!("test:{number}:hits")),
        ("journal-dir", journal_dir.display().to_string()),
        ("journal-segment-bytes", (1 << 20).to_string()),
        ("journal-bytes-max", (64 << 20).to_string()),
        ("public-url", edge_url.to_owned()),
        ("admin-url", admin_url.to_owned()),
        ("token-keys", token_keys()),
        ("admin-key", ADMIN_KEY.to_owned()),
        ("drain-seconds", "1".to_owned()),
        // Tests ask as fast as they can; those of the budgets have their own.
        ("junk-address-per-second", "0".to_owned()),
        ("junk-per-second", "0".to_owned()),
        ("api-key-per-second", "0".to_owned()),
        ("signed-address-per-second", "0".to_owned()),
        ("signed-code-per-second", "0".to_owned()),
    ];
    let arguments = arguments.map(|(name, value)| format!("--{name}={value}"));
    let line = ["tributary".to_owned(), "all".to_owned()].into_iter().chain(arguments);
    let Command::All(settings) = Cli::parse_from(line).command else { unreachable!() };
    settings.resolve().unwrap()
}

/// The recorder is one for the whole process, as metrics are.
pub fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| telemetry::install().unwrap()).clone()
}

impl App {
    /// Starts the roles for one test.
    pub async fn start() -> App {
        let (edge, edge_url) = listen().await;
        let (admin, admin_url) = listen().await;
        let (ops, ops_url) = listen().await;
        let settings = settings(&edge_url, &admin_url).await;
        let store = roles::store(&settings).unwrap();
        let journal = roles::journal(&settings).unwrap();
        let token_keys = settings.keys().unwrap();
        let (url, stream) = (settings.redis().unwrap(), &settings.redis_stream);
        let queue = Queue::new(url, stream, "by-hand").unwrap();
        let worker = Worker::new(store.clone(), queue, token_keys.clone(), 256);
        let (stop, stopped) = watch::channel(false);
        let app = App {
            edge_url,
            admin_url,
            ops_url,
            admin_key: ADMIN_KEY.to_owned(),
            database_url: settings.database().unwrap().to_owned(),
            settings,
            store,
            token_keys,
            journal,
            worker: Mutex::new(worker),
            stop,
        };
        app.serve_edge(edge.into_std().unwrap(), stopped.clone());
        app.serve_admin(admin, ops, stopped);
        app
    }

    fn serve_edge(&self, listener: std::net::TcpListener, stopped: watch::Receiver<bool>) {
        serve_edge(self.settings.clone(), self.journal.clone(), listener, stopped);
    }

    /// Another edge beside the first, with settings of its own.
    pub async fn another_edge(&self, change: impl FnOnce(&mut Settings)) -> AnotherEdge {
        let (listener, url) = listen().await;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let mut settings = self.settings.clone();
        settings.edge_number = 1 + (number % 1_000) as u16;
        settings.journal_dir.set_extension(number.to_string());
        change(&mut settings);
        let journal = roles::journal(&settings).unwrap();
        let (stop, stopped) = watch::channel(false);
        serve_edge(settings, journal.clone(), listener.into_std().unwrap(), stopped);
        AnotherEdge { address: url.trim_start_matches("http://").to_owned(), url, journal, stop }
    }

    /// Another admin beside the first, with settings of its own, until what stops it is dropped; its address.
    pub async fn another_admin(
        &self,
        change: impl FnOnce(&mut Settings),
    ) -> (String, watch::Sender<bool>) {
        let (listener, url) = listen().await;
        let mut settings = self.settings.clone();
        change(&mut settings);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { roles::admin(&settings, listener, stopped).await.unwrap() });
        (url.trim_start_matches("http://").to_owned(), stop)
    }

    fn serve_admin(&self, admin: TcpListener, ops: TcpListener, stopped: watch::Receiver<bool>) {
        let (settings, stop) = (self.settings.clone(), stopped.clone());
        tokio::spawn(async move { roles::admin(&settings, admin, stop).await.unwrap() });
        let settings = self.settings.clone();
        let (journal, store) = (Some(self.journal.clone()), Some(self.store.clone()));
        let health = Health { journal, store };
        let serving = async move {
            roles::ops(&settings, health, metrics(), ops, stopped).await.unwrap();
        };
        tokio::spawn(serving);
    }

    /// Turns the worker by hand until every hit that was answered is in the books.
    pub async fn settle(&self) {
        self.settle_of(&self.journal).await;
    }

    /// The same for the hits of another edge.
    pub async fn settle_of(&self, journal: &Journal) {
        let mut worker = self.worker.lock().await;
        let answered = *journal.durable().borrow();
        let started = Instant::now();
        while settle::watermark(&self.store, journal.edge_id()).await.unwrap() < answered {
            worker.turn(Duration::from_millis(20)).await.unwrap();
            assert!(started.elapsed() < PATIENCE, "hits do not reach the books");
        }
    }

    /// Waits until the edge knows of what was changed: a `HEAD` of the link asks, and counts nothing.
    pub async fn wait_for_link(&self, code: &str) {
        let url = format!("{}/c/{code}", self.edge_url);
        let started = Instant::now();
        while http("HEAD", &url, &[], b"").await.status != 302 {
            assert!(started.elapsed() < PATIENCE, "the edge does not learn of the link");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks the admin API with the operator's key; `Value::Null` sends no body.
    pub async fn api(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api_as(&self.admin_key, method, path, body).await
    }

    /// Asks the admin API with somebody's key; `path` starts after `/api/v1/`.
    pub async fn api_as(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let url = format!("{}/api/v1/{}", self.admin_url, path.trim_start_matches('/'));
        let bearer = format!("Bearer {key}");
        let key = format!("harness-{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
        let mut headers = vec![("authorization", bearer.as_str())];
        if method == "POST" {
            headers.push(("idempotency-key", &key));
        }
        if !body.is_null() {
            headers.push(("content-type", "application/json"));
        }
        let bytes = if body.is_null() { String::new() } else { body.to_string() };
        http(method, &url, &headers, bytes.as_bytes()).await
    }

    /// Creates something through the admin API and returns it.
    pub async fn create(&self, resource: &str, body: Value) -> Value {
        let answer = self.api("POST", resource, body).await;
        assert_eq!(answer.status, 201, "POST {resource}: {}", answer.text());
        answer.json()
    }

    /// Runs a query and returns its rows.
    pub async fn rows(&self, sql: &str) -> Vec<tokio_postgres::Row> {
        let (client, connection) =
            tokio_postgres::connect(&self.database_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query(sql, &[]).await.unwrap()
    }

    /// Runs SQL that returns nothing.
    pub async fn execute(&self, sql: &str) {
        execute(&self.database_url, sql).await.unwrap();
    }

    /// A program that pays 10 % of a sale, held for 30 days.
    pub async fn seed(&self) -> Seed {
        self.seed_with(json!({})).await
    }

    /// A program of which some fields are as the test wants them.
    pub async fn seed_with(&self, program: Value) -> Seed {
        let advertiser = json!({"name": "Shop", "currency": "USD", "timezone": "UTC"});
        let advertiser_id = id(&self.create("advertisers", advertiser).await);
        let affiliate = json!({"name": "Blog", "email": "blog@example.com"});
        let affiliate_id = id(&self.create("affiliates", affiliate).await);
        let mut fields = json!({
            "advertiser_id": advertiser_id, "name": "Program", "landing_url": "https://shop.example/",
            "plan": {"kind": "percent", "rate": "10"},
        });
        let changes = program.as_object().unwrap().clone();
        fields.as_object_mut().unwrap().extend(changes);
        let program_id = id(&self.create("programs", fields).await);
        let code = json!({
            "program_id": program_id, "name": "Thank-you page",
            "redirect_url": "https://shop.example/thanks?id={id}&amount={amount}",
        });
        let code = self.create("tracking-codes", code).await;
        // The link last: an edge that knows it knows the rest.
        let link = json!({"program_id": program_id, "affiliate_id": affiliate_id});
        let link = self.create("links", link).await;
        self.wait_for_link(&text(&link, "code")).await;
        let for_advertiser = json!({"role": "advertiser", "advertiser_id": advertiser_id});
        let for_affiliate = json!({"role": "affiliate", "affiliate_id": affiliate_id});
        Seed {
            link_id: id(&link),
            link_code: text(&link, "code"),
            tracking_code_id: id(&code),
            code: text(&code, "code"),
            secret: text(&code, "secret"),
            advertiser_key: text(&self.create("api-keys", for_advertiser).await, "key"),
            affiliate_key: text(&self.create("api-keys", for_affiliate).await, "key"),
            advertiser_id,
            affiliate_id,
            program_id,
        }
    }
}

/// An edge beside that of an app; dropping it stops it.
pub struct AnotherEdge {
    pub address: String,
    pub url: String,
    pub journal: Journal,
    stop: watch::Sender<bool>,
}

/// The edge has a thread and a runtime of its own, as in life.
fn serve_edge(
    settings: Settings,
    journal: Journal,
    listener: std::net::TcpListener,
    stopped: watch::Receiver<bool>,
) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            roles::edge(&settings, journal, listener, stopped).await.unwrap();
        });
    });
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn token_keys() -> String {
    let mut key = [0; 32];
    getrandom::fill(&mut key).unwrap();
    format!("test:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key))
}

pub fn text(value: &Value, field: &str) -> String {
    let found = value[field].as_str();
    found.unwrap_or_else(|| panic!("no text {field} in {value}")).to_owned()
}

pub fn id(value: &Value) -> String {
    text(value, "id")
}
