//! Conversions, verdicts on them and the release of what is due: the money moves once.

use serde_json::{Value, json};

use super::{World, call, get, ids, pointers, sql};

#[tokio::test]
async fn a_verdict_moves_the_money_once() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    for id in [1_001, 1_003] {
        w.book(id, Some(&w.ann), "19.95", "2.00").await;
    }
    w.book(1_005, None, "19.95", "0").await;
    let before = get(app, &w.acme.key, "conversions/1001").await;
    assert_eq!(
        before,
        json!({
            "id": "1001", "hit_ids": ["1001"], "program_id": w.acme.program, "affiliate_id": w.ann.id,
            "order_id": "O-1001", "kind": "sale", "amount": "19.95", "currency": "USD",
            "commission": {"amount": "2.00", "currency": "USD"},
            "commission_net": {"amount": "2.00", "currency": "USD"}, "status": "pending",
            "verified": false, "attributed_by": "cookie", "click_id": "1000",
            "received_at": "2026-03-01T02:00:00Z", "reasons": ["unsigned_held"], "held": true,
            "hold_until": before["hold_until"], "shares": [], "exchange": null,
        })
    );
    for _ in 0..2 {
        let answer = call(app, &w.acme.key, "POST", "conversions/1001/approve", json!({})).await;
        let now = answer.json();
        assert_eq!(
            (answer.status, &now["status"], &now["held"]),
            (200, &json!("payable"), &json!(false))
        );
        assert_eq!(now["reasons"], json!(["unsigned_held", "approved_by_hand"]));
    }
    let approved = [
        "accrue advertiser affiliate_pending 2.00",
        "approve affiliate_pending affiliate_payable 2.00",
    ];
    assert_eq!(w.transfers(1_001).await, approved);
    for _ in 0..2 {
        let reason = json!({"reason": "sent back"});
        let answer = call(app, &w.acme.key, "POST", "conversions/1001/reject", reason).await;
        let now = answer.json();
        assert_eq!((answer.status, &now["status"]), (200, &json!("rejected")));
        assert_eq!(now["commission_net"]["amount"], "0.00");
        assert_eq!(now["rejection"], "sent back");
        assert_eq!(now["reasons"], json!(["unsigned_held", "rejected_by_hand"]));
    }
    assert_eq!(w.transfers(1_001).await[2..], ["reject affiliate_payable advertiser 2.00"]);
    let answer = call(app, &w.acme.key, "POST", "conversions/1001/approve", Value::Null).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("conversion_not_pending")));
    let reason = json!({"reason": "fraud"});
    call(app, &w.acme.key, "POST", "conversions/1003/reject", reason).await;
    assert_eq!(w.transfers(1_003).await[1..], ["reject affiliate_pending advertiser 2.00"]);
    let answer = call(app, &w.acme.key, "POST", "conversions/1005/approve", Value::Null).await;
    assert_eq!((answer.status, w.transfers(1_005).await.len()), (200, 0));
    let state = "select revision, facts->'notes' from conversions where id = 1001";
    assert_eq!(
        sql(app, state).await[0],
        [Some("3".to_owned()), Some("[\"rejected_by_hand\", \"x\"]".to_owned())]
    );
    let answer = call(app, &w.acme.key, "POST", "conversions/1003/reject", json!({})).await;
    assert_eq!((answer.status, pointers(&answer)), (422, vec!["/reason".to_owned()]));
}

#[tokio::test]
async fn two_verdicts_at_once_are_one() {
    let world = World::start().await;
    world.book(1_001, Some(&world.ann), "19.95", "2.00").await;
    let one = || call(&world.app, &world.acme.key, "POST", "conversions/1001/approve", Value::Null);
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!([a.status, b.status, c.status], [200; 3]);
    assert_eq!(world.transfers(1_001).await.len(), 2);
}

#[tokio::test]
async fn a_second_booking_is_approved_and_rejected_for_itself() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    call(app, &w.operator, "POST", "conversions/1001/approve", Value::Null).await;
    // Better evidence came: the worker takes the first booking back and makes another.
    let (ann, acme) = (&w.ann.id, &w.acme.id);
    sql(app, &format!(
        "insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner,
           credit_account, credit_owner, amount, currency, event_at)
         values (1001, 'supersede', 1009, 'affiliate_payable', {ann}, 'advertiser', {acme}, 2.00, 'USD', now());
         insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner,
           credit_account, credit_owner, amount, currency, event_at)
         values (1001, 'accrue', 1009, 'advertiser', {acme}, 'affiliate_pending', {ann}, 3.00, 'USD', now());
         update conversions set status = 'pending', commission = 3.00 where id = 1001"
    )).await;
    let answer = call(app, &w.operator, "POST", "conversions/1001/approve", Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let last = w.transfers(1_001).await.pop().unwrap();
    assert_eq!(last, "approve affiliate_pending affiliate_payable 3.00");
}

#[tokio::test]
async fn what_has_passed_its_hold_period_becomes_payable_once() {
    let world = World::start().await;
    let w = &world;
    for id in [1_001, 1_003, 1_005] {
        w.book(id, Some(&w.ann), "19.95", "2.00").await;
    }
    w.book(1_007, None, "19.95", "0").await;
    sql(
        &w.app,
        "update conversions set hold_until = '2026-01-01Z';
                 update conversions set held = false where id <> 1005",
    )
    .await;
    let early = 1_767_225_599_999; // 2025-12-31T23:59:59.999Z
    let store = &w.app.store;
    assert_eq!(tributary::store::ledger::release_due(store, early, 10).await.unwrap(), 0);
    assert_eq!(tributary::store::ledger::release_due(store, early + 1, 2).await.unwrap(), 2);
    assert_eq!(tributary::store::ledger::release_due(store, early + 1, 10).await.unwrap(), 1);
    assert_eq!(tributary::store::ledger::release_due(store, early + 1, 10).await.unwrap(), 0);
    for (id, count) in [(1_001, 2), (1_003, 2), (1_005, 1), (1_007, 0)] {
        assert_eq!(w.transfers(id).await.len(), count, "{id}");
    }
}

#[tokio::test]
async fn conversions_are_found_by_their_filters() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    w.book(1_003, None, "5.00", "0").await;
    for (filter, expected) in [
        ("order_id=O-1001".to_owned(), vec!["1001"]),
        (format!("affiliate_id={}", w.ann.id), vec!["1001"]),
        (format!("program_id={}", w.other.program), vec![]),
        ("status=pending".to_owned(), vec!["1003", "1001"]),
        ("status=paid".to_owned(), vec![]),
        ("from=2026-03-01T02:00:00Z".to_owned(), vec!["1003", "1001"]),
        ("to=2026-03-01T02:00:00Z".to_owned(), vec![]),
        ("from=2026-03-01&to=2026-03-02".to_owned(), vec!["1003", "1001"]),
    ] {
        let list = get(app, &w.operator, &format!("conversions?{filter}")).await;
        assert_eq!(ids(&list), expected, "{filter}");
    }
}
