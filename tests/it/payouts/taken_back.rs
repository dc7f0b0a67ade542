//! Refunds and chargebacks by the API: what they take of a commission, before its sale, after its payout, twice.

use serde_json::{Value, json};

use super::{World, code, refused, text, usd};
use crate::harness::{Answer, http};

impl World {
    /// What is told anew, of an order of the program; the answer has its place.
    pub(super) async fn tell(&self, resource: &str, told: Value) -> Value {
        let answer = self.post(resource, self.of_program(told)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        let location = format!("/api/v1/{resource}/{}", text(&made, "id"));
        assert_eq!(answer.header("location"), Some(&*location));
        assert_eq!(self.get(&location["/api/v1/".len()..]).await, made);
        made
    }

    pub(super) fn of_program(&self, mut told: Value) -> Value {
        told["program_id"] = json!(self.seed.program_id);
        told
    }

    /// What is refused, with its code.
    pub(super) async fn refuses(&self, resource: &str, told: Value) -> (u16, String) {
        code(&self.post(resource, self.of_program(told)).await)
    }

    /// A change of a chargeback, only if it has this tag.
    pub(super) async fn change(&self, id: &str, tag: &str, change: Value) -> Answer {
        let url = format!("{}/api/v1/chargebacks/{id}", self.app.admin_url);
        let bearer = format!("Bearer {}", self.seed.advertiser_key);
        let mut headers =
            vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend((!tag.is_empty()).then_some(("if-match", tag)));
        http("PATCH", &url, &headers, change.to_string().as_bytes()).await
    }

    /// `status net` of a conversion, and the books are sound.
    pub(super) async fn state(&self, conversion: &str) -> String {
        self.is_sound().await;
        let found = self.get(&format!("conversions/{conversion}")).await;
        format!("{} {}", text(&found, "status"), text(&found["commission_net"], "amount"))
    }

    async fn ids(&self, list: &str, field: &str) -> Vec<String> {
        let found = self.get(list).await;
        found["data"].as_array().unwrap().iter().map(|row| text(row, field)).collect()
    }
}

#[tokio::test]
async fn an_order_goes_back_in_parts_and_no_further() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    for (name, amount, reversed, state) in [
        ("R-1", "30", "3.00", "payable 7.00"),
        ("R-2", "33.33", "3.33", "payable 3.67"),
        ("R-3", "36.67", "3.67", "reversed 0.00"),
        ("R-4", "5", "0.00", "reversed 0.00"),
    ] {
        let told =
            json!({"order_id": "A-1", "refund_id": name, "amount": usd(amount), "note": "a note"});
        let made = w.tell("refunds", told).await;
        assert_eq!(made["commission_reversed"], usd(reversed), "{name}");
        assert_eq!((&made["conversion_id"], &made["awaits_sale"]), (&json!(sale), &json!(false)));
        assert_eq!((&made["note"], &made["hit_id"]), (&json!("a note"), &Value::Null));
        assert_eq!(w.state(&sale).await, state, "{name}");
    }
    let flagged = w.get(&format!("conversions/{sale}")).await["reasons"].to_string();
    assert!(flagged.contains("over_refunded"), "{flagged}");
    assert_eq!(w.balances().await, ["0.00", "0.00", "0"]);
    // By its conversion, and all at once.
    let other = w.sell("A-2", "50").await;
    let all = w.tell("refunds", json!({"conversion_id": other, "refund_id": "all"})).await;
    assert_eq!((&all["amount"], &all["commission_reversed"]), (&Value::Null, &usd("5.00")));
    assert_eq!(w.state(&other).await, "reversed 0.00");

    let names = async |query: &str| w.ids(&format!("refunds?{query}"), "refund_id").await;
    assert_eq!(names("").await, ["all", "R-4", "R-3", "R-2", "R-1"]);
    assert_eq!(names(&format!("conversion_id={other}")).await, ["all"]);
    let page = w.get("refunds?limit=2").await;
    let cursor = text(&page, "next_cursor");
    assert_eq!(names(&format!("limit=2&cursor={cursor}")).await, ["R-3", "R-2"]);
    let none: [&str; 0] = [];
    for query in [
        "program_id=7",
        "affiliate_id=7",
        "to=2020-01-01",
        "ordered_to=2020-01-01",
        "from=2100-01-01",
    ] {
        assert_eq!(names(query).await, none, "{query}");
    }
    let of_affiliate = format!("affiliate_id={}&ordered_from=2020-01-01", w.seed.affiliate_id);
    assert_eq!(names(&of_affiliate).await.len(), 5);
    // The affiliate reads his own, without what the shop wrote; he tells of none.
    let key = &w.seed.affiliate_key;
    let own = w.app.api_as(key, "GET", "refunds", Value::Null).await.json();
    assert_eq!(own["data"].as_array().unwrap().len(), 5);
    assert_eq!((&own["data"][1].get("note"), &own["data"][1]["refund_id"]), (&None, &json!("R-4")));
    let told = w.of_program(json!({"order_id": "A-1", "refund_id": "R-9"}));
    assert_eq!(code(&w.post_as(key, "k", "refunds", told).await), refused(403, "forbidden"));
}

#[tokio::test]
async fn what_comes_before_its_sale_awaits_it() {
    let w = World::start().await;
    let told = json!({"order_id": "A-1", "refund_id": "R-1", "amount": usd("40")});
    let refund = w.tell("refunds", told).await;
    assert_eq!((&refund["awaits_sale"], &refund["affiliate_id"]), (&json!(true), &Value::Null));
    let told = json!({"order_id": "A-1", "chargeback_id": "CB-1", "amount": usd("60")});
    let chargeback = w.tell("chargebacks", told).await;
    assert_eq!((&chargeback["awaits_sale"], &chargeback["status"]), (&json!(true), &json!("open")));
    assert_eq!(chargeback["commission_held"]["amount"], "0.00");
    let id = text(&chargeback, "id");
    let changed = w.change(&id, "", json!({"status": "won"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let sale = w.sell("A-1", "100").await;
    assert_eq!(w.state(&sale).await, "payable 6.00");
    let refund = w.get(&format!("refunds/{}", text(&refund, "id"))).await;
    assert_eq!(
        (&refund["awaits_sale"], &refund["commission_reversed"]),
        (&json!(false), &usd("4.00"))
    );
    assert_eq!(refund["affiliate_id"], json!(w.seed.affiliate_id));
}

#[tokio::test]
async fn what_was_paid_out_is_a_debt_that_the_next_run_nets() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let run = text(&w.run().await, "id");
    w.step(&format!("payout-runs/{run}/approve"), Value::Null).await;
    w.step(&format!("payout-runs/{run}/pay"), Value::Null).await;
    assert_eq!(w.state(&sale).await, "paid 10.00");
    let told = json!({"order_id": "A-1", "refund_id": "R-1", "amount": usd("50")});
    assert_eq!(w.tell("refunds", told).await["commission_reversed"], usd("5.00"));
    let told =
        json!({"order_id": "A-1", "chargeback_id": "CB-1", "amount": usd("20"), "status": "lost"});
    assert_eq!(w.tell("chargebacks", told).await["commission_reversed"], usd("2.00"));
    assert_eq!(w.state(&sale).await, "paid 3.00");
    assert_eq!(w.balances().await, ["0.00", "-7.00", "10.00"]);
    assert_eq!(w.run().await["payouts"], json!([]), "a debt is not paid");
    w.sell("A-2", "100").await;
    let run = w.run().await;
    assert_eq!(run["payouts"][0]["amount"], usd("3.00"));
    w.is_sound().await;
}

#[tokio::test]
async fn an_open_chargeback_holds_won_releases_lost_takes_back() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let told = json!({"order_id": "A-1", "chargeback_id": "CB-1", "status": "potential", "reason": "FRAUD",
                      "requested_at": "2026-03-01"});
    let made = w.tell("chargebacks", told.clone()).await;
    assert_eq!(
        (&made["requested_at"], &made["commission_held"], &made["reason_text"]),
        (
            &json!("2026-03-01T00:00:00Z"),
            &usd("0.00"),
            &json!("Fraud: the cardholder did not order.")
        )
    );
    assert_eq!(w.state(&sale).await, "payable 10.00");
    let id = text(&made, "id");
    let tag = |answer: &Answer| answer.header("etag").unwrap().to_owned();
    let looked = tag(&w.app.api("GET", &format!("chargebacks/{id}"), Value::Null).await);
    // Told again, as a payment provider does.
    let opened = w
        .post("chargebacks", w.of_program(json!({"order_id": "A-1", "chargeback_id": "CB-1"})))
        .await;
    assert_eq!((opened.status, &opened.json()["id"]), (200, &json!(id)));
    assert_eq!(opened.json()["commission_held"], usd("10.00"));
    assert_eq!(w.state(&sale).await, "pending 10.00");
    assert_eq!(w.run().await["payouts"], json!([]), "held");
    let approve = w.post(&format!("conversions/{sale}/approve"), Value::Null).await;
    assert_eq!(code(&approve), refused(409, "chargeback_open"));

    let won = json!({"status": "won", "closed_at": "2026-04-15T09:30:00Z", "note": "delivery was proved"});
    assert_eq!(
        code(&w.change(&id, &looked, won.clone()).await),
        refused(412, "precondition_failed")
    );
    let closed = w.change(&id, &tag(&opened), won.clone()).await;
    let shown = closed.json();
    assert_eq!(
        (&shown["status"], &shown["closed_at"], &shown["note"], &shown["commission_held"]),
        (&json!("won"), &won["closed_at"], &won["note"], &usd("0.00"))
    );
    assert_eq!(w.state(&sale).await, "payable 10.00", "a person had approved it");
    assert_eq!(w.change(&id, "", won).await.json(), shown, "again is the same");
    let noted = w.change(&id, &tag(&closed), json!({"note": "filed"})).await;
    assert_eq!((noted.status, &noted.json()["note"]), (200, &json!("filed")));
    for (change, expected) in [
        (json!({"status": "open"}), refused(409, "chargeback_in_other_status")),
        (
            json!({"status": "won", "closed_at": "2026-04-16"}),
            refused(409, "chargeback_in_other_status"),
        ),
        (json!({"status": "lost", "closed_at": "2026-02-01"}), refused(422, "invalid_fields")),
        (json!({"closed_at": "2026-04-16"}), refused(422, "invalid_fields")),
        (json!({"status": "settled"}), refused(422, "invalid_fields")),
    ] {
        assert_eq!(code(&w.change(&id, "", change.clone()).await), expected, "{change}");
    }
    let told = json!({"order_id": "A-1", "chargeback_id": "CB-2", "status": "accepted", "amount": usd("20")});
    assert_eq!(w.tell("chargebacks", told).await["commission_reversed"], usd("2.00"));
    let lost = w.change(&id, "", json!({"status": "lost"})).await.json();
    assert_eq!(lost["commission_reversed"], usd("8.00"), "decided again, and no more than all");
    assert_eq!(w.state(&sale).await, "reversed 0.00");

    for (query, expected) in [
        ("", vec!["CB-2", "CB-1"]),
        ("status=lost", vec!["CB-1"]),
        ("reason=FRAUD&potential=false", vec!["CB-1"]),
        ("potential=true", vec![]),
        ("to=2026-03-02&ordered_from=2026-01-01", vec!["CB-1"]),
        ("from=2026-03-01&to=2026-03-02&ordered_to=2026-01-01", vec![]),
    ] {
        assert_eq!(
            w.ids(&format!("chargebacks?{query}"), "chargeback_id").await,
            expected,
            "{query}"
        );
    }
    let own =
        w.app.api_as(&w.seed.affiliate_key, "GET", &format!("chargebacks/{id}"), Value::Null).await;
    assert_eq!((own.json().get("note"), own.status), (None, 200));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_leaves_nothing() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let refund = json!({"order_id": "A-1", "refund_id": "R-1", "amount": usd("30")});
    w.tell("refunds", refund.clone()).await;
    let dispute =
        json!({"order_id": "A-1", "chargeback_id": "CB-1", "amount": usd("30"), "status": "won"});
    w.tell("chargebacks", dispute.clone()).await;
    let again = w.post("refunds", w.of_program(refund.clone())).await;
    assert_eq!((again.status, again.header("location")), (200, None), "the same is no news");
    let with = |told: &Value, field: &str, value: Value| {
        let mut told = told.clone();
        told[field] = value;
        told
    };
    let euros = json!({"amount": "5", "currency": "EUR"});
    let invalid = || refused(422, "invalid_fields");
    for (resource, told, expected) in [
        ("refunds", with(&refund, "amount", usd("31")), refused(409, "refund_exists")),
        ("refunds", with(&refund, "amount", Value::Null), refused(409, "refund_exists")),
        (
            "refunds",
            with(&refund, "amount", euros.clone()),
            refused(409, "refund_currency_differs"),
        ),
        ("refunds", with(&refund, "amount", usd("0")), invalid()),
        ("refunds", with(&refund, "refund_id", json!("all")), invalid()),
        ("refunds", with(&refund, "refund_id", json!(" ")), invalid()),
        ("refunds", with(&refund, "conversion_id", json!(sale)), invalid()),
        ("refunds", json!({"refund_id": "R-2"}), invalid()),
        ("refunds", json!({"conversion_id": "7", "refund_id": "R-2"}), refused(404, "not_found")),
        ("chargebacks", with(&dispute, "amount", usd("31")), refused(409, "chargeback_exists")),
        (
            "chargebacks",
            with(&dispute, "reason", json!("FRAUD")),
            refused(409, "chargeback_exists"),
        ),
        (
            "chargebacks",
            with(&dispute, "status", json!("open")),
            refused(409, "chargeback_in_other_status"),
        ),
        ("chargebacks", with(&dispute, "amount", euros), refused(409, "refund_currency_differs")),
        ("chargebacks", with(&dispute, "reason", json!("WHIM")), invalid()),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "closed_at": "2026-03-01"}),
            invalid(),
        ),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "requested_at": "1969-12-31"}),
            invalid(),
        ),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "status": "won", "closed_at": "1969-12-31"}),
            invalid(),
        ),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "requested_at": "2999-01-01"}),
            invalid(),
        ),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "status": "won", "closed_at": "2999-01-01"}),
            invalid(),
        ),
        (
            "chargebacks",
            json!({"order_id": "A-1", "chargeback_id": "CB-2", "status": "won", "requested_at": "2026-03-02",
                   "closed_at": "2026-03-01T23:59:59Z"}),
            invalid(),
        ),
    ] {
        assert_eq!(w.refuses(resource, told.clone()).await, expected, "{resource} {told}");
    }
    let elsewhere = with(&refund, "program_id", json!("7"));
    assert_eq!(code(&w.post("refunds", elsewhere).await), refused(404, "not_found"));
    // His own conversion, and another of his programs.
    let program = json!({"advertiser_id": w.seed.advertiser_id, "name": "Other", "landing_url": "https://shop.example/",
                         "plan": {"kind": "percent", "rate": "10"}});
    let other = text(&w.app.create("programs", program).await, "id");
    let told = json!({"program_id": other, "conversion_id": sale, "refund_id": "R-2"});
    assert_eq!(code(&w.post("refunds", told).await), refused(404, "not_found"));
    assert_eq!(w.ids("refunds", "refund_id").await, ["R-1"]);
    assert_eq!(w.ids("chargebacks", "chargeback_id").await, ["CB-1"]);
    assert_eq!(w.state(&sale).await, "payable 7.00");

    // A call is done once.
    let key = &w.seed.advertiser_key;
    let told = w.of_program(with(&refund, "refund_id", json!("R-2")));
    let first = w.post_as(key, "once", "refunds", told.clone()).await;
    let second = w.post_as(key, "once", "refunds", told.clone()).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!((first.text(), second.header("idempotent-replayed")), (second.text(), Some("true")));
    let otherwise = with(&told, "refund_id", json!("R-3"));
    let reused = w.post_as(key, "once", "refunds", otherwise).await;
    assert_eq!(code(&reused), refused(422, "idempotency_key_reused"));
    let url = format!("{}/api/v1/chargebacks", w.app.admin_url);
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let keyless = http("POST", &url, &headers, w.of_program(dispute).to_string().as_bytes()).await;
    assert_eq!(code(&keyless), refused(400, "idempotency_key_missing"));
    assert_eq!(w.state(&sale).await, "payable 4.00");
    let audited = "select string_agg(distinct resource, ' ' order by resource) from audit_log
                   where resource in ('refunds', 'chargebacks')";
    assert_eq!(w.told(audited).await, "chargebacks refunds");
}

#[tokio::test]
async fn those_who_tell_at_the_same_time_are_all_heard_once() {
    let levels = json!([{"rate": "50", "of": "commission"}]);
    let plan = json!({"kind": "percent", "rate": "10", "levels": levels});
    let w = World::with(json!({"plan": plan})).await;
    let (recruiter, _) = w.rival("recruiter").await;
    let path = format!("affiliates/{}", w.seed.affiliate_id);
    let changed = w.app.api("PATCH", &path, json!({"recruited_by": recruiter})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let sale = w.sell("A-1", "100").await;
    assert_eq!(w.told("select commission::text from shares").await, "5.00");
    let tell = async |order: &str, name: &str| {
        let told = json!({"order_id": order, "refund_id": name, "amount": usd("10")});
        w.post("refunds", w.of_program(told)).await.status
    };
    for round in 0..4 {
        let name = |at: usize| format!("R-{round}-{at}");
        let (one, two) = (name(1), name(2));
        let told = tokio::join!(tell("A-1", &one), tell("A-1", &two), tell("A-1", &one));
        let mut told = [told.0, told.1, told.2];
        told.sort_unstable();
        assert_eq!(told, [200, 201, 201]);
        // Of an order that nobody told of.
        let order = format!("B-{round}");
        let told = tokio::join!(tell(&order, "1"), tell(&order, "2"), tell(&order, "3"));
        assert_eq!((told.0, told.1, told.2), (201, 201, 201));
    }
    assert_eq!(w.state(&sale).await, "payable 2.00");
    assert_eq!(w.told("select reversed::text from shares").await, "4.00");
    assert_eq!(w.told("select count(*)::text from conversions").await, "5");
    assert_eq!(w.told("select count(*)::text from refunds").await, "20");
    let later = w.sell("B-0", "100").await;
    assert_eq!(w.state(&later).await, "payable 7.00");
}
