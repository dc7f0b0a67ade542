//! One order, told a thousand times at once through every channel, to two workers.

use tributary::dev::client;

use crate::books;
use crate::installation::{Installation, Wanted, rows};
use crate::load::{Log, Told};
use crate::rounds;

/// The tracking code's, in the seed.
const SECRET: &str = "a-secret-of-more-than-32-characters";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_told_a_thousand_times_at_once_counts_once() {
    let mut all = Installation::start(Wanted::default()).await;
    let mut other = all.another(&all.worker.plan, &[]);
    let cookie = all.cookie().await;
    let mut log = Log::new();
    for round in 0..rounds(2, 20) {
        let order = format!("once-{round}");
        let told = (0..1_000).map(|number| tell(&all.edge_url, &cookie, &order, number));
        let statuses = futures_util::future::join_all(told).await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        log.insert(order, Told::Ok);
    }
    let tally = books::check(&mut all, &log).await;
    let sent = 1_000 * log.len() as i64;
    let kept = "select count(*) from hits where kind <> 'click'";
    while all.count(kept).await < sent {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let sql = "select outcome, count(*) from hits where kind <> 'click' group by 1";
    let outcomes = rows(&all.servers.database_url, sql).await;
    let outcomes: Vec<(String, i64)> = outcomes.iter().map(|r| (r.get(0), r.get(1))).collect();
    println!("{tally:?}: {outcomes:?}");
    let count = |outcome| outcomes.iter().find(|(o, _)| o == outcome).map_or(0, |(_, n)| *n);
    assert_eq!(count("converted"), log.len() as i64);
    assert_eq!(count("converted") + count("merged") + count("duplicate"), sent);
    let transfers = "select count(*) from transfers";
    assert_eq!(all.count(transfers).await, log.len() as i64, "one set of postings each");
    // Now that all hits are settled, still.
    books::check(&mut all, &log).await;
    assert_eq!(other.stop().await, Some(0));
}

/// One of the channels, in turn; the status.
async fn tell(edge_url: &str, cookie: &str, order: &str, number: usize) -> u16 {
    let sale = format!("amount=10.00&id={order}");
    let cookie = ("cookie", cookie);
    let answer = match number % 3 {
        0 => {
            let url = format!("{edge_url}/t/shop.gif?{sale}");
            client::send("GET", &url, &[cookie], b"").await
        }
        1 => {
            let url = format!("{edge_url}/t/shop");
            let form = ("content-type", "application/x-www-form-urlencoded");
            client::send("POST", &url, &[cookie, form], sale.as_bytes()).await
        }
        _ => {
            let bearer = format!("Bearer {SECRET}");
            let url = format!("{edge_url}/postback/shop");
            client::send("POST", &url, &[("authorization", &bearer)], sale.as_bytes()).await
        }
    };
    answer.unwrap().status
}
