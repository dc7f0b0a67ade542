//! A month that is closed again books what has changed since, and nothing else.

use serde_json::json;

use super::{CLOSES, World, tiers};

#[tokio::test]
async fn what_comes_late_and_what_goes_back_is_booked_at_the_next_closing() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "400", "2026-01-05T00:00:00Z").await;
    w.sell("B", "600", "2026-01-20T00:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 1);
    // An edge that was down for weeks tells of another sale: 5 % more of 2000.00.
    w.sell("C", "1000", "2026-01-31T23:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 1);
    // The second is sent back: 2 % more of 1400.00.
    w.refund("id=B").await;
    assert_eq!(w.close("2026-09-01T00:00:00Z").await, 1);
    // A part of the first: 2 % of 1300.00.
    w.refund("id=A&refund_id=1&amount=100").await;
    assert_eq!(w.close("2026-09-01T00:00:00Z").await, 1);
    assert_eq!(
        w.closings().await,
        [
            "2026-01 USD 0 -> 20.00",
            "2026-01 USD 20.00 -> 100.00",
            "2026-01 USD 100.00 -> 28.00",
            "2026-01 USD 28.00 -> 26.00"
        ]
    );
    assert_eq!(w.payable().await, "26.00");
    // What changes nothing of the month is told nowhere.
    let due = "update conversions set hold_until = now() - interval '1 day' where status = 'pending' and not held";
    w.app.execute(due).await;
    tributary::worker::release(&w.app.store, jiff_now(&w).await).await.unwrap();
    assert_eq!(w.told("select count(*)::text from month_changes").await, "0");
    assert_eq!(w.close("2026-09-01T00:00:00Z").await, 0);
    assert_eq!(
        w.payable().await,
        "156.00",
        "130.00 of two sales, released, and what the month gave"
    );
    // A person's verdict is: 300.00 are left, and reach nothing.
    let sale = w.told("select id::text from conversions where order_id = 'C'").await;
    let reject = format!("conversions/{sale}/reject");
    let rejected = w.app.api("POST", &reject, json!({"reason": "sent back"})).await;
    assert_eq!(rejected.status, 200, "{}", rejected.text());
    assert_eq!(w.close("2026-09-01T00:00:00Z").await, 1);
    assert_eq!(w.closings().await[4..], ["2026-01 USD 26.00 -> 0"]);
    assert_eq!(w.payable().await, "30.00");
}

async fn jiff_now(w: &World) -> i64 {
    w.told("select (extract(epoch from now()) * 1000)::bigint::text").await.parse().unwrap()
}

#[tokio::test]
async fn after_four_hundred_days_a_month_is_closed_for_good() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    assert_eq!(w.close(CLOSES).await, 1);
    w.refund("id=A&refund_id=1&amount=1").await;
    // 3 March 2026 1:00 and 400 days.
    assert_eq!(w.close("2027-04-07T01:00:00Z").await, 0);
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 20.00"]);
    assert_eq!(w.told("select count(*)::text from month_changes").await, "0");
    w.refund("id=A&refund_id=2&amount=2").await;
    assert_eq!(w.close("2027-04-07T00:59:59Z").await, 1);
    assert_eq!(w.closings().await[1..], ["2026-01 USD 20.00 -> 0"]);
}

/// What is told of one month.
const EVENTS: [(&str, &str); 6] =
    [("A", "400"), ("B", "600"), ("A", "-100"), ("C", "1500"), ("B", "-600"), ("D", "50")];

#[tokio::test]
async fn whenever_it_is_closed_and_however_its_events_come_a_month_ends_in_the_same_sum() {
    let plan = || {
        let mut plan = tiers("whole");
        plan["bonuses"] = json!([{"by": "count", "from": "3", "amount": "5.00"}]);
        plan
    };
    let mut w = World::start(plan()).await;
    // Each schedule has an order of events, and behind which of them the month is closed.
    for (step, closed) in
        [(1, 0b000000), (1, 0b111111), (5, 0b010101), (5, 0b111111), (1, 0b001000), (5, 0b100010)]
    {
        w = w.another(plan()).await;
        for place in 0..EVENTS.len() {
            let (order, amount) = EVENTS[(place * step + closed % 5) % EVENTS.len()];
            match amount.strip_prefix('-') {
                Some(back) => w.refund(&format!("id={order}&refund_id={back}&amount={back}")).await,
                None => w.sell(order, amount, "2026-01-05T00:00:00Z").await,
            }
            if closed >> place & 1 == 1 {
                w.close(CLOSES).await;
            }
        }
        w.close(CLOSES).await;
        assert_eq!(w.close(CLOSES).await, 0);
        // 300.00, 1500.00 and 50.00 are left: 2 % more of 1850.00, and the bonus for three.
        assert_eq!(w.payable().await, "42.00", "{step} {closed:b}: {:?}", w.closings().await);
        let last = w.closings().await.pop().unwrap();
        assert!(last.ends_with("-> 42.00"), "{last}");
    }
}

#[tokio::test]
async fn what_waits_for_a_person_gives_nothing_until_he_has_released_it() {
    let plan = json!({"kind": "percent", "rate": "10", "bonuses": [{"by": "volume", "from": "1000", "amount": "50"}]});
    let w = World::with(json!({"plan": plan, "unsigned": "hold"})).await;
    w.sell("1", "1500", "2026-01-10T12:00:00Z").await;
    w.close(CLOSES).await;
    assert_eq!(w.payable().await, "0");
    let id = w.told("select id::text from conversions").await;
    let approved = w.app.api("POST", &format!("conversions/{id}/approve"), json!({})).await;
    assert_eq!(approved.status, 200);
    w.close(CLOSES).await;
    assert_eq!(w.payable().await, "200.00");
    assert_eq!(w.closings().await.last().unwrap(), "2026-01 USD 0 -> 50.00");
}
