//! The world of `portal`: two shops with their affiliates, as rows, and a way to walk into their rooms.

use tokio_postgres::{Client, NoTls};
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::sign;

use crate::harness::{Answer, App, http};

/// What a stranger would like to run in somebody's page.
pub const EVIL: &str = "<script>alert(1)</script>";
/// That a body is a form.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A header's value, empty when absent.
pub trait Said {
    fn said(&self, name: &str) -> &str;
}

impl Said for Answer {
    fn said(&self, name: &str) -> &str {
        self.header(name).unwrap_or("")
    }
}

/// Two advertisers and two affiliates, with their keys; the first of each has a sale.
pub struct World {
    pub app: App,
    pub db: Client,
    /// What the ids of hits begin at: they tell the time.
    pub base: i64,
}

impl World {
    pub async fn new() -> World {
        let app = App::start().await;
        let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let base = "select (extract(epoch from now()) * 1000)::bigint << 22";
        let base = db.query_one(base, &[]).await.unwrap().get(0);
        let world = World { app, db, base };
        world.db.batch_execute(include_str!("cases/portal.sql")).await.unwrap();
        for (key, role, owner) in [
            ("key-of-anna-advertiser-0000000000", "advertiser", 1_i64),
            ("key-of-boris-advertiser-000000000", "advertiser", 2),
            ("key-of-xenia-affiliate-0000000000", "affiliate", 11),
            ("key-of-yuri-affiliate-00000000000", "affiliate", 12),
        ] {
            let owns = |r: &str| (r == role).then_some(owner);
            let hash = sign::digest(key.as_bytes());
            let sql = "insert into api_keys (role, advertiser_id, affiliate_id, prefix, hash) values ($1, $2, $3, 'key', $4)";
            let hash = &hash[..];
            world
                .db
                .execute(sql, &[&role, &owns("advertiser"), &owns("affiliate"), &hash])
                .await
                .unwrap();
        }
        world.hits().await;
        world
    }

    /// A pixel that made the sale of 1001, one that was rejected, and another shop's.
    async fn hits(&self) {
        let evil = "amount=19.95&id=%3Cscript%3Ealert(1)%3C/script%3E&key=hush-hush&currency=EUR";
        for (id, program, outcome, reasons, conversion, query) in [
            (1001_i64, 101_i64, "converted", vec![], Some(1001_i64), evil),
            (1002, 101, "rejected", vec!["amount_missing"], None, "id=77"),
            (1003, 102, "converted", vec![], Some(1003), "amount=5&id=boris-order"),
        ] {
            let mut raw = Vec::new();
            let code = format!("code{program}");
            let path = format!("/t/{code}.gif");
            let mut hit = Hit::new(self.base + id, 1_790_000_000_000, Kind::Pixel, Method::Get);
            hit.set(Part::Code, code.as_bytes());
            hit.set(Part::Path, path.as_bytes());
            hit.set(Part::Query, query.as_bytes());
            hit.set(Part::UserAgent, EVIL.as_bytes());
            hit.set(Part::BearerHash, b"digest-of-the-bearer");
            hit.encode(&mut raw);
            let sql = "insert into hits (id, edge_id, seq, received_at, kind, code, program_id, outcome, reasons, conversion_id, raw)
                       values ($1, 1, $1, now(), 'pixel', $2, $3, $4, $5, $6, $7)";
            self.db
                .execute(
                    sql,
                    &[&(self.base + id), &code, &program, &outcome, &reasons, &conversion, &raw],
                )
                .await
                .unwrap();
        }
    }

    /// Signs in; the cookie as a browser sends it back.
    pub async fn cookie(&self, key: &str) -> String {
        let answer = self.post("/sign-in", "", &format!("key={key}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.said("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        let url = format!("{}{path}", self.app.admin_url);
        http("GET", &url, &[("cookie", cookie)], b"").await
    }

    pub async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let url = format!("{}{path}", self.app.admin_url);
        http("POST", &url, &[("cookie", cookie), FORM], form.as_bytes()).await
    }

    /// The path of a hit's page.
    pub fn hit(&self, room: &str, id: i64) -> String {
        format!("{room}/hits/{}", self.base + id)
    }

    pub async fn redirect_url(&self, id: i64) -> Option<String> {
        let sql = "select redirect_url from tracking_codes where id = $1";
        self.db.query_one(sql, &[&id]).await.unwrap().get(0)
    }
}
