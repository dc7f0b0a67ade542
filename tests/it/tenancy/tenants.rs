//! The world of the matrix: two whole tenants, everybody who may ask, and what each must never be told.

use std::collections::HashMap;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_postgres::{Client, NoTls};
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::sign;
use tributary::roles;
use tributary::store::Store;

use crate::harness::{App, http};
use crate::rooms::{FORM, Said};

/// What the ids of a tenant begin with: of tenant 1 and of tenant 2.
pub const IDS: [&str; 2] = ["75100000000000000", "75200000000000000"];
/// A hit of nobody's: its code is unknown. The operator's alone.
const NOBODYS: &str = "canary-0";

/// Somebody who asks.
pub struct Caller {
    pub name: &'static str,
    pub key: String,
    pub cookie: String,
    /// Whose side he is on: tenant 0 or 1 of `IDS`; the operator and strangers are on none.
    pub side: Option<usize>,
    /// Whether he is an advertiser; if not, and on a side, its affiliate.
    pub sells: bool,
    /// Whether he may change what is his own.
    pub changes: bool,
}

impl Caller {
    pub fn is_operator(&self) -> bool {
        self.name == "operator"
    }

    /// What must not be in any answer to him.
    pub fn never(&self) -> Vec<String> {
        let Some(side) = self.side else {
            let all = ["canary-", IDS[0], IDS[1]].map(str::to_owned).to_vec();
            return if self.is_operator() { Vec::new() } else { all };
        };
        let (own, other) = (side + 1, 2 - side);
        let mut never =
            vec![format!("canary-{other}"), IDS[1 - side].to_owned(), NOBODYS.to_owned()];
        let private: &[&str] = match (self.sells, self.changes) {
            (true, true) => &["email", "by"],
            (true, false) => &["email", "by", "secret", "payee", "payer"],
            _ => &["secret", "raw", "rejection", "error", "keyname", "by", "payer", "note"],
        };
        never.extend(private.iter().map(|what| format!("{what}-canary-{own}")));
        never
    }
}

/// Both tenants in one database, and two servers on it.
pub struct World {
    pub app: App,
    pub db: Client,
    pub callers: Vec<Caller>,
    /// The API and the portal as they are.
    pub url: String,
    /// The same without the filters of their statements.
    pub unfiltered_url: String,
    _stop: watch::Sender<bool>,
}

impl World {
    pub async fn start() -> World {
        let app = App::start().await;
        let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let (stop, stopped) = watch::channel(false);
        let ids = IDS.map(|base| [1, 2].map(|row| format!("{base}0{row}").parse::<i64>().unwrap()));
        let strangers: HashMap<i64, i64> = (0..2)
            .flat_map(|row| [(ids[0][row], ids[1][row]), (ids[1][row], ids[0][row])])
            .collect();
        let unfiltered = Store::for_api(&app.database_url, 4).unwrap().without_filters(strangers);
        let unfiltered_url = serve(&app, unfiltered, stopped).await;
        let url = app.admin_url.clone();
        let mut world = World { app, db, callers: Vec::new(), url, unfiltered_url, _stop: stop };
        for side in 0..2 {
            world.db.batch_execute(&tenant(side)).await.unwrap();
        }
        let unknown = format!(
            "insert into hits (id, edge_id, seq, received_at, kind, code, outcome, raw)
             values (7530000000000000001, 0, 1, now(), 'pixel', '{NOBODYS}', 'rejected', '{NOBODYS}')"
        );
        world.db.batch_execute(&unknown).await.unwrap();
        world.meet().await;
        world
    }

    /// Gives everybody a key and signs him in.
    async fn meet(&mut self) {
        let operator = self.app.admin_key.clone();
        for (name, side, sells) in [
            ("advertiser A", Some(0), true),
            ("advertiser B", Some(1), true),
            ("staff of A who only read", Some(0), true),
            ("affiliate X", Some(0), false),
            ("affiliate Y", Some(1), false),
            ("revoked key", None, true),
            ("no key", None, false),
            ("operator", None, false),
        ] {
            let (key, row) = match name {
                "operator" => (operator.clone(), None),
                "no key" => (String::new(), None),
                "revoked key" => (format!("key of {name}"), Some(("12", 0))),
                "staff of A who only read" => (format!("key of {name}"), Some(("14", 0))),
                _ => (
                    format!("key of {name}"),
                    Some((if sells { "08" } else { "09" }, side.unwrap())),
                ),
            };
            if let Some((row, side)) = row {
                self.keep_key(&key, &format!("{}{row}", IDS[side]), side, sells).await;
            }
            let changes = sells && !name.starts_with("staff");
            if sells && !changes {
                let read = "update api_keys set scopes = '{read}' where id = ";
                self.db.batch_execute(&format!("{read}{}14", IDS[0])).await.unwrap();
            }
            let cookie = self.sign_in(&key).await;
            self.callers.push(Caller { name, key, cookie, side, sells, changes });
        }
        for (side, base) in IDS.iter().enumerate() {
            // One that nobody uses, to be revoked.
            self.keep_key(&format!("spare {side}"), &format!("{base}10"), side, true).await;
        }
        let revoke = format!("update api_keys set revoked_at = now() where id = {}12", IDS[0]);
        self.db.batch_execute(&revoke).await.unwrap();
    }

    async fn keep_key(&self, key: &str, id: &str, side: usize, sells: bool) {
        let owner = format!("{}{}", IDS[side], if sells { "01" } else { "02" });
        let (role, column, scopes) = match sells {
            true => ("advertiser", "advertiser_id", "read,catalog,money,people"),
            false => ("affiliate", "affiliate_id", "read"),
        };
        let hash = hex::encode(sign::digest(key.as_bytes()));
        let statement = format!(
            "insert into api_keys (id, role, {column}, name, prefix, hash, scopes)
             values ({id}, '{role}', {owner}, 'keyname-canary-{}', 'key', '\\x{hash}', '{{{scopes}}}')",
            side + 1
        );
        self.db.batch_execute(&statement).await.unwrap();
    }

    /// The cookie of a new session; empty when the key opens none.
    pub async fn sign_in(&self, key: &str) -> String {
        let form = format!("key={}", key.replace(' ', "+"));
        let url = format!("{}/sign-in", self.url);
        let answer = http("POST", &url, &[FORM], form.as_bytes()).await;
        answer.said("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// All that is of each tenant, in short: rows that bear its ids or its name. Not that a key was used.
    pub async fn digests(&self) -> [String; 2] {
        let tables = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
                      and relname not in ('sessions', 'catalog_state', 'refinery_schema_history', 'audit_log')";
        let tables = self.db.query(tables, &[]).await.unwrap();
        let side = |n: usize| {
            let of = |row: &tokio_postgres::Row| {
                let name: &str = row.get(0);
                format!(
                    "select (to_jsonb(t) - 'last_used_at')::text as row from {name} t where t::text ~ 'canary-{}|{}'",
                    n + 1,
                    IDS[n]
                )
            };
            let all = tables.iter().map(of).collect::<Vec<_>>().join(" union all ");
            format!("(select md5(string_agg(row, '|' order by row)) from ({all}) rows)")
        };
        let row =
            self.db.query_one(&format!("select {}, {}", side(0), side(1)), &[]).await.unwrap();
        [row.get(0), row.get(1)]
    }

    /// Switches row security for all tables.
    pub async fn rows_secured(&self, on: bool) {
        let word = if on { "enable" } else { "disable" };
        let statement = format!(
            "do $$ declare name text; begin
               for name in select relname from pg_class where relkind = 'r'
                           and relnamespace = 'public'::regnamespace and relname <> 'refinery_schema_history' loop
                 execute format('alter table %I {word} row level security', name);
               end loop;
             end $$"
        );
        self.db.batch_execute(&statement).await.unwrap();
    }
}

/// The rows of a tenant.
fn tenant(side: usize) -> String {
    let n = (side + 1).to_string();
    let mut raw = Vec::new();
    let mut hit = Hit::new(1, 1_790_000_000_000, Kind::Pixel, Method::Get);
    let [code, name] = ["code", "raw"].map(|what| format!("{what}-canary-{n}"));
    let query = format!("id={name}&amount=20");
    hit.set(Part::Code, code.as_bytes());
    hit.set(Part::Query, query.as_bytes());
    hit.set(Part::UserAgent, name.as_bytes());
    hit.encode(&mut raw);
    let rows = include_str!("../cases/tenants.sql");
    rows.replace("{raw}", &format!("\\x{}", hex::encode(raw)))
        .replace("{b}", IDS[side])
        .replace("{n}", &n)
}

async fn serve(app: &App, store: Store, stopped: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = app.settings.clone();
    tokio::spawn(async move {
        roles::admin_of(&settings, store, listener, stopped).await.unwrap();
    });
    url
}
