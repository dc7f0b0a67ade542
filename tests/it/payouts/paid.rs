//! What is paid: what paid payouts hold as much of as it earns, each share by itself.

use serde_json::{Value, json};
use tributary::store::ledger;

use super::{World, code, refused, text, usd};
use crate::harness::http;
use crate::replay::postback;

impl World {
    /// What a shop's server tells of an order, settled.
    pub(super) async fn hears(&self, query: &str) {
        postback(&self.app, &self.seed, query).await;
        self.app.settle().await;
    }

    async fn fails(&self, payout: &Value) {
        let path = format!("payouts/{}/fail", text(payout, "id"));
        self.step(&path, json!({"reason": "came back"})).await;
    }
}

#[tokio::test]
async fn what_was_reversed_and_restored_is_paid_with_its_rows() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let first = w.paid().await;
    assert_eq!(w.state(&sale).await, "paid 10.00");
    w.hears("type=chargeback&id=A-1&status=accepted").await;
    assert_eq!(w.state(&sale).await, "reversed 0.00");
    w.hears("type=chargeback&id=A-1&status=won").await;
    assert_eq!(w.state(&sale).await, "payable 10.00");
    assert_eq!(w.run().await["payouts"], json!([]), "its rows come to nothing");
    let other = w.sell("A-2", "50").await;
    let second = w.paid().await;
    assert_eq!(
        (&second["payouts"][0]["amount"], &second["payouts"][0]["items"]),
        (&usd("5.00"), &json!(3))
    );
    assert_eq!([w.state(&sale).await, w.state(&other).await], ["paid 10.00", "paid 5.00"]);
    // What came back is payable, and what did not is paid.
    w.fails(&second["payouts"][0]).await;
    assert_eq!([w.state(&sale).await, w.state(&other).await], ["paid 10.00", "payable 5.00"]);
    w.fails(&first["payouts"][0]).await;
    assert_eq!(w.state(&sale).await, "payable 10.00");
    assert_eq!(w.paid().await["payouts"][0]["amount"], usd("15.00"));
    assert_eq!([w.state(&sale).await, w.state(&other).await], ["paid 10.00", "paid 5.00"]);
}

#[tokio::test]
async fn what_was_paid_stands_whatever_status_it_has_since() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let run = w.paid().await;
    let (_, cookie) = w.rival("ben").await;
    let claim = format!("id=A-1&amount=100&tclid={}", cookie.split_once('=').unwrap().1);
    let reject = format!("conversions/{sale}/reject");
    for (status, state) in [("open", "pending 10.00"), ("won", "payable 10.00")] {
        w.hears(&format!("type=chargeback&id=A-1&status={status}")).await;
        let refusal = w.post(&reject, json!({"reason": "disputed"})).await;
        assert_eq!(code(&refusal), refused(409, "conversion_not_pending"), "{status}");
        // The shop itself names another affiliate.
        w.hears(&claim).await;
        assert_eq!(w.state(&sale).await, state);
        let held = if status == "open" { "10.00" } else { "0.00" };
        let owed = if status == "open" { "-10.00" } else { "0.00" };
        assert_eq!(w.balances().await, [held, owed, "10.00"]);
    }
    let reasons = w.get(&format!("conversions/{sale}")).await["reasons"].clone();
    assert!(reasons.as_array().unwrap().contains(&json!("already_paid")), "{reasons}");
    // What came back was not paid.
    w.fails(&run["payouts"][0]).await;
    let rejected = w.step(&reject, json!({"reason": "disputed"})).await;
    assert_eq!(rejected["status"], "rejected");
    w.is_sound().await;
}

#[tokio::test]
async fn what_another_was_paid_freezes_nothing() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let run = w.approved().await;
    let (_, cookie) = w.rival("ben").await;
    let token = cookie.split_once('=').unwrap().1;
    w.hears(&format!("id=A-1&amount=100&tclid={token}")).await;
    w.step(&format!("payout-runs/{}/pay", text(&run, "id")), Value::Null).await;
    assert_eq!(w.state(&sale).await, "pending 10.00");
    assert_eq!(w.balances().await, ["0.00", "-10.00", "10.00"], "it is the other's now");
    let reject = format!("conversions/{sale}/reject");
    assert_eq!(w.step(&reject, json!({"reason": "a fraud"})).await["status"], "rejected");
    w.is_sound().await;
}

#[tokio::test]
async fn what_was_paid_waits_for_no_other_hold_period() {
    let w = World::start().await;
    let url = format!("{}/t/{}.gif?id=A-1&amount=100", w.app.edge_url, w.seed.code);
    http("GET", &url, &[("cookie", &w.cookie)], b"").await;
    w.app.settle().await;
    let sale = w.told("select id::text from conversions").await;
    let release = async || {
        w.app.execute("update conversions set hold_until = now() - interval '1 minute'").await;
        let now_ms = jiff::Timestamp::now().as_millisecond();
        ledger::release_due(&w.app.store, now_ms, 9).await.unwrap()
    };
    assert_eq!(release().await, 1);
    w.paid().await;
    for status in ["open", "won"] {
        w.hears(&format!("type=chargeback&id=A-1&status={status}")).await;
    }
    assert_eq!(release().await, 1);
    // The shop vouches for the claim at last.
    let token = w.cookie.split_once('=').unwrap().1;
    w.hears(&format!("id=A-1&amount=100&tclid={token}")).await;
    assert_eq!(w.state(&sale).await, "payable 10.00");
    assert_eq!(w.balances().await, ["0.00", "0.00", "10.00"]);
    w.is_sound().await;
}

#[tokio::test]
async fn what_was_reversed_in_part_and_restored_is_paid_when_all_of_it_is() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    w.paid().await;
    w.hears("type=chargeback&id=A-1&amount=30").await;
    assert_eq!(w.state(&sale).await, "pending 10.00");
    w.hears("type=chargeback&id=A-1&amount=30&status=lost").await;
    assert_eq!(w.state(&sale).await, "payable 7.00");
    w.sell("A-2", "100").await;
    let second = w.paid().await;
    assert_eq!(second["payouts"][0]["amount"], usd("7.00"));
    assert_eq!(w.state(&sale).await, "paid 7.00");
    w.hears("type=chargeback&id=A-1&amount=30&status=won").await;
    let third = w.paid().await;
    assert_eq!(third["payouts"][0]["amount"], usd("3.00"));
    assert_eq!(w.state(&sale).await, "paid 10.00");
    w.fails(&third["payouts"][0]).await;
    assert_eq!(w.state(&sale).await, "payable 10.00", "3.00 of it is owed");
    w.paid().await;
    assert_eq!(w.state(&sale).await, "paid 10.00");
}

/// A program whose affiliate was recruited, who has half as much again; and a sale of 100.
pub(super) async fn recruited() -> (World, String, String) {
    let levels = json!([{"rate": "50", "of": "commission"}]);
    let w = World::with(json!({"plan": {"kind": "percent", "rate": "10", "levels": levels}})).await;
    let (recruiter, _) = w.rival("recruiter").await;
    let path = format!("affiliates/{}", w.seed.affiliate_id);
    let changed = w.app.api("PATCH", &path, json!({"recruited_by": recruiter})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let sale = w.sell("A-1", "100").await;
    (w, recruiter, sale)
}

pub(super) const SHARE: &str = "select status || ' ' || (commission - reversed) from shares";

#[tokio::test]
async fn each_share_is_paid_for_itself() {
    let (w, recruiter, sale) = recruited().await;
    let run = w.approved().await;
    let of = async |affiliate: &str| {
        let query = format!("payouts?run_id={}&affiliate_id={affiliate}", text(&run, "id"));
        w.get(&query).await["data"][0].clone()
    };
    let (own, his) = (of(&w.seed.affiliate_id).await, of(&recruiter).await);
    let pay = async |payout: &Value| {
        w.step(&format!("payouts/{}/pay", text(payout, "id")), Value::Null).await
    };
    pay(&his).await;
    assert_eq!(
        (w.state(&sale).await, w.told(SHARE).await),
        ("payable 10.00".to_owned(), "paid 5.00".to_owned())
    );
    pay(&own).await;
    w.fails(&his).await;
    assert_eq!(
        (w.state(&sale).await, w.told(SHARE).await),
        ("paid 10.00".to_owned(), "payable 5.00".to_owned())
    );
    w.paid().await;
    assert_eq!(w.told(SHARE).await, "paid 5.00");
    w.hears("type=chargeback&id=A-1&status=accepted").await;
    assert_eq!(w.told(SHARE).await, "reversed 0.00");
    w.hears("type=chargeback&id=A-1&status=won").await;
    assert_eq!(w.told(SHARE).await, "payable 5.00");
    w.sell("A-2", "10").await;
    w.paid().await;
    let shares =
        "select string_agg(status || ' ' || commission, ', ' order by commission) from shares";
    assert_eq!(
        (w.state(&sale).await, w.told(shares).await),
        ("paid 10.00".to_owned(), "paid 0.50, paid 5.00".to_owned())
    );
}
