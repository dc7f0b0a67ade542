//! SIGKILL at random, of edge, worker, Redis and PostgreSQL, one at a time or all at once.

use std::time::{Duration, Instant};

use crate::installation::{Installation, Wanted};
use crate::load::Load;
use crate::role::signal;
use crate::{Dice, books, long};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_and_nothing_counts_twice() {
    let mut all = Installation::start(Wanted::default()).await;
    // Many shops, none in a hurry: the books are to keep up between two deaths.
    let load = Load::start(&all, 8, Duration::from_millis(5)).await;
    let (mut dice, mut kills, began) = (Dice(0xFA11_FA11), 0, Instant::now());
    let length = long().unwrap_or(Duration::from_secs(20));
    while began.elapsed() < length {
        tokio::time::sleep(Duration::from_millis(200 + dice.roll(800))).await;
        kills += strike(&mut all, &mut dice).await;
    }
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{kills} kills in {} s: {tally:?}", length.as_secs());
    assert!(kills >= 10 && tally.ok > 100, "{kills} kills, {tally:?}");
}

/// Kills one at random, or all at once, and starts them again.
async fn strike(all: &mut Installation, dice: &mut Dice) -> usize {
    let [postgres, redis] = all.servers.pids();
    let victims = match dice.roll(9) {
        0..2 => vec![0],
        2..4 => vec![1],
        4..6 => vec![2],
        6..8 => vec![3],
        _ => vec![0, 1, 2, 3],
    };
    for victim in &victims {
        match victim {
            0 => all.edge.kill(),
            1 => all.worker.kill(),
            2 => signal(redis, "KILL"),
            _ => signal(postgres, "KILL"),
        }
    }
    tokio::time::sleep(Duration::from_millis(dice.roll(300))).await;
    all.revive().await;
    victims.len()
}
