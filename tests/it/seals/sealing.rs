//! The sealer follows the commits, and holds nobody up.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tributary::store::Error;
use tributary::store::seals::Sealer;

use super::{PATIENCE, broken, connect, posted, seal, seal_by, seals, texts, world};
use crate::harness::{App, http};

#[tokio::test]
async fn an_open_transaction_delays_sealing_and_loses_nothing() {
    let app = world().await;
    app.execute(&posted(4, 60)).await;
    let late = connect(&app).await;
    // What is under way lies above the newest transaction that is over: the horizon has to be above it all the same.
    late.batch_execute(&format!("begin; {}", posted(5, 90))).await.unwrap();
    let mut sealer = Sealer::default();
    for _ in 0..3 {
        assert_eq!(sealer.turn(&app.store).await.unwrap(), 0);
    }
    // Whoever begins later is not waited for.
    let later = connect(&app).await;
    later.batch_execute("begin; update advertisers set name = name where id = 11").await.unwrap();
    late.batch_execute("commit").await.unwrap();
    seal_by(&mut sealer, &app, 9).await;
    assert_eq!(seals(&app).await, ["1 1 7", "11 1 2"], "in one block, the late ones first");
    // Nor is one that only reads.
    later
        .batch_execute("commit; begin isolation level repeatable read; select from transfers")
        .await
        .unwrap();
    app.execute(&posted(6, 40)).await;
    seal(&app, 6).await;
    assert!(broken(&app).await.is_empty());
}

/// What a sealer that is held up has in hand.
struct Midway {
    sealing: JoinHandle<Result<i64, Error>>,
    /// Who holds it up; a rollback lets it go on.
    holder: Client,
    /// Another one, who could seal by now.
    other: Sealer,
}

/// A sealer in the middle of its transaction, all that it reads read.
async fn midway(app: &App) -> Midway {
    let (before, holder) = (connect(app).await, connect(app).await);
    before.batch_execute("begin; update advertisers set name = name where id = 11").await.unwrap();
    let (mut other, mut sealer) = (Sealer::default(), Sealer::default());
    for sealer in [&mut other, &mut sealer] {
        assert_eq!(sealer.turn(&app.store).await.unwrap(), 0, "its horizon was read");
    }
    before.batch_execute("commit").await.unwrap();
    // Its very first seal, not committed: whoever writes the same waits for what becomes of it.
    let first = "insert into seals values (1, 1, 1, 1, 1, 1, sha256(''), now())";
    holder.batch_execute(&format!("begin; {first}")).await.unwrap();
    let store = app.store.clone();
    let sealing = tokio::spawn(async move {
        loop {
            match sealer.turn(&store).await {
                Ok(0) => tokio::time::sleep(Duration::from_millis(5)).await,
                done => return done,
            }
        }
    });
    let waiting = "select pid::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let began = Instant::now();
    while texts(app, waiting).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "it does not get that far");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Midway { sealing, holder, other }
}

#[tokio::test]
async fn settling_and_verdicts_do_not_wait_for_a_sealer() {
    let app = world().await;
    let seed = app.seed().await;
    app.execute(&posted(30, 60)).await;
    let Midway { sealing, holder, mut other } = midway(&app).await;
    assert_eq!(other.turn(&app.store).await.unwrap(), 0, "another one does not wait either");
    let click = http("GET", &format!("{}/c/{}", app.edge_url, seed.link_code), &[], b"").await;
    let cookie = click.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let pixel = format!("{}/t/{}.gif?amount=100&id=1", app.edge_url, seed.code);
    http("GET", &pixel, &[("cookie", &cookie)], b"").await;
    app.settle().await;
    let made = texts(&app, "select id::text from conversions").await;
    let path = format!("conversions/{}/approve", made[0]);
    assert_eq!(app.api("POST", &path, Value::Null).await.status, 200);
    let codes =
        texts(&app, "select code from transfers where conversion_id is not null order by id").await;
    assert_eq!(codes, ["accrue", "approve"]);
    assert!(!sealing.is_finished(), "it was in the middle all the time");
    holder.batch_execute("rollback").await.unwrap();
    assert_eq!(sealing.await.unwrap().unwrap(), 30);
    assert!(broken(&app).await.is_empty());
}

#[tokio::test]
async fn after_a_sealer_that_was_killed_midway_the_next_goes_on() {
    let app = world().await;
    app.execute(&posted(30, 60)).await;
    let Midway { sealing, holder, .. } = midway(&app).await;
    app.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'",
    )
    .await;
    sealing.await.unwrap().unwrap_err();
    holder.batch_execute("rollback").await.unwrap();
    assert!(seals(&app).await.is_empty(), "all or nothing");
    seal(&app, 30).await;
    assert_eq!(seals(&app).await, ["1 1 20", "11 1 10"]);
    assert!(broken(&app).await.is_empty());
}

/// What a million transfers cost to seal and to verify; the work is PostgreSQL's.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_million_transfers() {
    let app = world().await;
    app.execute("alter table transfers disable trigger user").await;
    app.execute(&posted(1_000_000, 60)).await;
    app.execute("analyze transfers").await;
    let (began, mut sealer, mut sealed) = (Instant::now(), Sealer::default(), 0);
    while sealed < 1_000_000 {
        sealed += sealer.turn(&app.store).await.unwrap();
    }
    println!("sealed in {:?}", began.elapsed());
    let client = connect(&app).await;
    for (name, sql) in super::audits::AUDITS {
        let began = Instant::now();
        assert!(client.query(sql, &[&i64::MIN]).await.unwrap().is_empty());
        println!("{name}: {:?}", began.elapsed());
    }
    println!(
        "{:?}",
        texts(
            &app,
            "select pg_size_pretty(pg_total_relation_size('seals')) || ', ' || count(*) from seals"
        )
        .await
    );
}
