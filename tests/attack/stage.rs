//! What is attacked: an installation with an admin beside edge and worker, and whether it is still sound.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tributary::dev::client;

use crate::installation::{Installation, Wanted, execute, free_address};
use crate::ops::{metric, until};
use crate::role::{Plan, Role};

pub const OPERATOR: &str = "9f2c51d7-operator-of-the-attacked-one";
/// The tracking code's, in the seed.
pub const SECRET: &str = "a-secret-of-more-than-32-characters";
/// A link that nobody follows of his own will.
const MORE: &str = "
    insert into links (id, program_id, affiliate_id, code) values (6, 3, 2, 'poison');
    update tracking_codes set redirect_url = 'https://shop.example/thanks?id={id}' where id = 5";

pub struct Stage {
    pub all: Installation,
    pub admin: Role,
    pub admin_url: String,
}

impl Stage {
    /// With flags of edge and admin beside the usual ones.
    pub async fn set(flags: Vec<(&'static str, String)>) -> Stage {
        let all = Installation::start(Wanted { flags, ..Wanted::default() }).await;
        execute(&all.servers.database_url, MORE).await;
        let plan = Plan { name: "admin", ..all.worker.plan.clone() };
        let address = free_address();
        let own = [("admin-listen", address.clone()), ("admin-key", OPERATOR.to_owned())];
        let admin = all.another(&plan, &own);
        let stage = Stage { all, admin, admin_url: format!("http://{address}") };
        stage.all.cookie().await;
        let poison = format!("{}/c/poison", stage.all.edge_url);
        let knows =
            async || client::send("HEAD", &poison, &[], b"").await.is_ok_and(|a| a.status == 302);
        until("the edge knows all links", Duration::from_secs(20), knows).await;
        let programs = async || stage.ask("GET", "programs", &Value::Null).await.is_some();
        until("the admin answers", Duration::from_secs(20), programs).await;
        stage
    }

    /// A key of a new affiliate, and one of a new advertiser: strangers to everybody else.
    pub async fn strangers(&self) -> Vec<String> {
        let affiliate = json!({"name": "Stranger", "email": "s@x.example"});
        let advertiser = json!({"name": "Stranger", "currency": "USD", "timezone": "UTC"});
        let mut keys = Vec::new();
        for (what, fields) in [("affiliate", affiliate), ("advertiser", advertiser)] {
            let made = self.ask("POST", &format!("{what}s"), &fields).await.unwrap();
            let mut key = json!({"role": what});
            key[format!("{what}_id")] = made["id"].clone();
            if what == "advertiser" {
                key["scopes"] = json!(["read", "catalog", "money", "people"]);
            }
            let made = self.ask("POST", "api-keys", &key).await.unwrap();
            keys.push(made["key"].as_str().unwrap().to_owned());
        }
        keys
    }

    /// Asks the admin API as its operator; nothing if it does not answer well.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let url = format!("{}/api/v1/{path}", self.admin_url);
        let bearer = format!("Bearer {OPERATOR}");
        let headers = [("authorization", &*bearer), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = client::send(method, &url, &headers, body.as_bytes()).await.ok()?;
        (answer.status < 300).then(|| answer.json())
    }

    /// Host and port of the edge and of the admin.
    pub fn addresses(&self) -> [String; 2] {
        [&self.all.edge_url, &self.admin_url].map(|url| url["http://".len()..].to_owned())
    }

    /// How many hits the edge has said that it keeps.
    pub async fn received(&self) -> u64 {
        metric(&self.all.edge_ops_url, "tributary_hits_received_total", "").await
    }

    /// Nothing has died or panicked, every hit that was received has its outcome, and `tributary audit`
    /// finds nothing.
    pub async fn is_sound(&mut self) {
        for role in [&mut self.all.edge, &mut self.all.worker, &mut self.admin] {
            let name = role.plan.name;
            assert_eq!(role.has_ended(), None, "the {name} has ended: {}", role.logged());
            let url = format!("{}/livez", role.ops_url());
            let live = client::send("GET", &url, &[], b"").await.map(|answer| answer.status);
            assert_eq!(live, Ok(200), "{name}");
        }
        let log = self.all.edge.logged();
        let panicked = log.lines().find(|line| line.contains("panicked"));
        assert_eq!(panicked, None);
        let received = self.received().await as i64;
        let settled = async || self.all.count("select count(*) from hits").await >= received;
        until("every hit has its outcome", Duration::from_secs(300), settled).await;
        let hits = self.all.count("select count(*) from hits").await;
        assert_eq!(hits, self.received().await as i64, "received = outcomes");
        let database = format!("--database-url={}", self.all.servers.database_url);
        let mut audit = Command::new(env!("CARGO_BIN_EXE_tributary"));
        let audit = audit.args(["audit", &database]).stderr(Stdio::inherit()).output().unwrap();
        let told = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success(), "{told}");
        println!(
            "  sound: {hits} hits received, {hits} outcomes; audit: {} of {0} ok",
            told.lines().count()
        );
    }
}

/// Bytes of memory that a process holds now, and the most that it ever held.
pub fn memory(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    };
    (of("VmRSS:"), of("VmHWM:"))
}
