//! The admin API from outside: two tenants and their affiliates, each with a key, and how to ask for them.

mod books; // verdicts, and what is due
mod catalogue; // what is made, changed and listed
mod client; // the whole way by a generated client
mod conditional; // what is changed only as it was seen
mod document; // the OpenAPI document and its page
mod input; // bad input
mod looking; // hits and reports
mod plans; // plans with all their options, recruiters and groups
mod roles; // who may what

use serde_json::{Value, json};

use crate::harness::{self, Answer, App};

/// Two tenants and their affiliates, each with a key.
struct World {
    app: App,
    operator: String,
    /// Advertiser, program, tracking code, key.
    acme: Tenant,
    other: Tenant,
    /// Affiliate with a link into acme's program, and into the other's.
    ann: Publisher,
    bob: Publisher,
}

struct Tenant {
    id: String,
    program: String,
    tracking_code: String,
    key: String,
}

struct Publisher {
    id: String,
    link: String,
    key: String,
}

async fn call(app: &App, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let url = format!("{}/api/v1/{path}", app.admin_url);
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    harness::http(method, &url, &headers, &body).await
}

async fn get(app: &App, key: &str, path: &str) -> Value {
    let answer = call(app, key, "GET", path, Value::Null).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

async fn make(app: &App, key: &str, path: &str, body: Value) -> Value {
    let answer = call(app, key, "POST", path, body).await;
    let made = answer.json();
    assert_eq!(answer.status, 201, "{path}: {made}");
    let location = header(&answer, "location").unwrap();
    let path = location.strip_prefix("/api/v1/").unwrap();
    let mut shown = get(app, key, path).await;
    if let Some(key) = made.get("key") {
        shown["key"] = key.clone(); // Shown once.
    }
    assert_eq!(shown, made, "what was made is what is there");
    made
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn pointers(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    json["errors"].as_array().unwrap().iter().map(|e| text(&e["pointer"])).collect()
}

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|row| text(&row["id"])).collect()
}

async fn sql(app: &App, statement: &str) -> Vec<Vec<Option<String>>> {
    let (client, connection) =
        tokio_postgres::connect(&app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let messages = client.simple_query(statement).await.unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
        }
        _ => None,
    });
    rows.collect()
}

async fn tenant(app: &App, operator: &str, name: &str) -> Tenant {
    let advertiser = json!({"name": name, "currency": "USD", "timezone": "America/New_York"});
    let id = text(&make(app, operator, "advertisers", advertiser).await["id"]);
    let program = json!({
        "advertiser_id": id, "name": name, "landing_url": "https://shop.example/",
        "plan": {"kind": "percent", "rate": "10"},
    });
    let program = text(&make(app, operator, "programs", program).await["id"]);
    let code = json!({"program_id": program, "name": "Thanks"});
    let tracking_code = text(&make(app, operator, "tracking-codes", code).await["id"]);
    let all = ["read", "catalog", "money", "people"];
    let key = json!({"role": "advertiser", "advertiser_id": id, "scopes": all});
    let key = text(&make(app, operator, "api-keys", key).await["key"]);
    Tenant { id, program, tracking_code, key }
}

async fn publisher(app: &App, operator: &str, name: &str, program: &str) -> Publisher {
    let affiliate = json!({"name": name, "email": format!("{name}@mail.example")});
    let id = text(&make(app, operator, "affiliates", affiliate).await["id"]);
    let link = json!({"program_id": program, "affiliate_id": id});
    let link = text(&make(app, operator, "links", link).await["id"]);
    let key = json!({"role": "affiliate", "affiliate_id": id, "name": "laptop"});
    let key = text(&make(app, operator, "api-keys", key).await["key"]);
    Publisher { id, link, key }
}

impl World {
    async fn start() -> World {
        let app = App::start().await;
        let operator = app.admin_key.clone();
        let acme = tenant(&app, &operator, "acme").await;
        let other = tenant(&app, &operator, "other").await;
        let ann = publisher(&app, &operator, "ann", &acme.program).await;
        let bob = publisher(&app, &operator, "bob", &other.program).await;
        World { app, operator, acme, other, ann, bob }
    }

    /// Books a pending conversion of acme's program, with its hit and its accrual.
    async fn book(&self, id: i64, affiliate: Option<&Publisher>, amount: &str, commission: &str) {
        let (affiliate_id, link_id, by, click_id) = match affiliate {
            Some(a) => (a.id.clone(), a.link.clone(), "'cookie'", (id - 1).to_string()),
            None => ("null".to_owned(), "null".to_owned(), "null", "null".to_owned()),
        };
        let program = &self.acme.program;
        let (advertiser, at) = (&self.acme.id, "timestamptz '2026-03-01 02:00Z'");
        let told = |value: Value| json!({"unverified": true, "hit": id, "value": value});
        let evidence = affiliate.map(|a| {
            let (affiliate_id, link_id) = (a.id.parse::<i64>().unwrap(), a.link.parse::<i64>().unwrap());
            told(json!({"by": "cookie", "affiliate_id": affiliate_id, "link_id": link_id, "click_id": id - 1, "at_ms": 0}))
        });
        let facts = json!({
            "speaker": told(json!(1_772_330_400_000_i64)), "order_id": format!("O-{id}"),
            "money": told(json!({"amount": amount, "currency": "USD"})), "coupon": null, "customer": null,
            "new_customer": null, "items": null, "attribution": evidence, "channels": 2, "clicks": [],
            "amount_differs": false, "revived": false, "notes": ["x"],
        });
        let mut statement = format!(
            "insert into conversions (id, program_id, kind, order_key, order_id, amount, currency,
               affiliate_id, link_id, click_id, attributed_by, plan_id, commission,
               commission_currency, status, held, hold_until, verified, received_at, reasons, facts)
             select {id}, {program}, 'sale', 'id:O-{id}', 'O-{id}', {amount}, 'USD', {affiliate_id},
               {link_id}, {click_id}, {by}, id, {commission}, 'USD', 'pending', true,
               now() + interval '30 days', false, {at}, '{{unsigned_held}}', '{facts}'
             from plans where program_id = {program};
             insert into hits (id, edge_id, seq, received_at, kind, code, program_id, outcome,
               reasons, conversion_id, raw)
             values ({id}, 1, {id}, {at}, 'pixel', 'c', {program}, 'held', '{{unsigned_held}}', {id}, '');"
        );
        if affiliate.is_some() && commission != "0" {
            statement += &format!(
                "insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner,
                   credit_account, credit_owner, amount, currency, event_at)
                 values ({id}, 'accrue', {id}, 'advertiser', {advertiser}, 'affiliate_pending',
                   {affiliate_id}, {commission}, 'USD', {at});"
            );
        }
        sql(&self.app, &statement).await;
    }

    async fn click(&self, id: i64, by: &Publisher, at: &str, s1: &str) {
        let program = &self.acme.program;
        let (affiliate, link) = (&by.id, &by.link);
        let statement = format!(
            "insert into clicks (id, program_id, affiliate_id, link_id, clicked_at, s1)
             values ({id}, {program}, {affiliate}, {link}, '{at}', nullif('{s1}', ''))"
        );
        sql(&self.app, &statement).await;
    }

    /// Code, from, to and amount of a conversion's transfers, in order.
    async fn transfers(&self, id: i64) -> Vec<String> {
        let statement = format!(
            "select code || ' ' || debit_account || ' ' || credit_account || ' ' || amount
             from transfers where conversion_id = {id} order by id"
        );
        sql(&self.app, &statement).await.into_iter().map(|row| row[0].clone().unwrap()).collect()
    }
}
