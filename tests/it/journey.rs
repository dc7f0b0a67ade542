//! The whole way, as stories: an affiliate shares a link, a buyer buys, the affiliate sees the commission.
//! Then the cases in which other trackers lose or double sales.

use serde_json::Value;

use crate::harness::{App, Seed, http};

/// A visitor with a browser's cookie jar for the edge.
#[derive(Default, Clone)]
struct Visitor {
    cookie: String,
    token: String,
}

impl Visitor {
    /// Follows an affiliate's link.
    async fn clicks(app: &App, link: &str) -> Visitor {
        let answer = http("GET", &format!("{}/c/{link}?s1=blog", app.edge_url), &[], b"").await;
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let token = cookie.split_once('=').unwrap().1.to_owned();
        Visitor { cookie, token }
    }

    /// Loads the pixel of a thank-you page.
    async fn buys(&self, app: &App, seed: &Seed, query: &str) {
        let url = format!("{}/t/{}.gif?{query}", app.edge_url, seed.code);
        let answer = http("GET", &url, &[("cookie", &self.cookie)], b"").await;
        assert_eq!((answer.status, answer.body.len()), (200, 43));
    }
}

async fn postback(app: &App, seed: &Seed, body: &str) -> u16 {
    let bearer = format!("Bearer {}", seed.secret);
    let url = format!("{}/postback/{}", app.edge_url, seed.code);
    http("POST", &url, &[("authorization", &bearer)], body.as_bytes()).await.status
}

/// The conversions of a program, newest first, as the API has them.
async fn conversions(app: &App, seed: &Seed) -> Vec<Value> {
    app.settle().await;
    let path = format!("conversions?program_id={}", seed.program_id);
    app.api("GET", &path, Value::Null).await.json()["data"].as_array().unwrap().clone()
}

/// Another affiliate's link into the same program.
async fn rival(app: &App, seed: &Seed) -> (String, String) {
    let affiliate = serde_json::json!({"name": "Rival", "email": "rival@example.com"});
    let affiliate = app.create("affiliates", affiliate).await;
    let id = affiliate["id"].as_str().unwrap().to_owned();
    let link = serde_json::json!({"program_id": seed.program_id, "affiliate_id": id});
    let code = app.create("links", link).await["code"].as_str().unwrap().to_owned();
    app.wait_for_link(&code).await;
    (id, code)
}

#[tokio::test]
async fn the_affiliate_sees_his_commission_to_the_cent() {
    let app = App::start().await;
    let seed = app.seed().await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    visitor.buys(&app, &seed, "amount=19.95&id=11001").await;
    let form = format!("{}/t/{}", app.edge_url, seed.code);
    let body = b"amount=39.95&id=110001";
    http("POST", &form, &[("cookie", &visitor.cookie)], body).await;
    let sale = format!("amount=100&id=11002&tclid={}", visitor.token);
    assert_eq!(postback(&app, &seed, &sale).await, 200);
    app.settle().await;

    let report = app
        .api_as(&seed.affiliate_key, "GET", "reports/commissions?group_by=program", Value::Null)
        .await;
    let rows = report.json()["data"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["clicks"], 1);
    assert_eq!(rows[0]["conversions"], 3);
    let money = |amount: &str| serde_json::json!({"amount": amount, "currency": "USD"});
    assert_eq!(rows[0]["sales"], money("159.90"));
    // 10 % of each, rounded once for each: 2.00 + 4.00 (half to even) + 10.00.
    assert_eq!(rows[0]["commission"]["pending"], money("16.00"));
    assert_eq!(rows[0]["commission"]["payable"], money("0.00"));

    let by_sub_id = app
        .api_as(&seed.affiliate_key, "GET", "reports/commissions?group_by=s1", Value::Null)
        .await;
    assert_eq!(by_sub_id.json()["data"][0]["s1"], "blog");
}

#[tokio::test]
async fn hold_periods_pass_and_what_was_pending_becomes_payable_once() {
    let app = App::start().await;
    let seed = app.seed_with(serde_json::json!({"hold_days": 30})).await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    visitor.buys(&app, &seed, "amount=50&id=1").await;
    let sale = conversions(&app, &seed).await.remove(0);
    assert_eq!(sale["status"], "pending");
    let now_ms = tributary::roles::now_ms();
    let day_ms = 86_400_000;
    let release = async |days: i64| {
        tributary::worker::release(&app.store, now_ms + days * day_ms).await.unwrap()
    };
    assert_eq!(release(29).await, 0);
    assert_eq!(release(31).await, 1);
    assert_eq!(release(31).await, 0);
    let sale = conversions(&app, &seed).await.remove(0);
    assert_eq!(sale["status"], "payable");
    let approvals = app.rows("select count(*) from transfers where code = 'approve'").await;
    assert_eq!(approvals[0].get::<_, i64>(0), 1);
}

#[tokio::test]
async fn two_orders_of_one_click_are_two_sales() {
    let app = App::start().await;
    let seed = app.seed().await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    visitor.buys(&app, &seed, "amount=10&id=1").await;
    visitor.buys(&app, &seed, "amount=20&id=2").await;
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales.len(), 2);
    assert!(sales.iter().all(|sale| sale["affiliate_id"] == seed.affiliate_id.as_str()));
}

#[tokio::test]
async fn an_order_that_fires_again_is_one_sale() {
    let app = App::start().await;
    let seed = app.seed().await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    for _ in 0..3 {
        visitor.buys(&app, &seed, "amount=10&id=1").await;
        app.settle().await;
    }
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales.len(), 1);
    assert_eq!(sales[0]["hit_ids"].as_array().unwrap().len(), 3, "all are kept");
}

#[tokio::test]
async fn one_order_of_two_clicks_is_one_sale() {
    let app = App::start().await;
    let seed = app.seed().await;
    let (_, link) = rival(&app, &seed).await;
    let (first, second) =
        (Visitor::clicks(&app, &seed.link_code).await, Visitor::clicks(&app, &link).await);
    first.buys(&app, &seed, "amount=10&id=1").await;
    second.buys(&app, &seed, "amount=10&id=1").await;
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales.len(), 1);
    let accrued = app.rows("select sum(amount)::text from transfers").await;
    assert_eq!(accrued[0].get::<_, &str>(0), "1.00", "one commission");
}

#[tokio::test]
async fn fifty_identical_postbacks_at_once_are_one_sale() {
    let app = App::start().await;
    let seed = app.seed().await;
    let all = (0..50).map(|_| postback(&app, &seed, "amount=10&id=1"));
    let statuses = futures_util::future::join_all(all).await;
    assert!(statuses.iter().all(|status| *status == 200));
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales.len(), 1);
    assert_eq!(sales[0]["hit_ids"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_pixel_without_evidence_credits_nobody() {
    let app = App::start().await;
    let seed = app.seed().await;
    let _somebody_of_the_same_address = Visitor::clicks(&app, &seed.link_code).await;
    Visitor::default().buys(&app, &seed, "amount=10&id=1").await;
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales[0]["affiliate_id"], Value::Null);
    assert_eq!(sales[0]["attributed_by"], Value::Null);
    assert_eq!(sales[0]["commission"]["amount"], "0.00");
    assert_eq!(sales[0]["reasons"][0], "no_referral");
}

#[tokio::test]
async fn a_guessed_click_id_credits_nobody() {
    let app = App::start().await;
    let seed = app.seed().await;
    for (n, token) in ["12345", "1.test.AAAA", "OPTIONAL"].iter().enumerate() {
        Visitor::default().buys(&app, &seed, &format!("amount=10&id={n}&tclid={token}")).await;
    }
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales.len(), 3);
    assert!(sales.iter().all(|sale| sale["affiliate_id"].is_null()));
}

#[tokio::test]
async fn amounts_are_read_as_they_were_meant() {
    let app = App::start().await;
    let seed = app.seed().await;
    for (n, amount) in ["1,234.50", "12,34", "1.234,50", "1,234"].iter().enumerate() {
        Visitor::default().buys(&app, &seed, &format!("amount={amount}&id={n}")).await;
    }
    let mut sales = conversions(&app, &seed).await;
    sales.reverse();
    let amounts: Vec<&str> = sales.iter().map(|sale| sale["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["1234.50", "12.34", "1234.50", "1234.00"]);
}

#[tokio::test]
async fn a_token_that_nobody_filled_in_leaves_the_cookie() {
    let app = App::start().await;
    let seed = app.seed().await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    visitor.buys(&app, &seed, "amount=10&id=1&tclid=OPTIONAL").await;
    let sales = conversions(&app, &seed).await;
    assert_eq!(sales[0]["attributed_by"], "cookie");
}

#[tokio::test]
async fn hits_of_a_time_without_database_are_in_the_books_afterwards() {
    let app = App::start().await;
    let seed = app.seed().await;
    let visitor = Visitor::clicks(&app, &seed.link_code).await;
    // The edge knows nothing of the database while it answers; the books are behind by a thousand sales.
    let buy = async |n: i32| visitor.buys(&app, &seed, &format!("amount=1&id={n}")).await;
    for first in (0..1_000).step_by(50) {
        futures_util::future::join_all((first..first + 50).map(buy)).await;
    }
    let before = app.rows("select count(*) from conversions").await;
    assert_eq!(before[0].get::<_, i64>(0), 0);
    app.settle().await;
    let count = app.rows("select count(*) from conversions").await;
    assert_eq!(count[0].get::<_, i64>(0), 1_000);
}
