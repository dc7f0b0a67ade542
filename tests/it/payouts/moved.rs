//! Money that is moved by hand: adjustments, and exchanges from one currency into another.

use serde_json::{Value, json};

use super::{World, code, refused, text, usd};

impl World {
    fn adjustment(&self, amount: &str) -> Value {
        json!({
            "program_id": self.seed.program_id, "affiliate_id": self.seed.affiliate_id,
            "amount": usd(amount), "reason": "for the summer",
        })
    }

    fn exchange(&self, amount: &str, rate: Option<&str>) -> Value {
        let mut body = json!({
            "program_id": self.seed.program_id, "affiliate_id": self.seed.affiliate_id,
            "from": usd(amount), "to": "EUR",
        });
        if let Some(rate) = rate {
            body["rate"] =
                json!({"rate": rate, "on_date": "2026-03-02", "source": "European Central Bank"});
        }
        body
    }
}

#[tokio::test]
async fn money_is_given_and_taken_for_a_reason() {
    let w = World::start().await;
    let given = w.post("adjustments", w.adjustment("7.50")).await;
    assert_eq!(given.status, 201, "{}", given.text());
    let path = given.header("location").unwrap().trim_start_matches("/api/v1/").to_owned();
    assert_eq!(w.get(&path).await, given.json());
    let taken = w.post("adjustments", w.adjustment("-2.25")).await.json();
    assert_eq!((&taken["amount"], &taken["reason"]), (&usd("-2.25"), &json!("for the summer")));
    assert_eq!(w.balances().await, ["0", "5.25", "0"]);
    let rows = "select string_agg(debit_account || ' ' || credit_account || ' ' || amount, ', ' order by id)
                from transfers where code = 'adjust'";
    assert_eq!(
        w.told(rows).await,
        "advertiser affiliate_payable 7.50, affiliate_payable advertiser 2.25"
    );
    let own = w.app.api_as(&w.seed.affiliate_key, "GET", "adjustments", Value::Null).await.json();
    assert_eq!(own["data"].as_array().unwrap().len(), 2);
    let run = w.run().await;
    assert_eq!(run["payouts"][0]["amount"], usd("5.25"));
    let log = "select string_agg(actor, ' ') from audit_log where resource = 'adjustments'";
    assert_eq!(w.told(log).await, "first-key first-key");
    w.is_sound().await;
}

#[tokio::test]
async fn money_is_given_to_nobody_who_has_nothing_to_do_with_the_program() {
    let w = World::start().await;
    let other = w.app.seed().await;
    for (program, affiliate, pointer) in [
        (&w.seed.program_id, &other.affiliate_id, "/affiliate_id"),
        (&other.program_id, &w.seed.affiliate_id, "/affiliate_id"),
        (&w.seed.program_id, &"7".to_owned(), "/affiliate_id"),
    ] {
        let mut body = w.adjustment("1");
        (body["program_id"], body["affiliate_id"]) = (json!(program), json!(affiliate));
        let answer = w.post("adjustments", body).await;
        assert_eq!(code(&answer), refused(404, "not_found"));
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer);
    }
    let foreign = w.post_as(&other.advertiser_key, "k", "adjustments", w.adjustment("1")).await;
    assert_eq!(code(&foreign), refused(404, "not_found"));
    let mut yen = w.adjustment("1");
    yen["amount"] = json!({"amount": "1.5", "currency": "JPY"});
    assert_eq!(code(&w.post("adjustments", yen).await), refused(422, "invalid_fields"));
    assert_eq!(w.told("select count(*)::text from transfers").await, "0");
}

#[tokio::test]
async fn a_balance_is_put_into_another_currency_by_two_rows() {
    let w = World::start().await;
    w.sell("A-1", "1000").await;
    let missing = w.post("exchanges", w.exchange("60.00", None)).await;
    assert_eq!(code(&missing), refused(409, "rate_missing"));
    let done = w.post("exchanges", w.exchange("60.00", Some("0.9217"))).await;
    let exchange = done.json();
    assert_eq!(done.status, 201, "{exchange}");
    assert_eq!(exchange["to"], json!({"amount": "55.30", "currency": "EUR"}));
    let rate =
        json!({"rate": "0.9217", "on_date": "2026-03-02", "source": "European Central Bank"});
    assert_eq!(exchange["rate"], rate);
    let rows = format!(
        "select string_agg(debit_account || ' ' || credit_account || ' ' || amount || ' ' || currency || ' '
                           || coalesce(rate::text, '-'), ', ' order by part)
         from transfers where cause_id = {}",
        text(&exchange, "id")
    );
    let expected =
        "affiliate_payable exchange 60.00 USD -, exchange affiliate_payable 55.30 EUR 0.9217";
    assert_eq!(w.told(&rows).await, expected);
    assert_eq!(w.balances().await, ["0.00", "40.00", "0"]);
    let path = done.header("location").unwrap().trim_start_matches("/api/v1/").to_owned();
    assert_eq!(w.get(&path).await, exchange);
    w.is_sound().await;
    let much = w.post("exchanges", w.exchange("40.01", Some("0.9217"))).await;
    assert_eq!(code(&much), refused(409, "balance_too_low"));
    let little = w.post("exchanges", w.exchange("0.01", Some("0.1"))).await;
    assert_eq!(code(&little), refused(422, "invalid_fields"));
    let mut same = w.exchange("1", Some("1"));
    same["to"] = json!("USD");
    assert_eq!(code(&w.post("exchanges", same).await), refused(422, "invalid_fields"));
    let run = w.run().await;
    assert_eq!(run["payouts"].as_array().unwrap().len(), 2, "one for each currency");
    let held = w.post("exchanges", w.exchange("1", Some("0.9"))).await;
    assert_eq!(code(&held), refused(409, "balance_too_low"), "a payout holds it");
    w.is_sound().await;
}

#[tokio::test]
async fn a_rate_that_is_far_from_the_quotes_is_a_mistake() {
    let w = World::start().await;
    w.sell("A-1", "1000").await;
    let today = w.told("select (now() at time zone 'utc')::date::text").await;
    for (on_date, per_euro) in [("2026-03-01", "1.0850"), (&*today, "2.5")] {
        let quote = json!({"currency": "USD", "on_date": on_date, "per_euro": per_euro});
        w.app.create("rates", quote).await;
    }
    // 1 / 1.085 is 0.9217 on the day of the rates below.
    for rate in ["92.17", "0.4", "1.9"] {
        let unlikely = w.post("exchanges", w.exchange("1", Some(rate))).await;
        assert_eq!(code(&unlikely), refused(409, "rate_unlikely"), "{rate}");
    }
    let detail =
        "One USD was 0.9216589862 EUR on 2026-03-01 (set by hand): this is too far from it.";
    let unlikely = w.post("exchanges", w.exchange("1", Some("1.9"))).await.json();
    assert_eq!(unlikely["detail"], detail);
    assert_eq!(w.post("exchanges", w.exchange("1", Some("1.8"))).await.status, 201);
    // Of a day that nobody knows the quotes of, those of today count: 0.4.
    let mut old = w.exchange("1", Some("0.9"));
    old["rate"]["on_date"] = json!("2011-03-02");
    assert_eq!(code(&w.post("exchanges", old.clone()).await), refused(409, "rate_unlikely"));
    old["rate"]["rate"] = json!("0.5");
    assert_eq!(w.post("exchanges", old).await.status, 201);
    assert_eq!(w.post("exchanges", w.exchange("1", None)).await.json()["rate"]["rate"], "0.4");
    w.is_sound().await;
}

#[tokio::test]
async fn nobody_knows_the_rate_of_a_day_to_come() {
    let w = World::start().await;
    w.sell("A-1", "1000").await;
    for (days, expected) in [(1, 201), (2, 422), (1500, 422)] {
        let day =
            w.told(&format!("select ((now() at time zone 'utc')::date + {days})::text")).await;
        let mut exchange = w.exchange("1", Some("0.9"));
        exchange["rate"]["on_date"] = json!(day);
        let answer = w.post("exchanges", exchange).await;
        assert_eq!(answer.status, expected, "{day}: {}", answer.text());
        if expected == 422 {
            let fault =
                json!([{"pointer": "/rate/on_date", "detail": "must not be after tomorrow"}]);
            assert_eq!(answer.json()["errors"], fault);
        }
    }
    w.is_sound().await;
}

#[tokio::test]
async fn of_two_exchanges_at_once_one_finds_too_little() {
    let w = World::start().await;
    w.sell("A-1", "100").await;
    let one = || w.post("exchanges", w.exchange("6.00", Some("0.9")));
    let (a, b) = tokio::join!(one(), one());
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(w.balances().await[1], "4.00");
    w.is_sound().await;
}
