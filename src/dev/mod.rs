//! `tributary dev`: what it takes beside the roles. Private servers, keys and a journal under one data
//! directory, demo data, a demo shop, and a summary for a person and for a program. `main` binds the
//! listeners, calls `prepare`, starts the roles, calls `open`, serves the shop, and in the end `stop`.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::{Dev, Settings};
use crate::domain::catalog::Model;
use crate::domain::snippet::{self, Addresses};
use demo::Demo;
use servers::{Servers, random_hex, write_private};
use shop::Shop;

pub mod client;
mod demo;
mod guard;
mod postgres;
pub mod servers;
pub mod shop;

/// What the settings say when nobody said anything; then the data directory decides.
const JOURNAL_DIR: &str = "journal";
const PUBLIC_URL: &str = "http://127.0.0.1:8080";
const ADMIN_URL: &str = "http://127.0.0.1:8081";
/// For the edge to learn of the demo link.
const CATALOG_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the listeners can be reached from this machine, without a slash at the end.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Urls {
    pub edge: String,
    pub admin: String,
    pub ops: String,
    pub shop: String,
}

/// Where a listener can be reached from this machine.
pub fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://{}:{}", Ipv4Addr::LOCALHOST, address.port());
    }
    format!("http://{address}")
}

/// Where the shop can be reached. Another host name than the edge's makes it another site to a browser.
pub fn shop_url(address: SocketAddr) -> String {
    format!("http://localhost:{}", address.port())
}

/// What the roles can be started with.
pub struct Prepared {
    /// Complete: servers, journal, keys and public address are filled in.
    pub settings: Settings,
    urls: Urls,
    data_dir: PathBuf,
    servers: Servers,
}

/// The secrets of a data directory.
#[derive(Serialize, Deserialize)]
struct Secrets {
    token_keys: String,
    admin_key: String,
}

/// Starts the private servers and fills in the settings. It never uses other servers than its own, whatever
/// the environment says: demo data have no business in them.
pub async fn prepare(dev: &Dev, urls: &Urls) -> Result<Prepared, String> {
    let claim = servers::claim(&dev.data_dir)?;
    let data_dir = claim.data_dir().to_owned();
    let _ = fs::remove_file(data_dir.join("dev.json"));
    let servers = claim.start().await?;
    let secrets = secrets(&data_dir.join("secrets.json"))?;
    let mut settings = dev.settings.clone();
    settings.database_url = Some(servers.database_url.clone());
    settings.redis_url = Some(servers.redis_url.clone());
    settings.token_keys.get_or_insert(secrets.token_keys);
    settings.admin_key.get_or_insert(secrets.admin_key);
    if settings.journal_dir == *JOURNAL_DIR {
        settings.journal_dir = data_dir.join(JOURNAL_DIR);
    }
    if settings.public_base() == PUBLIC_URL {
        settings.public_url = urls.edge.clone();
    }
    if settings.admin_base() == ADMIN_URL {
        settings.admin_url = urls.admin.clone();
    }
    let journal_dir = &settings.journal_dir;
    fs::create_dir_all(journal_dir)
        .and_then(|()| fs::set_permissions(journal_dir, Permissions::from_mode(0o700)))
        .map_err(|e| format!("cannot make {}: {e}", journal_dir.display()))?;
    Ok(Prepared { settings, urls: urls.clone(), data_dir, servers })
}

/// The keys of a data directory: kept, or made and kept.
fn secrets(file: &std::path::Path) -> Result<Secrets, String> {
    if let Ok(bytes) = fs::read(file) {
        return serde_json::from_slice(&bytes)
            .map_err(|e| format!("{} is broken: {e}", file.display()));
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| format!("there is no randomness: {e}"))?;
    let token_keys = format!("dev:{}", URL_SAFE_NO_PAD.encode(key));
    let secrets = Secrets { token_keys, admin_key: random_hex(24)? };
    write_private(file, &serde_json::to_string(&secrets).map_err(|e| e.to_string())?)?;
    Ok(secrets)
}

impl Prepared {
    /// Makes the demo data, once the roles are served, and tells that everything is ready: to a program by
    /// `dev.json`, to a person on standard output. What it returns is to be served on the shop's listener.
    pub async fn open(&self) -> Result<Shop, String> {
        let admin_url = &self.urls.admin;
        let admin_key = self.settings.admin_key.as_deref().unwrap_or_default();
        let shop_url = &self.urls.shop;
        let demo = demo::open(&self.data_dir, admin_url, admin_key, shop_url).await?;
        self.wait_for_link(&demo.link_code).await?;
        let edge_base = self.settings.public_base().to_owned();
        let Addresses { pixel_url, form_url, .. } = snippet::addresses(&edge_base, &demo.code);
        let Demo { click_param, coupon, .. } = demo.clone();
        let shop = Shop { edge_base, click_param, pixel_url, form_url, coupon };
        let told = self.tell(&demo, &shop);
        write_private(&self.data_dir.join("dev.json"), &format!("{told:#}\n"))?;
        // Whoever reads no further has read enough.
        let _ = writeln!(std::io::stdout(), "{}", self.summary(&demo, &shop));
        Ok(shop)
    }

    /// Stops the private servers, keeping what they hold.
    pub async fn stop(self) {
        let _ = fs::remove_file(self.data_dir.join("dev.json"));
        self.servers.stop().await;
    }

    /// The edge follows the catalog; a `HEAD` asks without counting a click.
    async fn wait_for_link(&self, code: &str) -> Result<(), String> {
        let url = format!("{}/c/{code}", self.urls.edge);
        let started = Instant::now();
        while client::send("HEAD", &url, &[], b"").await?.status != 302 {
            if started.elapsed() > CATALOG_TIMEOUT {
                return Err("the edge does not learn of the demo link".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn tell(&self, demo: &Demo, shop: &Shop) -> serde_json::Value {
        json!({
            "edge_url": shop.edge_base,
            "admin_url": self.urls.admin,
            "ops_url": self.urls.ops,
            "admin_key": self.settings.admin_key,
            "database_url": self.settings.database_url,
            "redis_url": self.settings.redis_url,
            "demo": {
                "shop_url": demo.shop_url,
                "link_url": snippet::link_url(&shop.edge_base, &demo.link_code),
                "pixel_url": shop.pixel_url,
                "form_url": shop.form_url,
                "affiliate_key": demo.affiliate_key,
                "advertiser_key": demo.advertiser_key,
            },
        })
    }

    fn summary(&self, demo: &Demo, shop: &Shop) -> String {
        let admin_url = &self.urls.admin;
        let link_url = snippet::link_url(&shop.edge_base, &demo.link_code);
        let tag = snippet::TagTerms {
            click_param: demo.click_param.clone(),
            consent: false,
            model: Model::LastClick,
            window_days: 30,
        };
        let ready = snippet::snippets(&shop.edge_base, &demo.code, &tag);
        let rows = [
            (
                "Affiliate's link",
                format!("{link_url}\n{:22}open it, and buy in the shop it leads to", ""),
            ),
            ("Demo shop", format!("{}/", demo.shop_url)),
            ("Image tag", ready.img),
            (
                "Form",
                format!(
                    "<form action=\"{}\" method=\"post\">: amount, id, currency",
                    shop.form_url
                ),
            ),
            ("Portal", format!("{admin_url}/  sign in with a key:")),
            ("  affiliate's key", format!("{}  (clicks, sales, commissions)", demo.affiliate_key)),
            ("  advertiser's key", format!("{}  (snippets, hits)", demo.advertiser_key)),
            ("Admin API", format!("{admin_url}/api/v1")),
            ("  operator's key", "admin_key in dev.json".to_owned()),
            ("Metrics", format!("{}/metrics", self.urls.ops)),
            ("Files", self.data_dir.display().to_string()),
        ];
        let lines = rows.map(|(name, value)| format!("  {name:20}{value}\n"));
        format!("\nTributary is ready.\n\n{}\nCtrl-C stops it; the data stay.\n", lines.concat())
    }
}
