//! Malformed requests by the hundred thousand, at edge and admin, beside honest ones: nobody else notices.
//! `ATTACK_REQUESTS` and `ATTACK_SEED` change how many, and which.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tributary::dev::client;

use crate::dice::Dice;
use crate::noise::{self, Ground};
use crate::stage::{OPERATOR, SECRET, Stage, memory};
use crate::talk;

const SEED: u64 = 0xBAD_5EED;
const REQUESTS: u64 = 200_000;
/// Bytes that a role may hold more at the end than when the first tenth was over.
const GROWTH_MAX: u64 = 64 << 20;
/// No connection may be left alone for so long once it has said all.
const SILENCE_MAX: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Tally {
    connections: u64,
    /// Answered, or its connection was ended without an answer.
    judged: u64,
    unanswered: u64,
    statuses: BTreeMap<u16, u64>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.connections += other.connections;
        self.judged += other.judged;
        self.unanswered += other.unanswered;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_refused_and_nobody_else_notices() {
    let read =
        |name, usual| std::env::var(name).map_or(usual, |text: String| text.parse().unwrap());
    let (seed, requests): (u64, u64) =
        (read("ATTACK_SEED", SEED), read("ATTACK_REQUESTS", REQUESTS));
    let mut stage = Stage::set(Vec::new()).await;
    let began = Instant::now();
    let honest = Honest::start(&stage);
    let judged = Arc::new(AtomicU64::new(0));
    let lanes = lanes(&stage, seed, requests, &judged).await;
    while judged.load(Ordering::Relaxed) < requests / 10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let pids = [stage.all.edge.pid(), stage.admin.pid()];
    let before = pids.map(memory);
    let mut tallies = [Tally::default(), Tally::default()];
    for (number, lane) in lanes.into_iter().enumerate() {
        tallies[usize::from(number >= EDGE_LANES)].add(lane.await.unwrap());
    }
    let after = pids.map(memory);
    println!("malformed: seed {seed:#x}, {:.0} s", began.elapsed().as_secs_f64());
    for (at, name) in ["edge", "admin"].into_iter().enumerate() {
        let Tally { connections, judged, unanswered, statuses } = &tallies[at];
        let mib = |bytes: u64| bytes >> 20;
        println!(
            "  {name}: {judged} requests on {connections} connections, {unanswered} without an answer, {statuses:?}"
        );
        println!(
            "    {} MiB after a tenth, {} MiB at the end, {} at most",
            mib(before[at].0),
            mib(after[at].0),
            mib(after[at].1)
        );
        let failures = statuses.iter().filter(|(status, _)| **status >= 500 && **status != 503);
        assert_eq!(failures.count(), 0, "no 5xx but the promised 503");
        assert!(after[at].0 < before[at].0 + GROWTH_MAX, "memory grows");
    }
    honest.end(&stage).await;
    stage.is_sound().await;
}

const EDGE_LANES: usize = 6;
const ADMIN_LANES: usize = 2;

async fn lanes(
    stage: &Stage,
    seed: u64,
    requests: u64,
    judged: &Arc<AtomicU64>,
) -> Vec<tokio::task::JoinHandle<Tally>> {
    let edge = Arc::new(Ground { wanted: noise::EDGE, bearers: vec![SECRET.to_owned()] });
    let mut keys = stage.strangers().await;
    keys.push(OPERATOR.to_owned());
    let admin = Arc::new(Ground { wanted: noise::ADMIN, bearers: keys });
    let [edge_at, admin_at] = stage.addresses();
    let lane = |number: usize| {
        let (ground, address) = match number < EDGE_LANES {
            true => (edge.clone(), edge_at.clone()),
            false => (admin.clone(), admin_at.clone()),
        };
        let (dice, judged) = (Dice(seed + number as u64), judged.clone());
        tokio::spawn(attack(address, ground, dice, (judged, requests)))
    };
    (0..EDGE_LANES + ADMIN_LANES).map(lane).collect()
}

/// Connections one after the other, each with some requests, until all lanes have sent enough.
async fn attack(
    address: String,
    ground: Arc<Ground>,
    mut dice: Dice,
    (judged, enough): (Arc<AtomicU64>, u64),
) -> Tally {
    let mut tally = Tally::default();
    while judged.load(Ordering::Relaxed) < enough {
        let before = dice.0;
        let bytes: Vec<u8> =
            (0..=dice.roll(8)).flat_map(|_| noise::request(&mut dice, &ground)).collect();
        let talk = talk::say(&address, &bytes, true, SILENCE_MAX).await;
        assert!(talk.closed, "left alone at {before:#x}: {:?}", String::from_utf8_lossy(&bytes));
        let statuses = talk.statuses();
        if let Some(failure) = statuses.iter().find(|status| **status >= 500) {
            println!("  {failure} at {before:#x}: {:?}", String::from_utf8_lossy(&bytes));
        }
        let count = (statuses.len() as u64).max(1);
        tally.connections += 1;
        tally.judged += count;
        tally.unanswered += u64::from(statuses.is_empty());
        for status in statuses {
            *tally.statuses.entry(status).or_default() += 1;
        }
        judged.fetch_add(count, Ordering::Relaxed);
    }
    tally
}

/// A shop whose orders count, and an operator who reads, all the while.
struct Honest {
    stop: Arc<AtomicBool>,
    shop: tokio::task::JoinHandle<(u64, Duration)>,
}

impl Honest {
    fn start(stage: &Stage) -> Honest {
        let stop = Arc::new(AtomicBool::new(false));
        let (ended, edge, admin) =
            (stop.clone(), stage.all.edge_url.clone(), stage.admin_url.clone());
        let shop = tokio::spawn(async move {
            let (mut orders, mut slowest) = (0, Duration::ZERO);
            while !ended.load(Ordering::Relaxed) {
                orders += 1;
                let began = Instant::now();
                order(&edge, orders).await;
                slowest = slowest.max(began.elapsed());
                if orders % 10 == 0 {
                    let bearer = format!("Bearer {OPERATOR}");
                    let url = format!("{admin}/api/v1/programs/3");
                    let answer =
                        client::send("GET", &url, &[("authorization", &bearer)], b"").await;
                    assert_eq!(answer.unwrap().status, 200);
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            (orders, slowest)
        });
        Honest { stop, shop }
    }

    /// Each of his orders is in the books, once.
    async fn end(self, stage: &Stage) {
        self.stop.store(true, Ordering::Relaxed);
        let (orders, slowest) = self.shop.await.unwrap();
        let booked = "select count(*) from conversions where order_id like 'honest-%'";
        let all = async || stage.all.count(booked).await == orders as i64;
        crate::ops::until("honest orders count", Duration::from_secs(300), all).await;
        println!(
            "  honest: {orders} orders beside it, each answered by its own and in the books once; the slowest took {slowest:?}"
        );
    }
}

async fn order(edge: &str, number: u64) {
    let body = format!("amount=1.00&id=honest-{number}");
    let answer =
        client::send("POST", &format!("{edge}/t/shop"), &[], body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 303);
    let expected = format!("https://shop.example/thanks?id=honest-{number}");
    assert_eq!(answer.header("location"), Some(&*expected));
}
