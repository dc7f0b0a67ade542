//! All on one machine together with the load, for minutes: an even stream of pixels, and how long each
//! takes from the moment it is due to its two lines in the ledger.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::Client;

use crate::machine::{cpu_us, cpu_us_with_children};
use crate::open_loop::{self, Plan};
use crate::spread::at;
use crate::stage::Stage;
use crate::{Result, setting};

const CONNECTIONS: u64 = 64;
/// Every so many-th order is looked for in the ledger.
const SAMPLE_EVERY: u64 = 50;
/// How often it is looked; the lags are too long by up to that.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A pixel that a referred buyer loads: not before its transfers are there is it in the ledger.
const BOOKED: &str = "
    select c.order_id from conversions c
    where c.program_id = 3 and c.kind = 'sale' and c.order_key = any ($1)
      and exists (select from transfers t where t.conversion_id = c.id)";

pub async fn run() -> Result<()> {
    let seconds = setting("BENCH_TOGETHER_SECONDS", 600)?;
    let rate = setting("BENCH_TOGETHER_RATE", 2_200)?;
    println!("## All together with the load: {rate} pixels a second for {seconds} s\n");
    let stage = Stage::set().await?;
    let edge = stage.edge().await?;
    let worker = stage.worker()?;
    let cookie = stage.cookie(&edge).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let pids = || -> Result<[f64; 4]> {
        let postgres = cpu_us_with_children(stage.postgres())?;
        Ok([cpu_us(edge.pid())?, cpu_us(stage.redis())?, cpu_us(worker.pid())?, postgres])
    };
    let before = pids()?;
    let (tell, sampled) = unbounded_channel();
    let looking = tokio::spawn(look(stage.connect().await?, sampled));
    let answered = open_loop::run(Plan {
        port: edge.port,
        rate: rate as f64,
        seconds,
        connections: CONNECTIONS,
        cookie,
        order: open_loop::numbered,
        sample: Some((SAMPLE_EVERY, tell)),
    });
    let answered = answered.await?;
    let in_time = stage.count("select count(*) from conversions").await?;
    let used = pids()?;
    let (lags, missing) = looking.await??;
    let share = |n: usize| (used[n] - before[n]) / answered.seconds / 10_000.0;
    println!(
        "| conversions/s in the books at the end | answers p50 / p99 ms | failed | lag p50 s | lag p99 s | lag most s | not in the ledger | CPU % edge, Redis, worker, PostgreSQL |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| **{:.0}**, reach 2000 | {:.2} / {:.2} | {} | {:.3} | **{:.3}**, reach 2 | {:.3} | {missing} of {} | {:.0}, {:.0}, {:.0}, {:.0} |\n",
        in_time as f64 / answered.seconds,
        answered.ms(0.5),
        answered.ms(0.99),
        answered.failed,
        at(&lags, 0.5),
        at(&lags, 0.99),
        at(&lags, 1.0),
        lags.len() + missing,
        share(0),
        share(1),
        share(2),
        share(3)
    );
    drop((edge, worker));
    stage.strike().await;
    Ok(())
}

/// Looks for sampled orders until all are in the ledger, or half a minute after the last was told; their
/// lags in seconds, sorted, and how many never came.
async fn look(
    database: Client,
    mut sampled: UnboundedReceiver<(String, Instant)>,
) -> Result<(Vec<f64>, usize)> {
    let statement = database.prepare(BOOKED).await?;
    let (mut waiting, mut lags) = (HashMap::new(), Vec::new());
    let mut told = Instant::now();
    while told.elapsed() < Duration::from_secs(30) {
        while let Ok((order, due)) = sampled.try_recv() {
            waiting.insert(order, due);
        }
        if sampled.is_closed() && sampled.is_empty() && waiting.is_empty() {
            break;
        }
        if !sampled.is_closed() {
            told = Instant::now();
        }
        let keys: Vec<String> = waiting.keys().map(|order| format!("id:{order}")).collect();
        for row in database.query(&statement, &[&keys]).await? {
            if let Some(due) = waiting.remove(row.get::<_, &str>(0)) {
                lags.push(due.elapsed().as_secs_f64());
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    lags.sort_by(f64::total_cmp);
    Ok((lags, waiting.len()))
}
