//! The load runs, side by side in one run: a durable pixel against nginx's `empty_gif` with a buffered
//! access log, by CPU time per request and by latency; then how fast the hits of that load are settled.
//! Real servers on loopback, all on this machine together with the load; ends by itself.
//!
//! `cargo bench --bench side_by_side`, or `make bench`, which installs nginx and wrk first.

#![allow(clippy::float_arithmetic)] // Figures of a measurement, not money.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tributary::dev::{client, servers};
use tributary::store::{Store, migrate};

/// Seconds of one load.
const SECONDS: u32 = 5;
const REPETITIONS: usize = 3;
const CONNECTIONS: [u32; 2] = [64, 256];
const TOKEN_KEYS: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SEED: &str = include_str!("../tests/it/cases/seed.sql");

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A process that ends with us.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<()> {
    // `cargo test --benches` only asks whether it can be built.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("tributary-bench-{}", std::process::id()));
    let servers = servers::claim(&dir)?.start_for_a_while().await?;
    let store = Store::new(&servers.database_url, 2)?;
    migrate::run(&store).await?;
    let (database, connection) =
        tokio_postgres::connect(&servers.database_url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    database.batch_execute(SEED).await?;

    let nginx = nginx(&dir)?;
    let role = |role: &str, ports: [u16; 2]| -> Result<Process> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.arg(role).args(["--edge-listen", &format!("127.0.0.1:{}", ports[0])]);
        command.args(["--ops-listen", &format!("127.0.0.1:{}", ports[1])]);
        command.args(["--database-url", &servers.database_url, "--redis-url", &servers.redis_url]);
        command.args(["--token-keys", TOKEN_KEYS, "--log", "warn"]);
        command.arg("--journal-dir").arg(dir.join("journal")).stdout(Stdio::null());
        Ok(Process(command.spawn()?))
    };
    let edge = role("edge", [18_080, 18_082])?;
    let cookie = cookie().await?;
    let redis = child_named("redis-server")?;
    machine();
    println!(
        "| connections | nginx µs | edge µs | Redis µs | ratio | nginx p50/p99 | edge p50/p99 | edge hits/s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let mut ratios = Vec::new();
        for _ in 0..REPETITIONS {
            let floor = load(&[nginx.1], 19_090, connections, &cookie)?;
            let ours = load(&[edge.0.id(), redis], 18_080, connections, &cookie)?;
            let ratio = (ours.cpu_us[0] + ours.cpu_us[1]) / floor.cpu_us[0];
            println!(
                "| {connections} | {:.2} | {:.2} | {:.2} | {ratio:.2} | {} | {} | {:.0} |",
                floor.cpu_us[0],
                ours.cpu_us[0],
                ours.cpu_us[1],
                floor.latency,
                ours.latency,
                ours.rate
            );
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "| {connections} | | | | median {:.2} ({:.2} to {:.2}) | | | |",
            ratios[1], ratios[0], ratios[2]
        );
    }
    let peak = fs::read_to_string(format!("/proc/{}/status", edge.0.id()))?;
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("").to_owned();
    println!("\nedge, highest resident memory: {}", peak.trim_start_matches("VmHWM:").trim());
    let worker = role("worker", [0, 18_092])?;
    settle(&database).await?;
    drop((worker, edge, nginx));
    servers.stop().await;
    Ok(())
}

/// How fast the backlog of the load becomes conversions in the books.
async fn settle(database: &tokio_postgres::Client) -> Result<()> {
    let watermark = "select coalesce(sum(watermark), 0)::bigint from edges";
    let began = Instant::now();
    let (mut last, mut still) = (0i64, Instant::now());
    let (mut first_at, mut first) = (Instant::now(), 0);
    while still.elapsed() < Duration::from_secs(3) && began.elapsed() < Duration::from_secs(180) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now: i64 = database.query_one(watermark, &[]).await?.get(0);
        if now > last {
            if first == 0 {
                (first_at, first) = (Instant::now(), now);
            }
            (last, still) = (now, Instant::now());
        }
    }
    let seconds = (still - first_at).as_secs_f64();
    let made: i64 = database.query_one("select count(*) from conversions", &[]).await?.get(0);
    println!(
        "settled: {last} hits, {made} conversions, {:.0} hits/s (one worker, PostgreSQL and Redis on the same cores)",
        (last - first) as f64 / seconds
    );
    Ok(())
}

struct Load {
    /// CPU time per request of each process, in microseconds.
    cpu_us: Vec<f64>,
    latency: String,
    rate: f64,
}

/// One load by wrk; the CPU time that the processes used for it.
fn load(pids: &[u32], port: u16, connections: u32, cookie: &str) -> Result<Load> {
    static ROUND: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let round = ROUND.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/browser.lua");
    let before: Vec<u64> = pids.iter().map(|pid| cpu_ticks(*pid)).collect::<Result<_>>()?;
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{SECONDS}"), "--latency", "-s"])
        .arg(script)
        .args([&format!("http://127.0.0.1:{port}/"), "--", "/t/shop.gif", cookie, &round])
        .output()
        .map_err(|e| format!("wrk: {e} (`make bench` installs it)"))?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") || !text.contains("requests in") {
        return Err(format!("the load failed:\n{text}").into());
    }
    let after: Vec<u64> = pids.iter().map(|pid| cpu_ticks(*pid)).collect::<Result<_>>()?;
    let word = |mark: &str, at: usize| {
        let line = text.lines().find(|line| line.contains(mark)).unwrap_or("");
        line.split_whitespace().nth(at).unwrap_or("").to_owned()
    };
    let requests: f64 = word("requests in", 0).parse()?;
    let ticks = before.iter().zip(after).map(|(before, after)| (after - before) as f64);
    Ok(Load {
        cpu_us: ticks.map(|ticks| ticks * 10_000.0 / requests).collect(),
        latency: format!("{} / {}", word("50%", 1), word("99%", 1)),
        rate: requests / f64::from(SECONDS),
    })
}

/// User and system time of a process in ticks of 10 ms, as Linux counts them.
fn cpu_ticks(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}

/// nginx with one process, and that process's pid.
fn nginx(dir: &Path) -> Result<(Process, u32)> {
    let at = dir.join("nginx");
    fs::create_dir_all(&at)?;
    let path = at.display();
    let config = format!(
        "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
         events {{ worker_connections 4096; }}
         http {{
           access_log {path}/access.log combined buffer=64k flush=1s;
           client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;
           uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
           keepalive_requests 1000000000;
           server {{ listen 127.0.0.1:19090; location / {{ empty_gif; }} }}
         }}"
    );
    let file: PathBuf = at.join("nginx.conf");
    fs::write(&file, config)?;
    let started = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn();
    let child = started.map_err(|e| format!("nginx: {e} (`make bench` installs it)"))?;
    let pid = child.id();
    Ok((Process(child), pid))
}

/// A visitor's cookie, as soon as the edge knows the link.
async fn cookie() -> Result<String> {
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Ok(answer) = client::send("GET", "http://127.0.0.1:18080/c/blog", &[], b"").await
        else {
            continue;
        };
        if let Some(cookie) = answer.header("set-cookie") {
            return Ok(cookie.split(';').next().unwrap_or("").to_owned());
        }
    }
    Err("the edge does not serve".into())
}

/// The pid of a child of this process by its name.
fn child_named(name: &str) -> Result<u32> {
    let us = std::process::id().to_string();
    for entry in fs::read_dir("/proc")?.flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1).map(str::to_owned));
        if stat.contains(&format!("({name})")) && parent.as_deref() == Some(&us) {
            return Ok(entry.file_name().to_string_lossy().parse()?);
        }
    }
    Err(format!("no child is named {name}").into())
}

fn machine() {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name")).unwrap_or("").to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "machine: {}, {cores} cores; {SECONDS} s a load, {REPETITIONS} repetitions, wrk on the same cores\n",
        model.split(':').nth(1).unwrap_or("unknown").trim()
    );
}
