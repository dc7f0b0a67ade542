//! What is done and told at the same time: who comes second sees what the first one did.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tributary::domain::intake::SaleKind;
use tributary::domain::money::{Currency, Money};
use tributary::domain::order::Key;
use tributary::domain::settlement::{Action, Conversion};
use tributary::domain::takeback::{Refund, Takeback};
use tributary::store::books::{self, Acted};
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::page::Scope;
use tributary::store::{Cause, Error, Store, Transaction, idempotency, settle};

use super::paid::{SHARE, recruited};
use super::{World, text, usd};

/// The API's own way to the database, as the operator.
fn people(w: &World) -> Store {
    let api = Store::for_api(&w.app.database_url, 1).unwrap();
    api.on_behalf_of(Caller::new(Role::Operator, "key:1"))
}

#[tokio::test]
async fn who_read_a_sale_before_its_share_was_paid_writes_nothing_over_it() {
    let (w, recruiter, sale) = recruited().await;
    let run = w.approved().await;
    let query = format!("payouts?run_id={}&affiliate_id={recruiter}", text(&run, "id"));
    let his = text(&w.get(&query).await["data"][0], "id");
    let program_id = w.seed.program_id.parse().unwrap();
    let key = Key { program_id, kind: SaleKind::Sale, text: "id:A-1".to_owned() };
    // As the worker does: read, decided, written.
    let settled = idempotency::within::<_, Error>(&w.app.store, async |tx| {
        let known: HashMap<Key, Conversion> = settle::find(tx, std::slice::from_ref(&key)).await?;
        w.step(&format!("payouts/{his}/pay"), Value::Null).await;
        settle::write_conversions(tx, &known.into_values().collect::<Vec<_>>()).await
    });
    assert_eq!(settled.await.unwrap_err().cause, Cause::Race);
    assert_eq!(w.told(SHARE).await, "paid 5.00");
    w.hears("amount=100&id=A-1").await;
    assert_eq!(
        (w.state(&sale).await, w.told(SHARE).await),
        ("payable 10.00".to_owned(), "paid 5.00".to_owned())
    );
}

fn dollars(amount: &str) -> Money {
    Money::rounded(amount.parse().unwrap(), Currency::parse("USD").unwrap())
}

/// What a person does to the sale, in a transaction of his own.
async fn act(tx: &Transaction<'_>, sale: &str, action: Action) -> Result<(), Error> {
    let which = books::Which::One(sale.parse().unwrap(), None);
    let acted = books::act(tx, Scope::default(), &which, &action, None).await?;
    assert!(matches!(acted, Acted::Done(..)), "{acted:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_booked_anew_while_the_payment_is_told_is_not_paid() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let payout = text(&w.approved().await["payouts"][0], "id");
    let people = people(&w);
    let (held, waits) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let correct = async {
        let work = async |tx: &Transaction<'_>| {
            act(tx, &sale, Action::Correct(dollars("150"))).await?;
            held.notify_one();
            waits.notified().await;
            Ok::<_, Error>(())
        };
        idempotency::within(&people, work).await.unwrap();
    };
    let watch = async {
        let waiting = "select count(*)::text from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        while w.told(waiting).await == "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        waits.notify_one();
    };
    let pay = async {
        held.notified().await;
        let path = format!("payouts/{payout}/pay");
        tokio::join!(w.step(&path, Value::Null), watch).0
    };
    let ((), paid) = tokio::join!(correct, pay);
    assert_eq!(paid["status"], "paid");
    assert_eq!(w.state(&sale).await, "payable 15.00", "10.00 of it is paid");
    assert_eq!(w.paid().await["payouts"][0]["amount"], usd("5.00"));
    assert_eq!(w.state(&sale).await, "paid 15.00");
}

#[tokio::test]
async fn of_two_refunds_at_once_the_second_takes_what_is_left() {
    let w = World::start().await;
    let sale = w.sell("A-1", "100").await;
    let refund = |name: &str| json!({"order_id": "A-1", "refund_id": name, "amount": usd("60")});
    // Begun first, and told last.
    let people = people(&w);
    let told = idempotency::within::<_, Error>(&people, async |tx| {
        let first = w.tell("refunds", refund("R-1")).await;
        assert_eq!(first["commission_reversed"], usd("6.00"));
        let told = Refund { id: "R-2".to_owned(), money: Some(dollars("60")) };
        act(tx, &sale, Action::Takeback(Takeback::Refund(told))).await
    });
    told.await.unwrap();
    let taken = async |name: &str| {
        let found = w.get("refunds").await["data"].as_array().unwrap().clone();
        let one = found.iter().find(|refund| refund["refund_id"] == name).unwrap();
        text(&one["commission_reversed"], "amount")
    };
    assert_eq!([taken("R-1").await, taken("R-2").await], ["6.00", "4.00"]);
    // A chargeback that is lost by now is behind them, whenever its call began.
    w.sell("A-3", "100").await;
    let lost =
        json!({"order_id": "A-3", "chargeback_id": "C-1", "status": "lost", "amount": usd("60")});
    let whole = json!({"order_id": "A-3", "refund_id": "R-1", "amount": usd("60")});
    let (lost, whole) =
        (w.post("chargebacks", w.of_program(lost)), w.post("refunds", w.of_program(whole)));
    let (lost, whole) = tokio::join!(lost, whole);
    let mut taken =
        [lost, whole].map(|answer| text(&answer.json()["commission_reversed"], "amount"));
    taken.sort();
    assert_eq!(taken, ["4.00", "6.00"]);
    // As many as there are, their answers add up to what was lost.
    let all = ["1", "2", "3", "4"]
        .map(|n| (n, json!({"order_id": "A-2", "refund_id": n, "amount": usd("33.33")})));
    w.sell("A-2", "100").await;
    let [a, b, c, d] = all.map(|(_, told)| w.post("refunds", w.of_program(told)));
    let answers: [_; 4] = tokio::join!(a, b, c, d).into();
    let mut taken: Vec<String> = answers
        .iter()
        .map(|answer| text(&answer.json()["commission_reversed"], "amount"))
        .collect();
    taken.sort();
    assert_eq!(taken, ["0.00", "3.33", "3.33", "3.34"]);
    w.is_sound().await;
}
