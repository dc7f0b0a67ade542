//! Two thousand slow clients at once, by slowhttptest: heads, bodies, and readers that never end. Others
//! are served all the while, and each slow one is dropped when its time is over.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{Stage, memory};
use crate::talk;

const CLIENTS: usize = 2_000;
/// Of the roles, in this run.
const HEADER_SECONDS: u64 = 10;
const BODY_SECONDS: u64 = 10;
/// For others, 99 of 100.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// Between two of the others' requests: few, so that it is the server that is measured.
const PACE: Duration = Duration::from_millis(50);
/// After a deadline: until the last of the slow is gone.
const GRACE: Duration = Duration::from_secs(5);

/// Descriptors that come and go by themselves: the others' connections, the database's.
const FEW: usize = 8;

struct Attack {
    name: &'static str,
    /// Of the edge and of the admin.
    targets: [&'static str; 2],
    arguments: &'static [&'static str],
    /// Until the last slow client must be gone, from when it came.
    deadline_seconds: u64,
}

const ATTACKS: [Attack; 3] = [
    Attack {
        name: "slow heads",
        targets: ["/t/shop.gif?amount=1&id=slow", "/sign-in"],
        arguments: &["-H", "-i", "2", "-x", "24"],
        deadline_seconds: HEADER_SECONDS,
    },
    Attack {
        name: "slow bodies",
        targets: ["/t/shop", "/sign-in"],
        arguments: &["-B", "-i", "2", "-s", "8192", "-x", "10", "-t", "POST"],
        deadline_seconds: BODY_SECONDS + HEADER_SECONDS,
    },
    Attack {
        name: "slow reading",
        targets: ["/tag.js", "/assets/portal.css"],
        arguments: &["-X", "-n", "2", "-w", "1", "-y", "4", "-z", "1", "-k", "10"],
        deadline_seconds: 2 * HEADER_SECONDS,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_served_beside_two_thousand_slow_clients() {
    let seconds = |name, value: u64| (name, value.to_string());
    let limits = vec![
        seconds("header-timeout-seconds", HEADER_SECONDS),
        seconds("body-timeout-seconds", BODY_SECONDS),
        // They come from one address here, which is let sign in that often only: those of many wait for bodies.
        seconds("junk-address-per-second", 0),
    ];
    let mut stage = Stage::set(limits).await;
    let addresses = stage.addresses();
    let usual = beside(&addresses, until_over(Duration::from_secs(10))).await;
    println!("slow: nobody else there: edge {}, admin {}", usual[0], usual[1]);
    for attack in &ATTACKS {
        for (at, role) in ["edge", "admin"].into_iter().enumerate() {
            run(&stage, attack, at, role).await;
        }
    }
    stage.is_sound().await;
}

async fn run(stage: &Stage, attack: &Attack, at: usize, role: &str) {
    let addresses = stage.addresses();
    let address = &addresses[at];
    let pid = [stage.all.edge.pid(), stage.admin.pid()][at];
    let before = descriptors(pid);
    let length = attack.deadline_seconds + 15;
    let clients = CLIENTS.to_string();
    let mut slow = Command::new("slowhttptest")
        .args(attack.arguments)
        .args(["-c", &clients, "-r", "1000", "-l", &length.to_string(), "-p", "5"])
        .args(["-u", &format!("http://{address}{}", attack.targets[at])])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (began, mut most, mut full, mut gone) = (Instant::now(), 0, None, None);
    let over = || {
        let now = descriptors(pid).saturating_sub(before);
        most = most.max(now);
        if now >= CLIENTS * 9 / 10 && full.is_none() {
            full = Some(began.elapsed());
        }
        if full.is_some() && now <= FEW && gone.is_none() {
            gone = Some(began.elapsed());
        }
        began.elapsed() > Duration::from_secs(length) || gone.is_some()
    };
    let waits = beside(&addresses, over).await;
    let _ = slow.kill();
    let _ = slow.wait();
    println!(
        "{} at the {role}: {most} connections at once (after {:.1?}), the last gone after {:.1?}; others: edge {}, admin {}; {} MiB at most",
        attack.name,
        full.unwrap_or_default(),
        gone.unwrap_or_default(),
        waits[0],
        waits[1],
        memory(pid).1 >> 20
    );
    assert!(most >= CLIENTS * 9 / 10, "only {most} slow clients at once");
    let last = Duration::from_secs(attack.deadline_seconds) + full.unwrap() + GRACE;
    assert!(
        gone.is_some_and(|gone| gone < last),
        "the last is gone after {gone:?}, not within {last:?}"
    );
    for wait in waits {
        assert!(wait.p99 < WAIT_MAX && wait.failed == 0, "others: {wait}");
    }
}

/// How long others waited.
struct Waits {
    count: usize,
    failed: usize,
    p50: Duration,
    p99: Duration,
    most: Duration,
}

impl std::fmt::Display for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Waits { count, failed, p50, p99, most } = self;
        write!(
            f,
            "{count} requests, {failed} failed, p50 {p50:.1?}, p99 {p99:.1?}, at most {most:.1?}"
        )
    }
}

fn until_over(time: Duration) -> impl FnMut() -> bool {
    let began = Instant::now();
    move || began.elapsed() > time
}

/// Others ask edge and admin at a pace of their own, each on a new connection, until it is over. A request's
/// time counts from when it was due.
async fn beside(addresses: &[String; 2], mut over: impl FnMut() -> bool) -> [Waits; 2] {
    let (began, mut asked) = (Instant::now(), [Vec::new(), Vec::new()]);
    let mut number = 0;
    while !over() {
        let due = began + PACE * number;
        tokio::time::sleep_until(due.into()).await;
        for (at, address) in addresses.iter().enumerate() {
            let address = address.clone();
            asked[at].push(tokio::spawn(async move { ask(&address, at, number, due).await }));
        }
        number += 1;
    }
    let [edge, admin] = asked;
    [waits(edge).await, waits(admin).await]
}

async fn ask(address: &str, at: usize, number: u32, due: Instant) -> Option<Duration> {
    let target = [format!("/t/shop.gif?amount=1.00&id=beside-{number}"), "/sign-in".to_owned()];
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target[at]);
    let talk = talk::say(address, request.as_bytes(), false, Duration::from_secs(20)).await;
    (talk.statuses() == [200]).then(|| due.elapsed())
}

async fn waits(asked: Vec<tokio::task::JoinHandle<Option<Duration>>>) -> Waits {
    let answered = futures_util::future::join_all(asked).await;
    let count = answered.len();
    let mut times: Vec<Duration> = answered.into_iter().filter_map(Result::unwrap).collect();
    times.sort();
    let part = |of: usize| times.get(times.len() * of / 100).copied().unwrap_or_default();
    let most = times.last().copied().unwrap_or_default();
    Waits { count, failed: count - times.len(), p50: part(50), p99: part(99), most }
}

/// Descriptors that a process has open: its connections, and some of its own. Cheaper to ask for than the
/// kernel's list of sockets, which would delay who measures.
fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}
