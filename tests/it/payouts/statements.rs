//! Statements foot: opening and movements are the closing, month after month.

use serde_json::{Value, json};

use super::{World, code, refused, text, usd};
use crate::harness::http;
use crate::rooms::FORM;

impl World {
    /// This month, and the one before, by the database.
    async fn months(&self) -> [String; 2] {
        let month = "select to_char(now() at time zone 'UTC' - make_interval(months => ";
        let this = self.told(&format!("{month} 0), 'YYYY-MM')")).await;
        [this, self.told(&format!("{month} 1), 'YYYY-MM')")).await]
    }

    /// Makes what is in the books so far a month older than it is.
    async fn age(&self) {
        self.app
            .execute(
                "alter table transfers disable trigger transfers_are_final;
                          update transfers set created_at = created_at - interval '1 month';
                          alter table transfers enable trigger transfers_are_final",
            )
            .await;
    }
}

#[tokio::test]
async fn a_month_ends_where_the_next_begins() {
    let w = World::start().await;
    w.sell("A-1", "20").await;
    w.sell("A-2", "35").await;
    w.age().await;
    let run = w.run().await;
    let id = text(&run["payouts"][0], "id");
    w.step(&format!("payouts/{id}/approve"), Value::Null).await;
    w.step(&format!("payouts/{id}/pay"), Value::Null).await;
    w.sell("=A-3", "10").await;
    let [this, before] = w.months().await;
    let statement = async |month: &str| {
        w.get(&format!("statements?affiliate_id={}&month={month}", w.seed.affiliate_id)).await
    };
    let old = statement(&before).await;
    let account = &old["data"][0];
    assert_eq!((&account["opening"], &account["closing"]), (&usd("0.00"), &usd("5.50")));
    let row = |at: usize| {
        let m = &account["movements"][at];
        (m["code"].clone(), m["order_id"].clone(), m["amount"].clone(), m["balance"].clone())
    };
    assert_eq!(row(0), (json!("approve"), json!("A-1"), usd("2.00"), usd("2.00")));
    assert_eq!(row(1), (json!("approve"), json!("A-2"), usd("3.50"), usd("5.50")));
    let new = statement(&this).await;
    let account = &new["data"][0];
    assert_eq!((&account["opening"], &account["closing"]), (&usd("5.50"), &usd("1.00")));
    let codes: Vec<String> =
        account["movements"].as_array().unwrap().iter().map(|m| text(m, "code")).collect();
    assert_eq!(codes, ["pay", "approve"]);
    assert_eq!(account["movements"][0]["amount"], usd("-5.50"));
    assert_eq!((&new["month"], &new["affiliate_id"]), (&json!(this), &json!(w.seed.affiliate_id)));

    // He himself needs not say who he is, and is shown nobody else's.
    let path = format!("statements?month={this}");
    let own = w.app.api_as(&w.seed.affiliate_key, "GET", &path, Value::Null).await;
    assert_eq!(own.json(), new);
    let path = format!("statements?month={this}&affiliate_id=7");
    let other = w.app.api_as(&w.seed.affiliate_key, "GET", &path, Value::Null).await;
    assert_eq!(code(&other), refused(404, "not_found"));

    // Of what was given by hand it tells why, and of which month the table is.
    let gift = json!({"program_id": w.seed.program_id, "affiliate_id": w.seed.affiliate_id,
                      "amount": usd("2.00"), "reason": "=a gift"});
    assert_eq!(w.post("adjustments", gift).await.status, 201);
    let adjusted = statement(&this).await["data"][0]["movements"][2].clone();
    assert_eq!((&adjusted["code"], &adjusted["reason"]), (&json!("adjust"), &json!("=a gift")));
    assert_eq!(account["movements"][0]["reason"], Value::Null);
    let path = format!("statements?affiliate_id={}&month={this}&format=csv", w.seed.affiliate_id);
    let csv = w.app.api_as(&w.seed.advertiser_key, "GET", &path, Value::Null).await.text();
    let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 6, "{csv}");
    let ends = |at: usize, what: &str, end: &str| {
        let line = lines[at];
        assert!(line.contains(what) && line.ends_with(end), "{line}: {what} {end}");
    };
    let month = format!(",\"{this}\",\"\",");
    ends(1, "\"opening\"", &format!("5.50{month}\"\""));
    ends(3, "\"'=A-3\"", &format!("1.00,1.00{month}\"\""));
    ends(4, "\"adjust\"", &format!("2.00,3.00{month}\"'=a gift\""));
    ends(5, "\"closing\"", &format!("3.00{month}\"\""));
}

#[tokio::test]
async fn what_is_not_payable_yet_stands_beside() {
    let w = World::start().await;
    let sale = w.sell("A-1", "20").await;
    let url = format!("{}/t/{}.gif?id=A-2&amount=40", w.app.edge_url, w.seed.code);
    crate::harness::http("GET", &url, &[("cookie", &w.cookie)], b"").await;
    let url = format!("{}/t/{}.gif?id=A-3&amount=30&currency=EUR", w.app.edge_url, w.seed.code);
    crate::harness::http("GET", &url, &[("cookie", &w.cookie)], b"").await;
    w.app.settle().await;
    w.post(&format!("conversions/{sale}/reject"), json!({"reason": "sent back"})).await;
    let [this, _] = w.months().await;
    let program = &w.seed.program_id;
    let path = format!(
        "statements?affiliate_id={}&month={this}&program_id={program}",
        w.seed.affiliate_id
    );
    let statement = w.get(&path).await;
    let accounts = statement["data"].as_array().unwrap();
    assert_eq!(accounts.len(), 2, "{statement}");
    let eur = json!({"amount": "3.00", "currency": "EUR"});
    assert_eq!((&accounts[0]["pending"], &accounts[0]["movements"]), (&eur, &json!([])));
    assert_eq!((&accounts[1]["pending"], &accounts[1]["closing"]), (&usd("4.00"), &usd("0.00")));
    assert_eq!(accounts[1]["movements"].as_array().unwrap().len(), 2, "approved, then rejected");
}

#[tokio::test]
async fn a_statement_is_of_a_month_and_somebody() {
    let w = World::start().await;
    for (path, pointers) in [
        ("statements", vec!["month", "affiliate_id"]),
        ("statements?month=2026-13&affiliate_id=7", vec!["month"]),
        ("statements?month=2026-01", vec!["affiliate_id"]),
    ] {
        let answer = w.app.api("GET", path, Value::Null).await;
        let errors = answer.json()["errors"].clone();
        let found: Vec<&str> =
            errors.as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!((answer.status, found), (422, pointers), "{path}");
    }
    let path = format!("statements?month=2026-01&affiliate_id={}", w.seed.affiliate_id);
    assert_eq!(w.get(&path).await["data"], json!([]));
    let nobody = w.app.api("GET", "statements?month=2026-01&affiliate_id=7", Value::Null).await;
    assert_eq!(code(&nobody), refused(404, "not_found"));
}

#[tokio::test]
async fn a_month_begins_in_the_advertisers_time_zone() {
    let w = World::start().await;
    w.sell("A-1", "20").await;
    let [_, before] = w.months().await;
    let (advertiser, zone) = (&w.seed.advertiser_id, "Asia/Tokyo");
    w.app
        .execute(&format!(
            "alter table transfers disable trigger transfers_are_final;
         update transfers set created_at = ('{before}-01'::timestamp at time zone '{zone}');
         alter table transfers enable trigger transfers_are_final;
         update advertisers set timezone = '{zone}' where id = {advertiser}"
        ))
        .await;
    let path = format!("statements?affiliate_id={}&month={before}", w.seed.affiliate_id);
    let account = w.get(&path).await["data"][0].clone();
    assert_eq!((&account["opening"], &account["closing"]), (&usd("0.00"), &usd("2.00")));
    assert_eq!(text(&account["movements"][0], "day"), format!("{before}-01"));
}

impl World {
    /// A page of the portal, as who has a key sees it.
    async fn page(&self, key: &str, path: &str) -> String {
        let url = format!("{}/sign-in", self.app.admin_url);
        let signed = http("POST", &url, &[FORM], format!("key={key}").as_bytes()).await;
        let cookie = signed.header("set-cookie").unwrap().split(';').next().unwrap();
        let url = format!("{}{path}", self.app.admin_url);
        http("GET", &url, &[("cookie", cookie)], b"").await.text()
    }
}

#[tokio::test]
async fn what_is_told_of_a_movement_is_true_whatever_moved_it() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let lost =
        json!({"order_id": "A-1", "chargeback_id": "CB-1", "status": "lost", "amount": usd("50")});
    w.tell("chargebacks", lost).await;
    let path = format!("/advertiser/sales/{sale}");
    let page = w.page(&w.seed.advertiser_key, &path).await;
    assert!(page.contains("<dt>Taken back</dt><dd>5.00 USD</dd>"), "{page}");
    w.step(&format!("conversions/{sale}/reject"), json!({"reason": "a fraud"})).await;
    // The chargeback is still lost, and yet what it took comes back before all of it goes.
    let page = w.page(&w.seed.affiliate_key, "/affiliate/statement").await;
    for told in [
        "taken back: the buyer has money back",
        "put back: what a refund or chargeback took",
        "rejected",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = w.page(&w.seed.advertiser_key, &path).await;
    assert!(page.contains("<dt>Rejected</dt><dd>10.00 USD</dd>"), "{page}");
    assert!(page.contains("<dt>Commission left</dt><dd>0.00 USD</dd>"), "{page}");
    assert!(!page.contains("<dt>Taken back</dt>"), "{page}");
}
