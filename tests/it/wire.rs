//! The wire: bytes in, bytes out. What is malformed is told so, and what was well said before is answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tributary::http::{self, Limits};

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
    let (_signal, stop) = tokio::sync::watch::channel(true);
    let (header_timeout, drain) = (Duration::from_secs(5), Duration::from_secs(5));
    let limits = Limits { connections_max: 100, header_timeout, drain };
    let answer = |_, _| async { http::reply(hyper::StatusCode::OK, "text/plain", "heard") };
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
