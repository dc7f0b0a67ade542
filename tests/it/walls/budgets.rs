//! Budgets of requests: junk and money apart.

use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tributary::domain::sign;

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
    app.execute("update api_keys set revoked_at = now()").await;
    let mut revoked = Vec::new();
    for _ in 0..30 {
        revoked.push(ask(&seed.affiliate_key, "203.0.113.69").await.status);
    }
    let heard = revoked.iter().filter(|status| **status == 401).count();
    assert!((10..=14).contains(&heard), "one that was good is junk once it is not: {revoked:?}");
}

#[tokio::test]
async fn attempts_to_get_in_spend_the_budget_for_junk_before_the_books_are_asked() {
    let app = App::start().await;
    let (address, _stop) = app
        .another_admin(|settings| {
            settings.rates.junk_address_per_second = 2;
            settings.listeners.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let attempt = async |path: &str, from: &str| {
        let url = format!("http://{address}{path}");
        http("POST", &url, &[form, ("x-forwarded-for", from)], b"key=none&password=x").await
    };
    for (path, status, from) in [
        ("/sign-in", 401, "203.0.113.1"),
        ("/sign-in/code", 303, "203.0.113.2"),
        ("/invitation/none", 404, "203.0.113.3"),
    ] {
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(attempt(path, from).await);
        }
        let heard = answers.iter().filter(|answer| answer.status == status).count();
        let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
        assert!((10..=17).contains(&heard), "{path}: {heard} heard");
        assert_eq!(refused.header("retry-after"), Some("1"), "{path}");
        assert!(refused.header("content-security-policy").is_some(), "{path}");
        assert!(refused.text().contains("Too many requests"), "{}", refused.text());
        let page = http("GET", &format!("http://{address}/sign-in"), &[], b"").await;
        assert_eq!(page.status, 200, "who only looks");
    }
    assert_eq!(attempt("/sign-in", "203.0.113.4").await.status, 401, "another address");
}

/// The statuses of so many requests, fifty at a time.
async fn statuses(count: u32, ask: impl AsyncFn(u32) -> u16) -> Vec<u16> {
    let mut statuses = Vec::new();
    for first in (0..count).step_by(50) {
        let batch = (first..count.min(first + 50)).map(|n| ask(n));
        statuses.extend(futures_util::future::join_all(batch).await);
    }
    statuses
}

fn of(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|other| **other == status).count()
}

/// A signed pixel's address, as it stands in a page.
fn signed(edge: &AnotherEdge, seed: &Seed, age_s: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ts = (now.as_secs() - age_s).to_string();
    let sig = sign::signature(&seed.secret, [&seed.code, "1", "19.95", "", &ts]);
    format!("{}/t/{}.gif?id=1&amount=19.95&ts={ts}&sig={sig}", edge.url, seed.code)
}

#[tokio::test]
async fn an_edge_that_knows_no_code_yet_turns_nobody_away() {
    let app = App::start().await;
    let edge = app
        .another_edge(|settings| {
            settings.rates.junk_address_per_second = 10;
            settings.rates.junk_per_second = 100;
            settings.rates.claimed_address_per_second = 100;
            settings.database_url = Some("postgres://nobody@127.0.0.1:1/nothing".to_owned());
        })
        .await;
    let bearer = [("authorization", "Bearer of a shop that the edge has not heard of")];
    let told = statuses(1_000, async |n| {
        let url = format!("{}/postback/shop?amount=1&id={n}", edge.url);
        http("GET", &url, &bearer, b"").await.status
    });
    assert_eq!(of(&told.await, 404), 1_000, "kept, and said to be unknown");
    let told = statuses(200, async |n| {
        let url = format!("{}/t/shop.gif?amount=1&id={n}", edge.url);
        http("GET", &url, &[], b"").await.status
    });
    assert_eq!(of(&told.await, 200), 200);
    let told = statuses(200, async |_| {
        http("GET", &format!("{}/c/blog", edge.url), &[], b"").await.status
    });
    assert_eq!(of(&told.await, 404), 200);
    assert_eq!(edge.journal.extent().end_seq, 1_400);
}

#[tokio::test]
async fn a_proof_that_nobody_can_check_is_not_taken_for_junk_nor_for_good() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            settings.rates.junk_address_per_second = 1;
            settings.rates.junk_per_second = 1;
            settings.rates.claimed_address_per_second = 20;
        })
        .await;
    ready(&edge, &seed).await;
    let ask = async |path: &str, bearer: &[(&str, &str)]| {
        http("GET", &format!("{}/{path}", edge.url), bearer, b"").await.status
    };
    let told = statuses(20, async |_| ask("t/nobody.gif?amount=1", &[]).await).await;
    assert!(of(&told, 429) >= 10, "the budget of junk is spent: {told:?}");
    let bearer = [("authorization", "Bearer made a moment ago")];
    for (path, bearer, status) in [
        ("postback/new?amount=1", &bearer[..], 404),
        ("postback/new?amount=1&key=x", &[], 404),
        ("postback/new?amount=1&ts=1&sig=00", &[], 404),
        ("t/new.gif?amount=1&ts=1&sig=00", &[], 200),
        ("t/new.gif?amount=1&sig=", &[], 429),
        ("t/new.gif?amount=1&key=x", &bearer[..], 429),
        ("postback/new?amount=1", &[], 429),
    ] {
        // What is junk may have a second's worth again.
        let told = [ask(path, bearer).await, ask(path, bearer).await, ask(path, bearer).await];
        assert_eq!(told.iter().max(), Some(&status), "{path}: {told:?}");
    }
    let told = statuses(400, async |_| ask("t/new.gif?amount=1&ts=1&sig=00", &[]).await).await;
    let kept = of(&told, 200);
    assert!((50..=300).contains(&kept), "made up, it is bounded all the same: {kept}");
}

#[tokio::test]
async fn a_signed_page_sent_again_spends_nothing_of_its_shops_server() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            settings.rates.junk_address_per_second = 1;
            settings.rates.signed_address_per_second = 4;
            settings.rates.verified_code_per_second = 4;
        })
        .await;
    ready(&edge, &seed).await;
    let page = signed(&edge, &seed, 60);
    let told = statuses(200, async |_| http("GET", &page, &[], b"").await.status).await;
    assert!((20..=60).contains(&of(&told, 200)), "five seconds' worth: {}", of(&told, 200));
    assert_eq!(of(&told, 200) + of(&told, 429), 200);
    let postback = format!("{}/postback/{}?amount=1&key={}", edge.url, seed.code, seed.secret);
    for n in 0..20 {
        let told = http("GET", &format!("{postback}&id=p{n}"), &[], b"").await;
        assert_eq!(told.status, 200, "all that is its own: {}", told.text());
    }
    // As a postback it is the same page: type=gift does not make it the server's.
    let again = page.replace("/t/", "/postback/").replace(".gif", "") + "&type=gift";
    let told = statuses(100, async |_| http("GET", &again, &[], b"").await.status).await;
    assert!(of(&told, 429) >= 50, "{told:?}");
    let stale = signed(&edge, &seed, 90_000);
    let told = statuses(100, async |_| http("GET", &stale, &[], b"").await.status).await;
    assert!(of(&told, 429) >= 50, "too old, it is junk: {told:?}");
}

#[tokio::test]
async fn the_last_of_the_journal_is_for_what_brings_the_secret() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            settings.redis_url = Some("redis://127.0.0.1:1".to_owned());
            settings.journal_bytes_max = 8 << 20;
            settings.rates.signed_address_per_second = 0;
        })
        .await;
    ready(&edge, &seed).await;
    let page = format!("{}&note={}", signed(&edge, &seed, 60), "x".repeat(7_000));
    let began = Instant::now();
    while http("GET", &page, &[], b"").await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "the journal is never full");
        statuses(20, async |_| http("GET", &page, &[], b"").await.status).await;
    }
    let used = edge.journal.used_percent();
    assert!((90..95).contains(&used), "{used} %");
    let postback = format!("{}/postback/{}?amount=1&key={}", edge.url, seed.code, seed.secret);
    assert_eq!(http("GET", &postback, &[], b"").await.status, 200);
}
