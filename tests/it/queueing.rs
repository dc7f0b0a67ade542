//! The stream between edges and workers, when Redis has forgotten half of what it knew, or has too much.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tributary::config::Settings;
use tributary::queue::Queue;

use crate::failure::{Edge, beside, sell, settle_until};
use crate::harness::{App, temp_dir};

async fn redis(app: &App) -> MultiplexedConnection {
    let client = redis::Client::open(app.settings.redis().unwrap()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn run<T: redis::FromRedisValue>(app: &App, words: &str) -> T {
    let words = words.replace("{}", &app.settings.redis_stream);
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    for word in words {
        command.arg(word);
    }
    command.query_async(&mut redis(app).await).await.unwrap()
}

/// Hands out everything to a worker of whom nothing is known afterwards.
async fn hand_out_and_forget(app: &App) {
    let read = "XREADGROUP GROUP workers nobody COUNT 1000 NOACK STREAMS {} >";
    let _: redis::Value = run(app, read).await;
}

async fn until(what: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if what().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come to pass");
}

#[tokio::test]
async fn what_was_handed_out_and_is_held_by_nobody_is_sent_again() {
    let app = App::start().await;
    let seed = app.seed().await;
    let _: String = run(&app, "XGROUP CREATE {} workers 0 MKSTREAM").await;
    sell(&app.edge_url, &seed, 0..20).await;
    let frames = app.journal.extent().frames;
    until(async || run::<u64>(&app, "XLEN {}").await >= frames).await;
    hand_out_and_forget(&app).await;
    settle_until(&app, 20).await;
}

#[tokio::test]
async fn a_full_stream_takes_no_more_and_the_journal_keeps_the_rest() {
    let app = App::start().await;
    let seed = app.seed().await;
    let dir = temp_dir("full-stream");
    let settings = Settings { stream_bytes_max: 40_000, ..beside(&app, &dir) };
    let edge = Edge::start(settings).await;
    for first in (0..1_000).step_by(100) {
        sell(&edge.url, &seed, first..first + 100).await;
        // Longer than it takes to look how much there is.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // What was sent counts as more than it takes, until the next look: sending goes on then.
    let began = std::time::Instant::now();
    let bytes: u64 = loop {
        let bytes = run(&app, "MEMORY USAGE {} SAMPLES 0").await;
        if bytes >= 40_000 {
            break bytes;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{bytes} bytes: it is never full");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let later: u64 = run(&app, "MEMORY USAGE {} SAMPLES 0").await;
    assert!(later < 160_000, "{bytes} bytes, then {later}, of some 300,000 that wait");
    settle_until(&app, 1_000).await;
    edge.stop().await;
    let _ = std::fs::remove_dir_all(dir);
}

#[tokio::test]
async fn a_sweep_takes_what_nobody_asks_for_and_leaves_what_somebody_holds() {
    let app = App::start().await;
    let (url, stream) = (app.settings.redis().unwrap(), &app.settings.redis_stream);
    let mut queue = Queue::new(url, stream, "sweeper").unwrap();
    queue.sweep(Duration::ZERO).await.unwrap();
    let _: String = run(&app, "XGROUP CREATE {} workers 0 MKSTREAM").await;
    queue.forward([&b"forgotten"[..], b"forgotten too"]).await.unwrap();
    hand_out_and_forget(&app).await;
    let sent = queue.forward([&b"held"[..], b"still to get"]).await.unwrap();
    assert_eq!(queue.read(1, Duration::ZERO).await.unwrap()[0].bytes, b"held");
    queue.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(run::<u64>(&app, "XLEN {}").await, 2);
    assert!(queue.carries(sent[0]).await.unwrap() && queue.carries(sent[1]).await.unwrap());
    tokio::time::sleep(Duration::from_millis(5)).await;
    queue.sweep(Duration::ZERO).await.unwrap();
    let consumers: Vec<redis::Value> = run(&app, "XINFO CONSUMERS {} workers").await;
    assert_eq!(consumers.len(), 1, "the one that holds something");
}
