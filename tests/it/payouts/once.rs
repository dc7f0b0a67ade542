//! Calls that are done once: the same again is answered the same, and nothing is done.

use serde_json::{Value, json};
use tributary::store::idempotency;

use super::{World, code, refused, usd};
use crate::harness::http;

fn adjustment(w: &World, amount: &str) -> Value {
    json!({
        "program_id": w.seed.program_id, "affiliate_id": w.seed.affiliate_id, "amount": usd(amount),
        "reason": "bonus",
    })
}

#[tokio::test]
async fn the_same_call_again_is_answered_the_same_and_moves_nothing() {
    let w = World::start().await;
    let key = &w.app.admin_key;
    let first = w.post_as(key, "\"k-1\"", "adjustments", adjustment(&w, "5.00")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
    // In quotes or bare, it is one key.
    let again = w.post_as(key, "k-1", "adjustments", adjustment(&w, "5.00")).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
    for header in ["location", "etag", "content-type"] {
        assert!(first.header(header).is_some(), "{header}");
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    assert_eq!(w.balances().await[1], "5.00");
    let other = w.post_as(key, "k-1", "adjustments", adjustment(&w, "6.00")).await;
    assert_eq!(code(&other), refused(422, "idempotency_key_reused"));
    let elsewhere =
        w.post_as(key, "k-1", "payout-runs", json!({"program_id": w.seed.program_id})).await;
    assert_eq!(code(&elsewhere), refused(422, "idempotency_key_reused"));
    // Another caller's key is another key.
    let advertiser = &w.seed.advertiser_key;
    let his = w.post_as(advertiser, "k-1", "adjustments", adjustment(&w, "6.00")).await;
    assert_eq!((his.status, his.header("idempotent-replayed")), (201, None));
    assert_eq!(w.balances().await[1], "11.00");
    w.is_sound().await;
}

#[tokio::test]
async fn a_call_without_a_key_or_with_a_bad_one_is_refused() {
    let w = World::start().await;
    let url = format!("{}/api/v1/adjustments", w.app.admin_url);
    let bearer = format!("Bearer {}", w.app.admin_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = adjustment(&w, "5.00").to_string();
    let none = http("POST", &url, &headers, body.as_bytes()).await;
    assert_eq!(code(&none), refused(400, "idempotency_key_missing"));
    let long = "x".repeat(256);
    for bad in ["\"\"", "\"a", "a b", &long] {
        let answer = w.post_as(&w.app.admin_key, bad, "adjustments", adjustment(&w, "5.00")).await;
        assert_eq!(code(&answer), refused(400, "idempotency_key_invalid"), "{bad}");
    }
    assert_eq!(w.balances().await[1], "0");
}

#[tokio::test]
async fn a_refused_call_is_not_kept() {
    let w = World::start().await;
    let key = &w.app.admin_key;
    let bad = w.post_as(key, "k", "adjustments", adjustment(&w, "0")).await;
    assert_eq!(code(&bad), refused(422, "invalid_fields"));
    let mut stranger = adjustment(&w, "5.00");
    stranger["affiliate_id"] = json!("7");
    let missing = w.post_as(key, "k", "adjustments", stranger).await;
    assert_eq!(code(&missing), refused(404, "not_found"));
    assert_eq!(w.told("select count(*)::text from idempotent_calls").await, "0");
    let good = w.post_as(key, "k", "adjustments", adjustment(&w, "5.00")).await;
    assert_eq!((good.status, good.header("idempotent-replayed")), (201, None));
}

#[tokio::test]
async fn many_at_once_are_one() {
    let w = World::start().await;
    let one = || w.post_as(&w.app.admin_key, "k", "adjustments", adjustment(&w, "5.00"));
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let mut done = 0;
    for answer in [&a, &b, &c, &d] {
        match code(answer) {
            (201, _) => done += usize::from(answer.header("idempotent-replayed").is_none()),
            busy => assert_eq!(busy, refused(409, "idempotency_key_in_use")),
        }
    }
    assert_eq!((done, w.balances().await[1].as_str()), (1, "5.00"));
    let settled = one().await;
    assert_eq!((settled.status, settled.header("idempotent-replayed")), (201, Some("true")));
}

#[tokio::test]
async fn a_key_that_is_worked_on_is_in_use() {
    let w = World::start().await;
    let (db, connection) =
        tokio_postgres::connect(&w.app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = "begin; select pg_advisory_xact_lock(
                  hashtextextended('idempotency' || chr(10) || 'first-key' || chr(10) || 'k', 0))";
    db.batch_execute(lock).await.unwrap();
    let call = || w.post_as(&w.app.admin_key, "k", "adjustments", adjustment(&w, "5.00"));
    assert_eq!(code(&call().await), refused(409, "idempotency_key_in_use"));
    db.batch_execute("rollback").await.unwrap();
    assert_eq!(call().await.status, 201);
}

#[tokio::test]
async fn a_verdict_takes_a_key_where_there_is_one() {
    let w = World::start().await;
    let sale = w.sell("A-1", "10").await;
    let path = format!("conversions/{sale}/reject");
    let reject = |reason: &str| {
        let body = json!({"reason": reason});
        w.post_as(&w.app.admin_key, "k", &path, body)
    };
    let first = reject("sent back").await;
    assert_eq!((first.status, first.json()["status"].clone()), (200, json!("rejected")));
    let again = reject("sent back").await;
    assert_eq!(
        (again.body == first.body, again.header("idempotent-replayed")),
        (true, Some("true"))
    );
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(code(&reject("fraud").await), refused(422, "idempotency_key_reused"));
    let url = format!("{}/api/v1/{path}", w.app.admin_url);
    let bearer = format!("Bearer {}", w.app.admin_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let without = http("POST", &url, &headers, br#"{"reason":"sent back"}"#).await;
    assert_eq!(without.status, 200, "a verdict needs none");
    // As it was seen, and once: the second is answered as the first, though the first changed the tag.
    let sale = w.sell("A-2", "10").await;
    let (url, seen) =
        (url.replace(&path, &format!("conversions/{sale}/reject")), format!("conversions/{sale}"));
    let shown = w.app.api("GET", &seen, Value::Null).await;
    let tag = ("if-match", shown.header("etag").unwrap());
    let headers = [headers[0], headers[1], ("idempotency-key", "tagged"), tag];
    let answers = [(); 2].map(|()| http("POST", &url, &headers, br#"{"reason":"sent back"}"#));
    for answer in answers {
        assert_eq!(answer.await.status, 200);
    }
}

#[tokio::test]
async fn answers_are_kept_for_ninety_days() {
    let w = World::start().await;
    for key in ["old", "new"] {
        assert_eq!(
            w.post_as(&w.app.admin_key, key, "adjustments", adjustment(&w, "1")).await.status,
            201
        );
    }
    w.app.execute("update idempotent_calls set created_at = now() - interval '89 days'").await;
    idempotency::sweep(&w.app.store).await.unwrap();
    assert_eq!(w.told("select count(*)::text from idempotent_calls").await, "2");
    w.app
        .execute(
            "update idempotent_calls set created_at = now() - interval '91 days' where key = 'old'",
        )
        .await;
    idempotency::sweep(&w.app.store).await.unwrap();
    assert_eq!(w.told("select string_agg(key, ' ') from idempotent_calls").await, "new");
}
