//! How fast a backlog of hits becomes conversions in the books, beside a plain `COPY` of the same
//! conversions into the same table.

use std::time::{Duration, Instant};

use crate::floor::pixels;
use crate::machine::{cpu_us, cpu_us_with_children};
use crate::spread::Spread;
use crate::stage::{Process, Stage};
use crate::{REPETITIONS, Result, setting, wrk};

/// A table like that of the conversions: its indexes and checks, and what it refers to looked up.
const COPY_TABLE: &str = "
    create table copied (like conversions including all);
    create trigger copied_refer after insert on copied
    referencing new table as written for each statement execute function conversions_refer()";

/// Hits of the edge that are in the books.
const SETTLED: &str = "select coalesce(sum(watermark), 0)::bigint from edges where edge_number = 0";

pub async fn run() -> Result<()> {
    println!("## Settling a backlog, one worker\n");
    println!(
        "| hits | conversions | conversions/s | worker µs a hit | PostgreSQL µs a hit | COPY rows/s | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    let hits = setting("BENCH_BACKLOG", 500_000)?;
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        let stage = Stage::set().await?;
        let edge = stage.edge().await?;
        fill(&stage, &edge, hits).await?;
        let drained = drain(&stage, &edge).await?;
        let copied = copy(&stage).await?;
        println!(
            "| {} | {} | {:.0} | {:.1} | {:.1} | {copied:.0} | {:.2} |",
            drained.hits,
            drained.conversions,
            drained.rate,
            drained.worker_us,
            drained.postgres_us,
            drained.rate / copied
        );
        rates.push(drained.rate);
        ratios.push(drained.rate / copied);
        drop(edge);
        stage.strike().await;
    }
    println!(
        "| | | **{:.0}**, reach 5000 | | | | **{:.2}**, reach 0.25 |\n",
        Spread::of(&rates),
        Spread::of(&ratios)
    );
    Ok(())
}

/// Sends pixels until at least so many wait in the stream.
pub async fn fill(stage: &Stage, edge: &Process, hits: u64) -> Result<()> {
    let cookie = stage.cookie(edge).await?;
    let mut sent = 0.0;
    while sent < hits as f64 {
        sent += wrk::load(&[], edge.port, pixels(&cookie))?.requests;
    }
    // What is durable and not yet in the stream.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// How a backlog was settled.
pub struct Drained {
    pub hits: i64,
    pub conversions: i64,
    /// Hits a second, between the first and the last batch that was seen.
    pub rate: f64,
    /// Processor time for each hit.
    pub worker_us: f64,
    pub postgres_us: f64,
}

/// Starts a worker and lets it settle all that waits.
pub async fn drain(stage: &Stage, edge: &Process) -> Result<Drained> {
    let conversions = "select count(*) from conversions";
    let before = stage.count(conversions).await?;
    let start = stage.count(SETTLED).await?;
    let worker = stage.worker()?;
    let cpu = || -> Result<[f64; 2]> {
        Ok([cpu_us(worker.pid())?, cpu_us_with_children(stage.postgres())?])
    };
    let waited = Instant::now();
    let mut begun = start;
    while begun == start {
        if waited.elapsed() > Duration::from_secs(60) {
            return Err("nothing was settled".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        begun = stage.count(SETTLED).await?;
    }
    let (began, idle) = (Instant::now(), cpu()?);
    let (mut last, mut still, mut used) = (begun, began, idle);
    while edge.gauge("tributary_queue_lag_hits").await? > 0.0
        || still.elapsed() < Duration::from_secs(1)
    {
        if still.elapsed() > Duration::from_secs(60) {
            return Err(format!("nothing more was settled after {last} hits").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = stage.count(SETTLED).await?;
        if now > last {
            (last, still, used) = (now, Instant::now(), cpu()?);
        }
    }
    let hits = (last - begun) as f64;
    Ok(Drained {
        hits: last - start,
        conversions: stage.count(conversions).await? - before,
        rate: hits / (still - began).as_secs_f64(),
        worker_us: (used[0] - idle[0]) / hits,
        postgres_us: (used[1] - idle[1]) / hits,
    })
}

/// Rows a second of a plain `COPY` of the conversions, by the server, from a file of its own.
async fn copy(stage: &Stage) -> Result<f64> {
    let row = stage.database.query_one("show data_directory", &[]).await?;
    let file = format!("{}/copied", row.get::<_, String>(0));
    stage.database.batch_execute(COPY_TABLE).await?;
    let to = format!("copy conversions to '{file}'");
    stage.database.execute(&to, &[]).await?;
    stage.database.batch_execute("checkpoint").await?;
    let began = Instant::now();
    let from = format!("copy copied from '{file}'");
    let rows = stage.database.execute(&from, &[]).await?;
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}
