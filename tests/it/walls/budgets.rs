//! Budgets of requests: junk and money apart.

use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// Asks on one connection again and again until told to stop; how many were answered 200 to 404, and how many
/// 429.
async fn flood(address: String, request: String, stop: Arc<AtomicBool>, told: Arc<[AtomicU64; 2]>) {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let batch = request.repeat(16);
    let mut chunk = vec![0; 64 << 10];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(batch.as_bytes()).await.unwrap();
        let (mut answers, mut text) = (0, String::new());
        while answers < 16 {
            let length = stream.read(&mut chunk).await.unwrap();
            assert!(length > 0, "nobody is disconnected for it");
            text.push_str(&String::from_utf8_lossy(&chunk[..length]));
            answers = text.matches("HTTP/1.1 ").count();
        }
        let limited = text.matches("HTTP/1.1 429 ").count() as u64;
        told[0].fetch_add(16 - limited, Ordering::Relaxed);
        told[1].fetch_add(limited, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_flood_of_junk_makes_no_signed_hit_wait() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            settings.rates.junk_address_per_second = 10;
            settings.rates.junk_per_second = 100;
        })
        .await;
    ready(&edge, &seed).await;
    let (stop, told) =
        (Arc::new(AtomicBool::new(false)), Arc::new([const { AtomicU64::new(0) }; 2]));
    let forged = format!("/t/{}.gif?amount=1&id=x&ts=1&sig={}", seed.code, "0".repeat(64));
    let mut floods = Vec::new();
    for target in ["/t/nobody.gif?amount=1", "/c/nobody", &*forged, "/postback/nobody?amount=1"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let (address, stop, told) = (edge.address.clone(), stop.clone(), told.clone());
        floods.push(tokio::spawn(flood(address, request, stop, told)));
    }
    let secret = format!("Bearer {}", seed.secret);
    let (began, mut slowest, mut sent) = (Instant::now(), Duration::ZERO, 0);
    while began.elapsed() < Duration::from_secs(2) {
        let url = format!("{}/postback/{}?amount=1&id={sent}", edge.url, seed.code);
        let asked = Instant::now();
        let answer = http("GET", &url, &[("authorization", &secret)], b"").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        slowest = slowest.max(asked.elapsed());
        sent += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for flood in floods {
        flood.await.unwrap();
    }
    let [kept, limited] = [0, 1].map(|n: usize| told[n].load(Ordering::Relaxed));
    println!("{sent} signed, slowest {slowest:?}; junk: {kept} kept, {limited} limited");
    assert!(slowest < Duration::from_secs(1), "a signed one waited {slowest:?}");
    let seconds = began.elapsed().as_secs() + 1;
    assert!(kept <= 10 * (5 + seconds) && limited > 1_000, "{kept} kept, {limited} limited");
    app.settle_of(&edge.journal).await;
    let outcomes = "select count(*) filter (where outcome = 'converted'), count(*) from hits";
    let row = &app.rows(outcomes).await[0];
    let (converted, all) = (row.get::<_, i64>(0), row.get::<_, i64>(1));
    assert_eq!(converted, sent, "each signed one counts");
    assert!(all <= sent + kept as i64 + 400, "and what was refused is not kept: {all}");
}

#[tokio::test]
async fn what_is_too_much_is_told_so_and_strands_nobody() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            settings.rates.unsigned_code_per_second = 1;
            settings.rates.verified_code_per_second = 100;
        })
        .await;
    ready(&edge, &seed).await;
    let target = format!("{}/t/{}.gif?amount=1", edge.url, seed.code);
    let mut answers = Vec::new();
    for n in 0..12 {
        answers.push(http("GET", &format!("{target}&id={n}"), &[], b"").await);
    }
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((5..=8).contains(&accepted), "five seconds' worth: {accepted}");
    let limited = answers.last().unwrap();
    assert_eq!((limited.status, limited.body.len()), (429, 0), "no image: `onerror` is called");
    assert_eq!(limited.header("retry-after"), Some("1"));
    assert_eq!(limited.header("tributary-outcome"), Some("rejected; reason=rate_limited"));
    assert_eq!(limited.header("tributary-hit"), None, "it was not kept");

    let form = format!("{}/t/{}", edge.url, seed.code);
    let urlencoded = [("content-type", "application/x-www-form-urlencoded")];
    let limited = http("POST", &form, &urlencoded, b"amount=1&id=f").await;
    assert_eq!(limited.status, 429);
    assert!(limited.text().contains("<a href=\"https://shop.example/thanks?id=f&amp;amount=1\">"));

    let link = format!("{}/c/{}?s1=a", edge.url, seed.link_code);
    let mut clicks = Vec::new();
    for _ in 0..12 {
        clicks.push(http("GET", &link, &[], b"").await);
    }
    assert!(clicks.iter().all(|click| click.status == 302), "each lands");
    let limited = clicks.last().unwrap();
    assert_eq!(limited.header("location"), Some("https://shop.example/"), "without a token");
    assert_eq!(limited.header("set-cookie"), None);
    let counting = clicks.iter().filter(|click| click.header("set-cookie").is_some()).count();
    assert!((3..=8).contains(&counting), "{counting} count");

    let postback = format!("{}/postback/{}?amount=1&key={}", edge.url, seed.code, seed.secret);
    for n in 0..20 {
        let answer = http("GET", &format!("{postback}&id=p{n}"), &[], b"").await;
        assert_eq!(answer.status, 200, "a budget of its own");
    }
    app.settle_of(&edge.journal).await;
    let kept = "select count(*) filter (where kind = 'pixel'), count(*) filter (where kind = 'click') from hits";
    let kept = app.rows(kept).await;
    assert_eq!(kept[0].get::<_, i64>(0), accepted as i64, "what was answered 200 is kept");
    let clicks = app.rows("select count(*) from clicks").await[0].get::<_, i64>(0);
    assert_eq!(clicks, counting as i64);
}

#[tokio::test]
async fn a_key_has_its_requests_a_second_and_guesses_have_others() {
    let app = App::start().await;
    let seed = app.seed().await;
    let (address, _stop) = app
        .another_admin(|settings| {
            settings.rates.api_key_per_second = 4;
            settings.rates.junk_address_per_second = 2;
            settings.listeners.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
    let ask = async |key: &str, from: &str| {
        let url = format!("http://{address}/api/v1/links");
        let bearer = format!("Bearer {key}");
        http("GET", &url, &[("authorization", &bearer), ("x-forwarded-for", from)], b"").await
    };
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(ask(&seed.advertiser_key, "203.0.113.1").await);
    }
    let ok = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((20..=26).contains(&ok), "five seconds' worth: {ok}");
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.json()["code"], Value::from("rate_limited"));
    assert_eq!(limited.header("content-type"), Some("application/problem+json"));
    assert_eq!(limited.header("retry-after"), Some("1"));
    assert_eq!(ask(&seed.affiliate_key, "203.0.113.1").await.status, 200, "another key");

    let mut guesses = Vec::new();
    for n in 0..30 {
        guesses.push(ask(&format!("guess-{n}"), "203.0.113.66").await.status);
    }
    assert!(guesses.iter().all(|status| [401, 429].contains(status)), "{guesses:?}");
    let refused = guesses.iter().filter(|status| **status == 401).count();
    assert!((10..=14).contains(&refused), "{guesses:?}");
    assert_eq!(ask("guess", "203.0.113.67").await.status, 401, "another address");
    assert_eq!(ask("guess", "203.0.113.68, 203.0.113.66").await.status, 429, "the left is made up");
    assert_eq!(ask(&seed.affiliate_key, "203.0.113.66").await.status, 200, "a good key, there too");
}
