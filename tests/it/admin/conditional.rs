//! Tags of objects: what one has needs not be sent again, and what changed since is not changed unseen.

use serde_json::{Value, json};

use super::{World, call, get, header, text};
use crate::harness::{self, Answer};

async fn send(world: &World, method: &str, path: &str, tag: (&str, &str), body: Value) -> Answer {
    let url = format!("{}/api/v1/{path}", world.app.admin_url);
    let bearer = format!("Bearer {}", world.operator);
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), tag];
    harness::http(method, &url, &headers, &body).await
}

async fn tag(world: &World, path: &str) -> String {
    let answer = call(&world.app, &world.operator, "GET", path, Value::Null).await;
    header(&answer, "etag").unwrap().to_owned()
}

/// People come by invitations; this one was always there.
pub(super) const USER: &str = "insert into users (id, email, name, role, scopes, password_hash)
    values (71, 'ann@mail.example', 'Ann', 'operator', array['read', 'money'], 'none')";

/// Everything that can be changed, and a change of it.
async fn changes(w: &World) -> Vec<(&'static str, String, Value)> {
    let app = &w.app;
    let key = json!({"role": "operator", "name": "second"});
    let key = text(&super::make(app, &w.operator, "api-keys", key).await["id"]);
    let coupon = json!({"program_id": w.acme.program, "affiliate_id": w.ann.id, "code": "A"});
    let coupon = text(&super::make(app, &w.operator, "coupons", coupon).await["id"]);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    w.book(1_003, Some(&w.ann), "19.95", "2.00").await;
    super::sql(app, USER).await;
    vec![
        ("PATCH", "users/71".to_owned(), json!({"scopes": ["read"]})),
        ("PATCH", format!("affiliates/{}", w.ann.id), json!({"name": "Anna"})),
        ("PATCH", format!("programs/{}", w.acme.program), json!({"name": "New"})),
        ("PATCH", format!("links/{}", w.ann.link), json!({"paused": true})),
        ("PATCH", format!("tracking-codes/{}", w.acme.tracking_code), json!({"name": "New"})),
        ("PATCH", format!("coupons/{coupon}"), json!({"valid_to": "2030-01-01"})),
        ("DELETE", format!("api-keys/{key}"), Value::Null),
        ("POST", "conversions/1001/approve".to_owned(), Value::Null),
        ("POST", "conversions/1003/reject".to_owned(), json!({"reason": "returned"})),
    ]
}

fn object_of(path: &str) -> String {
    path.split('/').take(2).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn a_change_is_refused_when_another_was_first() {
    let world = World::start().await;
    for (method, path, body) in changes(&world).await {
        let object = object_of(&path);
        let known = tag(&world, &object).await;
        let before = get(&world.app, &world.operator, &object).await;
        for wrong in ["\"0123\"", "W/\"x\"", "", &format!("W/{known}")] {
            let answer = send(&world, method, &path, ("if-match", wrong), body.clone()).await;
            assert_eq!(answer.status, 412, "{path} {wrong}");
            assert_eq!(answer.json()["code"], "precondition_failed");
        }
        assert_eq!(get(&world.app, &world.operator, &object).await, before);
        let several = format!("\"0123\", {known}");
        let done = send(&world, method, &path, ("if-match", &several), body.clone()).await;
        assert!(matches!(done.status, 200 | 204), "{path}: {}", done.text());
        let now = tag(&world, &object).await;
        assert_ne!(now, known, "{path}");
        if done.status == 200 {
            assert_eq!(header(&done, "etag"), Some(&*now), "{path}: the answer is what is there");
        }
        let again = send(&world, method, &path, ("if-match", &known), body.clone()).await;
        assert_eq!(again.status, 412, "{path}: the tag is of yesterday");
        let any = send(&world, method, &path, ("if-match", "*"), body.clone()).await;
        assert!(matches!(any.status, 200 | 204), "{path}");
    }
    let gone = send(&world, "PATCH", "links/7", ("if-match", "*"), json!({})).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn an_invitation_is_taken_back_as_it_was_seen() {
    let world = World::start().await;
    let (app, key) = (&world.app, &world.operator);
    let guest = json!({"email": "new@mail.example", "role": "operator"});
    let made = call(app, key, "POST", "invitations", guest).await;
    let path = format!("invitations/{}", text(&made.json()["id"]));
    let known = tag(&world, &path).await;
    assert_eq!(header(&made, "etag"), Some(&*known), "of what is there, without the link");
    super::sql(app, "update invitations set expires_at = expires_at + interval '1 day'").await;
    let late = send(&world, "DELETE", &path, ("if-match", &known), Value::Null).await;
    assert_eq!(late.status, 412);
    let known = tag(&world, &path).await;
    let done = send(&world, "DELETE", &path, ("if-match", &known), Value::Null).await;
    assert_eq!(done.status, 204);
    assert_eq!(call(app, key, "GET", &path, Value::Null).await.status, 404);
}

#[tokio::test]
async fn of_two_who_change_the_same_one_wins() {
    let world = World::start().await;
    for (method, path, body) in changes(&world).await {
        for round in 0..8 {
            let object = object_of(&path);
            let known = tag(&world, &object).await;
            // What is done once cannot be done again: only fields change from round to round.
            let body = match body.get("name") {
                Some(_) => json!({"name": format!("round {round}")}),
                None if round > 0 => break,
                None => body.clone(),
            };
            let attempt = || send(&world, method, &path, ("if-match", &known), body.clone());
            let (a, b, c) = tokio::join!(attempt(), attempt(), attempt());
            let mut statuses = [a.status, b.status, c.status];
            statuses.sort_unstable();
            assert!(matches!(statuses[0], 200 | 204), "{path}: {statuses:?}");
            assert_eq!(statuses[1..], [412, 412], "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let world = World::start().await;
    let path = format!("programs/{}", world.acme.program);
    let known = tag(&world, &path).await;
    for tags in [known.clone(), format!("W/{known}"), format!("\"x\", {known}"), "*".to_owned()] {
        for method in ["GET", "HEAD"] {
            let tags = ("if-none-match", &*tags);
            let answer = send(&world, method, &path, tags, Value::Null).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0));
            assert_eq!(header(&answer, "etag"), Some(&*known));
        }
    }
    // A plan is shown with its program, so it changes the program's tag, though not the program.
    let plan = json!({"kind": "flat", "amount": "5.00"});
    super::make(&world.app, &world.operator, &format!("{path}/plans"), plan).await;
    let answer = send(&world, "GET", &path, ("if-none-match", &known), Value::Null).await;
    assert_eq!(answer.status, 200);
    let answer = send(&world, "PATCH", &path, ("if-match", &known), json!({"name": "x"})).await;
    assert_eq!(answer.status, 412);
    let document = format!("{}/openapi.json", world.app.admin_url);
    let answer = harness::http("GET", &document, &[], b"").await;
    let known = header(&answer, "etag").unwrap();
    let answer = harness::http("GET", &document, &[("if-none-match", known)], b"").await;
    assert_eq!(answer.status, 304);
}
