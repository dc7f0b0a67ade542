//! The audit log: every changing route leaves an entry that says who, what, before and after; no secret is in
//! any; nobody changes it.

use serde_json::{Value, json};
use tributary::admin::routes;

use super::{PASSWORD, World, path_of, text};

impl World {
    /// Entries, oldest first.
    async fn log(&self, query: &str) -> Vec<Value> {
        let list = self.app.api("GET", &format!("audit-log?limit=500&{query}"), Value::Null).await;
        assert_eq!(list.status, 200, "{}", list.text());
        let mut entries = list.json()["data"].as_array().unwrap().clone();
        entries.reverse();
        entries
    }
}

/// One of every changing route, in an order in which they need one another: method, path, body, the table
/// that changes, and a field with its value afterwards.
fn approved() -> (&'static str, Value) {
    ("status", json!("payable"))
}

#[tokio::test]
async fn every_change_leaves_an_entry() {
    let world = World::start().await;
    let user = world.user("ann@x.example", "advertiser", &["read"]).await;
    let (advertiser, affiliate) = (&world.advertiser, &world.affiliate);
    let mut ids = std::collections::HashMap::from([("user", user.clone())]);
    let plan = json!({"kind": "percent", "rate": "10"});
    let conversion = "insert into conversions (id, program_id, kind, order_key, amount, currency, commission,
        commission_currency, status, held, hold_until, verified, received_at, facts)
        select $1::bigint, id, 'sale', 'k' || ($1::bigint)::text, 1, 'USD', 0, 'USD', 'pending', true, now(), true, now(),
          jsonb_build_object(
            'speaker', jsonb_build_object('unverified', false, 'hit', $1::bigint, 'value', 0), 'order_id', null,
            'money', jsonb_build_object('unverified', false, 'hit', $1::bigint,
                                        'value', jsonb_build_object('amount', '1.00', 'currency', 'USD')),
            'coupon', null, 'customer', null, 'new_customer', null, 'items', null, 'attribution', null, 'channels', 1,
            'clicks', '[]'::jsonb, 'amount_differs', false, 'revived', false, 'notes', '[]'::jsonb)
        from programs";
    let five = json!({"amount": "5", "currency": "USD"});
    let rate = json!({"rate": "0.9", "on_date": "2026-03-02", "source": "bank"});
    let mut walked = Vec::new();
    for (method, template, body, table, (field, value)) in [
        (
            "POST",
            "advertisers",
            json!({"name": "New", "currency": "USD", "timezone": "UTC"}),
            "advertisers",
            ("name", json!("New")),
        ),
        (
            "POST",
            "affiliates",
            json!({"name": "Aff", "email": "a@b.example"}),
            "affiliates",
            ("email", json!("a@b.example")),
        ),
        (
            "PATCH",
            "affiliates/{id}",
            json!({"name": "Other", "group": "partners"}),
            "affiliates",
            ("group_name", json!("partners")),
        ),
        (
            "POST",
            "programs",
            json!({"advertiser_id": advertiser, "name": "P", "landing_url": "https://s.example/", "plan": plan}),
            "programs",
            ("name", json!("P")),
        ),
        (
            "PATCH",
            "programs/{id}",
            json!({"window_days": 7}),
            "programs",
            ("window_days", json!(7)),
        ),
        (
            "POST",
            "programs/{id}/plans",
            json!({"kind": "flat", "amount": "5"}),
            "plans",
            ("version", json!(2)),
        ),
        (
            "POST",
            "links",
            json!({"program_id": "programs", "affiliate_id": affiliate}),
            "links",
            ("destination", Value::Null),
        ),
        (
            "PATCH",
            "links/{id}",
            json!({"destination": "https://s.example/x"}),
            "links",
            ("destination", json!("https://s.example/x")),
        ),
        (
            "POST",
            "tracking-codes",
            json!({"program_id": "programs", "name": "T"}),
            "tracking_codes",
            ("secret", json!("********")),
        ),
        (
            "PATCH",
            "tracking-codes/{id}",
            json!({"name": "U"}),
            "tracking_codes",
            ("name", json!("U")),
        ),
        (
            "POST",
            "coupons",
            json!({"program_id": "programs", "affiliate_id": affiliate, "code": "C1"}),
            "coupons",
            ("code", json!("C1")),
        ),
        (
            "PATCH",
            "coupons/{id}",
            json!({"valid_to": "2030-01-01"}),
            "coupons",
            ("valid_to", json!("2030-01-01T00:00:00+00:00")),
        ),
        ("POST", "conversions/{id}/approve", Value::Null, "conversions", approved()),
        (
            "POST",
            "conversions/{id}/reject",
            json!({"reason": "fake"}),
            "conversions",
            ("rejection", json!("fake")),
        ),
        ("POST", "conversions/approve", json!({"ids": "conversions"}), "conversions", approved()),
        (
            "POST",
            "conversions/reject",
            json!({"ids": "conversions", "reason": "fake"}),
            "conversions",
            ("rejection", json!("fake")),
        ),
        (
            "POST",
            "rates",
            json!({"currency": "KWD", "on_date": "2026-01-02", "per_euro": "0.3601"}),
            "rates",
            ("source", json!("set by hand")),
        ),
        (
            "POST",
            "api-keys",
            json!({"role": "advertiser", "advertiser_id": advertiser}),
            "api_keys",
            ("hash", json!("********")),
        ),
        ("POST", "api-keys/{id}/rotate", Value::Null, "api_keys", ("hash", json!("********"))),
        ("DELETE", "api-keys/{id}", Value::Null, "api_keys", ("revoked_at", json!("*"))),
        (
            "PATCH",
            "advertisers/{id}",
            json!({"payer_iban": "DE89370400440532013000"}),
            "advertisers",
            ("payer_iban", json!("********3000")),
        ),
        (
            "POST",
            "adjustments",
            json!({"program_id": "programs", "affiliate_id": affiliate, "amount": five, "reason": "gift"}),
            "adjustments",
            ("reason", json!("gift")),
        ),
        (
            "POST",
            "exchanges",
            json!({"program_id": "programs", "affiliate_id": affiliate, "from": five, "to": "EUR", "rate": rate}),
            "exchanges",
            ("rate_source", json!("bank")),
        ),
        (
            "POST",
            "refunds",
            json!({"program_id": "programs", "order_id": "1", "refund_id": "R-1", "note": "sent back"}),
            "refunds",
            ("note", json!("sent back")),
        ),
        (
            "POST",
            "chargebacks",
            json!({"program_id": "programs", "order_id": "1", "chargeback_id": "CB-1"}),
            "chargebacks",
            ("status", json!("open")),
        ),
        (
            "PATCH",
            "chargebacks/{id}",
            json!({"status": "lost"}),
            "chargebacks",
            ("status", json!("lost")),
        ),
        (
            "POST",
            "payout-runs",
            json!({"program_id": "programs"}),
            "payout_runs",
            ("until", Value::Null),
        ),
        ("POST", "payout-runs/{id}/approve", Value::Null, "payouts", ("status", json!("approved"))),
        ("POST", "payout-runs/{id}/pay", Value::Null, "payouts", ("status", json!("paid"))),
        ("POST", "payouts/{id}/approve", Value::Null, "payouts", ("status", json!("approved"))),
        ("POST", "payouts/{id}/pay", Value::Null, "payouts", ("status", json!("paid"))),
        (
            "POST",
            "payouts/{id}/fail",
            json!({"reason": "closed"}),
            "payouts",
            ("reason", json!("closed")),
        ),
        ("POST", "payouts/{id}/cancel", Value::Null, "payouts", ("status", json!("cancelled"))),
        (
            "PATCH",
            "users/{id}",
            json!({"scopes": ["read", "money"]}),
            "users",
            ("scopes", json!(["read", "money"])),
        ),
        (
            "POST",
            "invitations",
            json!({"email": "n@x.example", "role": "operator"}),
            "invitations",
            ("hash", json!("********")),
        ),
        ("DELETE", "invitations/{id}", Value::Null, "invitations", ("email", Value::Null)),
    ] {
        if template.starts_with("conversions") {
            let id = walked.len() as i64;
            world.db.execute(conversion, &[&id]).await.unwrap();
            ids.insert("conversions", id.to_string());
        }
        if let Some(step) = template.strip_prefix("payouts/{id}/") {
            let id = walked.len().to_string();
            let from = if step == "pay" || step == "fail" { "approved" } else { "proposed" };
            let program = &ids["programs"];
            let proposed = format!(
                "insert into payout_runs (id, program_id) values ({id}, {program});
                 insert into payouts (id, run_id, program_id, affiliate_id, amount, currency, status)
                 values ({id}, {id}, {program}, {affiliate}, 1, 'USD', '{from}')"
            );
            world.db.batch_execute(&proposed).await.unwrap();
            ids.insert("payouts", id);
        }
        let resource = template.split('/').next().unwrap();
        let own = if resource == "users" { "user" } else { resource };
        let path = template.replace("{id}", ids.get(own).map_or("", String::as_str));
        let mut body = body;
        if body["program_id"] == "programs" {
            body["program_id"] = json!(ids["programs"]);
        }
        if body["ids"] == "conversions" {
            body["ids"] = json!([ids["conversions"]]);
        }
        let before = world.log("").await.len();
        let answer = world.app.api(method, &path, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
        if method == "POST" && !template.contains(['{', '/']) {
            ids.insert(resource, text(&answer.json(), "id"));
        }
        let entries = world.log("").await.split_off(before);
        let entry = entries.iter().rev().find(|entry| entry["resource"] == table);
        let entry = entry.unwrap_or_else(|| panic!("{method} {path} left {entries:?}"));
        assert_eq!(
            (&entry["actor"], &entry["actor_role"]),
            (&json!("first-key"), &json!("operator")),
            "{entry}"
        );
        let (was, is) = (&entry["before"][field], &entry["after"][field]);
        assert!(is == &value || value == "*" && is.is_string(), "{method} {path}: {entry}");
        match entry["action"].as_str().unwrap() {
            "create" => assert!(entry["before"].is_null()),
            "update" => assert!(was != is && entry["before"].is_object(), "{entry}"),
            "delete" => assert!(entry["after"].is_null() && entry["before"].is_object()),
            other => panic!("{other}"),
        }
        walked.push((method, format!("/api/v1/{template}")));
    }
    // Lists of orders are not JSON: `reconciling` looks at their entries.
    let walked_here = |template: &str| !template.contains("reconciliations");
    let routes = routes().filter(|(method, template)| *method != "GET" && walked_here(template));
    for (method, template) in routes {
        let known = walked.iter().any(|(m, t)| *m == method && t == template);
        assert!(known, "{method} {template} is not walked here");
    }
}

#[tokio::test]
async fn no_secret_is_in_any_entry() {
    let world = World::start().await;
    let seed = world.app.seed().await;
    world.user("ann@x.example", "operator", &["read", "people"]).await;
    let cookie = world.sign_in("ann@x.example").await;
    let (secret, codes) = world.second_step(&cookie).await;
    let wanted = json!({"email": "n@x.example", "role": "operator"});
    let link = text(&world.app.create("invitations", wanted).await, "link");
    world.attempt("ann@x.example", "not the password", "").await;
    world.attempt("my-password-in-the-wrong-field", "x", "").await;
    let log = json!(world.log("").await).to_string();
    let hash: String =
        world.db.query_one("select password_hash from users", &[]).await.unwrap().get(0);
    let token = path_of(&link).replace("/invitation/", "");
    let digest = tributary::domain::sign::digest_hex(seed.advertiser_key.as_bytes());
    let (hex, base32) = (hex::encode(&secret), tributary::domain::totp::base32(&secret));
    for secret in [
        &seed.secret,
        &seed.advertiser_key,
        &token,
        &hash,
        &hex,
        &base32,
        &codes[0],
        &digest,
        &world.app.admin_key,
        &PASSWORD.to_owned(),
        &"not the password".to_owned(),
        &"wrong-field".to_owned(),
        &cookie.split(['=', ';']).nth(1).unwrap().to_owned(),
    ] {
        assert!(!log.contains(secret.as_str()), "{secret} in {log}");
    }
}

#[tokio::test]
async fn who_signs_in_and_out_is_told_and_each_sees_his_own() {
    let world = World::start().await;
    let ann = world.user("ann@x.example", "advertiser", &["read", "people"]).await;
    let cookie = world.sign_in("ann@x.example").await;
    world.attempt("ann@x.example", "wrong", "").await;
    world.second_step(&cookie).await;
    let id: i64 = ann.parse().unwrap();
    world.db.execute("update users set name = 'By hand' where id = $1", &[&id]).await.unwrap();
    world.post("/sign-out", &cookie, "").await;
    let of_user = world.log(&format!("resource=users&id={ann}")).await;
    let told: Vec<(&str, &str)> = of_user
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor"].as_str().unwrap()))
        .map(|(action, actor)| (action, actor.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("create", "invitation"),
            ("invitation_accepted", "invitation"),
            ("sign_in", "user"),
            ("sign_in_failed", "nobody"),
            ("update", "user"),
            ("update", "database"),
            ("sign_out", "user"),
        ]
    );
    assert_eq!(of_user[4]["after"]["totp_secret"], "********");
    assert_eq!(of_user[3]["after"]["email"], "ann@x.example");
    // Who is another's, is not told.
    let key = json!({"role": "advertiser", "advertiser_id": world.advertiser, "scopes": ["read", "people"]});
    let key = text(&world.app.create("api-keys", key).await, "key");
    let own = world.app.api_as(&key, "GET", "audit-log?limit=500", Value::Null).await.json();
    let own = own["data"].as_array().unwrap();
    assert!(own.len() >= 8 && own.iter().all(|e| e["advertiser_id"] == json!(world.advertiser)));
    assert!(world.log("").await.len() > own.len());
    let none = world.log(&format!("actor=user:{ann}&to=2020-01-01")).await;
    assert!(none.is_empty());
    let page = world.get("/audit-log", &world.sign_in_by_key(&key).await).await;
    assert!(page.status == 200 && page.text().contains("ann@x.example"));
}

#[tokio::test]
async fn the_log_is_only_added_to() {
    let world = World::start().await;
    for statement in
        ["update audit_log set actor = 'me'", "delete from audit_log", "truncate audit_log"]
    {
        assert!(world.db.batch_execute(statement).await.is_err(), "{statement}");
    }
    assert!(!world.log("").await.is_empty());
}

impl World {
    async fn sign_in_by_key(&self, key: &str) -> String {
        super::cookies(&self.post("/sign-in", "", &format!("key={key}")).await)
    }
}
