//! What a month comes to.

use serde_json::json;

use super::{CLOSES, World, tiers};
use crate::harness::http;

#[tokio::test]
async fn a_month_closes_when_its_hold_period_is_over() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "400", "2026-01-01T00:00:00Z").await;
    w.sell("B", "600", "2026-01-31T23:59:59.999Z").await;
    w.sell("C", "5000", "2026-02-01T00:00:00Z").await;
    assert_eq!(w.close("2026-03-03T00:59:59Z").await, 0);
    assert_eq!(w.closings().await, [""; 0]);
    assert_eq!(w.close(CLOSES).await, 1);
    // 12 % of 1000.00 = 120.00, booked at 10 %: 100.00.
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 20.00"]);
    assert_eq!(w.lines().await, ["12 % of 1000.00 USD rather than 10 %: 20.00 USD more"]);
    assert_eq!(w.payable().await, "20.00");
    assert_eq!(w.close(CLOSES).await, 0);
    assert_eq!(w.close("2026-03-31T00:59:59Z").await, 0);
    // 15 % of 5000.00 rather than 10 %.
    assert_eq!(w.close("2026-03-31T01:00:00Z").await, 1);
    assert_eq!(w.closings().await[1..], ["2026-02 USD 0 -> 250.00"]);
    assert_eq!(w.payable().await, "270.00");
}

#[tokio::test]
async fn on_the_margin_what_lies_beyond_earns_more() {
    let w = World::start(tiers("margin")).await;
    w.sell("A", "400", "2026-01-05T00:00:00Z").await;
    w.sell("B", "800", "2026-01-06T00:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 1);
    // 2 % of the 200.00 beyond 1000.00.
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 4.00"]);
}

#[tokio::test]
async fn bonuses_are_added_and_the_cap_cuts() {
    let plan = json!({"kind": "percent", "rate": "10", "cap": "150.00", "bonuses": [
        {"by": "volume", "from": "500.00", "amount": "20.00"}, {"by": "count", "from": "2", "amount": "5.00"}]});
    let w = World::start(plan).await;
    w.sell("A", "300", "2026-01-05T00:00:00Z").await;
    w.sell("B", "200", "2026-01-06T00:00:00Z").await;
    w.sell("C", "2000", "2026-02-06T00:00:00Z").await;
    assert_eq!(w.close("2026-04-01T00:00:00Z").await, 2);
    // 200.00 and 20.00 of February are 70.00 above the cap.
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 25.00", "2026-02 USD 0 -> -50.00"]);
    assert_eq!(
        w.lines().await,
        [
            "bonus from 500.00 USD on, 500.00 USD reached: 20.00 USD",
            "bonus from 2 sales on, 2 sales reached: 5.00 USD",
            "bonus from 500.00 USD on, 2000.00 USD reached: 20.00 USD",
            "at most 150.00 USD a month, 220.00 USD earned: -70.00 USD",
        ]
    );
    assert_eq!(w.payable().await, "-25.00");
}

#[tokio::test]
async fn each_sale_is_on_the_tiers_of_its_own_plan_and_bonuses_are_the_last_ones() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "600", "2026-01-05T00:00:00Z").await;
    let plan = json!({"kind": "percent", "rate": "8", "bonuses": [{"by": "count", "from": "2", "amount": "5.00"}]});
    w.app.create(&format!("programs/{}/plans", w.seed.program_id), plan).await;
    w.sell("B", "500", "2026-01-20T00:00:00Z").await;
    w.app.execute("update plans set created_at = '2026-01-15T00:00:00Z' where version = 2").await;
    assert_eq!(
        w.told("select string_agg(commission::text, ' ' order by id) from conversions").await,
        "60.00 40.00"
    );
    assert_eq!(w.close(CLOSES).await, 1);
    // 2 % more of 600.00, for 1100.00 were reached; and the bonus of the terms at the month's end.
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 17.00"]);
    // Under plain terms nothing is closed: neither in February nor, for who sold nothing, before.
    let closed = "select count(*)::text from closed_months where month > '2026-01-01'";
    assert_eq!(w.told(closed).await, "0");
}

#[tokio::test]
async fn amounts_of_different_currencies_are_never_added() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    w.sell("B", "400&currency=EUR", "2026-01-06T00:00:00Z").await;
    // 900.00 USD and 400.00 EUR reach nothing.
    w.sell("C", "900", "2026-02-05T00:00:00Z").await;
    w.sell("D", "400&currency=EUR", "2026-02-06T00:00:00Z").await;
    assert_eq!(w.close("2026-04-01T00:00:00Z").await, 2);
    assert_eq!(w.closings().await, ["2026-01 EUR 0 -> 8.00", "2026-01 USD 0 -> 20.00"]);
}

#[tokio::test]
async fn a_sale_counts_by_the_rate_that_its_commission_was_exchanged_by() {
    let mut plan = tiers("whole");
    plan["currency"] = json!("program");
    let w = World::start(plan).await;
    let rate = "insert into rates (currency, on_date, per_euro, source) values ('USD', (now() at time zone 'UTC')::date - 1, 1.1, 'bank')";
    w.app.execute(rate).await;
    w.sell("A", "1000&currency=EUR", "2026-01-05T00:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 1);
    // 1100.00 USD: 2 % more of them.
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 22.00"]);
}

#[tokio::test]
async fn months_begin_and_end_in_the_advertisers_time_zone() {
    let plan = json!({"kind": "percent", "rate": "10", "bonuses": [{"by": "count", "from": "1", "amount": "5.00"}]});
    let mut w = World::with(json!({"hold_days": 0, "plan": plan})).await;
    w.zone("Asia/Tokyo").await;
    w.sell("A", "10", "2026-01-31T14:59:59Z").await;
    w.sell("B", "10", "2026-01-31T15:00:00Z").await;
    assert_eq!(w.close("2026-01-31T15:59:59Z").await, 0);
    assert_eq!(w.close("2026-01-31T16:00:00Z").await, 1);
    assert_eq!(w.close("2026-02-28T16:00:00Z").await, 1);
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 5.00", "2026-02 USD 0 -> 5.00"]);
    w = w.another(plan_without_hold()).await;
    w.zone("America/Los_Angeles").await;
    let program = format!("programs/{}", w.seed.program_id);
    assert_eq!(w.app.api("PATCH", &program, json!({"hold_days": 0})).await.status, 200);
    // January ends at 8:00, March, in summer time, at 7:00.
    w.sell("A", "10", "2026-02-01T07:59:59Z").await;
    w.sell("B", "10", "2026-04-01T06:59:59Z").await;
    w.sell("C", "10", "2026-04-01T07:00:00Z").await;
    assert_eq!(w.close("2026-04-01T07:59:59Z").await, 1);
    assert_eq!(w.close("2026-04-01T08:00:00Z").await, 1);
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 5.00", "2026-03 USD 0 -> 5.00"]);
    assert_eq!(w.close("2026-06-01T00:00:00Z").await, 1);
    assert_eq!(w.closings().await[2..], ["2026-04 USD 0 -> 5.00"]);
}

fn plan_without_hold() -> serde_json::Value {
    json!({"kind": "percent", "rate": "10", "bonuses": [{"by": "count", "from": "1", "amount": "5.00"}]})
}

#[tokio::test]
async fn a_sale_that_touches_share_counts_in_parts_and_as_one_for_the_last() {
    let plan = json!({"kind": "percent", "rate": "10",
        "tiers": {"by": "volume", "on": "whole", "steps": [{"from": "500.00", "rate": "12"}]},
        "bonuses": [{"by": "count", "from": "1", "amount": "5.00"}]});
    let w = World::with(json!({"attribution": "linear", "plan": plan})).await;
    let rival =
        w.app.create("affiliates", json!({"name": "Ben", "email": "ben@mail.example"})).await;
    let link = json!({"program_id": w.seed.program_id, "affiliate_id": rival["id"]});
    let link = w.app.create("links", link).await["code"].as_str().unwrap().to_owned();
    w.app.wait_for_link(&link).await;
    let url = format!("{}/c/{link}", w.app.edge_url);
    let answer = http("GET", &url, &[("cookie", &w.cookie)], b"").await;
    let both = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    w.sell_by(&both, "A", "1000").await;
    w.came("A", "2026-01-05T00:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 2);
    // Each has half: 12 % of 500.00 rather than 10 %; and the sale is that of the last touch, Ben's.
    let mut closings = w.closings().await;
    closings.sort();
    assert_eq!(closings, ["2026-01 USD 0 -> 10.00", "2026-01 USD 0 -> 15.00"]);
    assert_eq!(w.payable().await, "10.00");
    // 100.00 less refunded: 900.00, and 450.00 for each is too little.
    w.refund("id=A&refund_id=1&amount=100").await;
    assert_eq!(w.close(CLOSES).await, 2);
    let mut closings = w.closings().await.split_off(2);
    closings.sort();
    assert_eq!(closings, ["2026-01 USD 10.00 -> 0", "2026-01 USD 15.00 -> 5.00"]);
}
