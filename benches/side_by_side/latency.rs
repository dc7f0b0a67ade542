//! How long an answer takes at half of what an edge can answer at most.

use crate::floor::pixels;
use crate::open_loop::{self, Plan};
use crate::spread::Spread;
use crate::stage::Stage;
use crate::{REPETITIONS, Result, wrk};

const SECONDS: u64 = 10;
const CONNECTIONS: u64 = 128;

pub async fn run() -> Result<()> {
    println!("## Latency of a durable pixel at half of the most, open loop\n");
    let stage = Stage::set().await?;
    let edge = stage.edge().await?;
    let cookie = stage.cookie(&edge).await?;
    println!("| most/s (wrk, 256) | asked/s | answered/s | failed | p50 ms | p99 ms | p99.9 ms |");
    println!("|---|---|---|---|---|---|---|");
    let mut p99 = Vec::new();
    for _ in 0..REPETITIONS {
        let most = wrk::load(&[], edge.port, pixels(&cookie))?.rate;
        let answered = open_loop::run(Plan {
            port: edge.port,
            rate: most / 2.0,
            seconds: SECONDS,
            connections: CONNECTIONS,
            cookie: cookie.clone(),
            order: open_loop::numbered,
            sample: None,
        });
        let answered = answered.await?;
        println!(
            "| {most:.0} | {:.0} | {:.0} | {} | {:.2} | {:.2} | {:.2} |",
            most / 2.0,
            answered.rate(),
            answered.failed,
            answered.ms(0.5),
            answered.ms(0.99),
            answered.ms(0.999)
        );
        p99.push(answered.ms(0.99));
    }
    println!("| | | | | | **{:.2}**, reach 10.00 | |\n", Spread::of(&p99));
    drop(edge);
    stage.strike().await;
    Ok(())
}
