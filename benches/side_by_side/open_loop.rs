//! An open loop: requests come when they are due, whether or not those before were answered, and the time
//! of an answer counts from when its request was due. So a pause of the server's is felt by all that came
//! in it, and not only by the one that was under way.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;

use crate::Result;
use crate::spread::at;
use crate::stage::PIXEL;

/// The order id of a request by its number, which no other of this process has.
pub type Numbering = fn(u64) -> String;

/// What is asked for, and when.
#[derive(Debug, Clone)]
pub struct Plan {
    pub port: u16,
    /// Requests a second, evenly, over all connections.
    pub rate: f64,
    pub seconds: u64,
    /// Each has its own part of the requests; what comes while one is answered waits, and its time counts.
    pub connections: u64,
    pub cookie: String,
    pub order: Numbering,
    /// Tells each n-th order once it is answered, with the moment it was due.
    pub sample: Option<(u64, UnboundedSender<(String, Instant)>)>,
}

impl Plan {
    fn total(&self) -> u64 {
        (self.rate * self.seconds as f64) as u64
    }
}

/// Orders as shops number them, one after the other.
pub fn numbered(number: u64) -> String {
    number.to_string()
}

/// What came of it.
#[derive(Debug)]
pub struct Answered {
    pub requests: usize,
    pub failed: usize,
    pub seconds: f64,
    /// From when a request was due to its whole answer, in microseconds, sorted.
    us: Vec<u32>,
}

impl Answered {
    pub fn ms(&self, part: f64) -> f64 {
        f64::from(at(&self.us, part)) / 1_000.0
    }

    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// Runs a plan on a thread and a runtime of its own.
pub async fn run(plan: Plan) -> Result<Answered> {
    tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(drive(plan))
    })
    .await?
}

async fn drive(plan: Plan) -> Result<Answered> {
    static NEXT: AtomicU64 = AtomicU64::new(5_000_000_000);
    let began = Instant::now() + Duration::from_millis(200);
    let first = NEXT.fetch_add(plan.total(), Ordering::Relaxed);
    let lanes: Vec<_> = (0..plan.connections)
        .map(|lane| tokio::spawn(drive_lane(plan.clone(), lane, (began, first))))
        .collect();
    let mut answered = Answered { requests: 0, failed: 0, seconds: 0.0, us: Vec::new() };
    for lane in lanes {
        let (us, failed) = lane.await??;
        answered.us.extend(us);
        answered.failed += failed;
    }
    answered.seconds = began.elapsed().as_secs_f64();
    answered.requests = answered.us.len();
    answered.us.sort_unstable();
    Ok(answered)
}

/// One connection's requests, each when it is due; the time of each, and how many failed.
async fn drive_lane(
    plan: Plan,
    lane: u64,
    (began, first): (Instant, u64),
) -> Result<(Vec<u32>, usize)> {
    let mut stream = connect(plan.port).await?;
    let head = head(&plan.cookie);
    let (mut us, mut failed) = (Vec::new(), 0);
    let (mut request, mut answer) = (Vec::with_capacity(1_024), Vec::with_capacity(1_024));
    for number in (lane..plan.total()).step_by(plan.connections as usize) {
        let due = began + Duration::from_secs_f64(number as f64 / plan.rate);
        tokio::time::sleep_until(due.into()).await;
        let order = (plan.order)(first + number);
        request.clear();
        write!(request, "GET {PIXEL}{order} HTTP/1.1\r\n{head}")?;
        if exchange(&mut stream, &request, &mut answer).await.is_err() {
            failed += 1;
            stream = connect(plan.port).await?;
            continue;
        }
        us.push(due.elapsed().as_micros().min(u128::from(u32::MAX)) as u32);
        if let Some((every, tell)) = &plan.sample
            && number % every == 0
        {
            let _ = tell.send((order, due));
        }
    }
    Ok((us, failed))
}

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One request and its whole answer, which has to be 200.
async fn exchange(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request).await?;
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err("the connection ended".into());
        }
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err("not answered with 200".into());
        }
        if answer.len() >= end + 4 + body_bytes(&answer[..end]) {
            return Ok(());
        }
    }
}

/// The length of the body as the head tells it.
fn body_bytes(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head);
    let line = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// The headers of a browser that loads an image, to the end of the head.
fn head(cookie: &str) -> String {
    format!(
        "Host: track.example.com\r\n\
         User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
         Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
         Referer: https://shop.example.com/\r\nSec-Fetch-Dest: image\r\nSec-Fetch-Mode: no-cors\r\n\
         Sec-Fetch-Site: cross-site\r\nsec-ch-ua: \"Chromium\";v=\"156\", \"Not:A-Brand\";v=\"24\"\r\n\
         sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Windows\"\r\nCookie: {cookie}\r\n\r\n"
    )
}
