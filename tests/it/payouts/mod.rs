//! Payouts and what goes with them, against a real database: a program whose sales are made by pixels and
//! approved by hand.

mod at_once; // who comes second
mod audits; // what the invariants find
mod disputes; // when chargebacks were opened and closed
mod files; // files for banks and PayPal
mod moved; // adjustments and exchanges
mod once; // calls that are done once
mod outdated; // what went back before it was approved
mod paid; // what is paid, and what is not
mod plans; // how rows are found
mod runs; // what a run pays, and what becomes of it
mod statements; // what foots
mod taken_back; // refunds and chargebacks by the API

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tributary::roles;

use crate::harness::{Answer, App, Seed, http};

static KEYS: AtomicU32 = AtomicU32::new(0);

struct World {
    app: App,
    seed: Seed,
    /// The seed's affiliate has this cookie after his link was followed.
    cookie: String,
}

impl World {
    async fn start() -> World {
        World::with(json!({})).await
    }

    /// With some fields of the program as the test wants them.
    async fn with(program: Value) -> World {
        let app = App::start().await;
        let seed = app.seed_with(program).await;
        let cookie = click(&app, &seed.link_code).await;
        World { app, seed, cookie }
    }

    /// A sale of the seed's affiliate, approved: a tenth of it is payable. Returns the conversion's id.
    async fn sell(&self, order: &str, amount: &str) -> String {
        self.sell_by(&self.cookie, order, amount).await
    }

    async fn sell_by(&self, cookie: &str, order: &str, amount: &str) -> String {
        let Seed { code, .. } = &self.seed;
        let url = format!("{}/t/{code}.gif?id={order}&amount={amount}", self.app.edge_url);
        assert_eq!(http("GET", &url, &[("cookie", cookie)], b"").await.status, 200);
        self.app.settle().await;
        let order = order.split('&').next().unwrap();
        let path = format!("conversions?program_id={}&order_id={order}", self.seed.program_id);
        let found = self.get(&path).await;
        let id = found["data"][0]["id"].as_str().unwrap().to_owned();
        let approved =
            self.app.api("POST", &format!("conversions/{id}/approve"), Value::Null).await;
        assert_eq!(approved.json()["status"], "payable", "{}", approved.text());
        id
    }

    /// Another affiliate with a link into the program, and his cookie.
    async fn rival(&self, name: &str) -> (String, String) {
        let affiliate = json!({"name": name, "email": "rival@mail.example"});
        let id = text(&self.app.create("affiliates", affiliate).await, "id");
        let link = json!({"program_id": self.seed.program_id, "affiliate_id": id});
        let code = text(&self.app.create("links", link).await, "code");
        self.app.wait_for_link(&code).await;
        (id, click(&self.app, &code).await)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.app.api("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// A POST of the operator's with a key that is used once.
    async fn post(&self, path: &str, body: Value) -> Answer {
        let number = KEYS.fetch_add(1, Ordering::Relaxed);
        self.post_as(&self.app.admin_key, &format!("key-{number}"), path, body).await
    }

    /// A POST of somebody's with an `Idempotency-Key`.
    async fn post_as(&self, bearer: &str, key: &str, path: &str, body: Value) -> Answer {
        let url = format!("{}/api/v1/{path}", self.app.admin_url);
        let bearer = format!("Bearer {bearer}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", key),
            ("content-type", "application/json"),
        ];
        let bytes = if body.is_null() { String::new() } else { body.to_string() };
        http("POST", &url, &headers, bytes.as_bytes()).await
    }

    /// Runs the program's payouts.
    async fn run(&self) -> Value {
        let answer = self.post("payout-runs", json!({"program_id": self.seed.program_id})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// A run, all of it approved.
    async fn approved(&self) -> Value {
        let run = self.run().await;
        self.step(&format!("payout-runs/{}/approve", text(&run, "id")), Value::Null).await
    }

    /// A run, all of it approved and paid.
    async fn paid(&self) -> Value {
        let run = self.approved().await;
        self.step(&format!("payout-runs/{}/pay", text(&run, "id")), Value::Null).await
    }

    /// A step that must be taken.
    async fn step(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// What the seed's affiliate has: pending, payable, paid, by the books.
    async fn balances(&self) -> [String; 3] {
        let id = &self.seed.affiliate_id;
        let sum = |account: &str| {
            format!(
                "(select coalesce(sum(case when credit_account = 'affiliate_{account}' then amount else 0 end
                                    - case when debit_account = 'affiliate_{account}' then amount else 0 end), 0)::text
                  from transfers where {id} in (credit_owner, debit_owner) and currency = 'USD')"
            )
        };
        let [pending, payable, paid] = ["pending", "payable", "paid"].map(sum);
        let rows = self.app.rows(&format!("select {pending}, {payable}, {paid}")).await;
        [0, 1, 2].map(|at| rows[0].get(at))
    }

    /// One text of the database.
    async fn told(&self, sql: &str) -> String {
        let rows = self.app.rows(sql).await;
        rows.first().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).unwrap()
    }

    /// The books are in order, all of them and what is new alike.
    async fn is_sound(&self) {
        let found = roles::audit(&self.app.store).await.unwrap();
        let broken: Vec<_> = found.into_iter().filter(|(_, rows)| *rows > 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

async fn click(app: &App, link: &str) -> String {
    let answer = http("GET", &format!("{}/c/{link}", app.edge_url), &[], b"").await;
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field} in {value}")).to_owned()
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or("").to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
