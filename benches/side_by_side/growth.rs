//! What a hit costs PostgreSQL and the worker while the books grow from a hundred thousand to ten million
//! conversions. The history is copied inside the database from hits that were really settled, with all
//! indexes in place; then a backlog is settled upon it.

use std::time::{Duration, Instant};

use crate::open_loop::{self, Numbering, Plan};
use crate::settling::drain;
use crate::stage::{Process, Stage};
use crate::{Result, setting};

const SIZES: [u64; 3] = [100_000, 1_000_000, 10_000_000];
/// Hits that are settled at each size, and those that the history is made of.
const BACKLOG: u64 = 100_000;
const SAMPLE: u64 = 20_000;
/// Hits a second while a backlog is made.
const RATE: u64 = 10_000;
/// Rows that one statement copies.
const STEP: u64 = 500_000;
const HISTORY: &str = include_str!("history.sql");
/// How orders are numbered: one after the other, or at random.
const ORDERS: [(&str, Numbering); 2] = [("ascending", open_loop::numbered), ("random", random)];

pub async fn run() -> Result<()> {
    let most = setting("BENCH_GROWTH_MOST", 10_000_000)?;
    println!("## Settling as the books grow\n");
    println!(
        "| conversions before | order ids | hits/s | worker µs a hit | PostgreSQL µs a hit | together | of the first | fill s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let stage = Stage::set().await?;
    let edge = stage.edge().await?;
    send(&stage, &edge, SAMPLE, open_loop::numbered).await?;
    drain(&stage, &edge).await?;
    let mut firsts = [None; 2];
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        let began = Instant::now();
        grow(&stage, size).await?;
        let filled = began.elapsed().as_secs();
        for ((name, order), first) in ORDERS.into_iter().zip(&mut firsts) {
            let before = stage.count("select count(*) from conversions").await?;
            send(&stage, &edge, BACKLOG, order).await?;
            stage.database.batch_execute("checkpoint").await?;
            let drained = drain(&stage, &edge).await?;
            let together = drained.worker_us + drained.postgres_us;
            let of_first = together / *first.get_or_insert(together);
            println!(
                "| {before} | {name} | {:.0} | {:.1} | {:.1} | {together:.1} | **{of_first:.2}**, reach 1.20 | {filled} |",
                drained.rate, drained.worker_us, drained.postgres_us
            );
        }
    }
    println!();
    drop(edge);
    stage.strike().await;
    Ok(())
}

/// Sends pixels, each of an order of its own, and waits until they are in the stream.
async fn send(stage: &Stage, edge: &Process, hits: u64, order: Numbering) -> Result<()> {
    let plan = Plan {
        port: edge.port,
        rate: RATE as f64,
        seconds: hits / RATE,
        connections: 256,
        cookie: stage.cookie(edge).await?,
        order,
        sample: None,
    };
    let answered = open_loop::run(plan).await?;
    if answered.failed > 0 {
        return Err(format!("{} pixels failed", answered.failed).into());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

/// Spread over all keys (a step of SplitMix64).
fn random(number: u64) -> String {
    let mut n = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    format!("{:016x}", n ^ (n >> 27))
}

/// Adds history until there are so many conversions.
async fn grow(stage: &Stage, size: u64) -> Result<()> {
    // The copies refer to what the originals refer to; what is asked of each row is not asked again.
    stage.database.batch_execute("set session_replication_role = replica").await?;
    loop {
        let there = stage.count("select count(*) from conversions").await? as u64;
        if there >= size {
            break;
        }
        let rows = (size - there).min(STEP);
        let step = HISTORY.replace("$first", &there.to_string());
        stage.database.batch_execute(&step.replace("$rows", &rows.to_string())).await?;
    }
    stage.database.batch_execute("reset session_replication_role").await?;
    stage.database.batch_execute("vacuum analyze").await?;
    Ok(())
}
