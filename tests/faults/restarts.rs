//! SIGTERM under load, of one role after the other: what is in flight is answered, and the process ends well
//! and in time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tributary::dev::client;

use crate::installation::{Installation, Wanted, free_address};
use crate::load::{Load, Manner, Told};
use crate::role::{Plan, Role, signal};
use crate::{books, rounds};

/// The usual drain, and a moment.
const END_WITHIN: Duration = Duration::from_secs(12);
/// A connection that the kernel takes between the last accept and the close is reset: microseconds, but it
/// does happen.
const RESET_MAX: usize = 1;
const ADMIN_KEY: &str = "an-operators-key-of-32-characters-or-more";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_are_restarted_and_nothing_in_flight_fails() {
    let mut all = Installation::start(Wanted::default()).await;
    let at = free_address();
    let journal_dir = all.dir.join("journal-of-another").display().to_string();
    let flags = [
        ("edge-listen", at.clone()),
        ("journal-dir", journal_dir),
        ("edge-number", "1".to_owned()),
    ];
    let mut other = all.another(&all.edge.plan, &flags);
    let edge_urls = vec![all.edge_url.clone(), format!("http://{at}")];
    let cookie = all.cookie().await;
    ready(&other).await;
    let pause = Duration::from_millis(5);
    let manner = Manner { edge_urls: edge_urls.clone(), shops: 8, pause, padding: 0 };
    let load = Load::of(&all, manner).await;
    let mut in_flight = Vec::new();
    for round in 0..rounds(3, 30) {
        for (edge, url) in [&mut all.edge, &mut other].into_iter().zip(&edge_urls) {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let order = format!("in-flight-{round}-{}", edge.pid());
            let sale = format!("amount=10.00&id={order}");
            let head = format!(
                "POST /t/shop HTTP/1.1\r\nhost: edge\r\ncookie: {cookie}\r\n\
                 content-type: application/x-www-form-urlencoded\r\n"
            );
            let begun = Begun::send(url, &head, &sale).await;
            let answer = end_with(edge, begun).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            in_flight.push(order);
            edge.revive();
            ready(edge).await;
        }
    }
    let mut log = load.end().await;
    println!("{} restarts of an edge", in_flight.len());
    log.extend(in_flight.into_iter().map(|order| (order, Told::Ok)));
    let tally = books::check(&mut all, &log).await;
    println!("{tally:?}");
    assert!(
        tally.failed == 0 && tally.unknown <= RESET_MAX,
        "requests in flight failed: {tally:?}"
    );
    assert!(tally.ok > 100, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_are_restarted_and_leave_nothing_behind() {
    let mut all = Installation::start(Wanted::default()).await;
    let mut other = all.another(&all.worker.plan, &[]);
    let load = Load::start(&all, 8, Duration::from_millis(10)).await;
    for _ in 0..rounds(4, 30) {
        for worker in [&mut all.worker, &mut other] {
            ready(worker).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(end(worker).await, Some(0));
            worker.revive();
        }
    }
    ready(&all.worker).await;
    ready(&other).await;
    assert_eq!((end(&mut all.worker).await, end(&mut other).await), (Some(0), Some(0)));
    let left = all.redis(&["XPENDING", "tributary:hits", "workers"]);
    assert_eq!(left.lines().next(), Some("0"), "what was read is settled and acknowledged: {left}");
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{tally:?}");
    assert!(tally.failed == 0 && tally.unknown == 0 && tally.ok > 100, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_are_restarted_and_nothing_in_flight_fails() {
    let all = Installation::start(Wanted::default()).await;
    let addresses = [free_address(), free_address()];
    let plan = Plan { name: "admin", ..all.worker.plan.clone() };
    let mut admins = addresses.each_ref().map(|at| {
        let flags = [
            ("admin-listen", at.clone()),
            ("admin-key", ADMIN_KEY.to_owned()),
            ("api-key-per-second", "0".to_owned()), // Its readers ask as fast as they can.
        ];
        all.another(&plan, &flags)
    });
    let urls = addresses.map(|at| format!("http://{at}"));
    for admin in &admins {
        ready(admin).await;
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let readers: Vec<_> =
        (0..4).map(|_| tokio::spawn(read_programs(urls.clone(), stopped.clone()))).collect();
    let mut made = 0;
    for _ in 0..rounds(2, 20) {
        for (admin, url) in admins.iter_mut().zip(&urls) {
            tokio::time::sleep(Duration::from_millis(300)).await;
            made += 1;
            let affiliate =
                format!(r#"{{"name":"Blog {made}","email":"blog-{made}@example.com"}}"#);
            let head = format!(
                "POST /api/v1/affiliates HTTP/1.1\r\nhost: admin\r\n\
                 authorization: Bearer {ADMIN_KEY}\r\ncontent-type: application/json\r\n"
            );
            let begun = Begun::send(url, &head, &affiliate).await;
            let answer = end_with(admin, begun).await;
            assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
            admin.revive();
            ready(admin).await;
        }
    }
    stop.send_replace(true);
    let mut failed = 0;
    for reader in readers {
        failed += reader.await.unwrap();
    }
    assert!(failed <= RESET_MAX, "{failed} requests in flight failed");
    assert_eq!(all.count("select count(*) from affiliates").await, 1 + made);
}

/// Reads from one admin, and from the other where one refuses the connection; how often that failed.
async fn read_programs(urls: [String; 2], stopped: tokio::sync::watch::Receiver<bool>) -> usize {
    let bearer = format!("Bearer {ADMIN_KEY}");
    let (mut read, mut failed) = (0, 0);
    while !*stopped.borrow() {
        let url = format!("{}/api/v1/programs", urls[read % 2]);
        match client::send("GET", &url, &[("authorization", &bearer)], b"").await {
            Ok(answer) => assert_eq!(answer.status, 200),
            Err(error) if error.contains("Connection refused") => {}
            Err(_) => failed += 1,
        }
        read += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(read > 0);
    failed
}

/// A request of which the body's last bytes are not sent yet.
struct Begun {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Begun {
    async fn send(url: &str, head: &str, body: &str) -> Begun {
        let address = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (first, rest) = body.split_at(body.len() / 2);
        let request = format!("{head}content-length: {}\r\n\r\n{first}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        Begun { stream, rest: rest.into() }
    }

    /// The answer, when the rest is sent, as it came.
    async fn end(mut self) -> String {
        self.stream.write_all(&self.rest).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// SIGTERM while a request is in flight; its answer. The role ends well.
async fn end_with(role: &mut Role, begun: Begun) -> String {
    tokio::time::sleep(Duration::from_millis(100)).await;
    signal(role.pid(), "TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(role.has_ended(), None, "it waits for what is in flight");
    let answer = begun.end().await;
    assert_eq!(ended(role).await, Some(0));
    answer
}

/// SIGTERM; the exit code.
async fn end(role: &mut Role) -> Option<i32> {
    signal(role.pid(), "TERM");
    ended(role).await
}

async fn ended(role: &mut Role) -> Option<i32> {
    let ends = async {
        loop {
            match role.has_ended() {
                Some(code) => return code,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(END_WITHIN, ends).await.expect("it ends in time")
}

async fn ready(role: &Role) {
    let (url, began) = (format!("{}/readyz", role.ops_url()), std::time::Instant::now());
    while client::send("GET", &url, &[], b"").await.map(|answer| answer.status) != Ok(200) {
        assert!(began.elapsed() < Duration::from_secs(30), "{} is not ready", role.plan.name);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
