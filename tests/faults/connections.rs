//! Connections that only take up room: thousands of idle ones, heads and bodies that come byte by byte, and
//! answers that nobody reads. Others are served meanwhile, and each is dropped at its deadline.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tributary::dev::client;

use crate::installation::{Installation, Wanted};
use crate::load::Load;
use crate::ops::until;
use crate::{books, rounds};

/// Ports of one address; the loopback has more addresses than we need.
const PER_ADDRESS: usize = 5_000;
/// Beyond a deadline: the machine is busy.
const SLACK: Duration = Duration::from_secs(4);
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// An installation whose edge takes many connections, each for so long.
async fn start(header_timeout: Duration) -> Installation {
    let flags = vec![
        ("header-timeout-seconds", header_timeout.as_secs().to_string()),
        ("body-timeout-seconds", BODY_TIMEOUT.as_secs().to_string()),
    ];
    let edge_through = ["sh", "-c", "ulimit -n 65536; exec \"$@\"", "sh"].map(str::to_owned);
    let wanted = Wanted { flags, edge_through: edge_through.to_vec(), ..Wanted::default() };
    // Ours too; where it is not allowed, what we have may do.
    let myself = std::process::id().to_string();
    let raise = ["--pid", &myself, "--nofile=65536:65536"];
    let _ = std::process::Command::new("prlimit").args(raise).output();
    Installation::start(wanted).await
}

async fn connect(all: &Installation, number: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = format!("127.0.1.{}:0", 1 + number / PER_ADDRESS);
    socket.bind(from.parse().unwrap()).unwrap();
    let to = all.edge_url.trim_start_matches("http://").parse().unwrap();
    socket.connect(to).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_connections_are_in_nobodys_way() {
    let (count, timeout) = (rounds(2_000, 10_000), Duration::from_secs(rounds(10, 60) as u64));
    let mut all = start(timeout).await;
    let load = Load::start(&all, 2, Duration::from_millis(20)).await;
    let before = p99(&all, Duration::from_secs(2)).await;
    let began = Instant::now();
    let mut idle = Vec::new();
    for number in 0..count {
        let stream = connect(&all, number).await;
        idle.push(tokio::spawn(sit(stream, number % 2 == 0)));
    }
    let opened = began.elapsed();
    assert!(opened < timeout, "all are open at once: opened in {opened:?}");
    let left = timeout.saturating_sub(began.elapsed());
    until("all open", left, async || sockets_of(all.edge.pid()) > count).await;
    let meanwhile = p99(&all, timeout.saturating_sub(began.elapsed())).await;
    let memory = memory_of(all.edge.pid());
    let longest = longest(idle).await;
    until("all closed", SLACK, async || sockets_of(all.edge.pid()) < 200).await;
    let tally = books::check(&mut all, &load.end().await).await;
    println!(
        "{count} idle connections, opened in {opened:?}, the edge had {memory}, the last closed \
         after {longest:?}; p99 {before:?} before, {meanwhile:?} meanwhile: {tally:?}"
    );
    assert!(longest < timeout + SLACK, "{longest:?}");
    assert!(meanwhile < SLACK && tally.failed + tally.unknown == 0, "{tally:?}");
}

/// Waits, after a request or without one, to be disconnected; how long that took since.
async fn sit(mut stream: TcpStream, asks_first: bool) -> Duration {
    let mut buffer = [0; 4096];
    if asks_first {
        stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: e\r\n\r\n").await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 404"));
    }
    let began = Instant::now();
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    began.elapsed()
}

/// Of one visitor after another, for so long: in which time 99 of 100 are served.
async fn p99(all: &Installation, length: Duration) -> Duration {
    let (url, began, mut waits) = (format!("{}/c/blog", all.edge_url), Instant::now(), Vec::new());
    while began.elapsed() < length || waits.len() < 20 {
        let asked = Instant::now();
        assert_eq!(client::send("GET", &url, &[], b"").await.unwrap().status, 302);
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    waits.sort();
    waits[waits.len() * 99 / 100]
}

fn sockets_of(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn memory_of(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap().trim().to_owned()
}

async fn longest(all: Vec<JoinHandle<Duration>>) -> Duration {
    let mut longest = Duration::ZERO;
    for one in all {
        longest = longest.max(one.await.unwrap());
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_slow_is_dropped_at_his_deadline() {
    let (count, timeout) = (rounds(200, 2_000), Duration::from_secs(3));
    let mut all = start(timeout).await;
    let load = Load::start(&all, 2, Duration::from_millis(20)).await;
    let (mut heads, mut bodies, mut readers) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        heads.push(tokio::spawn(send_slowly(connect(&all, number).await, HEAD, "")));
        bodies.push(tokio::spawn(send_slowly(connect(&all, number).await, BODY, "408")));
        if number % 10 == 0 {
            readers.push(tokio::spawn(read_nothing(connect(&all, number).await)));
        }
    }
    let meanwhile = p99(&all, BODY_TIMEOUT).await;
    let (heads, bodies) = (longest(heads).await, longest(bodies).await);
    let readers = longest(readers).await;
    let tally = books::check(&mut all, &load.end().await).await;
    println!(
        "{count} slow heads, bodies and a tenth readers: the last dropped after {heads:?}, \
         {bodies:?}, {readers:?}; p99 {meanwhile:?} meanwhile: {tally:?}"
    );
    assert!(heads < timeout + SLACK, "{heads:?}");
    assert!(bodies < BODY_TIMEOUT + timeout + SLACK, "{bodies:?}");
    assert!(readers < timeout * 2 + SLACK, "{readers:?}");
    assert!(meanwhile < SLACK && tally.failed + tally.unknown == 0, "{tally:?}");
}

/// What is sent at once; then a byte at a time.
const HEAD: &str = "GET /t/shop.gif?amount=1&id=slow HTTP/1.1\r\nx: ";
const BODY: &str = "POST /t/shop HTTP/1.1\r\nhost: e\r\ncontent-length: 1000\r\n\r\n";

/// Sends a byte now and then until the edge hangs up, answering so at most; when that was.
async fn send_slowly(mut stream: TcpStream, at_once: &str, status: &str) -> Duration {
    let began = Instant::now();
    stream.write_all(at_once.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let drip = async {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = read.read_to_end(&mut answer) => {}
        () = drip => {}
    }
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(answer.split(' ').nth(1).unwrap_or(""), status, "{answer}");
    began.elapsed()
}

/// Asks and asks, and reads nothing; how long until the edge hung up, since it stopped to take more.
async fn read_nothing(mut stream: TcpStream) -> Duration {
    let ask = b"GET /tag.js HTTP/1.1\r\nhost: e\r\n\r\n".repeat(100);
    let mut stuck = Instant::now();
    loop {
        match tokio::time::timeout(Duration::from_secs(60), stream.write(&ask)).await {
            Ok(Ok(_)) => stuck = Instant::now(),
            Ok(Err(_)) => return stuck.elapsed(),
            Err(_) => panic!("an edge waits for ever for who does not read"),
        }
    }
}
