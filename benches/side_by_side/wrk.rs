//! A closed loop by wrk: as many requests as so many connections can ask for.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;
use crate::machine::cpu_us;

/// Seconds of one load.
pub const SECONDS: u32 = 5;

/// What is asked for, and how.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The path, up to what makes each request its own.
    pub path: &'a str,
    pub cookie: &'a str,
    /// `image` or `page`: the headers of a browser that loads one.
    pub loads: &'a str,
    pub connections: u32,
    /// Each request on a connection of its own.
    pub close: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Load {
    /// Processor time for each request of each process, in microseconds.
    pub cpu_us: Vec<f64>,
    pub requests: f64,
    pub rate: f64,
    /// p50 and p99 under saturation, as wrk has them.
    pub latency: String,
}

/// One load on a port; and the processor time that these processes used for it.
pub fn load(pids: &[u32], port: u16, ask: Ask<'_>) -> Result<Load> {
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let round = ROUND.fetch_add(1, Ordering::Relaxed).to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/side_by_side/browser.lua");
    let before: Vec<f64> = pids.iter().map(|pid| cpu_us(*pid)).collect::<Result<_>>()?;
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{}", ask.connections), &format!("-d{SECONDS}"), "--latency"])
        .arg("-s")
        .arg(script)
        .args([&format!("http://127.0.0.1:{port}/"), "--", ask.path, ask.cookie, &round])
        .args([ask.loads, if ask.close { "close" } else { "keep" }])
        .output()
        .map_err(|e| format!("wrk: {e} (`make bench` installs it)"))?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") || !text.contains("requests in") {
        return Err(format!("the load failed:\n{text}").into());
    }
    let after: Vec<f64> = pids.iter().map(|pid| cpu_us(*pid)).collect::<Result<_>>()?;
    let word = |mark: &str, at: usize| {
        let line = text.lines().find(|line| line.contains(mark)).unwrap_or("");
        line.split_whitespace().nth(at).unwrap_or("").to_owned()
    };
    let requests: f64 = word("requests in", 0).parse()?;
    let used = before.iter().zip(after).map(|(before, after)| after - before);
    Ok(Load {
        cpu_us: used.map(|us| us / requests).collect(),
        requests,
        rate: requests / f64::from(SECONDS),
        latency: format!("{} / {}", word("50%", 1), word("99%", 1)),
    })
}
