//! When a chargeback was opened and closed, by all ways in which that is told.

use serde_json::{Value, json};

use super::{World, code, refused, text, usd};
use crate::replay::postback;

#[tokio::test]
async fn a_chargeback_is_closed_on_no_day_before_it_was_opened() {
    let w = World::start().await;
    w.sell("A-1", "100").await;
    let today = w.told("select (now() at time zone 'UTC')::date::text").await;
    let yesterday = w.told("select ((now() at time zone 'UTC')::date - 1)::text").await;
    let opened = async |name: &str| {
        let told = json!({"order_id": "A-1", "chargeback_id": name, "amount": usd("1")});
        w.tell("chargebacks", told).await
    };
    let end = |name: &str, day: &str| json!({"order_id": "A-1", "chargeback_id": name, "status": "won", "closed_at": day});
    let (one, two, three) = (opened("CB-1").await, opened("CB-2").await, opened("CB-3").await);
    // By PATCH, by POST, and by a postback, which was answered before anybody looked.
    let closed = async |day: &str| {
        w.change(&text(&one, "id"), "", json!({"status": "won", "closed_at": day})).await
    };
    assert_eq!(code(&closed(&yesterday).await), refused(422, "invalid_fields"));
    assert_eq!(code(&closed("2999-01-01").await), refused(422, "invalid_fields"));
    let done = closed(&today).await;
    assert_eq!(
        (done.status, &done.json()["closed_at"]),
        (200, &json!(format!("{today}T00:00:00Z")))
    );
    assert_eq!(
        w.refuses("chargebacks", end("CB-2", &yesterday)).await,
        refused(422, "invalid_fields")
    );
    let shown = w.get(&format!("chargebacks/{}", text(&two, "id"))).await;
    assert_eq!((&shown["status"], &shown["closed_at"]), (&json!("open"), &Value::Null));
    let done = w.post("chargebacks", w.of_program(end("CB-2", &today))).await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("won")), "{}", done.text());
    let told =
        format!("type=chargeback&id=A-1&chargeback_id=CB-3&status=lost&closed_at={yesterday}");
    postback(&w.app, &w.seed, &told).await;
    w.app.settle().await;
    let shown = w.get(&format!("chargebacks/{}", text(&three, "id"))).await;
    assert_eq!((&shown["status"], &shown["closed_at"]), (&json!("lost"), &three["requested_at"]));
}
