//! Flags and environment to settings. Every setting is a flag and an environment variable of the same
//! name (`--redis-url`, `TRIBUTARY_REDIS_URL`); a secret may also be named by a file (`…_FILE`). The only
//! place that reads the environment. Never connects, never binds.

mod listeners;
mod rates;
mod tools;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use serde::Serialize;

use crate::domain::id::NODE_MAX;
use crate::domain::token::Keys;

pub use listeners::{Listener, Listeners};
pub use rates::{Rates, Uploads};
pub use tools::{RatesAction, RatesImport, Replay};

/// Counts the sales that affiliates bring, and keeps the books.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to be.
    #[command(subcommand)]
    pub command: Command,
}

/// The roles and the tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process tree, with a private PostgreSQL and Redis under --data-dir
    Dev(Dev),
    /// Answer clicks, pixels, forms and postbacks
    Edge(Settings),
    /// Settle hits into the books
    Worker(Settings),
    /// Serve the admin API and the portal
    Admin(Settings),
    /// Edge, worker and admin in one process, against given servers
    All(Settings),
    /// Bring the schema up to date
    Migrate(Settings),
    /// Check every invariant of the books; exit 1 if anything is broken
    Audit(Settings),
    /// Decide stored hits again and show the difference; exit 2 if there is any that is not applied
    Replay(Replay),
    /// Rates of currencies
    Rates {
        /// What to do with them
        #[command(subcommand)]
        action: RatesAction,
    },
    /// Look at the settings
    Config {
        /// What to do with them
        #[command(subcommand)]
        action: ConfigAction,
    },
}

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the effective settings, secrets masked; exit 64 on a bad one
    Check(Settings),
}

/// `tributary dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Where the private servers, the journal and dev.json live
    #[arg(long, env = "TRIBUTARY_DATA_DIR", default_value = ".tributary")]
    pub data_dir: PathBuf,
    /// Where the demo shop listens
    #[arg(long, env = "TRIBUTARY_SHOP_LISTEN", default_value = "127.0.0.1:8083")]
    pub shop_listen: SocketAddr,
    /// The settings of the roles; servers, keys and journal are made where not given
    #[command(flatten)]
    pub settings: Settings,
}

/// The settings of every role. Units are in the names.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Settings {
    /// Where the public edge listens
    #[arg(long, env = "TRIBUTARY_EDGE_LISTEN", default_value = "127.0.0.1:8080")]
    pub edge_listen: SocketAddr,
    /// Where the admin API and the portal listen
    #[arg(long, env = "TRIBUTARY_ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub admin_listen: SocketAddr,
    /// Where /metrics, /livez and /readyz listen
    #[arg(long, env = "TRIBUTARY_OPS_LISTEN", default_value = "127.0.0.1:8082")]
    pub ops_listen: SocketAddr,
    /// PostgreSQL: postgres://user:password@host/database (secret)
    #[arg(long, env = "TRIBUTARY_DATABASE_URL", hide_env_values = true)]
    #[serde(serialize_with = "masked")]
    pub database_url: Option<String>,
    /// Redis: redis://:password@host:port (secret)
    #[arg(long, env = "TRIBUTARY_REDIS_URL", hide_env_values = true)]
    #[serde(serialize_with = "masked")]
    pub redis_url: Option<String>,
    /// The Redis stream that carries the hits
    #[arg(long, env = "TRIBUTARY_REDIS_STREAM", default_value = "tributary:hits")]
    pub redis_stream: String,
    /// Where an edge keeps its journal: a local disk, one directory an edge
    #[arg(long, env = "TRIBUTARY_JOURNAL_DIR", default_value = "journal")]
    pub journal_dir: PathBuf,
    /// The edge's address as the world sees it; in links, snippets and pixels
    #[arg(long, env = "TRIBUTARY_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    pub public_url: String,
    /// The portal's and the admin API's address as the world sees it; in links for one person
    #[arg(long, env = "TRIBUTARY_ADMIN_URL", default_value = "http://127.0.0.1:8081")]
    pub admin_url: String,
    /// Keys of the click tokens: id:base64url of 32 bytes, comma-separated, newest first (secret)
    #[arg(long, env = "TRIBUTARY_TOKEN_KEYS", hide_env_values = true)]
    #[serde(serialize_with = "masked")]
    pub token_keys: Option<String>,
    /// The operator's first key, at least 32 characters (secret)
    #[arg(long, env = "TRIBUTARY_ADMIN_KEY", hide_env_values = true)]
    #[serde(serialize_with = "masked")]
    pub admin_key: Option<String>,
    /// What stands before HTTP
    #[command(flatten)]
    #[serde(flatten)]
    pub listeners: Listeners,
    /// How much is let in
    #[command(flatten)]
    #[serde(flatten)]
    pub rates: Rates,
    /// This edge's number, 0 to 1022, different for each edge: it is in the ids of its hits
    #[arg(long, env = "TRIBUTARY_EDGE_NUMBER", default_value_t = 0)]
    pub edge_number: u16,
    /// A country database in MaxMind's format
    #[arg(long, env = "TRIBUTARY_GEOIP_DB")]
    pub geoip_db: Option<PathBuf>,
    /// Networks that webhooks may reach though they are private: CIDRs, comma-separated
    #[arg(long, env = "TRIBUTARY_OUTBOUND_ALLOW", value_delimiter = ',')]
    pub outbound_allow: Vec<IpNet>,
    /// Seconds that a request's head may take, an idle connection is kept, and an answer may stay unread
    #[arg(long, env = "TRIBUTARY_HEADER_TIMEOUT_SECONDS", default_value_t = 15)]
    pub header_timeout_seconds: u64,
    /// Seconds that a request's body may take
    #[arg(long, env = "TRIBUTARY_BODY_TIMEOUT_SECONDS", default_value_t = 10)]
    pub body_timeout_seconds: u64,
    /// Seconds that answering a request of the admin API or the portal may take
    #[arg(long, env = "TRIBUTARY_REQUEST_TIMEOUT_SECONDS", default_value_t = 35,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub request_timeout_seconds: u64,
    /// Seconds that requests in flight have when the process is asked to stop
    #[arg(long, env = "TRIBUTARY_DRAIN_SECONDS", default_value_t = 8)]
    pub drain_seconds: u64,
    /// Bytes that the journal may take on disk; beyond, hits are refused with 503
    #[arg(long, env = "TRIBUTARY_JOURNAL_BYTES_MAX", default_value_t = 10 << 30)]
    pub journal_bytes_max: u64,
    /// Bytes that the journal leaves free on its disk; beyond, hits are refused as beyond its quota
    #[arg(long, env = "TRIBUTARY_DISK_RESERVE_BYTES", default_value_t = 256 << 20)]
    pub disk_reserve_bytes: u64,
    /// Bytes of one journal segment, preallocated
    #[arg(long, env = "TRIBUTARY_JOURNAL_SEGMENT_BYTES", default_value_t = 16 << 20)]
    pub journal_segment_bytes: u64,
    /// Bytes of the stream in Redis from which on edges keep hits back in their journals
    #[arg(long, env = "TRIBUTARY_STREAM_BYTES_MAX", default_value_t = 512 << 20,
          value_parser = clap::value_parser!(u64).range(1 << 20..))]
    pub stream_bytes_max: u64,
    /// Frames that a worker reads at once at most
    #[arg(long, env = "TRIBUTARY_BATCH_FRAMES_MAX", default_value_t = 256)]
    pub batch_frames_max: usize,
    /// Batches that a worker settles at once, each on a connection of its own
    #[arg(long, env = "TRIBUTARY_WORKER_LANES", default_value_t = 2)]
    pub worker_lanes: usize,
    /// Connections to PostgreSQL of one process
    #[arg(long, env = "TRIBUTARY_DATABASE_CONNECTIONS_MAX", default_value_t = 8)]
    pub database_connections_max: usize,
    /// What is logged: error, warn, info, debug, trace, or a filter per module
    #[arg(long, env = "TRIBUTARY_LOG", default_value = "info")]
    pub log: String,
}

/// The environment variables that may be given as a file instead.
const SECRETS: [&str; 4] = [
    "TRIBUTARY_DATABASE_URL",
    "TRIBUTARY_REDIS_URL",
    "TRIBUTARY_TOKEN_KEYS",
    "TRIBUTARY_ADMIN_KEY",
];

/// Passwords that stand in examples, ours and others'.
const WELL_KNOWN: [&str; 12] = [
    "PASSWORD",
    "passwd",
    "changeme",
    "change-me",
    "secret",
    "postgres",
    "redis",
    "tributary",
    "admin",
    "root",
    "test",
    "123456",
];
/// Parts of secrets that stand in our examples and tests.
const EXAMPLES: [&str; 6] = [
    "REPLACE",
    "changeme",
    "0123456789012345",
    "the-operators-first-key",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
];

/// A setting that cannot be used: its name and what is wrong. The process exits 64.
#[derive(Debug, PartialEq, Eq)]
pub struct BadSetting(pub &'static str, pub String);

impl std::fmt::Display for BadSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{}: {}", self.0, self.1)
    }
}

impl std::error::Error for BadSetting {}

impl Settings {
    /// Fills secrets from their `…_FILE` variables and checks what can be checked without connecting.
    pub fn resolve(mut self) -> Result<Self, BadSetting> {
        let slots = [
            &mut self.database_url,
            &mut self.redis_url,
            &mut self.token_keys,
            &mut self.admin_key,
        ];
        for (name, slot) in SECRETS.into_iter().zip(slots) {
            if let (None, Ok(path)) = (&slot, std::env::var(format!("{name}_FILE"))) {
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| BadSetting(flag_of(name), format!("cannot read {path}: {e}")))?;
                *slot = Some(text.trim().to_owned());
            }
        }
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), BadSetting> {
        let bad = |name, text: &str| Err(BadSetting(name, text.to_owned()));
        if let Some(keys) = &self.token_keys {
            Keys::parse(keys).map_err(|e| BadSetting("token-keys", e))?;
        }
        self.check_secrets()?;
        if self.edge_number > NODE_MAX {
            return bad("edge-number", "must be between 0 and 1022");
        }
        for (name, url) in [("public-url", &self.public_url), ("admin-url", &self.admin_url)] {
            let url = url::Url::parse(url);
            if !url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host()) {
                return bad(name, "must be an absolute http or https URL");
            }
        }
        if !(1 << 20..=1 << 30).contains(&self.journal_segment_bytes) {
            return bad("journal-segment-bytes", "must be 1048576 to 1073741824");
        }
        if self.journal_bytes_max < 4 * self.journal_segment_bytes {
            return bad("journal-bytes-max", "must hold at least four segments");
        }
        self.listeners.check()?;
        let is_secure = self.admin_url.to_ascii_lowercase().starts_with("https:");
        if self.listeners.tls(Listener::Admin)?.is_some() && !is_secure {
            return bad("admin-url", "must be https where --admin-tls-cert is given");
        }
        if self.batch_frames_max == 0 {
            return bad("batch-frames-max", "must be above zero");
        }
        if self.worker_lanes == 0 {
            return bad("worker-lanes", "must be above zero");
        }
        if self.worker_lanes >= self.database_connections_max {
            return bad("worker-lanes", "must be below database-connections-max");
        }
        if !(2..=1000).contains(&self.database_connections_max) {
            return bad("database-connections-max", "must be 2 to 1000");
        }
        Ok(())
    }

    /// Secrets that everybody knows are none.
    fn check_secrets(&self) -> Result<(), BadSetting> {
        let bad = |name, text: &str| Err(BadSetting(name, text.to_owned()));
        if let Some(key) = &self.admin_key {
            if key.len() < 32 {
                return bad("admin-key", "must have at least 32 characters");
            }
            if key.bytes().collect::<HashSet<u8>>().len() < 8 || is_example(key) {
                return bad("admin-key", "is not random: openssl rand -hex 32");
            }
        }
        if self.token_keys.as_ref().is_some_and(|keys| is_example(keys)) {
            return bad("token-keys", "has a key that was published as an example");
        }
        // The database's is in an address that is not always a URL: whoever connects looks.
        let redis = self.redis_url.as_ref().and_then(|address| url::Url::parse(address).ok());
        let password = redis.as_ref().and_then(|url| url.password()).unwrap_or_default();
        if is_well_known(password.as_bytes()) {
            return Err(well_known("redis-url"));
        }
        Ok(())
    }

    /// The signing keys; an edge and a worker cannot be without.
    pub fn keys(&self) -> Result<Keys, BadSetting> {
        let text = required("token-keys", &self.token_keys)?;
        Keys::parse(text).map_err(|e| BadSetting("token-keys", e))
    }

    /// Where PostgreSQL is.
    pub fn database(&self) -> Result<&str, BadSetting> {
        required("database-url", &self.database_url)
    }

    /// Where Redis is.
    pub fn redis(&self) -> Result<&str, BadSetting> {
        required("redis-url", &self.redis_url)
    }

    /// The portal's address, likewise without a slash at its end.
    pub fn admin_base(&self) -> &str {
        self.admin_url.trim_end_matches('/')
    }

    /// The edge's public address without a slash at its end.
    pub fn public_base(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }
}

/// Whether a password is one that everybody knows.
pub fn is_well_known(password: &[u8]) -> bool {
    WELL_KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(password))
}

/// That of a setting is one.
pub fn well_known(name: &'static str) -> BadSetting {
    BadSetting(name, "has a password that everybody knows".to_owned())
}

/// Whether a secret was published.
fn is_example(secret: &str) -> bool {
    EXAMPLES.iter().any(|example| secret.contains(example))
}

fn required<'a>(name: &'static str, value: &'a Option<String>) -> Result<&'a str, BadSetting> {
    value.as_deref().ok_or_else(|| BadSetting(name, "is required".to_owned()))
}

fn flag_of(variable: &str) -> &'static str {
    match variable {
        "TRIBUTARY_DATABASE_URL" => "database-url",
        "TRIBUTARY_REDIS_URL" => "redis-url",
        "TRIBUTARY_TOKEN_KEYS" => "token-keys",
        _ => "admin-key",
    }
}

fn masked<S: serde::Serializer>(value: &Option<String>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(_) => s.serialize_str("********"),
        None => s.serialize_none(),
    }
}
