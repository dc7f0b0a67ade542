//! PostgreSQL is away, full of connections, or locked: everything is accepted, and settled afterwards.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::installation::{Installation, Wanted, execute};
use crate::load::{Load, Told};
use crate::role::signal;
use crate::{books, long, rounds};

/// Shops, and what they were told before the fault.
async fn under_load() -> (Installation, Load) {
    let all = Installation::start(Wanted::default()).await;
    let load = Load::start(&all, 4, Duration::from_millis(10)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    (all, load)
}

/// All that was answered comes into the books, nothing was refused, and the worker has outlived it.
async fn settled(mut all: Installation, load: Load) {
    assert_eq!(all.worker.has_ended(), None, "the worker goes on");
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{tally:?}");
    assert_eq!((tally.failed, tally.unknown), (0, 0), "everything was accepted");
    assert!(tally.ok > 100, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_be_stopped_and_killed() {
    let (mut all, load) = under_load().await;
    let away = Duration::from_secs(if long().is_some() { 10 } else { 3 });
    for _ in 0..rounds(1, 5) {
        // A fast shutdown, an immediate one, and none at all.
        for how in ["INT", "QUIT", "KILL"] {
            signal(all.servers.pids()[0], how);
            let before = load.told(Told::Ok);
            tokio::time::sleep(away).await;
            let answered = load.answered();
            assert!(answered.len() > before, "answers go on");
            all.servers.revive().await.unwrap();
            let after = books::wait_for(&all, &answered).await;
            println!(
                "SIG{how}: {} orders meanwhile, settled after {after:?}",
                answered.len() - before
            );
        }
    }
    settled(all, load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_may_be_exhausted() {
    let (all, load) = under_load().await;
    let length = Duration::from_secs(if long().is_some() { 60 } else { 5 });
    let (mut taken, began) = (Vec::new(), Instant::now());
    take_all(&all, &mut taken).await;
    while began.elapsed() < length {
        // Whoever of ours has one loses it, and another takes it before he can.
        let ours = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tributary'";
        taken[0].batch_execute(ours).await.unwrap();
        take_all(&all, &mut taken).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{} connections taken", taken.len());
    assert!(taken.len() > 100 && all.worker.logged().contains("too many clients"));
    drop(taken);
    settled(all, load).await;
}

/// Opens connections until there are none.
async fn take_all(all: &Installation, taken: &mut Vec<Client>) {
    while let Ok((client, connection)) =
        tokio_postgres::connect(&all.servers.database_url, NoTls).await
    {
        tokio::spawn(connection);
        taken.push(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_may_be_locked() {
    let (all, load) = under_load().await;
    // The long form outlasts the statement time-out, twice, and the time after which another worker takes
    // over what one has in hand.
    let length = if long().is_some() { 60 } else { 8 };
    let mut other = all.another(&all.worker.plan, &[]);
    let sql = format!(
        "begin; lock table conversions in access exclusive mode; select pg_sleep({length}); commit"
    );
    let before = load.told(Told::Ok);
    execute(&all.servers.database_url, &sql).await;
    println!("{} orders in {length} s of a locked table", load.told(Told::Ok) - before);
    let after = books::wait_for(&all, &load.answered()).await;
    println!("settled after {after:?}");
    assert_eq!(other.stop().await, Some(0));
    settled(all, load).await;
}
