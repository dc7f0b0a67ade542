//! Redis loses what it has, or is away: the journal has it, and the edge takes no notice.

use std::time::{Duration, Instant};

use crate::installation::{Installation, Wanted};
use crate::load::{Load, Told};
use crate::role::signal;
use crate::{books, long, rounds};

const STREAM: &str = "tributary:hits";

/// What can be lost at once.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Everything,
    Stream,
    Group,
    /// Another Redis in its place, without what this one had on its disk.
    Server,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_loses_is_sent_again() {
    let mut all = Installation::start(Wanted::default()).await;
    let load = Load::start(&all, 4, Duration::from_millis(10)).await;
    for round in 0..rounds(1, 5) {
        for loss in [Loss::Everything, Loss::Stream, Loss::Group, Loss::Server] {
            // The worker takes a nap, so that there is something to lose.
            signal(all.worker.pid(), "STOP");
            tokio::time::sleep(Duration::from_millis(700)).await;
            let entries: u64 = all.redis(&["XLEN", STREAM]).parse().unwrap();
            assert!(entries > 0, "nothing to lose");
            lose(&mut all, loss).await;
            let answered = load.answered();
            signal(all.worker.pid(), "CONT");
            let after = books::wait_for(&all, &answered).await;
            println!(
                "{round}: {loss:?} lost with {entries} frames; all in the books after {after:?}"
            );
        }
    }
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{tally:?}");
    assert_eq!((tally.failed, tally.unknown), (0, 0), "the edge takes no notice");
    assert!(tally.ok > 100, "{tally:?}");
}

async fn lose(all: &mut Installation, loss: Loss) {
    match loss {
        Loss::Everything => assert_eq!(all.redis(&["FLUSHALL"]), "OK"),
        Loss::Stream => assert_eq!(all.redis(&["DEL", STREAM]), "1"),
        Loss::Group => assert_eq!(all.redis(&["XGROUP", "DESTROY", STREAM, "workers"]), "1"),
        Loss::Server => {
            let redis = all.servers.pids()[1];
            signal(redis, "KILL");
            tokio::time::sleep(Duration::from_millis(200)).await;
            std::fs::remove_dir_all(all.dir.join("redis/appendonlydir")).unwrap();
            all.servers.revive().await.unwrap();
            assert_ne!(all.servers.pids()[1], redis);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edge_takes_no_notice_while_redis_is_away() {
    let mut all = Installation::start(Wanted::default()).await;
    // About 500 orders a second, where the machine can.
    let load = Load::start(&all, 8, Duration::from_millis(12)).await;
    let away = if long().is_some() { Duration::from_secs(300) } else { Duration::from_secs(10) };
    for (leaves, returns) in [("TERM", None), ("STOP", Some("CONT"))] {
        load.waits();
        tokio::time::sleep(Duration::from_secs(4)).await;
        let ((usual, slowest), redis) = (load.waits(), all.servers.pids()[1]);
        signal(redis, leaves);
        let (before, began) = (load.told(Told::Ok), Instant::now());
        tokio::time::sleep(away).await;
        let taken = load.told(Told::Ok) - before;
        let (usual_away, slowest_away) = load.waits();
        println!(
            "SIG{leaves}: {taken} orders in {:?}; answers {usual:?}, at the longest {slowest:?}; \
             while it was away {usual_away:?}, at the longest {slowest_away:?}",
            began.elapsed()
        );
        assert!(taken > 100 && slowest_away < Duration::from_millis(4_500));
        let answered = load.answered();
        match returns {
            Some(returns) => signal(redis, returns),
            None => all.servers.revive().await.unwrap(),
        }
        println!("in the books {:?} after it was back", books::wait_for(&all, &answered).await);
    }
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{tally:?}");
    assert_eq!((tally.failed, tally.unknown), (0, 0), "everything was accepted");
}
