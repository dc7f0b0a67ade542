//! Bad input: every fault is told, and nothing is done.

use serde_json::json;

use super::{World, call, header, make, pointers};
use crate::harness;

#[tokio::test]
async fn every_fault_of_a_body_is_told() {
    let world = World::start().await;
    let (app, key) = (&world.app, world.operator.as_str());
    for (path, body, expected) in [
        ("advertisers", json!({}), vec!["/name", "/currency", "/timezone"]),
        (
            "advertisers",
            json!({"name": "a\u{0}", "currency": "PES", "timezone": "Mars/X", "vat": 1, "a/b": 2}),
            vec!["/name", "/currency", "/timezone", "/a~1b", "/vat"],
        ),
        ("advertisers", json!([]), vec![""]),
        ("affiliates", json!({"name": 7, "email": "nobody"}), vec!["/name", "/email"]),
        (
            "programs",
            json!({
                "advertiser_id": 7, "name": " ", "landing_url": "javascript:alert(1)",
                "allowed_hosts": ["https://x"], "click_param": "a b", "attribution": "any_click",
                "window_days": 0, "hold_days": "30", "unsigned": "maybe", "coupons": 1,
                "plan": {"kind": "percent", "rate": "101", "tiers": []},
            }),
            vec![
                "/advertiser_id",
                "/name",
                "/landing_url",
                "/allowed_hosts",
                "/click_param",
                "/attribution",
                "/window_days",
                "/hold_days",
                "/unsigned",
                "/coupons",
                "/plan/rate",
                "/plan/tiers",
            ],
        ),
        (
            "programs",
            json!({"advertiser_id": world.acme.id, "name": "x", "landing_url": "https://x.example"}),
            vec!["/plan"],
        ),
        (
            "links",
            json!({"program_id": "x", "destination": "/x"}),
            vec!["/program_id", "/affiliate_id", "/destination"],
        ),
        (
            "tracking-codes",
            json!({"program_id": world.acme.program, "name": "x", "redirect_url": "https://{id}/"}),
            vec!["/redirect_url"],
        ),
        (
            "coupons",
            json!({
                "program_id": world.acme.program, "affiliate_id": world.ann.id, "code": "X",
                "valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z",
            }),
            vec!["/valid_to"],
        ),
    ] {
        let answer = call(app, key, "POST", path, body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.json());
        assert_eq!(answer.json()["code"], "invalid_fields");
        assert_eq!(pointers(&answer), expected, "{path}");
    }
    let plans = format!("programs/{}/plans", world.acme.program);
    for (terms, pointer) in [
        (json!({"kind": "flat", "amount": "5.001"}), "/amount"),
        (json!({"kind": "percent", "rate": 10}), "/rate"),
        (json!({"kind": "percent", "rate": "1e1"}), "/rate"),
        (json!({"kind": "percent"}), "/rate"),
        (json!({"kind": "gift"}), "/kind"),
    ] {
        let answer = call(app, key, "POST", &plans, terms.clone()).await;
        assert_eq!((answer.status, pointers(&answer)), (422, vec![pointer.to_owned()]), "{terms}");
    }
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused() {
    let world = World::start().await;
    let url = |path: &str| format!("{}/api/v1/{path}", world.app.admin_url);
    let bearer = format!("Bearer {}", world.operator);
    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let form = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    for (method, path, headers, body, status, code) in [
        ("POST", "advertisers", &json, "{", 400, "invalid_json"),
        ("POST", "advertisers", &json, "", 400, "invalid_json"),
        ("POST", "advertisers", &json, "\"\\ud800\"", 400, "invalid_json"),
        ("POST", "advertisers", &form, "{}", 415, "unsupported_media_type"),
        ("POST", "advertisers", &json, &large, 413, "body_too_large"),
        ("GET", "nothing", &json, "", 404, "not_found"),
        ("GET", "programs/x", &json, "", 404, "not_found"),
        ("GET", "programs/99999999999999999999", &json, "", 404, "not_found"),
        ("PUT", "links", &json, "", 405, "method_not_allowed"),
        ("GET", "links?colour=red", &json, "", 422, "invalid_fields"),
        ("GET", "links?limit=501", &json, "", 422, "invalid_fields"),
        ("GET", "links?cursor=x", &json, "", 422, "invalid_fields"),
        ("GET", "conversions?order_id=%00", &json, "", 422, "invalid_fields"),
        ("GET", "conversions?status=gone&from=x", &json, "", 422, "invalid_fields"),
        ("GET", "reports/commissions?group_by=shoe", &json, "", 422, "invalid_fields"),
        ("POST", "links?x=1", &json, "{}", 422, "invalid_fields"),
    ] {
        let answer = harness::http(method, &url(path), headers, body.as_bytes()).await;
        let got = answer.json()["code"].clone();
        assert_eq!((answer.status, got), (status, json!(code)), "{method} {path}");
        assert_eq!(answer.json()["status"], status, "{method} {path}");
    }
    let answer = harness::http("PUT", &url("links"), &json, b"").await;
    assert_eq!(header(&answer, "allow"), Some("GET, POST, HEAD, OPTIONS"));
    let answer = harness::http("OPTIONS", &url("links/7"), &json, b"").await;
    assert_eq!((answer.status, header(&answer, "allow")), (204, Some("GET, PATCH, HEAD, OPTIONS")));
    let answer = harness::http("HEAD", &url("links"), &json, b"").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let answer = harness::http("GET", &url("conversions?status=gone&x=1"), &json, b"").await;
    assert_eq!(pointers(&answer), ["status", "x"]);
}

#[tokio::test]
async fn what_is_taken_or_missing_is_told() {
    let world = World::start().await;
    let (app, key, w) = (&world.app, world.operator.as_str(), &world);
    let coupon =
        |code: &str| json!({"program_id": w.acme.program, "affiliate_id": w.ann.id, "code": code});
    make(app, key, "coupons", coupon("Ann10")).await;
    let link = json!({"program_id": w.acme.program, "affiliate_id": w.ann.id, "code": "taken"});
    make(app, key, "links", link.clone()).await;
    for (path, body) in [("coupons", coupon("ANN10")), ("links", link)] {
        let answer = call(app, key, "POST", path, body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("already_exists")));
        assert_eq!(pointers(&answer), ["/code"]);
    }
    for (path, body, pointer) in [
        ("links", json!({"program_id": "7", "affiliate_id": w.ann.id}), "/program_id"),
        ("links", json!({"program_id": w.acme.program, "affiliate_id": "7"}), "/affiliate_id"),
        (
            "programs",
            json!({
                "advertiser_id": "7", "name": "x", "landing_url": "https://x.example/",
                "plan": {"kind": "flat", "amount": "1"},
            }),
            "/advertiser_id",
        ),
    ] {
        let answer = call(app, key, "POST", path, body).await;
        assert_eq!((answer.status, pointers(&answer)), (404, vec![pointer.to_owned()]));
    }
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let world = World::start().await;
    let bearer = format!("Bearer {}", world.operator);
    let key = ("authorization", bearer.as_str());
    let (long, wide) = (format!("/api/v1/links?code={}", "x".repeat(9_000)), "y".repeat(17_000));
    let wide = ("x-wide", wide.as_str());
    for (method, path, headers, status) in [
        ("GET", "/api", vec![], 401),
        ("GET", "/api", vec![key], 404),
        ("GET", "/api/", vec![key], 404),
        ("GET", "/api/v2/links", vec![key], 404),
        ("GET", "/api/v1/nothing", vec![], 401),
        ("POST", "/api/v1/nothing", vec![key], 404),
        ("TRACE", "/api/v1/links", vec![key], 405),
        ("DELETE", "/openapi.json", vec![], 405),
        ("POST", "/docs", vec![], 405),
        ("GET", &long, vec![key], 414),
        ("GET", "/api/v1/links", vec![key, wide], 431),
        ("GET", "/openapi.json", vec![wide], 431),
    ] {
        let url = format!("{}{path}", world.app.admin_url);
        let answer = harness::http(method, &url, &headers, b"").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(header(&answer, "content-type"), Some("application/problem+json"), "{path}");
        let told = answer.json();
        assert_eq!(told["status"], status, "{method} {path}");
        assert!(told["code"].is_string() && told["detail"].is_string(), "{told}");
        assert_eq!(header(&answer, "allow").is_some(), status == 405, "{method} {path}");
    }
}
