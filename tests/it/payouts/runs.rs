//! What a run pays, and what becomes of it: each ledger row is in one live payout at most.

use serde_json::{Value, json};
use tributary::store::caller::Caller;
use tributary::store::idempotency;
use tributary::store::keys::Role;
use tributary::store::{Error, Store, payouts};

use super::{World, code, refused, text, usd};

#[tokio::test]
async fn what_is_payable_is_proposed_approved_and_paid() {
    let w = World::start().await;
    let first = w.sell("A-1", "19.95").await;
    let second = w.sell("A-2", "100").await;
    let run = w.run().await;
    let payout = &run["payouts"][0];
    assert_eq!(run["payouts"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&payout["amount"], &payout["status"], &payout["items"]),
        (&usd("12.00"), &json!("proposed"), &json!(2))
    );
    let id = text(payout, "id");
    let items = w.get(&format!("payouts/{id}/items")).await;
    let item = |at: usize, field: &str| items["data"][at][field].clone();
    assert_eq!(
        (item(0, "order_id"), item(0, "amount"), item(0, "code")),
        (json!("A-2"), usd("10.00"), json!("approve"))
    );
    assert_eq!((item(1, "conversion_id"), item(1, "amount")), (json!(first), usd("2.00")));

    let early = w.post(&format!("payouts/{id}/pay"), Value::Null).await;
    assert_eq!(code(&early), refused(409, "payout_in_other_status"));
    assert_eq!(w.step(&format!("payouts/{id}/approve"), Value::Null).await["status"], "approved");
    assert_eq!(w.balances().await, ["0.00", "12.00", "0"]);
    let paid = w.step(&format!("payouts/{id}/pay"), json!({"reference": "bank 7"})).await;
    assert_eq!((&paid["status"], &paid["reference"]), (&json!("paid"), &json!("bank 7")));
    assert_eq!(w.balances().await, ["0.00", "0.00", "12.00"]);
    for id in [&first, &second] {
        assert_eq!(w.get(&format!("conversions/{id}")).await["status"], "paid");
    }
    let again = w.post(&format!("payouts/{id}/pay"), Value::Null).await;
    assert_eq!(code(&again), refused(409, "payout_in_other_status"));
    assert_eq!(w.told("select count(*)::text from transfers where code = 'pay'").await, "1");
    assert_eq!(w.run().await["payouts"], json!([]));
    w.is_sound().await;
}

#[tokio::test]
async fn a_payout_that_did_not_arrive_is_payable_again_and_paid_by_the_next() {
    let w = World::start().await;
    let sale = w.sell("A-1", "50").await;
    let run = w.run().await;
    let id = text(&run["payouts"][0], "id");
    w.step(&format!("payout-runs/{}/approve", text(&run, "id")), Value::Null).await;
    let paid =
        w.step(&format!("payout-runs/{}/pay", text(&run, "id")), json!({"reference": "x"})).await;
    assert_eq!(paid["payouts"][0]["status"], "paid");
    let failed = w.step(&format!("payouts/{id}/fail"), json!({"reason": "account closed"})).await;
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("failed"), &json!("account closed"))
    );
    assert_eq!(w.balances().await, ["0.00", "5.00", "0.00"]);
    assert_eq!(w.get(&format!("conversions/{sale}")).await["status"], "payable");
    w.is_sound().await;
    let again = w.run().await;
    assert_eq!(again["payouts"][0]["amount"], usd("5.00"));
    let cancelled = format!("payouts/{}/cancel", text(&again["payouts"][0], "id"));
    assert_eq!(w.step(&cancelled, Value::Null).await["status"], "cancelled");
    w.is_sound().await;
    let third = w.run().await;
    let id = text(&third["payouts"][0], "id");
    w.step(&format!("payouts/{id}/approve"), Value::Null).await;
    w.step(&format!("payouts/{id}/fail"), json!({"reason": "no such account"})).await;
    assert_eq!(w.told("select count(*)::text from transfers where code = 'return'").await, "1");
    w.is_sound().await;
    assert_eq!(w.run().await["payouts"][0]["amount"], usd("5.00"));
}

#[tokio::test]
async fn less_than_the_minimum_waits_and_a_debt_is_paid_first() {
    let w = World::with(json!({"payout_minimum": "5.00"})).await;
    let taken_back = w.sell("A-1", "40").await;
    assert_eq!(w.run().await["payouts"], json!([]), "4.00 is less than 5.00");
    w.sell("A-2", "10").await;
    let run = w.run().await;
    assert_eq!(run["payouts"][0]["amount"], usd("5.00"));
    let id = text(&run["payouts"][0], "id");
    w.step(&format!("payouts/{id}/approve"), Value::Null).await;
    // Rejected while a payout holds it: what the payout pays is a debt afterwards.
    let reject = format!("conversions/{taken_back}/reject");
    assert_eq!(w.post(&reject, json!({"reason": "sent back"})).await.status, 200);
    w.step(&format!("payouts/{id}/pay"), Value::Null).await;
    assert_eq!(w.balances().await, ["0.00", "-4.00", "5.00"]);
    assert_eq!(w.get(&format!("conversions/{taken_back}")).await["status"], "rejected");
    w.sell("A-3", "80").await;
    assert_eq!(w.run().await["payouts"], json!([]), "8.00 less 4.00 is less than 5.00");
    w.sell("A-4", "20").await;
    let next = w.run().await;
    assert_eq!(
        (&next["payouts"][0]["amount"], &next["payouts"][0]["items"]),
        (&usd("6.00"), &json!(3))
    );
    w.is_sound().await;
    let program = format!("programs/{}", w.seed.program_id);
    let changed = w.app.api("PATCH", &program, json!({"payout_minimum": "0"})).await;
    assert_eq!(changed.json()["payout_minimum"], "0");
    let bad = w.app.api("PATCH", &program, json!({"payout_minimum": "-1"})).await;
    assert_eq!(code(&bad), refused(422, "invalid_fields"));
}

#[tokio::test]
async fn each_affiliate_and_currency_has_a_payout_of_its_own() {
    let w = World::start().await;
    let (ben, cookie) = w.rival("ben").await;
    w.sell("A-1", "10").await;
    w.sell("A-2", "20&currency=EUR").await;
    w.sell_by(&cookie, "B-1", "30").await;
    let run = w.run().await;
    let mut found: Vec<String> = Vec::new();
    for payout in run["payouts"].as_array().unwrap() {
        let whose = if payout["affiliate_id"] == json!(ben) { "ben" } else { "blog" };
        let amount = &payout["amount"];
        found.push(format!("{whose} {} {}", text(amount, "amount"), text(amount, "currency")));
    }
    found.sort();
    assert_eq!(found, ["ben 3.00 USD", "blog 1.00 USD", "blog 2.00 EUR"]);
    let own = w.app.api_as(&w.seed.affiliate_key, "GET", "payouts", Value::Null).await.json();
    assert_eq!(own["data"].as_array().unwrap().len(), 2, "an affiliate sees his own");
    let filtered = w
        .get(&format!("payouts?affiliate_id={ben}&status=proposed&run_id={}", text(&run, "id")))
        .await;
    assert_eq!(filtered["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_until_a_time_leaves_what_came_later() {
    let w = World::start().await;
    w.sell("A-1", "10").await;
    let until = w.told("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')").await;
    w.sell("A-2", "20").await;
    let asked = json!({"program_id": w.seed.program_id, "until": until});
    let run = w.post("payout-runs", asked).await.json();
    assert_eq!(run["payouts"][0]["amount"], usd("1.00"));
    assert_eq!(w.run().await["payouts"][0]["amount"], usd("2.00"));
    w.is_sound().await;
}

#[tokio::test]
async fn runs_at_once_pay_each_row_once() {
    let w = World::start().await;
    for order in ["A-1", "A-2", "A-3"] {
        w.sell(order, "10").await;
    }
    let run = async || w.run().await["payouts"].as_array().unwrap().len();
    let (a, b, c) = tokio::join!(run(), run(), run());
    assert_eq!(a + b + c, 1, "one of them found all there was");
    let live =
        "select count(*)::text || ' ' || sum(amount) from payout_items where released_at is null";
    assert_eq!(w.told(live).await, "3 3.00");
    w.is_sound().await;
    // Were there no lock, the index would still say so.
    let (db, connection) =
        tokio_postgres::connect(&w.app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let forged = "insert into payouts (run_id, program_id, affiliate_id, amount, currency)
                    select run_id, program_id, affiliate_id, amount, 'EUR' from payouts;
                  insert into payout_items (payout_id, transfer_id, program_id, amount)
                    select p.id, i.transfer_id, i.program_id, i.amount from payouts p, payout_items i
                    where p.currency = 'EUR'";
    let refusal = db.batch_execute(forged).await.unwrap_err();
    assert_eq!(refusal.as_db_error().unwrap().constraint(), Some("payout_items_once"));
}

/// The API's own way to the database, as the operator.
fn operator(w: &World) -> Store {
    let api = Store::for_api(&w.app.database_url, 2).unwrap();
    api.on_behalf_of(Caller::new(Role::Operator, "first-key"))
}

#[tokio::test]
async fn a_run_that_is_killed_in_the_middle_leaves_nothing_and_is_done_again() {
    let w = World::start().await;
    w.sell("A-1", "10").await;
    let store = operator(&w);
    let scope = store.scope(Role::Operator);
    let program: i64 = w.seed.program_id.parse().unwrap();
    let key = idempotency::Asked { caller: "first-key", key: "k", fingerprint: &[7; 32] };
    // The connection is cut when all is written and nothing committed.
    let cut = idempotency::once(&store, key, async |tx| {
        payouts::run(tx, scope, program, None).await?.unwrap();
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                    where state = 'idle in transaction' and datname = current_database()";
        w.app.rows(kill).await;
        Ok::<_, Error>(idempotency::Answer { status: 201, location: None, body: "{}".to_owned() })
    });
    assert!(cut.await.is_err());
    let left = "select (select count(*) from payouts) || ' ' || (select count(*) from payout_runs)
                       || ' ' || (select count(*) from idempotent_calls where key = 'k')";
    assert_eq!(w.told(left).await, "0 0 0");
    let store = operator(&w);
    let again = idempotency::once(&store, key, async |tx| {
        payouts::run(tx, scope, program, None).await?.unwrap();
        Ok::<_, Error>(idempotency::Answer { status: 201, location: None, body: "{}".to_owned() })
    });
    assert!(matches!(again.await, Ok(idempotency::Once::Done(_))));
    assert_eq!(w.told(left).await, "1 1 1");
    w.is_sound().await;
}

#[tokio::test]
async fn a_payment_that_is_killed_in_the_middle_was_not_made() {
    let w = World::start().await;
    let sale = w.sell("A-1", "10").await;
    let id = text(&w.run().await["payouts"][0], "id");
    w.step(&format!("payouts/{id}/approve"), Value::Null).await;
    let store = operator(&w);
    let scope = store.scope(Role::Operator);
    let payout: i64 = id.parse().unwrap();
    let dropped = idempotency::within(&store, async |tx| {
        let step = (tributary::domain::payout::Step::Pay, payouts::Said::default());
        let done = payouts::step(tx, scope, payouts::Which::One(payout), step).await?;
        assert_eq!(done, payouts::Stepped::Done(1));
        Err::<(), _>(Error::raced("test"))
    });
    assert!(dropped.await.is_err());
    assert_eq!(w.get(&format!("payouts/{id}")).await["status"], "approved");
    assert_eq!(w.get(&format!("conversions/{sale}")).await["status"], "payable");
    assert_eq!(w.balances().await, ["0.00", "1.00", "0"]);
    w.step(&format!("payouts/{id}/pay"), Value::Null).await;
    assert_eq!(w.balances().await, ["0.00", "0.00", "1.00"]);
    w.is_sound().await;
}

#[tokio::test]
async fn an_advertiser_pays_in_his_own_programs_and_an_affiliate_not_at_all() {
    let w = World::start().await;
    w.sell("A-1", "10").await;
    let other = w.app.seed().await;
    let asked = json!({"program_id": w.seed.program_id});
    let stranger = w.post_as(&other.advertiser_key, "1", "payout-runs", asked.clone()).await;
    assert_eq!(code(&stranger), refused(404, "not_found"));
    let affiliate = w.post_as(&w.seed.affiliate_key, "1", "payout-runs", asked.clone()).await;
    assert_eq!(code(&affiliate), refused(403, "forbidden"));
    let own = w.post_as(&w.seed.advertiser_key, "1", "payout-runs", asked).await;
    assert_eq!(own.status, 201, "{}", own.text());
    let id = text(&own.json()["payouts"][0], "id");
    for (key, expected) in [(&other.advertiser_key, 404), (&w.seed.advertiser_key, 200)] {
        let approved = w.post_as(key, "2", &format!("payouts/{id}/approve"), Value::Null).await;
        assert_eq!(approved.status, expected);
        let shown = w.app.api_as(key, "GET", &format!("payouts/{id}/items"), Value::Null).await;
        assert_eq!(shown.status, expected);
    }
    let log = "select string_agg(resource || ' ' || action, ', ' order by id) from audit_log
               where resource in ('payouts', 'payout_runs')";
    assert_eq!(w.told(log).await, "payout_runs create, payouts create, payouts update");
}
