//! Who gets in, and who may see and change what. What is another's is not there: 404, never 403.

use serde_json::{Value, json};

use super::{World, call, get, header, ids, make, text};
use crate::harness;

#[tokio::test]
async fn nobody_gets_in_without_a_good_key() {
    let world = World::start().await;
    let url = format!("{}/api/v1/programs", world.app.admin_url);
    let wrong = format!("Bearer {}x", world.operator);
    let basic = format!("Basic {}", world.operator);
    for headers in [vec![], vec![("authorization", &*wrong)], vec![("authorization", &*basic)]] {
        let answer = harness::http("GET", &url, &headers, b"").await;
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("unauthorized")));
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer"));
        assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn without_its_database_the_api_says_so() {
    use std::{sync::Arc, time::Duration};
    use tributary::{admin, http, http::budget::Budget, store::Store};
    let admin = Arc::new(admin::Admin {
        store: Store::new("postgres://nobody@127.0.0.1:1/none", 2).unwrap(),
        public_base: String::new(),
        admin_base: String::new(),
        operator_key_hash: None,
        walls: admin::Walls::new(0, Arc::new(Budget::new("junk_address", 0))),
        body_timeout: Duration::from_secs(1),
        uploads: admin::Uploads { bytes_max: 1, timeout: Duration::from_secs(1) },
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/programs", listener.local_addr().unwrap());
    let second = Duration::from_secs(1);
    let limits = http::Limits { connections_max: 2, header_timeout: second, drain: second };
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(http::serve(listener, limits, stopped, move |request, _| {
        let admin = admin.clone();
        async move { admin::answer(&admin, request).await }
    }));
    let answer = harness::http("GET", &url, &[("authorization", "Bearer x")], b"").await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("unavailable")));
    assert!(header(&answer, "retry-after").is_some());
}

#[tokio::test]
async fn each_role_sees_its_own_and_nothing_else() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    w.book(1_003, None, "5.00", "0").await;
    let coupon = json!({"program_id": w.acme.program, "affiliate_id": w.ann.id, "code": "A"});
    let coupon = text(&make(app, &w.operator, "coupons", coupon).await["id"]);
    let (op, acme, other) = (&w.operator, &w.acme.key, &w.other.key);
    let (ann, bob) = (&w.ann.key, &w.bob.key);
    // What the operator, acme, the other advertiser, ann and bob are answered.
    for (path, expected) in [
        (format!("advertisers/{}", w.acme.id), [200, 200, 404, 403, 403]),
        (format!("affiliates/{}", w.ann.id), [200, 200, 404, 200, 404]),
        (format!("programs/{}", w.acme.program), [200, 200, 404, 403, 403]),
        (format!("programs/{}/plans", w.acme.program), [200, 200, 404, 403, 403]),
        (format!("programs/{}/plans/1", w.acme.program), [200, 200, 404, 403, 403]),
        (format!("links/{}", w.ann.link), [200, 200, 404, 200, 404]),
        (format!("tracking-codes/{}", w.acme.tracking_code), [200, 200, 404, 403, 403]),
        (format!("coupons/{coupon}"), [200, 200, 404, 200, 404]),
        ("conversions/1001".to_owned(), [200, 200, 404, 200, 404]),
        ("conversions/1003".to_owned(), [200, 200, 404, 404, 404]),
        ("hits/1001".to_owned(), [200, 200, 404, 403, 403]),
        ("hits".to_owned(), [200, 200, 200, 403, 403]),
        ("api-keys".to_owned(), [200, 200, 200, 403, 403]),
        ("reports/commissions".to_owned(), [200; 5]),
    ] {
        let mut got = Vec::new();
        for key in [op, acme, other, ann, bob] {
            got.push(call(app, key, "GET", &path, Value::Null).await.status);
        }
        assert_eq!(got, expected, "{path}");
    }
    for (key, path, expected) in [
        (acme, "advertisers", vec![&w.acme.id]),
        (acme, "affiliates", vec![&w.ann.id]),
        (acme, "programs", vec![&w.acme.program]),
        (acme, "links", vec![&w.ann.link]),
        (other, "tracking-codes", vec![&w.other.tracking_code]),
        (ann, "affiliates", vec![&w.ann.id]),
        (ann, "links", vec![&w.ann.link]),
        (bob, "coupons", vec![]),
        (ann, "conversions", vec![&"1001".to_owned()]),
        (acme, "conversions", vec![&"1003".to_owned(), &"1001".to_owned()]),
        (other, "conversions", vec![]),
        (other, "hits", vec![]),
    ] {
        assert_eq!(ids(&get(app, key, path).await).iter().collect::<Vec<_>>(), expected, "{path}");
    }
    let path = format!("affiliates/{}", w.ann.id);
    assert!(get(app, acme, &path).await.get("email").is_none(), "not told to the advertiser");
    assert_eq!(get(app, ann, &path).await["email"], "ann@mail.example");
}

#[tokio::test]
async fn each_role_changes_its_own_and_nothing_else() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    let of = |a: &str| json!({"program_id": w.acme.program, "affiliate_id": a, "code": "C7"});
    let code = json!({"program_id": w.acme.program, "name": "x"});
    let program = json!({
        "advertiser_id": w.acme.id, "name": "x", "landing_url": "https://x.example/",
        "plan": {"kind": "flat", "amount": "1"},
    });
    // What acme, the other advertiser and ann are answered.
    for (method, path, body, expected) in [
        ("POST", "advertisers".to_owned(), json!({}), [403, 403, 403]),
        ("POST", "affiliates".to_owned(), json!({}), [403, 403, 403]),
        ("POST", "api-keys".to_owned(), json!({"role": "operator"}), [403, 403, 403]),
        ("POST", "programs".to_owned(), program, [403, 403, 403]),
        ("PATCH", format!("affiliates/{}", w.ann.id), json!({"paused": true}), [403, 403, 403]),
        ("POST", "coupons".to_owned(), of(&w.ann.id), [201, 404, 403]),
        ("POST", "links".to_owned(), of(&w.ann.id), [201, 404, 403]),
        // Neither is for an affiliate whom the advertiser does not know yet.
        ("POST", "coupons".to_owned(), of(&w.bob.id), [404, 404, 403]),
        ("POST", "links".to_owned(), of(&w.bob.id), [404, 404, 403]),
        ("POST", "tracking-codes".to_owned(), code, [201, 404, 403]),
        (
            "POST",
            format!("programs/{}/plans", w.acme.program),
            json!({"kind": "percent", "rate": "12.5"}),
            [201, 404, 403],
        ),
        ("PATCH", format!("programs/{}", w.acme.program), json!({"name": "n"}), [200, 404, 403]),
        ("PATCH", format!("links/{}", w.ann.link), json!({"paused": true}), [200, 404, 403]),
        (
            "PATCH",
            format!("tracking-codes/{}", w.acme.tracking_code),
            json!({"name": "n"}),
            [200, 404, 403],
        ),
        ("POST", "conversions/1001/reject".to_owned(), json!({"reason": "x"}), [200, 404, 403]),
        ("POST", "conversions/1001/approve".to_owned(), Value::Null, [409, 404, 403]),
    ] {
        for (key, expected) in [&w.acme.key, &w.other.key, &w.ann.key].into_iter().zip(expected) {
            let answer = call(app, key, method, &path, body.clone()).await;
            assert_eq!(answer.status, expected, "{method} {path}: {}", answer.json());
        }
    }
    let rejected = get(app, &w.ann.key, "conversions/1001").await;
    assert!(rejected.get("rejection").is_none(), "the advertiser's words are not the affiliate's");
}
