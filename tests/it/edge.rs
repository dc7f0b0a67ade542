//! The edge, as a table: request in, answer out, and what is kept of it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tributary::domain::sign;

use crate::harness::{App, http};

/// Values of a query, encoded.
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn hit(app: &App, id: &str) -> Value {
    app.settle().await;
    app.api("GET", &format!("hits/{id}"), Value::Null).await.json()
}

#[tokio::test]
async fn the_pixel_answers_the_image_and_says_what_will_become_of_the_hit() {
    let app = App::start().await;
    let seed = app.seed().await;
    let long = "9".repeat(300);
    for (query, outcome) in [
        ("amount=19.95&id=1", "accepted"),
        ("amount=1,234.50&id=2", "accepted"),
        ("amount=12,34&id=3", "accepted"),
        ("id=4", "rejected; reason=amount_missing"),
        ("amount=abc&id=5", "rejected; reason=amount_invalid"),
        ("amount=-5&id=6", "rejected; reason=amount_negative"),
        ("amount=19.999&id=7", "rejected; reason=amount_precision"),
        ("amount=0,123&id=8", "held; reason=amount_ambiguous"),
        ("amount=1&id=9&currency=PES", "rejected; reason=currency_unknown"),
        (&format!("amount=1&id={long}"), "rejected; reason=order_id_too_long"),
        ("amount=1&id=%FF", "rejected; reason=order_id_invalid"),
        ("amount=1&id=10&test=1", "accepted"),
        ("amount=1&id=11&sig=00&ts=1", "rejected; reason=signature_invalid"),
    ] {
        for path in ["", ".gif"] {
            let url = format!("{}/t/{}{path}?{query}", app.edge_url, seed.code);
            let answer = http("GET", &url, &[], b"").await;
            assert_eq!(answer.status, 200, "{query}");
            assert_eq!(answer.header("content-type"), Some("image/gif"), "{query}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.body.len(), 43);
            assert_eq!(answer.header("tributary-outcome"), Some(outcome), "{query}");
            let id = answer.header("tributary-hit").unwrap().to_owned();
            let settled = hit(&app, &id).await;
            let expected = outcome.split(';').next().unwrap();
            if expected != "accepted" {
                assert_eq!(settled["outcome"], expected, "{query}: kept, and what was forecast");
            }
        }
    }
    let unknown = http("GET", &format!("{}/t/nobody.gif?amount=1", app.edge_url), &[], b"").await;
    assert_eq!((unknown.status, unknown.body.len()), (200, 43));
    assert_eq!(unknown.header("tributary-outcome"), Some("rejected; reason=code_unknown"));
    let kept = hit(&app, unknown.header("tributary-hit").unwrap()).await;
    assert_eq!(kept["outcome"], "rejected", "an unknown code is kept too");
}

#[tokio::test]
async fn the_form_sends_the_buyer_on_whatever_becomes_of_the_hit() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/t/{}", app.edge_url, seed.code);
    let urlencoded = [("content-type", "application/x-www-form-urlencoded")];
    let multipart = [("content-type", "multipart/form-data; boundary=X")];
    let parts = b"--X\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n39.95\r\n--X\r\n\
        Content-Disposition: form-data; name=\"id\"\r\n\r\n110001\r\n--X--\r\n";
    let thanks = "https://shop.example/thanks?id=110001&amount=39.95";
    for (headers, body, outcome) in [
        (&urlencoded, &b"amount=39.95&id=110001"[..], "accepted"),
        (&multipart, parts, "accepted"),
        (&urlencoded, b"amount=39.95&id=110001&currency=PES", "rejected; reason=currency_unknown"),
    ] {
        let answer = http("POST", &url, headers, body).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("location"), Some(thanks));
        assert_eq!(answer.header("tributary-outcome"), Some(outcome));
    }
    let nasty = format!("amount=1&id={}", encode("a&b=\"<c>\r\n/.."));
    let answer = http("POST", &url, &urlencoded, nasty.as_bytes()).await;
    let location = answer.header("location").unwrap();
    assert_eq!(location, "https://shop.example/thanks?id=a%26b%3D%22%3Cc%3E%0D%0A%2F..&amount=1");

    let path = format!("tracking-codes/{}", seed.tracking_code_id);
    app.api("PATCH", &path, json!({"return_method": "link"})).await;
    let page = until(async || {
        let answer = http("POST", &url, &urlencoded, b"amount=1&id=a%22%3E%3Cscript%3E").await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert!(
        page.text().contains(
            "<a href=\"https://shop.example/thanks?id=a%22%3E%3Cscript%3E&amp;amount=1\">"
        )
    );

    app.api("PATCH", &path, json!({"redirect_url": null})).await;
    let page = until(async || {
        let answer = http("POST", &url, &urlencoded, b"amount=1&id=1").await;
        (!answer.text().contains("href")).then_some(answer)
    })
    .await;
    assert!(page.status == 200 && page.text().contains("Thank you"));
    let unknown =
        http("POST", &format!("{}/t/nobody", app.edge_url), &urlencoded, b"amount=1").await;
    assert_eq!(unknown.status, 404);
}

/// Asks again until the edge has learned of a change; the contract allows two seconds.
async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed().as_secs() < 2, "a change must be seen within two seconds");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_postback_is_told_the_truth() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/postback/{}", app.edge_url, seed.code);
    let bearer = format!("Bearer {}", seed.secret);
    let with = [("authorization", bearer.as_str())];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signed = |amount: &str, ts: u64| {
        let ts = ts.to_string();
        let sig = sign::signature(&seed.secret, [&seed.code, "s1", amount, "", &ts]);
        format!("{url}?id=s1&amount=19.95&ts={ts}&sig={sig}")
    };
    for (what, method, url, headers, body, status, code) in [
        ("bearer", "POST", url.clone(), &with[..], "amount=19.95&id=b1", 200, ""),
        ("key", "GET", format!("{url}?amount=1&id=k1&key={}", seed.secret), &[], "", 200, ""),
        ("signed", "GET", signed("19.95", now), &[], "", 200, ""),
        ("lead", "POST", url.clone(), &with[..], "id=l1&type=lead", 200, ""),
        ("nothing", "POST", url.clone(), &[], "amount=1&id=1", 401, "unauthorized"),
        ("wrong key", "GET", format!("{url}?amount=1&id=1&key=x"), &[], "", 401, "unauthorized"),
        ("forged", "GET", signed("99", now), &[], "", 401, "signature_invalid"),
        ("old", "GET", signed("19.95", now - 90_000), &[], "", 401, "signature_stale"),
        ("amount", "POST", url.clone(), &with[..], "amount=abc&id=1", 422, "amount_invalid"),
        ("type", "POST", url.clone(), &with[..], "amount=1&id=1&type=gift", 422, "type_unknown"),
        (
            "code",
            "POST",
            format!("{}/postback/nobody", app.edge_url),
            &with[..],
            "amount=1",
            404,
            "code_unknown",
        ),
    ] {
        let answer = http(method, &url, headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        let json = answer.json();
        if status == 200 {
            assert_eq!(json["outcome"], "accepted", "{what}");
            assert!(json["hit"].is_string() && json["reason"].is_null(), "{what}: {json}");
        } else {
            assert_eq!(json["code"], code, "{what}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
    }
    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = http("POST", &url, &json, br#"{"amount":"x","id":"1","currency":"PES"}"#).await;
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors[0]["pointer"], "/currency");
    app.settle().await;
    let verified = app.rows("select count(*) from conversions where verified").await;
    assert_eq!(verified[0].get::<_, i64>(0), 4);
}

#[tokio::test]
async fn a_click_lands_with_a_token_and_a_cookie() {
    let app = App::start().await;
    let seed = app
        .seed_with(json!({
            "landing_url": "https://shop.example/welcome?lang=en#top",
            "allowed_hosts": ["blog.example"],
        }))
        .await;
    let click = async |query: &str, headers: &[(&str, &str)]| {
        http("GET", &format!("{}/c/{}{query}", app.edge_url, seed.link_code), headers, b"").await
    };
    let landed = click("?s1=news&s2=a%20b", &[("sec-fetch-dest", "document")]).await;
    assert_eq!(landed.status, 302);
    assert_eq!(landed.header("cache-control"), Some("no-store"));
    assert!(landed.header("referrer-policy").is_some());
    let location = landed.header("location").unwrap();
    let token = location
        .strip_prefix("https://shop.example/welcome?lang=en&tclid=")
        .and_then(|rest| rest.strip_suffix("#top"))
        .unwrap_or_else(|| panic!("{location}"));
    let cookie = landed.header("set-cookie").unwrap();
    assert!(cookie.starts_with(&format!("tr_{}={token}; ", seed.program_id)), "{cookie}");
    for attribute in ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=None", "Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let deep = click(&format!("?url={}", encode("https://blog.example/p?x=1")), &[]).await;
    assert!(deep.header("location").unwrap().starts_with("https://blog.example/p?x=1&tclid="));
    let evil = click(&format!("?url={}", encode("https://evil.example/")), &[]).await;
    assert!(evil.header("location").unwrap().starts_with("https://shop.example/welcome?"));

    let head = http("HEAD", &format!("{}/c/{}", app.edge_url, seed.link_code), &[], b"").await;
    assert!(head.status == 302 && head.header("location").unwrap().contains("tclid="));
    for headers in [
        &[("sec-fetch-dest", "image")][..],
        &[("sec-fetch-dest", "iframe")],
        &[("sec-purpose", "prefetch")],
        &[("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")],
    ] {
        let answer = click("", headers).await;
        assert_eq!(answer.status, 302, "{headers:?}");
        assert!(answer.header("set-cookie").is_none(), "{headers:?}");
        assert!(!answer.header("location").unwrap().contains("tclid"), "{headers:?}");
    }
    for (query, headers) in [("", &[("sec-gpc", "1")][..]), ("?consent=0", &[])] {
        let answer = click(query, headers).await;
        assert!(answer.header("set-cookie").is_none());
        assert!(answer.header("location").unwrap().contains("tclid"), "the click still lands");
    }
    let unknown = http("GET", &format!("{}/c/nobody", app.edge_url), &[], b"").await;
    assert_eq!(unknown.status, 404);

    app.settle().await;
    let clicks = app.rows("select s1, s2 from clicks order by id").await;
    assert_eq!(clicks.len(), 5, "landed, two deep links, two that want privacy");
    assert_eq!(clicks[0].get::<_, Option<&str>>(0), Some("news"));
    assert_eq!(clicks[0].get::<_, Option<&str>>(1), Some("a b"));

    app.api("PATCH", &format!("links/{}", seed.link_id), json!({"paused": true})).await;
    let paused = until(async || {
        let answer = click("", &[]).await;
        answer.header("set-cookie").is_none().then_some(answer)
    })
    .await;
    assert_eq!(paused.status, 302);
    assert_eq!(paused.header("location"), Some("https://shop.example/welcome?lang=en#top"));
}

#[tokio::test]
async fn what_is_too_large_or_not_used_here_is_refused() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/t/{}", app.edge_url, seed.code);
    let big = vec![b'a'; 65 << 10];
    assert_eq!(http("POST", &url, &[], &big).await.status, 413);
    let query = format!("{url}?amount=1&x={}", "a".repeat(9 << 10));
    assert_eq!(http("GET", &query, &[], b"").await.status, 414);
    let header = "a".repeat(17 << 10);
    assert_eq!(http("GET", &url, &[("x-long", &header)], b"").await.status, 431);
    let put = http("PUT", &url, &[], b"").await;
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, POST")));
    assert_eq!(http("GET", &format!("{}/elsewhere", app.edge_url), &[], b"").await.status, 404);
    let tag = http("GET", &format!("{}/tag.js", app.edge_url), &[], b"").await;
    assert_eq!(tag.status, 200);
    assert!(tag.body.len() < 3_000, "tag.js has {} bytes", tag.body.len());
    assert!(tag.header("content-type").unwrap().starts_with("text/javascript"));
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_cut_off() {
    let app = App::start().await;
    let seed = app.seed().await;
    let address = app.edge_url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST /t/{} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", seed.code);
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"8000\r\n".to_vec(), vec![b'a'; 0x8000], b"\r\n".to_vec()].concat();
    for _ in 0..3 {
        stream.write_all(&chunk).await.unwrap();
    }
    let mut answer = vec![0; 64];
    stream.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn the_ops_listener_tells_how_it_is() {
    let app = App::start().await;
    let seed = app.seed().await;
    http("GET", &format!("{}/t/{}?amount=1&id=1", app.edge_url, seed.code), &[], b"").await;
    app.settle().await;
    for path in ["livez", "readyz"] {
        // The loops of all tests beat in one process; one that is held up by its test is late for a while.
        let began = std::time::Instant::now();
        loop {
            let answer = http("GET", &format!("{}/{path}", app.ops_url), &[], b"").await;
            if answer.status == 200 {
                break;
            }
            let late = began.elapsed() > std::time::Duration::from_secs(30);
            assert!(!late, "{path}: {}", answer.text());
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    let metrics = http("GET", &format!("{}/metrics", app.ops_url), &[], b"").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    for name in [
        "tributary_hits_received_total{kind=\"pixel\"}",
        "tributary_hits_settled_total{outcome=\"converted\"}",
        "tributary_journal_frames",
        "tributary_journal_bytes",
        "tributary_queue_lag_hits",
        "tributary_settle_duration_seconds_count",
        "tributary_http_request_duration_seconds_count{route=\"/t/{code}\",method=\"GET\",status=\"200\"}",
        "tributary_audit_violations",
        "tributary_build_info{version=",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
}
