//! Requests hidden in others: no poison is ever answered or kept that nobody sent as a request, and after
//! each try others get their own answers. Directly at edge and admin, and behind nginx and haproxy.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::installation::rows;
use crate::ops::{metric, until};
use crate::proxies::Proxies;
use crate::stage::{OPERATOR, Stage};
use crate::talk;
use crate::variants::{self, Aim, Variant, canary};

/// How long a proxy may think.
const PATIENCE: Duration = Duration::from_millis(350);
const LANES: usize = 8;

fn edge_aim(way: &str) -> Aim {
    Aim::at_edge("shop", ("blog", "poison"), way)
}

/// The poison that was kept, by its numbers.
async fn poisoned(stage: &Stage) -> HashSet<String> {
    let sql = "select s1 from clicks where link_id = 6 and s1 is not null";
    rows(&stage.all.servers.database_url, sql).await.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_hidden_in_another_at_the_edge() {
    let mut stage = Stage::set(Vec::new()).await;
    let [edge, _] = stage.addresses();
    let variants = variants::all(&edge_aim("d"));
    let (mut own, mut statuses) = (0, BTreeMap::new());
    for (number, variant) in variants.iter().enumerate() {
        let name = format!("canary-{number}");
        let bytes = [&variant.bytes[..], &canary("blog", &name)].concat();
        let talk = talk::say(&edge, &bytes, true, Duration::from_secs(20)).await;
        own += usize::from(variant.judge(&talk, &name));
        talk.statuses().into_iter().for_each(|status| *statuses.entry(status).or_insert(0) += 1);
    }
    stage.is_sound().await;
    let may: HashSet<String> = variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| variant.may_count)
        .map(|(number, _)| format!("d{number}"))
        .collect();
    let kept = poisoned(&stage).await;
    let hidden: Vec<&String> = kept.difference(&may).collect();
    let names = hidden.iter().map(|number| &variants[number[1..].parse::<usize>().unwrap()].name);
    assert!(hidden.is_empty(), "hidden requests: {:#?}", names.collect::<Vec<_>>());
    assert!(
        kept.contains(&format!("d{}", number_of(&variants, "whole sound"))),
        "poison is seen where it may be"
    );
    println!(
        "smuggling, edge: {} variants, {own} canaries behind them answered by their own, the rest of the connections ended; \
         0 hidden requests ({} that the RFC calls requests); {statuses:?}",
        variants.len(),
        kept.len()
    );
}

fn number_of(variants: &[Variant], begin: &str) -> usize {
    variants.iter().position(|variant| variant.name.starts_with(begin)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_hidden_in_another_at_the_admin() {
    let mut stage = Stage::set(Vec::new()).await;
    let [_, admin] = stage.addresses();
    let poison = "GET /api/v1/coupons?cursor=#".to_owned();
    let get = ["/api/v1/links", "/sign-in", "/assets/portal.css", "/nothing"];
    let get = get.map(str::to_owned).to_vec();
    let variants = variants::all(&Aim { post: "/sign-in".to_owned(), get, poison });
    let ops = stage.admin.ops_url();
    let route = "route=\"/api/v1/coupons\"";
    let mut before = 0;
    let (mut may, mut own) = (0, 0);
    for (number, variant) in variants.iter().enumerate() {
        let name = format!("Canary {number}");
        let body = format!("{{\"name\":\"{name}\",\"email\":\"c@x.example\"}}");
        let canary = format!(
            "POST /api/v1/affiliates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let bytes = [&variant.bytes[..], canary.as_bytes()].concat();
        let talk = talk::say(&admin, &bytes, true, Duration::from_secs(20)).await;
        let (text, statuses) = (String::from_utf8_lossy(&talk.said), talk.statuses());
        assert!(
            talk.closed && statuses.iter().all(|status| *status < 500),
            "{}: {statuses:?}",
            variant.name
        );
        assert!(
            text.matches("\"Canary ").count() == text.matches(&format!("\"{name}\"")).count(),
            "{text}"
        );
        own += usize::from(text.contains(&format!("\"{name}\"")));
        let seen = metric(&ops, "tributary_http_request_duration_seconds_count", route).await;
        let count = seen - before;
        before = seen;
        assert!(count == 0 || variant.may_count && count == 1, "{}: {count} hidden", variant.name);
        may += count;
    }
    assert!(may > 0, "poison is seen where it may be");
    stage.is_sound().await;
    println!(
        "smuggling, admin: {} variants, {own} canaries behind them answered by their own; 0 hidden requests ({may} that the RFC calls requests)",
        variants.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_hidden_in_another_behind_proxies() {
    let mut stage = Stage::set(Vec::new()).await;
    let proxies = Proxies::start(&stage.all.dir.join("proxies"), &stage.addresses()[0]);
    for (at, (name, address)) in proxies.ways.iter().enumerate() {
        let ready = async || tokio::net::TcpStream::connect(address).await.is_ok();
        until(name, Duration::from_secs(10), ready).await;
        let way = char::from(b'p' + at as u8).to_string();
        let variants = Arc::new(variants::all(&edge_aim(&way)));
        let next = Arc::new(AtomicUsize::new(0));
        let lanes = (0..LANES).map(|_| {
            tokio::spawn(through(address.clone(), way.clone(), variants.clone(), next.clone()))
        });
        let lanes = futures_util::future::join_all(lanes).await;
        let told = lanes
            .into_iter()
            .map(Result::unwrap)
            .fold([0; 2], |sum, [own, again]| [sum[0] + own, sum[1] + again]);
        println!(
            "smuggling, {name}: {} variants, {} canaries answered by their own, {} of them at the second try",
            variants.len(),
            told[0],
            told[1]
        );
    }
    stage.is_sound().await;
    let (kept, seen) = (poisoned(&stage).await, proxies.poison_seen());
    let hidden: Vec<&String> = kept.difference(&seen).collect();
    assert!(hidden.is_empty(), "requests that no proxy saw: {hidden:?}\n{}", proxies.log());
    assert!(!kept.is_empty(), "poison is seen where it may be");
    println!(
        "smuggling, proxies: 0 hidden requests; poison that a proxy saw as a request: {}, of them kept: {}",
        seen.len(),
        kept.len()
    );
}

/// Sends variants through a proxy; after each, others must get their own answers on the connections that
/// the proxy shares. How many canaries were answered, and how many at the second try.
async fn through(
    address: String,
    way: String,
    variants: Arc<Vec<Variant>>,
    next: Arc<AtomicUsize>,
) -> [usize; 2] {
    let mut told = [0; 2];
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(variant) = variants.get(number) else { return told };
        let talk = talk::say(&address, &variant.bytes, false, PATIENCE).await;
        let places = talk.headers("location");
        assert!(
            places.iter().all(|place| !place.contains("canary-")),
            "{}: {places:?}",
            variant.name
        );
        for turn in 0..2 {
            let name = format!("canary-{way}{number}-{turn}");
            told[0] += 1;
            told[1] += usize::from(!ask(&address, &name, &variant.name).await);
        }
    }
}

/// Asks for a canary's answer until there is one, which a proxy may fail to get where a connection has just
/// ended; whether the first was one.
async fn ask(address: &str, name: &str, variant: &str) -> bool {
    let expected = format!("https://shop.example/{name}?");
    for attempt in 0..3 {
        let request = canary("blog", name);
        let close =
            String::from_utf8(request).unwrap().replace("Host: x", "Host: x\r\nConnection: close");
        let talk = talk::say(address, close.as_bytes(), false, Duration::from_secs(8)).await;
        let (places, statuses) = (talk.headers("location"), talk.statuses());
        if statuses == [302] {
            assert!(
                places.len() == 1 && places[0].starts_with(&expected),
                "after {variant}: {places:?}"
            );
            return attempt == 0;
        }
        let upset =
            statuses.len() <= 1 && statuses.iter().all(|status| matches!(status, 502 | 504));
        assert!(upset, "after {variant}: {statuses:?}");
    }
    panic!("after {variant}: no answer")
}
