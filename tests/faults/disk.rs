//! The journal's disk under load: full, failing, slow. Nobody is told of a success that is none, and what
//! was refused does not count later.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tributary::dev::client;

use crate::installation::{Installation, Wanted};
use crate::load::{Load, Log, Told};
use crate::mounts::Mount;
use crate::ops::{is_ready, metric, until};
use crate::{Dice, books, rounds};

const REFUSED: &str = "tributary_hits_refused_total";
const FULL: &str = "cause=\"journal_full\"";
const SECRET: &str = "Bearer a-secret-of-more-than-32-characters";
const A_WHILE: Duration = Duration::from_secs(60);
/// After the disk is well again; the aim is 5 s.
const AGAIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_on_a_full_disk_refuses_and_serves_again_by_itself() {
    fill_and_empty(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_whose_disk_others_fill_does_not_take_the_reserve() {
    fill_and_empty(4 << 20).await;
}

async fn fill_and_empty(reserve: u64) {
    let Some(disk) = Mount::tmpfs(16 << 20) else { return };
    let journal_dir = Some(disk.path().join("journal"));
    let flags = vec![("disk-reserve-bytes", reserve.to_string())];
    let mut all = Installation::start(Wanted { flags, journal_dir, ..Wanted::default() }).await;
    let load = Load::start(&all, 8, Duration::from_millis(5)).await;
    let (times, mut again, mut signed) = (rounds(1, 20), Vec::new(), Log::new());
    let cookie = all.cookie().await;
    for _ in 0..times {
        // Nothing is settled, so nothing is let go of.
        all.worker.kill();
        let failed = load.told(Told::Failed);
        let ballast = fill(&disk.path());
        until("refused", A_WHILE, async || load.told(Told::Failed) > failed).await;
        see_it_full(&all, &cookie, &mut signed).await;
        let began = Instant::now();
        std::fs::remove_file(ballast).unwrap();
        let ok = load.told(Told::Ok);
        until("served again", AGAIN, async || load.told(Told::Ok) > ok).await;
        again.push(began.elapsed());
        until("ready again", AGAIN, async || is_ready(&all.edge_ops_url).await == Some(true)).await;
        all.revive().await;
        let bytes = async || metric(&all.edge_ops_url, "tributary_journal_bytes", "").await;
        until("let go of", A_WHILE * 3, async || bytes().await < 2 << 20).await;
    }
    let mut log = load.end().await;
    log.extend(signed);
    let counted = metric(&all.edge_ops_url, REFUSED, FULL).await;
    let tally = books::check(&mut all, &log).await;
    println!(
        "{times} full disks, of which {reserve} bytes are kept free; served again after {again:?}: {tally:?}"
    );
    assert!(counted >= (tally.failed + times) as u64, "{counted} were counted as refused");
}

/// Writes until there is no more room.
fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("ballast");
    let mut file = std::fs::File::create(&path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    path
}

/// From an image tag nothing is taken. What the shop signs finds room a little longer, and then the edge is
/// not ready either; but a visitor lands.
async fn see_it_full(all: &Installation, cookie: &str, signed: &mut Log) {
    let (edge, ops) = (&all.edge_url, &all.edge_ops_url);
    let headers = [("cookie", cookie), ("authorization", SECRET)];
    let refused = loop {
        let (order, padding) = (format!("signed-{}", signed.len()), "x".repeat(7_000));
        let url = format!("{edge}/postback/shop?amount=10.00&id={order}&note={padding}");
        let answer = client::send("POST", &url, &headers, b"").await.unwrap();
        let told = if answer.status == 200 { Told::Ok } else { Told::Failed };
        signed.insert(order, told);
        if told == Told::Failed {
            break answer;
        }
        assert!(signed.len() < 10_000, "a full disk must refuse");
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    until("not ready", AGAIN, async || is_ready(ops).await == Some(false)).await;
    let refused = metric(ops, REFUSED, FULL).await;
    // A segment that was being prepared when the disk was full gives its room back: not at once, then.
    until("a click that is counted as refused", AGAIN, async || {
        let click = client::send("GET", &format!("{edge}/c/blog"), &[], b"").await.unwrap();
        assert_eq!(click.status, 302, "a visitor lands");
        assert!(click.header("location").unwrap().starts_with("https://shop.example/"));
        metric(ops, REFUSED, FULL).await > refused
    })
    .await;
}

/// Starts an edge whose fdatasync does what `fault` says. It stays our child, and strace ends with it.
fn strace(fault: &str) -> Vec<String> {
    let inject = format!("inject=fdatasync:{fault}");
    ["strace", "-f", "-D", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", &inject]
        .map(str::to_owned)
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_fsync_error_refused_does_not_count_later() {
    let edge_through = strace("error=EIO:when=100..109");
    let mut all = Installation::start(Wanted { edge_through, ..Wanted::default() }).await;
    let load = Load::start(&all, 8, Duration::from_millis(2)).await;
    let failed = async || load.told(Told::Failed) > 0;
    until("an error", A_WHILE, failed).await;
    let began = Instant::now();
    // Ten frames fail, and then none: the edge finds that out by itself.
    let outage = loop {
        let failed = load.told(Told::Failed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if load.told(Told::Failed) == failed {
            break began.elapsed() - Duration::from_secs(1);
        }
        assert!(began.elapsed() < A_WHILE, "errors do not end");
    };
    let (deaths, mut dice) = (rounds(3, 50), Dice(0xE10));
    for _ in 0..deaths {
        all.edge.kill();
        all.edge.plan.through = strace("error=EIO:when=100+");
        all.edge.revive();
        let failed = load.told(Told::Failed);
        until("errors", A_WHILE, async || load.told(Told::Failed) > failed).await;
        tokio::time::sleep(Duration::from_millis(dice.roll(700))).await;
        // Killed while every fsync fails.
        all.edge.kill();
        all.edge.plan.through = Vec::new();
        let ok = load.told(Told::Ok);
        all.edge.revive();
        until("served again", A_WHILE, async || load.told(Told::Ok) > ok + 50).await;
    }
    let log = load.end().await;
    let left: Vec<_> = all.journal_dir.read_dir().unwrap().flatten().map(|e| e.path()).collect();
    let tally = books::check(&mut all, &log).await;
    println!("ten failed fsyncs in {outage:?}; {deaths} deaths while all fail: {tally:?}");
    assert!(tally.failed >= 10 && tally.ok > 100, "{tally:?}");
    let is_kept =
        |path: &&PathBuf| path.extension().is_some_and(|e| e == "failed" || e == "damaged");
    assert_eq!(left.iter().filter(is_kept).count(), 0, "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_disk_makes_answers_slow_and_nothing_else() {
    let edge_through = strace("delay_enter=250000");
    let mut all = Installation::start(Wanted { edge_through, ..Wanted::default() }).await;
    let load = Load::start(&all, 32, Duration::ZERO).await;
    tokio::time::sleep(Duration::from_secs(rounds(4, 60) as u64)).await;
    let slowest = load.slowest_ok();
    let log = load.end().await;
    all.edge.kill();
    all.edge.plan.through = Vec::new();
    let tally = books::check(&mut all, &log).await;
    println!("each fsync 250 ms: the slowest answer after {slowest:?}: {tally:?}");
    assert!(slowest > Duration::from_millis(250) && slowest < Duration::from_millis(4_500));
    assert!(tally.failed == 0 && tally.unknown == 0 && tally.ok > 100, "{tally:?}");
}
