//! The invariants find what is broken: each is broken by hand, and named.

use serde_json::{Value, json};
use tributary::roles;

use super::{World, text};

/// What the audit finds after a statement of somebody who may all, who then takes it back.
async fn found(w: &World, sql: &str) -> Vec<&'static str> {
    w.app.execute(&format!("set session_replication_role = replica; begin; {sql}; commit")).await;
    let all = roles::audit(&w.app.store).await.unwrap();
    // What is new is audited more often, and finds it as well.
    let first = w.told("select min(id)::text from transfers").await.parse::<i64>().unwrap();
    let recent = roles::audit_since(&w.app.store, first).await.unwrap();
    let names = |found: Vec<(&'static str, usize)>| -> Vec<&'static str> {
        found.into_iter().filter(|(_, rows)| *rows > 0).map(|(name, _)| name).collect()
    };
    let all = names(all);
    assert_eq!(names(recent), all);
    all
}

async fn paid() -> World {
    let w = World::start().await;
    w.sell("A-1", "100").await;
    let id = text(&w.run().await["payouts"][0], "id");
    w.step(&format!("payouts/{id}/approve"), Value::Null).await;
    w.step(&format!("payouts/{id}/pay"), Value::Null).await;
    w.is_sound().await;
    w
}

#[tokio::test]
async fn a_payout_that_says_another_sum_is_found() {
    let w = paid().await;
    let broken = found(&w, "update payouts set amount = 11").await;
    assert_eq!(broken, ["payout_without_pay", "payout_sum"]);
}

#[tokio::test]
async fn a_payment_without_its_payout_is_found() {
    let w = paid().await;
    let again = "insert into transfers (program_id, code, cause_id, debit_account, debit_owner, credit_account,
                   credit_owner, amount, currency, event_at)
                 select program_id, code, 7, debit_account, debit_owner, credit_account, credit_owner, amount, currency,
                   event_at from transfers where code = 'pay'";
    assert_eq!(found(&w, again).await, ["payout_without_pay", "payable_not_footing"]);
}

#[tokio::test]
async fn a_payment_that_is_gone_is_found() {
    let w = paid().await;
    let broken = found(&w, "delete from transfers where code = 'pay'").await;
    assert_eq!(broken, ["payout_without_pay", "payable_not_footing"]);
}

#[tokio::test]
async fn a_row_in_two_payouts_is_found() {
    let w = paid().await;
    let twice = "drop index payout_items_once;
                 insert into payouts (id, run_id, program_id, affiliate_id, amount, currency)
                   select new_id(), new_id(), program_id, affiliate_id, amount, currency from payouts;
                 insert into payout_items (payout_id, transfer_id, program_id, amount)
                   select max(p.id), i.transfer_id, i.program_id, i.amount from payouts p, payout_items i
                   group by i.transfer_id, i.program_id, i.amount";
    assert_eq!(found(&w, twice).await, ["payout_item_twice", "payable_not_footing"]);
}

#[tokio::test]
async fn an_item_that_was_let_go_is_found() {
    let w = paid().await;
    let broken = found(&w, "update payout_items set released_at = now()").await;
    assert_eq!(broken, ["payout_sum", "payable_not_footing"]);
}

#[tokio::test]
async fn an_adjustment_without_its_transfer_and_an_exchange_with_one_leg_are_found() {
    let w = World::start().await;
    w.sell("A-1", "100").await;
    let of = |more: Value| {
        let mut body =
            json!({"program_id": w.seed.program_id, "affiliate_id": w.seed.affiliate_id});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let money = json!({"amount": "5.00", "currency": "USD"});
    let adjustment = of(json!({"amount": money, "reason": "bonus"}));
    assert_eq!(w.post("adjustments", adjustment).await.status, 201);
    let rate = json!({"rate": "0.9", "on_date": "2026-03-02", "source": "x"});
    let exchange = of(json!({"from": money, "to": "EUR", "rate": rate}));
    assert_eq!(w.post("exchanges", exchange).await.status, 201);
    w.is_sound().await;
    let broken = found(&w, "update adjustments set amount = 6").await;
    assert_eq!(broken, ["adjustment_without_transfer"]);
    let broken = found(&w, "update adjustments set amount = 5; delete from transfers where code = 'exchange' and part = 1").await;
    assert_eq!(broken, ["exchange_one_legged"]);
    let broken = found(&w, "delete from exchanges; delete from adjustments").await;
    assert_eq!(broken, ["exchange_one_legged", "adjustment_without_transfer"]);
}
