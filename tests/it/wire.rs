//! The wire: bytes in, bytes out. What is malformed is told so, and what was well said before is answered.

use std::time::Duration;

use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tributary::http::lines::Lines;
use tributary::http::plain::Head;
use tributary::http::{self, Limits, Peer};

use crate::harness::{App, Seed};

/// Sends bytes on a connection of their own; what came back within a moment.
async fn say(app: &App, bytes: &[u8], half_close: bool) -> String {
    let address = app.edge_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    if half_close {
        stream.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(length)) =
        tokio::time::timeout(Duration::from_millis(700), stream.read(&mut chunk)).await
    {
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn pixel(seed: &Seed, id: &str) -> String {
    format!("GET /t/{}.gif?amount=1&id={id} HTTP/1.1\r\nHost: x\r\n", seed.code)
}

#[tokio::test]
async fn what_is_malformed_is_told_so() {
    let app = App::start().await;
    let seed = app.seed().await;
    let head = |extra: &str| format!("{}{extra}\r\n", pixel(&seed, "1"));
    let many: String = (0..101).map(|n| format!("X-{n}: 1\r\n")).collect();
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    let form = format!("POST /t/{} HTTP/1.1\r\nHost: x\r\n", seed.code);
    for (what, request, status) in [
        ("101 headers", head(&many), "431"),
        ("a long path", path, "414"),
        ("NUL in a header", head("X: a\0b\r\n"), "400"),
        ("folded header", head("X: a\r\n b\r\n"), "400"),
        ("no name", head(": a\r\n"), "400"),
        ("two lengths", format!("{form}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), "400"),
        ("negative length", format!("{form}Content-Length: -1\r\n\r\n"), "400"),
        ("unknown coding", format!("{form}Transfer-Encoding: gzip\r\n\r\n"), "400"),
        ("nonsense", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), "400"),
        ("bad chunk", format!("{form}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400"),
    ] {
        let answer = say(&app, request.as_bytes(), false).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn what_was_well_said_is_answered_whatever_follows() {
    let app = App::start().await;
    let seed = app.seed().await;
    for (what, follows, half_close) in [
        ("nothing more", "", true),
        ("half a request", "GET /t/", false),
        ("garbage", "GARBAGE\0\r\n\r\n", false),
        ("another", "GET /tag.js HTTP/1.1\r\nHost: x\r\n\r\n", false),
    ] {
        let request = format!("{}\r\n{follows}", pixel(&seed, "1"));
        let answer = say(&app, request.as_bytes(), half_close).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {answer:?}");
        assert!(answer.contains("tributary-outcome: accepted"), "{what}");
    }
}

/// An answer without what is another each time: names of its headers, sorted, and its first and last line.
fn shape(answer: &str) -> Vec<String> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let mut lines = head.split("\r\n");
    let mut shape = vec![lines.next().unwrap().to_owned(), body.to_owned()];
    let names = lines.map(|line| line.split(':').next().unwrap().to_owned());
    shape.extend(names.filter(|name| name != "connection"));
    shape[2..].sort();
    shape
}

#[tokio::test]
async fn a_request_is_answered_alike_by_the_short_way_and_by_the_long() {
    let app = App::start().await;
    let seed = app.seed().await;
    app.wait_for_link(&seed.link_code).await;
    let targets = [
        format!("/t/{}.gif?amount=1&id=1", seed.code),
        format!("/t/{}?amount=1&id=a%20b+c", seed.code),
        format!("/t/{}?id=1", seed.code),
        "/t/nobody?amount=1".to_owned(),
        format!("/c/{}?s1=a", seed.link_code),
        "/c/nobody".to_owned(),
        "/tag.js".to_owned(),
        "/nothing".to_owned(),
    ];
    for target in targets {
        let request = |extra: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n{extra}\r\n");
        let plain = say(&app, request("Connection: keep-alive\r\n").as_bytes(), false).await;
        assert!(plain.starts_with("HTTP/1.1 "), "{target}: {plain}");
        for other in ["Connection: close\r\n", "Content-Length: 0\r\n", "Expect: x\r\n"] {
            let long = say(&app, request(other).as_bytes(), false).await;
            assert_eq!(shape(&plain), shape(&long), "{target} {other}");
        }
    }
}

#[tokio::test]
async fn one_connection_carries_requests_of_every_kind_however_they_are_cut() {
    let app = App::start().await;
    let seed = app.seed().await;
    let body = "amount=1&id=5";
    let form = format!(
        "POST /t/{} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        seed.code,
        body.len()
    );
    let get = |id: &str, extra: &str| format!("{}{extra}\r\n", pixel(&seed, id));
    let all =
        [get("1", ""), get("2", ""), get("3", "cOOKIE: a=b\r\n"), form, get("4", "")].concat();
    for cut in [1, 20, 70, 200, all.len()] {
        let address = app.edge_url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in all.as_bytes().chunks(cut) {
            stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 5, "cut at {cut}: {answer}");
        assert_eq!(answer.matches("tributary-outcome: accepted").count(), 5, "cut at {cut}");
    }
    app.settle().await;
    let conversions = app.rows("select count(*) from conversions").await;
    assert_eq!(conversions[0].get::<_, i64>(0), 5, "the same five orders, however they were cut");
    let body = get("6", "Content-Length: 18\r\n") + "GET /no HTTP/1.1\r\n" + &get("7", "");
    let answer = say(&app, body.as_bytes(), true).await;
    let said = |what| answer.matches(what).count();
    let is_said = answer.starts_with("HTTP/1.1 200");
    assert!(is_said && said("HTTP/1.1 ") == said("HTTP/1.1 200 "), "a body is no request");
}

#[tokio::test]
async fn a_caller_who_leaves_at_once_is_counted_all_the_same() {
    let app = App::start().await;
    let seed = app.seed().await;
    for n in 0..10 {
        let address = app.edge_url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{}\r\n", pixel(&seed, &n.to_string()));
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let kept = async || app.journal.extent().end_seq;
    let began = std::time::Instant::now();
    while kept().await < 10 && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.settle().await;
    let conversions = app.rows("select count(*) from conversions").await;
    assert_eq!(conversions[0].get::<_, i64>(0), 10);
}

#[tokio::test]
async fn who_has_connected_before_the_stop_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let (said, silent) = clients.split_at_mut(5);
    for client in said {
        client.write_all(request).await.unwrap();
    }
    // Nobody is accepted yet when the signal comes.
    let (_signal, stop) = watch::channel(true);
    let (header_timeout, drain) = (Duration::from_secs(5), Duration::from_secs(5));
    let limits = Limits { connections_max: 100, header_timeout, drain };
    let answer = |_, _| async { http::reply(StatusCode::OK, "text/plain", "heard") };
    let serving = tokio::spawn(http::serve(listener, limits, stop, answer));
    tokio::time::sleep(Duration::from_millis(50)).await;
    for client in silent {
        client.write_all(request).await.unwrap();
    }
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("heard") && answer.contains("connection: close"), "{answer}");
    }
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_idle_connection_is_dropped_when_its_time_is_over_and_not_before() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, stopped) = watch::channel(false);
    let header_timeout = Duration::from_secs(3);
    let limits = Limits { connections_max: 8, header_timeout, drain: header_timeout };
    let long = |_, _| async { http::reply(StatusCode::OK, "text/plain", "") };
    let short = |_: &Head<'_>, _: &Peer| {
        Some(async { (Lines::new(StatusCode::OK, "", ""), tokio::time::Instant::now()) })
    };
    tokio::spawn(http::serve_plain(listener, limits, stopped, (long, short)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut chunk = [0; 4096];
    for _ in 0..4 {
        tokio::time::sleep(header_timeout / 3).await;
        stream.write_all(b"GET /t/x HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let length = stream.read(&mut chunk).await.unwrap();
        assert!(chunk[..length].starts_with(b"HTTP/1.1 200"), "in use for longer than its time");
    }
    let since = std::time::Instant::now();
    assert_eq!(stream.read(&mut chunk).await.unwrap(), 0, "closed");
    assert!(since.elapsed() > header_timeout / 2, "{:?}", since.elapsed());
}
