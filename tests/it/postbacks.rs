//! What a shop's server is told of its refunds, chargebacks and renewals, and what is shown of them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tributary::domain::sign;

use crate::harness::{App, http};

#[tokio::test]
async fn a_postback_of_a_refund_or_chargeback_is_told_the_truth() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/postback/{}", app.edge_url, seed.code);
    let bearer = format!("Bearer {}", seed.secret);
    let with = [("authorization", bearer.as_str())];
    let ts = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let sig = sign::signature(&seed.secret, [&seed.code, "1", "5", "", &ts]);
    let signed = format!("id=1&amount=5&ts={ts}&sig={sig}&type=refund&refund_id=R1");
    for (headers, fields, status, code, pointers) in [
        (&with[..], "type=refund&id=1", 200, "", &[][..]),
        (&with, "type=refund&id=1&refund_id=R1&amount=5", 200, "", &[]),
        (&with, "type=chargeback&id=1&status=open&reason=FRAUD&potential=1", 200, "", &[]),
        (&with, "type=refund&id=1&test=1", 200, "", &[]),
        (&[], "type=refund&id=1", 401, "unauthorized", &[]),
        (&[], "type=chargeback&id=1&key=x", 401, "unauthorized", &[]),
        (&[], &signed, 422, "type_unsigned", &["/type"]),
        (&with, "type=refund", 422, "order_id_required", &["/id"]),
        (&with, "type=refund&id=1&amount=5", 422, "refund_id_missing", &["/refund_id"]),
        (&with, "type=refund&id=1&refund_id=R1&amount=0", 422, "amount_zero", &["/amount"]),
        (
            &with,
            "type=chargeback&status=x&requested_at=x&closed_at=x&amount=-1",
            422,
            "order_id_required",
            &["/id", "/amount", "/status", "/requested_at", "/closed_at"],
        ),
        (
            &with,
            "amount=1&id=1&type=renewal&tax=x&discount=-1",
            422,
            "amount_invalid",
            &["/tax", "/discount"],
        ),
    ] {
        let answer = http("POST", &url, headers, fields.as_bytes()).await;
        assert_eq!(answer.status, status, "{fields}: {}", answer.text());
        let json = answer.json();
        if status == 200 {
            assert_eq!(json["outcome"], "accepted", "{fields}");
            assert!(json["hit"].is_string() && json["reason"].is_null(), "{fields}: {json}");
            continue;
        }
        assert_eq!(json["code"], code, "{fields}");
        if status == 422 {
            let errors = json["errors"].as_array().unwrap().iter();
            let told: Vec<&str> = errors.map(|e| e["pointer"].as_str().unwrap()).collect();
            assert_eq!(told, pointers, "{fields}");
        }
    }
    // A browser that fetches ahead takes nothing back.
    let ahead = [with[0], ("sec-purpose", "prefetch")];
    let answer = http("GET", &format!("{url}?type=refund&id=1"), &ahead, b"").await;
    assert_eq!((answer.status, &answer.json()["outcome"]), (200, &json!("ignored")));
    let id = answer.json()["hit"].as_str().unwrap().to_owned();
    app.settle().await;
    let settled = app.api("GET", &format!("hits/{id}"), Value::Null).await.json();
    assert_eq!((&settled["outcome"], &settled["reason"]), (&json!("ignored"), &json!("prefetch")));
}

#[tokio::test]
async fn a_stored_hit_shows_what_it_told() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/postback/{}", app.edge_url, seed.code);
    let bearer = format!("Bearer {}", seed.secret);
    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let send = async |body: Value| {
        let answer = http("POST", &url, &json, body.to_string().as_bytes()).await;
        let id = answer.json()["hit"].as_str().unwrap().to_owned();
        app.settle().await;
        app.api("GET", &format!("hits/{id}"), Value::Null).await.json()["reading"].clone()
    };
    let sale = send(
        json!({"type": "renewal", "id": "1", "amount": "119.00", "tax": "19", "country": "de",
        "items": [{"sku": "A1", "quantity": 2, "unit_price": 50}]}),
    )
    .await;
    assert!(sale["takeback"].is_null() && sale["faults"] == json!([]), "{sale}");
    let fields = &sale["fields"];
    assert_eq!((&fields["tax"], &fields["shipping"]), (&json!("19.00"), &Value::Null));
    assert_eq!((&fields["country"], &fields["origin"]), (&json!("DE"), &json!("auto_renewal")));
    assert_eq!(fields["items"], r#"[{"quantity":2,"sku":"A1","unit_price":50}]"#);
    let chargeback =
        send(json!({"type": "chargeback", "id": "1", "chargeback_id": "C1", "amount": 5,
        "potential": true, "reason": "fraud", "requested_at": "2026-09-01"}))
        .await;
    assert!(chargeback["fields"].is_null(), "{chargeback}");
    let expected = json!({"type": "chargeback", "test": false, "id": "1", "takeback_id": "C1",
        "amount": "5.00", "currency": "USD", "status": "potential", "reason": "FRAUD",
        "requested_at": "2026-09-01T00:00:00Z", "closed_at": null});
    assert_eq!(chargeback["takeback"], expected);
    let refund = send(json!({"type": "refund", "id": "1"})).await;
    assert_eq!(refund["takeback"]["takeback_id"], "all");
    assert!(refund["takeback"]["amount"].is_null() && refund["takeback"]["status"].is_null());
}
